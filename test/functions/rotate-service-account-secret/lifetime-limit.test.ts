import { expect, it } from 'vitest';
import { createLifetimeLimit } from '../../../functions/rotate-service-account-secret/lifetime-limit.ts';
import { deadlineIn } from '../../../lib/runtime/deadline.ts';
import { fakeAtlas } from '../../support/fake-atlas.ts';

const orgId = 'a'.repeat(24);
const path = `/api/atlas/v2/orgs/${orgId}/settings`;

function scene(...tokens: string[]) {
  const { atlas, clock, pool, grant, calls } = fakeAtlas();
  // The second hour needs a token of its own.
  grant(...tokens);
  const limit = createLifetimeLimit(clock);
  const asked = () => calls().filter((call) => call.path === path).length;
  return { clock, pool, asked, ask: () => limit(atlas, orgId, deadlineIn(60_000, clock)) };
}

it('is asked once for all who ask together, and once an hour', async () => {
  const { clock, pool, asked, ask } = scene('first', 'second');
  pool.intercept({ path }).reply(200, { maxServiceAccountSecretValidityInHours: 720 }).times(2);
  expect(await Promise.all([ask(), ask(), ask()])).toEqual([720, 720, 720]);
  expect(await ask()).toBe(720);
  expect(asked()).toBe(1);
  clock.advance(3_600_000);
  expect(await ask()).toBe(720);
  expect(asked()).toBe(2);
});

it('is unknown where Atlas refuses to tell, and is not asked for again at once', async () => {
  const { pool, asked, ask } = scene('token');
  pool.intercept({ path }).reply(403, { errorCode: 'USER_UNAUTHORIZED' });
  expect(await ask()).toBeUndefined();
  expect(await ask()).toBeUndefined();
  expect(asked()).toBe(1);
});

it('is unknown where Atlas is busy, without a long wait, and asked for the next time', async () => {
  const { pool, asked, ask } = scene('token');
  pool.intercept({ path }).reply(429, {}, { headers: { 'retry-after': '60' } });
  pool.intercept({ path }).reply(200, { maxServiceAccountSecretValidityInHours: 8 });
  expect(await ask()).toBeUndefined();
  expect(await ask()).toBe(8);
  expect(asked()).toBe(2);
});

it.each([
  [{}],
  [{ maxServiceAccountSecretValidityInHours: null }],
  [{ maxServiceAccountSecretValidityInHours: 'many' }],
])('is unknown where nobody set one: %j', async (settings) => {
  const { pool, ask } = scene('token');
  pool.intercept({ path }).reply(200, settings);
  expect(await ask()).toBeUndefined();
});
