import * as z from 'zod';
import { operation } from './define.ts';
import { GroupId, Instant, ObjectId, openEnum } from './shapes.ts';

/** Roles of a project all begin so; those of an organization are not taken here. Atlas adds roles now and then. */
const ProjectRole = z.string().regex(/^GROUP_[A-Z_]+$/, 'must be a role of a project, like GROUP_READ_ONLY');

/**
 * Gives one person access to a project. Who is not in the organization yet is invited to it by mail; who has an open
 * invitation gets it widened; who is a member has access at once. A second delivery changes and mails nothing: it gets
 * a conflict, as anybody who is already in the project does. Role: Project Access Manager.
 */
export const addGroupUsers = operation({
  id: 'addGroupUsers',
  summary: 'Adds a person to a project, by invitation where they are not in the organization',
  method: 'POST',
  path: '/api/atlas/v2/groups/{groupId}/users',
  version: '2025-02-19',
  repeat: 'safe',
  params: z.strictObject({ groupId: GroupId }),
  body: z.strictObject({
    username: z.email(),
    roles: z
      .array(ProjectRole)
      .min(1)
      .refine((roles) => new Set(roles).size === roles.length, 'must not name a role twice'),
  }),
  response: z.object({
    id: ObjectId,
    username: z.string().nullish(),
    /** What tells a member from somebody invited, who has the invitation's dates. */
    orgMembershipStatus: openEnum('PENDING', 'ACTIVE', 'INVITATION_EXPIRED', 'INVITATION_REJECTED').nullish(),
    roles: z.array(z.string()).nullish(),
    invitationCreatedAt: Instant.nullish(),
    invitationExpiresAt: Instant.nullish(),
    inviterUsername: z.string().nullish(),
    createdAt: Instant.nullish(),
    lastAuth: Instant.nullish(),
    firstName: z.string().nullish(),
    lastName: z.string().nullish(),
  }),
});
