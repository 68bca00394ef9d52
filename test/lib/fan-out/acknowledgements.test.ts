import { describe, expect, it } from 'vitest';
import { createAcknowledgements } from '../../../lib/fan-out/acknowledgements.ts';
import { systemClock } from '../../../lib/runtime/clock.ts';
import { deadlineIn } from '../../../lib/runtime/deadline.ts';
import { createMemoryState } from '../../support/memory-state.ts';

const deadline = deadlineIn(60_000, systemClock);
const at = (minute: number): Date => new Date(Date.UTC(2026, 2, 1, 0, minute));
const of = (versionId: string) => ({ secretArn: 'arn', versionId });

describe('what is remembered of a target', () => {
  it('is the first instant a version was asked for, and the first it was there', async () => {
    const known = createAcknowledgements(createMemoryState());
    await known.requested('t', of('one'), at(1), deadline);
    expect(await known.requested('t', of('one'), at(2), deadline)).toEqual({
      versionId: 'one',
      requestedAt: at(1).toISOString(),
    });
    await known.acknowledged('t', of('one'), at(3), deadline);
    await known.acknowledged('t', of('one'), at(4), deadline);
    expect(await known.read('t', 'arn', deadline)).toEqual({
      versionId: 'one',
      requestedAt: at(1).toISOString(),
      acknowledgedAt: at(3).toISOString(),
    });
  });

  it('is nothing of the version before, once the next is asked for', async () => {
    const known = createAcknowledgements(createMemoryState());
    await known.acknowledged('t', { ...of('one'), mark: 'm' }, at(1), deadline);
    await known.requested('t', of('two'), at(2), deadline);
    expect(await known.read('t', 'arn', deadline)).toEqual({ versionId: 'two', requestedAt: at(2).toISOString() });
  });

  it('takes the newest mark of the same version', async () => {
    const known = createAcknowledgements(createMemoryState());
    for (const mark of ['a', 'b']) await known.acknowledged('t', { ...of('one'), mark }, at(1), deadline);
    expect(await known.read('t', 'arn', deadline)).toMatchObject({ mark: 'b' });
  });

  it('keeps targets and secrets apart', async () => {
    const known = createAcknowledgements(createMemoryState());
    await known.acknowledged('t', of('one'), at(1), deadline);
    expect(await known.read('u', 'arn', deadline)).toBeUndefined();
    expect(await known.read('t', 'other', deadline)).toBeUndefined();
  });

  it('survives writers at the same time', async () => {
    const known = createAcknowledgements(createMemoryState());
    await Promise.all([
      known.requested('t', of('one'), at(1), deadline),
      known.acknowledged('t', of('one'), at(2), deadline),
      known.acknowledged('t', of('one'), at(3), deadline),
    ]);
    expect(await known.read('t', 'arn', deadline)).toMatchObject({
      versionId: 'one',
      acknowledgedAt: expect.any(String),
    });
  });
});
