import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type * as z from 'zod';
import { firstVersion, type Key, type State, StateUnreadable, type Stored, secondsOf } from '../../lib/aws/state.ts';
import type { Clock } from '../../lib/runtime/clock.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import type { Deadline } from '../../lib/runtime/deadline.ts';

/** One call of the state. A list has no `sk`, and what reads many at once has that of the first. */
export interface Effect {
  readonly operation: 'read' | 'readAll' | 'create' | 'replace' | 'remove' | 'list';
  readonly pk: string;
  readonly sk?: string;
}

export interface MemoryStateOptions {
  readonly clock?: Pick<Clock, 'now'>;
  /** Runs before a call takes effect: what it throws means that nothing was carried out. */
  readonly before?: (effect: Effect) => Promise<void> | void;
  /** Runs after a call took effect: what it throws means that its answer was lost. */
  readonly after?: (effect: Effect) => Promise<void> | void;
}

interface Item extends Key {
  readonly value: unknown;
  readonly version: number;
  readonly expiresAt: number | undefined;
}

export interface MemoryState extends State {
  /** What is there now, expired items left out, in order of their keys: for assertions. */
  snapshot(): readonly (Key & { readonly value: unknown; readonly expiresAt: number | undefined })[];
}

const bytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** The state in memory, by the same contract as the one in DynamoDB. Each call takes effect in one step. */
export function createMemoryState(options: MemoryStateOptions = {}): MemoryState {
  const { clock = systemClock, before = () => {}, after = () => {} } = options;
  const items = new Map<string, Item>();
  const now = (): number => Math.floor(clock.now().getTime() / 1_000);
  const idOf = ({ pk, sk }: Key): string => JSON.stringify([pk, sk]);
  const there = (key: Key): Item | undefined => {
    const item = items.get(idOf(key));
    return item && (item.expiresAt === undefined || item.expiresAt > now()) ? item : undefined;
  };
  const parse = <S extends z.ZodType>({ pk, sk, value, version }: Item, schema: S): Stored<z.output<S>> => {
    const parsed = schema.safeParse(value);
    if (!parsed.success) throw new StateUnreadable({ pk, sk }, parsed.error);
    return { key: { pk, sk }, value: parsed.data, version };
  };
  const write = ({ pk, sk }: Key, value: object, version: number, expiresAt: Date | undefined): void => {
    // The way through DynamoDB's own types: what can't be stored there is refused here, too.
    const { kept } = unmarshall(marshall({ kept: value }, { removeUndefinedValues: true }));
    items.set(idOf({ pk, sk }), { pk, sk, value: kept, version, expiresAt: expiresAt && secondsOf(expiresAt) });
  };

  async function effect<Result>(what: Effect, { signal }: Deadline, apply: () => Result): Promise<Result> {
    signal.throwIfAborted();
    await before(what);
    const result = apply();
    await after(what);
    return result;
  }

  return {
    snapshot: () =>
      [...items.values()]
        .filter((item) => there(item))
        .toSorted((a, b) => bytes(a.pk, b.pk) || bytes(a.sk, b.sk))
        .map(({ pk, sk, value, expiresAt }) => ({ pk, sk, value, expiresAt })),

    read: (key, schema, deadline) =>
      effect({ operation: 'read', ...key }, deadline, () => {
        const item = there(key);
        return item && parse(item, schema);
      }),

    readAll: async (keys, schema, deadline) => {
      const [first] = keys;
      if (!first) return [];
      return effect({ operation: 'readAll', ...first }, deadline, () =>
        keys.map((key) => {
          const item = there(key);
          return item && parse(item, schema);
        }),
      );
    },

    create: (key, value, deadline, { expiresAt } = {}) =>
      effect({ operation: 'create', ...key }, deadline, () => {
        if (there(key)) return undefined;
        const version = firstVersion();
        write(key, value, version, expiresAt);
        return { key, value, version };
      }),

    replace: ({ key, version: seen }, value, deadline, { expiresAt } = {}) =>
      effect({ operation: 'replace', ...key }, deadline, () => {
        if (there(key)?.version !== seen) return undefined;
        write(key, value, seen + 1, expiresAt);
        return { key, value, version: seen + 1 };
      }),

    remove: ({ key, version }, deadline) =>
      effect({ operation: 'remove', ...key }, deadline, () => {
        if (there(key)?.version !== version) return false;
        return items.delete(idOf(key));
      }),

    async *list(pk, schema, deadline, { prefix = '', after: behind, newestFirst = false } = {}) {
      const found = await effect({ operation: 'list', pk }, deadline, () =>
        [...items.values()]
          .filter((item) => item.pk === pk && item.sk.startsWith(prefix) && there(item))
          .toSorted((a, b) => (newestFirst ? bytes(b.sk, a.sk) : bytes(a.sk, b.sk)))
          .filter(({ sk }) => !behind || (newestFirst ? bytes(sk, behind) < 0 : bytes(sk, behind) > 0)),
      );
      for (const item of found) yield parse(item, schema);
    },
  };
}
