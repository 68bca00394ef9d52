import { randomUUID } from 'node:crypto';
import { assemble, type Bridge } from '../../../functions/bridge-alerts-to-tickets/bridge.ts';
import { Incident } from '../../../functions/bridge-alerts-to-tickets/core/incident.ts';
import { bringOn, deliverBatch } from '../../../functions/bridge-alerts-to-tickets/deliver.ts';
import { drain } from '../../../functions/bridge-alerts-to-tickets/drain.ts';
import { queueGroupOf } from '../../../functions/bridge-alerts-to-tickets/grouping.ts';
import { hear } from '../../../functions/bridge-alerts-to-tickets/hear.ts';
import { heedUpdate } from '../../../functions/bridge-alerts-to-tickets/heed-update.ts';
import { createJournal } from '../../../functions/bridge-alerts-to-tickets/journal.ts';
import { normalise } from '../../../functions/bridge-alerts-to-tickets/normalise.ts';
import { reconcileProject } from '../../../functions/bridge-alerts-to-tickets/reconcile.ts';
import { TicketSettings } from '../../../functions/bridge-alerts-to-tickets/settings.ts';
import type { State } from '../../../lib/aws/state.ts';
import type { Clock } from '../../../lib/runtime/clock.ts';
import type { Deadline } from '../../../lib/runtime/deadline.ts';
import type { Tickets, Traits, Update } from '../../../lib/tickets/tickets.ts';
import { createMemoryState } from '../../support/memory-state.ts';
import { MemoryAtlas, PROJECT, type TrueAlert } from './memory-atlas.ts';
import { MemoryTracker, type Row } from './memory-tracker.ts';

const START = Date.parse('2030-01-01T00:00:00Z');

/** One process: killed, it never comes back from the call it is in. */
interface Worker {
  readonly name: string;
  killed: boolean;
  done: boolean;
  /** The messages it had: the queue hands them out again when nobody says that they were taken in. */
  readonly messages: readonly BridgeWorld['inbox'][number][];
}

export interface WorldOptions {
  readonly traits?: Partial<Traits>;
  readonly policy?: Record<string, unknown>;
  /** Decides when a call of a process goes on. At once unless given. */
  readonly gate?: (worker: string, call: string) => Promise<void>;
  /** Another way to turn an observation into tickets, in place of the bridge. */
  readonly naive?: (tools: {
    state: State;
    tickets: Tickets;
    clock: Clock;
  }) => (body: Record<string, unknown>) => Promise<void>;
}

const deadline: Deadline = { signal: new AbortController().signal, remainingMs: () => 60_000 };

/** The bridge's own code over a state, a tracker and an Atlas in memory, run by as many processes as there are deliveries. */
export class BridgeWorld {
  now = START;
  readonly clock: Clock;
  readonly state;
  readonly tracker: MemoryTracker;
  readonly atlas: MemoryAtlas;
  readonly workers: Worker[] = [];
  readonly inbox: { body: Record<string, unknown>; event: string }[] = [];
  readonly delivered = new Set<object>();
  readonly updates: Update[] = [];
  readonly troubles: unknown[] = [];
  readonly settings: TicketSettings;
  gated = true;
  #sleepers: { until: number; wake: () => void }[] = [];
  readonly #options: WorldOptions;

  constructor(options: WorldOptions = {}) {
    this.#options = options;
    this.clock = {
      now: () => new Date(this.now),
      sleep: (ms) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#sleepers.push({ until: this.now + ms, wake: resolve });
        return promise;
      },
    };
    this.state = createMemoryState({ clock: this.clock });
    this.tracker = new MemoryTracker(this.clock, options.traits);
    this.atlas = new MemoryAtlas(this.clock);
    this.settings = TicketSettings.parse({
      destinations: [{ id: 'ops', type: 'webhook', baseUrl: 'http://localhost:1', secret: 's' }],
      projects: [PROJECT],
      policy: { groupWaitSeconds: 2, ...options.policy },
    });
  }

  advance(ms: number): void {
    this.now += ms;
    const due = this.#sleepers.filter(({ until }) => until <= this.now);
    this.#sleepers = this.#sleepers.filter(({ until }) => until > this.now);
    for (const { wake } of due) wake();
  }

  /** When the first process that sleeps wakes. */
  get nextWake(): number | undefined {
    return this.#sleepers.length > 0 ? Math.min(...this.#sleepers.map(({ until }) => until)) : undefined;
  }

  emit(alert: TrueAlert, event: string): void {
    this.inbox.push({ body: this.atlas.body(alert), event });
  }

  /** One message, or as many as that from there on, in one batch. */
  deliver(index: number, together = 1): void {
    const first = index % Math.max(1, this.inbox.length);
    this.#deliver(this.inbox.slice(first, first + (this.#options.naive ? 1 : together)));
  }

  #deliver(messages: readonly BridgeWorld['inbox'][number][]): void {
    if (messages.length === 0) return;
    const records = messages.map((message) => this.#record(message));
    this.#spawn(
      `deliver ${messages.map(({ event }) => event)}`,
      async (bridge) => {
        if (this.#options.naive) return;
        const { failed } = await deliverBatch(records, {
          bridge,
          deadline,
          onTrouble: (what, facts, error) => this.troubles.push([what, facts, error]),
        });
        this.inbox.push(...messages.filter((_, at) => failed.includes(records[at]?.messageId ?? '')));
      },
      messages,
    );
  }

  #record(message: BridgeWorld['inbox'][number]) {
    this.delivered.add(message);
    const observation = normalise(message.body, {
      announced: message.event,
      now: this.now,
      digest: JSON.stringify(message.body),
      via: 'webhook',
      staleMs: 86_400_000,
    });
    if (!observation) throw new Error('no observation');
    return {
      messageId: randomUUID(),
      body: JSON.stringify(observation),
      attributes: { MessageGroupId: queueGroupOf(observation.id, observation.subject), ApproximateReceiveCount: 2 },
    };
  }

  drain(): void {
    this.#spawn('drain', async (bridge) => {
      const journal = createJournal(bridge.store, () => this.now);
      await drain({ bridge, journal, deadline, most: 50, onTrouble: (id, error) => this.troubles.push([id, error]) });
    });
  }

  reconcile(): void {
    this.#spawn('reconcile', async (bridge) => {
      if (!bridge.atlas) return;
      const journal = createJournal(bridge.store, () => this.now);
      const result = await reconcileProject(PROJECT, { bridge, atlas: bridge.atlas, journal, deadline, dryRun: false });
      const touched = await hear(result.observations, { bridge, journal, deadline });
      await result.settle();
      await bringOn(
        [...touched, ...result.touched],
        { bridge, deadline, onTrouble: (...trouble) => this.troubles.push(trouble) },
        journal,
      );
    });
  }

  /** People do something, and the tracker says so, perhaps later, perhaps twice. */
  people(row: Row, what: Parameters<MemoryTracker['people']>[1]): void {
    this.tracker.people(row, what);
    const kinds = {
      close: 'closed',
      "won't fix": 'closed',
      reopen: 'reopened',
      edit: 'edited',
      delete: 'deleted',
      assign: 'assigned',
      unassign: 'unassigned',
    } as const;
    this.updates.push({
      ref: { id: row.ref.id, key: row.ref.key },
      incident: row.marker,
      kind: kinds[what],
      by: 'ada',
      actor: 'ada',
      at: new Date(this.now),
      deliveryId: `${this.updates.length}`,
    });
  }

  tellUpdate(index: number): void {
    const update = this.updates[index % Math.max(1, this.updates.length)];
    if (!update) return;
    this.#spawn(`update ${update.kind}`, async (bridge) => {
      const journal = createJournal(bridge.store, () => this.now);
      const id = await heedUpdate('ops', update, { bridge, journal, deadline });
      if (id)
        await bringOn([id], { bridge, deadline, onTrouble: (...trouble) => this.troubles.push(trouble) }, journal, 0);
    });
  }

  kill(index: number): void {
    const running = this.workers.filter(({ done, killed }) => !done && !killed);
    const worker = running[index % Math.max(1, running.length)];
    if (worker) worker.killed = true;
  }

  #spawn(name: string, work: (bridge: Bridge) => Promise<void>, messages: Worker['messages'] = []): void {
    const worker: Worker = { name: `${this.workers.length} ${name}`, killed: false, done: false, messages };
    const [message] = messages;
    this.workers.push(worker);
    const pass = async (call: string): Promise<void> => {
      if (this.gated) await this.#options.gate?.(worker.name, call);
      if (worker.killed) await new Promise(() => {});
    };
    const state = gatedState(this.state, pass);
    const tickets = this.tracker.for(pass);
    const bridge = assemble({
      settings: this.settings,
      clock: this.clock,
      state,
      atlas: this.atlas.for(pass),
      tickets: async () => tickets,
      newToken: randomUUID,
      pacer: { take: async () => undefined, pause: async () => {} },
    });
    const run =
      this.#options.naive && message
        ? this.#options.naive({ state, tickets, clock: this.clock })(message.body)
        : work(bridge);
    run
      .catch((error: unknown) => this.troubles.push([worker.name, error]))
      .finally(() => {
        worker.done = true;
      });
  }

  /** What the queue still holds because whoever had it was killed. */
  redeliver(): void {
    for (const worker of this.workers) {
      if (!worker.killed || worker.done) continue;
      worker.done = true;
      this.#deliver(worker.messages);
    }
  }

  get busy(): boolean {
    return this.workers.some(({ done, killed }) => !done && !killed);
  }

  /** Lets everything come to rest: what runs, what sleeps, and then minute after minute what is due. */
  async rest(minutes = 12): Promise<void> {
    this.gated = false;
    for (let minute = 0; minute < minutes; minute++) {
      await this.settle();
      if (!this.#options.naive) {
        this.drain();
        await this.settle();
        if (minute % 3 === 1) this.reconcile();
        await this.settle();
      }
      this.advance(61_000);
    }
    await this.settle();
  }

  async settle(): Promise<void> {
    for (let turn = 0; this.busy && turn < 5_000; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
      const wake = this.nextWake;
      if (turn % 20 === 19 && wake !== undefined) this.advance(Math.max(0, wake - this.now));
    }
    if (this.busy)
      throw new Error(
        `still busy: ${this.workers.filter(({ done, killed }) => !done && !killed).map(({ name }) => name)}`,
      );
  }

  incidents(): Incident[] {
    return this.state
      .snapshot()
      .filter(({ pk }) => pk.startsWith('incident#'))
      .map(({ value }) => parseIncident(value));
  }
}

/** An incident as the state holds it. */
export const parseIncident = (value: unknown): Incident =>
  Incident.parse(JSON.parse((value as { incident: string }).incident));

function gatedState(state: State, pass: (call: string) => Promise<void>): State {
  const around = async <T>(call: string, apply: () => Promise<T>): Promise<T> => {
    await pass(call);
    const result = await apply();
    await pass(`${call} answered`);
    return result;
  };
  return {
    read: (key, schema, by) => around(`read ${key.pk}`, () => state.read(key, schema, by)),
    readAll: (keys, schema, by) => around(`read ${keys.length} items`, () => state.readAll(keys, schema, by)),
    create: (key, value, by, options) => around(`create ${key.pk}`, () => state.create(key, value, by, options)),
    replace: (stored, value, by, options) =>
      around(`replace ${stored.key.pk}`, () => state.replace(stored, value, by, options)),
    remove: (stored, by) => around(`remove ${stored.key.pk}`, () => state.remove(stored, by)),
    async *list(pk, schema, by, options) {
      await pass(`list ${pk}`);
      yield* state.list(pk, schema, by, options);
    },
  };
}
