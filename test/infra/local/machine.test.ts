/** The machine with small bundles of the test's own: what every function finds there, and how the queue is delivered. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import * as z from 'zod';
import { type Machine, type MachineOptions, startMachine } from '../../../infra/local/machine.ts';
import { createQueue } from '../../../lib/aws/queue.ts';
import { createState } from '../../../lib/aws/state.ts';
import { systemClock } from '../../../lib/runtime/clock.ts';
import { deadlineIn } from '../../../lib/runtime/deadline.ts';

const soon = () => deadlineIn(10_000, systemClock);

let bundles: string;
const place = async (name: string, handler: string): Promise<void> => {
  await mkdir(path.join(bundles, name));
  await writeFile(path.join(bundles, name, 'index.mjs'), `export const handler = ${handler}`);
};
beforeAll(async () => {
  bundles = await mkdtemp(path.join(tmpdir(), 'atlas-automation-machine-'));
  await place(
    'probe',
    '(event) => { if (event.fail) throw new TypeError("no"); return { event, pid: process.pid, env: process.env }; };',
  );
  // Fails what a body says, the way it says.
  await place(
    'deliver-tickets',
    `async ({ Records }) => {
       const bodies = Records.map(({ body }) => body);
       if (bodies.includes('throw')) throw new Error('it broke');
       if (bodies.includes('exit')) process.exit(1);
       if (bodies.includes('nonsense')) return { batchItemFailures: [{}] };
       if (bodies.includes('stranger')) return { batchItemFailures: [{ itemIdentifier: 'nobody' }] };
       if (bodies.includes('nothing')) return undefined;
       const at = bodies.findIndex((body) => body.startsWith('fail'));
       const held = (at < 0 ? [] : Records.slice(at)).filter(({ attributes }) => attributes.MessageGroupId === Records[at].attributes.MessageGroupId);
       return { batchItemFailures: held.map(({ messageId }) => ({ itemIdentifier: messageId })) };
     };`,
  );
});
afterAll(() => rm(bundles, { recursive: true, force: true }));

async function start(options: MachineOptions = {}): Promise<Machine> {
  const machine = await startMachine({ bundles, ...options });
  onTestFinished(() => machine[Symbol.asyncDispose]());
  return machine;
}

describe('a function', () => {
  it('finds what the stack would give it, and what a test adds', async () => {
    const machine = await start({ settings: { a: 1 }, environment: { EVENT_BUS: 'mine' } });
    expect(await machine.invoke('probe', { hello: true })).toMatchObject({
      event: { hello: true },
      env: {
        MONGODB_ATLAS_BASE_URL: machine.atlasOrigin,
        AWS_ENDPOINT_URL: machine.awsEndpoint,
        STATE_TABLE: machine.stateTable,
        REPORT_BUCKET: machine.reportBucket,
        ALERT_QUEUE_URL: expect.stringMatching(/\.fifo$/),
        WEBHOOK_SECRET: expect.any(String),
        ATLAS_CREDENTIALS_SECRET: expect.any(String),
        AUTOMATION_SETTINGS: '{"a":1}',
        EVENT_BUS: 'mine',
      },
    });
  });

  it('fails as Lambda tells it', async () => {
    const machine = await start();
    await expect(machine.invoke('probe', { fail: true })).rejects.toMatchObject({
      errorType: 'TypeError',
      message: 'no',
    });
  });

  it('that was not built is not placed', async () => {
    const machine = await start();
    await expect(machine.invoke('none', {})).rejects.toThrow('there is no bundle none');
    expect(() => machine.container('none')).toThrow('there is no bundle none');
  });

  it('runs several times side by side, with an environment of its own where asked', async () => {
    const machine = await start();
    const [one, other] = [machine.container('probe', { WHO: 'one' }), machine.container('probe')];
    const answers = await Promise.all([one.invoke({}), other.invoke({}), machine.invoke('probe', {})]);
    expect(answers).toMatchObject([{ env: { WHO: 'one' } }, {}, {}]);
    expect(new Set(answers.map((answer) => z.object({ pid: z.int() }).parse(answer).pid)).size).toBe(3);
  });
});

describe('what functions share', () => {
  it('is there from the first call on: the table and the queue', async () => {
    const machine = await start();
    const state = createState(machine.stateTable, machine.sdk);
    expect(await state.create({ pk: 'a', sk: 'b' }, { n: 1 }, soon())).toMatchObject({ value: { n: 1 } });
    const queue = createQueue(machine.environment['ALERT_QUEUE_URL'] ?? '', machine.sdk);
    await queue.send({ body: 'x', group: 'g', deduplicationId: '1' }, soon());
    expect(machine.alertQueue.messages).toMatchObject([{ body: 'x' }]);
    expect(machine.faults.journal.map(({ operation }) => operation)).toEqual(['PutItem', 'SendMessage']);
  });

  it('is met by the one plan of faults, DynamoDB and SQS included', async () => {
    const machine = await start();
    machine.faults.plan(
      [1, 2, 3, 4].map((nth) => ({ operation: 'GetItem', nth, fault: { kind: 'refuse', status: 429 } })),
    );
    const state = createState(machine.stateTable, machine.sdk);
    await expect(state.read({ pk: 'a', sk: 'b' }, z.unknown(), soon())).rejects.toMatchObject({
      error: 'ThrottlingException',
      disposition: 'retry',
    });
  });

  it('holds the secrets a test seeds, and the ones it seeds over them, without counting that as calls', async () => {
    const machine = await start();
    const client = new SecretsManagerClient(machine.sdk);
    onTestFinished(() => client.destroy());
    const secretIn = async (variable: string): Promise<unknown> => {
      const SecretId = machine.environment[variable];
      const { SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId }));
      return JSON.parse(SecretString);
    };
    const { world } = machine.atlas;
    const account = world.addOrgAccount(world.addOrg({ name: 'org' }), { name: 'automation', roles: ['ORG_OWNER'] });

    await machine.seedAtlasCredentials(account);
    await machine.seedWebhookSecret({ current: 'one' });
    expect(machine.faults.journal).toEqual([]);
    const { value: clientSecret } = account.secrets[0] ?? {};
    expect(await secretIn('ATLAS_CREDENTIALS_SECRET')).toEqual({ clientId: account.clientId, clientSecret });
    await machine.seedAtlasCredentials({ publicKey: 'p', privateKey: 'q' });
    await machine.seedWebhookSecret({ current: 'two', previous: 'one' });
    expect(await secretIn('ATLAS_CREDENTIALS_SECRET')).toEqual({ publicKey: 'p', privateKey: 'q' });
    expect(await secretIn('WEBHOOK_SECRET')).toEqual({ current: 'two', previous: 'one' });
  });
});

describe('the alert queue', () => {
  const filled = async (bodies: readonly [body: string, group: string][], options: MachineOptions = {}) => {
    const machine = await start(options);
    for (const [at, [body, group]] of bodies.entries())
      machine.alertQueue.send({ body, group, deduplicationId: String(at) });
    return machine;
  };
  const left = ({ alertQueue }: Machine): string[] => alertQueue.messages.map(({ body }) => body);
  const batches = async (machine: Machine, options?: Parameters<Machine['deliver']>[0]): Promise<string[][]> =>
    (await machine.deliver(options)).map(({ messages }) => messages.map(({ body }) => body));

  it('is delivered in batches until it is empty', async () => {
    const machine = await filled(Array.from({ length: 12 }, (_, n) => [String(n), 'g']));
    expect((await batches(machine)).map((batch) => batch.length)).toEqual([10, 2]);
    expect(left(machine)).toEqual([]);
    expect(await machine.deliver()).toEqual([]);
  });

  it('is delivered a batch at a time, where asked', async () => {
    const machine = await filled(Array.from({ length: 12 }, (_, n) => [String(n), 'g']));
    expect(await batches(machine, { once: true })).toHaveLength(1);
    expect(left(machine)).toEqual(['10', '11']);
  });

  it('keeps what failed, and the rest of its group behind it, until the time out of sight has passed', async () => {
    const machine = await filled([
      ['1', 'a'],
      ['fail', 'a'],
      ['3', 'a'],
    ]);
    expect(await batches(machine)).toEqual([['1', 'fail', '3']]);
    expect(left(machine)).toEqual(['fail', '3']);
    expect(await batches(machine)).toEqual([]);
    machine.clock.advance(361_000);
    expect(await batches(machine, { once: true })).toEqual([['fail', '3']]);
  });

  it('gives up on what failed too often: the dead letters have it, and its group goes on', async () => {
    const machine = await filled(
      [
        ['fail', 'a'],
        ['2', 'a'],
        ['3', 'b'],
      ],
      { alertQueue: { maxReceives: 3 } },
    );
    await machine.deliver({ once: true });
    machine.alertQueue.send({ body: 'later', group: 'a', deduplicationId: 'later' });
    await machine.deliver({ redeliver: true });
    machine.clock.advance(361_000);
    await machine.deliver({ redeliver: true });
    expect(machine.alertDeadLetters.messages.map(({ body }) => body)).toEqual(['fail', '2']);
    expect(left(machine)).toEqual([]);
  });

  it.each([
    ['throw', 'Error: it broke'],
    ['exit', 'Runtime.ExitError: Runtime exited with error: exit status 1'],
    ['nonsense', 'the function answered with something else'],
    ['stranger', 'the function named a message that is not in the batch'],
  ])('keeps the whole batch of a function that does not say what failed: %s', async (body, error) => {
    const machine = await filled([
      ['1', 'a'],
      [body, 'b'],
    ]);
    expect(await machine.deliver({ once: true })).toMatchObject([
      { error, failed: [expect.any(String), expect.any(String)] },
    ]);
    expect(left(machine)).toEqual(['1', body]);
  });

  it('takes silence for success, as Lambda does', async () => {
    const machine = await filled([['nothing', 'a']]);
    await machine.deliver();
    expect(left(machine)).toEqual([]);
  });

  it('is not counted as calls, and meets no faults, when it is polled', async () => {
    const machine = await filled([['1', 'a']]);
    machine.faults.plan([{ operation: '*', nth: 1, fault: { kind: 'kill', when: 'before' } }]);
    await machine.deliver();
    expect(machine.faults.journal).toEqual([]);
    expect(left(machine)).toEqual([]);
  });
});
