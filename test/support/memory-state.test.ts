import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { systemClock } from '../../lib/runtime/clock.ts';
import { deadlineIn } from '../../lib/runtime/deadline.ts';
import { createMemoryState, type Effect } from './memory-state.ts';
import { stateContract } from './state-contract.ts';

const soon = () => deadlineIn(5_000, systemClock);
const key = { pk: 'a', sk: 'b' };

describe('the state in memory', () => {
  stateContract((clock) => createMemoryState({ clock }));

  it('fails before an effect without carrying it out, and after it once it is', async () => {
    const effects: Effect[] = [];
    let failing: 'before' | 'after' | undefined;
    const fail = (when: typeof failing) => (effect: Effect) => {
      if (when === 'before') effects.push(effect);
      if (failing === when) throw new Error(`fails ${when}`);
    };
    const state = createMemoryState({ before: fail('before'), after: fail('after') });
    failing = 'before';
    await expect(state.create(key, { n: 1 }, soon())).rejects.toThrow('fails before');
    expect(state.snapshot()).toEqual([]);
    failing = 'after';
    await expect(state.create(key, { n: 1 }, soon())).rejects.toThrow('fails after');
    expect(state.snapshot()).toEqual([{ ...key, value: { n: 1 } }]);
    failing = undefined;
    const stored = await state.read(key, z.object({ n: z.int() }), soon());
    if (stored) await state.remove(stored, soon());
    expect(effects.map(({ operation }) => operation)).toEqual(['create', 'create', 'read', 'remove']);
  });
});
