import { historyOf } from './history.ts';
import { clusterRule, fail, notApplicable, pass, unknown, unread } from './rule.ts';
import { HOUR_MS, hours, iso } from './time.ts';

const MOST_TOLD = 10;

export const noHoles = clusterRule({
  id: 'BK-09',
  title: 'The snapshots of the last days have no hole',
  severity: 'high',
  motive: 'A day that was never backed up cannot be restored to, however fresh the newest snapshot is.',
  evidence: 'time between consecutive usable snapshots; gaps are compared, not dates, so midnight makes no hole',
  remedy:
    'Look up in the project’s activity feed why the snapshots in the gap failed; a gap in the past cannot be filled.',
  kinds: ['dedicated'],
  about: 'snapshots',
  judge(cluster, { options: { failIntervals, windowDays }, now }) {
    if (!cluster.snapshots.known) return unread(cluster.snapshots);
    if (!cluster.schedule.known) return unread(cluster.schedule);
    const history = historyOf(cluster, windowDays, failIntervals, now);
    if (!history) return unknown('the schedule does not say how often snapshots are taken');
    const evidence = {
      from: iso(history.from),
      to: iso(history.to),
      intervalHours: history.intervalMs / HOUR_MS,
      holes: history.gaps
        .slice(-MOST_TOLD)
        .map(({ from, to }) => ({ from: iso(from), to: iso(to), hours: hours(to - from) })),
      holeCount: history.gaps.length,
    };
    if (now - history.from < 2 * history.intervalMs) {
      return notApplicable('there is no history yet to have holes', evidence);
    }
    if (history.sureGaps.length > 0) return fail(`${history.gaps.length} holes in the snapshots`, evidence);
    if (history.gaps.length > 0) return unknown('Atlas does not say enough of the snapshots in a gap', evidence);
    if (history.open) return unknown('no holes as far as Atlas says what is due, and what was taken', evidence);
    return pass('no holes', evidence);
  },
});
