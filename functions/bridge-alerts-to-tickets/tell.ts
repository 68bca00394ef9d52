import * as z from 'zod';
import type { Deadline } from '../../lib/runtime/deadline.ts';
import type { Bridge } from './bridge.ts';
import type { OwnEvent } from './contract.ts';
import { digestOf } from './grouping.ts';
import type { Journal } from './journal.ts';
import { type Observation, RANK } from './observation.ts';
import { observationOfTrouble, toldBy } from './own-events.ts';

const HOUR = 3_600_000;

/** What is known of a thing the bundle reports on: its troubles that go on, and how often it was in order again. */
const Thing = z.object({
  thing: z.string(),
  life: z.int(),
  open: z.array(z.object({ id: z.string(), projectId: z.string().optional() })),
  /** Silent until then, it is over. */
  lapsesAt: z.number().optional(),
});
type Thing = z.output<typeof Thing>;

const PARTITION = 'own-troubles';
const keyOf = (thing: string) => ({ pk: PARTITION, sk: digestOf(thing).slice(0, 40) });

/**
 * What an event of the bundle means for tickets, as observations. Safe to repeat: the same trouble has the same id until
 * the thing was in order.
 */
export async function listen(
  event: OwnEvent,
  bridge: Bridge,
  journal: Journal,
  deadline: Deadline,
): Promise<Observation[]> {
  const told = toldBy(event);
  const now = bridge.clock.now().getTime();
  if (!told) {
    journal.note('unassigned', {
      decision: 'nothing',
      reason: `an event of no kind that makes tickets: ${event.detailType}`,
    });
    return [];
  }
  if (told.kind === 'nothing') return [];
  const at = event.time === undefined ? now : Date.parse(event.time);
  for (;;) {
    const stored = await bridge.store.state.read(keyOf(told.thing), Thing, deadline);
    if (told.kind === 'over') {
      if (!stored || stored.value.open.length === 0) return [];
      return over(stored.value, now);
    }
    const before: Thing = stored?.value ?? { thing: told.thing, life: 1, open: [] };
    const observation = observationOfTrouble(told, before.life, { at, now });
    const entry = { id: observation.id, ...(told.projectId && { projectId: told.projectId }) };
    const { lapsesAt: _, ...rest } = before;
    const next: Thing = {
      ...rest,
      open: before.open.some(({ id }) => id === entry.id) ? before.open : [...before.open, entry],
      ...(told.lastsHours !== undefined && { lapsesAt: now + told.lastsHours * HOUR }),
    };
    const written = stored
      ? await bridge.store.state.replace(stored, next, deadline)
      : await bridge.store.state.create(keyOf(told.thing), next, deadline);
    if (written) return [observation];
  }
}

/** The end of all that is open about a thing. */
const over = ({ open }: Thing, now: number): Observation[] =>
  open.map(({ id, projectId }) => ({
    schema: 1,
    id,
    state: 'closed',
    version: { at: now, rank: RANK.over },
    subject: { type: 'BUNDLE', ...(projectId && { projectId }) },
    via: 'event',
    heardAt: now,
    digest: '',
  }));

/** Written once its end is in the incidents: from then on its next trouble is another one. */
export async function settleOwn(event: OwnEvent, bridge: Bridge, deadline: Deadline): Promise<void> {
  const told = toldBy(event);
  if (told?.kind !== 'over') return;
  await end(told.thing, bridge, deadline);
}

async function end(thing: string, bridge: Bridge, deadline: Deadline): Promise<void> {
  const stored = await bridge.store.state.read(keyOf(thing), Thing, deadline);
  if (!stored || stored.value.open.length === 0) return;
  await bridge.store.state.replace(stored, { thing, life: stored.value.life + 1, open: [] }, deadline);
}

/** Troubles that are said again while they last, and were not: over, as observations. */
export async function lapsed(
  bridge: Bridge,
  deadline: Deadline,
): Promise<{ observations: Observation[]; settle: () => Promise<void> }> {
  const now = bridge.clock.now().getTime();
  const observations: Observation[] = [];
  const things: string[] = [];
  for await (const { value } of bridge.store.state.list(PARTITION, Thing, deadline)) {
    if (value.lapsesAt === undefined || value.lapsesAt > now || value.open.length === 0) continue;
    observations.push(...over(value, now));
    things.push(value.thing);
  }
  return {
    observations,
    async settle() {
      for (const thing of things) await end(thing, bridge, deadline);
    },
  };
}
