import { clusterRule, fail, notApplicable, pass, unknown, unread, warn } from './rule.ts';
import { ageOf, instantOf, intervalMs, newest, pendingUntil } from './snapshots.ts';
import { HOUR_MS, hours, iso, isoOrNull } from './time.ts';

export const freshness = clusterRule({
  id: 'BK-08',
  title: 'There is a fresh snapshot to restore from',
  severity: 'critical',
  motive: 'Its age is what would be lost today. AWS Backup Audit Manager asks for a recovery point within a day.',
  evidence: 'the youngest completed snapshot that is no fallback and holds every shard, whatever its label',
  remedy: 'Find out why no snapshot completed (the project’s activity feed), and take one on demand at once.',
  kinds: ['dedicated'],
  about: 'snapshots',
  judge(cluster, { options: { warnIntervals, failIntervals, graceHours, capHours }, now }) {
    const { snapshots } = cluster;
    if (!snapshots.known) return unread(snapshots);
    const { sure, perhaps } = newest(cluster, snapshots.value, now);
    const interval = intervalMs(cluster);
    const grace = graceHours * HOUR_MS;
    const cap = capHours * HOUR_MS;
    const limits = {
      fail: interval === undefined ? cap : Math.min(failIntervals * interval + grace, cap),
      warn: interval === undefined ? cap : Math.min(warnIntervals * interval + grace, cap),
    };
    const age = sure?.createdAt == null ? undefined : ageOf(sure.createdAt, now);
    const youngest = snapshots.value.reduce((at, each) => Math.max(at, instantOf(each) ?? 0), 0);
    const evidence = {
      newestSnapshotId: sure?.id ?? null,
      newestSnapshotAt: isoOrNull(sure?.createdAt),
      ageHours: age === undefined ? null : hours(age),
      frequencyLabel: sure?.frequency ?? null,
      intervalHours: interval === undefined ? null : interval / HOUR_MS,
      failAfterHours: hours(limits.fail),
      youngestOfAnyKindAt: youngest === 0 ? null : iso(youngest),
      snapshots: snapshots.value.length,
    };
    if (age === undefined) {
      const pending = pendingUntil(cluster);
      if (perhaps) return unknown('Atlas does not say enough of the snapshots there are', evidence);
      if (pending !== undefined && now < pending) {
        return notApplicable(`pending: the first snapshot is due by ${iso(pending)}`, {
          ...evidence,
          pendingUntil: iso(pending),
        });
      }
      return fail('there is no snapshot to restore from', evidence);
    }
    const isSaved = (limit: number): boolean => perhaps !== undefined && ageOf(instantOf(perhaps) ?? 0, now) <= limit;
    if (age > limits.fail) {
      return isSaved(limits.fail)
        ? unknown('Atlas does not say enough of the youngest snapshot', evidence)
        : fail(`the newest snapshot is ${hours(age)} hours old`, evidence);
    }
    if (interval === undefined) {
      return cluster.schedule.known
        ? unknown('the schedule does not say how often snapshots are taken', evidence)
        : unread(cluster.schedule);
    }
    if (age > limits.warn) return warn(`the newest snapshot is ${hours(age)} hours old`, evidence);
    return pass(`the newest snapshot is ${hours(age)} hours old`, evidence);
  },
});
