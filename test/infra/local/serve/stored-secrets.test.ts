import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { describe, expect, it, onTestFinished } from 'vitest';
import { folderStore } from '../../../../infra/local/init/secret-stores.ts';
import { type LocalHost, startLocalHost } from '../../../../infra/local/serve/local-host.ts';
import { agree, agreementFor, isAgreed } from '../../../../infra/local/serve/modes.ts';
import { loadSettings } from '../../../../infra/settings.ts';
import type { AtlasCredentials } from '../../../../lib/atlas/authenticator.ts';

const ORIGIN = 'http://127.0.0.1:9';
const ACCOUNTS = ['audit', 'remediation', 'migration', 'tickets', 'fleet'].map((name) => `atlas-automation/${name}`);
const HOOK = 'atlas-automation/webhook';

async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'atlas-automation-stored-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function secretIn({ machine }: LocalHost, SecretId: string): Promise<string> {
  const client = new SecretsManagerClient(machine.sdk);
  const { SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId }));
  client.destroy();
  return SecretString;
}

const settings = loadSettings('infra/settings.example.json');

/** A host of no functions at all: what is in its Secrets Manager is looked at. */
const start = (data: string, credentials?: AtlasCredentials, webhookKey?: string) =>
  startLocalHost({
    settings,
    resources: {},
    data,
    webhookKey,
    atlas: { origin: ORIGIN, credentials: async () => credentials },
  });

describe('the local host on the real Atlas', () => {
  it('uses the accounts and the key of the webhooks that were stored before, and needs no others', async () => {
    const data = await emptyFolder();
    {
      await using store = await folderStore(data);
      for (const name of ACCOUNTS) await store.create(name, JSON.stringify({ clientId: name, clientSecret: 'stored' }));
      await store.create(HOOK, '{"current": "stored"}');
    }
    const given = { clientId: 'given', clientSecret: 'given' };
    for (const credentials of [undefined, given, undefined]) {
      await using local = await start(data, credentials);
      expect(local.takesWebhooks).toBe(true);
      expect(await secretIn(local, HOOK)).toBe('{"current": "stored"}');
      for (const name of ACCOUNTS) expect(await secretIn(local, name)).toContain('stored');
      await local.stop();
    }
    await using local = await start(data, undefined, 'said');
    expect(await secretIn(local, HOOK)).toBe('{"current":"said"}');
    await local.stop();
  }, 60_000);

  it('names every account without credentials, and keeps those it was given', async () => {
    const data = await emptyFolder();
    await expect(start(data)).rejects.toThrow(/no Atlas credentials for .*\/audit, .*\/fleet: .*npm run init/);
    const given = { clientId: 'given', clientSecret: 'given' };
    for (const credentials of [given, undefined]) {
      await using local = await start(data, credentials);
      expect(local.takesWebhooks).toBe(false);
      expect(await secretIn(local, 'atlas-automation/audit')).toContain('given');
      await local.stop();
    }
  }, 60_000);
});

describe('a yes', () => {
  it('is asked for once in a data folder, and again for another place', async () => {
    const data = path.join(await emptyFolder(), 'data');
    const asked = (atlas: string) => agreementFor({ atlas, dryRun: false, data }) ?? '';
    const one = asked('https://cloud.mongodb.com');
    expect(isAgreed(data, one)).toBe(false);
    agree(data, one);
    agree(data, one);
    expect(isAgreed(data, one)).toBe(true);
    expect(isAgreed(data, asked('https://cloud.mongodbgov.com'))).toBe(false);
    const aws = {
      account: '1',
      region: 'r',
      endpoint: undefined,
      hasFunctions: false,
      table: '',
      bucket: '',
      queueUrl: '',
    };
    expect(isAgreed(data, agreementFor({ atlas: 'https://cloud.mongodb.com', aws, dryRun: false, data }) ?? '')).toBe(
      false,
    );
  });
});
