import { restoresOf } from './restores.ts';
import { clusterRule, fail, pass, unknown, unread, warn } from './rule.ts';
import { ageOf } from './snapshots.ts';
import { DAY_MS, isoOrNull } from './time.ts';

export const restoreTest = clusterRule({
  id: 'BK-18',
  title: 'A restore was tested',
  severity: 'high',
  motive: 'A backup nobody ever restored is a hope. CIS Controls v8 11.5 and NIST SP 800-53 CP-9(1) ask for tests.',
  evidence: 'finished restore jobs into projects the policy names as targets; a restore into production is no test',
  remedy:
    'Restore the newest snapshot into a cluster of a project that is named in BK-18 targets, and look at the data.',
  kinds: ['dedicated', 'flex'],
  about: 'backup',
  judge(cluster, { options: { maxAgeDays, targets }, policy, now }) {
    const { restores } = cluster;
    if (!restores.known) return unread(restores);
    const { tests, incidents, open } = restoresOf(cluster, restores.value, (id) => policy.isRestoreTarget(targets, id));
    const [last] = tests;
    const age = last?.finishedAt == null ? undefined : ageOf(last.finishedAt, now);
    const limit = maxAgeDays * DAY_MS;
    const fresh = incidents.filter(({ finishedAt }) => finishedAt !== null && ageOf(finishedAt, now) <= limit);
    const evidence = {
      lastTestAt: isoOrNull(last?.finishedAt),
      restoreJobId: last?.id ?? null,
      targetProjectId: last?.targetProjectId ?? null,
      maxAgeDays,
      tests: tests.length,
      restoresElsewhere: fresh.slice(0, 5).map(({ id, targetProjectId, finishedAt }) => ({
        restoreJobId: id,
        targetProjectId,
        finishedAt: isoOrNull(finishedAt),
      })),
    };
    if (age !== undefined && age <= limit) {
      const told = `tested ${Math.floor(age / DAY_MS)} days ago`;
      return fresh.length > 0
        ? warn(`${told}; there was also a restore into a project that is not for tests`, evidence)
        : pass(told, evidence);
    }
    if (open) return unknown('Atlas does not say how a restore ended', evidence);
    const none = targets.length === 0 ? 'no project is named as a target of tests' : 'no restore was tested';
    return fail(age === undefined ? none : `tested ${Math.floor(age / DAY_MS)} days ago`, evidence);
  },
});
