/**
 * Schedules that once broke a promise, each with what it broke. Effects are named by operation, so that they mean the same
 * while the code around them changes.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Loaded, loadModel } from './load.ts';

let loaded: Loaded;
beforeAll(async () => {
  loaded = await loadModel();
});
afterAll(() => loaded[Symbol.asyncDispose]());

it.each([
  ['L3: promoted by the sweep, killed at once, and nobody told', 'self/none/empty UpdateSecretVersionStage.1:K'],
  ['L3: the same, and the bus out of reach', 'admin/none/stored PutEvents.1:X5'],
  [
    'L3: promoted, and the deletion of the managed secret scheduled before anybody was told',
    'self/none/fresh PutEvents.2:!E',
  ],
  ['I2: a value put by hand replaces one that was current until then', 'self/previous over/fresh DescribeSecret.1:!Q'],
  ['I2: the same while a rotation is brought on', 'admin/previous over/empty DescribeSecret.4:!Q'],
  ['I2: promoted by the sweep days after the mint', 'admin/none/stored days ago'],
  ['I2: the same, and somebody edits the new value by hand', 'admin/none/stored days ago mintToken.3:!M'],
  ['I2: promoted by the sweep, which was killed', 'self/young orphan/fresh UpdateSecretVersionStage.1:K'],
  ['I4: deletes with a token of the secret that goes', 'self/young orphan/fresh DescribeSecret.14:!Q'],
  ['I1: a mint whose view is outdated, beside a revocation', 'self/none/fresh getServiceAccount.1:!U'],
  ['I1: the same where the mint is on its way', 'self/previous in grace/empty PutEvents.2:!U'],
  ['I4: a secret stored in the very moment it is taken for lost', 'self/none/fresh PutSecretValue.1:D25'],
  ['I11: a dry run of a rotation whose new secret is gone', 'self/none/dead DescribeSecret.1:!E'],
  ['L1: restored while a rotation with nothing stored is under way', 'self/none/fresh PutSecretValue.1:!E'],
  [
    'L3: a rollback whose event the bus refuses, and nobody asks again',
    'admin/none/fresh DescribeSecret.10:!L PutEvents.3:X5',
  ],
  [
    'L3: promoted by a sweep that dies, and an operator rotates before the next',
    'self/young orphan/empty 27!C 55k lanes=hh order=BAABAAABBBABBBAA',
  ],
  ['I1: the previous secret is revoked while it is rolled back to', 'self/previous expired/fresh 37!L 47!U'],
  ['I1: the same in the last moment', 'self/previous expired/fresh DescribeSecret.10:!L PutSecretValue.2:!U'],
  ['I4: revoked days after the mint, with the token of what goes', 'self/previous in grace/fresh 108X29 127!U'],
  ['I11: a dry run that does not try what the real one proves first', 'admin/previous expired/empty 1!V 17!B'],
  ['I2: rolled back to what was rolled back', 'admin/none/fresh 51!L 52!Q'],
])('%s', async (_, schedule) => {
  const played = await loaded.model.replay(schedule);
  expect(played.met, 'the schedule names an effect that does not happen').toBe(played.schedule.moves.length);
  expect(
    played.violations.map(({ rule, what }) => `${rule}: ${what}`),
    loaded.model.traceOf(played),
  ).toEqual([]);
});
