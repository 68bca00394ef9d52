import fc from 'fast-check';
import type { Traits } from '../../../lib/tickets/tickets.ts';
import type { Fate } from './memory-tracker.ts';
import { BridgeWorld, type WorldOptions } from './world.ts';

export type Command =
  | { readonly do: 'open'; readonly cluster: number }
  | {
      readonly do: 'update' | 'close' | 'cancel' | 'acknowledged by a person';
      readonly alert: number;
      readonly told: boolean;
    }
  | { readonly do: 'deliver'; readonly message: number; readonly together: number }
  | { readonly do: 'run'; readonly picks: readonly number[] }
  | { readonly do: 'pass'; readonly seconds: number }
  | { readonly do: 'drain' | 'reconcile' | 'finish' }
  | { readonly do: 'kill'; readonly worker: number }
  | { readonly do: 'fate'; readonly of: Fate; readonly calls: number }
  | { readonly do: 'people'; readonly ticket: number; readonly what: Parameters<BridgeWorld['people']>[1] }
  | { readonly do: 'tell update'; readonly update: number }
  | { readonly do: 'atlas'; readonly isDown: boolean };

const small = fc.nat({ max: 12 });

/** Deliveries weigh most: what is told twice, late and in any order is what it is about. */
export const commands: fc.Arbitrary<Command[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('open' as const), cluster: fc.nat({ max: 1 }) }) },
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constantFrom(
          'update' as const,
          'close' as const,
          'close' as const,
          'cancel' as const,
          'acknowledged by a person' as const,
        ),
        alert: small,
        told: fc.boolean(),
      }),
    },
    {
      weight: 9,
      arbitrary: fc.record({
        do: fc.constant('deliver' as const),
        message: small,
        together: fc.integer({ min: 1, max: 4 }),
      }),
    },
    {
      weight: 12,
      arbitrary: fc.record({
        do: fc.constant('run' as const),
        picks: fc.array(small, { minLength: 1, maxLength: 30 }),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant('pass' as const),
        seconds: fc.constantFrom(1, 3, 15, 35, 61, 400, 2_000),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('drain' as const, 'reconcile' as const) }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('finish' as const) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('kill' as const), worker: small }) },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('fate' as const),
        of: fc.constantFrom<Fate[]>('lost', 'lost', 'refused', 'busy', 'field', 'stop'),
        calls: fc.integer({ min: 1, max: 3 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('people' as const),
        ticket: small,
        what: fc.constantFrom(
          'close' as const,
          "won't fix" as const,
          'reopen' as const,
          'edit' as const,
          'delete' as const,
          'assign' as const,
          'assign' as const,
          'unassign' as const,
        ),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('tell update' as const), update: small }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('atlas' as const), isDown: fc.boolean() }) },
  ),
  { minLength: 8, maxLength: 60 },
);

/** Plays a history: every call of every process waits until a `run` picks it. */
export async function play(
  history: readonly Command[],
  options: Omit<WorldOptions, 'gate'> & { traits?: Partial<Traits> } = {},
): Promise<BridgeWorld> {
  const { traits } = options;
  const waiting: (() => void)[] = [];
  const world = new BridgeWorld({
    ...options,
    gate: () =>
      new Promise((resolve) => {
        waiting.push(resolve);
      }),
  });
  let fate: { of: Fate; calls: number } | undefined;
  world.tracker.fate = () => {
    if (!fate || fate.calls-- <= 0) return 'fine';
    return fate.of;
  };
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  /** Lets every process go on until it is done, or sleeps. */
  const release = async (): Promise<void> => {
    for (let quiet = 0; quiet < 3; ) {
      const next = waiting.shift();
      next?.();
      await turn();
      quiet = next ? 0 : quiet + 1;
    }
  };
  for (const command of history) {
    const { alerts } = world.atlas;
    switch (command.do) {
      case 'open':
        world.emit(world.atlas.open(command.cluster === 0 ? 'alpha' : 'beta'), 'alert.open');
        world.deliver(world.inbox.length - 1);
        break;
      case 'update':
      case 'close':
      case 'cancel':
      case 'acknowledged by a person': {
        const alert = alerts[command.alert % Math.max(1, alerts.length)];
        if (alert?.status !== 'OPEN') break;
        if (command.do === 'close') world.atlas.end(alert, 'CLOSED');
        else if (command.do === 'cancel') world.atlas.end(alert, 'CANCELLED');
        else {
          // Over well before everything is at rest: its end is news, and worth a write.
          if (command.do !== 'update')
            alert.acknowledged = { until: world.now + 600_000, by: 'grace', comment: 'mine' };
          alert.updated = Math.floor(world.now / 1_000) * 1_000;
        }
        world.emit(
          alert,
          command.do === 'close' ? 'alert.close' : command.do === 'cancel' ? 'alert.cancel' : 'alert.update',
        );
        if (command.told) world.deliver(world.inbox.length - 1);
        break;
      }
      case 'deliver':
        world.deliver(command.message, command.together);
        break;
      case 'run':
        for (const pick of command.picks) {
          await turn();
          waiting.splice(pick % Math.max(1, waiting.length), 1)[0]?.();
        }
        await turn();
        break;
      case 'pass':
        world.advance(command.seconds * 1_000);
        break;
      case 'drain':
        world.drain();
        break;
      case 'reconcile':
        world.reconcile();
        break;
      case 'finish':
        await release();
        break;
      case 'kill':
        world.kill(command.worker);
        break;
      case 'fate':
        fate = { of: command.of, calls: command.calls };
        break;
      case 'people': {
        const row = world.tracker.rows[command.ticket % Math.max(1, world.tracker.rows.length)];
        if (row) world.people(row, command.what);
        break;
      }
      case 'tell update':
        world.tellUpdate(command.update);
        break;
      case 'atlas':
        world.atlas.isDown = command.isDown;
        break;
    }
  }
  // From here on nothing goes wrong any more, and everything that was said arrives.
  fate = undefined;
  world.atlas.isDown = false;
  world.gated = false;
  await release();
  world.redeliver();
  await world.settle();
  // Who does not look for himself hears everything at least once.
  for (const [index, message] of options.naive ? world.inbox.entries() : []) {
    if (!world.delivered.has(message)) world.deliver(index);
    await world.settle();
  }
  // And once more, the oldest last: what is late or repeated is no news.
  const updates = [...world.updates.keys()];
  for (const update of [...updates, ...updates.toReversed()]) {
    world.tellUpdate(update);
    await world.settle();
  }
  await world.rest(traits?.reopens === false ? 40 : 14);
  return world;
}
