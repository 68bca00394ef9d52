import type { ClusterFacts, SnapshotFact } from '../facts.ts';
import { HOUR_MS, MINUTE_MS, shortestInterval } from './time.ts';

/** Clocks differ by seconds or minutes: a snapshot from this far ahead is from now, one from further is not believed. */
const SKEW_MS = 10 * MINUTE_MS;

/** Never negative. */
export const ageOf = (at: number, now: number): number => Math.max(0, now - at);

/** When it was taken, or begun where that is all there is. */
export const instantOf = ({ createdAt, begunAt }: SnapshotFact): number | null => createdAt ?? begunAt;

/** `no` for what certainly can't be restored with confidence: unfinished, failed, or a fallback. */
export function isUsable({ status, type, createdAt }: SnapshotFact, now: number): 'yes' | 'no' | 'perhaps' {
  if (status === 'failed' || status === 'queued' || status === 'inProgress' || type === 'fallback') return 'no';
  if (createdAt !== null && createdAt > now + SKEW_MS) return 'no';
  const isKnown = type === 'scheduled' || type === 'onDemand';
  return status === 'completed' && isKnown && createdAt !== null ? 'yes' : 'perhaps';
}

/** Whether a policy item asked for it, and not a person. */
export function isScheduled({ type, items }: SnapshotFact): 'yes' | 'no' | 'perhaps' {
  if ((type !== 'scheduled' && type !== null) || items?.length === 0) return 'no';
  return type === null || items === null ? 'perhaps' : 'yes';
}

/** Whether a snapshot of a sharded cluster holds every shard and the configuration; of others there is nothing to miss. */
export function isWhole(snapshot: SnapshotFact, cluster: ClusterFacts): 'yes' | 'no' | 'perhaps' {
  if (!cluster.sharded) return 'yes';
  if (snapshot.members === null) return 'perhaps';
  const config = (snapshot.configServer ?? cluster.configServer) === 'DEDICATED' ? 1 : 0;
  return new Set(snapshot.members).size >= cluster.shards + config ? 'yes' : 'no';
}

/** Youngest first, whatever order they came in; equal instants by id, so that the order is always the same. */
export const youngestFirst = (snapshots: readonly SnapshotFact[]): SnapshotFact[] =>
  snapshots.toSorted((a, b) => (instantOf(b) ?? 0) - (instantOf(a) ?? 0) || (a.id < b.id ? -1 : 1));

/** The youngest snapshot to restore from, and the youngest that might be one if Atlas said more about it. */
export function newest(
  cluster: ClusterFacts,
  snapshots: readonly SnapshotFact[],
  now: number,
): { readonly sure: SnapshotFact | undefined; readonly perhaps: SnapshotFact | undefined } {
  const ordered = youngestFirst(snapshots);
  const rank = (each: SnapshotFact): 'yes' | 'no' | 'perhaps' => {
    const both = [isUsable(each, now), isWhole(each, cluster)];
    return both.includes('no') ? 'no' : both.includes('perhaps') ? 'perhaps' : 'yes';
  };
  return {
    sure: ordered.find((each) => rank(each) === 'yes'),
    perhaps: ordered.find((each) => rank(each) === 'perhaps'),
  };
}

/** The schedule's shortest interval in milliseconds; undefined where the schedule is not known or promises nothing. */
export function intervalMs({ schedule }: ClusterFacts): number | undefined {
  if (!schedule.known || schedule.value === null) return undefined;
  const hours = shortestInterval(schedule.value);
  return hours === null ? undefined : hours * HOUR_MS;
}

/** Since when snapshots are to be expected: since the cluster is there, backup is on, and nothing kept it from being backed up. */
export function backedUpSince({ createdAt, memory }: ClusterFacts): number | null {
  const resumed = memory.inactive.flatMap(({ to }) => (to === null ? [] : [to]));
  const instants = [createdAt, memory.backupSince, ...resumed].filter((each) => each !== null);
  return instants.length === 0 ? null : Math.max(...instants);
}

/** Until when a cluster may be without a snapshot: two intervals from when backups began. */
export function pendingUntil(cluster: ClusterFacts): number | undefined {
  const since = backedUpSince(cluster);
  const interval = intervalMs(cluster);
  return since === null || interval === undefined ? undefined : since + 2 * interval;
}
