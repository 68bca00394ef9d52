import type { Generator } from '../generator.ts';
import { derivedId } from './derived-id.ts';
import type { Interval } from './interval.ts';

const PIN_LONGEST_MS = 28 * 86_400_000;

export type Provider = 'AWS' | 'AZURE' | 'GCP';

/** `free` is M0; `global` spreads its zones over the world. */
export type ClusterKind = 'replicaSet' | 'sharded' | 'global' | 'flex' | 'free';

export interface Region {
  readonly provider: Provider;
  readonly name: string;
  /** Electable nodes; 3 unless given. */
  readonly nodes?: number;
  readonly readOnly?: number;
  readonly analytics?: number;
}

/** Shards that live in the same regions; the first region has the highest priority. */
export interface Zone {
  readonly name: string;
  readonly shards: number;
  readonly regions: readonly Region[];
}

export interface Tag {
  readonly key: string;
  readonly value: string;
}

/** A feature compatibility version held back; from its expiration on it is as if it had never been. */
export interface Pin {
  readonly version: string;
  readonly pinnedAt: Date;
  expiresAt: Date;
}

/** What can be said of a cluster when it is added. */
export interface ClusterOptions {
  readonly name: string;
  readonly kind?: ClusterKind;
  /** `M10` unless given; flex and free clusters have their own. */
  readonly tier?: string;
  /** The regions of the only zone; `US_EAST_1` of AWS unless given. Several providers make it multi-cloud. */
  readonly regions?: readonly Region[];
  /** Shards of the only zone of a sharded cluster; 2 unless given. */
  readonly shards?: number;
  /** Instead of `regions` and `shards`, for clusters with several zones. */
  readonly zones?: readonly Zone[];
  readonly diskSizeGB?: number;
  readonly mongoDBVersion?: string;
  readonly versionReleaseSystem?: 'LTS' | 'CONTINUOUS';
  /** True unless given, where the kind has backups. */
  readonly backupEnabled?: boolean;
  /** When backup was turned on; with the cluster unless given. */
  readonly backupEnabledAt?: Date;
  readonly pitEnabled?: boolean;
  /** Backed up the way clusters were before Cloud Backup. */
  readonly legacyBackup?: boolean;
  readonly paused?: boolean;
  /** Since when it is paused; since now unless given. */
  readonly pausedAt?: Date;
  readonly tags?: readonly Tag[];
  readonly createdAt?: Date;
  readonly stateName?: 'IDLE' | 'CREATING' | 'UPDATING' | 'DELETING' | 'REPAIRING';
  readonly terminationProtectionEnabled?: boolean;
  readonly retainBackups?: boolean;
  readonly encryptionAtRestProvider?: 'NONE' | Provider;
  readonly biConnectorEnabled?: boolean;
  readonly internalClusterRole?: 'NONE' | 'SYSTEM_CLUSTER' | 'INTERNAL_SHADOW_CLUSTER';
  /** A Flex cluster that was made through the cluster API, and is listed there too. */
  readonly madeAsCluster?: boolean;
  /** Namespaces whose latency metrics are pinned. */
  readonly pinnedNamespaces?: readonly string[];
}

type Settable = Omit<
  ClusterOptions,
  'regions' | 'shards' | 'paused' | 'pausedAt' | 'pinnedNamespaces' | 'backupEnabledAt'
>;
/** A test may change any of it later on. */
type Settled = { -readonly [K in keyof Settable]-?: NonNullable<Settable[K]> };

export interface Cluster extends Settled {
  readonly id: string;
  readonly groupId: string;
  readonly name: string;
  readonly kind: ClusterKind;
  readonly createdAt: Date;
  backupEnabledAt: Date;
  /** Every pause so far; the cluster is paused while the last one is open. */
  readonly pauses: Interval[];
  pin: Pin | undefined;
  pinnedNamespaces: readonly string[];
  /** Set on a cluster that is gone; its backups may have been kept. */
  deleted: { readonly at: Date; readonly backupsRetained: boolean } | undefined;
}

/** The clusters of every project, flex and free ones included. */
export class Clusters {
  readonly #byGroup = new Map<string, Map<string, Cluster>>();
  readonly #now: () => Date;
  readonly #generator: Generator;

  /** What a picture of this state holds. */
  get collections() {
    return { byGroup: this.#byGroup };
  }

  constructor(world: { now(): Date }, generator: Generator) {
    this.#now = () => world.now();
    this.#generator = generator;
  }

  /** Places a cluster as it is. A name is free again once its cluster was removed without keeping backups. */
  add(project: { readonly id: string }, options: ClusterOptions): Cluster {
    const cluster = this.#settle(project.id, options);
    const clusters = this.#byGroup.get(project.id) ?? new Map<string, Cluster>();
    if (clusters.has(cluster.name)) throw new Error(`the project already has a cluster ${cluster.name}`);
    clusters.set(cluster.name, cluster);
    this.#byGroup.set(project.id, clusters);
    return cluster;
  }

  /** Clusters that exist, in the order they were added. */
  of(groupId: string): Cluster[] {
    return this.#all(groupId).filter(({ deleted }) => deleted === undefined);
  }

  /** Clusters that exist, and those that are gone and left their backups. */
  withRetainedBackups(groupId: string): Cluster[] {
    return this.#all(groupId);
  }

  find(groupId: string, name: string): Cluster | undefined {
    const cluster = this.#byGroup.get(groupId)?.get(name);
    return cluster?.deleted ? undefined : cluster;
  }

  /** Also a cluster that is gone, if its backups were kept. */
  findBackedUp(groupId: string, name: string): Cluster | undefined {
    return this.#byGroup.get(groupId)?.get(name);
  }

  pause(cluster: Cluster): void {
    if (!isPaused(cluster)) cluster.pauses.push({ from: this.#now(), to: undefined });
  }

  resume(cluster: Cluster): void {
    const last = cluster.pauses.at(-1);
    if (last && last.to === undefined) cluster.pauses.splice(-1, 1, { from: last.from, to: this.#now() });
  }

  remove(cluster: Cluster, { retainBackups = false } = {}): void {
    cluster.deleted = { at: this.#now(), backupsRetained: retainBackups };
    if (!retainBackups) this.#byGroup.get(cluster.groupId)?.delete(cluster.name);
  }

  /** The pin that holds now, if there is one. */
  pinOf({ pin }: Cluster): Pin | undefined {
    return pin && pin.expiresAt > this.#now() ? pin : undefined;
  }

  /** Pins the version, or moves the end of the pin there is. Whether the date is allowed is the caller's to know. */
  pin(cluster: Cluster, expiresAt: Date): void {
    const held = this.pinOf(cluster);
    if (held) held.expiresAt = expiresAt;
    else cluster.pin = { version: majorOf(cluster), pinnedAt: this.#now(), expiresAt };
  }

  /** The latest end a pin may have, counted from when the version was first pinned. */
  latestPinEnd(cluster: Cluster): Date {
    return new Date((this.pinOf(cluster)?.pinnedAt ?? this.#now()).getTime() + PIN_LONGEST_MS);
  }

  featureCompatibilityVersion(cluster: Cluster): string {
    return this.pinOf(cluster)?.version ?? majorOf(cluster);
  }

  #all(groupId: string): Cluster[] {
    return [...(this.#byGroup.get(groupId)?.values() ?? [])];
  }

  #settle(groupId: string, options: ClusterOptions): Cluster {
    const { kind = 'replicaSet', createdAt = this.#now(), paused = false, pausedAt, regions, shards } = options;
    const isTenant = kind === 'flex' || kind === 'free';
    const { backupEnabled = kind !== 'free' } = options;
    return {
      id: this.#generator.hex(24),
      groupId,
      name: options.name,
      kind,
      createdAt,
      tier: isTenant ? tenantTier[kind] : (options.tier ?? 'M10'),
      zones: options.zones ?? [
        { name: 'Zone 1', shards: kind === 'sharded' ? (shards ?? 2) : 1, regions: regions ?? defaultRegions },
      ],
      diskSizeGB: options.diskSizeGB ?? (isTenant ? 5 : 10),
      mongoDBVersion: options.mongoDBVersion ?? '8.0.29',
      versionReleaseSystem: options.versionReleaseSystem ?? 'LTS',
      backupEnabled,
      backupEnabledAt: options.backupEnabledAt ?? createdAt,
      pitEnabled: options.pitEnabled ?? false,
      legacyBackup: options.legacyBackup ?? false,
      tags: options.tags ?? [],
      stateName: options.stateName ?? 'IDLE',
      terminationProtectionEnabled: options.terminationProtectionEnabled ?? false,
      retainBackups: options.retainBackups ?? false,
      encryptionAtRestProvider: options.encryptionAtRestProvider ?? 'NONE',
      biConnectorEnabled: options.biConnectorEnabled ?? false,
      internalClusterRole: options.internalClusterRole ?? 'NONE',
      madeAsCluster: options.madeAsCluster ?? false,
      pauses: paused || pausedAt ? [{ from: pausedAt ?? this.#now(), to: undefined }] : [],
      pin: undefined,
      pinnedNamespaces: options.pinnedNamespaces ?? [],
      deleted: undefined,
    };
  }
}

const tenantTier = { flex: 'FLEX', free: 'M0' };
const defaultRegions: readonly Region[] = [{ provider: 'AWS', name: 'US_EAST_1' }];

export function isPaused({ pauses }: Cluster): boolean {
  const last = pauses.at(-1);
  return last !== undefined && last.to === undefined;
}

/** Whether it runs on hardware of its own: M10 and larger. */
export function isDedicated({ kind }: Cluster): boolean {
  return kind !== 'flex' && kind !== 'free';
}

export function isSharded({ kind }: Cluster): boolean {
  return kind === 'sharded' || kind === 'global';
}

export function isMultiCloud({ zones }: Cluster): boolean {
  return new Set(zones.flatMap(({ regions }) => regions.map(({ provider }) => provider))).size > 1;
}

export function shardsOf({ zones }: Cluster): number {
  return zones.reduce((sum, { shards }) => sum + shards, 0);
}

/** Small clusters of a recent version keep their configuration on a shard. */
export function configServerType(cluster: Cluster): 'EMBEDDED' | 'DEDICATED' {
  return shardsOf(cluster) <= 3 && Number.parseFloat(cluster.mongoDBVersion) >= 8 ? 'EMBEDDED' : 'DEDICATED';
}

export function zoneId(cluster: Cluster, zone: number): string {
  return derivedId(cluster.id, 'zone', zone);
}

/** Major and minor: what Atlas calls the major version, and what the compatibility version is named after. */
export function majorOf({ mongoDBVersion }: Cluster): string {
  return mongoDBVersion.split('.').slice(0, 2).join('.');
}
