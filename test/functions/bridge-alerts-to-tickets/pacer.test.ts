import { describe, expect, it } from 'vitest';
import { createPacer } from '../../../functions/bridge-alerts-to-tickets/pacer.ts';
import { deadlineIn } from '../../../lib/runtime/deadline.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { createMemoryState } from '../../support/memory-state.ts';

const MINUTE = 60_000;

/** Writes that may be sent within a minute, by containers that each ask every so often. */
async function within(minute: { containers: number; everyMs: number; writesPerMinute: number }) {
  const clock = manualClock();
  const state = createMemoryState({ clock });
  const pacers = Array.from({ length: minute.containers }, () => createPacer(state, clock));
  let taken = 0;
  let asked = 0;
  for (let at = 0; at < MINUTE; at += minute.everyMs) {
    for (const pacer of pacers) {
      asked++;
      const wait = await pacer.take('tracker', { writesPerMinute: minute.writesPerMinute }, deadlineIn(1_000, clock));
      if (!wait) taken++;
    }
    clock.advance(minute.everyMs);
  }
  return { taken, asked };
}

describe('a tracker’s budget', () => {
  it.each([
    ['one container, twice a second', { containers: 1, everyMs: 500, writesPerMinute: 300 }],
    ['five containers, each every ten seconds', { containers: 5, everyMs: 10_000, writesPerMinute: 60 }],
    ['ten containers, each every second', { containers: 10, everyMs: 1_000, writesPerMinute: 1_300 }],
  ])('is not used up by what nobody writes: %s', async (_, pace) => {
    const { taken, asked } = await within(pace);
    expect(taken).toBe(asked);
  });

  it.each([1, 7, 60, 300])(
    'of %i a minute is never exceeded, and is nearly all used by who always has more to write',
    async (writesPerMinute) => {
      const { taken } = await within({ containers: 4, everyMs: 50, writesPerMinute });
      expect(taken).toBeLessThanOrEqual(writesPerMinute);
      expect(taken).toBeGreaterThanOrEqual(Math.floor(writesPerMinute * 0.9));
    },
  );
});
