import type { Deadline } from '../../lib/runtime/deadline.ts';
import type { Update } from '../../lib/tickets/tickets.ts';
import { type Bridge, contextOf } from './bridge.ts';
import { heed } from './core/people.ts';
import { plan } from './core/plan.ts';
import type { Journal } from './journal.ts';
import type { IncidentId } from './store.ts';

const TRIES = 20;

/** Puts what somebody did in the tracker into the incident of the ticket. Answers the incident where that changed it. */
export async function heedUpdate(
  destination: string,
  update: Update,
  { bridge, journal, deadline }: { readonly bridge: Bridge; readonly journal: Journal; readonly deadline: Deadline },
): Promise<IncidentId | undefined> {
  const owner = await bridge.store.ownerOf(destination, update.ref.id, deadline);
  if (!owner) {
    journal.note('unassigned', { decision: 'nothing', reason: `${update.kind} of a ticket that is not ours` });
    return undefined;
  }
  const id = { destination, key: owner.value.key };
  const { traits } = await bridge.tickets(destination);
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const stored = await bridge.store.readIncident(id, deadline);
    if (!stored) return undefined;
    const context = contextOf(bridge, traits);
    const { incident, changed, reason } = heed(stored.value, update, context);
    if (!changed) {
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
