import { clusterRule, fail, pass, unknown, unread } from './rule.ts';
import { ageOf } from './snapshots.ts';
import { DAY_MS, isoOrNull } from './time.ts';

export const exported = clusterRule({
  id: 'BK-23',
  title: 'Snapshots are exported to a bucket of one’s own',
  severity: 'low',
  motive: 'A copy outside of Atlas survives the loss of the account. CIS Controls v8 11.4 asks for an isolated copy.',
  evidence: 'autoExportEnabled of the schedule and the export jobs of the cluster',
  remedy: 'Configure an export bucket and switch automatic export on.',
  kinds: ['dedicated'],
  about: 'backup',
  judge({ schedule, exports }, { options: { maxAgeDays }, now }) {
    if (!schedule.known) return unread(schedule);
    const auto = schedule.value?.autoExport ?? null;
    if (auto === false) return fail('automatic export is off', { autoExportEnabled: auto });
    if (!exports.known) return unread(exports);
    const done = exports.value
      .filter(({ state, finishedAt }) => state === 'Successful' && finishedAt !== null)
      .toSorted((a, b) => (b.finishedAt ?? 0) - (a.finishedAt ?? 0));
    const age = done[0]?.finishedAt == null ? undefined : ageOf(done[0].finishedAt, now);
    const evidence = {
      autoExportEnabled: auto,
      lastExportAt: isoOrNull(done[0]?.finishedAt),
      exports: exports.value.length,
    };
    if (age === undefined || age > maxAgeDays * DAY_MS) {
      return exports.value.some(
        ({ state, finishedAt }) => state === null || (state === 'Successful' && finishedAt === null),
      )
        ? unknown('Atlas does not say how an export ended', evidence)
        : fail(age === undefined ? 'nothing was exported' : `exported ${Math.floor(age / DAY_MS)} days ago`, evidence);
    }
    if (auto === null) return unknown('the schedule does not say whether it exports', evidence);
    return pass(`exported ${Math.floor(age / DAY_MS)} days ago`, evidence);
  },
});
