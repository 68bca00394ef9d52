import { type Cluster, configServerType, isSharded, shardsOf } from './clusters.ts';
import { derivedId, derivedNumber } from './derived-id.ts';
import { covers, type Interval } from './interval.ts';
import {
  type Frequency,
  frequencies,
  occurrences,
  occursAt,
  type PolicyItem,
  retentionMs,
  type Schedule,
} from './schedule.ts';

/** How long after its start a snapshot leaves the queue, and how long its copies take once it is complete. */
const QUEUED_MS = 30_000;
const COPIED_AFTER_MS = 600_000;

export interface ScheduleVersion {
  readonly since: Date;
  readonly schedule: Schedule;
}

/**
 * What went wrong with the scheduled snapshots of a stretch of time: not taken, not completed, stuck,
 * taken by the fallback way, or not copied.
 */
export interface Disturbance {
  readonly from: Date;
  readonly to?: Date | undefined;
  readonly outcome: 'missed' | 'failed' | 'queued' | 'inProgress' | 'fallback' | 'notCopied';
}

export interface SnapshotMember {
  readonly id: string;
  readonly replicaSetName: string;
}

export interface Snapshot {
  readonly id: string;
  readonly takenAt: Date;
  readonly expiresAt: Date;
  readonly status: 'queued' | 'inProgress' | 'completed' | 'failed';
  readonly type: 'scheduled' | 'onDemand' | 'fallback';
  readonly frequencyType: Frequency;
  /** Ids of every item that asked for it. */
  readonly policyItems: readonly string[];
  readonly description: string | undefined;
  readonly mongoDBVersion: string;
  readonly sizeBytes: number;
  readonly copyRegions: readonly string[];
  /** One of each shard and one of the configuration, in a sharded cluster. */
  readonly members: readonly SnapshotMember[];
}

/** A snapshot placed by hand; the rest is filled in. */
export type PlacedSnapshot = Pick<Snapshot, 'takenAt' | 'type' | 'status'> &
  Partial<Pick<Snapshot, 'description' | 'expiresAt' | 'frequencyType' | 'policyItems' | 'copyRegions'>>;

interface History {
  readonly cluster: Cluster;
  /** From the oldest to the one in force. */
  readonly versions: readonly ScheduleVersion[];
  /** When no scheduled snapshots were taken. */
  readonly pauses: readonly Interval[];
  readonly disturbances: readonly Disturbance[];
  readonly now: Date;
}

interface Slot {
  readonly time: number;
  readonly schedule: Schedule;
  readonly items: readonly PolicyItem[];
}

/** Snapshots the schedules asked for that have not expired, computed from the schedules alone; youngest first. */
export function scheduledSnapshots(history: History): Snapshot[] {
  const { cluster, disturbances, now } = history;
  const snapshots: Snapshot[] = [];
  for (const slot of slotsOf(history)) {
    const during = disturbances.filter(({ from, to }) => covers({ from, to }, slot.time));
    const has = (outcome: Disturbance['outcome']): boolean => during.some((each) => each.outcome === outcome);
    if (has('missed')) continue;
    const longest = slot.items.reduce((a, b) => (isKeptLonger(b, a) ? b : a));
    const extra = slot.schedule.extraRetentionSettings.find(
      ({ frequencyType }) => frequencyType.toLowerCase() === longest.frequencyType,
    );
    const kept = retentionMs(longest) + (extra?.retentionDays ?? 0) * 86_400_000;
    if (slot.time + kept <= now.getTime()) continue;
    const stuck = (['failed', 'queued', 'inProgress'] as const).find(has);
    const status = stuck ?? statusAt(cluster, slot.time, now.getTime());
    const copied = status === 'completed' && !has('notCopied') && now.getTime() - slot.time > COPIED_AFTER_MS;
    const takenAt = new Date(slot.time);
    snapshots.push({
      ...outline(cluster, takenAt, 'scheduled'),
      takenAt,
      expiresAt: new Date(slot.time + kept),
      status,
      type: has('fallback') ? 'fallback' : 'scheduled',
      frequencyType: longest.frequencyType,
      policyItems: slot.items.map(({ id }) => id),
      description: undefined,
      copyRegions: copied ? copyRegions(slot.schedule, longest.frequencyType, snapshots.length) : [],
    });
  }
  return snapshots;
}

/** Of two kept equally long, the less frequent one names the snapshot. */
function isKeptLonger(a: PolicyItem, b: PolicyItem): boolean {
  const difference = retentionMs(a) - retentionMs(b);
  return (
    difference > 0 || (difference === 0 && frequencies.indexOf(a.frequencyType) > frequencies.indexOf(b.frequencyType))
  );
}

/** A placed snapshot in full. */
export function placed(cluster: Cluster, snapshot: PlacedSnapshot, nth: number): Snapshot {
  return {
    ...outline(cluster, snapshot.takenAt, `placed ${nth}`),
    expiresAt: new Date(snapshot.takenAt.getTime() + 7 * 86_400_000),
    frequencyType: snapshot.type === 'onDemand' ? 'ondemand' : 'daily',
    policyItems: [],
    description: undefined,
    copyRegions: [],
    ...snapshot,
  };
}

function slotsOf({ cluster, versions, pauses, now }: History): Slot[] {
  const slots = new Map<number, Slot>();
  versions.forEach(({ since, schedule }, at) => {
    const from = Math.max(since.getTime(), cluster.backupEnabledAt.getTime());
    const until = versions[at + 1]?.since.getTime() ?? now.getTime() + 1;
    const extra = Math.max(0, ...schedule.extraRetentionSettings.map(({ retentionDays }) => retentionDays));
    for (const item of schedule.items) {
      const oldest = now.getTime() - retentionMs(item) - extra * 86_400_000;
      for (const time of occurrences(schedule, item, Math.max(from, oldest), until)) {
        if (slots.has(time) || pauses.some((pause) => covers(pause, time))) continue;
        slots.set(time, { time, schedule, items: schedule.items.filter((each) => occursAt(schedule, each, time)) });
      }
    }
  });
  return [...slots.values()].sort((a, b) => b.time - a.time);
}

function outline(
  cluster: Cluster,
  takenAt: Date,
  what: string,
): Pick<Snapshot, 'id' | 'mongoDBVersion' | 'sizeBytes' | 'members'> {
  const seconds = Math.floor(takenAt.getTime() / 1000);
  // Like every id of Atlas, it begins with the second it was made in.
  const idOf = (part: string): string =>
    seconds.toString(16).padStart(8, '0') + derivedId(cluster.id, what, part, seconds).slice(0, 16);
  const shards = Array.from({ length: shardsOf(cluster) }, (_, shard) => `shard-${shard}`);
  const parts = configServerType(cluster) === 'DEDICATED' ? [...shards, 'config-0'] : shards;
  return {
    id: idOf('whole'),
    mongoDBVersion: cluster.mongoDBVersion,
    sizeBytes: 500_000_000 + derivedNumber(4_000_000_000, cluster.id, what, seconds),
    members: isSharded(cluster)
      ? parts.map((part) => ({ id: idOf(part), replicaSetName: `atlas-${cluster.id.slice(-6)}-${part}` }))
      : [],
  };
}

function statusAt(cluster: Cluster, time: number, now: number): Snapshot['status'] {
  if (now < time + QUEUED_MS) return 'queued';
  const takes = 60_000 + derivedNumber(240_000, cluster.id, 'takes', time);
  return now < time + QUEUED_MS + takes ? 'inProgress' : 'completed';
}

function copyRegions(
  { copySettings, copyPolicyItemsEnabled }: Schedule,
  frequency: Frequency,
  younger: number,
): string[] {
  const upper = frequency === 'ondemand' ? 'ON_DEMAND' : frequency.toUpperCase();
  const copies = copySettings.filter(
    ({ frequencies = [], copyPolicyItems = [], lastNumberOfSnapshots = 0 }) =>
      younger < lastNumberOfSnapshots ||
      (copyPolicyItemsEnabled
        ? copyPolicyItems.some(({ frequencyType }) => frequencyType === frequency)
        : frequencies.some((each) => each === upper)),
  );
  return [...new Set(copies.map(({ regionName }) => regionName))];
}
