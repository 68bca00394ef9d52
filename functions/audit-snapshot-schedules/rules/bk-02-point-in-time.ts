import type { ClusterFacts, EventFact } from '../facts.ts';
import { clusterRule, fail, pass, unknown, unread, warn } from './rule.ts';
import { instantOf, isUsable } from './snapshots.ts';
import { DAY_MS, iso, isoOrNull } from './time.ts';

/** After these Atlas has thrown the oplog history away: the window begins anew. */
const OPLOG_LOST = ['CPS_OPLOG_BEHIND', 'CPS_OPLOG_BEHIND_AUDIT', 'CPS_OPLOG_NOT_CONTIGUOUS'];
const RESTORED = ['CPS_RESTORE_REQUESTED_AUDIT', 'CPS_RESTORE_SUCCESSFUL'];

export const pointInTime = clusterRule({
  id: 'BK-02',
  title: 'Point-in-time recovery reaches far enough back',
  severity: 'high',
  motive: 'The Atlas Architecture Center asks for a restore window of seven days for important data.',
  evidence: 'pitEnabled of the cluster, restoreWindowDays of its schedule, and what happened to its oplog since',
  remedy: 'Switch continuous backup on and set restoreWindowDays to what the policy asks for.',
  kinds: ['dedicated'],
  about: 'backup',
  judge(cluster, { options: { minWindowDays, effectiveWindow }, now }) {
    const { pitEnabled, schedule } = cluster;
    if (minWindowDays === 0) return pass('the policy asks for no window here', { minWindowDays });
    if (pitEnabled === false) return fail('point-in-time recovery is off', { pitEnabled, minWindowDays });
    if (pitEnabled === null)
      return unknown('Atlas does not say whether point-in-time recovery is on', { minWindowDays });
    if (!schedule.known) return unread(schedule);
    const windowDays = schedule.value?.restoreWindowDays ?? null;
    const evidence = { pitEnabled, restoreWindowDays: windowDays, minWindowDays };
    if (windowDays === null) return unknown('the schedule does not say how far the window reaches', evidence);
    if (windowDays < minWindowDays) {
      return fail(`the window is ${windowDays} days, and ${minWindowDays} are asked for`, evidence);
    }
    return effectiveWindow
      ? effective(cluster, windowDays, minWindowDays, now)
      : pass(`the window is ${windowDays} days`, evidence);
  },
});

/** What is left of the window: it begins where the oplog history begins, and has a hole from a restore to the next snapshot. */
function effective(cluster: ClusterFacts, windowDays: number, minWindowDays: number, now: number) {
  const { project, memory, createdAt } = cluster;
  const configured = { pitEnabled: true, restoreWindowDays: windowDays, minWindowDays };
  const events = project.events.known ? eventsOf(cluster, project.events.value) : [];
  const lost = latest(events, OPLOG_LOST);
  const restored = latest(events, RESTORED);
  const begins = [memory.pitSince, createdAt, lost, restored].filter((each) => each !== null);
  const begin = begins.length === 0 ? null : Math.max(...begins);
  const effectiveDays = begin === null ? windowDays : Math.min(windowDays, Math.max(0, now - begin) / DAY_MS);
  const blind = restored === null ? null : blindFrom(cluster, restored, now);
  const evidence = {
    ...configured,
    effectiveWindowDays: Math.round(effectiveDays * 100) / 100,
    windowBegins: isoOrNull(begin),
    oplogLostAt: isoOrNull(lost),
    blindFrom: blind && iso(blind.from),
    blindTo: blind && isoOrNull(blind.to),
  };
  const sinceLoss = lost === null ? windowDays : Math.max(0, now - lost) / DAY_MS;
  if (sinceLoss < minWindowDays) {
    return fail(`oplog history was lost: the window reaches back only ${sinceLoss.toFixed(1)} days`, evidence);
  }
  if (blind && blind.to === null) {
    return warn(`nothing after ${iso(blind.from)} can be restored to until the next snapshot is complete`, evidence);
  }
  if (events.some(({ type, at }) => type === null || (at === null && OPLOG_LOST.includes(type)))) {
    return unknown('Atlas does not say enough of what happened to the oplog', evidence);
  }
  if (!project.events.known) {
    return project.events.cause === 'not-asked'
      ? pass(`the window is ${windowDays} days`, evidence)
      : unread(project.events);
  }
  return pass(`the window is ${windowDays} days`, evidence);
}

const eventsOf = ({ name }: ClusterFacts, events: readonly EventFact[]): EventFact[] =>
  // An event of the whole project may be about any of its clusters.
  events.filter(({ cluster }) => cluster === null || cluster === name);

function latest(events: readonly EventFact[], types: readonly string[]): number | null {
  const instants = events.flatMap(({ type, at }) => (type !== null && types.includes(type) && at !== null ? [at] : []));
  return instants.length === 0 ? null : Math.max(...instants);
}

/** Since a restore began, until the next snapshot was complete; null where snapshots can't tell. */
function blindFrom({ snapshots }: ClusterFacts, from: number, now: number): { from: number; to: number | null } | null {
  if (!snapshots.known) return { from, to: null };
  const after = snapshots.value
    .filter((each) => isUsable(each, now) === 'yes')
    .flatMap((each) => instantOf(each) ?? [])
    .filter((at) => at > from);
  return { from, to: after.length === 0 ? null : Math.min(...after) };
}
