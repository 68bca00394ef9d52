/** The sweep's built bundle on the whole machine: what a rotation left behind, and what people left in its way. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SECRET_IN_DANGER, SECRET_ROTATED } from '../../lib/events/rotation.ts';
import { type RotationWorld, type Scene, type Subject, startRotationWorld } from '../support/rotation-world.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const plain: Scene = { mode: 'self', scope: 'org', second: 'none' };

interface Report {
  readonly dryRun: boolean;
  readonly swept: readonly {
    readonly managedSecret: string;
    readonly state: string;
    readonly code?: string;
    readonly secretId?: string;
  }[];
}

let world: RotationWorld;
beforeEach(async () => {
  world = await startRotationWorld({ rotationRetry: { attempts: 1, delayMs: 0 } });
});
afterEach(() => world[Symbol.asyncDispose]());

const sweep = async (event: object): Promise<Report> => (await world.machine.sweep.invoke(event)) as Report;
const stateOf = async ({ arn }: Subject, over: object = {}): Promise<Report['swept'][number] | undefined> =>
  (await sweep({ secrets: [arn], ...over })).swept[0];
const told = (detailType: string) =>
  world.machine.aws.events.entries.filter((event) => event['detail-type'] === detailType);

/** Everything a write would change. The order and the use of tokens are not. */
const photograph = (subject: Subject): unknown =>
  structuredClone({
    secrets: subject.account.secrets.map(({ id, expiresAt }) => ({ id, expiresAt })),
    labels: world.secretOf(subject).labels,
    versions: world.secretOf(subject).versions.map(({ id }) => id),
    events: world.machine.aws.events.entries.length,
  });

/** A dry run says what the real one then does, and writes nothing. */
async function dryThenReal(subject: Subject, would: string, did: string): Promise<void> {
  const before = photograph(subject);
  expect(await stateOf(subject, { dryRun: true })).toMatchObject({ state: would });
  expect(photograph(subject)).toEqual(before);
  expect(await stateOf(subject)).toMatchObject({ state: did });
}

it('leaves alone what is in order', async () => {
  const subject = await world.seed(plain);
  await world.rotate(subject);
  world.machine.clock.advance(8 * DAY);
  await stateOf(subject);
  const before = photograph(subject);
  expect(await stateOf(subject)).toMatchObject({ state: 'in order' });
  expect(photograph(subject)).toEqual(before);
});

describe('a rotation that was given up', () => {
  it('is left alone while Secrets Manager may still try it', async () => {
    const subject = await world.seed(plain);
    await world.rotate(subject, [
      { operation: 'createOrgServiceAccountSecret', nth: 1, fault: { kind: 'refuse', status: 409 } },
    ]);
    expect(await stateOf(subject)).toMatchObject({ state: 'under way' });
  });

  it('is finished from where it stopped', async () => {
    const subject = await world.seed({ ...plain, mode: 'admin' });
    subject.account.accessList = ['203.0.113.0/24'];
    await world.rotate(subject);
    expect(world.isRotated(subject)).toBe(false);
    subject.account.accessList = [];
    world.machine.clock.advance(31 * MINUTE);

    await dryThenReal(subject, 'would finish', 'finished');

    expect(world.isRotated(subject)).toBe(true);
    expect(told(SECRET_ROTATED)).toHaveLength(1);
    expect(subject.violations).toEqual([]);
  });

  it('is finished after its mint was lost, once the lost secret is old enough', async () => {
    const subject = await world.seed(plain);
    await world.rotate(subject, [{ operation: 'createOrgServiceAccountSecret', nth: 1, fault: { kind: 'lost' } }]);
    world.machine.clock.advance(31 * MINUTE);
    expect(await stateOf(subject)).toMatchObject({ state: 'finished' });
    expect(subject.account.secrets).toHaveLength(2);
  });

  it('is taken up as soon as Secrets Manager says so', async () => {
    const subject = await world.seed(plain);
    await world.rotate(subject, [
      { operation: 'createOrgServiceAccountSecret', nth: 1, fault: { kind: 'refuse', status: 409 } },
    ]);
    const failed = world.machine.aws.events.entries.find(({ detail }) => detail['eventName'] === 'RotationFailed');
    expect(await sweep(failed ?? {})).toMatchObject({ swept: [{ managedSecret: subject.arn, state: 'finished' }] });
  });

  it('whose value is dead is dropped, and begun anew by the next sweep', async () => {
    const subject = await world.seed({ ...plain, mode: 'admin' });
    subject.account.accessList = ['203.0.113.0/24'];
    await world.rotate(subject);
    subject.account.accessList = [];
    const pending = world.valueAt(subject, 'AWSPENDING');
    world.machine.atlas.world.revokeSecret(subject.account, pending?.secretId ?? '');
    world.machine.clock.advance(5 * DAY);

    expect(await stateOf(subject)).toMatchObject({ state: 'blocked', code: 'ROTATION_PENDING_DEAD' });
    expect(await stateOf(subject)).toMatchObject({ state: 'started' });
    await world.machine.aws.secretsManager.rotationsSettled();
    expect(world.isRotated(subject)).toBe(true);
    expect(subject.violations).toEqual([]);
  });
});

describe('a rotation somebody ended by writing a value', () => {
  it('is not finished over that value: its label is taken off', async () => {
    const subject = await world.seed({ ...plain, mode: 'admin' });
    subject.account.accessList = ['203.0.113.0/24'];
    await world.rotate(subject);
    subject.account.accessList = [];
    const secret = world.secretOf(subject);
    const [first] = secret.versions;
    world.machine.clock.advance(HOUR);
    // What is left when the process dies between a store that came too late and its own look afterwards.
    const byHand = 'b'.repeat(36);
    secret.versions.push({ id: byHand, createdAt: world.machine.clock.now().getTime(), text: first?.text ?? '' });
    secret.labels['AWSCURRENT'] = byHand;

    await dryThenReal(subject, 'would abandon', 'abandoned');

    expect(secret.labels['AWSCURRENT']).toBe(byHand);
    expect(secret.labels['AWSPENDING']).toBeUndefined();
  });
});

describe('the last secret that works', () => {
  it('is not deleted, however long its grace is over, while the current one is gone', async () => {
    const subject = await world.seed({ ...plain, mode: 'admin' });
    await world.rotate(subject);
    const current = world.valueAt(subject, 'AWSCURRENT');
    world.machine.clock.advance(2 * DAY);
    world.machine.atlas.world.revokeSecret(subject.account, current?.secretId ?? '');

    await stateOf(subject);

    await world.machine.aws.secretsManager.rotationsSettled();
    expect(subject.account.secrets.map(({ id }) => id)).toContain(subject.initialSecret.id);
  });
});

describe('what a rotation leaves behind', () => {
  it('is deleted when its grace is over, after its label', async () => {
    const subject = await world.seed(plain);
    await world.rotate(subject);
    world.machine.clock.advance(23 * HOUR);
    expect(await stateOf(subject)).toMatchObject({ state: 'waiting', code: 'ROTATION_MUST_WAIT' });
    world.machine.clock.advance(2 * HOUR);

    await dryThenReal(subject, 'would delete', 'deleted');

    expect(subject.account.secrets.map(({ id }) => id)).not.toContain(subject.initialSecret.id);
    expect(world.secretOf(subject).labels['AWSPREVIOUS']).toBeUndefined();
  });
});

describe('a secret that ends before its schedule comes round', () => {
  it('is rotated in time', async () => {
    const subject = await world.seed(plain);
    await world.rotate(subject);
    const current = subject.account.secrets.find(({ id }) => id !== subject.initialSecret.id);
    world.machine.atlas.world.revokeSecret(subject.account, subject.initialSecret.id);
    if (current) current.expiresAt = new Date(world.machine.clock.now().getTime() + 71 * HOUR);

    await dryThenReal(subject, 'would start', 'started');

    await world.machine.aws.secretsManager.rotationsSettled();
    expect(world.valueAt(subject, 'AWSCURRENT')?.secretId).not.toBe(current?.id);
  });

  it('and can’t be rotated is cried out, with the hours left', async () => {
    const subject = await world.seed({ ...plain, second: 'foreign' });
    await world.rotate(subject).catch(() => {});
    world.machine.clock.advance(31 * MINUTE);
    subject.initialSecret.expiresAt = new Date(world.machine.clock.now().getTime() + 5.5 * HOUR);

    const before = photograph(subject);
    expect(await stateOf(subject, { dryRun: true })).toMatchObject({ state: 'blocked' });
    expect(photograph(subject), 'a dry run tells nobody either').toEqual(before);
    expect(await stateOf(subject)).toMatchObject({ state: 'blocked', code: 'ROTATION_FOREIGN_SECRET' });

    expect(told(SECRET_IN_DANGER)).toMatchObject([
      { detail: { secretArn: subject.arn, hoursLeft: 5, code: 'ROTATION_FOREIGN_SECRET' } },
    ]);
    expect(subject.account.secrets).toHaveLength(2);
  });
});

describe('many secrets', () => {
  it('are all swept, and one that can’t be does not stop the others, nor pass unseen', async () => {
    const subjects = [await world.seed(plain), await world.seed(plain), await world.seed(plain)];
    for (const subject of subjects) await world.rotate(subject);
    const sick = subjects[1];
    if (!sick) throw new Error('no subject');
    const version = world.secretOf(sick).versions.at(-1);
    if (version) version.text = 'mdb_sa_sk_not_json';

    const failure = await sweep({ secrets: subjects.map(({ arn }) => arn) }).catch((error: Error) => error);

    expect(failure).toMatchObject({ errorType: 'SweepIncomplete', message: '1 of 3 secrets could not be swept' });
    expect(String(failure)).not.toContain('mdb_sa_sk');
    expect(await sweep({ secrets: [subjects[0]?.arn, subjects[2]?.arn] })).toMatchObject({
      swept: [{ state: 'waiting' }, { state: 'waiting' }],
    });
  });
});

it('a misspelt dry run is no run at all', async () => {
  await expect(sweep({ dryrun: true })).rejects.toMatchObject({ errorType: 'EventError' });
});
