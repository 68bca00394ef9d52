import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { createEmbeddedAws, type EmbeddedAws } from '../../../infra/local/aws/embedded-aws.ts';
import type { Fault } from '../../../infra/local/faults.ts';
import type { Loopback } from '../../../infra/local/loopback.ts';
import type { Place } from '../../../lib/aws/connection.ts';
import { AwsCallFailed } from '../../../lib/aws/errors.ts';
import { createState, type State } from '../../../lib/aws/state.ts';
import { systemClock } from '../../../lib/runtime/clock.ts';
import { deadlineIn } from '../../../lib/runtime/deadline.ts';
import { stateContract } from '../../support/state-contract.ts';

const TABLE = 'some-state';
const soon = () => deadlineIn(15_000, systemClock);
const Value = z.object({ by: z.string() });

let aws: EmbeddedAws;
let server: Loopback;
let place: Place;
beforeAll(async () => {
  aws = createEmbeddedAws({ tables: [TABLE] });
  server = await aws.listen();
  place = {
    endpoint: server.origin,
    region: 'us-east-1',
    credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
  };
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

describe('the state in DynamoDB', () => {
  stateContract((clock) => createState(TABLE, place, { ...systemClock, ...clock }));
});

describe('a write whose answer is lost', () => {
  let state: State;
  let key: { pk: string; sk: string };
  let count = 0;
  beforeEach(() => {
    state = createState(TABLE, place);
    key = { pk: 'lost', sk: String(++count) };
    aws.faults.plan([]);
  });
  const meet = (fault: Fault, nth = 1) => aws.faults.plan([{ operation: 'PutItem', nth, fault }]);
  const create = async (by = 'first') => {
    const stored = await state.create(key, { by }, soon());
    if (!stored) throw new Error('was not created');
    return stored;
  };

  it('is known again as its own: create', async () => {
    meet({ kind: 'lost' });
    const stored = await state.create(key, { by: 'me' }, soon());
    expect(stored?.value).toEqual({ by: 'me' });
    expect(await state.read(key, Value, soon())).toEqual(stored);
  });

  it('is known again as its own: replace', async () => {
    const first = await create();
    meet({ kind: 'lost' });
    const second = await state.replace(first, { by: 'me' }, soon());
    expect(await state.read(key, Value, soon())).toEqual(second);
    expect(second?.value).toEqual({ by: 'me' });
  });

  it('is known again as its own: remove', async () => {
    const first = await create();
    meet({ kind: 'lost' });
    expect(await state.remove(first, soon())).toBe(true);
    expect(await state.read(key, Value, soon())).toBeUndefined();
  });

  it('is not taken for that of somebody who wrote the very same', async () => {
    await create('me');
    expect(await state.create(key, { by: 'me' }, soon())).toBeUndefined();
  });

  it('and comes late does no harm to what its repeat did', async () => {
    const first = await create();
    meet({ kind: 'late', ms: 60_000 });
    const second = await state.replace(first, { by: 'me' }, soon());
    await aws.faults.settle();
    expect(await state.read(key, Value, soon())).toEqual(second);
  });

  it('and comes late does not bring back what was removed meanwhile', async () => {
    meet({ kind: 'late', ms: 60_000 });
    const first = await create();
    const second = await state.replace(first, { by: 'me' }, soon());
    expect(second && (await state.remove(second, soon()))).toBe(true);
    await aws.faults.settle();
    expect(await state.read(key, Value, soon())).toBeUndefined();
    expect(await state.create(key, { by: 'next' }, soon())).toMatchObject({ value: { by: 'next' } });
  });

  it('again and again leaves the outcome open, and says to try again', async () => {
    aws.faults.plan(
      Array.from({ length: 20 }, (_, at) => ({ operation: 'PutItem', nth: at + 1, fault: { kind: 'lost' as const } })),
    );
    const error = await state.create(key, { by: 'me' }, soon()).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(AwsCallFailed);
    expect(error).toMatchObject({ disposition: 'retry', refused: false, facts: { operation: 'PutItem', ...key } });
  });

  it('ends with the deadline', async () => {
    meet({ kind: 'slow', ms: 3_000 });
    const start = performance.now();
    const error = await state
      .create(key, { by: 'me' }, deadlineIn(100, systemClock))
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'AWS_CALL_FAILED', disposition: 'retry' });
    expect(performance.now() - start).toBeLessThan(2_000);
    await aws.faults.settle();
  });

  it('is refused where the role may not, without being tried again', async () => {
    meet({ kind: 'refuse', status: 403 });
    await expect(state.create(key, { by: 'me' }, soon())).rejects.toMatchObject({
      disposition: 'give-up',
      error: 'AccessDeniedException',
    });
  });
});

describe('an item that was removed', () => {
  it('is gone for those, too, whose clock is behind', async () => {
    const now = systemClock.now();
    const ahead = createState(TABLE, place, { ...systemClock, now: () => new Date(now.getTime() + 60_000) });
    const behind = createState(TABLE, place, { ...systemClock, now: () => now });
    const key = { pk: 'removed', sk: 'skew' };
    const stored = await ahead.create(key, { by: 'ahead' }, soon());
    expect(stored && (await ahead.remove(stored, soon()))).toBe(true);
    expect(await behind.read(key, Value, soon())).toBeUndefined();
    expect(await behind.create(key, { by: 'behind' }, soon())).toMatchObject({ value: { by: 'behind' } });
  });
});

describe('a table', () => {
  it('that is not there is AWS’s to tell', async () => {
    const nowhere = createState('no-such-table', place);
    await expect(nowhere.read({ pk: 'a', sk: 'b' }, z.unknown(), soon())).rejects.toMatchObject({
      error: 'ResourceNotFoundException',
      facts: { table: 'no-such-table', pk: 'a' },
    });
  });
});
