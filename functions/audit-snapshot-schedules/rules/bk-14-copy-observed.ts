import type { ClusterFacts, CopyFact, SnapshotFact } from '../facts.ts';
import { describedCopy } from './copies.ts';
import { clusterRule, fail, notApplicable, pass, unknown, unread, type Verdict } from './rule.ts';
import { ageOf, instantOf, isUsable, youngestFirst } from './snapshots.ts';
import { DAY_MS, HOUR_MS, iso } from './time.ts';

const FAILED = 'CPS_COPY_SNAPSHOT_FAILED';

export const copyObserved = clusterRule({
  id: 'BK-14',
  title: 'Copies arrive in the other region',
  severity: 'high',
  motive: 'A copy that is configured and never arrives protects against nothing.',
  evidence: 'copyRegions of the newest snapshot a setting is about; of sharded clusters the project’s events',
  remedy: 'Look up CPS_COPY_SNAPSHOT_FAILED in the project’s activity feed, and mend what it names.',
  kinds: ['dedicated'],
  about: 'snapshots',
  judge(cluster, { options: { withinHours }, now }) {
    const { schedule, snapshots, sharded } = cluster;
    if (!schedule.known) return unread(schedule);
    const copies = schedule.value?.copies;
    if (!copies) return unknown('the schedule does not say what is copied');
    if (copies.length === 0) return notApplicable('nothing is to be copied');
    if (sharded) return ofSharded(cluster, copies, withinHours * HOUR_MS, now);
    if (!snapshots.known) return unread(snapshots);
    const taken = youngestFirst(snapshots.value).filter((each) => isUsable(each, now) !== 'no');
    const answers = copies.map((copy) => ({ copy, ...arrived(copy, taken, withinHours * HOUR_MS, now) }));
    const evidence = {
      copies: answers.map(({ copy, answer, snapshot }) => ({
        ...describedCopy(copy),
        arrived: answer,
        snapshotId: snapshot?.id ?? null,
        snapshotAt: snapshot?.createdAt == null ? null : iso(snapshot.createdAt),
        copyRegions: snapshot?.copyRegions ? [...snapshot.copyRegions] : null,
      })),
    };
    const missing = answers.filter(({ answer }) => answer === 'no').map(({ copy }) => copy.region);
    if (missing.length > 0) return fail(`no copy arrived in ${missing.join(', ')}`, evidence);
    if (answers.some(({ answer }) => answer === 'perhaps')) {
      return unknown('Atlas does not say where snapshots were copied to', evidence);
    }
    if (answers.some(({ answer }) => answer === 'pending')) {
      return notApplicable('pending: no snapshot is old enough to have been copied', evidence);
    }
    return pass('copies arrive', evidence);
  },
});

interface Arrival {
  readonly answer: 'yes' | 'no' | 'perhaps' | 'pending';
  readonly snapshot: SnapshotFact | undefined;
}

/** Judged by the newest snapshot that has had its time; a younger one that has arrived already says as much. */
function arrived(copy: CopyFact, taken: readonly SnapshotFact[], withinMs: number, now: number): Arrival {
  const { region } = copy;
  const meant = taken
    .slice(0, copy.last ?? undefined)
    .map((each) => ({ each, is: isUsable(each, now) === 'yes' ? isMeant(copy, each) : ('perhaps' as const) }))
    .filter(({ is }) => is !== 'no');
  const due = meant.find(({ each }) => ageOf(instantOf(each) ?? now, now) > withinMs);
  const younger = meant.slice(0, due ? meant.indexOf(due) : meant.length);
  const early = younger.find(({ each, is }) => is === 'yes' && region !== null && each.copyRegions?.includes(region));
  if (early) return { answer: 'yes', snapshot: early.each };
  if (!due)
    return { answer: meant.some(({ is }) => is === 'perhaps') ? 'perhaps' : 'pending', snapshot: meant[0]?.each };
  const { each: snapshot, is } = due;
  if (is === 'perhaps' || snapshot.copyRegions === null || region === null) return { answer: 'perhaps', snapshot };
  if (snapshot.copyRegions.includes(region)) return { answer: 'yes', snapshot };
  const isOpen = younger.some((other) => other.is === 'perhaps' || other.each.copyRegions === null);
  return { answer: isOpen ? 'perhaps' : 'no', snapshot };
}

/** Whether a setting copies a snapshot, by the frequency it is labelled with. */
function isMeant({ frequencies, items, last }: CopyFact, { frequency }: SnapshotFact): 'yes' | 'no' | 'perhaps' {
  if (last !== null) return 'yes';
  const types: readonly (string | null)[] | null = items?.map(({ type }) => type) ?? frequencies;
  // A setting of none of the three forms: Atlas leaves out what it calls deprecated.
  if (types === null || types.length === 0 || frequency === null) return 'perhaps';
  if (types.some((type) => type === frequency || (type === 'on_demand' && frequency === 'ondemand'))) return 'yes';
  return types.includes(null) ? 'perhaps' : 'no';
}

/** Snapshots of a sharded cluster do not say where they were copied to: only a failure can be seen. */
function ofSharded(
  { project, name }: ClusterFacts,
  copies: readonly CopyFact[],
  withinMs: number,
  now: number,
): Verdict {
  const copySettings = copies.map(describedCopy);
  const nothing = 'snapshots of a sharded cluster do not say where they were copied to';
  if (!project.events.known) return unknown(nothing, { copySettings });
  const failed = project.events.value.filter(
    ({ type, cluster, at }) =>
      type === FAILED && cluster === name && (at === null || now - at <= Math.max(withinMs, DAY_MS)),
  );
  const evidence = { copySettings, failedAt: failed.slice(0, 5).map(({ at }) => (at === null ? null : iso(at))) };
  return failed.length > 0 ? fail('a copy failed lately', evidence) : unknown(nothing, evidence);
}
