import type { Deadline } from '../../lib/runtime/deadline.ts';
import { type Bridge, contextOf } from './bridge.ts';
import { plan } from './core/plan.ts';
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
        await leave(item.key.sk, id, options);
        await bridge.store.removeDue(item, deadline);
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
 * the place go: a process that ends in between has done nothing that is not done again.
 */
async function leave(dueKey: string, id: IncidentId, { bridge, deadline }: DrainOptions): Promise<void> {
  const { traits } = await bridge.tickets(id.destination);
  for (;;) {
    const stored = await bridge.store.readIncident(id, deadline);
    if (stored?.value.dueKey !== dueKey) return;
    const { dueKey: _, ...rest } = stored.value;
    const step = plan(stored.value, contextOf(bridge, traits));
    const next =
      step.kind === 'rest'
        ? rest
        : {
            ...rest,
            dueKey: await bridge.store.makeDue(
              id,
              step.kind === 'wait' ? step.until : bridge.clock.now().getTime() + SOON_MS,
              deadline,
            ),
          };
    if (await bridge.store.replaceIncident(stored, next, deadline)) return;
  }
}

/** What could be done and was not, for want of time or of the tracker's patience, is looked at again after that. */
const SOON_MS = 5_000;
