import type { SnapshotFact } from '../facts.ts';
import { clusterRule, fail, pass, unknown, unread, type Verdict, warn } from './rule.ts';
import { ageOf, backedUpSince, instantOf, intervalMs, isScheduled, isUsable, youngestFirst } from './snapshots.ts';
import { DAY_MS, HOUR_MS, hours, iso, isoOrNull, MINUTE_MS } from './time.ts';

export const snapshotsSucceed = clusterRule({
  id: 'BK-10',
  title: 'Scheduled snapshots are taken and succeed',
  severity: 'high',
  motive:
    'A schedule that fails, hangs or has stopped is a backup that ends soon, while old snapshots still look fine.',
  evidence: 'status of the latest snapshots, nextSnapshot, and how long the schedule itself has produced nothing',
  remedy:
    'Look up the failure in the project’s activity feed; where a snapshot hangs, open a case with MongoDB Support.',
  kinds: ['dedicated'],
  about: 'snapshots',
  judge(cluster, { options: { stuckHours, lateMinutes, silentIntervals }, now }) {
    const { snapshots, schedule } = cluster;
    if (!snapshots.known) return unread(snapshots);
    const ordered = youngestFirst(snapshots.value);
    const finished = ordered.filter(({ status }) => status === 'completed' || status === 'failed' || status === null);
    const next = schedule.known ? (schedule.value?.nextSnapshot ?? null) : null;
    const stuck = ordered.filter((each) => isStuck(each, stuckHours, now));
    const failed = ordered.filter(({ status }) => status === 'failed');
    const recent = failed.filter((each) => ageOf(instantOf(each) ?? now, now) <= DAY_MS);
    const interval = intervalMs(cluster);
    const rank = (each: SnapshotFact): readonly string[] => [isScheduled(each), isUsable(each, now)];
    const byItself = ordered.find((each) => rank(each).every((answer) => answer === 'yes'));
    const perhapsByItself = ordered.find((each) => !rank(each).includes('no'));
    const silenceSince = (snapshot: SnapshotFact | undefined): number =>
      now - Math.max(instantOr(snapshot, 0), backedUpSince(cluster) ?? 0);
    const isMute = (snapshot: SnapshotFact | undefined): boolean =>
      interval !== undefined && silenceSince(snapshot) > silentIntervals * interval + HOUR_MS;
    const evidence = {
      failedInLastDay: recent.length,
      lastFailedAt: isoOrNull(failed[0] && instantOf(failed[0])),
      stuck: stuck.slice(0, 5).map(({ id, status }) => ({ snapshotId: id, status })),
      nextSnapshot: isoOrNull(next),
      newestScheduledAt: isoOrNull(byItself?.createdAt),
      onDemand: ordered.filter(({ type }) => type === 'onDemand').length,
    };
    // What Atlas does not say could be the failure, or what speaks against one.
    const isOpen = ordered.some(({ status, type }) => status === null || type === null) || isMute(byItself);
    const found = ((): Verdict => {
      if (isMute(perhapsByItself)) {
        const since = perhapsByItself ? `for ${hours(silenceSince(perhapsByItself))} hours` : 'anything yet';
        return fail(`the schedule has not produced ${since}`, evidence);
      }
      if (finished[0]?.status === 'failed' && finished[1]?.status === 'failed') {
        return fail('the last two snapshots failed', evidence);
      }
      if (stuck.length > 0) {
        return fail(`a snapshot has been ${stuck[0]?.status} for more than ${stuckHours} hours`, evidence);
      }
      if (next !== null && now - next > lateMinutes * MINUTE_MS) {
        return fail(`the next snapshot was due ${iso(next)} and was not taken`, evidence);
      }
      if (isOpen) return unknown('Atlas does not say enough of the snapshots there are', evidence);
      if (recent.length > 0) return warn('a snapshot failed within the last day', evidence);
      return pass('snapshots are taken and succeed', evidence);
    })();
    if (!schedule.known && found.status === 'PASS') return unread(schedule);
    if (interval === undefined && found.status === 'PASS') {
      return unknown('the schedule does not say how often snapshots are taken', evidence);
    }
    if (next === null && found.status === 'PASS') {
      return unknown('the schedule does not say when the next snapshot is due', evidence);
    }
    return found;
  },
});

const instantOr = (snapshot: SnapshotFact | undefined, otherwise: number): number =>
  snapshot === undefined ? otherwise : (instantOf(snapshot) ?? otherwise);

function isStuck(snapshot: SnapshotFact, stuckHours: number, now: number): boolean {
  const { status } = snapshot;
  const begun = instantOf(snapshot);
  return (status === 'queued' || status === 'inProgress') && begun !== null && now - begun > stuckHours * HOUR_MS;
}
