/** What is done by hand beside the sweep: putting a value back, deleting a leaked secret; and the dry run of each. */
import { DeleteItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { UpdateSecretVersionStageCommand } from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PlannedFault } from '../../infra/local/faults.ts';
import { PREVIOUS_RETIRED, SECRET_REVOKED, SECRET_ROLLED_BACK } from '../../lib/events/rotation.ts';
import { type RotationWorld, type Scene, type Subject, startRotationWorld } from '../support/rotation-world.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const modes = ['self', 'admin'] as const;
const sceneOf = (mode: (typeof modes)[number], second: Scene['second'] = 'none'): Scene => ({
  mode,
  scope: 'org',
  second,
});

let world: RotationWorld;
beforeEach(async () => {
  world = await startRotationWorld({ rotationRetry: { attempts: 1, delayMs: 0 }, timeoutMs: 90_000 });
});
afterEach(() => world[Symbol.asyncDispose]());

interface Answer {
  readonly state: string;
  readonly secretId?: string;
  readonly reason?: string;
  readonly swept?: readonly Answer[];
}
const ask = async (event: object): Promise<Answer> => (await world.machine.sweep.invoke(event)) as Answer;
const sweep = async ({ arn }: Subject): Promise<Answer | undefined> => (await ask({ secrets: [arn] })).swept?.[0];
const rollback = ({ arn }: Subject, over: object = {}) => ask({ action: 'rollback', secret: arn, ...over });
const revoke = ({ arn }: Subject, secretId: string | undefined, over: object = {}) =>
  ask({ action: 'revoke-now', secret: arn, secretId, reason: 'seen in a log', ...over });
const told = (detailType: string): Record<string, unknown>[] =>
  world.machine.aws.events.entries.filter((event) => event['detail-type'] === detailType).map(({ detail }) => detail);
const ids = ({ account }: Subject): string[] => account.secrets.map(({ id }) => id);
const currentOf = (subject: Subject) => world.valueAt(subject, 'AWSCURRENT');
const works = (subject: Subject): boolean => {
  const current = currentOf(subject);
  return current !== undefined && world.machine.atlas.world.isUsable(current.clientId, current.clientSecret);
};
/** What the process that was killed held ends by itself, by a clock that is not moved here. */
const leaseEnds = async ({ account }: Subject): Promise<void> => {
  const client = new DynamoDBClient(world.machine.sdk);
  const Key = { pk: { S: 'service-account-writer' }, sk: { S: account.clientId } };
  await client.send(new DeleteItemCommand({ TableName: world.machine.stateTable, Key }));
  client.destroy();
};
const written = (from: number): string[] =>
  world.machine.faults.journal
    .slice(from)
    .map(({ operation }) => operation)
    .filter((name) => /^(create|delete|update|Put|Update|Rotate|Create|Delete)/.test(name));

describe.each(modes)('a rollback (%s)', (mode) => {
  it('puts the previous value back as a new version, and what it replaced has its grace', async () => {
    const subject = await world.seed(sceneOf(mode));
    await world.rotate(subject);
    world.machine.clock.advance(2 * DAY);
    const replacedVersion = world.secretOf(subject).labels['AWSCURRENT'] ?? '';
    const replaced = currentOf(subject)?.secretId;
    const before = world.machine.faults.journal.length;

    expect(await rollback(subject, { dryRun: true })).toMatchObject({ state: 'would roll back' });
    expect(written(before)).toEqual([]);
    expect(await rollback(subject)).toMatchObject({ state: 'rolled back', secretId: subject.initialSecret.id });

    const { labels } = world.secretOf(subject);
    expect(currentOf(subject)?.clientSecret).toBe(subject.initialSecret.value);
    expect(labels['AWSCURRENT']).not.toBe(subject.initialVersion);
    expect(labels['AWSPREVIOUS']).toBe(replacedVersion);
    expect(works(subject)).toBe(true);
    expect(told(SECRET_ROLLED_BACK)).toMatchObject([
      { id: `rolled back:${labels['AWSCURRENT']}`, replacedVersionId: replacedVersion, replacedSecretId: replaced },
    ]);
    expect(await sweep(subject)).toMatchObject({ state: 'waiting' });
    expect(ids(subject)).toContain(replaced);
    world.machine.clock.advance(25 * HOUR);
    expect(await sweep(subject)).toMatchObject({ state: 'deleted', secretId: replaced });
    expect(subject.violations).toEqual([]);
  });

  it.each(['PutSecretValue', 'UpdateSecretVersionStage'])(
    'is done once, however often it is asked for, and killed after %s',
    async (operation) => {
      const subject = await world.seed(sceneOf(mode));
      await world.rotate(subject);
      const faults: PlannedFault[] = [{ operation, nth: 1, fault: { kind: 'kill', when: 'after' } }];
      world.machine.faults.plan(faults);
      await rollback(subject).catch(() => {});
      world.machine.faults.plan([]);
      const version = world.secretOf(subject).labels['AWSPENDING'];
      expect(version).toBeDefined();
      expect(works(subject)).toBe(true);
      expect(told(SECRET_ROLLED_BACK)).toEqual([]);

      for (let again = 0; again < 2; again++) expect(await rollback(subject)).toMatchObject({ state: 'rolled back' });

      expect(world.secretOf(subject).labels).toMatchObject({ AWSCURRENT: version });
      expect(world.secretOf(subject).labels['AWSPENDING']).toBeUndefined();
      expect(currentOf(subject)?.clientSecret).toBe(subject.initialSecret.value);
      expect(new Set(told(SECRET_ROLLED_BACK).map(({ id }) => id)).size).toBe(1);
    },
  );

  it('is refused where the previous secret is gone, and changes nothing', async () => {
    const subject = await world.seed(sceneOf(mode));
    await world.rotate(subject);
    world.machine.atlas.world.revokeSecret(subject.account, subject.initialSecret.id);
    const from = world.machine.faults.journal.length;
    await expect(rollback(subject)).rejects.toThrow(/nothing to roll back to/);
    expect(written(from)).toEqual([]);
  });

  it('is refused while the previous secret still works but ends too soon to rotate again', async () => {
    const subject = await world.seed(sceneOf('self'));
    await world.rotate(subject);
    world.machine.clock.advance(7 * DAY - 5 * HOUR);
    const before = currentOf(subject);
    await expect(rollback(subject)).rejects.toThrow(/too soon to rotate again/);
    expect(currentOf(subject)).toEqual(before);
  });

  it('is refused while a rotation is under way, and says what to do', async () => {
    const subject = await world.seed(sceneOf(mode, 'previous'));
    await world.rotate(subject, [
      { operation: 'createOrgServiceAccountSecret', nth: 1, fault: { kind: 'refuse', status: 409 } },
    ]);
    await expect(rollback(subject)).rejects.toThrow(/take AWSPENDING off/);
  });
});

describe('H10: a promotion that comes late, after a rollback', () => {
  it('is refused: the label never comes back to a version it left', async () => {
    const subject = await world.seed(sceneOf('self'));
    await world.rotate(subject);
    const promoted = world.secretOf(subject).labels['AWSCURRENT'];
    await rollback(subject);
    const restored = world.secretOf(subject).labels['AWSCURRENT'];

    await expect(
      world.client.send(
        new UpdateSecretVersionStageCommand({
          SecretId: subject.arn,
          VersionStage: 'AWSCURRENT',
          RemoveFromVersionId: subject.initialVersion,
          MoveToVersionId: promoted,
        }),
      ),
    ).rejects.toThrow();

    expect(world.secretOf(subject).labels['AWSCURRENT']).toBe(restored);
    expect(works(subject)).toBe(true);
  });
});

it('a rollback helps an account that acts for itself with a current value that no longer works', async () => {
  const subject = await world.seed(sceneOf('self'));
  await world.rotate(subject);
  world.machine.atlas.world.revokeSecret(subject.account, currentOf(subject)?.secretId ?? '');
  expect(await rollback(subject)).toMatchObject({ state: 'rolled back' });
  expect(works(subject)).toBe(true);
});

it('the sweep puts the previous value back by itself where the current secret is gone', async () => {
  for (const mode of modes) {
    const subject = await world.seed(sceneOf(mode));
    await world.rotate(subject);
    world.machine.clock.advance(2 * HOUR);
    world.machine.atlas.world.revokeSecret(subject.account, currentOf(subject)?.secretId ?? '');
    expect(await sweep(subject)).toMatchObject({ state: 'restored', code: 'ROTATION_TAKEN_BACK' });
    expect(works(subject)).toBe(true);
  }
});

describe.each(modes)('H11: a leaked secret that is the current one (%s)', (mode) => {
  const leakOf = (subject: Subject) => currentOf(subject)?.secretId ?? subject.initialSecret.id;

  it.each(['none', 'previous', 'expired'] as const)(
    'is replaced by one that works, and deleted at once, with the second slot %s',
    async (second) => {
      const subject = await world.seed(sceneOf(mode, second));
      await world.rotate(subject, [{ operation: 'DescribeSecret', nth: 1, fault: { kind: 'kill', when: 'before' } }]);
      const token = world.secretOf(subject).labels['AWSPENDING'];
      await world.client.send(
        new UpdateSecretVersionStageCommand({
          SecretId: subject.arn,
          VersionStage: 'AWSPENDING',
          RemoveFromVersionId: token,
        }),
      );
      const leaked = leakOf(subject);
      const from = world.machine.faults.journal.length;
      expect(await revoke(subject, leaked, { dryRun: true })).toMatchObject({ state: 'would revoke' });
      expect(written(from)).toEqual([]);

      expect(await revoke(subject, leaked)).toMatchObject({
        state: 'revoked',
        secretId: leaked,
        reason: expect.stringContaining('token'),
      });

      expect(ids(subject)).not.toContain(leaked);
      expect(works(subject)).toBe(true);
      expect(subject.violations).toEqual([]);
      expect(told(SECRET_REVOKED)).toMatchObject([
        { id: `revoked:${leaked}`, secretId: leaked, reason: 'seen in a log' },
      ]);
      expect(world.secretOf(subject).labels['AWSPENDING']).toBeUndefined();
      // Nothing was asked with a token of the secret that was just deleted.
      const refused = world.machine.faults.journal.slice(from).filter(({ status }) => status === 401);
      expect(refused).toEqual([]);
      expect(await revoke(subject, leaked)).toMatchObject({ state: 'revoked' });
      expect(await sweep(subject)).toMatchObject({ state: 'in order' });
    },
  );

  it.each([
    ['before the new one is stored', 'PutSecretValue', 'before'],
    ['once the new one is stored', 'PutSecretValue', 'after'],
    ['before it is promoted', 'UpdateSecretVersionStage', 'before'],
    ['once it is promoted', 'UpdateSecretVersionStage', 'after'],
    ['before the leaked one is deleted', 'deleteOrgServiceAccountSecret', 'before'],
    ['once the leaked one is deleted', 'deleteOrgServiceAccountSecret', 'after'],
  ] as const)(
    'is gone in the end when it is killed %s, by the sweep or by asking again',
    async (_, operation, when) => {
      const subject = await world.seed(sceneOf(mode));
      await world.rotate(subject, [{ operation: 'DescribeSecret', nth: 1, fault: { kind: 'kill', when: 'before' } }]);
      const secret = world.secretOf(subject);
      delete secret.labels['AWSPENDING'];
      const leaked = leakOf(subject);
      world.machine.faults.plan([{ operation, nth: 1, fault: { kind: 'kill', when } }]);
      await revoke(subject, leaked).catch(() => {});
      world.machine.faults.plan([]);
      expect(works(subject)).toBe(true);

      world.machine.clock.advance(31 * MINUTE);
      await leaseEnds(subject);
      const stored = !(operation === 'PutSecretValue' && when === 'before');
      // What was stored the sweep goes on with; what was not is asked for again.
      for (let round = 0; round < 4 && ids(subject).includes(leaked); round++) {
        await (stored ? sweep(subject) : revoke(subject, leaked));
        expect(works(subject), 'there is a value that works').toBe(true);
      }

      expect(ids(subject)).not.toContain(leaked);
      expect(subject.account.secrets).toHaveLength(1);
    },
  );
});

describe('a leaked secret that is not the current one', () => {
  it('is deleted at once, without grace, where it is the previous one: after its label', async () => {
    const subject = await world.seed(sceneOf('self'));
    await world.rotate(subject);
    expect(await revoke(subject, subject.initialSecret.id)).toMatchObject({ state: 'revoked' });
    expect(ids(subject)).toEqual([currentOf(subject)?.secretId]);
    expect(world.secretOf(subject).labels['AWSPREVIOUS']).toBeUndefined();
    expect(told(PREVIOUS_RETIRED)).toEqual([]);
  });

  it('is deleted where it is somebody else’s: by its id alone', async () => {
    const subject = await world.seed(sceneOf('admin', 'foreign'));
    const foreign = ids(subject)[1];
    expect(await revoke(subject, foreign)).toMatchObject({ state: 'revoked', secretId: foreign });
    expect(ids(subject)).toEqual([subject.initialSecret.id]);
  });

  it('is deleted even while somebody who died still holds the account', async () => {
    const subject = await world.seed(sceneOf('admin'));
    await world.rotate(subject);
    world.machine.faults.plan([
      { operation: 'deleteOrgServiceAccountSecret', nth: 1, fault: { kind: 'kill', when: 'before' } },
    ]);
    await revoke(subject, subject.initialSecret.id).catch(() => {});
    world.machine.faults.plan([]);
    expect(ids(subject)).toContain(subject.initialSecret.id);
    expect(await revoke(subject, subject.initialSecret.id)).toMatchObject({ state: 'revoked' });
    expect(ids(subject)).not.toContain(subject.initialSecret.id);
  });

  it('is stopped on its way first, where it is the pending one', async () => {
    const subject = await world.seed(sceneOf('admin'));
    subject.account.accessList = ['203.0.113.0/24'];
    await world.rotate(subject);
    subject.account.accessList = [];
    const pending = world.valueAt(subject, 'AWSPENDING')?.secretId;
    expect(await revoke(subject, pending)).toMatchObject({ state: 'revoked' });
    expect(world.secretOf(subject).labels['AWSPENDING']).toBeUndefined();
    expect(ids(subject)).toEqual([subject.initialSecret.id]);
    expect(works(subject)).toBe(true);
  });

  it('is refused where the account has no such secret', async () => {
    const subject = await world.seed(sceneOf('self'));
    await expect(revoke(subject, '0'.repeat(24))).rejects.toThrow(/has no secret 0{24}/);
    expect(told(SECRET_REVOKED)).toEqual([]);
  });

  it('is refused where it may be the last one that works', async () => {
    const subject = await world.seed(sceneOf('admin'));
    await world.rotate(subject);
    world.machine.atlas.world.revokeSecret(subject.account, currentOf(subject)?.secretId ?? '');
    await expect(revoke(subject, subject.initialSecret.id)).rejects.toThrow(/may be the last/);
    expect(ids(subject)).toEqual([subject.initialSecret.id]);
  });
});

describe('I11: a dry run', () => {
  it('of anything in any state reads, and tries tokens, and does no more', async () => {
    const scenes: Scene[] = [
      sceneOf('self'),
      sceneOf('admin', 'previous'),
      sceneOf('admin', 'expired'),
      sceneOf('self', 'foreign'),
    ];
    for (const scene of scenes) {
      const subject = await world.seed(scene);
      const dry = async (): Promise<void> => {
        const from = world.machine.faults.journal.length;
        const events = world.machine.aws.events.entries.length;
        const current = currentOf(subject)?.secretId;
        await ask({ secrets: [subject.arn], dryRun: true });
        await rollback(subject, { dryRun: true }).catch(() => {});
        for (const id of ids(subject)) await revoke(subject, id, { dryRun: true }).catch(() => {});
        expect(written(from)).toEqual([]);
        expect(world.machine.aws.events.entries).toHaveLength(events);
        expect(currentOf(subject)?.secretId).toBe(current);
      };
      await dry();
      await world.rotate(subject, [{ operation: 'mintToken', nth: 3, fault: { kind: 'refuse', status: 403 } }]);
      world.machine.faults.plan([]);
      world.machine.clock.advance(40 * MINUTE);
      await dry();
      world.machine.clock.advance(6 * DAY);
      await dry();
    }
  });
});
