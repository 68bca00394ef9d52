import * as z from 'zod';
import type { Deadline } from '../../lib/runtime/deadline.ts';
import type { Bridge } from './bridge.ts';
import type { OwnEvent } from './contract.ts';
import { digestOf } from './grouping.ts';
import type { Journal } from './journal.ts';
import { type Observation, RANK } from './observation.ts';
import { isKnown, observationOfTrouble, type Told, toldBy } from './own-events.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** So much longer than its alerts a thing without trouble is remembered: its next one must not get an id of theirs. */
const REMEMBERED_DAYS = 30;

const Entry = z.object({
  id: z.string(),
  projectId: z.string().optional(),
  /** When it was told of last. */
  at: z.number().default(0),
  /** It lasts as long as its thing is in this state. */
  state: z.string().optional(),
});
type Entry = z.output<typeof Entry>;

/** What is known of a thing the bundle reports on: its troubles that go on, and how often it was in order again. */
const Thing = z.object({
  thing: z.string(),
  life: z.int(),
  open: z.array(Entry),
  /** Silent until then, it is over. */
  lapsesAt: z.number().optional(),
  /** When it was in order last: what was told before is old. */
  overAt: z.number().optional(),
  /** The state it is in, and since when. */
  entered: z.object({ state: z.string(), at: z.number() }).optional(),
});
type Thing = z.output<typeof Thing>;

type Ends = Extract<Told, { kind: 'over' | 'entered' }>;

const PARTITION = 'own-troubles';
const keyOf = (thing: string) => ({ pk: PARTITION, sk: digestOf(thing).slice(0, 40) });
const unknown = (thing: string): Thing => ({ thing, life: 1, open: [] });

/** Events come in any order: by when they were sent, or by what they say of themselves. */
const instantOf = (event: OwnEvent, told: { readonly at?: string }, now: number): number => {
  const said = told.at ?? event.time;
  return said === undefined ? now : Date.parse(said);
};

/**
 * What an event of the bundle means for tickets, as observations. Safe to repeat: the same trouble has the same id until
 * the thing was in order. An event that comes late neither brings back what is over nor ends what began after it.
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
    if (isKnown(event)) journal.count('EventsNotUnderstood');
    journal.note('unassigned', {
      decision: 'nothing',
      reason: `an event ${isKnown(event) ? 'of another shape than its kind has' : 'of no kind that makes tickets'}: ${event.detailType}`,
    });
    return [];
  }
  if (told.kind === 'nothing') return [];
  if (told.kind === 'trouble') return begun(told, instantOf(event, told, now), { bridge, journal, deadline });
  const at = instantOf(event, told, now);
  const stored = await bridge.store.state.read(keyOf(told.thing), Thing, deadline);
  const ended = over(endedBy(stored?.value ?? unknown(told.thing), told, at), now);
  const trouble = told.kind === 'entered' ? told.trouble : undefined;
  return trouble ? [...ended, ...(await begun(trouble, at, { bridge, journal, deadline }))] : ended;
}

/** A trouble written down as open; nothing where its thing has been in order, or has left that state, since. */
async function begun(
  told: Extract<Told, { kind: 'trouble' }>,
  at: number,
  { bridge, journal, deadline }: { readonly bridge: Bridge; readonly journal: Journal; readonly deadline: Deadline },
): Promise<Observation[]> {
  const now = bridge.clock.now().getTime();
  for (;;) {
    const stored = await bridge.store.state.read(keyOf(told.thing), Thing, deadline);
    const before = stored?.value ?? unknown(told.thing);
    const { entered, overAt } = before;
    const isLate =
      told.state === undefined
        ? overAt !== undefined && at < overAt
        : entered !== undefined && at < entered.at && entered.state !== told.state;
    if (isLate) {
      journal.note('unassigned', { decision: 'nothing', reason: `old news: ${told.type} is over since` });
      return [];
    }
    const observation = observationOfTrouble(told, before.life, { at, now });
    const known = before.open.find(({ id }) => id === observation.id);
    const entry: Entry = {
      id: observation.id,
      at: Math.max(at, known?.at ?? 0),
      ...(told.projectId && { projectId: told.projectId }),
      ...(told.state !== undefined && { state: told.state }),
    };
    const { lapsesAt: _, ...rest } = before;
    const next: Thing = {
      ...rest,
      open: [...before.open.filter(({ id }) => id !== entry.id), entry],
      ...(told.lastsHours !== undefined && { lapsesAt: now + told.lastsHours * HOUR }),
    };
    const written = stored
      ? await bridge.store.state.replace(stored, next, deadline)
      : await bridge.store.state.create(keyOf(told.thing), next, deadline);
    if (written) return [observation];
  }
}

/** The troubles an event ends: those of before it and, where the thing changed its state, of another state. */
function endedBy({ open, entered }: Thing, told: Ends, at: number): Entry[] {
  if (told.kind === 'over') return open.filter((entry) => entry.at <= at);
  // Word of a state that was left already ends nothing.
  if (entered && entered.at > at) return [];
  return open.filter((entry) => entry.at <= at && entry.state !== told.state);
}

const over = (open: readonly Entry[], now: number): Observation[] =>
  open.map(({ id, projectId, at }) => ({
    schema: 1,
    id,
    state: 'closed',
    // Who told of it may have had a clock that is ahead.
    version: { at: Math.max(now, at), rank: RANK.over },
    subject: { type: 'BUNDLE', ...(projectId && { projectId }) },
    via: 'event',
    heardAt: now,
    digest: '',
  }));

/** Written once its end is in the incidents: from then on its next trouble is another one. */
export async function settleOwn(event: OwnEvent, bridge: Bridge, deadline: Deadline): Promise<void> {
  const told = toldBy(event);
  if (told?.kind !== 'over' && told?.kind !== 'entered') return;
  await end(told, instantOf(event, told, bridge.clock.now().getTime()), bridge, deadline);
}

async function end(told: Ends, at: number, { store, clock, settings }: Bridge, deadline: Deadline): Promise<void> {
  for (;;) {
    const stored = await store.state.read(keyOf(told.thing), Thing, deadline);
    const before = stored?.value ?? unknown(told.thing);
    const ended = new Set(endedBy(before, told, at));
    const open = before.open.filter((entry) => !ended.has(entry));
    const { lapsesAt, ...rest } = before;
    const next: Thing = {
      ...rest,
      open,
      life: before.life + (ended.size > 0 ? 1 : 0),
      ...(open.length > 0 && lapsesAt !== undefined && { lapsesAt }),
      ...(told.kind === 'over' && { overAt: Math.max(at, before.overAt ?? 0) }),
      ...(told.kind === 'entered' && (before.entered?.at ?? 0) <= at && { entered: { state: told.state, at } }),
    };
    const days = settings.policy.tombstoneDays + REMEMBERED_DAYS;
    const until = open.length > 0 ? {} : { expiresAt: new Date(clock.now().getTime() + days * DAY) };
    const written = stored
      ? await store.state.replace(stored, next, deadline, until)
      : await store.state.create(keyOf(told.thing), next, deadline, until);
    if (written) return;
  }
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
    observations.push(...over(value.open, now));
    things.push(value.thing);
  }
  return {
    observations,
    async settle() {
      for (const thing of things) await end({ kind: 'over', thing }, now, bridge, deadline);
    },
  };
}
