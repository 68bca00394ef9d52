import { type Cluster, isPaused } from './clusters.ts';
import { covers, type Interval } from './interval.ts';
import type { Migrations } from './migrations.ts';
import { defaultSchedule, nextOccurrence, type PolicyItem, type Schedule } from './schedule.ts';
import {
  type Disturbance,
  type PlacedSnapshot,
  placed,
  type ScheduleVersion,
  type Snapshot,
  scheduledSnapshots,
} from './snapshots.ts';

/** The schedule of Legacy Backup. */
export interface LegacySchedule {
  readonly clusterCheckpointIntervalMin: number;
  readonly dailySnapshotRetentionDays: number;
  readonly monthlySnapshotRetentionMonths: number;
  readonly pointInTimeWindowHours: number;
  readonly snapshotIntervalHours: number;
  readonly snapshotRetentionDays: number;
  readonly weeklySnapshotRetentionWeeks: number;
}

interface Kept {
  versions: readonly ScheduleVersion[];
  readonly disturbances: Disturbance[];
  readonly placed: PlacedSnapshot[];
}

/** What a change of schedule does to the snapshots there are already. */
export interface Retroactive {
  /** Applies changed retentions to them. */
  readonly updateSnapshots?: boolean | undefined;
  /** Deletes those whose item is gone. */
  readonly deleteSnapshots?: boolean | undefined;
}

/** Schedules and snapshots. Nothing is kept for a cluster until something is said about it. */
export class Backups {
  /** Buckets snapshots can be exported to. */
  readonly exportBuckets = new Set<string>();
  readonly #kept = new Map<string, Kept>();
  readonly #legacy = new Map<string, LegacySchedule>();
  readonly #now: () => Date;
  readonly #migrations: Migrations;

  /** What a picture of this state holds. */
  get collections() {
    return { exportBuckets: this.exportBuckets, kept: this.#kept, legacy: this.#legacy };
  }

  constructor(world: { now(): Date }, migrations: Migrations) {
    this.#now = () => world.now();
    this.#migrations = migrations;
  }

  schedule(cluster: Cluster): Schedule {
    return this.#versions(cluster).at(-1)?.schedule ?? defaultSchedule(cluster);
  }

  /** Places a schedule as though it had always been in force, or since a date. */
  setSchedule(cluster: Cluster, change: Partial<Schedule>, { since }: { readonly since?: Date } = {}): void {
    const schedule = { ...this.schedule(cluster), ...change };
    const version = { since: since ?? cluster.createdAt, schedule };
    this.#keep(cluster).versions = since ? [...this.#versions(cluster), version] : [version];
  }

  /** What the API does: the schedule changes from now on, and older snapshots follow only when told to. */
  changeSchedule(cluster: Cluster, schedule: Schedule, { updateSnapshots, deleteSnapshots }: Retroactive): void {
    const changed = new Map(schedule.items.map((item) => [item.id, item]));
    const older = (item: PolicyItem): PolicyItem[] => {
      const successor = changed.get(item.id);
      if (!successor) return deleteSnapshots ? [] : [item];
      const { retentionUnit, retentionValue } = successor;
      return updateSnapshots ? [{ ...item, retentionUnit, retentionValue }] : [item];
    };
    const versions = this.#versions(cluster).map((version) => ({
      ...version,
      schedule: { ...version.schedule, items: version.schedule.items.flatMap(older) },
    }));
    this.#keep(cluster).versions = [...versions, { since: this.#now(), schedule }];
  }

  /** Lets scheduled snapshots of a stretch of time go wrong. */
  disturb(cluster: Cluster, disturbance: Disturbance): void {
    this.#keep(cluster).disturbances.push(disturbance);
  }

  /** Places a snapshot no schedule asked for. */
  addSnapshot(cluster: Cluster, snapshot: PlacedSnapshot): void {
    this.#keep(cluster).placed.push(snapshot);
  }

  /** Every snapshot that has not expired, youngest first. */
  snapshots(cluster: Cluster): Snapshot[] {
    if (!cluster.backupEnabled || cluster.legacyBackup) return [];
    const now = this.#now();
    const kept = this.#kept.get(cluster.id);
    const byHand = (kept?.placed ?? [])
      .map((snapshot, nth) => placed(cluster, snapshot, nth))
      .filter(({ takenAt, expiresAt }) => takenAt <= now && expiresAt > now);
    const scheduled = scheduledSnapshots({
      cluster,
      versions: this.#versions(cluster),
      pauses: this.#pauses(cluster),
      disturbances: kept?.disturbances ?? [],
      now,
    });
    return byHand.length === 0
      ? scheduled
      : [...scheduled, ...byHand].sort((a, b) => b.takenAt.getTime() - a.takenAt.getTime());
  }

  /** Nothing while it is paused; the first one missed while snapshots are being missed, so possibly in the past. */
  nextSnapshot(cluster: Cluster): Date | undefined {
    if (isPaused(cluster) || this.#pauses(cluster).some((pause) => covers(pause, this.#now().getTime()))) {
      return undefined;
    }
    const missing = this.#kept
      .get(cluster.id)
      ?.disturbances.find(
        ({ outcome, from, to }) => outcome === 'missed' && covers({ from, to }, this.#now().getTime()),
      );
    const next = nextOccurrence(this.schedule(cluster), (missing?.from ?? this.#now()).getTime());
    return next === undefined ? undefined : new Date(next);
  }

  legacySchedule(cluster: Cluster): LegacySchedule {
    return this.#legacy.get(cluster.id) ?? defaultLegacySchedule;
  }

  setLegacySchedule(cluster: Cluster, schedule: LegacySchedule): void {
    this.#legacy.set(cluster.id, schedule);
  }

  #versions(cluster: Cluster): readonly ScheduleVersion[] {
    const versions = this.#kept.get(cluster.id)?.versions ?? [];
    return versions.length > 0 ? versions : [{ since: cluster.createdAt, schedule: defaultSchedule(cluster) }];
  }

  #pauses(cluster: Cluster): Interval[] {
    const gone = cluster.deleted ? [{ from: cluster.deleted.at, to: undefined }] : [];
    return [...cluster.pauses, ...gone, ...this.#migrations.pausesOf(cluster)];
  }

  #keep(cluster: Cluster): Kept {
    const kept = this.#kept.get(cluster.id) ?? { versions: [], disturbances: [], placed: [] };
    this.#kept.set(cluster.id, kept);
    return kept;
  }
}

const defaultLegacySchedule: LegacySchedule = {
  clusterCheckpointIntervalMin: 15,
  dailySnapshotRetentionDays: 7,
  monthlySnapshotRetentionMonths: 13,
  pointInTimeWindowHours: 24,
  snapshotIntervalHours: 6,
  snapshotRetentionDays: 2,
  weeklySnapshotRetentionWeeks: 4,
};
