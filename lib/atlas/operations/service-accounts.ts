import * as z from 'zod';
import { operation } from './define.ts';
import { ClientId, GroupId, Instant, idOf, Nothing, ObjectId, OrgId, PageQuery, page } from './shapes.ts';

/**
 * A secret as every read shows it. An expired secret stays in the list, and keeps one of the account's two slots,
 * until it is deleted.
 */
export const ServiceAccountSecret = z.object({
  id: ObjectId,
  createdAt: Instant,
  expiresAt: Instant,
  lastUsedAt: Instant.nullish(),
  maskedSecretValue: z.string().nullish(),
});
export type ServiceAccountSecret = z.output<typeof ServiceAccountSecret>;

/**
 * A secret in the one answer that shows its value. Nothing but the id and the value is insisted on: they can't be asked
 * for again, and the dates can.
 */
export const MintedSecret = z.object({
  id: ObjectId,
  secret: z.string().min(1),
  createdAt: Instant.optional().catch(undefined),
  expiresAt: Instant.optional().catch(undefined),
});
export type MintedSecret = z.output<typeof MintedSecret>;

export const ServiceAccount = z.object({
  clientId: ClientId,
  name: z.string().nullish(),
  description: z.string().nullish(),
  createdAt: Instant.nullish(),
  roles: z.array(z.string()).nullish(),
  secrets: z.array(ServiceAccountSecret).nullish(),
});
export type ServiceAccount = z.output<typeof ServiceAccount>;

const org = z.strictObject({ orgId: OrgId });
const orgAccount = org.extend({ clientId: ClientId });
const orgSecret = orgAccount.extend({ secretId: idOf('the secret’s id') });
const group = z.strictObject({ groupId: GroupId });
const groupAccount = group.extend({ clientId: ClientId });
const groupSecret = groupAccount.extend({ secretId: idOf('the secret’s id') });

/** Atlas allows 8 hours up to the organization's own maximum, at most 8,760. */
const lifetime = z.strictObject({ secretExpiresAfterHours: z.int().min(8).max(8760) });
const changes = z
  .strictObject({
    name: z.string().min(1).max(64).optional(),
    description: z.string().min(1).max(250).optional(),
    roles: z.array(z.string()).optional(),
  })
  .refine((body) => Object.keys(body).length > 0, 'must change something');
const paged = PageQuery.omit({ includeCount: true });
const accounts = paged.extend({
  includeSystemManaged: z.boolean().describe('those that Atlas manages, too').optional(),
});

/** Role: Organization Read Only. */
export const listOrgServiceAccounts = operation({
  id: 'listOrgServiceAccounts',
  summary: 'The service accounts of an organization',
  method: 'GET',
  path: '/api/atlas/v2/orgs/{orgId}/serviceAccounts',
  version: '2024-08-05',
  repeat: 'safe',
  params: org,
  query: accounts,
  response: page(ServiceAccount),
});

/** The only way to see an account's secrets: there is no list of secrets. Role: Organization Read Only. */
export const getOrgServiceAccount = operation({
  id: 'getOrgServiceAccount',
  summary: 'One service account of an organization, with its secrets',
  method: 'GET',
  path: '/api/atlas/v2/orgs/{orgId}/serviceAccounts/{clientId}',
  version: '2024-08-05',
  repeat: 'safe',
  params: orgAccount,
  response: ServiceAccount,
});

/** Changes only the fields given. Safe to repeat. Role: Organization Owner. */
export const updateOrgServiceAccount = operation({
  id: 'updateOrgServiceAccount',
  summary: 'Changes a service account of an organization',
  method: 'PATCH',
  path: '/api/atlas/v2/orgs/{orgId}/serviceAccounts/{clientId}',
  version: '2024-08-05',
  repeat: 'safe',
  params: orgAccount,
  body: changes,
  response: ServiceAccount,
});

/**
 * Mints a secret, and shortens every other secret of the account to at most seven days from now, for good. The value is in this
 * answer and nowhere else: a lost answer leaves a live secret that nobody holds. Role: Organization Owner.
 */
export const createOrgServiceAccountSecret = operation({
  id: 'createOrgServiceAccountSecret',
  summary: 'Makes a secret for a service account of an organization',
  method: 'POST',
  path: '/api/atlas/v2/orgs/{orgId}/serviceAccounts/{clientId}/secrets',
  version: '2024-08-05',
  repeat: 'never',
  destructive: true,
  shows: 'getOrgServiceAccount',
  params: orgAccount,
  body: lifetime,
  response: MintedSecret,
});

/**
 * Deletes a secret and, at once, every token minted from it. 404 when it is already gone, so a repeat is harmless.
 * Role: Organization Owner.
 */
export const deleteOrgServiceAccountSecret = operation({
  id: 'deleteOrgServiceAccountSecret',
  summary: 'Deletes a secret of a service account of an organization',
  method: 'DELETE',
  path: '/api/atlas/v2/orgs/{orgId}/serviceAccounts/{clientId}/secrets/{secretId}',
  version: '2024-08-05',
  repeat: 'safe',
  destructive: true,
  shows: 'getOrgServiceAccount',
  params: orgSecret,
  response: Nothing,
});

/** What an account of an organization may do in its projects. Role: Organization Read Only. */
export const getOrgServiceAccountGroups = operation({
  id: 'getOrgServiceAccountGroups',
  summary: 'The projects a service account of an organization has access to',
  method: 'GET',
  path: '/api/atlas/v2/orgs/{orgId}/serviceAccounts/{clientId}/groups',
  version: '2024-08-05',
  repeat: 'safe',
  params: orgAccount,
  query: paged,
  response: page(z.object({ groupId: ObjectId, roles: z.array(z.string()).nullish() })),
});

/** Role: Project Read Only. */
export const listGroupServiceAccounts = operation({
  id: 'listGroupServiceAccounts',
  summary: 'The service accounts of a project',
  method: 'GET',
  path: '/api/atlas/v2/groups/{groupId}/serviceAccounts',
  version: '2024-08-05',
  repeat: 'safe',
  params: group,
  query: accounts,
  response: page(ServiceAccount),
});

/** The only way to see an account's secrets: there is no list of secrets. Role: Project Read Only. */
export const getGroupServiceAccount = operation({
  id: 'getGroupServiceAccount',
  summary: 'One service account of a project, with its secrets',
  method: 'GET',
  path: '/api/atlas/v2/groups/{groupId}/serviceAccounts/{clientId}',
  version: '2024-08-05',
  repeat: 'safe',
  params: groupAccount,
  response: ServiceAccount,
});

/** Changes only the fields given. Safe to repeat. Role: Project Owner. */
export const updateGroupServiceAccount = operation({
  id: 'updateGroupServiceAccount',
  summary: 'Changes a service account of a project',
  method: 'PATCH',
  path: '/api/atlas/v2/groups/{groupId}/serviceAccounts/{clientId}',
  version: '2024-08-05',
  repeat: 'safe',
  params: groupAccount,
  body: changes,
  response: ServiceAccount,
});

/**
 * Like createOrgServiceAccountSecret, for an account of a project. Role: Project Owner; Organization Owner when the
 * account also reaches the organization or other projects.
 */
export const createGroupServiceAccountSecret = operation({
  id: 'createGroupServiceAccountSecret',
  summary: 'Makes a secret for a service account of a project',
  method: 'POST',
  path: '/api/atlas/v2/groups/{groupId}/serviceAccounts/{clientId}/secrets',
  version: '2024-08-05',
  repeat: 'never',
  destructive: true,
  shows: 'getGroupServiceAccount',
  params: groupAccount,
  body: lifetime,
  response: MintedSecret,
});

/**
 * Like deleteOrgServiceAccountSecret, for an account of a project. Role: Project Owner; Organization Owner as for
 * creating one.
 */
export const deleteGroupServiceAccountSecret = operation({
  id: 'deleteGroupServiceAccountSecret',
  summary: 'Deletes a secret of a service account of a project',
  method: 'DELETE',
  path: '/api/atlas/v2/groups/{groupId}/serviceAccounts/{clientId}/secrets/{secretId}',
  version: '2024-08-05',
  repeat: 'safe',
  destructive: true,
  shows: 'getGroupServiceAccount',
  params: groupSecret,
  response: Nothing,
});
