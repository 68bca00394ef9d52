import type { ClusterFacts } from '../facts.ts';
import { backedUpSince, instantOf, intervalMs, isUsable } from './snapshots.ts';
import { DAY_MS, intervalHours, retentionDays, scheduledItems, shortestInterval } from './time.ts';

export interface Gap {
  readonly from: number;
  readonly to: number;
}

export interface History {
  readonly from: number;
  readonly to: number;
  readonly intervalMs: number;
  /** Stretches longer than asked for without a usable snapshot. */
  readonly gaps: readonly Gap[];
  /**
   * Whether there may be more gaps: an item leaves open how often it is due or how long it is kept, so that the stretch
   * may be longer; or what might be a usable snapshot, if Atlas said more about it, would end a gap that has no end yet.
   */
  readonly open: boolean;
  /** Gaps there are whichever of the snapshots that might be usable are. */
  readonly sureGaps: readonly Gap[];
}

/**
 * The stretch of the past in which no hole may be, and the holes in it. It reaches back as far as the most frequent item
 * keeps its snapshots, and no further than the schedule is known to be what it is. What lies between the last snapshot
 * and now is the freshness rule's business. Undefined where the schedule or the snapshots are not known.
 */
export function historyOf(
  cluster: ClusterFacts,
  windowDays: number,
  failIntervals: number,
  now: number,
): History | undefined {
  const { schedule, snapshots, memory } = cluster;
  const interval = intervalMs(cluster);
  if (!schedule.known || schedule.value === null || !snapshots.known || interval === undefined) return undefined;
  const shortest = shortestInterval(schedule.value);
  const items = scheduledItems(schedule.value) ?? [];
  const often = items.filter((item) => intervalHours(item) === shortest);
  const kept = Math.max(0, ...often.map((item) => retentionDays(item) ?? 0));
  if (kept === 0) return undefined;
  const starts = [now - Math.min(kept, windowDays) * DAY_MS, backedUpSince(cluster), memory.scheduleSince];
  const from = Math.max(...starts.filter((each) => each !== null));
  const quiet = memory.inactive.map((each) => ({ from: each.from, to: each.to ?? now }));
  const find = (instants: readonly number[]): Gap[] =>
    gapsIn(instants, quiet, { from, to: now }, failIntervals * interval);
  const instants = (usable: 'yes' | 'perhaps'): (number | null)[] =>
    snapshots.value.filter((each) => isUsable(each, now) === usable).map(instantOf);
  const taken = instants('yes').filter((each) => each !== null);
  const unsure = instants('perhaps');
  const perhaps = unsure.filter((each) => each !== null);
  const last = Math.max(from, ...taken);
  const gaps = find(taken);
  return {
    from,
    to: now,
    intervalMs: interval,
    open:
      items.some((item) => intervalHours(item) === null) ||
      often.some((item) => retentionDays(item) === null) ||
      unsure.includes(null) ||
      find([...taken, Math.min(now, Math.max(last, ...perhaps))]).length > gaps.length,
    gaps,
    sureGaps: find([...taken, ...perhaps.filter((at) => at <= last)]),
  };
}

function gapsIn(instants: readonly number[], quiet: readonly Gap[], { from, to }: Gap, longest: number): Gap[] {
  const within = instants.filter((at) => at > from && at <= to).toSorted((a, b) => a - b);
  return [from, ...within].flatMap((start, at) => {
    const end = within[at];
    // The last one of all has no end yet.
    if (end === undefined) return [];
    const expected = end - start - quiet.reduce((sum, each) => sum + overlap(each, { from: start, to: end }), 0);
    return expected > longest ? [{ from: start, to: end }] : [];
  });
}

const overlap = (a: Gap, b: Gap): number => Math.max(0, Math.min(a.to, b.to) - Math.max(a.from, b.from));
