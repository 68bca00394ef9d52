/**
 * Rotations in worlds where people, clocks and networks interfere. Each of them once ended in a secret nobody held, a
 * current secret that died, or a rotation that could never begin again.
 */
import { setTimeout as delay } from 'node:timers/promises';
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  RotateSecretCommand,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ROTATION_TAKEN_BACK, SECRET_ROTATED } from '../../lib/events/rotation.ts';
import { type RotationWorld, type Scene, type Subject, startRotationWorld } from '../support/rotation-world.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const plain: Scene = { mode: 'self', scope: 'org', second: 'none' };

let world: RotationWorld;
let output: string;
beforeEach(async () => {
  output = '';
  world = await startRotationWorld({
    timeoutMs: 60_000,
    onOutput: (text) => {
      output += text;
    },
  });
});
afterEach(() => world[Symbol.asyncDispose]());

const codes = (): string[] => [...output.matchAll(/"code":"(ROTATION_\w+)"/g)].map(([, code = '']) => code);

const readValue = async ({ arn }: Subject, VersionStage = 'AWSCURRENT'): Promise<string> =>
  (await world.client.send(new GetSecretValueCommand({ SecretId: arn, VersionStage }))).SecretString ?? '';

const put = ({ arn }: Subject, SecretString: string) =>
  world.client.send(new PutSecretValueCommand({ SecretId: arn, SecretString }));

const takeLabel = ({ arn }: Subject, VersionStage: string, RemoveFromVersionId = '') =>
  world.client.send(new UpdateSecretVersionStageCommand({ SecretId: arn, VersionStage, RemoveFromVersionId }));

const isCurrentUsable = (subject: Subject): boolean => {
  const current = world.valueAt(subject, 'AWSCURRENT');
  return current !== undefined && world.machine.atlas.world.isUsable(current.clientId, current.clientSecret);
};

const told = (detailType: string) =>
  world.machine.aws.events.entries.filter((event) => event['detail-type'] === detailType);

/** Waits until the function has sent its `nth` call of this operation, which is held up meanwhile. */
const during = async (operation: string): Promise<void> => {
  // The call is journaled once it was carried out; it is held up for longer than this.
  const before = world.machine.faults.journal.length;
  for (let i = 0; i < 200 && world.machine.faults.journal.length < before + 5; i++) await delay(25);
  await delay(500);
  expect(world.machine.faults.journal.slice(before).map((entry) => entry.operation)).not.toContain(operation);
};

it('a tested secret that somebody dropped does not hold the slot for its whole life', async () => {
  const subject = await world.seed({ ...plain, mode: 'admin' });
  subject.account.accessList = ['203.0.113.0/24'];
  await world.rotate(subject);
  subject.account.accessList = [];
  await takeLabel(subject, 'AWSPENDING', world.secretOf(subject).labels['AWSPENDING']);

  // The value before it was written by hand a moment ago: whoever read it has its grace, a day, from then on.
  world.machine.clock.advance(DAY + HOUR);
  await world.rotate(subject);

  expect(world.isRotated(subject)).toBe(true);
  expect(subject.violations).toEqual([]);
});

it('a value that was put back is rotated again before it dies, whoever used the one in between', async () => {
  const subject = await world.seed(plain);
  const old = await readValue(subject);
  await world.rotate(subject);
  world.machine.clock.advance(3 * HOUR);
  const between = world.valueAt(subject, 'AWSCURRENT');
  await put(subject, old);
  world.machine.clock.advance(3 * HOUR);
  const used = subject.account.secrets.find(({ value }) => value === between?.clientSecret);
  if (used) used.lastUsedAt = world.machine.clock.now();

  for (let day = 0; day < 7; day++) {
    world.machine.clock.advance(DAY);
    const token = world.secretOf(subject).labels['AWSPENDING'];
    if (token) await takeLabel(subject, 'AWSPENDING', token);
    await world.rotate(subject);
    expect(isCurrentUsable(subject), `day ${day + 1}`).toBe(true);
  }
  expect(world.valueAt(subject, 'AWSCURRENT')?.secretId).not.toBe(subject.initialSecret.id);
});

it('a previous value that becomes current while it is fenced is not deleted', async () => {
  const subject = await world.seed({ ...plain, second: 'previous' });
  const previous = await readValue(subject, 'AWSPREVIOUS');
  const going = world.rotate(subject, [
    { operation: 'UpdateSecretVersionStage', nth: 1, fault: { kind: 'slow', ms: 4_000 } },
  ]);
  await during('UpdateSecretVersionStage');
  await put(subject, previous);
  await going;

  expect(isCurrentUsable(subject)).toBe(true);
  expect(subject.violations).toEqual([]);
});

it('a value written during the mint stays, and blocks no later rotation', async () => {
  const subject = await world.seed(plain);
  const going = world.rotate(subject, [
    { operation: 'createOrgServiceAccountSecret', nth: 1, fault: { kind: 'slow', ms: 4_000 } },
  ]);
  await during('createOrgServiceAccountSecret');
  await put(subject, JSON.stringify({ ...JSON.parse(await readValue(subject)), note: 'by hand' }));
  await going;

  expect(await readValue(subject)).toContain('by hand');
  expect(codes()).toContain('ROTATION_NOT_STAGED');
  world.machine.clock.advance(2 * DAY);
  await world.client.send(new RotateSecretCommand({ SecretId: subject.arn }));
  await world.machine.aws.secretsManager.rotationsSettled();
  expect(await readValue(subject, 'AWSCURRENT')).toContain('by hand');
  expect(world.valueAt(subject, 'AWSCURRENT')?.secretId).not.toBe(subject.initialSecret.id);
  expect(subject.account.secrets).toHaveLength(2);
});

it.each([
  { mode: 'admin', bare: false },
  { mode: 'admin', bare: true },
  { mode: 'self', bare: false },
  { mode: 'self', bare: true },
] as const)(
  'a new secret deleted while it is promoted, and the process killed, is taken back ($mode, value without ids: $bare)',
  async ({ mode, bare }) => {
    const subject = await world.seed({ ...plain, mode });
    if (bare) {
      const version = world.secretOf(subject).versions[0];
      const { secretId: _, createdAt: __, expiresAt: ___, ...rest } = JSON.parse(version?.text ?? '{}');
      if (version) version.text = JSON.stringify(rest);
    }
    world.machine.faults.observe = ({ operation, fault }) => {
      if (operation !== 'UpdateSecretVersionStage' || fault !== 'kill') return;
      const minted = subject.account.secrets.find(({ id }) => id !== subject.initialSecret.id);
      if (minted) world.machine.atlas.world.revokeSecret(subject.account, minted.id);
    };
    await world.rotate(subject, [
      { operation: 'UpdateSecretVersionStage', nth: 1, fault: { kind: 'kill', when: 'after' } },
    ]);

    expect(world.valueAt(subject, 'AWSCURRENT')?.clientSecret).toBe(subject.initialSecret.value);
    expect(isCurrentUsable(subject)).toBe(true);
    expect(told(ROTATION_TAKEN_BACK)).toHaveLength(1);
    expect(told(SECRET_ROTATED)).toHaveLength(0);
  },
);

it('nobody gets a secret of an account whose value they do not know, by naming an administrator', async () => {
  const subject = await world.seed({ ...plain, mode: 'admin' });
  const { world: atlas } = world.machine.atlas;
  const breakGlass = atlas.addOrgAccount(atlas.org(subject.account.orgId), {
    name: 'break glass',
    roles: ['ORG_OWNER'],
  });
  const secret = atlas.addSecret(breakGlass);
  const value = {
    ...JSON.parse(await readValue(subject)),
    clientId: breakGlass.clientId,
    clientSecret: 'mdb_sa_sk_guessed',
    secretId: secret.id,
  };
  await put(subject, JSON.stringify(value));
  await put(subject, JSON.stringify({ ...value, again: true }));

  await world.rotate(subject);

  expect(breakGlass.secrets).toEqual([secret]);
  expect(output).toContain('ATLAS_CREDENTIALS_REFUSED');
});

it('the settings say which administrator acts for a secret they list', async () => {
  await world[Symbol.asyncDispose]();
  world = await startRotationWorld({
    settings: { rotation: { secrets: [{ secret: 'subject-1', adminSecret: 'someone-else' }] } },
    onOutput: (text) => {
      output += text;
    },
  });
  const subject = await world.seed({ ...plain, mode: 'admin' });
  await world.rotate(subject);
  expect(world.isRotated(subject)).toBe(false);
  expect(output).toContain('names an adminSecretArn that its settings do not');
  expect(subject.account.secrets).toHaveLength(1);
});

it('a store that hangs is tried again, with the same bytes', async () => {
  const subject = await world.seed(plain);
  await world.rotate(subject, [{ operation: 'PutSecretValue', nth: 1, fault: { kind: 'late', ms: 90_000 } }]);
  expect(world.isRotated(subject)).toBe(true);
  expect(subject.account.secrets).toHaveLength(2);
});

it('an old version under a key that is gone does not stop the sweep of a lost secret', async () => {
  const subject = await world.seed(plain);
  const key = world.machine.aws.keys.create();
  const { versions } = world.secretOf(subject);
  versions.unshift({
    id: 'a'.repeat(36),
    createdAt: Date.now() - 90 * DAY,
    text: versions[0]?.text ?? '',
    kmsKeyId: key.arn,
  });
  key.state = 'PendingDeletion';
  await world.rotate(subject, [{ operation: 'createOrgServiceAccountSecret', nth: 1, fault: { kind: 'lost' } }]);
  expect(codes()).toContain('ROTATION_MINT_UNKNOWN');

  await world.recover(subject);

  expect(world.isRotated(subject)).toBe(true);
  expect(subject.account.secrets).toHaveLength(2);
});

it('a placeholder before the first real value is no hindrance', async () => {
  const subject = await world.seed(plain);
  const value = await readValue(subject);
  const { ARN: arn = '' } = await world.client.send(
    new CreateSecretCommand({ Name: 'made-by-hand', SecretString: 'x8Jk2-generated' }),
  );
  await world.client.send(new PutSecretValueCommand({ SecretId: arn, SecretString: value }));

  await world.rotate({ ...subject, arn });

  expect(JSON.parse(await readValue({ ...subject, arn })).secretId).not.toBe(subject.initialSecret.id);
});

it('a lifetime that ends before the next rotation is refused before anything is made', async () => {
  const subject = await world.seed(plain);
  await put(subject, JSON.stringify({ ...JSON.parse(await readValue(subject)), secretExpiresAfterHours: 8 }));

  await world.rotate(subject);

  expect(codes()).toContain('ROTATION_LIFETIME_TOO_SHORT');
  expect(subject.account.secrets).toHaveLength(1);
});

it('a key that is gone is noticed before anything is made', async () => {
  const subject = await world.seed(plain);
  const key = world.machine.aws.keys.create();
  world.secretOf(subject).kmsKeyId = key.arn;
  await world.rotate(subject);
  expect(world.isRotated(subject)).toBe(true);

  const other = await world.seed(plain);
  world.secretOf(other).kmsKeyId = key.arn;
  key.state = 'Disabled';
  await world.rotate(other);
  expect(other.account.secrets).toHaveLength(1);
  expect(output).toContain('kms GenerateDataKey failed');
});
