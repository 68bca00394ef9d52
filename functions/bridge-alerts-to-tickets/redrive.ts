import { contextOf } from './bridge.ts';
import { plan } from './core/plan.ts';
import { redriven } from './core/settle.ts';
import type { DeliverOptions } from './deliver.ts';
import { bringOn } from './deliver.ts';
import type { Journal } from './journal.ts';
import type { IncidentId } from './store.ts';

export interface Redriven extends IncidentId {
  /** Why it was given up. */
  readonly gaveUp: string;
  /** What comes next, in a sentence. */
  readonly next: string;
}

/**
 * Takes up what was given up, or says what would come of it. An incident that is over meanwhile comes to nothing, and an
 * open that may have been carried out is looked for first: no redrive makes a second ticket or wakes an old one.
 */
export async function redrive(
  how: 'explain' | 'run',
  options: DeliverOptions & { readonly journal: Journal },
): Promise<Redriven[]> {
  const { bridge, deadline, journal } = options;
  const taken: Redriven[] = [];
  for (const { id: destination } of bridge.settings.destinations) {
    const { traits } = await bridge.tickets(destination);
    for await (const item of bridge.store.dead(destination, deadline)) {
      const id = { destination, key: item.value.key };
      const stored = await bridge.store.readIncident(id, deadline);
      if (stored?.value.dead) {
        const { dead } = stored.value;
        const next = redriven(stored.value, bridge.clock.now().getTime());
        const step = plan(next, contextOf(bridge, traits));
        const sentence = step.kind === 'do' ? `${step.action}: ${step.why}` : `${step.kind}: ${step.why}`;
        taken.push({ ...id, gaveUp: `${dead.kind}: ${dead.code}`, next: sentence });
        if (how === 'explain') continue;
        journal.note(id, { decision: 'redriven', reason: sentence });
        if (!(await bridge.store.replaceIncident(stored, next, deadline))) continue;
      }
      if (how === 'explain') continue;
      await bridge.store.removeDead(item, deadline);
      await bringOn([id], options, journal);
    }
  }
  return taken;
}
