import * as z from 'zod';

/** Who answers for an account. Exactly one of these. */
export const Ownership = z.enum(['managed', 'break-glass', 'unmanaged', 'unknown']);
export type Ownership = z.output<typeof Ownership>;

/** What is to be said of an account beyond that. */
export const Finding = z.enum(['expired', 'expiring', 'never-used', 'no-secret', 'over-privileged', 'slots-full']);
export type Finding = z.output<typeof Finding>;

const Instant = z.iso.datetime();
const Unreadable = z.object({ code: z.string(), reason: z.string() });

const FleetSecret = z.object({
  id: z.string(),
  createdAt: Instant,
  expiresAt: Instant,
  lastUsedAt: Instant.nullable(),
  /** `current` is what a managed secret's AWSCURRENT holds; whatever else is there is `other`. */
  role: z.enum(['current', 'other']),
  state: z.enum(['valid', 'expiring', 'expired']),
  neverUsed: z.boolean(),
});

const FleetAccount = z.object({
  clientId: z.string(),
  name: z.string().nullable(),
  orgId: z.string().nullable(),
  createdAt: Instant.nullable(),
  ownership: Ownership,
  findings: z.array(Finding),
  /** One sentence for each thing a person has to look at. */
  reasons: z.array(z.string()),
  needsPerson: z.boolean(),
  /** Names of the managed secrets that hold this account's credentials. */
  managedSecrets: z.array(z.string()),
  breakGlass: z.object({ owner: z.string(), reason: z.string() }).nullable(),
  /** Null where the organization's list could not be read. */
  orgRoles: z.array(z.string()).nullable(),
  projects: z.array(z.object({ groupId: z.string(), roles: z.array(z.string()) })),
  secrets: z.array(FleetSecret),
  /** Atlas allows two secrets, and an expired one keeps its slot. */
  slots: z.object({ used: z.int(), expired: z.int(), free: z.int() }),
  /** When the last secret that works ends; null where none does. */
  worksUntil: Instant.nullable(),
});
export type FleetAccount = z.output<typeof FleetAccount>;

const FleetManagedSecret = z.object({
  managedSecret: z.string(),
  clientId: z.string().nullable(),
  secretId: z.string().nullable(),
  state: z.enum([
    'in order',
    'expiring',
    'expired',
    /** Its account was seen, and has no such secret. */
    'secret gone',
    /** Everything was read, and there is no such account. */
    'account gone',
    /** Not everything was read, or the account belongs elsewhere. */
    'account not seen',
    /** Which of the account's secrets it holds can't be told. */
    'ambiguous',
    'unreadable',
  ]),
  /** Other managed secrets of the same account: two rotations of one account end each other's secrets. */
  sharedWith: z.array(z.string()),
  expiresAt: Instant.nullable(),
  reason: z.string().nullable(),
});
export type FleetManagedSecret = z.output<typeof FleetManagedSecret>;

/**
 * What there is of service accounts, as far as it could be read: `complete` is false, and `coverage` says what is
 * missing, where anything could not. No value of a secret is in it.
 */
export const FleetReport = z.object({
  version: z.literal(1),
  /** By Atlas's clock. */
  at: Instant,
  complete: z.boolean(),
  coverage: z.object({
    organizations: z.object({
      seen: z.int(),
      read: z.int(),
      unreadable: z.array(
        Unreadable.extend({ orgId: z.string(), name: z.string(), what: z.enum(['accounts', 'projects']) }),
      ),
    }),
    projects: z.object({
      seen: z.int(),
      read: z.int(),
      unreadable: z.array(Unreadable.extend({ groupId: z.string(), name: z.string() })),
    }),
    managedSecrets: z.object({
      seen: z.int(),
      read: z.int(),
      unreadable: z.array(Unreadable.extend({ managedSecret: z.string() })),
    }),
    /** Secrets of administrators that could not be read: then nobody is said to own an organization without leave. */
    administrators: z.object({ unreadable: z.array(Unreadable.extend({ managedSecret: z.string() })) }),
  }),
  counts: z.object({
    accounts: z.int(),
    secrets: z.int(),
    managedSecrets: z.int(),
    ownership: z.record(Ownership, z.int()),
    findings: z.record(Finding, z.int()),
    needPerson: z.int(),
  }),
  accounts: z.array(FleetAccount),
  managedSecrets: z.array(FleetManagedSecret),
});
export type FleetReport = z.output<typeof FleetReport>;
