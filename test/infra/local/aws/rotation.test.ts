import { CancelRotateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { expect, test } from 'vitest';
import type { EmbeddedAwsOptions } from '../../../../infra/local/aws/embedded-aws.ts';
import type { RotationEvent } from '../../../../infra/local/aws/secrets-manager/rotation.ts';
import { functionArn, startEmbeddedAws, version } from './embedded-aws-clients.ts';

type Started = Awaited<ReturnType<typeof startEmbeddedAws>>;

/** A secret and a function that rotates it; `fail` throws where the function should fail. */
async function rotating(
  fail: (event: RotationEvent, call: number) => void = () => {},
  options: EmbeddedAwsOptions = {},
) {
  const calls: RotationEvent[] = [];
  const arns: string[] = [];
  let during: ((event: RotationEvent) => Promise<unknown>) | undefined;
  const holder: { started?: Started } = {};
  const invoke = async (arn: string, event: RotationEvent): Promise<void> => {
    arns.push(arn);
    calls.push(event);
    await during?.(event);
    fail(event, calls.length);
    const n = Number(event.ClientRequestToken.slice(-2));
    if (event.Step === 'createSecret') await holder.started!.put(n, `value ${n}`, ['AWSPENDING']);
    if (event.Step === 'finishSecret') await holder.started!.move('AWSCURRENT', n - 1, n);
  };
  const started = await startEmbeddedAws({ invoke, ...options });
  holder.started = started;
  await started.create();
  return Object.assign(started, {
    calls,
    arns,
    steps: () => calls.map(({ Step }) => Step),
    during: (act: (event: RotationEvent) => Promise<unknown>) => {
      during = act;
    },
    settled: () => started.aws.secretsManager.rotationsSettled(),
  });
}

const allSteps = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'];
const never = (): void => {
  throw new Error('no');
};

test('the function is called once per step, in order', async () => {
  await using r = await rotating();
  await r.rotate(2);
  await r.settled();
  expect(r.steps()).toEqual(allSteps);
});

test('every call carries the ARN, the token and one rotation token', async () => {
  await using r = await rotating();
  const { ARN } = await r.rotate(2);
  await r.settled();
  const [{ RotationToken } = { RotationToken: '' }] = r.calls;
  expect(RotationToken).toMatch(/^[\da-f-]{36}$/);
  expect(r.calls).toEqual(
    allSteps.map((Step) => ({ Step, SecretId: ARN, ClientRequestToken: version(2), RotationToken })),
  );
  expect(new Set(r.arns)).toEqual(new Set([functionArn]));
});

test('RotateSecret answers before the function is called', async () => {
  await using r = await rotating();
  const { promise, resolve } = Promise.withResolvers<void>();
  r.during(() => promise);
  await r.rotate(2);
  expect((await r.describe()).VersionIdsToStages).toEqual({
    [version(1)]: ['AWSCURRENT'],
    [version(2)]: ['AWSPENDING'],
  });
  resolve();
  await r.settled();
});

test('after success AWSPENDING is gone and the new version is current', async () => {
  await using r = await rotating();
  await r.rotate(2);
  await r.settled();
  expect((await r.describe()).VersionIdsToStages).toEqual({
    [version(1)]: ['AWSPREVIOUS'],
    [version(2)]: ['AWSCURRENT'],
  });
});

test('success sets the dates: last rotated now, next at the end of the day a period later', async () => {
  await using r = await rotating();
  const before = r.aws.clock.now();
  await r.rotate(2);
  await r.settled();
  const { LastRotatedDate, NextRotationDate } = await r.describe();
  expect(LastRotatedDate!.getTime()).toBeGreaterThanOrEqual(before.getTime());
  const due = new Date(before.getTime() + 30 * 86_400_000).toISOString().slice(0, 10);
  expect(NextRotationDate!.toISOString()).toBe(`${due}T23:59:59.000Z`);
});

test('a failed step starts the whole rotation over', async () => {
  await using r = await rotating(({ Step }, call) => {
    if (Step === 'testSecret' && call === 3) never();
  });
  await r.rotate(2);
  await r.settled();
  expect(r.steps()).toEqual(['createSecret', 'setSecret', 'testSecret', ...allSteps]);
  expect(r.rotationEvents()).toEqual(['RotationStarted', 'RotationSucceeded']);
});

test('a rotation that never works ends after the set number of attempts and keeps AWSPENDING', async () => {
  await using r = await rotating(never, { rotationRetry: { attempts: 4, delayMs: 1 } });
  await r.rotate(2);
  await r.settled();
  expect(r.steps()).toEqual(['createSecret', 'createSecret', 'createSecret', 'createSecret']);
  expect(r.rotationEvents()).toEqual(['RotationStarted', 'RotationFailed']);
  expect((await r.describe()).VersionIdsToStages).toEqual({
    [version(1)]: ['AWSCURRENT'],
    [version(2)]: ['AWSPENDING'],
  });
});

test('a function that succeeds without promoting has not rotated', async () => {
  await using r = await startEmbeddedAws({ invoke: async () => {} });
  await r.create();
  await r.rotate(2);
  await r.aws.secretsManager.rotationsSettled();
  expect(r.rotationEvents()).toEqual(['RotationStarted', 'RotationFailed']);
});

test('RotateSecret with the token of the rotation under way starts nothing', async () => {
  await using r = await rotating(never);
  await r.rotate(2);
  await r.settled();
  const before = r.calls.length;
  await expect(r.rotate(2)).resolves.toMatchObject({ VersionId: version(2) });
  await r.settled();
  expect(r.calls).toHaveLength(before);
});

test("another rotation's refusal is in AWS's words", async () => {
  await using r = await rotating(never);
  await r.rotate(2);
  await r.settled();
  await expect(r.rotate(3)).rejects.toMatchObject({
    name: 'InvalidRequestException',
    message: "A previous rotation isn't complete. That rotation will be reattempted.",
  });
});

test('when it is due, the schedule tries the stuck rotation again under its token', async () => {
  let broken = true;
  await using r = await rotating(() => {
    if (broken) never();
  });
  const { ARN } = await r.rotate(2);
  await r.settled();
  broken = false;
  r.aws.clock.advance(32 * 86_400_000);
  expect(r.aws.secretsManager.rotateDue()).toEqual([ARN]);
  await r.settled();
  expect((await r.describe()).VersionIdsToStages?.[version(2)]).toEqual(['AWSCURRENT']);
});

test('a rotation that fails again and again is tried once an hour', async () => {
  await using r = await rotating(never);
  const { ARN } = await r.rotate(2);
  await r.settled();
  r.aws.clock.advance(32 * 86_400_000);
  expect(r.aws.secretsManager.rotateDue()).toEqual([ARN]);
  await r.settled();
  r.aws.clock.advance(3_599_000);
  expect(r.aws.secretsManager.rotateDue()).toEqual([]);
  r.aws.clock.advance(1_000);
  expect(r.aws.secretsManager.rotateDue()).toEqual([ARN]);
  await r.settled();
});

test('a rotation that is under way is not driven a second time by the schedule', async () => {
  await using r = await rotating();
  const { promise, resolve } = Promise.withResolvers<void>();
  r.during(() => promise);
  await r.rotate(2);
  r.aws.clock.advance(32 * 86_400_000);
  expect(r.aws.secretsManager.rotateDue()).toEqual([]);
  resolve();
  await r.settled();
  expect(r.steps()).toEqual(allSteps);
});

test('nothing is due before the next rotation date', async () => {
  await using r = await rotating();
  await r.rotate(2);
  await r.settled();
  expect(r.aws.secretsManager.rotateDue()).toEqual([]);
});

test('RotateImmediately=false calls testSecret alone, on an empty version, and removes it', async () => {
  await using r = await rotating();
  let seen: unknown;
  r.during(async ({ ClientRequestToken }) => {
    seen = await r.read({ VersionId: ClientRequestToken }).catch(({ name }) => name);
  });
  await r.rotate(2, { RotateImmediately: false });
  await r.settled();
  expect(r.steps()).toEqual(['testSecret']);
  expect(seen).toBe('ResourceNotFoundException');
  expect(r.rotationEvents()).toEqual(['TestRotationStarted', 'TestRotationSucceeded']);
  expect(Object.values(r.aws.secretsManager.secrets)[0]?.versions).toHaveLength(1);
});

test('a failed test of the configuration leaves no AWSPENDING behind', async () => {
  await using r = await rotating(never);
  await r.rotate(2, { RotateImmediately: false });
  await r.settled();
  expect(r.rotationEvents()).toEqual(['TestRotationStarted', 'TestRotationFailed']);
  expect((await r.describe()).VersionIdsToStages).toEqual({ [version(1)]: ['AWSCURRENT'] });
});

test("someone else's new version abandons the rotation between two steps", async () => {
  await using r = await rotating();
  r.during(async ({ Step }) => Step === 'setSecret' && r.put(9, "the operator's"));
  await r.rotate(2);
  await r.settled();
  expect(r.steps()).toEqual(['createSecret', 'setSecret']);
  expect(r.rotationEvents()).toEqual(['RotationStarted', 'RotationAbandoned']);
  expect((await r.describe()).VersionIdsToStages).toEqual({
    [version(1)]: ['AWSPREVIOUS'],
    [version(9)]: ['AWSCURRENT'],
  });
});

test('a late PutSecretValue of an earlier rotation takes AWSPENDING and ends the one under way', async () => {
  await using r = await rotating(never);
  await r.rotate(2);
  await r.settled();
  await r.move('AWSPENDING', 2, undefined);
  await r.rotate(3);
  await r.settled();
  await r.put(2, 'late', ['AWSPENDING']);
  expect((await r.describe()).VersionIdsToStages).toEqual({
    [version(1)]: ['AWSCURRENT'],
    [version(2)]: ['AWSPENDING'],
  });
  expect(r.rotationEvents().at(-1)).toBe('RotationAbandoned');
});

test('CancelRotateSecret stops the rotation before its next step', async () => {
  await using r = await rotating();
  r.during(
    async ({ Step, SecretId }) =>
      Step === 'createSecret' && r.secrets.send(new CancelRotateSecretCommand({ SecretId })),
  );
  await r.rotate(2);
  await r.settled();
  expect(r.steps()).toEqual(['createSecret']);
  const { RotationEnabled, NextRotationDate, VersionIdsToStages } = await r.describe();
  expect({ RotationEnabled, NextRotationDate }).toEqual({ RotationEnabled: false, NextRotationDate: undefined });
  expect(VersionIdsToStages?.[version(2)]).toEqual(['AWSPENDING']);
});

test('rotation events look like those of the service', async () => {
  await using r = await rotating();
  const { ARN } = await r.rotate(2);
  await r.settled();
  expect(r.aws.events.entries.at(-1)).toMatchObject({
    source: 'aws.secretsmanager',
    'detail-type': 'AWS Service Event via CloudTrail',
    bus: 'default',
    detail: {
      eventSource: 'secretsmanager.amazonaws.com',
      eventName: 'RotationSucceeded',
      additionalEventData: { SecretId: ARN },
      eventType: 'AwsServiceEvent',
    },
  });
});

test('without a function to call, a rotation waits for the caller to play the steps', async () => {
  await using r = await startEmbeddedAws();
  await r.create();
  await r.rotate(2);
  await r.aws.secretsManager.rotationsSettled();
  expect(r.rotationEvents()).toEqual(['RotationStarted']);
  expect((await r.describe()).VersionIdsToStages?.[version(2)]).toEqual(['AWSPENDING']);
});
