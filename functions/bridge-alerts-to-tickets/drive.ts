import type { Stored } from '../../lib/aws/state.ts';
import type { Deadline } from '../../lib/runtime/deadline.ts';
import { deadlineIn } from '../../lib/runtime/deadline.ts';
import type { Tickets } from '../../lib/tickets/tickets.ts';
import { type Bridge, contextOf } from './bridge.ts';
import type { ActionKind, Attempt, Incident } from './core/incident.ts';
import { plan, type Step } from './core/plan.ts';
import { forgetAt, type Outcome, orphaned, STOPPED_MS, settle } from './core/settle.ts';
import { enrich } from './enrich.ts';
import { explained, introduce } from './explain.ts';
import type { Journal } from './journal.ts';
import { actionMarker, LEASE_MS, perform } from './perform.ts';
import { type IncidentId, nameOfIncident } from './store.ts';

/** Steps of one incident in one go. Each is a tracker's answer; none needs more than a handful. */
const MOST_STEPS = 24;

export interface DriveOptions {
  readonly bridge: Bridge;
  readonly journal: Journal;
  readonly deadline: Deadline;
  /** How long to wait for what is not due yet, in milliseconds, before leaving it in the list of what is due. */
  readonly patienceMs: number;
  /** Whether there is time for what Atlas did not add before the ticket was opened. */
  readonly unhurried?: boolean;
  /** Incidents as this run has just written them: looked at first, and read again only where that proves old. */
  readonly fresh?: Map<string, Stored<Incident>>;
}

/** How far an incident came, and when it goes on. */
export interface Driven {
  readonly incident: Incident;
  /** Not set where it is at rest. */
  readonly until?: number;
}

/** Actions that change something at the tracker, and so count against what it takes. */
const WRITES = new Set<ActionKind>(['open', 'reopen', 'close', 'comment', 'edit', 'discard']);

/**
 * Brings one incident as far as it goes now: plans, takes the attempt, acts, settles, and plans again. Any number of
 * these may run at once; the attempt in the state decides whose turn it is. What is left is in the list of what is due
 * before this returns. Throws only what the state throws.
 */
export async function drive(id: IncidentId, options: DriveOptions): Promise<Driven | undefined> {
  const { bridge, journal, deadline } = options;
  const tickets = await bridge.tickets(id.destination);
  const read = (): Promise<Stored<Incident> | undefined> => bridge.store.readIncident(id, deadline);
  const name = nameOfIncident(id);
  let stored = options.fresh?.get(name) ?? (await read());
  options.fresh?.delete(name);
  const end = bridge.clock.now().getTime() + options.patienceMs;
  for (let steps = 0; stored && steps < MOST_STEPS; steps++) {
    const context = contextOf(bridge, tickets.traits);
    const incident = stored.value;
    const step = await paced(plan(incident, context), id, tickets, options);
    switch (step.kind) {
      case 'rest': {
        const rested = await atRest(stored, options);
        return { incident: rested };
      }
      case 'wait': {
        const now = bridge.clock.now().getTime();
        const ms = step.until - now;
        const due = await madeDue(stored, step.until, options);
        if (!due) {
          stored = await read();
          break;
        }
        if (step.until > end || ms > deadline.remainingMs() - 5_000) {
          journal.note(id, { decision: 'waits', reason: `${step.why}, until ${new Date(step.until).toISOString()}` });
          return { incident: due.value, until: step.until };
        }
        await bridge.clock.sleep(Math.max(0, ms), deadline.signal);
        stored = await read();
        break;
      }
      case 'become':
        journal.note(id, { decision: 'becomes', reason: step.why });
        stored = (await bridge.store.replaceIncident(stored, step.incident, deadline)) ?? (await read());
        break;
      case 'do':
        // What is left of this run may be too little to see it through: whoever comes next has a whole one.
        if (deadline.remainingMs() < 3_000) return { incident, until: context.now };
        if (step.action === 'open') {
          const waiting = await explained(incident, bridge, deadline);
          if (waiting) {
            journal.note(id, { decision: 'inhibited', reason: `${waiting.explainedBy?.ticket} explains it` });
            stored = (await bridge.store.replaceIncident(stored, waiting, deadline)) ?? (await read());
            break;
          }
        }
        journal.note(id, { decision: step.action, reason: step.why });
        stored = (await act(stored, step.action, tickets, options)) ?? (await read());
        break;
    }
  }
  return stored && { incident: stored.value, until: bridge.clock.now().getTime() };
}

async function paced(step: Step, id: IncidentId, tickets: Tickets, { bridge, deadline }: DriveOptions): Promise<Step> {
  if (step.kind !== 'do' || !WRITES.has(step.action)) return step;
  const held = await bridge.pacer.take(
    id.destination,
    bridge.settings.budgets[id.destination] ?? tickets.traits.budget,
    deadline,
  );
  return held ? { kind: 'wait', until: held.until, why: held.why } : step;
}

/** One action: written down, carried out, written down again. Answers the incident where it was this run that wrote last. */
async function act(
  stored: Stored<Incident>,
  kind: ActionKind,
  tickets: Tickets,
  options: DriveOptions,
): Promise<Stored<Incident> | undefined> {
  const { bridge, journal, deadline } = options;
  const enriched = kind === 'open' ? await enriching(stored.value, options) : stored.value;
  const now = bridge.clock.now().getTime();
  const attempt: Attempt = {
    token: bridge.newToken(),
    kind,
    at: now,
    until: now + LEASE_MS,
    marker: actionMarker(enriched, kind),
  };
  const dueKey = await dueBy(enriched, attempt.until, options);
  const begun = await bridge.store.replaceIncident(
    stored,
    { ...enriched, attempt, ...(dueKey && { dueKey }) },
    deadline,
  );
  if (!begun) return undefined;
  const context = contextOf(bridge, tickets.traits);
  const outcome = await perform({
    bridge,
    incident: begun.value,
    attempt,
    tickets,
    render: { settings: bridge.settings, isInhibitor: context.isInhibitor, now },
    deadline: bounded(deadline, LEASE_MS - 5_000, options),
  });
  const settled = await record(begun, attempt, outcome, tickets, options);
  const ref = outcome.kind === 'opened' ? outcome.ref : outcome.kind === 'found' ? outcome.tickets[0] : undefined;
  // The ticket is there and known; that others do not say so yet is no reason to fail.
  if (ref)
    await introduce(begun.value, ref, tickets, bridge, bounded(deadline, LEASE_MS - 5_000, options)).catch(
      (error: unknown) =>
        journal.note(begun.value, { decision: 'not linked', reason: error instanceof Error ? error.name : 'unknown' }),
    );
  return settled;
}

/** Not longer than the lease, nor than the run: an answer that comes after either is nobody's. */
function bounded(deadline: Deadline, ms: number, { bridge }: DriveOptions): Deadline {
  const own = deadlineIn(Math.max(0, Math.min(ms, deadline.remainingMs() - 1_000)), bridge.clock);
  return {
    signal: AbortSignal.any([deadline.signal, own.signal]),
    remainingMs: () => Math.min(own.remainingMs(), deadline.remainingMs()),
  };
}

/** Writes down how an attempt went, whatever else was written meanwhile; unless it is not ours to say any more. */
async function record(
  begun: Stored<Incident>,
  attempt: Attempt,
  outcome: Outcome,
  tickets: Tickets,
  options: DriveOptions,
): Promise<Stored<Incident> | undefined> {
  const { bridge, journal, deadline } = options;
  const id = { destination: begun.value.destination, key: begun.value.key };
  journal.outcome(id, attempt, outcome);
  if (outcome.kind === 'opened')
    journal.count('SecondsToTicket', (bridge.clock.now().getTime() - begun.value.firstHeardAt) / 1_000);
  const ref = outcome.kind === 'opened' ? outcome.ref : outcome.kind === 'found' ? outcome.tickets[0] : undefined;
  // Before the incident says so: word of people about a ticket must find its incident.
  if (ref) await bridge.store.own(id.destination, ref.id, id.key, deadline);
  if (outcome.kind === 'failed' && (outcome.reaction === 'stop' || outcome.reaction === 'wait')) {
    const until = bridge.clock.now().getTime() + (outcome.retryAfterMs ?? STOPPED_MS);
    if (attempt.kind !== 'acknowledge' && attempt.kind !== 'withdraw')
      await bridge.pacer.pause(id.destination, until, outcome.code, deadline);
  }
  let stored: Stored<Incident> | undefined = begun;
  while (stored) {
    const context = { ...contextOf(bridge, tickets.traits), indexLagMs: tickets.traits.indexLagMs };
    const ours: boolean = stored.value.attempt?.token === attempt.token;
    const next: Incident = ours
      ? settle(stored.value, outcome, context)
      : outcome.kind === 'opened'
        ? orphaned(stored.value, outcome.ref, outcome.written, context.now)
        : stored.value;
    if (next === stored.value) return stored;
    if (!ours)
      journal.note(id, { decision: 'fenced', reason: 'somebody else took over; what was made is handed to them' });
    if (next.dead && !stored.value.dead) await bridge.store.bury(id, deadline);
    const written = await bridge.store.replaceIncident(stored, next, deadline);
    if (written) return written;
    stored = await bridge.store.readIncident(id, deadline);
  }
  return undefined;
}

/** What Atlas can add in the time a ticket may wait for it. */
async function enriching(incident: Incident, { bridge, deadline }: DriveOptions): Promise<Incident> {
  const { atlas, settings, clock } = bridge;
  if (incident.enriched !== 'no' || incident.scope.source !== 'atlas') return incident;
  if (!atlas) return { ...incident, enriched: 'failed' };
  const facts = await enrich(atlas, incident, clock, deadline, settings.policy.enrichMs);
  return facts ? { ...incident, facts, enriched: 'yes' } : incident;
}

/** Late, what Atlas did not say in time: then the ticket is edited once. */
async function lateFacts(
  stored: Stored<Incident>,
  { bridge, deadline, unhurried }: DriveOptions,
): Promise<Stored<Incident> | undefined> {
  const { value: incident } = stored;
  if (
    !unhurried ||
    incident.enriched !== 'no' ||
    incident.scope.source !== 'atlas' ||
    incident.ticket?.state !== 'open' ||
    !bridge.atlas
  )
    return undefined;
  const ms = Math.min(10_000, deadline.remainingMs() - 10_000);
  if (ms < 500) return undefined;
  const facts = await enrich(bridge.atlas, incident, bridge.clock, deadline, ms);
  const next: Incident = facts ? { ...incident, facts, enriched: 'yes' } : { ...incident, enriched: 'failed' };
  return bridge.store.replaceIncident(stored, next, deadline);
}

/** Nothing to do. What is late is added, and what is over gets its last day. */
async function atRest(stored: Stored<Incident>, options: DriveOptions): Promise<Incident> {
  const { bridge, deadline } = options;
  const added = await lateFacts(stored, options);
  if (added) {
    const tickets = await bridge.tickets(stored.value.destination);
    const step = plan(added.value, contextOf(bridge, tickets.traits));
    if (step.kind === 'wait') await madeDue(added, step.until, options);
    else if (step.kind === 'do') await madeDue(added, bridge.clock.now().getTime(), options);
    return added.value;
  }
  const expiresAt = forgetAt(stored.value, { policy: bridge.settings.policy, now: bridge.clock.now().getTime() });
  if (expiresAt) await bridge.store.replaceIncident(stored, stored.value, deadline, expiresAt);
  return stored.value;
}

/** A place in the list of what is due, no later than `until`; undefined where the incident has one already. */
async function dueBy(
  { dueKey, destination, key }: Incident,
  until: number,
  { bridge, deadline }: DriveOptions,
): Promise<string | undefined> {
  if (dueKey !== undefined && bridge.store.dueAt(dueKey) <= until) return undefined;
  return bridge.store.makeDue({ destination, key }, until, deadline);
}

/** The incident with a place in that list; undefined where somebody else wrote meanwhile. */
async function madeDue(
  stored: Stored<Incident>,
  until: number,
  options: DriveOptions,
): Promise<Stored<Incident> | undefined> {
  const dueKey = await dueBy(stored.value, until, options);
  if (dueKey === undefined) return stored;
  return options.bridge.store.replaceIncident(stored, { ...stored.value, dueKey }, options.deadline);
}
