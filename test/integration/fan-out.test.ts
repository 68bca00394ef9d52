/**
 * A managed secret with places that must hold its value, through the built bundles: brought there right after a
 * rotation, and the replaced secret kept until every place has the new one.
 */
import { CreateSecretCommand, GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  createGitHubSecrets,
  type GitHubSecrets,
  type Place,
} from '../../infra/local/github-secrets/github-secrets.ts';
import { FAN_OUT_BEHIND, FAN_OUT_REQUESTED } from '../../lib/events/fan-out.ts';
import { SECRET_ROTATED } from '../../lib/events/rotation.ts';
import { type RotationWorld, type Scene, type Subject, startRotationWorld } from '../support/rotation-world.ts';

const HOUR = 3_600_000;
const plain: Scene = { mode: 'admin', scope: 'org', second: 'none' };
const KUBERNETES = 'kubernetes:live/shop/atlas';

let started: AsyncDisposableStack;
let world: RotationWorld;
let github: GitHubSecrets;
let repository: Place;
let subject: Subject;
let output: string;

async function start(rules: boolean): Promise<void> {
  started = new AsyncDisposableStack();
  output = '';
  github = await createGitHubSecrets();
  github.tokens.add('ghp_1');
  repository = github.add('repository', 'acme/shop');
  const { origin } = started.use(await github.listen());
  world = started.use(
    await startRotationWorld({
      rules,
      onOutput: (text) => {
        output += text;
      },
      settings: {
        rotation: {
          secrets: [
            {
              secret: 'subject-1',
              adminSecret: 'subject-1-admin',
              graceHours: 1,
              fanOut: [
                { type: 'secrets-manager', secret: 'copy' },
                { type: 'ssm', parameter: '/shop/atlas', field: 'clientSecret' },
                {
                  type: 'github-actions',
                  repository: 'acme/shop',
                  name: 'ATLAS',
                  tokenSecret: 'github',
                  baseUrl: origin,
                },
                { type: 'kubernetes', cluster: 'live', namespace: 'shop', secret: 'atlas' },
              ],
            },
          ],
        },
      },
    }),
  );
  for (const [Name, SecretString] of Object.entries({ copy: 'placeholder', github: '{"token":"ghp_1"}' }))
    await world.client.send(new CreateSecretCommand({ Name, SecretString }));
  subject = await world.seed(plain);
}
beforeEach(() => start(false));
afterEach(() => started.disposeAsync());

interface Answer {
  readonly swept: readonly { state: string; fanOut?: readonly { target: string; state: string; code?: string }[] }[];
  readonly fanOut: readonly { target: string; state: string; code?: string }[];
}
const invoke = async (event: object) => (await world.machine.sweep.invoke(event)) as Answer;
const sweep = async () => (await invoke({ secrets: [subject.arn] })).swept[0];
const told = (detailType: string) =>
  world.machine.aws.events.entries.filter((event) => event['detail-type'] === detailType);
const held = async () => ({
  copy: (await world.client.send(new GetSecretValueCommand({ SecretId: 'copy' }))).SecretString,
  parameter: world.machine.aws.parameters.parameters['/shop/atlas']?.at(-1)?.value,
  github: repository.secrets.get('ATLAS')?.value,
});
const current = () => {
  const secret = world.secretOf(subject);
  const version = secret.versions.find(({ id }) => id === secret.labels['AWSCURRENT']);
  return { versionId: version?.id ?? '', text: version?.text ?? '', ...JSON.parse(version?.text ?? '{}') };
};
const acknowledge = (over: object = {}) =>
  invoke({ action: 'acknowledge', secret: subject.arn, target: KUBERNETES, versionId: current().versionId, ...over });
const oldIsThere = () => subject.account.secrets.some(({ id }) => id === subject.initialSecret.id);
/** What the rule of the stack does with the event of a rotation. */
const afterRotation = () => invoke(told(SECRET_ROTATED).at(-1) ?? {});

describe('right after a rotation', () => {
  it('every place gets the new value, each as it wants it, and the value is nowhere else', async () => {
    await started.disposeAsync();
    await start(true);
    await world.rotate(subject);
    await world.machine.aws.events.delivered();
    const { text, clientSecret, versionId } = current();
    expect(await held()).toEqual({ copy: text, parameter: clientSecret, github: text });
    expect(told(FAN_OUT_REQUESTED)).toMatchObject([
      { detail: { versionId, target: KUBERNETES, secretArn: subject.arn } },
    ]);
    expect(JSON.stringify(world.machine.aws.events.entries) + output).not.toContain(clientSecret);

    // The event may come twice.
    expect((await afterRotation()).fanOut.map(({ state }) => state)).toEqual(['held', 'held', 'held', 'requested']);
    expect(repository.secrets.get('ATLAS')?.writes).toBe(1);
    expect(world.machine.aws.parameters.parameters['/shop/atlas']).toHaveLength(1);
  });
});

describe('the replaced secret', () => {
  it('stays until every place has the new one, and goes then', async () => {
    await world.rotate(subject);
    github.faults.plan([
      { operation: 'github PUT secret', nth: 1, fault: { kind: 'refuse', status: 403 } },
      { operation: 'github PUT secret', nth: 2, fault: { kind: 'refuse', status: 403 } },
    ]);
    world.machine.clock.advance(2 * HOUR);
    // Grace is over; one place refuses, one has not been fetched by its controller.
    expect(await sweep()).toMatchObject({
      state: 'waiting',
      reason: expect.stringContaining('github-actions:acme/shop/ATLAS'),
      fanOut: [{}, {}, { state: 'behind', code: 'FAN_OUT_REFUSED' }, { state: 'requested' }],
    });
    expect(told(FAN_OUT_BEHIND)).toMatchObject([
      { detail: { target: 'github-actions:acme/shop/ATLAS', versionId: current().versionId } },
    ]);
    expect(oldIsThere()).toBe(true);

    github.faults.plan([]);
    expect(await sweep()).toMatchObject({ state: 'waiting', reason: expect.stringContaining(KUBERNETES) });
    expect(oldIsThere()).toBe(true);

    expect(await acknowledge({ dryRun: true })).toMatchObject({ state: 'would acknowledge' });
    expect(await sweep()).toMatchObject({ state: 'waiting' });
    expect(await acknowledge()).toMatchObject({ state: 'acknowledged' });
    expect(await acknowledge()).toMatchObject({ state: 'acknowledged' });
    expect(await sweep()).toMatchObject({ state: 'deleted' });
    expect(oldIsThere()).toBe(false);
    expect(subject.violations).toEqual([]);
  });

  it('is not deleted by the next rotation either, which may not look at the places', async () => {
    await world.rotate(subject);
    world.machine.clock.advance(2 * HOUR);
    await world.rotate(subject);
    expect(oldIsThere()).toBe(true);
    expect(output).toContain('ROTATION_MUST_WAIT');
  });

  it('goes when its own end comes, whoever is behind', async () => {
    await world.rotate(subject);
    world.machine.clock.advance(8 * 24 * HOUR);
    expect(await sweep()).toMatchObject({ state: 'deleted' });
    expect(oldIsThere()).toBe(false);
  });
});

describe('an acknowledgement', () => {
  it.each([
    ['of a place that is read rather than believed', { target: 'ssm:/shop/atlas#clientSecret' }, 'UNKNOWN_TARGET'],
    ['of a place nobody listed', { target: 'kubernetes:live/shop/other' }, 'UNKNOWN_TARGET'],
    ['of another version', { versionId: '0'.repeat(36) }, 'UNKNOWN_VERSION'],
  ])('%s is refused', async (_, over, code) => {
    await world.rotate(subject);
    await expect(acknowledge(over)).rejects.toMatchObject({ errorType: 'FanOutFailed' });
    expect(output).toContain(`FAN_OUT_${code}`);
  });

  it('misspelt is no sweep', async () => {
    await expect(invoke({ action: 'acknowledge', secret: subject.arn })).rejects.toMatchObject({
      errorType: 'EventError',
    });
  });
});

it('a dry run brings nothing anywhere', async () => {
  await world.rotate(subject);
  const before = JSON.stringify([await held(), world.machine.aws.events.entries]);
  const { swept } = await invoke({ secrets: [subject.arn], dryRun: true });
  expect(swept[0]?.fanOut?.map(({ state }) => state)).toEqual(Array.from({ length: 4 }, () => 'would deliver'));
  expect(JSON.stringify([await held(), world.machine.aws.events.entries])).toBe(before);
});
