import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import { timestamp } from '../date.ts';
import { type Answer, type Call, inGroup, inOrg, type Operation } from '../operation.ts';
import { paginate } from '../pagination.ts';
import { AtlasRefusal, resourceNotFound } from '../refusal.ts';
import { invalidAttribute } from '../request-body.ts';
import { groupRole, meetsInOrg, orgRole } from '../roles.ts';
import { type Organization, type Project, SECRETS_PER_ACCOUNT, type Secret, type ServiceAccount } from '../world.ts';

const SHORTEST_VALIDITY_HOURS = 8;

const label = z
  .string()
  .min(1)
  .regex(/^[\p{L}\p{N}\-_.,' ]*$/u);
const labels = z.strictObject({ name: label.max(64).nullish(), description: label.max(250).nullish() });
const orgChanges = labels.extend({ roles: z.array(orgRole).optional() });
const groupChanges = labels.extend({ roles: z.array(groupRole).optional() });
const secretRequest = z.strictObject({ secretExpiresAfterHours: z.int() });

type Common = Pick<Operation, 'versions' | 'endpointSet'>;

/** Accounts with a create of a secret under way. */
const creating = new WeakSet<ServiceAccount>();

const orgLevel: Common = { versions: ['2024-08-05'], endpointSet: 'orgServiceAccounts' };
const groupLevel: Common = { versions: ['2024-08-05'], endpointSet: 'groupServiceAccounts' };

export const serviceAccountOperations = [
  inOrg({
    ...orgLevel,
    operationId: 'listOrgServiceAccounts',
    method: 'GET',
    path: '/orgs/{orgId}/serviceAccounts',
    role: 'Organization Read Only',
    handle: ({ world, url }, org) => {
      const accounts = [...world.accounts.values()].filter(({ orgId }) => orgId === org.id);
      return { status: 200, body: paginate(url, accounts, inOrgView) };
    },
  }),
  inOrg({
    ...orgLevel,
    operationId: 'getOrgServiceAccount',
    method: 'GET',
    path: '/orgs/{orgId}/serviceAccounts/{clientId}',
    role: 'Organization Read Only',
    handle: (call, org) => ({ status: 200, body: inOrgView(accountOfOrg(call, org)) }),
  }),
  inOrg({
    ...orgLevel,
    operationId: 'getOrgServiceAccountGroups',
    method: 'GET',
    path: '/orgs/{orgId}/serviceAccounts/{clientId}/groups',
    role: 'Organization Read Only',
    handle(call, org) {
      const assigned = [...accountOfOrg(call, org).groupRoles].map(([groupId, roles]) => ({ groupId, roles }));
      return { status: 200, body: paginate(call.url, assigned, (group) => group) };
    },
  }),
  inOrg({
    ...orgLevel,
    operationId: 'updateOrgServiceAccount',
    method: 'PATCH',
    path: '/orgs/{orgId}/serviceAccounts/{clientId}',
    role: 'Organization Owner',
    handle(call, org) {
      const account = accountOfOrg(call, org);
      const { roles, ...changes } = call.body(orgChanges);
      relabel(account, changes);
      if (roles) account.orgRoles = [...new Set(roles)];
      return { status: 200, body: inOrgView(account) };
    },
  }),
  inOrg({
    ...orgLevel,
    operationId: 'createOrgServiceAccountSecret',
    method: 'POST',
    path: '/orgs/{orgId}/serviceAccounts/{clientId}/secrets',
    role: 'Organization Owner',
    handle: (call, org) => createSecret(call, accountOfOrg(call, org), { orgId: org.id }),
  }),
  inOrg({
    ...orgLevel,
    operationId: 'deleteOrgServiceAccountSecret',
    method: 'DELETE',
    path: '/orgs/{orgId}/serviceAccounts/{clientId}/secrets/{secretId}',
    role: 'Organization Owner',
    handle: (call, org) => deleteSecret(call, accountOfOrg(call, org), { orgId: org.id }),
  }),
  inGroup({
    ...groupLevel,
    operationId: 'listGroupServiceAccounts',
    method: 'GET',
    path: '/groups/{groupId}/serviceAccounts',
    role: 'Project Read Only',
    handle: ({ world, url }, project) => {
      const accounts = [...world.accounts.values()].filter(({ groupRoles }) => groupRoles.has(project.id));
      return { status: 200, body: paginate(url, accounts, (account) => inGroupView(account, project)) };
    },
  }),
  inGroup({
    ...groupLevel,
    operationId: 'getGroupServiceAccount',
    method: 'GET',
    path: '/groups/{groupId}/serviceAccounts/{clientId}',
    role: 'Project Read Only',
    handle: (call, project) => ({ status: 200, body: inGroupView(accountOfGroup(call, project), project) }),
  }),
  inGroup({
    ...groupLevel,
    operationId: 'updateGroupServiceAccount',
    method: 'PATCH',
    path: '/groups/{groupId}/serviceAccounts/{clientId}',
    role: 'Project Owner',
    handle(call, project) {
      const account = ownedByProject(call, project);
      const { roles, ...changes } = call.body(groupChanges);
      relabel(account, changes);
      if (roles) call.world.assign(account, project, [...new Set(roles)]);
      return { status: 200, body: inGroupView(account, project) };
    },
  }),
  inGroup({
    ...groupLevel,
    operationId: 'createGroupServiceAccountSecret',
    method: 'POST',
    path: '/groups/{groupId}/serviceAccounts/{clientId}/secrets',
    role: 'Project Owner',
    handle: (call, project) => createSecret(call, ownedByProject(call, project), feedsOf(project)),
  }),
  inGroup({
    ...groupLevel,
    operationId: 'deleteGroupServiceAccountSecret',
    method: 'DELETE',
    path: '/groups/{groupId}/serviceAccounts/{clientId}/secrets/{secretId}',
    role: 'Project Owner',
    handle: (call, project) => deleteSecret(call, ownedByProject(call, project), feedsOf(project)),
  }),
];

function accountOfOrg(call: Call, org: Organization): ServiceAccount {
  const account = call.world.accounts.get(call.param('clientId'));
  if (account?.orgId !== org.id) throw resourceNotFound(call.param('clientId'));
  return account;
}

function accountOfGroup(call: Call, project: Project): ServiceAccount {
  const account = call.world.accounts.get(call.param('clientId'));
  if (!account?.groupRoles.has(project.id)) throw resourceNotFound(call.param('clientId'));
  return account;
}

/** An account that reaches beyond this project is for organization owners only. */
function ownedByProject(call: Call, project: Project): ServiceAccount {
  const account = accountOfGroup(call, project);
  // Every account is a member of its organization; that alone is no access to it.
  const reachesFurther = account.groupRoles.size > 1 || account.orgRoles.some((role) => role !== 'ORG_MEMBER');
  if (reachesFurther && !meetsInOrg('Organization Owner', call.caller.orgRoles)) {
    throw new AtlasRefusal(401, 'NOT_ORG_OWNER', 'The current user is not an owner of the organization.');
  }
  return account;
}

/** Where what happens to an account is told. */
type Feeds = Partial<Record<'orgId' | 'groupId', string>>;

function feedsOf({ id, orgId }: Project): Feeds {
  return { orgId, groupId: id };
}

async function createSecret(call: Call, account: ServiceAccount, feeds: Feeds): Promise<Answer> {
  const { secretExpiresAfterHours: hours } = call.body(secretRequest);
  if (hours < SHORTEST_VALIDITY_HOURS || hours > call.world.org(account.orgId).maxSecretValidityHours) {
    throw invalidAttribute('secretExpiresAfterHours');
  }
  if (creating.has(account)) {
    const detail = 'The service account was changed by another request at the same time.';
    throw new AtlasRefusal(409, 'DATA_CONCURRENCY_ERROR', detail);
  }
  creating.add(account);
  try {
    await delay(call.world.secretCreationMs);
    if (account.secrets.length >= SECRETS_PER_ACCOUNT) {
      const detail = `A service account can have at most ${SECRETS_PER_ACCOUNT} secrets.`;
      const parameters = [SECRETS_PER_ACCOUNT];
      throw new AtlasRefusal(400, 'MAX_SECRETS_PER_SERVICE_ACCOUNT_EXCEEDED', detail, parameters);
    }
    const secret = call.world.mintSecret(account, hours);
    call.world.events.record({ eventTypeName: 'SERVICE_ACCOUNT_SECRET_ADDED', ...feeds, by: call.caller });
    return { status: 201, body: { ...dates(secret), secret: secret.value } };
  } finally {
    creating.delete(account);
  }
}

function deleteSecret(call: Call, account: ServiceAccount, feeds: Feeds): Answer {
  const secretId = call.param('secretId');
  if (!call.world.revokeSecret(account, secretId)) throw resourceNotFound(secretId);
  call.world.events.record({ eventTypeName: 'SERVICE_ACCOUNT_SECRET_DELETED', ...feeds, by: call.caller });
  return { status: 204 };
}

function relabel(account: ServiceAccount, { name, description }: z.infer<typeof labels>): void {
  if (name) account.name = name;
  if (description) account.description = description;
}

function inOrgView(account: ServiceAccount): object {
  return view(account, account.orgRoles);
}

function inGroupView(account: ServiceAccount, project: Project): object {
  return view(account, account.groupRoles.get(project.id) ?? []);
}

function view({ clientId, createdAt, name, description, secrets }: ServiceAccount, roles: readonly string[]): object {
  return {
    clientId,
    createdAt: timestamp(createdAt),
    ...(description !== undefined && { description }),
    name,
    roles,
    secrets: secrets.map((secret) => ({
      ...dates(secret),
      maskedSecretValue: `mdb_sa_sk_...${secret.value.slice(-4)}`,
    })),
  };
}

function dates({ id, createdAt, expiresAt, lastUsedAt }: Secret): object {
  return {
    id,
    createdAt: timestamp(createdAt),
    expiresAt: timestamp(expiresAt),
    ...(lastUsedAt && { lastUsedAt: timestamp(lastUsedAt) }),
  };
}
