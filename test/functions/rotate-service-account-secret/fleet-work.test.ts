import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isLookDue, lastDue, lookedAt } from '../../../functions/rotate-service-account-secret/fleet-daily.ts';
import { createLeases } from '../../../functions/rotate-service-account-secret/fleet-lease.ts';
import { eachOf, hashed, spread } from '../../../functions/rotate-service-account-secret/fleet-spread.ts';
import { systemClock } from '../../../lib/runtime/clock.ts';
import { deadlineIn } from '../../../lib/runtime/deadline.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { createMemoryState } from '../../support/memory-state.ts';
import { assertProperty } from '../../support/properties.ts';

const HOUR = 3_600_000;
const deadline = deadlineIn(60_000, systemClock);

describe('work', () => {
  const names = fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 50 });

  it('is done on every item once, in an order that does not depend on how it came', () => {
    assertProperty(
      fc.property(names, (list) => {
        const order = spread(list, (name) => name);
        expect(order.toSorted()).toEqual(list.toSorted());
        expect(spread(list.toReversed(), (name) => name)).toEqual(order);
      }),
    );
  });

  it('falls on all hours of the day alike', () => {
    const hours = Array.from({ length: 24 }, () => 0);
    for (let n = 0; n < 2_400; n++) hours[hashed(`secret-${n}`, 24)]!++;
    expect(Math.min(...hours)).toBeGreaterThan(60);
  });

  it('never has more side by side than it may', async () => {
    let now = 0;
    let most = 0;
    await eachOf(Array.from({ length: 40 }).keys(), 7, async () => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, 1));
      now--;
    });
    expect(most).toBe(7);
  });
});

describe('a lease', () => {
  it.each([
    ['in one process', () => undefined],
    ['in the state', () => createMemoryState()],
  ])('%s is held by one at a time', async (_, make) => {
    const leases = createLeases(make(), systemClock);
    const first = await leases.claim('a', deadline);
    expect(first).toBeDefined();
    expect(await leases.claim('a', deadline)).toBeUndefined();
    expect(await leases.claim('b', deadline)).toBeDefined();
    await first?.[Symbol.asyncDispose]();
    expect(await leases.claim('a', deadline)).toBeDefined();
  });

  it('keeps other processes away, and ends by itself when its holder has died', async () => {
    const clock = manualClock();
    const state = createMemoryState({ clock });
    const [one, other] = [createLeases(state, clock), createLeases(state, clock)];
    await one.claim('a', deadline);
    expect(await other.claim('a', deadline)).toBeUndefined();
    clock.advance(15 * 60_000);
    expect(await other.claim('a', deadline), 'longer than any run').toBeUndefined();
    clock.advance(2 * 60_000);
    expect(await other.claim('a', deadline)).toBeDefined();
  });

  it('that ended is not given back in place of the next one', async () => {
    const clock = manualClock();
    const state = createMemoryState({ clock });
    const late = await createLeases(state, clock).claim('a', deadline);
    clock.advance(17 * 60_000);
    const other = createLeases(state, clock);
    await other.claim('a', deadline);
    await late?.[Symbol.asyncDispose]();
    expect(await createLeases(state, clock).claim('a', deadline)).toBeUndefined();
  });

  it('that can’t be asked for is an error, and not a leave to write', async () => {
    const broken = createMemoryState({
      before: () => {
        throw new Error('the table is away');
      },
    });
    const leases = createLeases(broken, systemClock);
    await expect(leases.claim('a', deadline)).rejects.toThrow('away');
    await expect(leases.claim('a', deadline), 'nor is it held').rejects.toThrow('away');
  });
});

describe('the look of the day', () => {
  it('was last due within the day, at an hour of its own', () => {
    assertProperty(
      fc.property(
        fc.string(),
        fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('2100-01-01') }),
        (name, now) => {
          const due = lastDue(name, now);
          expect(now.getTime() - due.getTime()).toBeGreaterThanOrEqual(0);
          expect(now.getTime() - due.getTime()).toBeLessThan(24 * HOUR);
          expect(due.getUTCHours()).toBe(hashed(name, 24));
        },
      ),
    );
  });

  const runs = async (state: ReturnType<typeof createMemoryState> | undefined, hours: readonly number[]) => {
    const looks: number[] = [];
    for (const hour of hours) {
      const now = new Date(hour * HOUR + 7 * 60_000);
      if (!(await isLookDue('atlas', now, state, deadline))) continue;
      looks.push(hour);
      await lookedAt(now, state, deadline);
    }
    return looks;
  };
  const everyHour = Array.from({ length: 72 }, (_, hour) => hour + 24);

  it('is had once a day without a memory', async () => {
    const looks = await runs(undefined, everyHour);
    expect(looks).toHaveLength(3);
    expect(new Set(looks.map((hour) => hour % 24)).size).toBe(1);
  });

  it('is made up for, with one, when its hour was missed', async () => {
    const at = hashed('atlas', 24);
    const missed = everyHour.filter((hour) => hour % 24 !== at);
    const looks = await runs(createMemoryState(), missed);
    expect(looks.length).toBeGreaterThanOrEqual(3);
    expect(looks.slice(1).map((hour) => hour % 24)).toEqual(looks.slice(1).map(() => (at + 1) % 24));
    expect(await runs(undefined, missed)).toEqual([]);
  });
});
