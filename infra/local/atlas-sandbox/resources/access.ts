import * as z from 'zod';
import { timestamp } from '../date.ts';
import { type Answer, type Call, inGroup, inOrg } from '../operation.ts';
import { paginate } from '../pagination.ts';
import { AtlasRefusal, resourceNotFound } from '../refusal.ts';
import { groupRole } from '../roles.ts';
import type { AwsIamRole, User } from '../state/access.ts';
import { usernameOf } from '../state/api-keys.ts';
import type { Project } from '../world.ts';

const INVITATION_MS = 30 * 86_400_000;

const newUser = z.strictObject({
  username: z.email(),
  roles: z.array(z.enum([...groupRole.options, 'GROUP_OBSERVABILITY_VIEWER'])).min(1),
});

export const accessOperations = [
  inGroup({
    operationId: 'addGroupUsers',
    method: 'POST',
    path: '/groups/{groupId}/users',
    versions: ['2025-02-19'],
    endpointSet: 'groupUsers',
    role: 'Project Access Manager',
    handle: addUser,
  }),
  inGroup({
    operationId: 'listGroupCloudProviderAccess',
    method: 'GET',
    path: '/groups/{groupId}/cloudProviderAccess',
    versions: ['2023-01-01'],
    endpointSet: 'cloudProviderAccess',
    role: 'Project Read Only',
    handle: ({ world }, project) => ({
      status: 200,
      body: {
        awsIamRoles: (world.access.awsIamRoles.get(project.id) ?? []).map(awsIamRoleView),
        azureServicePrincipals: [],
        gcpServiceAccounts: [],
      },
    }),
  }),
  inOrg({
    operationId: 'listOrgApiKeyAccessListEntries',
    method: 'GET',
    path: '/orgs/{orgId}/apiKeys/{apiUserId}/accessList',
    versions: ['2023-01-01'],
    endpointSet: 'orgApiKeys',
    role: 'Organization Member',
    handle({ world, url, param }, org) {
      const id = param('apiUserId');
      const key = world.apiKeys.inOrg(org, id);
      if (!key) throw new AtlasRefusal(400, 'API_KEY_NOT_FOUND', `An API Key with ID ${id} does not exist.`, [id]);
      const list = `${url.origin}/api/atlas/v2/orgs/${org.id}/apiKeys/${id}/accessList`;
      const body = paginate(url, key.accessList, ({ address, createdAt }) => {
        const [ip = '', prefix] = address.split('/');
        const isSingle = prefix === undefined || prefix === '32';
        const entry = isSingle ? ip : encodeURIComponent(address);
        return {
          cidrBlock: `${ip}/${prefix ?? 32}`,
          count: 0,
          created: timestamp(createdAt),
          ...(isSingle && { ipAddress: ip }),
          links: [{ href: `${list}/${entry}`, rel: 'self' }],
        };
      });
      return { status: 200, body };
    },
  }),
  inOrg({
    operationId: 'deleteFederationSettingConnectedOrgConfigRoleMapping',
    method: 'DELETE',
    path: '/federationSettings/{federationSettingsId}/connectedOrgConfigs/{orgId}/roleMappings/{id}',
    versions: ['2023-01-01'],
    endpointSet: 'federatedAuthentication',
    role: 'Organization Owner',
    handle({ world, caller, param }, org) {
      const mapping = world.access.roleMappings.get(param('id'));
      if (mapping?.orgId !== org.id || mapping.federationSettingsId !== param('federationSettingsId')) {
        throw resourceNotFound(param('id'));
      }
      world.access.roleMappings.delete(mapping.id);
      world.events.record({ eventTypeName: 'ROLE_MAPPING_DELETED', orgId: org.id, by: caller });
      return { status: 204 };
    },
  }),
];

/** A stranger is invited; a member of the organization is let in at once. */
function addUser({ world, caller, body }: Call, project: Project): Answer {
  const { username, roles } = body(newUser);
  const known = world.access.userNamed({ id: project.orgId }, username);
  if (known?.groupRoles.has(project.id)) {
    const detail = `A user with username ${username} already exists.`;
    throw new AtlasRefusal(409, 'USER_ALREADY_EXISTS', detail, [username]);
  }
  const inviter = usernameOf(caller);
  const user = known ?? world.access.addUser(world.org(project.orgId), { username, status: 'PENDING', inviter });
  world.access.grant(user, project, [...new Set(roles)]);
  world.events.record({
    eventTypeName: user.status === 'ACTIVE' ? 'JOINED_GROUP' : 'INVITED_TO_GROUP',
    groupId: project.id,
    by: caller,
    details: { targetUsername: username },
  });
  return { status: 201, body: userView(user, project) };
}

function userView(user: User, project: Project): object {
  const { id, username, status, createdAt, firstName, lastName, inviter, groupRoles } = user;
  const common = { id, orgMembershipStatus: status, roles: groupRoles.get(project.id) ?? [], username };
  if (status === 'ACTIVE') return { ...common, createdAt: timestamp(createdAt), firstName, lastName };
  return {
    ...common,
    invitationCreatedAt: timestamp(createdAt),
    invitationExpiresAt: timestamp(new Date(createdAt.getTime() + INVITATION_MS)),
    inviterUsername: inviter,
  };
}

function awsIamRoleView({ createdAt, authorizedAt, iamAssumedRoleArn, ...role }: AwsIamRole): object {
  return {
    ...role,
    authorizedDate: authorizedAt ? timestamp(authorizedAt) : null,
    createdDate: timestamp(createdAt),
    featureUsages: [],
    iamAssumedRoleArn: iamAssumedRoleArn ?? null,
    providerName: 'AWS',
  };
}
