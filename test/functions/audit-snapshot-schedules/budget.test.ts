import { describe, expect, it } from 'vitest';
import { createBudget } from '../../../functions/audit-snapshot-schedules/inventory/budget.ts';
import { causeOf } from '../../../functions/audit-snapshot-schedules/inventory/reading.ts';
import { createRoom } from '../../../functions/audit-snapshot-schedules/inventory/room.ts';
import { fullJitter } from '../../../functions/audit-snapshot-schedules/services.ts';
import {
  AtlasContractBroken,
  AtlasRejected,
  AtlasTokenLimitReached,
  AtlasUnavailable,
} from '../../../lib/atlas/errors.ts';
import { getGroupCluster } from '../../../lib/atlas/operations/clusters.ts';
import type { Answer } from '../../../lib/atlas/transport.ts';
import { fakeAtlas } from '../../support/fake-atlas.ts';
import { manualClock } from '../../support/manual-clock.ts';

const GROUP = '5f0000000000000000000001';
const path = (rest: string, group = GROUP): string => `/api/atlas/v2/groups/${group}/${rest}`;
const SNAPSHOTS = path('clusters/prod/backup/snapshots?itemsPerPage=500');
const answer = (status: number, headers: Record<string, string> = {}): Answer => ({
  kind: 'answer',
  status,
  headers,
  json: {},
});
const left = (remaining: number, limit = 1_200) =>
  answer(200, { 'ratelimit-remaining': String(remaining), 'ratelimit-limit': String(limit) });

describe('the budget', () => {
  it('A16: leaves the last fifth of a limit to others', async () => {
    const clock = manualClock();
    const budget = createBudget(10, clock);
    const call = async (where: string, remaining: number) => {
      await budget.enter(where);
      budget.leave(where, left(remaining));
    };
    await call(SNAPSHOTS, 300);
    await call(SNAPSHOTS, 241);
    expect(clock.waits).toEqual([]);
    await call(SNAPSHOTS, 200);
    // Below a fifth of 1,200: one call to learn whether there is more again, and then a pause.
    await call(path('backupCompliancePolicy'), 199);
    await call(SNAPSHOTS, 900);
    expect(clock.waits).toEqual([10_000]);
    await call(SNAPSHOTS, 899);
    expect(clock.waits).toHaveLength(1);
    // Other limits, and other projects, are other buckets.
    await call(path('clusters?itemsPerPage=500'), 9_000);
    await call(path('clusters/prod/backup/snapshots', '5f0000000000000000000002'), 1_100);
    expect(clock.waits).toHaveLength(1);
    expect(budget.cost).toMatchObject({ calls: 8, waitedMs: 10_000 });
  });

  it('does not hold back where Atlas leaves the headers out', async () => {
    const clock = manualClock();
    const budget = createBudget(10, clock);
    for (let nth = 0; nth < 20; nth++) {
      await budget.enter(SNAPSHOTS);
      budget.leave(SNAPSHOTS, answer(200));
    }
    expect(clock.waits).toEqual([]);
  });

  it('gives up rather than wait past the time there is', async () => {
    const clock = manualClock();
    const budget = createBudget(10, clock);
    await budget.enter(SNAPSHOTS);
    budget.leave(SNAPSHOTS, answer(429, { 'retry-after': '60' }));
    const deadline = { signal: new AbortController().signal, remainingMs: () => 30_000 };
    await expect(budget.enter(SNAPSHOTS, deadline)).rejects.toThrow(AtlasUnavailable);
    expect(budget.cost.throttled).toBe(1);
  });

  it('lets no more calls go at a time than there are sockets', async () => {
    const budget = createBudget(3, manualClock());
    let entered = 0;
    const all = Array.from({ length: 10 }, () => budget.enter(SNAPSHOTS).then(() => entered++));
    await Promise.resolve().then(() => {});
    await new Promise((resolve) => setImmediate(resolve));
    expect(entered).toBe(3);
    for (let nth = 0; nth < 10; nth++) {
      budget.leave(SNAPSHOTS, answer(200));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(all);
    expect(entered).toBe(10);
  });

  it('knows Atlas’s clock', async () => {
    const clock = manualClock(new Date('2030-01-01T00:00:00Z'));
    const budget = createBudget(3, clock);
    await budget.enter(SNAPSHOTS);
    budget.leave(SNAPSHOTS, answer(200, { date: 'Tue, 01 Jan 2030 00:02:00 GMT' }));
    expect(budget.aheadMs).toBe(120_000);
    await budget.enter(SNAPSHOTS);
    budget.leave(SNAPSHOTS, answer(200, { date: 'Tue, 01 Jan 2030 00:00:01 GMT' }));
    expect(budget.aheadMs).toBe(0);
  });
});

describe('being turned away', () => {
  it.each([429, 503])(
    'A15: after a %s that does not say when to come back, waits longer each time, all of it jitter',
    async (status) => {
      const draws = [0.5, 0.25, 1];
      const random = fullJitter(() => draws.shift() ?? 0);
      const { atlas, pool, grant, clock } = fakeAtlas({
        backoff: { attempts: 4, baseMs: 10_000, maxMs: 40_000 },
        random,
      });
      grant('token');
      const params = { groupId: GROUP, clusterName: 'prod' };
      pool
        .intercept({ method: 'GET', path: path('clusters/prod') })
        .reply(status, {})
        .times(3);
      pool.intercept({ method: 'GET', path: path('clusters/prod') }).reply(200, { name: 'prod' });
      await expect(atlas.call(getGroupCluster, { params })).resolves.toMatchObject({ name: 'prod' });
      expect(clock.waits).toEqual([5_000, 5_000, 40_000]);
    },
  );
});

it('tells causes apart by what somebody would do about them', () => {
  expect(causeOf(new AtlasRejected('x', 403))).toBe('forbidden');
  expect(causeOf(new AtlasRejected('x', 401, 'USER_UNAUTHORIZED'))).toBe('forbidden');
  expect(causeOf(new AtlasTokenLimitReached('x'))).toBe('auth-capacity');
  expect(causeOf(new AtlasUnavailable('x', { status: 429 }))).toBe('throttled');
  expect(causeOf(new AtlasUnavailable('x', { status: 503 }))).toBe('unavailable');
  expect(causeOf(new AtlasContractBroken('x'))).toBe('contract');
  expect(causeOf(new AtlasRejected('x', 404, 'RESOURCE_NOT_FOUND'))).toBe('not-offered');
  expect(causeOf(new TypeError('x'))).toBe('unexpected');
});

it('gives room in the order it is asked for, and never more than there is', async () => {
  const room = createRoom(10);
  const order: string[] = [];
  const leave = await room.take(8);
  const large = room.take(99).then((back) => {
    order.push('large');
    return back;
  });
  const small = room.take(1).then((back) => {
    order.push('small');
    return back;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(order).toEqual([]);
  leave();
  (await large)();
  await small;
  expect(order).toEqual(['large', 'small']);
});
