import { clusterRule, fail, notApplicable, pass, unknown, unread } from './rule.ts';
import { ageOf, instantOf, newest } from './snapshots.ts';
import { HOUR_MS, hours, iso, isoOrNull } from './time.ts';

/** A Flex cluster's first snapshot comes after a day, and takes a while. */
const FIRST_AFTER_MS = 26 * HOUR_MS;

export const flex = clusterRule({
  id: 'BK-21',
  title: 'A Flex cluster has its daily snapshot',
  severity: 'medium',
  motive: 'Flex clusters are backed up once a day, nothing about it can be set, and no compliance policy guards them.',
  evidence: 'backupSettings of the cluster and finishTime of its newest completed snapshot',
  remedy: 'Where snapshots stopped, open a case with MongoDB Support; move what is in tier 1 to a dedicated cluster.',
  kinds: ['flex'],
  about: 'cluster',
  judge(cluster, { options: { forbidden, maxAgeHours }, now }) {
    const { backupEnabled, snapshots, createdAt } = cluster;
    if (forbidden) return fail('a Flex cluster is not for this tier', { backupEnabled });
    if (backupEnabled === false) return fail('backup is off', { backupEnabled });
    if (!snapshots.known) return unread(snapshots);
    const { sure, perhaps } = newest(cluster, snapshots.value, now);
    const age = sure?.createdAt == null ? undefined : ageOf(sure.createdAt, now);
    const evidence = {
      backupEnabled,
      newestSnapshotAt: isoOrNull(sure?.createdAt),
      ageHours: age === undefined ? null : hours(age),
      snapshots: snapshots.value.length,
    };
    const limit = maxAgeHours * HOUR_MS;
    const mayPass = perhaps !== undefined && ageOf(instantOf(perhaps) ?? 0, now) <= limit;
    if (age === undefined || age > limit) {
      if (createdAt !== null && age === undefined && now < createdAt + FIRST_AFTER_MS) {
        return notApplicable(`pending: the first snapshot is due by ${iso(createdAt + FIRST_AFTER_MS)}`, evidence);
      }
      if (mayPass || (age === undefined && perhaps))
        return unknown('Atlas does not say enough of the snapshots', evidence);
      return fail(
        age === undefined ? 'there is no snapshot' : `the newest snapshot is ${hours(age)} hours old`,
        evidence,
      );
    }
    if (backupEnabled === null) return unknown('Atlas does not say whether backup is on', evidence);
    return pass(`the newest snapshot is ${hours(age)} hours old`, evidence);
  },
});
