import { describe, expect, it } from 'vitest';
import { createPace } from '../../../lib/atlas/pace.ts';
import type { Answer } from '../../../lib/atlas/transport.ts';
import type { Clock } from '../../../lib/runtime/clock.ts';

const PATH = '/api/atlas/v2/orgs/0123456789abcdef01234567/serviceAccounts/mdb_sa_id_x';

/** Time that jumps to whatever is slept for next, once nothing else can happen. */
function jumpingClock(): Clock & { readonly sleeps: number[] } {
  let now = 1_000_000;
  const sleeps: number[] = [];
  return {
    sleeps,
    now: () => new Date(now),
    async sleep(ms, signal) {
      const until = now + ms;
      await new Promise((resolve) => setTimeout(resolve, 5));
      signal?.throwIfAborted();
      if (until > now) sleeps.push(ms);
      now = Math.max(now, until);
    },
  };
}

const left = (remaining: number, limit = 500): Answer => ({
  kind: 'answer',
  status: 200,
  headers: { 'ratelimit-remaining': String(remaining), 'ratelimit-limit': String(limit) },
  json: {},
});

/** A token bucket as Atlas keeps it: refilled by whole minutes. */
function bucket(clock: Clock, start: number, { capacity = 500, refill = 250 } = {}) {
  let tokens = start;
  let since = clock.now().getTime();
  let refused = 0;
  return {
    get refused() {
      return refused;
    },
    take(): Answer {
      const minutes = Math.floor((clock.now().getTime() - since) / 60_000);
      tokens = Math.min(capacity, tokens + minutes * refill);
      since += minutes * 60_000;
      if (tokens > 0) return left(--tokens, capacity);
      refused++;
      return { kind: 'answer', status: 429, headers: { 'retry-after': '60' }, json: {} };
    },
  };
}

async function load(clock: Clock, start: number, calls: number, atOnce: number, size = {}) {
  const pace = createPace(clock);
  const atlas = bucket(clock, start, size);
  let highest = 0;
  let inFlight = 0;
  const queue = Array.from({ length: calls }).values();
  const work = async (): Promise<void> => {
    for (const _ of queue) {
      await pace.enter(PATH);
      highest = Math.max(highest, ++inFlight);
      await Promise.resolve();
      const answer = atlas.take();
      inFlight--;
      pace.leave(PATH, answer);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return { refused: atlas.refused, highest };
}

describe('a pace', () => {
  it('lets through what fits, and waits for nothing', async () => {
    const clock = jumpingClock();
    expect((await load(clock, 500, 300, 16)).refused).toBe(0);
    expect(clock.sleeps).toEqual([]);
  });

  it.each([500, 250, 60, 25, 5, 1])(
    'never has a call refused with %i left at the start, however many go at once',
    async (start) => {
      const clock = jumpingClock();
      const { refused } = await load(clock, start, 700, 32);
      expect(refused).toBe(0);
    },
  );

  it('copes with a limit of ten calls', async () => {
    const clock = jumpingClock();
    expect((await load(clock, 10, 30, 16, { capacity: 10, refill: 5 })).refused).toBe(0);
  });

  it('begins with one call, which says how many may follow', async () => {
    const pace = createPace(jumpingClock());
    await pace.enter(PATH);
    let second = false;
    const waiting = pace.enter(PATH).then(() => {
      second = true;
    });
    await Promise.resolve();
    expect(second).toBe(false);
    pace.leave(PATH, left(400));
    await waiting;
    expect(second).toBe(true);
  });

  it('does without the headers where Atlas leaves them out', async () => {
    const clock = jumpingClock();
    const pace = createPace(clock);
    await pace.enter(PATH);
    pace.leave(PATH, { kind: 'answer', status: 200, headers: {}, json: {} });
    await Promise.all(Array.from({ length: 100 }, () => pace.enter(PATH)));
    expect(clock.sleeps).toEqual([]);
  });

  it('holds everybody back after a refusal, for as long as Atlas asks', async () => {
    const clock = jumpingClock();
    const pace = createPace(clock);
    await pace.enter(PATH);
    pace.leave(PATH, { kind: 'answer', status: 429, headers: { 'retry-after': '17' }, json: {} });
    const before = clock.now().getTime();
    await pace.enter(PATH);
    expect(clock.now().getTime() - before).toBeGreaterThanOrEqual(17_000);
  });

  it('refuses at once what would have to wait past the deadline', async () => {
    const clock = jumpingClock();
    const pace = createPace(clock);
    await pace.enter(PATH);
    pace.leave(PATH, { kind: 'answer', status: 429, headers: { 'retry-after': '60' }, json: {} });
    const deadline = { signal: new AbortController().signal, remainingMs: () => 5_000 };
    await expect(pace.enter(PATH, deadline)).rejects.toMatchObject({ code: 'ATLAS_UNAVAILABLE' });
    expect(clock.sleeps).toEqual([]);
  });

  it('keeps apart what Atlas counts apart', async () => {
    const pace = createPace(jumpingClock());
    await pace.enter(PATH);
    await pace.enter(PATH.replace('01234567/', '76543210/').replace('orgs', 'groups'));
    await pace.enter('/api/atlas/v2/groups');
  });
});
