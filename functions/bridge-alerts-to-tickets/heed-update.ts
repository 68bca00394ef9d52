import { type Deadline, deadlineIn } from '../../lib/runtime/deadline.ts';
import type { TicketState, Tickets, Update } from '../../lib/tickets/tickets.ts';
import { type Bridge, contextOf } from './bridge.ts';
import type { Incident } from './core/incident.ts';
import { heed, isDoubtful } from './core/people.ts';
import { plan } from './core/plan.ts';
import type { Journal } from './journal.ts';
import type { IncidentId } from './store.ts';

const TRIES = 20;
/** How long the tracker may take to settle a doubt. */
const PATIENCE_MS = 2_000;
/** How often, and how long each time, to wait for what we are doing to the ticket ourselves: people can be faster. */
const WAITS = 2;
const WAIT_MS = 1_000;

/**
 * Puts what somebody did in the tracker into the incident of the ticket. Answers the incident where that changed it. News
 * that may be old is held against the ticket itself, where the tracker can be asked.
 */
export async function heedUpdate(
  destination: string,
  update: Update,
  { bridge, journal, deadline }: { readonly bridge: Bridge; readonly journal: Journal; readonly deadline: Deadline },
): Promise<IncidentId | undefined> {
  let waits = 0;
  const canWait = async (): Promise<boolean> => {
    if (waits++ >= WAITS) return false;
    await bridge.clock.sleep(WAIT_MS, deadline.signal);
    return true;
  };
  const ownerOf = () => bridge.store.ownerOf(destination, update.ref.id, deadline);
  let owner = await ownerOf();
  // With our marker on it, it is ours: its opening is about to be written down.
  while (!owner && update.incident !== undefined && (await canWait())) owner = await ownerOf();
  if (!owner) {
    journal.note('unassigned', { decision: 'nothing', reason: `${update.kind} of a ticket that is not ours` });
    return undefined;
  }
  const id = { destination, key: owner.value.key };
  const tickets = await bridge.tickets(destination);
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const stored = await bridge.store.readIncident(id, deadline);
    if (!stored) return undefined;
    const seen = isDoubtful(stored.value, update)
      ? await look(stored.value, tickets, deadlineIn(Math.min(PATIENCE_MS, deadline.remainingMs()), bridge.clock))
      : undefined;
    const context = contextOf(bridge, tickets.traits);
    const { incident, changed, reason } = heed(stored.value, update, { ...context, seen });
    if (!changed) {
      const ours = stored.value.attempt?.kind;
      const undone =
        (update.kind === 'closed' && ours === 'reopen') || (update.kind === 'reopened' && ours === 'close');
      if (undone && (await canWait())) continue;
      journal.note(id, { decision: 'nothing', reason: `${update.kind}: ${reason}` });
      return undefined;
    }
    const step = plan(incident, context);
    const dueKey =
      incident.dueKey ??
      (step.kind === 'rest'
        ? undefined
        : await bridge.store.makeDue(id, step.kind === 'wait' ? step.until : context.now, deadline));
    const next = dueKey === undefined ? incident : { ...incident, dueKey };
    if (!(await bridge.store.replaceIncident(stored, next, deadline))) continue;
    journal.note(id, { decision: 'heeded', reason: `${update.kind}: ${reason}` });
    return id;
  }
  throw new Error('an incident is written by too many at once');
}

/** How the ticket stands; undefined where the tracker does not say, or not in time. */
async function look({ ticket }: Incident, tickets: Tickets, deadline: Deadline): Promise<TicketState | undefined> {
  if (!ticket || !tickets.traits.reads) return undefined;
  return tickets.read(ticket.ref, ticket.written, deadline).catch(() => undefined);
}
