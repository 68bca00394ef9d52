import { expect, it } from 'vitest';
import {
  everyGate,
  type MayRetire,
  type RetirementView,
  replicasInSync,
} from '../../../functions/rotate-service-account-secret/retirement.ts';
import { systemClock } from '../../../lib/runtime/clock.ts';
import { deadlineIn } from '../../../lib/runtime/deadline.ts';

const deadline = deadlineIn(1_000, systemClock);
const viewWith = (...statuses: string[]): RetirementView => ({
  secret: {
    arn: 'arn',
    name: 'name',
    rotationEnabled: true,
    kmsKeyId: undefined,
    rotatesEveryHours: 720,
    lastRotatedAt: undefined,
    lastChangedAt: undefined,
    deletedAt: undefined,
    primaryRegion: undefined,
    replicas: statuses.map((status, n) => ({ region: `region-${n}`, status })),
    stages: new Map(),
  },
  entry: undefined,
  current: { versionId: 'v1', secretId: 'current' },
  previous: { versionId: 'v0', secretId: 'previous' },
  now: systemClock.now(),
});
const closed =
  (...waitingFor: string[]): MayRetire =>
  async () => ({ ok: false, waitingFor });

it.each([
  [[], { ok: true }],
  [['InSync', 'InSync'], { ok: true }],
  [
    ['InSync', 'Failed', 'InProgress'],
    { ok: false, waitingFor: ['replica region-1 (Failed)', 'replica region-2 (InProgress)'] },
  ],
])('replicas %j', async (statuses, expected) => {
  expect(await replicasInSync(viewWith(...statuses), deadline)).toEqual(expected);
});

it('several gates are open when all are, and give every reason', async () => {
  expect(await everyGate(replicasInSync)(viewWith(), deadline)).toEqual({ ok: true });
  expect(await everyGate(closed('a'), replicasInSync, closed('b', 'c'))(viewWith('InSync'), deadline)).toEqual({
    ok: false,
    waitingFor: ['a', 'b', 'c'],
  });
  const failing: MayRetire = () => Promise.reject(new Error('nobody knows'));
  await expect(everyGate(replicasInSync, failing)(viewWith(), deadline)).rejects.toThrow('nobody knows');
});
