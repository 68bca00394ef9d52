import type { Stored } from '../../lib/aws/state.ts';
import type { Deadline } from '../../lib/runtime/deadline.ts';
import { deadlineIn } from '../../lib/runtime/deadline.ts';
import { agreeOn, type KnownCluster, OURS } from './atlas-view.ts';
import { type Bridge, contextOf } from './bridge.ts';
import { type Incident, type Member, openMembers } from './core/incident.ts';
import { begin, type Heard, nameOf, observe, owe } from './core/observe.ts';
import { believe } from './doubt.ts';
import { clusterNames, digestOf, incidentKey } from './grouping.ts';
import type { Journal } from './journal.ts';
import { isNewer, type Observation } from './observation.ts';
import { routeOf } from './route.ts';
import { gradeOf } from './severity.ts';
import { type AlertView, type IncidentId, nameOfIncident } from './store.ts';

const DAY = 86_400_000;
const DIGESTS = 8;
const TRIES = 30;

export interface Hearing {
  readonly bridge: Bridge;
  readonly journal: Journal;
  readonly deadline: Deadline;
  /** Alerts as they were read a moment ago, by `placeOf`. What is not among them is read. */
  readonly read?: ReadonlyMap<string, Stored<AlertView> | undefined> | undefined;
  /** Gets incidents as they were written last, for whoever goes on with them. */
  readonly fresh?: Map<string, Stored<Incident>>;
}

/** One alert with what is remembered of it. */
interface Known {
  readonly id: string;
  readonly stored: Stored<AlertView> | undefined;
  view: AlertView | undefined;
  /** What became of it in this run, to be put into its incidents. */
  readonly heard: Heard[];
  /** The identity of incidents it founds. */
  readonly targets: Map<string, Pick<Incident, 'destination' | 'key' | 'route' | 'scope'>>;
  /** Incidents that got a line about it. */
  readonly noticed: IncidentId[];
  changed: boolean;
  /** How often it was told again and nothing else in this run, since the last other news of the run. */
  stills: number;
  /** The same before the other news of this run; undefined where there is none. */
  stillsBefore: number | undefined;
}

/**
 * Puts what was heard into the incidents it belongs to, and answers which of them changed. All of it is in the state when
 * this returns: whoever delivered it may forget it. Safe to repeat. Throws only what the state throws.
 */
export async function hear(observations: readonly Observation[], hearing: Hearing): Promise<IncidentId[]> {
  const alerts = new Map<string, Known>();
  const heardOf = new Map(observations.map((observation) => [placeOf(observation), observation]));
  await Promise.all(
    [...heardOf].map(
      async ([
        place,
        {
          id,
          subject: { projectId },
        },
      ]) => {
        const stored = hearing.read?.has(place)
          ? hearing.read.get(place)
          : await hearing.bridge.store.readAlert(projectId, id, hearing.deadline);
        const view = stored?.value;
        alerts.set(place, {
          id,
          stored,
          view,
          heard: [],
          targets: new Map(),
          noticed: [],
          changed: false,
          stills: 0,
          stillsBefore: undefined,
        });
      },
    ),
  );
  for (const observation of observations) await take(observation, alerts, hearing);
  const touched = new Map<string, IncidentId>();
  for (const id of await fold([...alerts.values()], hearing)) touched.set(nameOfIncident(id), id);
  const changed = [...alerts.values()].filter((known) => known.changed);
  for (const id of (await Promise.all(changed.map((known) => remember(known, hearing)))).flat())
    touched.set(nameOfIncident(id), id);
  for (const { noticed } of alerts.values()) for (const id of noticed) touched.set(nameOfIncident(id), id);
  return [...touched.values()];
}

/** Where what is known of the alert lies. */
export const placeOf = ({ id, subject }: Pick<Observation, 'id' | 'subject'>): string =>
  `${subject.projectId ?? ''} ${id}`;

async function take(given: Observation, alerts: ReadonlyMap<string, Known>, hearing: Hearing): Promise<void> {
  const { journal } = hearing;
  const known = alerts.get(placeOf(given));
  if (!known) return;
  const { view } = known;
  const refuse = (decision: string, reason: string): void => {
    journal.count('DuplicatesPrevented');
    journal.note(view?.incidents[0] ?? 'unassigned', { decision, reason, alert: given.id, digest: given.digest });
  };
  if (given.digest !== '' && view?.digests.includes(given.digest))
    return refuse(
      'nothing',
      given.doubt === 'stale' ? 'replay: these bytes came before' : 'duplicate: these bytes came before',
    );
  if (view && view.state !== 'open') {
    if (view.unheard && given.state === 'open')
      known.heard.push({ id: given.id, member: memberOf(given, view), late: false });
    return refuse('nothing', 'over already');
  }
  const observation = await believe(given, view, hearing);
  if (!observation) return;
  if (observation.state === 'inform') return inform(observation, known, hearing);
  if (view && !isNewer(observation.version, view.version)) return refuse('nothing', 'not newer than what is known');
  await admit(observation, known, hearing);
}

/** News: what the alert is now, and the incidents it belongs to from now on. */
async function admit(observation: Observation, known: Known, hearing: Hearing): Promise<void> {
  const { bridge, journal, deadline } = hearing;
  const { id, subject, state } = observation;
  const before = known.view;
  const late = observation.via === 'reconcile';
  if (state !== 'open' && state !== 'closed' && state !== 'cancelled') return;
  const patience = deadlineIn(Math.max(0, Math.min(2_000, deadline.remainingMs() - 2_000)), bridge.clock);
  const override = before ? undefined : await bridge.atlas?.severityOverride(subject, patience);
  const grade = gradeOf(subject, { sender: observation.severity, override }, bridge.settings.severities);
  let severity = before?.severity ?? grade.severity;
  let incidents = before?.incidents ?? [];
  let unrouted = before?.unrouted;
  const over = state !== 'open';
  if (!before) {
    const cluster = await clusterOf(observation, hearing, patience);
    const source = observation.via === 'event' ? 'bundle' : 'atlas';
    const trace = {
      source,
      projectId: subject.projectId,
      cluster: cluster.label ?? cluster.name,
      host: subject.host,
      type: subject.type,
      metric: subject.metric,
      severity,
      tags: cluster.tags,
    } as const;
    const { targets, path } = routeOf(bridge.settings, trace);
    severity = targets.find((target) => target.severity)?.severity ?? severity;
    incidents = targets.map(({ destination, route, groupBy }) => {
      const key =
        observation.incident === undefined
          ? incidentKey(id, subject, cluster.name, ['project', ...groupBy])
          : digestOf('incident', observation.incident).slice(0, 32);
      if (!over)
        known.targets.set(`${destination}#${key}`, {
          destination,
          key,
          route,
          scope: {
            source,
            ...(subject.projectId && { projectId: subject.projectId }),
            ...(trace.cluster && { cluster: trace.cluster }),
            ...(cluster.tags && { tags: { ...cluster.tags } }),
            ...(groupBy.some((by) => by !== 'project' && by !== 'cluster') && { apart: true }),
            ...(source === 'bundle' && { title: subject.sentence?.slice(0, 120) ?? subject.type }),
            ...(observation.link && { link: observation.link }),
          },
        });
      return { destination, key };
    });
    unrouted = targets.length === 0 ? path.join('; ') : undefined;
    journal.note(incidents[0] ?? 'unassigned', {
      decision: over ? 'remembered' : unrouted === undefined ? 'routed' : 'no ticket',
      reason: over ? `${state} before it was heard of` : `${path.join('; ')}; severity ${severity} by ${grade.from}`,
      alert: id,
    });
  }
  const gist = gistOf(observation);
  // Told again of what is in its incidents already: that it still is. Whoever wrote the gist wrote them before.
  const still = state === 'open' && before?.state === 'open' && before.gist === gist && !observation.missed;
  known.view = {
    state,
    version: observation.version,
    type: before?.type ?? subject.type,
    severity,
    createdAt: before?.createdAt ?? observation.createdAt ?? observation.version.at,
    ...(over && { overAt: observation.version.at }),
    ...(subject.projectId && { projectId: subject.projectId }),
    incidents: [...incidents],
    ...(!before && over && { unheard: true }),
    ...(unrouted !== undefined && { unrouted }),
    digests: [...(before?.digests ?? []), ...(observation.digest ? [observation.digest] : [])].slice(-DIGESTS),
    ...(state === 'open' && { gist }),
  };
  known.changed = true;
  if (still) {
    known.stills++;
    return journal.count('DuplicatesPrevented');
  }
  if (before) {
    known.stillsBefore = (known.stillsBefore ?? 0) + known.stills;
    known.stills = 0;
  }
  known.heard.push({
    id,
    member: memberOf(observation, known.view),
    late,
    ...(observation.missed && { missed: true }),
  });
}

/** What an observation says to people, but for its instant. */
const gistOf = ({ subject, acknowledged, severity }: Observation): string =>
  digestOf(JSON.stringify([subject, acknowledged ?? null, severity ?? null])).slice(0, 16);

function memberOf({ subject, acknowledged }: Pick<Observation, 'subject' | 'acknowledged'>, view: AlertView): Member {
  return {
    version: view.version,
    state: view.state,
    type: view.type,
    severity: view.severity,
    createdAt: view.createdAt,
    ...(view.overAt !== undefined && { overAt: view.overAt }),
    ...(subject.host && { host: subject.hostAlias ?? subject.host }),
    ...(subject.metric && { metric: subject.metric }),
    ...(subject.value !== undefined && { value: subject.value }),
    ...(subject.units && { units: subject.units }),
    ...(subject.sentence && { sentence: subject.sentence }),
    ...(acknowledged && {
      acknowledged: {
        until: acknowledged.until,
        ...(acknowledged.by && { by: acknowledged.by }),
        ours: OURS.test(acknowledged.comment ?? ''),
      },
    }),
  };
}

async function clusterOf(
  { subject }: Observation,
  { bridge, deadline }: Hearing,
  patience: Deadline,
): Promise<KnownCluster> {
  if (bridge.atlas) return bridge.atlas.cluster(subject, patience, deadline);
  const names = clusterNames(subject);
  if (names.length === 0 || !subject.projectId) return { name: names[0] };
  const given = subject.clusterName?.toLowerCase();
  const name = await agreeOn(bridge.store.state, subject.projectId, { given, others: names }, deadline);
  return { name, ...(subject.clusterName && { label: subject.clusterName }) };
}

/** A notice without an end: a line where there is a ticket to put it in. */
async function inform(observation: Observation, known: Known, hearing: Hearing): Promise<void> {
  const { bridge, journal, deadline } = hearing;
  const { id, subject } = observation;
  const record = (reason: string): void => journal.note('unassigned', { decision: 'notice', reason, alert: id });
  if (bridge.settings.policy.onInform === 'record') return record(subject.type);
  const cluster = await clusterOf(observation, hearing, deadline);
  const severity = gradeOf(subject, { sender: observation.severity }, bridge.settings.severities).severity;
  const { targets } = routeOf(bridge.settings, {
    source: 'atlas',
    projectId: subject.projectId,
    cluster: cluster.label ?? cluster.name,
    host: subject.host,
    type: subject.type,
    metric: subject.metric,
    severity,
    tags: cluster.tags,
  });
  record(subject.type);
  for (const { destination, groupBy } of targets) {
    const incident = { destination, key: incidentKey(id, subject, cluster.name, ['project', ...groupBy]) };
    const stored = await bridge.store.readIncident(incident, deadline);
    if (stored?.value.ticket?.state !== 'open') continue;
    const line = `Notice: ${nameOf({ ...memberOf(observation, NOTICE), type: subject.type })}.`;
    await bridge.store.replaceIncident(stored, owe(stored.value, line), deadline);
    known.noticed.push(incident);
  }
}

const NOTICE: AlertView = {
  state: 'open',
  version: { at: 0, rank: 0 },
  type: '',
  severity: 'info',
  createdAt: 0,
  incidents: [],
  digests: [],
};

/** All that was heard about one incident in one write. */
async function fold(alerts: readonly Known[], hearing: Hearing): Promise<IncidentId[]> {
  const byIncident = new Map<string, { id: IncidentId; heard: Heard[]; known: Known[] }>();
  for (const known of alerts) {
    for (const id of known.view?.incidents ?? []) {
      if (known.heard.length === 0) continue;
      const name = nameOfIncident(id);
      const entry = byIncident.get(name) ?? { id, heard: [], known: [] };
      entry.heard.push(...known.heard);
      entry.known.push(known);
      byIncident.set(name, entry);
    }
  }
  const changed: IncidentId[] = [];
  for (const { id, heard, known } of byIncident.values()) {
    const identity = known.map(({ targets }) => targets.get(nameOfIncident(id))).find((target) => target !== undefined);
    if (await putInto(id, identity, heard, hearing)) changed.push(id);
  }
  return changed;
}

const NOBODY = { members: {} };

async function putInto(
  id: IncidentId,
  identity: Pick<Incident, 'destination' | 'key' | 'route' | 'scope'> | undefined,
  heard: readonly Heard[],
  { bridge, journal, deadline, fresh }: Hearing,
): Promise<boolean> {
  const context = contextOf(bridge, { reopens: true, comments: true, updates: true, reads: true });
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const stored = await bridge.store.readIncident(id, deadline);
    const late = heard.every((each) => each.late);
    let incident = stored?.value ?? (identity && begin(identity, context, late));
    if (!incident) return false;
    const verdicts: [string, string][] = [];
    let changed = false;
    for (const each of heard) {
      const observed = observe(incident, each, context);
      incident = observed.incident;
      changed ||= observed.changed;
      verdicts.push([each.id, observed.verdict]);
    }
    if (!changed) {
      for (const [alert, verdict] of verdicts) journal.note(id, { decision: 'nothing', reason: verdict, alert });
      return false;
    }
    // Before the incident says so: if this process ends here, somebody still looks.
    const { projectId } = incident.scope;
    if (projectId && openMembers(incident).length > 0 && openMembers(stored?.value ?? NOBODY).length === 0) {
      await knowProject(bridge, projectId, deadline);
      await bridge.store.markOpen(projectId, id, deadline);
    }
    if (incident.dueKey === undefined)
      incident = { ...incident, dueKey: await bridge.store.makeDue(id, incident.openAfter, deadline) };
    const written = stored
      ? await bridge.store.replaceIncident(stored, incident, deadline)
      : await bridge.store.createIncident(incident, deadline);
    if (!written) continue;
    fresh?.set(nameOfIncident(id), written);
    for (const [alert, verdict] of verdicts) journal.note(id, { decision: 'heard', reason: verdict, alert });
    return true;
  }
  throw new Error(`the incident ${nameOfIncident(id)} is written by too many at once`);
}

/**
 * What is known of the alert, for whoever comes later. Last on purpose: until it is written, a repeat does everything
 * again, which changes nothing. Answers the incidents somebody else's news went into meanwhile.
 */
async function remember(known: Known, hearing: Hearing): Promise<IncidentId[]> {
  const { bridge, journal, deadline } = hearing;
  const { id, view, stillsBefore } = known;
  if (!view) return [];
  const tombstone = new Date(bridge.clock.now().getTime() + bridge.settings.policy.tombstoneDays * DAY);
  const expires = (state: AlertView['state']): Date | undefined => (state === 'open' ? undefined : tombstone);
  const touched: IncidentId[] = [];
  let stored = known.stored;
  let wanted = view;
  for (let attempt = 0; ; attempt++) {
    if (attempt === TRIES) throw new Error(`the alert ${id} is written by too many at once`);
    // Of what is written over, by whomever it was counted; other news begins anew.
    const counted = stored?.value.stills ?? 0;
    const stills = known.stills + (stillsBefore === undefined ? counted : 0);
    const next = { ...wanted, ...(stills > 0 && { stills }) };
    const written = stored
      ? await bridge.store.replaceAlert(stored, next, deadline, expires(next.state))
      : await bridge.store.createAlert(id, next, deadline, expires(next.state));
    if (written) {
      const told = counted + (stillsBefore ?? 0);
      // Only now: an entry for each time would be a write more for what is most of the messages.
      if (stillsBefore !== undefined && told > 0)
        journal.note(next.incidents[0] ?? 'unassigned', {
          decision: 'nothing',
          reason: 'still open, with no other news',
          alert: id,
          count: told,
        });
      break;
    }
    stored = await bridge.store.readAlert(view.projectId, id, deadline);
    if (!stored) continue;
    const other = stored.value;
    const otherKnowsMore =
      other.state !== 'open' || (wanted.state === 'open' && !isNewer(wanted.version, other.version));
    const incidents = [
      ...other.incidents,
      ...wanted.incidents.filter(
        ({ destination, key }) => !other.incidents.some((its) => its.destination === destination && its.key === key),
      ),
    ];
    const digests = [...new Set([...other.digests, ...wanted.digests])].slice(-DIGESTS);
    // Two at once: what the incidents hold is not sure to be what either of them said.
    const { gist: _gist, stills: _stills, ...settled } = otherKnowsMore ? other : wanted;
    wanted = { ...settled, incidents, digests };
    // Somebody heard the end of it, or later news, while this was put into incidents they did not know of.
    const member = memberOf({ subject: { type: wanted.type } }, wanted);
    for (const incident of incidents)
      if (await putInto(incident, undefined, [{ id, member, late: false }], hearing)) touched.push(incident);
  }
  return touched;
}

const projectsKnown = new WeakMap<object, Set<string>>();

async function knowProject({ store }: Bridge, projectId: string, deadline: Deadline): Promise<void> {
  const known = projectsKnown.get(store) ?? new Set();
  projectsKnown.set(store, known);
  if (known.has(projectId)) return;
  await store.knowProject(projectId, deadline);
  known.add(projectId);
}
