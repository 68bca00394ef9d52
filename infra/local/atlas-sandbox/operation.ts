import type * as z from 'zod';
import type { EndpointSetName, Rate } from './rate-limits.ts';
import { AtlasRefusal } from './refusal.ts';
import { type GroupRequirement, meetsInGroup, meetsInOrg, type OrgRequirement } from './roles.ts';
import { type Caller, usernameOf } from './state/api-keys.ts';
import type { Organization, Project, World } from './world.ts';

const ID = /^[a-f0-9]{24}$/;

/** One authenticated call. */
export interface Call {
  readonly world: World;
  readonly url: URL;
  readonly caller: Caller;
  /** The version that serves the call; empty in the older APIs, which have none. */
  readonly version: string;
  /** How fast the bucket of an endpoint set is here. */
  rateOf(set: EndpointSetName): Rate;
  /** A parameter of the path. */
  param(name: string): string;
  /** Whether there is a body at all. */
  readonly hasBody: boolean;
  /** The request body, or the refusal Atlas answers an invalid one with. */
  body<T>(schema: z.ZodType<T>): T;
}

export interface Answer {
  readonly status: 200 | 201 | 202 | 204;
  readonly body?: unknown;
}

interface Described {
  /** As in the published document; faults and journal know the operation by it. */
  readonly operationId: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Where the path begins; `/api/atlas/v2` unless given. */
  readonly base?: '/api/atlas/v1.0' | '/api/public/v1.0';
  /** Below the base, with `{parameters}`. */
  readonly path: string;
  /** None in the older APIs: they take and answer plain JSON, and count no calls. */
  readonly versions: readonly string[];
  readonly endpointSet: EndpointSetName;
}

/** One operation of the API, whatever it is about. */
export interface Operation extends Described {
  /** In the words of `x-rolesRequirements`, one of several is enough; missing when every account may call it. */
  readonly role?: OrgRequirement | GroupRequirement | readonly GroupRequirement[];
  /**
   * Finds what the path names. The call is counted against `subject` before it runs,
   * so one that names nothing known is refused uncounted.
   */
  locate(call: Call): { readonly subject: string; readonly run: () => Answer | Promise<Answer> };
}

/** An operation about whatever its caller can reach. */
export function forCaller(definition: Described & { handle(call: Call): Answer }): Operation {
  return {
    ...definition,
    locate: (call) => ({ subject: usernameOf(call.caller), run: () => definition.handle(call) }),
  };
}

/** An operation below `/orgs/{orgId}`. */
export function inOrg(
  definition: Described & { role: OrgRequirement; handle(call: Call, org: Organization): Answer | Promise<Answer> },
): Operation {
  return {
    ...definition,
    locate(call) {
      const orgId = call.param('orgId');
      const org = call.world.orgs.get(orgId);
      if (!org) throw new AtlasRefusal(404, 'ORG_NOT_FOUND', `No organization with ID ${orgId} exists.`, [orgId]);
      if (call.caller.orgId !== orgId) throw outsider('ORG', orgId);
      return {
        subject: orgId,
        run() {
          if (!meetsInOrg(definition.role, call.caller.orgRoles)) throw unauthorized();
          return definition.handle(call, org);
        },
      };
    },
  };
}

/** An operation below `/groups/{groupId}`. */
export function inGroup(
  definition: Described & {
    role: GroupRequirement | readonly GroupRequirement[];
    handle(call: Call, project: Project): Answer | Promise<Answer>;
  },
): Operation {
  return {
    ...definition,
    locate(call) {
      const groupId = call.param('groupId');
      if (!ID.test(groupId)) {
        throw new AtlasRefusal(404, 'INVALID_GROUP_ID', `An invalid group ID ${groupId} was specified.`, [groupId]);
      }
      if (call.world.cloudManager.projects.has(groupId)) throw notAtlasGroup(groupId);
      const project = call.world.projects.get(groupId);
      if (!project) throw new AtlasRefusal(404, 'GROUP_NOT_FOUND', `No group with ID ${groupId} exists.`, [groupId]);
      const { orgId, groupRoles, orgRoles } = call.caller;
      const meets = (role: GroupRequirement): boolean => meetsInGroup(role, groupRoles.get(groupId) ?? [], orgRoles);
      const enough = [definition.role].flat();
      const sees = orgId === project.orgId && (meets('Project Read Only') || enough.some(meets));
      if (!sees) throw outsider('GROUP', groupId);
      return {
        subject: groupId,
        run() {
          if (!enough.some(meets)) throw unauthorized();
          return definition.handle(call, project);
        },
      };
    },
  };
}

export function outsider(kind: 'ORG' | 'GROUP', id: string): AtlasRefusal {
  return new AtlasRefusal(401, `USER_CANNOT_ACCESS_${kind}`, `Current user cannot access ${id}.`, [id]);
}

function notAtlasGroup(id: string): AtlasRefusal {
  const elsewhere = 'use the Cloud Manager Public API at /api/public/v1.0 to access it.';
  return new AtlasRefusal(404, 'NOT_ATLAS_GROUP', `Group ${id} is not an Atlas group; ${elsewhere}`, [id]);
}

function unauthorized(): AtlasRefusal {
  return new AtlasRefusal(401, 'USER_UNAUTHORIZED', 'Current user is not authorized to perform this action.');
}
