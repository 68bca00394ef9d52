import * as z from 'zod';
import type { State } from '../../../../lib/aws/state.ts';
import { systemClock } from '../../../../lib/runtime/clock.ts';
import { type Deadline, deadlineIn } from '../../../../lib/runtime/deadline.ts';
import { parseJson } from '../../../../lib/runtime/json.ts';
import type { Host } from '../host.ts';
import { PATIENCE_MS } from './table.ts';

/** How many incidents the list knows at the most, and what one page shows of a trail. */
const MOST = 500;
const MOST_ENTRIES = 300;

const Named = z.object({ tickets: z.object({ destinations: z.array(z.object({ id: z.string() })).default([]) }) });
const Owner = z.object({ key: z.string() });
const Open = z.object({ destination: z.string(), key: z.string() });

const Member = z.object({
  state: z.string(),
  type: z.string(),
  severity: z.string(),
  createdAt: z.number(),
  overAt: z.number().optional(),
  host: z.string().optional(),
  sentence: z.string().optional(),
});
const Told = z.object({
  route: z.string().default(''),
  scope: z.object({ projectId: z.string().optional(), cluster: z.string().optional(), title: z.string().optional() }),
  members: z.record(z.string(), Member),
  firstHeardAt: z.number(),
  late: z.boolean().default(false),
  ticket: z
    .object({
      ref: z.object({ id: z.string(), key: z.string(), url: z.string() }),
      state: z.string(),
      openedAt: z.number(),
      closedAt: z.number().optional(),
      closedBy: z.string().optional(),
    })
    .optional(),
  taken: z.object({ by: z.string().optional() }).optional(),
  trouble: z.object({ code: z.string(), count: z.number() }).optional(),
  dead: z.object({ code: z.string() }).optional(),
});
const Packed = z
  .object({ incident: z.string() })
  .transform(({ incident }) => parseJson(incident))
  .pipe(Told);

const Decisions = z.object({
  entries: z.array(
    z.object({
      at: z.string(),
      decision: z.string(),
      reason: z.string(),
      alert: z.string().optional(),
      count: z.number().optional(),
    }),
  ),
});
export type Decision = z.output<typeof Decisions>['entries'][number];

export interface Incident extends z.output<typeof Told> {
  readonly destination: string;
  readonly key: string;
}

/** Open alerts of an incident, and all of them. */
export const countsOf = ({ members }: Incident): { open: number; all: number } => {
  const all = Object.values(members);
  return { open: all.filter(({ state }) => state === 'open').length, all: all.length };
};

/** Reads what the bridge between alerts and tickets knows. */
export class IncidentReader {
  readonly #host: Host;
  readonly #table: State;

  constructor(host: Host, table: State) {
    this.#host = host;
    this.#table = table;
  }

  /** Those with open alerts first, then by when they began; and whether there are more than are told. */
  async all(): Promise<{ readonly incidents: readonly Incident[]; readonly isWhole: boolean }> {
    const deadline = deadlineIn(PATIENCE_MS, systemClock);
    const { ids, isWhole } = await this.#ids(deadline);
    const found = await this.#table.readAll(ids.map(placeOf), z.unknown(), deadline);
    const incidents = ids.flatMap((id, at) => {
      const told = Packed.safeParse(found[at]?.value).data;
      return told ? [{ ...told, ...id }] : [];
    });
    const isOver = (incident: Incident): number => (countsOf(incident).open > 0 ? 0 : 1);
    return {
      incidents: incidents.toSorted((a, b) => isOver(a) - isOver(b) || b.firstHeardAt - a.firstHeardAt),
      isWhole,
    };
  }

  /** One incident and every decision about it, the oldest first. */
  async one(id: Id): Promise<{ readonly incident: Incident; readonly trail: readonly Decision[] } | undefined> {
    const deadline = deadlineIn(PATIENCE_MS, systemClock);
    const told = (await this.#table.read(placeOf(id), Packed, deadline))?.value;
    if (!told) return undefined;
    const trail: Decision[] = [];
    const subject = `audit#${id.destination}#${id.key}`;
    for await (const { value } of this.#table.list(subject, Decisions, deadline)) {
      trail.push(...value.entries);
      if (trail.length >= MOST_ENTRIES) break;
    }
    return { incident: { ...told, ...id }, trail: trail.slice(0, MOST_ENTRIES) };
  }

  /** There is no list of all incidents: they are found by their tickets, and by what is open. */
  async #ids(deadline: Deadline): Promise<{ ids: readonly Id[]; isWhole: boolean }> {
    const state = this.#table;
    const found = new Map<string, Id>();
    const add = ({ destination, key }: Id): boolean => {
      found.set(`${destination}#${key}`, { destination, key });
      return found.size < MOST;
    };
    for await (const { key } of state.list('alert-projects', z.unknown(), deadline))
      for await (const { value } of state.list(`open#${key.sk}`, Open, deadline))
        if (!add(value)) return { ids: [...found.values()], isWhole: false };
    for (const destination of this.#destinations())
      for await (const { value } of state.list(`ticket#${destination}`, Owner, deadline, { newestFirst: true }))
        if (!add({ destination, key: value.key })) return { ids: [...found.values()], isWhole: false };
    return { ids: [...found.values()], isWhole: true };
  }

  #destinations(): readonly string[] {
    const { settings = '{}' } = this.#host.wiring.functions.get('deliver-tickets') ?? {};
    return Named.safeParse(parseJson(settings)).data?.tickets.destinations.map(({ id }) => id) ?? [];
  }
}

interface Id {
  readonly destination: string;
  readonly key: string;
}

const placeOf = ({ destination, key }: Id) => ({ pk: `incident#${destination}#${key}`, sk: 'state' });
