import type { Deadline } from '../../lib/runtime/deadline.ts';
import { type Bridge, contextOf } from './bridge.ts';
import { plan } from './core/plan.ts';
import { forgetAt } from './core/settle.ts';
import { drive } from './drive.ts';
import type { Journal } from './journal.ts';
import type { IncidentId } from './store.ts';

export interface DrainOptions {
  readonly bridge: Bridge;
  readonly journal: Journal;
  readonly deadline: Deadline;
  /** At most so many incidents of one destination. */
  readonly most: number;
  readonly onTrouble: (id: IncidentId, error: unknown) => void;
}

/** Incidents of one destination brought on side by side. */
const SIDE_BY_SIDE = 8;

/**
 * Brings on what is due, each destination by itself: one that is slow or refuses holds up no other. An incident that
 * fails is told and left where it is; the others go on.
 */
export async function drain(options: DrainOptions): Promise<number> {
  const done = await Promise.all(options.bridge.settings.destinations.map(({ id }) => drainDestination(id, options)));
  return done.reduce((sum, count) => sum + count, 0);
}

async function drainDestination(destination: string, options: DrainOptions): Promise<number> {
  const { bridge, deadline, most, onTrouble } = options;
  const items = [];
  for await (const item of bridge.store.due(destination, deadline)) {
    items.push(item);
    if (items.length >= most) break;
  }
  let done = 0;
  const queue = items.values();
  const lane = async (): Promise<void> => {
    for (const item of queue) {
      if (deadline.remainingMs() < 5_000) return;
      const id = { destination: item.value.destination, key: item.value.key };
      try {
        await drive(id, { ...options, patienceMs: 0, unhurried: true });
        if (await leave(item.key.sk, id, options)) await bridge.store.removeDue(item, deadline);
        done++;
      } catch (error) {
        onTrouble(id, error);
      }
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, lane));
  return done;
}

/**
 * The incident stops counting on this place in the list, and gets a later one where it waits for something. Only then may
 * the place go: a process that ends in between has done nothing that is not done again. Answers whether it may.
 */
async function leave(dueKey: string, id: IncidentId, { bridge, deadline }: DrainOptions): Promise<boolean> {
  const { traits } = await bridge.tickets(id.destination);
  const { store, clock } = bridge;
  for (;;) {
    const stored = await store.readIncident(id, deadline);
    const now = clock.now().getTime();
    // Whoever made the place may be about to make the incident.
    if (!stored) return now - store.dueAt(dueKey) > ORPHAN_MS;
    const context = contextOf(bridge, traits);
    const { dueKey: own, ...rest } = stored.value;
    const step = plan(stored.value, context);
    // The place of another, who is about to write it into the incident: this write comes before, and makes theirs fail.
    const next =
      own !== dueKey
        ? stored.value
        : step.kind === 'rest'
          ? rest
          : { ...rest, dueKey: await store.makeDue(id, step.kind === 'wait' ? step.until : now + SOON_MS, deadline) };
    if (await store.replaceIncident(stored, next, deadline, forgetAt(next, context))) return true;
  }
}

/** What could be done and was not, for want of time or of the tracker's patience, is looked at again after that. */
const SOON_MS = 5_000;
/** A place without an incident is kept so long: far longer than any process that could still make the incident lives. */
const ORPHAN_MS = 24 * 3_600_000;
