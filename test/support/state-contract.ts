import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { type Key, type State, StateUnreadable, type Stored } from '../../lib/aws/state.ts';
import { type Clock, systemClock } from '../../lib/runtime/clock.ts';
import { deadlineIn } from '../../lib/runtime/deadline.ts';
import { manualClock } from './manual-clock.ts';
import { assertProperty } from './properties.ts';

/** An instance by this clock; every test asks for its own and uses keys nobody else has. */
export type MakeState = (clock: Pick<Clock, 'now'>) => State;

const soon = () => deadlineIn(15_000, systemClock);
const Any = z.unknown();
const Count = z.object({ count: z.int() });

let issued = 0;
/** A partition no other test uses, in this process or in another one beside it. */
const partition = (): string => `contract-${process.pid}-${Date.now()}-${++issued}`;

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

const keysOf = async (items: AsyncIterable<Stored<unknown>>): Promise<string[]> =>
  (await all(items)).map(({ key }) => key.sk);

function written<V>(stored: Stored<V> | undefined): Stored<V> {
  if (!stored) throw new Error('was not written');
  return stored;
}

/** What every State does, whatever it stands on. */
export function stateContract(make: MakeState): void {
  const open = () => {
    const clock = manualClock();
    return { state: make(clock), clock, key: { pk: partition(), sk: 'one' } };
  };

  describe('an item', () => {
    it('is read as it was written, without what is undefined', async () => {
      const { state, key } = open();
      const value = { text: 'ü\u{1F600}\n', empty: '', no: null, deep: { list: [1, -2.5, { yes: true }] } };
      const stored = await state.create(key, { ...value, gone: undefined }, soon());
      expect(await state.read(key, Any, soon())).toEqual({ key, value, version: stored?.version });
    });

    it('that is not there is undefined', async () => {
      const { state, key } = open();
      expect(await state.read(key, Any, soon())).toBeUndefined();
      expect(await keysOf(state.list(key.pk, Any, soon()))).toEqual([]);
    });

    it('is read among others as by itself, in the order that was asked for', async () => {
      const { state, clock, key } = open();
      const at = (nth: number): Key => ({ ...key, sk: `item ${nth}` });
      const keys = Array.from({ length: 230 }, (_, nth) => at(nth));
      for (const nth of [3, 120, 229]) await state.create(at(nth), { count: nth }, soon());
      await state.create(at(7), { count: 7 }, soon(), { expiresAt: new Date(clock.now().getTime() + 1_000) });
      clock.advance(2_000);
      const asked = [...keys.toReversed(), at(3)];
      const read = await state.readAll(asked, Count, soon());
      expect(read).toEqual(await Promise.all(asked.map((each) => state.read(each, Count, soon()))));
      expect(read.flatMap((each) => each?.value.count ?? [])).toEqual([229, 120, 3, 3]);
      expect(await state.readAll([], Count, soon())).toEqual([]);
      await expect(state.readAll([at(3), at(120)], z.object({ count: z.string() }), soon())).rejects.toThrow(
        StateUnreadable,
      );
    });

    it('is read among so many that one answer does not hold them', async () => {
      const { state, key } = open();
      const keys = Array.from({ length: 45 }, (_, nth) => ({ ...key, sk: `large ${nth}` }));
      for (const [count, each] of keys.entries())
        await state.create(each, { count, filling: 'x'.repeat(390_000) }, soon());
      const read = await state.readAll(keys, Count, soon());
      expect(read.map((each) => each?.value.count)).toEqual([...keys.keys()]);
    });

    it('whose value its reader does not take is not read as anything, and not quoted', async () => {
      const { state, key } = open();
      await state.create(key, { count: 'mdb_sa_sk_secret' }, soon());
      // One after the other: a reading that failed before it was waited for would be nobody's.
      for (const read of [() => state.read(key, Count, soon()), () => keysOf(state.list(key.pk, Count, soon()))]) {
        const error = await read().catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(StateUnreadable);
        expect(error).toMatchObject({
          code: 'STATE_UNREADABLE',
          disposition: 'give-up',
          facts: { ...key, problems: [{ path: 'count' }] },
        });
        expect(JSON.stringify(error) + String(error)).not.toContain('mdb_sa_sk');
      }
    });

    it('is not written with a value that could not be read again as it was', async () => {
      const { state, key } = open();
      await expect(state.create(key, { at: new Date() }, soon())).rejects.toThrow();
      expect(await state.read(key, Any, soon())).toBeUndefined();
    });
  });

  describe('a write', () => {
    it('creates once', async () => {
      const { state, key } = open();
      const first = await state.create(key, { count: 1 }, soon());
      expect(await state.create(key, { count: 2 }, soon())).toBeUndefined();
      expect(await state.read(key, Count, soon())).toEqual(first);
    });

    it('replaces the version that was read, and no other', async () => {
      const { state, key } = open();
      const first = written(await state.create(key, { count: 1 }, soon()));
      const second = written(await state.replace(first, { count: 2 }, soon()));
      expect(await state.replace(first, { count: 3 }, soon())).toBeUndefined();
      expect(await state.read(key, Count, soon())).toEqual(second);
      expect(second.version).not.toBe(first.version);
    });

    it('replaces nothing where nothing is', async () => {
      const { state, key } = open();
      expect(await state.replace({ key, version: 1 }, { count: 1 }, soon())).toBeUndefined();
      expect(await state.remove({ key, version: 1 }, soon())).toBe(false);
      expect(await state.read(key, Any, soon())).toBeUndefined();
    });

    it('removes the version that was read, once', async () => {
      const { state, key } = open();
      const first = written(await state.create(key, { count: 1 }, soon()));
      const second = written(await state.replace(first, { count: 2 }, soon()));
      expect(await state.remove(first, soon())).toBe(false);
      expect(await state.read(key, Count, soon())).toEqual(second);
      expect(await state.remove(second, soon())).toBe(true);
      expect(await state.remove(second, soon())).toBe(false);
      expect(await state.read(key, Any, soon())).toBeUndefined();
      expect(await keysOf(state.list(key.pk, Any, soon()))).toEqual([]);
    });

    it('does not take an item for the one that was there before it was removed and created anew', async () => {
      const { state, key } = open();
      const first = written(await state.create(key, { count: 1 }, soon()));
      await state.remove(first, soon());
      const anew = written(await state.create(key, { count: 1 }, soon()));
      expect(await state.replace(first, { count: 2 }, soon())).toBeUndefined();
      expect(await state.remove(first, soon())).toBe(false);
      expect(await state.replace({ key, version: first.version + 1 }, { count: 3 }, soon())).toBeUndefined();
      expect(await state.read(key, Count, soon())).toEqual(anew);
    });

    it.each(['create', 'replace', 'remove'] as const)('of many at once is one: %s', async (operation) => {
      const { state, key } = open();
      const first = operation === 'create' ? undefined : written(await state.create(key, { by: -1 }, soon()));
      const outcomes = await Promise.all(
        Array.from({ length: 12 }, async (_, by) => {
          if (!first) return (await state.create(key, { by }, soon())) !== undefined;
          if (operation === 'remove') return state.remove(first, soon());
          return (await state.replace(first, { by }, soon())) !== undefined;
        }),
      );
      expect(outcomes.filter(Boolean)).toHaveLength(1);
      const now = await state.read(key, z.object({ by: z.int() }), soon());
      expect(now?.value.by).toBe(operation === 'remove' ? undefined : outcomes.indexOf(true));
    });
  });

  describe('an item that expires', () => {
    const scene = async () => {
      const { state, clock, key } = open();
      const expiresAt = new Date(clock.now().getTime() + 60_500);
      const stored = written(await state.create(key, { count: 1 }, soon(), { expiresAt }));
      return { state, clock, key, stored };
    };

    it('is there until then', async () => {
      const { state, clock, key, stored } = await scene();
      clock.advance(60_400);
      expect(await state.read(key, Count, soon())).toEqual(stored);
      expect(await state.create(key, { count: 2 }, soon())).toBeUndefined();
    });

    it('counts as absent from then on', async () => {
      const { state, clock, key, stored } = await scene();
      clock.advance(61_000);
      expect(await state.read(key, Count, soon())).toBeUndefined();
      expect(await keysOf(state.list(key.pk, Any, soon()))).toEqual([]);
      expect(await state.replace(stored, { count: 2 }, soon())).toBeUndefined();
      expect(await state.remove(stored, soon())).toBe(false);
    });

    it('is created anew, and not for whoever still holds the old version', async () => {
      const { state, clock, key, stored } = await scene();
      clock.advance(61_000);
      const anew = written(await state.create(key, { count: 2 }, soon()));
      expect(await state.replace(stored, { count: 3 }, soon())).toBeUndefined();
      expect(await state.read(key, Count, soon())).toEqual(anew);
    });

    it('lives on when it is replaced without saying until when', async () => {
      const { state, clock, key, stored } = await scene();
      await state.replace(stored, { count: 2 }, soon());
      clock.advance(3_600_000);
      expect((await state.read(key, Count, soon()))?.value).toEqual({ count: 2 });
    });
  });

  describe('a list', () => {
    const scene = async () => {
      const { state, key } = open();
      const { pk } = key;
      for (const sk of ['b/2', 'a', 'b/10', 'b/1', 'c', 'ä', '\u{1F600}', '\uFF5E', 'B'])
        await state.create({ pk, sk }, { sk }, soon());
      await state.create({ pk: `${pk}x`, sk: 'a' }, {}, soon());
      return { state, pk };
    };

    it('has all of a partition and nothing else, in order of bytes', async () => {
      const { state, pk } = await scene();
      const inOrder = ['B', 'a', 'b/1', 'b/10', 'b/2', 'c', 'ä', '\uFF5E', '\u{1F600}'];
      expect(await keysOf(state.list(pk, Any, soon()))).toEqual(inOrder);
      expect(await keysOf(state.list(pk, Any, soon(), { newestFirst: true }))).toEqual(inOrder.toReversed());
      const [{ value } = {}] = await all(state.list(pk, z.object({ sk: z.string() }), soon()));
      expect(value).toEqual({ sk: 'B' });
    });

    it.each([
      [{ prefix: 'b/' }, ['b/1', 'b/10', 'b/2']],
      [{ prefix: 'b/', newestFirst: true }, ['b/2', 'b/10', 'b/1']],
      [{ prefix: 'none' }, []],
      [{ after: 'b/2' }, ['c', 'ä', '\uFF5E', '\u{1F600}']],
      [{ after: 'b/15' }, ['b/2', 'c', 'ä', '\uFF5E', '\u{1F600}']],
      [{ after: 'b/1', newestFirst: true }, ['a', 'B']],
      [{ after: '' }, ['B', 'a', 'b/1', 'b/10', 'b/2', 'c', 'ä', '\uFF5E', '\u{1F600}']],
      [{ prefix: 'b/', after: 'b/1' }, ['b/10', 'b/2']],
      [{ prefix: 'b/', after: 'b/10', newestFirst: true }, ['b/1']],
      [{ prefix: 'b/', after: 'a' }, ['b/1', 'b/10', 'b/2']],
      [{ prefix: 'b/', after: 'c' }, []],
      [{ prefix: 'b/', after: 'c', newestFirst: true }, ['b/2', 'b/10', 'b/1']],
      [{ prefix: 'b/', after: 'a', newestFirst: true }, []],
    ])('%j', async (options, expected) => {
      const { state, pk } = await scene();
      expect(await keysOf(state.list(pk, Any, soon(), options))).toEqual(expected);
    });

    it('longer than a page is whole', async () => {
      const { state, key } = open();
      const sks = Array.from({ length: 9 }, (_, n) => `item ${n}`);
      for (const sk of sks) await state.create({ pk: key.pk, sk }, { much: 'x'.repeat(300_000) }, soon());
      expect(await keysOf(state.list(key.pk, Any, soon()))).toEqual(sks);
    });
  });

  describe('writers at the same time', () => {
    const Step = fc.constantFrom('read', 'create', 'replace', 'remove');
    const Value = z.object({ id: z.string(), saw: z.string().nullable() });
    type Held = Stored<z.output<typeof Value>> | undefined;

    /** Writes and removals that were carried out, each with the write it saw. */
    const worker = async (state: State, key: Key, name: string, steps: readonly string[], done: [string, string][]) => {
      let held: Held;
      for (const [at, step] of steps.entries()) {
        const id = `${name}${at}`;
        if (step === 'read') held = await state.read(key, Value, soon());
        if (step === 'create') {
          const created = await state.create(key, { id, saw: null }, soon());
          if (created) held = created;
        }
        if (step === 'replace' && held) {
          const saw: string = held.value.id;
          const replaced: Held = await state.replace(held, { id, saw }, soon());
          if (replaced) {
            done.push([saw, id]);
            held = replaced;
          }
        }
        if (step === 'remove' && held) {
          if (await state.remove(held, soon())) done.push([held.value.id, `removed by ${id}`]);
        }
      }
    };

    it('never lose an update: no write is the last one that two others saw', async () => {
      await assertProperty(
        fc.asyncProperty(
          fc.array(Step, { minLength: 4, maxLength: 14 }),
          fc.array(Step, { minLength: 4, maxLength: 14 }),
          async (one, other) => {
            const { state, key } = open();
            const done: [string, string][] = [];
            await Promise.all([worker(state, key, 'a', one, done), worker(state, key, 'b', other, done)]);
            const seen = done.map(([saw]) => saw);
            expect(new Set(seen).size).toBe(seen.length);
            // What is there now was seen by nobody who wrote after it.
            const last = await state.read(key, Value, soon());
            if (last) expect(seen).not.toContain(last.value.id);
          },
        ),
        { numRuns: 40 },
      );
    });

    it('count up to what all of them added', async () => {
      const { state, key } = open();
      await state.create(key, { count: 0 }, soon());
      const add = async (): Promise<void> => {
        for (;;) {
          const now = written(await state.read(key, Count, soon()));
          if (await state.replace(now, { count: now.value.count + 1 }, soon())) return;
        }
      };
      await Promise.all(
        [1, 2, 3].map(async () => {
          for (let n = 0; n < 8; n++) await add();
        }),
      );
      expect((await state.read(key, Count, soon()))?.value).toEqual({ count: 24 });
    });
  });
}
