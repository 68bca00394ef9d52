import type { AtlasClient } from '../../lib/atlas/client.ts';
import {
  AtlasContractBroken,
  AtlasCredentialsRefused,
  AtlasRejected,
  AtlasTokenLimitReached,
} from '../../lib/atlas/errors.ts';
import { getOrgGroups, listOrgs } from '../../lib/atlas/operations/organizations.ts';
import {
  getGroupServiceAccount,
  getOrgServiceAccount,
  listGroupServiceAccounts,
  listOrgServiceAccounts,
  type ServiceAccount,
  type ServiceAccountSecret,
} from '../../lib/atlas/operations/service-accounts.ts';
import { pages } from '../../lib/atlas/pages.ts';
import { AutomationError } from '../../lib/errors.ts';
import type { Deadline } from '../../lib/runtime/deadline.ts';
import type { SeenAccount } from './fleet-classify.ts';
import type { FleetReport } from './fleet-report.ts';
import { eachOf } from './fleet-spread.ts';
import type { MaskedSlot } from './identify.ts';

/** An account as it was seen, with the masks that tell which secret a value is. */
export interface DiscoveredAccount extends SeenAccount {
  readonly secrets: readonly MaskedSlot[];
}

type Coverage = Pick<FleetReport['coverage'], 'organizations' | 'projects'>;

export interface Discovered {
  readonly accounts: readonly DiscoveredAccount[];
  /** Ids of the organizations and projects whose accounts were read to the end. */
  readonly read: ReadonlySet<string>;
  readonly coverage: Coverage;
  /** The latest instant of any answer, by Atlas's clock. */
  readonly at: Date;
}

/** Projects read side by side; each has a rate limit of its own. */
const PROJECTS_AT_ONCE = 8;

/** What cannot be read of one place says nothing of the next; what is wrong with the caller does. */
const isOurs = (error: unknown): boolean =>
  !(error instanceof AutomationError) ||
  error instanceof AtlasCredentialsRefused ||
  error instanceof AtlasTokenLimitReached;

/** A place of Cloud Manager is not one of Atlas, and has no such accounts. */
const isElsewhere = (error: unknown): boolean =>
  error instanceof AtlasRejected && error.errorCode === 'NOT_ATLAS_GROUP';

/**
 * Every service account of every organization the caller belongs to, and of all its projects. What can't be read is
 * named in the coverage, and the rest goes on; only what concerns the caller itself (its credentials, its tokens, the
 * list of its organizations) is thrown. Reads only.
 */
export async function discover(atlas: AtlasClient, deadline: Deadline): Promise<Discovered> {
  let at = new Date(0);
  const reader: Pick<AtlasClient, 'call' | 'follow'> = {
    async call(operation, input, within) {
      const answer = await atlas.callDated(operation, input, within);
      if (answer.at > at) at = answer.at;
      return answer.data;
    },
    follow: atlas.follow,
  };
  const read = new Set<string>();
  const seen = new Map<string, DiscoveredAccount>();
  const organizations: Coverage['organizations'] = { seen: 0, read: 0, unreadable: [] };
  const projects: Coverage['projects'] = { seen: 0, read: 0, unreadable: [] };

  /** Does it, and says why where it can't be done. */
  const attempt = async (work: () => Promise<void>): Promise<{ code: string; reason: string } | undefined> => {
    try {
      await work();
      return undefined;
    } catch (error) {
      if (isOurs(error) || !(error instanceof AutomationError)) throw error;
      return isElsewhere(error) ? undefined : { code: error.code, reason: error.message };
    }
  };
  /** A list that leaves an account's secrets out is no account without secrets: then it is asked for by itself. */
  const add = async (listed: ServiceAccount, of: Parameters<typeof joined>[2]): Promise<void> => {
    const { clientId } = listed;
    const known = seen.get(clientId);
    const account = listed.secrets || known ? listed : await getAccount(reader, clientId, of, deadline);
    if (!account.secrets && !known)
      throw new AtlasContractBroken('Atlas gave a service account without its secrets', {
        clientId,
        fields: ['secrets'],
      });
    seen.set(clientId, joined(known, account, of));
  };

  const groups: { readonly id: string; readonly name: string; readonly orgId: string }[] = [];
  for await (const { id: orgId, name, isDeleted } of pages(reader, listOrgs, { params: {} }, deadline)) {
    if (isDeleted) continue;
    organizations.seen++;
    const withoutAccounts = await attempt(async () => {
      for await (const account of pages(reader, listOrgServiceAccounts, { params: { orgId } }, deadline))
        await add(account, { orgId });
      read.add(orgId);
    });
    const withoutProjects = await attempt(async () => {
      for await (const project of pages(reader, getOrgGroups, { params: { orgId } }, deadline))
        groups.push({ id: project.id, name: project.name, orgId });
    });
    if (withoutAccounts) organizations.unreadable.push({ orgId, name, what: 'accounts', ...withoutAccounts });
    if (withoutProjects) organizations.unreadable.push({ orgId, name, what: 'projects', ...withoutProjects });
    if (!withoutAccounts && !withoutProjects) organizations.read++;
  }

  projects.seen = groups.length;
  await eachOf(groups, PROJECTS_AT_ONCE, async ({ id: groupId, name, orgId }) => {
    const problem = await attempt(async () => {
      for await (const account of pages(reader, listGroupServiceAccounts, { params: { groupId } }, deadline))
        await add(account, { orgId, groupId });
      read.add(groupId);
    });
    if (problem) projects.unreadable.push({ groupId, name, ...problem });
    else projects.read++;
  });
  return { accounts: [...seen.values()], read, coverage: { organizations, projects }, at };
}

const getAccount = (
  reader: Pick<AtlasClient, 'call'>,
  clientId: string,
  { orgId, groupId }: { readonly orgId: string; readonly groupId?: string },
  deadline: Deadline,
): Promise<ServiceAccount> =>
  groupId === undefined
    ? reader.call(getOrgServiceAccount, { params: { orgId, clientId } }, deadline)
    : reader.call(getGroupServiceAccount, { params: { groupId, clientId } }, deadline);

/** A list of secrets in the words of a rotation. */
export const slotsOf = (secrets: readonly ServiceAccountSecret[]): MaskedSlot[] =>
  secrets.map((secret) => ({
    id: secret.id,
    createdAt: secret.createdAt,
    expiresAt: secret.expiresAt,
    lastUsedAt: secret.lastUsedAt ?? undefined,
    mask: secret.maskedSecretValue ?? undefined,
  }));

/** One account from what its organization and its projects show of it: the same secrets, and roles of their own. */
function joined(
  known: DiscoveredAccount | undefined,
  { clientId, name, createdAt, roles, secrets }: ServiceAccount,
  { orgId, groupId }: { readonly orgId: string; readonly groupId?: string },
): DiscoveredAccount {
  const held = new Map([...(known?.secrets ?? []), ...slotsOf(secrets ?? [])].map((secret) => [secret.id, secret]));
  const others = (known?.projects ?? []).filter((project) => project.groupId !== groupId);
  return {
    clientId,
    name: known?.name ?? name ?? undefined,
    orgId,
    createdAt: known?.createdAt ?? createdAt ?? undefined,
    orgRoles: groupId === undefined ? (roles ?? []) : known?.orgRoles,
    projects: groupId === undefined ? others : [...others, { groupId, roles: roles ?? [] }],
    secrets: [...held.values()],
  };
}
