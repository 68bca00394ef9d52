import * as z from 'zod';
import { AtlasRejected } from '../../lib/atlas/errors.ts';
import { type Alert, listGroupAlerts } from '../../lib/atlas/operations/alerts.ts';
import type { Stored } from '../../lib/aws/state.ts';
import { AutomationError } from '../../lib/errors.ts';
import type { Deadline } from '../../lib/runtime/deadline.ts';
import type { AtlasView } from './atlas-view.ts';
import type { Bridge } from './bridge.ts';
import { openMembers } from './core/incident.ts';
import { owe } from './core/observe.ts';
import { observationOf } from './doubt.ts';
import type { Journal } from './journal.ts';
import { isNewer, type Observation } from './observation.ts';
import type { IncidentId } from './store.ts';

/** Calls one project may cost in one run. */
const MOST_CALLS = 5;
/** Atlas's largest page. */
const PAGE = 500;
const TAIL = 100;
/** Alerts that began this much before the last look may have been missed by it. */
const OVERLAP_MS = 5 * 60_000;
const DAY_MS = 86_400_000;

/** What is remembered of the last look at a project. */
const Look = z.object({
  at: z.number(),
  /** How many alerts there ever were: the way to the newest ones, for the list begins with the oldest. */
  total: z.number().optional(),
  /** Its tickets say that nobody can look. */
  unreachable: z.boolean().default(false),
});

export interface Reconciled {
  readonly projectId: string;
  readonly observations: readonly Observation[];
  readonly calls: number;
  readonly state: 'looked' | 'incomplete' | 'unreachable';
  readonly reason?: string;
  /** To be called once the observations are in the state. */
  readonly settle: () => Promise<void>;
  /** Incidents that changed, though no alert did. */
  readonly touched: readonly IncidentId[];
}

interface Looking {
  readonly bridge: Bridge;
  readonly atlas: AtlasView;
  readonly journal: Journal;
  readonly deadline: Deadline;
  readonly dryRun: boolean;
}

/**
 * What Atlas says about a project that nobody told us: alerts that are open and unknown, and alerts that are held open and
 * are not. What is missing from a list counts only where the list is whole, and even then each one is asked for before
 * anything is closed. Five calls at the most; what is left is for the next run.
 */
export async function reconcileProject(projectId: string, looking: Looking): Promise<Reconciled> {
  const { bridge, atlas, journal, deadline } = looking;
  const now = bridge.clock.now().getTime();
  const key = { pk: 'alert-look', sk: projectId };
  const last = await bridge.store.state.read(key, Look, deadline);
  const { held, incidents } = await heldBy(projectId, looking);
  let calls = 0;
  const list = async (query: { status?: 'OPEN'; pageNum?: number; itemsPerPage: number; includeCount?: boolean }) => {
    calls++;
    return atlas.client.call(listGroupAlerts, { params: { groupId: projectId }, query }, deadline);
  };
  const observations: Observation[] = [];
  const hearOf = (alert: Alert): void => {
    observations.push(observationOf({ ...alert, groupId: alert.groupId ?? projectId }, 'reconcile', now));
  };
  const unsettled = async (state: Reconciled['state'], reason: string): Promise<Reconciled> => {
    journal.note(`project#${projectId}`, { decision: state, reason });
    const touched = state === 'unreachable' ? await flag(incidents, last?.value.unreachable ?? false, looking) : [];
    return {
      projectId,
      observations,
      calls,
      state,
      reason,
      touched,
      settle: async () => {
        if (state === 'unreachable' && !last?.value.unreachable)
          await write({ ...(last?.value ?? { at: now }), unreachable: true });
      },
    };
  };
  const write = async (value: z.output<typeof Look>): Promise<void> => {
    if (looking.dryRun) return;
    await (last ? bridge.store.state.replace(last, value, deadline) : bridge.store.state.create(key, value, deadline));
  };

  const open = new Set<string>();
  try {
    for (let pageNum = 1; ; pageNum++) {
      const page = await list({ status: 'OPEN', itemsPerPage: PAGE, pageNum });
      for (const alert of page.results) {
        open.add(alert.id);
        hearOf(alert);
      }
      if (!page.links?.some(({ rel }) => rel === 'next')) break;
      if (calls >= MOST_CALLS - 1) return await unsettled('incomplete', `more than ${calls * PAGE} open alerts`);
    }
  } catch (error) {
    if (error instanceof AtlasRejected && [401, 403, 404].includes(error.status))
      return unsettled('unreachable', `Atlas answered ${error.status}`);
    return unsettled('incomplete', error instanceof AutomationError ? error.code : 'UNEXPECTED');
  }

  const missing = new Set([...held].filter((id) => !open.has(id)));
  let total = last?.value.total;
  try {
    total = await readTail({ list, total, calls: () => calls, since: last?.value.at, missing, hearOf });
    for (const id of missing) {
      if (calls >= MOST_CALLS) {
        journal.note(`project#${projectId}`, {
          decision: 'later',
          reason: `${missing.size} alerts are still to be asked for`,
        });
        break;
      }
      calls++;
      const alert = await atlas.alert(projectId, id, deadline);
      if (alert) hearOf(alert);
      else
        journal.note(`project#${projectId}`, {
          decision: 'left open',
          reason: 'Atlas does not know the alert, which says nothing about its condition',
          alert: id,
        });
    }
  } catch (error) {
    journal.note(`project#${projectId}`, {
      decision: 'incomplete',
      reason: error instanceof AutomationError ? error.code : 'UNEXPECTED',
    });
  }
  return {
    projectId,
    observations: await news(observations, held, looking),
    calls,
    state: 'looked',
    touched: [],
    settle: () => write({ at: now, unreachable: false, ...(total !== undefined && { total }) }),
  };
}

/**
 * The newest alerts whatever became of them, so that what began and ended unheard is found, and what was held and ended is
 * found without asking for each. Answers how many alerts there are.
 */
async function readTail({
  list,
  total,
  calls,
  since,
  missing,
  hearOf,
}: {
  list: (query: {
    pageNum?: number;
    itemsPerPage: number;
    includeCount?: boolean;
  }) => Promise<{ results: Alert[]; totalCount?: number | null | undefined }>;
  total: number | undefined;
  calls: () => number;
  since: number | undefined;
  missing: Set<string>;
  hearOf: (alert: Alert) => void;
}): Promise<number | undefined> {
  let count = total;
  if (count === undefined) {
    count = (await list({ itemsPerPage: 1, includeCount: true })).totalCount ?? undefined;
    if (count === undefined) return undefined;
  }
  for (let pageNum = Math.max(1, Math.ceil(count / TAIL)); calls() < MOST_CALLS; pageNum++) {
    const page = await list({ itemsPerPage: TAIL, pageNum, includeCount: true });
    for (const alert of page.results) {
      if (alert.status !== 'CLOSED' && alert.status !== 'CANCELLED') continue;
      const began = alert.created?.getTime() ?? 0;
      if (missing.delete(alert.id) || (since !== undefined && began >= since - OVERLAP_MS)) hearOf(alert);
    }
    count = Math.max(count, page.totalCount ?? (pageNum - 1) * TAIL + page.results.length);
    if (page.results.length < TAIL) break;
  }
  return count;
}

/** What is not known already. */
async function news(
  observations: readonly Observation[],
  held: ReadonlySet<string>,
  { bridge, journal, deadline }: Looking,
): Promise<Observation[]> {
  const fresh: Observation[] = [];
  for (const observation of observations) {
    const known = await bridge.store.readAlert(observation.subject.projectId, observation.id, deadline);
    const over = observation.state === 'closed' || observation.state === 'cancelled';
    if (known) {
      if (known.value.state !== 'open') {
        // Held all the same: whoever put it into its incidents did not get to the end.
        if (held.has(observation.id)) fresh.push({ ...observation, state: 'open' });
        continue;
      }
      // Its end is its end, whatever instant came with the last word of it.
      if (over)
        fresh.push({
          ...observation,
          version: { ...observation.version, at: Math.max(observation.version.at, known.value.version.at) },
        });
      else if (isNewer(observation.version, known.value.version)) fresh.push(observation);
      continue;
    }
    if (!over) {
      journal.count('LostOpensHealed');
      fresh.push(observation);
      continue;
    }
    journal.count('MissedAlerts');
    if (bridge.settings.policy.onMissed === 'ticket') {
      const began = observation.createdAt ?? observation.version.at;
      fresh.push({ ...observation, state: 'open', version: { at: began, rank: 0 }, missed: true });
    } else
      journal.note('unassigned', {
        decision: 'missed',
        reason: `began and ended unheard: ${observation.subject.type}`,
        alert: observation.id,
      });
    fresh.push(observation);
  }
  return fresh;
}

/** Alerts of a project that its incidents hold as open. An incident that holds none any more is no longer asked about. */
async function heldBy(
  projectId: string,
  { bridge, deadline, dryRun }: Looking,
): Promise<{ held: Set<string>; incidents: IncidentId[] }> {
  const held = new Set<string>();
  const incidents: IncidentId[] = [];
  for await (const item of bridge.store.openIncidents(projectId, deadline)) {
    const stored = await bridge.store.readIncident(item.value, deadline);
    const open = stored ? openMembers(stored.value) : [];
    for (const [id] of open) held.add(id);
    if (open.length > 0) incidents.push(item.value);
    // One that is about to get an alert has none yet: it is left for a while.
    else if (!dryRun && stored && stored.value.firstHeardAt < bridge.clock.now().getTime() - DAY_MS)
      await unmark(item, projectId, bridge, deadline);
  }
  return { held, incidents };
}

/** Whoever put an alert into it meanwhile may have counted on the mark: then it is set again. */
async function unmark(
  item: Stored<IncidentId>,
  projectId: string,
  { store }: Bridge,
  deadline: Deadline,
): Promise<void> {
  if (!(await store.unmarkOpen(item, deadline))) return;
  const now = await store.readIncident(item.value, deadline);
  if (now && openMembers(now.value).length > 0) await store.markOpen(projectId, item.value, deadline);
}

/** Says in every open ticket of a project, once, that nobody can look any more. Nothing is closed. */
async function flag(
  incidents: readonly IncidentId[],
  said: boolean,
  { bridge, journal, deadline, dryRun }: Looking,
): Promise<readonly IncidentId[]> {
  journal.count('ProjectsUnreachable');
  if (said || dryRun) return [];
  for (const incident of incidents) {
    const stored = await bridge.store.readIncident(incident, deadline);
    if (stored?.value.ticket)
      await bridge.store.replaceIncident(
        stored,
        owe(
          stored.value,
          'Source unreachable: Atlas does not let the automation look at this project any more. The ticket stays as it is.',
        ),
        deadline,
      );
  }
  return incidents;
}
