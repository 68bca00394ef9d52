/**
 * The model's services are the embedded ones and the sandbox's, which have suites of their own. What the model puts in
 * their way (a client without HTTP, routes without a server) must not be told from the real way: the same calls, in any
 * order, get the same answers.
 */
import * as sdk from '@aws-sdk/client-secrets-manager';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AtlasSandbox, createAtlasSandbox } from '../../infra/local/atlas-sandbox/sandbox.ts';
import type { World } from '../../infra/local/atlas-sandbox/world.ts';
import { createEmbeddedAws } from '../../infra/local/aws/embedded-aws.ts';
import { createMovableClock } from '../../infra/local/clock.ts';
import type { Loopback } from '../../infra/local/loopback.ts';
import { assertProperty } from '../support/properties.ts';
import { type Loaded, loadModel } from './load.ts';

const HOUR = 3_600_000;

let loaded: Loaded;
beforeAll(async () => {
  loaded = await loadModel();
});
afterAll(() => loaded[Symbol.asyncDispose]());

/** A fresh world of the model's, on a wire of its own. */
function freshWorld() {
  const { createModelWorld, time, useWire, Wire } = loaded.model.parts;
  time.reset();
  const world = createModelWorld({ invoke: async () => {}, attempts: 1, retryDelayMs: 0 });
  const watcher = { before: () => {}, after: () => {}, met: () => {}, timedOut: () => {} };
  useWire(
    new Wire({ moves: [], watcher: () => watcher, act: async () => {}, aws: world.aws, atlas: world.atlasRequest }),
  );
  return world;
}

describe('the SDK of the model', () => {
  let server: Loopback;
  beforeAll(async () => {
    server = await createEmbeddedAws().listen();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  type Commands = Pick<
    typeof sdk,
    | 'CancelRotateSecretCommand'
    | 'DeleteSecretCommand'
    | 'DescribeSecretCommand'
    | 'GetSecretValueCommand'
    | 'ListSecretVersionIdsCommand'
    | 'PutSecretValueCommand'
    | 'RestoreSecretCommand'
    | 'RotateSecretCommand'
    | 'UpdateSecretVersionStageCommand'
  >;
  type Call = (commands: Commands, name: string) => object;

  const version = (n: number): string => `0000000${n}-0000-4000-8000-000000000000`;
  const versions = fc.integer({ min: 1, max: 4 }).map(version);
  const stages = fc.constantFrom('AWSCURRENT', 'AWSPENDING', 'AWSPREVIOUS');
  const perhaps = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
  const calls: fc.Arbitrary<Call> = fc.oneof(
    fc.record({ token: perhaps(versions), value: fc.constantFrom('one', 'two'), stage: perhaps(stages) }).map(
      ({ token, value, stage }): Call =>
        (c, SecretId) =>
          new c.PutSecretValueCommand({
            SecretId,
            ClientRequestToken: token,
            SecretString: value,
            VersionStages: stage && [stage],
          }),
    ),
    fc.record({ stage: stages, from: perhaps(versions), to: perhaps(versions) }).map(
      ({ stage, from, to }): Call =>
        (c, SecretId) =>
          new c.UpdateSecretVersionStageCommand({
            SecretId,
            VersionStage: stage,
            RemoveFromVersionId: from,
            MoveToVersionId: to,
          }),
    ),
    fc.record({ id: perhaps(versions), stage: perhaps(stages) }).map(
      ({ id, stage }): Call =>
        (c, SecretId) =>
          new c.GetSecretValueCommand({ SecretId, VersionId: id, VersionStage: stage }),
    ),
    versions.map(
      (token): Call =>
        (c, SecretId) =>
          new c.RotateSecretCommand({
            SecretId,
            ClientRequestToken: token,
            RotationLambdaARN: 'arn:aws:lambda:us-east-1:000000000000:function:none',
            RotationRules: { AutomaticallyAfterDays: 30 },
          }),
    ),
    fc.constantFrom<Call>(
      (c, SecretId) => new c.DescribeSecretCommand({ SecretId }),
      (c, SecretId) => new c.ListSecretVersionIdsCommand({ SecretId, IncludeDeprecated: true }),
      (c, SecretId) => new c.CancelRotateSecretCommand({ SecretId }),
      (c, SecretId) => new c.DeleteSecretCommand({ SecretId }),
      (c, SecretId) => new c.RestoreSecretCommand({ SecretId }),
    ),
  );

  /** An answer without what differs by nature: instants are dates or not, and ids somebody made up are ids. */
  const plain = (answer: object, name: string): unknown =>
    JSON.parse(
      JSON.stringify(answer, (key, value: unknown) => {
        if (key === '$metadata' || key === 'KmsKeyIds') return undefined;
        return key.endsWith('Date') && value !== undefined ? typeof value : value;
      })
        .replaceAll(name, 'NAME')
        .replaceAll(/NAME-\w{6}/g, 'NAME-suffix')
        .replaceAll(/[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}/g, (id) =>
          id.startsWith('0000000') ? id : 'made up',
        ),
    );

  it('answers as the real one over HTTP does', async () => {
    const client = new sdk.SecretsManagerClient({
      region: 'us-east-1',
      endpoint: server.origin,
      credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
      maxAttempts: 1,
    });
    const modelled = loaded.model.parts.awsPackage as unknown as Commands &
      Pick<typeof sdk, 'CreateSecretCommand' | 'SecretsManagerClient'>;
    let secrets = 0;
    const property = fc.asyncProperty(fc.array(calls, { minLength: 3, maxLength: 14 }), async (sequence) => {
      freshWorld();
      const inModel = new modelled.SecretsManagerClient({}) as unknown as { send(command: object): Promise<object> };
      const name = `secret-${secrets++}`;
      const first = { Name: name, SecretString: 'one', ClientRequestToken: version(1) };
      await client.send(new sdk.CreateSecretCommand(first));
      await inModel.send(new modelled.CreateSecretCommand(first));
      for (const call of sequence) {
        const real = client as unknown as { send(command: object): Promise<object> };
        const outcome = (sending: Promise<object>): Promise<unknown> =>
          sending.then(
            (answer) => plain(answer, name),
            (error: Error & { $metadata?: { httpStatusCode?: number } }) => [
              error.name,
              error.message.replaceAll(name, 'NAME').replaceAll(/NAME-\w{6}/g, 'NAME-suffix'),
              error.$metadata?.httpStatusCode,
            ],
          );
        expect(await outcome(inModel.send(call(modelled, name)))).toEqual(await outcome(real.send(call(sdk, name))));
      }
    });
    await assertProperty(property, { numRuns: 40, seed: 4 });
    client.destroy();
  });
});

describe('the Atlas of the model', () => {
  /** One account in a world, and how to ask there. */
  interface Side {
    readonly world: World;
    readonly advance: (ms: number) => void;
    readonly ask: (method: string, path: string, headers: Record<string, string>, body: string) => Promise<Told>;
  }
  interface Told {
    readonly status: number;
    readonly text: string;
    readonly date: string | null;
  }

  const inSandbox = (): Side => {
    const sandbox: AtlasSandbox = createAtlasSandbox({
      clock: createMovableClock(new Date('2030-01-01T00:00:00.500Z')),
      limits: { mintsPerMinute: 1_000 },
    });
    return {
      world: sandbox.world,
      advance: (ms) => sandbox.clock.advance(ms),
      async ask(method, path, headers, body) {
        const response = await sandbox.fetch(
          new Request(`https://atlas.model${path}`, { method, headers, ...(body !== '' && { body }) }),
        );
        return { status: response.status, text: await response.text(), date: response.headers.get('date') };
      },
    };
  };
  const inModel = (): Side => {
    const { atlas, atlasRequest } = freshWorld();
    const { time } = loaded.model.parts;
    return {
      world: atlas,
      advance: (ms) => time.advance(ms),
      async ask(method, path, headers, body) {
        const answer = await atlasRequest(method, new URL(`https://atlas.model${path}`), headers, body).apply();
        return { status: answer.status, text: answer.text, date: answer.headers['date'] ?? null };
      },
    };
  };

  type Step =
    | 'token'
    | 'wrong token'
    | 'list'
    | 'mint'
    | 'delete oldest'
    | 'delete newest'
    | 'revoke'
    | 'hour'
    | 'week';
  const steps = fc.constantFrom<Step>(
    'token',
    'wrong token',
    'list',
    'mint',
    'mint',
    'delete oldest',
    'delete newest',
    'revoke',
    'hour',
    'week',
  );

  /** Plays the steps on one side, and says what was answered, with made-up ids and values left out. */
  async function course({ world, advance, ask }: Side, sequence: readonly Step[]): Promise<unknown[]> {
    const org = world.addOrg({ name: 'organization' });
    const account = world.addOrgAccount(org, { name: 'subject', roles: ['ORG_OWNER'] });
    let value = world.addSecret(account).value;
    let token = '';
    const path = `/api/atlas/v2/orgs/${org.id}/serviceAccounts/${account.clientId}`;
    const basic = (secret: string): Record<string, string> => ({
      authorization: `Basic ${Buffer.from(`${account.clientId}:${secret}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    });
    const media = 'application/vnd.atlas.2024-08-05+json';
    const bearer = () => ({ authorization: `Bearer ${token}`, accept: media, 'content-type': media });
    const said: unknown[] = [];
    for (const step of sequence) {
      const idOf = (which: number): string => account.secrets.at(which)?.id ?? 'f'.repeat(24);
      if (step === 'hour' || step === 'week') {
        advance(step === 'hour' ? HOUR : 7 * 24 * HOUR);
        continue;
      }
      const told = await {
        token: () => ask('POST', '/api/oauth/token', basic(value), 'grant_type=client_credentials'),
        'wrong token': () => ask('POST', '/api/oauth/token', basic('wrong'), 'grant_type=client_credentials'),
        list: () => ask('GET', path, { authorization: `Bearer ${token}`, accept: media }, ''),
        mint: () => ask('POST', `${path}/secrets`, bearer(), '{"secretExpiresAfterHours":720}'),
        'delete oldest': () => ask('DELETE', `${path}/secrets/${idOf(0)}`, bearer(), ''),
        'delete newest': () => ask('DELETE', `${path}/secrets/${idOf(-1)}`, bearer(), ''),
        revoke: () => ask('POST', '/api/oauth/revoke', basic(value), `token=${token}`),
      }[step]();
      const body: unknown = told.text === '' ? undefined : JSON.parse(told.text);
      if (step === 'token' && told.status === 200) token = (body as { access_token: string }).access_token;
      if (step === 'mint' && told.status === 201) value = (body as { secret: string }).secret;
      said.push([step, told.status, shapeOf(body), told.date === null ? 'undated' : 'dated']);
    }
    return said;
  }

  const HIDDEN = /^(id|clientId|secret|maskedSecretValue|access_token|detail|parameters|name|createdAt)$/;

  /** A body with lifetimes in hours, and only the kind of what is different in every world. */
  const shapeOf = (body: unknown): unknown =>
    JSON.parse(
      JSON.stringify(body ?? null, function (this: { createdAt?: string }, key, value: unknown) {
        if (HIDDEN.test(key)) return typeof value;
        if (key === 'expiresAt')
          return Math.round((Date.parse(String(value)) - Date.parse(this.createdAt ?? '')) / HOUR);
        return key === 'lastUsedAt' ? 'used' : value;
      }),
    );

  it('answers as the sandbox does', async () => {
    const property = fc.asyncProperty(fc.array(steps, { minLength: 4, maxLength: 16 }), async (sequence) => {
      const all: Step[] = ['token', ...sequence];
      expect(await course(inModel(), all)).toEqual(await course(inSandbox(), all));
    });
    await assertProperty(property, { numRuns: 60, seed: 4 });
  });
});
