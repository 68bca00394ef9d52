/**
 * The built bundle against AWS services it does not know, and the Atlas sandbox: against the embedded services, or,
 * where AWS_ENDPOINT_URL names one, against an independent emulator. The test plays Secrets Manager's part of a
 * rotation, because an emulator's own only pretends: it calls the four steps itself, one by one.
 */
import { randomUUID } from 'node:crypto';
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  RotateSecretCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type AtlasSandbox, createAtlasSandbox } from '../../infra/local/atlas-sandbox/sandbox.ts';
import type { Secret, ServiceAccount } from '../../infra/local/atlas-sandbox/world.ts';
import { createEmbeddedAws } from '../../infra/local/aws/embedded-aws.ts';
import { createLocalFunction, type LocalFunction } from '../../infra/local/lambda/function.ts';
import { type JudgedAtlas, judgeAtlas, notJudged } from '../support/judged-atlas.ts';

const emulator = process.env['AWS_ENDPOINT_URL'];
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
const steps = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const;

let atlas: AtlasSandbox;
let atlasServer: JudgedAtlas;
let rotate: LocalFunction;
let client: SecretsManagerClient;
let output = '';
const running = new AsyncDisposableStack();

beforeAll(async () => {
  atlas = createAtlasSandbox({ seed: 'integration' });
  atlasServer = running.use(await judgeAtlas(atlas));
  const endpoint = emulator ?? running.use(await createEmbeddedAws().listen()).origin;
  client = running.adopt(new SecretsManagerClient({ region: 'us-east-1', endpoint, credentials }), (it) =>
    it.destroy(),
  );
  rotate = running.use(
    createLocalFunction({
      name: 'rotate-service-account-secret',
      bundles: inject('bundles'),
      environment: {
        MONGODB_ATLAS_BASE_URL: atlasServer.origin,
        AWS_ENDPOINT_URL: endpoint,
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      },
      onOutput: (text) => {
        output += text;
      },
    }),
  );
});
afterAll(() => running.disposeAsync());

const HOUR = 3_600_000;
const hoursAgo = (hours: number): Date => new Date(atlas.clock.now().getTime() - hours * HOUR);

interface Setting {
  readonly mode?: 'self' | 'admin';
  readonly scope?: 'org' | 'project';
  /** Leaves out everything but AWS's own shape. */
  readonly bare?: boolean;
}

interface Managed {
  readonly arn: string;
  readonly account: ServiceAccount;
  readonly secret: Secret;
  readonly value: Record<string, unknown>;
}

/** An account with one secret, and the managed secret that holds it. */
async function manage({ mode = 'self', scope = 'org', bare = false }: Setting = {}): Promise<Managed> {
  const name = `integration/${randomUUID()}`;
  const org = atlas.world.addOrg({ name });
  const project = atlas.world.addProject(org, { name });
  const account =
    scope === 'org'
      ? atlas.world.addOrgAccount(org, { name, roles: [mode === 'self' ? 'ORG_OWNER' : 'ORG_MEMBER'] })
      : atlas.world.addProjectAccount(project, { name, roles: [mode === 'self' ? 'GROUP_OWNER' : 'GROUP_READ_ONLY'] });
  const secret = atlas.world.addSecret(account, { createdAt: hoursAgo(700) });
  let adminSecretArn: string | undefined;
  if (mode === 'admin') {
    const admin = atlas.world.addOrgAccount(org, { name: `${name} admin`, roles: ['ORG_OWNER'] });
    const SecretString = JSON.stringify({ clientId: admin.clientId, clientSecret: atlas.world.addSecret(admin).value });
    adminSecretArn = (await client.send(new CreateSecretCommand({ Name: `${name}/admin`, SecretString }))).ARN;
  }
  const value = {
    clientId: account.clientId,
    clientSecret: secret.value,
    ...(scope === 'org' ? { orgId: org.id } : { groupId: project.id }),
    ...(!bare && {
      secretId: secret.id,
      createdAt: secret.createdAt.toISOString(),
      expiresAt: secret.expiresAt.toISOString(),
    }),
    ...(adminSecretArn !== undefined && { adminSecretArn }),
  };
  const { ARN: arn = '' } = await client.send(
    new CreateSecretCommand({ Name: name, SecretString: JSON.stringify(value) }),
  );
  return { arn, account, secret, value };
}

/** Brings a secret to where Secrets Manager calls the function: an empty AWSPENDING version under this token. */
async function open(arn: string, token: string = randomUUID()): Promise<string> {
  const opened = client.send(
    new RotateSecretCommand({
      SecretId: arn,
      ClientRequestToken: token,
      RotationLambdaARN: rotate.arn,
      RotationRules: { AutomaticallyAfterDays: 30 },
    }),
  );
  // moto does all that, and then reports that it can't find the function.
  await (emulator === undefined ? opened : opened.catch(() => {}));
  return token;
}

const step = (arn: string, token: string, Step: string): Promise<unknown> =>
  rotate.invoke({ SecretId: arn, ClientRequestToken: token, Step });

/** The four steps, and what Secrets Manager itself does after them. */
const walk = async (arn: string, token: string): Promise<void> => {
  for (const Step of steps) await step(arn, token, Step);
  await client.send(
    new UpdateSecretVersionStageCommand({ SecretId: arn, VersionStage: 'AWSPENDING', RemoveFromVersionId: token }),
  );
};

async function read(arn: string, stage: string): Promise<{ version: string; value: Record<string, string> }> {
  const { VersionId = '', SecretString = '{}' } = await client.send(
    new GetSecretValueCommand({ SecretId: arn, VersionStage: stage }),
  );
  return { version: VersionId, value: JSON.parse(SecretString) as Record<string, string> };
}

const stagesOf = async (arn: string, token: string): Promise<string[]> =>
  (await client.send(new DescribeSecretCommand({ SecretId: arn }))).VersionIdsToStages?.[token] ?? [];

/** Everything of the account and the managed secret that a write would change. */
const photograph = async ({ arn, account }: Managed): Promise<unknown> => ({
  secrets: structuredClone(account.secrets.map(({ lastUsedAt: _, ...rest }) => rest)),
  stages: (await client.send(new DescribeSecretCommand({ SecretId: arn }))).VersionIdsToStages,
});

describe('a rotation', () => {
  it.each([
    { mode: 'self', scope: 'org', bare: false },
    { mode: 'self', scope: 'project', bare: true },
    { mode: 'admin', scope: 'org', bare: true },
    { mode: 'admin', scope: 'project', bare: false },
  ] as const)('of an account of the $scope, $mode mode, value without ids: $bare', async (setting) => {
    const { arn, account, secret, value } = await manage(setting);
    const token = await open(arn);

    await walk(arn, token);

    const current = await read(arn, 'AWSCURRENT');
    const minted = account.secrets.find(({ id }) => id !== secret.id);
    expect(current).toEqual({
      version: token,
      value: {
        ...value,
        clientSecret: minted?.value,
        secretId: minted?.id,
        createdAt: minted?.createdAt.toISOString(),
        expiresAt: minted?.expiresAt.toISOString(),
      },
    });
    expect(atlas.world.isUsable(account.clientId, secret.value), 'the replaced secret still works').toBe(true);
    expect(atlas.world.isUsable(account.clientId, minted?.value ?? '')).toBe(true);
    expect((await read(arn, 'AWSPREVIOUS')).value).toEqual(value);
  });

  it.each([
    { mode: 'self', tokens: 2, left: 1 },
    { mode: 'admin', tokens: 3, left: 0 },
  ] as const)(
    'mints $tokens tokens in $mode mode, and gives back those it only tried',
    async ({ mode, tokens, left }) => {
      const { arn, account } = await manage({ mode });
      const from = atlas.faults.journal.length;
      await walk(arn, await open(arn));
      const minted = atlas.faults.journal.slice(from).filter(({ operation }) => operation === 'mintToken');
      expect(minted).toHaveLength(tokens);
      expect(atlas.world.liveTokens(account.clientId)).toHaveLength(left);
    },
  );

  it('changes nothing when any of its steps runs again', async () => {
    const managed = await manage();
    const token = await open(managed.arn);
    for (const Step of steps) {
      await step(managed.arn, token, Step);
      const after = await photograph(managed);
      for (const again of steps.slice(0, steps.indexOf(Step) + 1)) await step(managed.arn, token, again);
      expect(await photograph(managed)).toEqual(after);
    }
  });

  it('takes the steps in snake case too', async () => {
    const { arn } = await manage();
    const token = await open(arn);
    for (const Step of ['create_secret', 'set_secret', 'test_secret', 'finish_secret']) await step(arn, token, Step);
    expect((await read(arn, 'AWSCURRENT')).version).toBe(token);
  });

  it('makes room by deleting the previous secret once its grace is over, and not before', async () => {
    const { arn, account, secret } = await manage();
    await walk(arn, await open(arn));
    const first = await read(arn, 'AWSCURRENT');

    const token = randomUUID();
    await open(arn, token);
    await expect(step(arn, token, 'createSecret')).rejects.toThrow(/until .* grace/);
    expect(account.secrets.map(({ id }) => id)).toContain(secret.id);

    atlas.clock.advance(25 * HOUR);
    await walk(arn, token);
    expect(account.secrets.map(({ id }) => id)).not.toContain(secret.id);
    expect(account.secrets.map(({ id }) => id)).toContain(first.value['secretId']);
    expect((await read(arn, 'AWSCURRENT')).version).toBe(token);
  });

  it('deletes the previous secret when it has expired and still holds the slot', async () => {
    const { arn, account, secret } = await manage();
    await walk(arn, await open(arn));
    atlas.clock.advance(8 * 24 * HOUR);
    expect(account.secrets.map(({ id }) => id)).toContain(secret.id);

    await walk(arn, await open(arn));

    expect(account.secrets).toHaveLength(2);
    expect(account.secrets.map(({ id }) => id)).not.toContain(secret.id);
  });
});

describe('a test of the settings alone', () => {
  it('passes on an empty version and writes nothing', async () => {
    const managed = await manage();
    const token = await open(managed.arn);
    const before = await photograph(managed);

    await step(managed.arn, token, 'testSecret');

    expect(await photograph(managed)).toEqual(before);
  });

  it('fails where a rotation would be stopped', async () => {
    const managed = await manage();
    atlas.world.addSecret(managed.account, { createdAt: hoursAgo(50), lastUsedAt: hoursAgo(1) });
    await expect(step(managed.arn, await open(managed.arn), 'testSecret')).rejects.toThrow(/not ours/);
  });
});

describe('zero writes', () => {
  it('where somebody else’s secret holds the second slot, and an error that names its id and age', async () => {
    const managed = await manage();
    const foreign = atlas.world.addSecret(managed.account, { createdAt: hoursAgo(50), lastUsedAt: hoursAgo(1) });
    const token = await open(managed.arn);
    const before = await photograph(managed);

    await expect(step(managed.arn, token, 'createSecret')).rejects.toThrow(`secret ${foreign.id}, 50 hours old,`);

    expect(await photograph(managed)).toEqual(before);
  });

  it.each([
    ['is not a service account’s', { user: 'me' }, /clientId .*clientSecret/],
    ['names its own account as administrator', 'self-admin', /its own account as administrator/],
  ])('where the value %s', async (_, wrong, message) => {
    const managed = await manage();
    const value = wrong === 'self-admin' ? { ...managed.value, adminSecretArn: managed.arn } : wrong;
    await client.send(new PutSecretValueCommand({ SecretId: managed.arn, SecretString: JSON.stringify(value) }));
    if (wrong !== 'self-admin')
      await client.send(new PutSecretValueCommand({ SecretId: managed.arn, SecretString: JSON.stringify(value) }));
    const token = await open(managed.arn);
    const before = await photograph(managed);

    await expect(step(managed.arn, token, 'createSecret')).rejects.toThrow(message);

    expect(await photograph(managed)).toEqual(before);
  });

  it.each(['clientId', 'orgId'])('where %s differs between the versions', async (field) => {
    const managed = await manage();
    const other = {
      ...managed.value,
      [field]: String(managed.value[field]).replace(/.$/, (last) => (last === '0' ? '1' : '0')),
    };
    await client.send(new PutSecretValueCommand({ SecretId: managed.arn, SecretString: JSON.stringify(other) }));
    const token = await open(managed.arn);
    const before = await photograph(managed);

    await expect(step(managed.arn, token, 'createSecret')).rejects.toThrow(`differs from AWSCURRENT in ${field}`);

    expect(await photograph(managed)).toEqual(before);
  });

  it('where the value does not say which of two secrets it is', async () => {
    const managed = await manage({ bare: true });
    const twin = atlas.world.addSecret(managed.account);
    Object.assign(twin, { value: `${twin.value.slice(0, -4)}${managed.secret.value.slice(-4)}` });
    const token = await open(managed.arn);

    await expect(step(managed.arn, token, 'createSecret')).rejects.toThrow(/add its secretId/);
    expect(managed.account.secrets).toHaveLength(2);
  });

  it('for a version that is not being rotated', async () => {
    const managed = await manage();
    await open(managed.arn);
    await expect(step(managed.arn, randomUUID(), 'createSecret')).rejects.toThrow(/abandoned or cancelled/);
  });

  it('for a secret whose rotation was never configured', async () => {
    const managed = await manage();
    await expect(step(managed.arn, (await read(managed.arn, 'AWSCURRENT')).version, 'createSecret')).rejects.toThrow(
      /no rotation enabled/,
    );
  });

  it.each([
    ['nothing', {}],
    ['a step there is not', { SecretId: 's', ClientRequestToken: 'x'.repeat(36), Step: 'deleteSecret' }],
  ])('for an event with %s', async (_, event) => {
    await expect(rotate.invoke(event)).rejects.toMatchObject({ errorType: 'EventError' });
  });
});

describe('a stored value whose secret is gone', () => {
  it('is dropped, so that the next rotation can begin', async () => {
    const managed = await manage();
    const token = await open(managed.arn);
    await step(managed.arn, token, 'createSecret');
    const { value } = await read(managed.arn, 'AWSPENDING');
    atlas.world.revokeSecret(managed.account, value['secretId'] ?? '');

    await expect(step(managed.arn, token, 'setSecret')).rejects.toThrow(/dropped it/);

    expect(await stagesOf(managed.arn, token)).not.toContain('AWSPENDING');
    const again = await open(managed.arn);
    await walk(managed.arn, again);
    expect((await read(managed.arn, 'AWSCURRENT')).version).toBe(again);
  });
});

describe('credentials that work from elsewhere only', () => {
  it('stop the rotation without dropping the new value', async () => {
    const managed = await manage({ mode: 'admin' });
    const token = await open(managed.arn);
    await step(managed.arn, token, 'createSecret');
    managed.account.accessList = ['203.0.113.0/24'];

    await expect(step(managed.arn, token, 'testSecret')).rejects.toThrow(/API access list/);
    expect(await stagesOf(managed.arn, token)).toContain('AWSPENDING');

    managed.account.accessList = [];
    for (const Step of steps.slice(1)) await step(managed.arn, token, Step);
    expect((await read(managed.arn, 'AWSCURRENT')).version).toBe(token);
  });
});

describe('what was said and shown meanwhile', () => {
  it(notJudged ?? 'keeps to the published document', () => {
    if (notJudged !== undefined) return;
    expect(atlasServer.judged).toBeGreaterThan(100);
    expect(atlasServer.violations).toEqual([]);
  });

  it('holds no secret: no value of any account, and no token', () => {
    expect(output).toContain('minted and stored a new secret');
    const values = [...atlas.world.accounts.values()].flatMap(({ secrets }) => secrets.map(({ value }) => value));
    for (const value of values) expect(output).not.toContain(value);
    expect(output).not.toMatch(/mdb_sa_sk_|eyJ/);
  });
});
