import type { FleetAccount as AccountPolicy } from './contract.ts';
import type { Finding, FleetAccount, FleetManagedSecret, Ownership } from './fleet-report.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const SLOTS = 2;

/** What the sweep acts on by itself: a managed secret with less left than this should have been rotated. */
const MANAGED_EXPIRING_MS = 72 * HOUR_MS;

export interface SeenSecret {
  readonly id: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly lastUsedAt: Date | undefined;
}

/** A service account with all that was seen of it, in its organization and in its projects. */
export interface SeenAccount {
  readonly clientId: string;
  readonly name: string | undefined;
  readonly orgId: string | undefined;
  readonly createdAt: Date | undefined;
  /** Undefined where the organization's own list could not be read. */
  readonly orgRoles: readonly string[] | undefined;
  readonly projects: readonly { readonly groupId: string; readonly roles: readonly string[] }[];
  readonly secrets: readonly SeenSecret[];
}

/** A managed secret, and what its AWSCURRENT says. */
export interface SeenManaged {
  readonly managedSecret: string;
  /** Undefined where it could not be read; then `problem` says why. */
  readonly holds?: { readonly clientId: string; readonly secretId: string | undefined } | undefined;
  readonly problem?: string | undefined;
  /** Whether the organization or project it names is one that was read. */
  readonly isWithin: boolean;
}

export interface Fleet {
  readonly accounts: readonly SeenAccount[];
  readonly managed: readonly SeenManaged[];
  /** Everything there is was read: only then is what was not seen not there. */
  readonly complete: boolean;
  /** Accounts that may own their organization; undefined where not all of them could be found out. */
  readonly administrators: ReadonlySet<string> | undefined;
}

export interface FleetPolicy {
  readonly expiringWithinDays: number;
  readonly unusedAfterDays: number;
  readonly accounts: readonly AccountPolicy[];
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const sorted = (texts: Iterable<string>): string[] => [...new Set(texts)].toSorted(byText);

/**
 * Judges every account and every managed secret. Pure, and blind to the order of what it is given. `now` is by Atlas's
 * clock, as every date here.
 */
export function classify(
  fleet: Fleet,
  policy: FleetPolicy,
  now: Date,
): { accounts: FleetAccount[]; managedSecrets: FleetManagedSecret[] } {
  const holders = Map.groupBy(
    fleet.managed.filter(({ holds }) => holds !== undefined),
    ({ holds }) => holds?.clientId ?? '',
  );
  const seen = new Map(fleet.accounts.map((account) => [account.clientId, account]));
  return {
    accounts: fleet.accounts
      .map((account) => classifyAccount(account, holders.get(account.clientId) ?? [], fleet, policy, now))
      .toSorted((a, b) => byText(a.clientId, b.clientId)),
    managedSecrets: fleet.managed
      .map((managed) => classifyManaged(managed, holders, seen, fleet.complete, now))
      .toSorted((a, b) => byText(a.managedSecret, b.managedSecret)),
  };
}

function classifyAccount(
  account: SeenAccount,
  holders: readonly SeenManaged[],
  fleet: Fleet,
  policy: FleetPolicy,
  now: Date,
): FleetAccount {
  const { clientId, secrets } = account;
  const own = policy.accounts.find((listed) => listed.clientId === clientId);
  const currentIds = new Set(holders.flatMap(({ holds }) => holds?.secretId ?? []));
  const isManaged = holders.length > 0;
  // An unread managed secret may be this very account's.
  const allRead = fleet.managed.every(({ holds }) => holds !== undefined);
  const ownership: Ownership =
    own?.breakGlass !== undefined ? 'break-glass' : isManaged ? 'managed' : allRead ? 'unmanaged' : 'unknown';

  const expiringMs = isManaged
    ? Math.min(MANAGED_EXPIRING_MS, policy.expiringWithinDays * DAY_MS)
    : policy.expiringWithinDays * DAY_MS;
  const stateOf = ({ expiresAt }: SeenSecret): 'valid' | 'expiring' | 'expired' => stateAt(expiresAt, now, expiringMs);
  const isUnused = ({ lastUsedAt, createdAt }: SeenSecret): boolean =>
    lastUsedAt === undefined && now.getTime() - createdAt.getTime() > policy.unusedAfterDays * DAY_MS;
  // What the account lives by: the managed secret where there is one, else whatever works longest.
  const current = secrets.filter(({ id }) => currentIds.has(id));
  const lifeline = current.length > 0 ? current : secrets;
  const end = lifeline.reduce((latest, { expiresAt }) => Math.max(latest, expiresAt.getTime()), 0);
  const expired = secrets.filter((secret) => stateOf(secret) === 'expired').length;
  const alive = secrets.filter(({ expiresAt }) => expiresAt > now);
  const worksUntil = alive.reduce((latest, { expiresAt }) => Math.max(latest, expiresAt.getTime()), 0);

  const findings = new Map<Finding, string>();
  if (secrets.length === 0) findings.set('no-secret', 'has no secret');
  else {
    const state = stateAt(new Date(end), now, expiringMs);
    const when = new Date(end).toISOString();
    if (state === 'expired') findings.set('expired', `its ${isManaged ? 'current' : 'last'} secret expired ${when}`);
    if (state === 'expiring') findings.set('expiring', `its ${isManaged ? 'current' : 'last'} secret expires ${when}`);
    if (ownership !== 'break-glass' && isNeverUsed(account, policy, now))
      findings.set('never-used', `was never used in more than ${policy.unusedAfterDays} days`);
  }
  const gone = sorted(
    holders
      .filter(({ holds }) => holds?.secretId !== undefined && !secrets.some(({ id }) => id === holds.secretId))
      .map(({ managedSecret }) => managedSecret),
  );
  if (gone.length > 0) findings.set('expired', `has no such secret any more as ${gone.join(', ')} holds`);
  const tooMuch = excessRoles(account, own, fleet.administrators);
  if (tooMuch !== undefined) findings.set('over-privileged', tooMuch);
  if (secrets.length >= SLOTS)
    findings.set('slots-full', `both its slots are taken${expired > 0 ? `, ${expired} by an expired secret` : ''}`);

  const ownershipReason =
    ownership === 'unmanaged' && secrets.length > 0
      ? ['its secrets are rotated by nobody here']
      : ownership === 'unknown'
        ? ['whether a managed secret holds it is not known: not all of them could be read']
        : [];
  // A full account is no fault of its own: during every grace there are two.
  const pressing = [...findings].filter(([finding]) => finding !== 'slots-full' && finding !== 'no-secret');
  return {
    clientId,
    name: account.name ?? null,
    orgId: account.orgId ?? null,
    createdAt: account.createdAt?.toISOString() ?? null,
    ownership,
    findings: [...findings.keys()].toSorted(byText),
    reasons: [...ownershipReason, ...pressing.map(([, reason]) => reason).toSorted(byText)],
    needsPerson: ownershipReason.length > 0 || pressing.length > 0,
    managedSecrets: sorted(holders.map(({ managedSecret }) => managedSecret)),
    breakGlass: own?.breakGlass ?? null,
    orgRoles: account.orgRoles === undefined ? null : sorted(account.orgRoles),
    projects: account.projects
      .map(({ groupId, roles }) => ({ groupId, roles: sorted(roles) }))
      .toSorted((a, b) => byText(a.groupId, b.groupId)),
    secrets: secrets
      .map((secret) => ({
        id: secret.id,
        createdAt: secret.createdAt.toISOString(),
        expiresAt: secret.expiresAt.toISOString(),
        lastUsedAt: secret.lastUsedAt?.toISOString() ?? null,
        role: currentIds.has(secret.id) ? ('current' as const) : ('other' as const),
        state: stateOf(secret),
        neverUsed: isUnused(secret),
      }))
      .toSorted((a, b) => byText(a.id, b.id)),
    slots: { used: secrets.length, expired, free: Math.max(0, SLOTS - secrets.length) },
    worksUntil: alive.length === 0 ? null : new Date(worksUntil).toISOString(),
  };
}

function stateAt(end: Date, now: Date, expiringMs: number): 'valid' | 'expiring' | 'expired' {
  const left = end.getTime() - now.getTime();
  if (left <= 0) return 'expired';
  return left < expiringMs ? 'expiring' : 'valid';
}

/** Rotation makes secrets young: what counts is how long the account has been there, where Atlas says so. */
function isNeverUsed({ secrets, createdAt }: SeenAccount, { unusedAfterDays }: FleetPolicy, now: Date): boolean {
  if (secrets.some(({ lastUsedAt }) => lastUsedAt !== undefined)) return false;
  const since = secrets.reduce(
    (oldest, secret) => Math.min(oldest, secret.createdAt.getTime()),
    createdAt?.getTime() ?? Number.POSITIVE_INFINITY,
  );
  return now.getTime() - since > unusedAfterDays * DAY_MS;
}

/** What an account holds beyond what it may; undefined where nothing, or where it can't be told. */
function excessRoles(
  { clientId, orgRoles = [], projects }: SeenAccount,
  own: AccountPolicy | undefined,
  administrators: ReadonlySet<string> | undefined,
): string | undefined {
  const groupRoles = projects.flatMap(({ roles }) => roles);
  if (own?.roles !== undefined) {
    const allowed = new Set(own.roles);
    const excess = sorted([...orgRoles, ...groupRoles]).filter((role) => !allowed.has(role));
    return excess.length === 0 ? undefined : `holds ${excess.join(', ')}, which its settings do not allow`;
  }
  const owns = orgRoles.includes('ORG_OWNER');
  if (own?.readOnly) {
    if (owns) return 'owns the organization, and is used to read alone';
    return groupRoles.includes('GROUP_OWNER') ? 'owns a project, and is used to read alone' : undefined;
  }
  if (!owns || own?.administrator || own?.breakGlass !== undefined) return undefined;
  if (administrators === undefined || administrators.has(clientId)) return undefined;
  return 'owns the organization, and the settings do not list it as an administrator';
}

function classifyManaged(
  { managedSecret, holds, problem, isWithin }: SeenManaged,
  holders: ReadonlyMap<string, readonly SeenManaged[]>,
  seen: ReadonlyMap<string, SeenAccount>,
  complete: boolean,
  now: Date,
): FleetManagedSecret {
  const account = holds && seen.get(holds.clientId);
  const secret = account?.secrets.find(({ id }) => id === holds?.secretId);
  const state = (): { state: FleetManagedSecret['state']; reason: string | null } => {
    if (!holds) return { state: 'unreadable', reason: problem ?? null };
    if (!account)
      return complete && isWithin
        ? { state: 'account gone', reason: 'there is no such account any more' }
        : { state: 'account not seen', reason: 'its account is not among those that could be read' };
    if (holds.secretId === undefined)
      return { state: 'ambiguous', reason: 'the value has no secretId, and Atlas’s masks do not tell' };
    if (!secret) return { state: 'secret gone', reason: 'its account has no such secret any more' };
    const at = stateAt(secret.expiresAt, now, MANAGED_EXPIRING_MS);
    return at === 'valid' ? { state: 'in order', reason: null } : { state: at, reason: null };
  };
  return {
    managedSecret,
    clientId: holds?.clientId ?? null,
    secretId: holds?.secretId ?? null,
    ...state(),
    sharedWith: sorted((holders.get(holds?.clientId ?? '') ?? []).map((other) => other.managedSecret)).filter(
      (other) => other !== managedSecret,
    ),
    expiresAt: secret?.expiresAt.toISOString() ?? null,
  };
}

/** How many there are of each, over the accounts of a report. */
export function countFleet(
  accounts: readonly FleetAccount[],
  managedSecrets: readonly FleetManagedSecret[],
): {
  accounts: number;
  secrets: number;
  managedSecrets: number;
  ownership: Record<Ownership, number>;
  findings: Record<Finding, number>;
  needPerson: number;
} {
  const owned = (ownership: Ownership): number => accounts.filter((account) => account.ownership === ownership).length;
  const found = (finding: Finding): number => accounts.filter(({ findings }) => findings.includes(finding)).length;
  return {
    accounts: accounts.length,
    secrets: accounts.reduce((sum, { secrets }) => sum + secrets.length, 0),
    managedSecrets: managedSecrets.length,
    ownership: {
      managed: owned('managed'),
      'break-glass': owned('break-glass'),
      unmanaged: owned('unmanaged'),
      unknown: owned('unknown'),
    },
    findings: {
      expired: found('expired'),
      expiring: found('expiring'),
      'never-used': found('never-used'),
      'no-secret': found('no-secret'),
      'over-privileged': found('over-privileged'),
      'slots-full': found('slots-full'),
    },
    needPerson: accounts.filter(({ needsPerson }) => needsPerson).length,
  };
}
