/**
 * What is known of an organization's backups, in plain values: instants are milliseconds since 1970, so that facts can be
 * written down and read back. `null` is what Atlas did not say, and nothing here is a judgement.
 */

/** Something that was read, or that could not be: then nothing may be concluded from its absence. */
export type Read<Value> =
  | { readonly known: true; readonly value: Value; readonly at: number }
  | { readonly known: false; readonly operation: string; readonly cause: Cause; readonly reason: string };

/**
 * `not-asked`: nobody's rule needs it, so it was not read. `not-offered`: this Atlas has no such list; what it would say is
 * not known, and nothing was missed by not reading it.
 */
export type Cause =
  | 'forbidden'
  | 'throttled'
  | 'unavailable'
  | 'auth-capacity'
  | 'contract'
  | 'time'
  | 'unexpected'
  | 'not-offered'
  | 'not-asked';

export const read = <Value>(value: Value, at: number): Read<Value> => ({ known: true, value, at });

export const notAsked = (
  operation: string,
): { known: false; operation: string; cause: 'not-asked'; reason: string } => ({
  known: false,
  operation,
  cause: 'not-asked',
  reason: 'no rule of the policy asks for it',
});

export interface TagFact {
  readonly key: string;
  readonly value: string;
}

export interface RegionFact {
  readonly provider: string | null;
  readonly region: string | null;
  /** Whether a node that can be elected is there; null where its count is not told. */
  readonly electable: boolean | null;
}

export interface ZoneFact {
  readonly id: string | null;
  readonly name: string | null;
  readonly regions: readonly RegionFact[];
}

export interface ItemFact {
  readonly id: string | null;
  /** `hourly`, `daily`, `weekly`, `monthly`, `yearly`, `ondemand`. */
  readonly type: string | null;
  readonly interval: number | null;
  readonly unit: string | null;
  readonly value: number | null;
}

export interface CopyFact {
  readonly provider: string | null;
  readonly region: string | null;
  readonly zoneId: string | null;
  readonly oplogs: boolean | null;
  /** Lower case, whatever Atlas wrote. Null where the setting is of another form. */
  readonly frequencies: readonly string[] | null;
  readonly items: readonly Omit<ItemFact, 'interval'>[] | null;
  readonly last: number | null;
}

export interface ScheduleFact {
  /** True for Legacy Backup, whose schedule was put into the same words. */
  readonly legacy: boolean;
  readonly policyId: string | null;
  readonly items: readonly ItemFact[] | null;
  readonly nextSnapshot: number | null;
  readonly referenceHour: number | null;
  readonly referenceMinute: number | null;
  readonly restoreWindowDays: number | null;
  readonly autoExport: boolean | null;
  readonly exportBucketId: string | null;
  readonly exportFrequency: string | null;
  readonly autoCopy: boolean | null;
  readonly copyItemsEnabled: boolean | null;
  readonly copies: readonly CopyFact[] | null;
  readonly extraRetention: readonly { readonly type: string | null; readonly days: number | null }[] | null;
}

export interface SnapshotFact {
  readonly id: string;
  /** `queued`, `inProgress`, `completed`, `failed`. */
  readonly status: string | null;
  /** `scheduled`, `onDemand`, `fallback`. */
  readonly type: string | null;
  readonly frequency: string | null;
  /** When it was taken; null until it is complete. */
  readonly createdAt: number | null;
  /** The second in its id, which is there from the start. */
  readonly begunAt: number | null;
  readonly expiresAt: number | null;
  readonly items: readonly string[] | null;
  /** Null in a sharded cluster, whose snapshots do not say. */
  readonly copyRegions: readonly string[] | null;
  /** Replica sets it is made of; null for a replica set's own. */
  readonly members: readonly string[] | null;
  readonly configServer: string | null;
  readonly customerKey: string | null;
}

export interface RestoreFact {
  readonly id: string;
  readonly delivery: string | null;
  readonly targetProjectId: string | null;
  readonly targetCluster: string | null;
  readonly finishedAt: number | null;
  readonly failed: boolean | null;
  readonly cancelled: boolean | null;
  readonly expired: boolean | null;
}

export interface ExportFact {
  readonly id: string;
  readonly state: string | null;
  readonly finishedAt: number | null;
}

export interface ComplianceFact {
  readonly state: string | null;
  readonly email: string | null;
  readonly copyProtection: boolean | null;
  readonly encryption: boolean | null;
  readonly pit: boolean | null;
  readonly restoreWindowDays: number | null;
  readonly items: readonly ItemFact[] | null;
  readonly deletable: boolean | null;
  readonly updatedAt: number | null;
}

export interface AlertFact {
  readonly type: string | null;
  readonly enabled: boolean | null;
  readonly notifications: number | null;
}

export interface EventFact {
  readonly type: string | null;
  readonly at: number | null;
  readonly cluster: string | null;
}

/** What earlier audits saw of a cluster, and Atlas no longer tells. */
export interface MemoryFact {
  /** Since when backup is known to be on, where an audit saw it off before. */
  readonly backupSince: number | null;
  /** Since when the schedule is known to be what it is, where an audit saw another one before. */
  readonly scheduleSince: number | null;
  /** Since when point-in-time recovery is known to be on, where an audit saw it off before. */
  readonly pitSince: number | null;
  /** Stretches in which no snapshots were to be expected: paused, or a migration wrote into it. */
  readonly inactive: readonly { readonly from: number; readonly to: number | null }[];
  /** When a restore job was first seen unfinished, by its id. */
  readonly restoreStarts: Readonly<Record<string, number>>;
}

export const noMemory: MemoryFact = {
  backupSince: null,
  scheduleSince: null,
  pitSince: null,
  inactive: [],
  restoreStarts: {},
};

export interface ProjectFacts {
  readonly organizationId: string;
  readonly id: string;
  readonly name: string;
  readonly tags: readonly TagFact[];
  /** Null value: the project has no Backup Compliance Policy. */
  readonly compliance: Read<ComplianceFact | null>;
  readonly alerts: Read<readonly AlertFact[]>;
  /** What happened to its backups lately, newest first. */
  readonly events: Read<readonly EventFact[]>;
  /** How far back `events` reach. */
  readonly eventsSince: number;
  readonly hasDedicated: boolean;
}

export interface ClusterFacts {
  readonly project: ProjectFacts;
  readonly id: string;
  readonly name: string;
  readonly kind: 'dedicated' | 'flex' | 'free' | 'deleted';
  readonly instanceSize: string | null;
  readonly createdAt: number | null;
  readonly paused: boolean | null;
  readonly backupEnabled: boolean | null;
  readonly pitEnabled: boolean | null;
  readonly retainBackups: boolean | null;
  readonly terminationProtection: boolean | null;
  readonly encryptionProvider: string | null;
  readonly sharded: boolean;
  readonly shards: number;
  readonly configServer: string | null;
  readonly zones: readonly ZoneFact[] | null;
  readonly tags: readonly TagFact[];
  readonly schedule: Read<ScheduleFact | null>;
  readonly snapshots: Read<readonly SnapshotFact[]>;
  readonly restores: Read<readonly RestoreFact[]>;
  readonly exports: Read<readonly ExportFact[]>;
  readonly migration: { readonly id: string; readonly state: string; readonly since: number } | null;
  readonly memory: MemoryFact;
}
