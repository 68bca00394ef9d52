/**
 * The worlds a rotation must come through, by their numbers: H for scenarios, CP for the point at which a process dies
 * or a person steps in. The built bundles on the whole machine, with a clock that is moved.
 */
import { setTimeout as delay } from 'node:timers/promises';
import {
  CancelRotateSecretCommand,
  DeleteSecretCommand,
  PutSecretValueCommand,
  RotateSecretCommand,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  ORPHAN_SWEPT,
  PREVIOUS_RETIRED,
  ROTATION_BLOCKED,
  ROTATION_FAILED,
  ROTATION_STARTED,
  SECRET_IN_DANGER,
  SECRET_ROTATED,
  STRAGGLER_SEEN,
} from '../../lib/events/rotation.ts';
import { type RotationWorld, type Scene, type Subject, startRotationWorld } from '../support/rotation-world.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const plain: Scene = { mode: 'self', scope: 'org', second: 'none' };
const admin: Scene = { ...plain, mode: 'admin' };
const steps = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const;

interface Swept {
  readonly state: string;
  readonly code?: string;
  readonly reason?: string;
  readonly secretId?: string;
}

let world: RotationWorld;
const start = async (options: Parameters<typeof startRotationWorld>[0] = {}): Promise<void> => {
  world = await startRotationWorld({ rotationRetry: { attempts: 1, delayMs: 0 }, timeoutMs: 90_000, ...options });
};
beforeEach(() => start());
afterEach(() => world[Symbol.asyncDispose]());

const sweep = async ({ arn }: Subject): Promise<Swept | undefined> => {
  const report = await world.machine.sweep.invoke({ secrets: [arn] });
  return (report as { swept: Swept[] }).swept[0];
};
const told = (detailType: string): Record<string, unknown>[] =>
  world.machine.aws.events.entries.filter((event) => event['detail-type'] === detailType).map(({ detail }) => detail);
const operations = (from = 0): string[] => world.machine.faults.journal.slice(from).map(({ operation }) => operation);
const count = (pattern: RegExp, from = 0): number => operations(from).filter((name) => pattern.test(name)).length;
const ids = ({ account }: Subject): string[] => account.secrets.map(({ id }) => id);
const currentOf = (subject: Subject) => world.valueAt(subject, 'AWSCURRENT');
const works = (subject: Subject): boolean => {
  const current = currentOf(subject);
  return current !== undefined && world.machine.atlas.world.isUsable(current.clientId, current.clientSecret);
};
const now = (): number => world.machine.clock.now().getTime();
const step = (subject: Subject, Step: string): Promise<unknown> => {
  const ClientRequestToken = world.secretOf(subject).labels['AWSPENDING'];
  return world.machine.rotate.invoke({ Step, SecretId: subject.arn, ClientRequestToken });
};
/** A rotation that stops in testSecret: its value is stored, and its credentials can't be used from here. */
const stuck = async (scene: Scene = admin): Promise<Subject> => {
  const subject = await world.seed(scene);
  subject.account.accessList = ['203.0.113.0/24'];
  await world.rotate(subject);
  subject.account.accessList = [];
  expect(world.isRotated(subject)).toBe(false);
  return subject;
};

describe('H1: a mint whose answer is lost', () => {
  it('is followed by exactly one other, after the lost secret was deleted at its age, and is told with the deadline', async () => {
    const subject = await world.seed(plain);
    await world.rotate(subject, [{ operation: 'createOrgServiceAccountSecret', nth: 1, fault: { kind: 'lost' } }]);
    const lost = ids(subject)[1];
    expect(told(ROTATION_FAILED)).toMatchObject([{ code: 'ROTATION_MINT_UNKNOWN', mayPass: true }]);
    expect(String(told(ROTATION_FAILED)[0]?.['reason'])).toContain(
      subject.initialSecret.expiresAt.toISOString().slice(0, 10),
    );
    world.machine.clock.advance(10 * MINUTE);
    await expect(step(subject, 'createSecret')).rejects.toThrow(/may be on its way/);
    expect(ids(subject)).toContain(lost);

    world.machine.clock.advance(21 * MINUTE);
    expect(await sweep(subject)).toMatchObject({ state: 'finished' });

    expect(ids(subject)).not.toContain(lost);
    expect(count(/^createOrgServiceAccountSecret$/)).toBe(2);
    expect(told(ORPHAN_SWEPT)).toMatchObject([{ id: `swept:${lost}`, secretId: lost }]);
    expect(subject.violations).toEqual([]);
  });
});

describe('H2: a store that lands late', () => {
  it('leads to no deletion, and the rotation ends with the secret it made', async () => {
    const subject = await world.seed(plain);
    const from = world.machine.faults.journal.length;
    await world.rotate(subject, [{ operation: 'PutSecretValue', nth: 1, fault: { kind: 'late', ms: 20_000 } }]);
    expect(count(/^delete/, from)).toBe(0);
    expect(count(/^createOrgServiceAccountSecret$/, from)).toBe(1);
    expect(currentOf(subject)?.secretId).toBe(ids(subject)[1]);
    expect(subject.violations).toEqual([]);
  });
});

describe('H3: somebody who takes a running rotation for dead', () => {
  it('leaves the secret alone that is being stored', async () => {
    const subject = await world.seed(plain);
    const going = world.rotate(subject, [{ operation: 'PutSecretValue', nth: 1, fault: { kind: 'slow', ms: 6_000 } }]);
    for (let i = 0; i < 200 && subject.account.secrets.length < 2; i++) await delay(25);
    const byEvent = { detail: { additionalEventData: { SecretId: subject.arn } } };
    const report = (await world.machine.sweep.invoke(byEvent)) as { swept: Swept[] };
    expect(report.swept).toMatchObject([{ state: 'waiting', code: 'ROTATION_MUST_WAIT' }]);
    await going;
    expect(world.isRotated(subject)).toBe(true);
    expect(subject.account.secrets).toHaveLength(2);
    expect(subject.violations).toEqual([]);
  });
});

describe.each(['self', 'admin'] as const)('H4, CP23: killed after the promotion (%s)', (mode) => {
  it('and given up: the sweep tells, takes the label off, and retires the old one later', async () => {
    const subject = await world.seed({ ...plain, mode });
    await world.rotate(subject, [
      { operation: 'UpdateSecretVersionStage', nth: 1, fault: { kind: 'kill', when: 'after' } },
    ]);
    expect(world.isRotated(subject)).toBe(true);
    expect(told(SECRET_ROTATED)).toEqual([]);
    world.machine.clock.advance(31 * MINUTE);

    expect(await sweep(subject)).toMatchObject({ state: 'finished' });

    const versionId = world.secretOf(subject).labels['AWSCURRENT'];
    expect(told(SECRET_ROTATED)).toMatchObject([{ id: `rotated:${versionId}`, versionId }]);
    expect(world.secretOf(subject).labels['AWSPENDING']).toBeUndefined();
    expect(await sweep(subject)).toMatchObject({ state: 'waiting' });
    world.machine.clock.advance(8 * DAY);
    expect(await sweep(subject)).toMatchObject({ state: 'deleted', secretId: subject.initialSecret.id });
    expect(told(PREVIOUS_RETIRED)).toMatchObject([{ id: `retired:${subject.initialSecret.id}` }]);
  });
});

describe('H5: somebody else’s secret in the second slot', () => {
  it('is named to everybody, with its age and use, and nothing is written', async () => {
    const subject = await world.seed({ ...plain, second: 'foreign' });
    const foreign = subject.account.secrets[1];
    const before = ids(subject);
    await world.rotate(subject);
    expect(ids(subject)).toEqual(before);
    expect(told(ROTATION_BLOCKED)).toMatchObject([
      {
        secretId: foreign?.id,
        createdAt: foreign?.createdAt.toISOString(),
        lastUsedAt: foreign?.lastUsedAt?.toISOString(),
      },
    ]);
    expect(told(ROTATION_STARTED)).toEqual([]);
  });
});

describe('H6, CP29: a previous secret that expired and still holds the slot', () => {
  it('is deleted, and the rotation goes on', async () => {
    const subject = await world.seed({ ...plain, second: 'expired' });
    await world.rotate(subject);
    expect(world.isRotated(subject)).toBe(true);
    expect(subject.account.secrets).toHaveLength(2);
    expect(told(PREVIOUS_RETIRED)).toHaveLength(1);
  });
});

describe('H7, L2: a rotation that can’t be tested for a week', () => {
  it('is cried out from the 24th hour, with the deadline, and finished as soon as it can be', async () => {
    const subject = await world.seed(admin);
    subject.account.accessList = ['203.0.113.0/24'];
    await world.rotate(subject);
    world.machine.clock.advance(12 * HOUR);
    await sweep(subject);
    expect(told(SECRET_IN_DANGER)).toEqual([]);
    for (let hours = 24; hours < 7 * 24; hours += 24) {
      world.machine.clock.advance(DAY);
      expect(await sweep(subject)).toMatchObject({ state: 'blocked', code: 'ROTATION_PATH_REFUSED' });
    }
    const deadline = subject.initialSecret.expiresAt.toISOString();
    const danger = told(SECRET_IN_DANGER);
    expect(danger).toHaveLength(6);
    expect(danger.every((detail) => detail['deadline'] === deadline)).toBe(true);
    expect([...new Set(danger.map((detail) => detail['threshold']))]).toEqual([
      '24 hours after the mint',
      '72 hours left',
      '24 hours left',
    ]);
    expect(works(subject)).toBe(true);

    subject.account.accessList = [];
    expect(await sweep(subject)).toMatchObject({ state: 'finished' });
    expect(currentOf(subject)?.secretId).not.toBe(subject.initialSecret.id);
    expect(count(/^createOrgServiceAccountSecret$/)).toBe(1);
  });
});

describe('I2: a first rotation that is promoted days after its mint, and that nobody saw end', () => {
  it('leaves the replaced secret its grace from the promotion on', async () => {
    const subject = await stuck();
    world.machine.clock.advance(5 * DAY);
    expect(await sweep(subject)).toMatchObject({ state: 'finished' });
    world.machine.clock.advance(2 * HOUR);
    await sweep(subject);
    world.machine.clock.advance(20 * HOUR);
    await sweep(subject);
    expect(ids(subject)).toContain(subject.initialSecret.id);
    world.machine.clock.advance(3 * HOUR);
    expect(await sweep(subject)).toMatchObject({ state: 'deleted' });
    expect(told(SECRET_ROTATED)).toHaveLength(1);
    expect(ids(subject)).not.toContain(subject.initialSecret.id);
  });
});

describe('H8, CP17: an account that holds as many tokens as it may', () => {
  it('keeps its new value, and is finished when they have passed', async () => {
    const subject = await world.seed(admin);
    await world.rotate(subject, [{ operation: 'mintToken', nth: 3, fault: { kind: 'refuse', status: 403 } }]);
    expect(world.isRotated(subject)).toBe(false);
    expect(told(ROTATION_FAILED)).toMatchObject([{ code: 'ATLAS_TOKEN_LIMIT', mayPass: true, step: 'setSecret' }]);
    expect(world.valueAt(subject, 'AWSPENDING')?.secretId).toBe(ids(subject)[1]);
    world.machine.clock.advance(31 * MINUTE);
    expect(await sweep(subject)).toMatchObject({ state: 'finished' });
    expect(count(/^createOrgServiceAccountSecret$/)).toBe(1);
  });
});

describe('H9, CP19: a test of the settings by Secrets Manager', () => {
  it('succeeds and writes nothing', async () => {
    const subject = await world.seed(plain);
    const from = world.machine.faults.journal.length;
    await world.client.send(
      new RotateSecretCommand({
        SecretId: subject.arn,
        RotationLambdaARN: world.machine.rotate.arn,
        RotationRules: { AutomaticallyAfterDays: 30 },
        RotateImmediately: false,
      }),
    );
    await world.machine.aws.secretsManager.rotationsSettled();
    const names = world.machine.aws.events.entries.map(({ detail }) => detail['eventName']);
    expect(names).toContain('TestRotationSucceeded');
    expect(count(/^(create|delete|Put|Update)/, from)).toBe(0);
  });
});

describe('H12, CP30: a value somebody wrote during the mint', () => {
  it('stays, and the secret that was made is swept when it is old enough', async () => {
    const subject = await world.seed(plain);
    const going = world.rotate(subject, [
      { operation: 'createOrgServiceAccountSecret', nth: 1, fault: { kind: 'slow', ms: 3_000 } },
    ]);
    for (let i = 0; i < 200 && !operations().includes('getOrgSettings'); i++) await delay(25);
    await delay(300);
    const byHand = JSON.stringify({ ...currentOf(subject), orgId: subject.account.orgId, note: 'by hand' });
    await world.client.send(new PutSecretValueCommand({ SecretId: subject.arn, SecretString: byHand }));
    await going;
    expect(subject.account.secrets).toHaveLength(2);
    world.machine.clock.advance(2 * DAY);

    expect(await sweep(subject)).toMatchObject({ state: 'deleted' });

    expect(ids(subject)).toEqual([subject.initialSecret.id]);
    expect(told(ORPHAN_SWEPT)).toHaveLength(1);
    expect(currentOf(subject)).toMatchObject({ note: 'by hand' });
  });
});

describe('H13, CP26, CP27: a straggler and a replica that lags', () => {
  it('keep the replaced secret until near its end, and both are named', async () => {
    const subject = await world.seed(plain);
    await world.rotate(subject);
    const secret = world.secretOf(subject);
    secret.replicas = [
      { Region: 'eu-west-1', Status: 'Failed' },
      { Region: 'eu-north-1', Status: 'InSync' },
    ];
    world.machine.clock.advance(3 * HOUR);
    // Atlas tells seconds.
    subject.initialSecret.lastUsedAt = new Date(Math.floor(now() / 1_000) * 1_000);
    world.machine.clock.advance(2 * DAY);

    expect(await sweep(subject)).toMatchObject({
      state: 'waiting',
      reason: expect.stringMatching(/used it.*eu-west-1/),
    });
    expect(told(STRAGGLER_SEEN)).toMatchObject([
      {
        secretId: subject.initialSecret.id,
        lastUsedAt: subject.initialSecret.lastUsedAt.toISOString(),
        waitingFor: ['replica eu-west-1 (Failed)'],
      },
    ]);

    world.machine.clock.advance(4 * DAY + 21 * HOUR);
    expect(await sweep(subject)).toMatchObject({ state: 'deleted' });
    expect(told(PREVIOUS_RETIRED)).toMatchObject([{ secretId: subject.initialSecret.id }]);
  });

  it('CP26: the replica alone keeps it, too, and lets it go once it has followed', async () => {
    const subject = await world.seed(plain);
    await world.rotate(subject);
    world.secretOf(subject).replicas = [{ Region: 'eu-west-1', Status: 'InProgress' }];
    world.machine.clock.advance(2 * DAY);
    expect(await sweep(subject)).toMatchObject({ state: 'waiting', reason: expect.stringContaining('eu-west-1') });
    world.secretOf(subject).replicas = [{ Region: 'eu-west-1', Status: 'InSync' }];
    expect(await sweep(subject)).toMatchObject({ state: 'deleted' });
  });
});

describe('H14, CP10: an organization that allows shorter lives than configured', () => {
  const limit = (subject: Subject, hours: number): void => {
    world.machine.atlas.world.org(subject.account.orgId).maxSecretValidityHours = hours;
  };

  it('stops the rotation before anything is made where they are too short for the schedule, with the numbers', async () => {
    const subject = await world.seed(plain);
    limit(subject, 30 * 24 + 71);
    await world.rotate(subject);
    expect(count(/^createOrgServiceAccountSecret$/)).toBe(0);
    expect(told(ROTATION_FAILED)).toMatchObject([{ code: 'ROTATION_LIFETIME_TOO_SHORT', mayPass: false }]);
    const reason = String(told(ROTATION_FAILED)[0]?.['reason']);
    for (const number of ['791', '792']) expect(reason).toContain(number);
  });

  it('is kept to where they are long enough', async () => {
    const subject = await world.seed(plain);
    limit(subject, 30 * 24 + 72);
    await world.rotate(subject);
    expect(world.isRotated(subject)).toBe(true);
    const made = subject.account.secrets[1];
    const hours = ((made?.expiresAt.getTime() ?? 0) - (made?.createdAt.getTime() ?? 0)) / HOUR;
    expect(hours).toBeGreaterThan(792 - 24);
    expect(hours).toBeLessThan(792);
  });

  it.each([403, 429, 500])('does not stop the rotation where the rule can’t be read (%d)', async (status) => {
    const subject = await world.seed(plain);
    await world.rotate(subject, [
      { operation: 'getOrgSettings', nth: 1, fault: { kind: 'refuse', status, retryAfterSeconds: 60 } },
    ]);
    expect(world.isRotated(subject)).toBe(true);
  });

  it('is asked for its rule once an hour, however many secrets are rotated', async () => {
    const subject = await world.seed(plain);
    await world.rotate(subject);
    world.machine.clock.advance(8 * DAY);
    await world.rotate(subject);
    expect(count(/^getOrgSettings$/)).toBe(1);
  });
});

describe.each(['self', 'admin'] as const)(
  'CP15, CP24: a new secret that somebody deletes after its test (%s)',
  (mode) => {
    it('is dropped, or taken back at once: there is a value that works', async () => {
      const subject = await stuck({ ...admin, mode: 'admin' });
      if (mode === 'self') {
        // The same account, acting for itself from now on.
        for (const version of world.secretOf(subject).versions) {
          const { adminSecretArn: _, ...own } = JSON.parse(version.text ?? '{}');
          version.text = JSON.stringify(own);
        }
        subject.account.orgRoles = ['ORG_OWNER'];
      }
      for (const Step of ['createSecret', 'setSecret', 'testSecret']) await step(subject, Step);
      world.machine.atlas.world.revokeSecret(subject.account, world.valueAt(subject, 'AWSPENDING')?.secretId ?? '');

      await expect(step(subject, 'finishSecret')).rejects.toThrow(/dropped it|previous value is current again/);

      expect(currentOf(subject)?.clientSecret).toBe(subject.initialSecret.value);
      expect(works(subject)).toBe(true);
      expect(told(SECRET_ROTATED)).toEqual([]);
    });
  },
);

describe('CP31: a rotation that was switched off half way', () => {
  const cancel = ({ arn }: Subject) => world.client.send(new CancelRotateSecretCommand({ SecretId: arn }));

  it('is finished where its value is stored and works', async () => {
    const subject = await stuck();
    await cancel(subject);
    expect(await sweep(subject)).toMatchObject({ state: 'finished' });
    expect(world.isRotated(subject)).toBe(true);
    expect(told(SECRET_ROTATED)).toHaveLength(1);
  });

  it('is given up where it has no value, and nothing is made', async () => {
    const subject = await world.seed(plain);
    await world.rotate(subject, [
      { operation: 'getOrgServiceAccount', nth: 1, fault: { kind: 'refuse', status: 403 } },
    ]);
    await cancel(subject);
    expect(await sweep(subject)).toMatchObject({ state: 'abandoned' });
    expect(world.secretOf(subject).labels['AWSPENDING']).toBeUndefined();
    expect(count(/^createOrgServiceAccountSecret$/)).toBe(0);
  });

  it('is given up where its secret is gone', async () => {
    const subject = await stuck();
    await cancel(subject);
    world.machine.atlas.world.revokeSecret(subject.account, world.valueAt(subject, 'AWSPENDING')?.secretId ?? '');
    expect(await sweep(subject)).toMatchObject({ state: 'blocked', code: 'ROTATION_PENDING_DEAD' });
    expect(world.secretOf(subject).labels['AWSPENDING']).toBeUndefined();
  });
});

describe('CP32: a secret that waits for its deletion', () => {
  it('has nothing deleted in Atlas: it may be restored', async () => {
    const subject = await world.seed(plain);
    await world.rotate(subject);
    world.machine.clock.advance(2 * DAY);
    await world.client.send(new DeleteSecretCommand({ SecretId: subject.arn, RecoveryWindowInDays: 7 }));
    const from = world.machine.faults.journal.length;
    expect(await sweep(subject)).toMatchObject({ state: 'blocked', code: 'ROTATION_SECRET_UNUSABLE' });
    expect(new Set(operations(from))).toEqual(new Set(['DescribeSecret']));
  });
});

describe('CP33: an administrator whose secret is replaced in the middle', () => {
  it('is asked for the new one, and the rotation goes on', async () => {
    const subject = await world.seed(admin);
    const { world: atlas } = world.machine.atlas;
    await world.client.send(
      new RotateSecretCommand({
        SecretId: subject.arn,
        RotationLambdaARN: world.machine.rotate.arn,
        RotationRules: { AutomaticallyAfterDays: 30 },
        RotateImmediately: false,
      }),
    );
    // The function holds a token of the administrator now.
    await world.machine.aws.secretsManager.rotationsSettled();
    const { adminSecretArn = '' } = currentOf(subject) as { adminSecretArn?: string };
    const held = world.machine.aws.secretsManager.secrets[adminSecretArn];
    const value = JSON.parse(held?.versions.at(-1)?.text ?? '{}') as { clientId: string };
    const administrator = atlas.account(value.clientId);
    const [old] = administrator.secrets;
    const clientSecret = atlas.addSecret(administrator).value;
    await world.client.send(
      new PutSecretValueCommand({ SecretId: adminSecretArn, SecretString: JSON.stringify({ ...value, clientSecret }) }),
    );
    atlas.revokeSecret(administrator, old?.id ?? '');

    await world.rotate(subject);

    expect(world.isRotated(subject)).toBe(true);
  });
});

describe('CP35: an account whose own secret ends in the middle of its rotation', () => {
  it('is brought on with the secret that is stored already', async () => {
    const subject = await world.seed(plain);
    await world.rotate(subject, [{ operation: 'mintToken', nth: 2, fault: { kind: 'refuse', status: 403 } }]);
    expect(subject.account.secrets).toHaveLength(2);
    subject.initialSecret.expiresAt = new Date(now() - 1);
    world.machine.clock.advance(61 * MINUTE);

    expect(await sweep(subject)).toMatchObject({ state: 'finished' });

    expect(works(subject)).toBe(true);
  });
});

describe('CP37: a label that was moved back by hand', () => {
  it('leaves its readers the time nobody can date: the secret they may have read is kept', async () => {
    const subject = await world.seed(plain);
    await world.rotate(subject);
    world.machine.clock.advance(5 * DAY);
    const { labels } = world.secretOf(subject);
    const replaced = currentOf(subject)?.secretId;
    await world.client.send(
      new UpdateSecretVersionStageCommand({
        SecretId: subject.arn,
        VersionStage: 'AWSCURRENT',
        RemoveFromVersionId: labels['AWSCURRENT'],
        MoveToVersionId: subject.initialVersion,
      }),
    );
    await sweep(subject);
    expect(ids(subject)).toContain(replaced);
    expect(ids(subject)).toContain(subject.initialSecret.id);
  });
});

describe('the events of a rotation', () => {
  it('are one of each, with ids that repeats share, and join both sides', async () => {
    const subject = await world.seed(admin);
    await world.rotate(subject);
    const versionId = world.secretOf(subject).labels['AWSCURRENT'];
    const clientId = subject.account.clientId;
    expect(told(ROTATION_STARTED)).toMatchObject([
      { id: `started:${versionId}`, versionId, clientId, secretId: subject.initialSecret.id, mode: 'admin' },
    ]);
    expect(told(SECRET_ROTATED)).toMatchObject([
      {
        id: `rotated:${versionId}`,
        versionId,
        clientId,
        secretId: ids(subject)[1],
        previousSecretId: subject.initialSecret.id,
        overlapUntil: expect.stringMatching(/Z$/),
        requestIds: [expect.stringMatching(/^[\w-]{36}$/)],
      },
    ]);
    expect(told(ROTATION_FAILED)).toEqual([]);
    const first = told(SECRET_ROTATED)[0];
    await world.repeatSteps(subject);
    expect(told(SECRET_ROTATED)).toHaveLength(5);
    expect(new Set(told(SECRET_ROTATED).map(({ id }) => id))).toEqual(new Set([first?.['id']]));
  });

  it('do not stop it: a bus that fails before the mint is only written down', async () => {
    const subject = await world.seed(plain);
    await world.rotate(subject, [{ operation: 'PutEvents', nth: 1, fault: { kind: 'refuse', status: 400 } }]);
    expect(world.isRotated(subject)).toBe(true);
    expect(told(SECRET_ROTATED)).toHaveLength(1);
  });
});

describe.each([
  { mode: 'self', mints: 2 },
  { mode: 'admin', mints: 3 },
] as const)('the price of a clean rotation ($mode)', ({ mode, mints }) => {
  const atlasCalls = /^(get|create|delete|list|mint|revoke)[A-Z]/;

  it('is nine calls to Atlas at the most, the first ever included', async () => {
    const subject = await world.seed({ ...plain, mode });
    const from = world.machine.faults.journal.length;
    await world.rotate(subject);
    expect(world.isRotated(subject)).toBe(true);
    expect(operations(from).filter((name) => atlasCalls.test(name))).toHaveLength(9);
    expect(count(/^mintToken$/, from)).toBe(mints);
    expect(steps).toHaveLength(4);
  });
});
