import { isDone, latestFirst } from './restores.ts';
import { clusterRule, fail, notApplicable, pass, unknown, unread } from './rule.ts';
import { isoOrNull, MINUTE_MS } from './time.ts';

export const restoreTime = clusterRule({
  id: 'BK-19',
  title: 'A restore takes no longer than allowed',
  severity: 'medium',
  motive: 'The tiers of the Atlas Architecture Center name a recovery time; AWS Backup Audit Manager checks one.',
  evidence: 'from when an audit first saw the last restore unfinished to its finishedAt: Atlas tells no start',
  remedy:
    'Run a restore test while audits run often enough to see it begin; use a larger target where it took too long.',
  kinds: ['dedicated', 'flex'],
  about: 'backup',
  judge({ restores, memory }, { options: { maxMinutes } }) {
    if (!restores.known) return unread(restores);
    const [last] = latestFirst(restores.value.filter(isDone));
    if (last?.finishedAt == null) return notApplicable('there is no finished restore to measure');
    const started = memory.restoreStarts[last.id];
    const evidence = {
      restoreJobId: last.id,
      startedAt: isoOrNull(started),
      finishedAt: isoOrNull(last.finishedAt),
      maxMinutes,
    };
    if (started === undefined) return unknown('nobody recorded when the restore began', evidence);
    const minutes = Math.round(Math.max(0, last.finishedAt - started) / MINUTE_MS);
    return minutes <= maxMinutes
      ? pass(`${minutes} minutes`, { ...evidence, minutes })
      : fail(`${minutes} minutes, and ${maxMinutes} are allowed`, { ...evidence, minutes });
  },
});
