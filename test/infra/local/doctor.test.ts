import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createAtlasSandbox } from '../../../infra/local/atlas-sandbox/sandbox.ts';
import { checkAccounts, checkAtlas, judged } from '../../../infra/local/doctor/atlas-checks.ts';
import { isWell } from '../../../infra/local/doctor/finding.ts';
import { checkBundles, checkNode, checkSettings, checkTickets } from '../../../infra/local/doctor/machine-checks.ts';
import { checkSecrets, type SecretReader, secretsIn } from '../../../infra/local/doctor/secret-checks.ts';
import { checkDestinations } from '../../../infra/local/doctor/ticket-checks.ts';
import { checkWebhook } from '../../../infra/local/doctor/webhook-checks.ts';
import { serveOnLoopback } from '../../../infra/local/loopback.ts';
import { createTicketSandbox } from '../../../infra/local/ticket-sandbox/sandbox.ts';
import { loadSettings, Settings } from '../../../infra/settings.ts';
import { AwsCallFailed } from '../../../lib/aws/errors.ts';

async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'atlas-automation-doctor-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

describe('the doctor', () => {
  it('tells a Node that is too old', () => {
    expect(checkNode('v24.1.0').verdict).toBe('ok');
    expect(checkNode('v22.9.0')).toMatchObject({ verdict: 'fix', fix: expect.stringContaining('24') });
  });

  it('tells every problem of the settings at once, and misses a file only where one was named', async () => {
    const file = path.join(await emptyFolder(), 'settings.json');
    expect(checkSettings(file, false).findings).toMatchObject([{ verdict: 'note' }]);
    expect(checkSettings(file, true).findings).toMatchObject([
      { verdict: 'fix', text: expect.stringContaining('does not exist') },
    ]);
    await writeFile(file, '{"atlas": {"baseUrl": "ftp://x"}, "alarms": {"email": "nobody"}, "more": 1}');
    const { settings, findings } = checkSettings(file, true);
    expect(settings).toBeUndefined();
    expect(findings.length).toBeGreaterThanOrEqual(3);
    expect(findings.every(({ verdict }) => verdict === 'fix')).toBe(true);
  });

  it('tells what is not built', async () => {
    expect(checkBundles(await emptyFolder())).toMatchObject({ verdict: 'fix', fix: 'npm run build' });
  });

  it('tells what the ticket settings leave open', () => {
    const example = loadSettings('infra/settings.example.json');
    expect(checkTickets(example).map(({ verdict }) => verdict)).toEqual(['ok']);
    const [destination] = example.tickets.destinations;
    if (!destination) throw new Error('the example has a destination');
    const { webhookSecret: _, ...quiet } = destination;
    const found = checkTickets({ ...example, webhooks: {}, tickets: { ...example.tickets, destinations: [quiet] } });
    expect(found.map(({ text }) => text).join('\n')).toMatch(/no webhookSecret[\s\S]*webhooks\.atlas/);
  });

  it('mints a token, looks, and gives the token back', async () => {
    const atlas = createAtlasSandbox();
    await using server = await atlas.listen();
    const org = atlas.world.addOrg({ name: 'Example' });
    const account = atlas.world.addOrgAccount(org, { name: 'reader', roles: ['ORG_READ_ONLY'] });
    const findings = await checkAtlas({
      MONGODB_ATLAS_BASE_URL: server.origin,
      MONGODB_ATLAS_CLIENT_ID: account.clientId,
      MONGODB_ATLAS_CLIENT_SECRET: atlas.world.addSecret(account).value,
    });
    expect(isWell(findings)).toBe(true);
    expect(findings.map(({ text }) => text)).toEqual(
      expect.arrayContaining([
        expect.stringContaining('takes the credentials'),
        'in "Example": ORG_READ_ONLY',
        expect.stringMatching(/^as audit: may/),
        expect.stringMatching(/^as migration: not enough/),
      ]),
    );
    expect(atlas.world.liveTokens(account.clientId)).toEqual([]);
  });

  it('tells a wrong secret from an Atlas that does not answer', async () => {
    const atlas = createAtlasSandbox();
    const server = await atlas.listen();
    const variables = {
      MONGODB_ATLAS_BASE_URL: server.origin,
      MONGODB_ATLAS_CLIENT_ID: `mdb_sa_id_${'0'.repeat(24)}`,
      MONGODB_ATLAS_CLIENT_SECRET: 'mdb_sa_sk_wrong',
    };
    const refused = await checkAtlas(variables);
    expect(refused).toMatchObject([{ area: 'credentials', verdict: 'fix' }]);
    expect(JSON.stringify(refused)).not.toContain('mdb_sa_sk_wrong');
    await server[Symbol.asyncDispose]();
    expect(await checkAtlas(variables)).toMatchObject([{ area: 'credentials', verdict: 'unknown' }]);
    expect(await checkAtlas({})).toMatchObject([{ area: 'credentials', verdict: 'note' }]);
  }, 60_000);

  it('finds an owner of the organization fit for everything', () => {
    expect(judged('x', ['ORG_OWNER']).every(({ verdict }) => verdict === 'ok')).toBe(true);
    expect(judged('x', []).some(({ verdict }) => verdict === 'note')).toBe(true);
  });

  it('ends with 1 where something is to fix, and with 2 for arguments it does not know', async () => {
    const run = (...args: string[]): Promise<{ status: number; stdout: string }> =>
      new Promise((resolve) => {
        const env = { PATH: process.env['PATH'] };
        execFile(process.execPath, ['infra/local/doctor.ts', ...args], { env }, (error, stdout) =>
          resolve({ status: typeof error?.code === 'number' ? error.code : 0, stdout }),
        );
      });
    const missing = path.join(await emptyFolder(), 'none.json');
    const { status, stdout } = await run('--settings', missing, '--json');
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ well: false });
    expect((await run('--nonsense')).status).toBe(2);
    // Nobody says which region: one sentence, and nothing that looks like a refusal.
    const nowhere = await run('--settings', 'infra/settings.example.json', '--json');
    expect(nowhere.stdout).toContain('there is no AWS region here');
    expect(nowhere.stdout).not.toContain('failed: Error');
  }, 60_000);
});

/** Secrets Manager with these values, and nothing else in it. */
const managerOf = (values: Readonly<Record<string, string>>): SecretReader => {
  const named = (name: string, operation: string): string => {
    const value = values[name];
    if (value !== undefined) return value;
    const cause = Object.assign(new Error('not there'), {
      name: 'ResourceNotFoundException',
      $fault: 'client',
      $metadata: { httpStatusCode: 400 },
    });
    throw new AwsCallFailed('secretsmanager', operation, cause);
  };
  return {
    async describe(name) {
      named(name, 'DescribeSecret');
      return {
        arn: name,
        name,
        rotationEnabled: false,
        kmsKeyId: undefined,
        rotatesEveryHours: undefined,
        lastRotatedAt: undefined,
        lastChangedAt: undefined,
        deletedAt: undefined,
        primaryRegion: undefined,
        replicas: [],
        stages: new Map(),
      };
    },
    read: async (name) => named(name, 'GetSecretValue'),
  };
};

const failing = (error: string, status?: number): SecretReader => {
  const fail = async (): Promise<never> => {
    const cause = Object.assign(new Error('no'), {
      name: error,
      ...(status !== undefined && { $fault: 'client', $metadata: { httpStatusCode: status } }),
    });
    throw new AwsCallFailed('secretsmanager', 'DescribeSecret', cause);
  };
  return { describe: fail, read: fail };
};

describe('the doctor, of secrets', () => {
  const settings = loadSettings('infra/settings.example.json');

  it('finds the missing, the empty and the ill-shaped, and shows no value', async () => {
    const good = JSON.stringify({ clientId: 'a', clientSecret: 'mdb_sa_sk_hidden', orgId: 'o', current: 'c' });
    const values = Object.fromEntries([...secretsIn(settings).keys()].map((name) => [name, good]));
    expect(await checkSecrets(settings, managerOf(values))).toMatchObject([{ verdict: 'ok' }]);
    const { 'atlas-automation/audit': _, ...others } = values;
    const broken = { ...others, 'atlas/billing/service-account': '{"clientId": "mdb_sa_sk_hidden"}' };
    const findings = await checkSecrets(settings, managerOf(broken));
    expect(findings.map(({ verdict }) => verdict)).toEqual(['ok', 'fix', 'fix']);
    expect(findings.map(({ text }) => text).join()).toMatch(
      /audit is not there[\s\S]*billing\/service-account does not hold/,
    );
    expect(JSON.stringify(findings)).not.toContain('mdb_sa_sk_hidden');
  });

  it('tells no way into AWS, in one line, from a refusal', async () => {
    expect(await checkSecrets(settings, failing('CredentialsProviderError'))).toMatchObject([{ verdict: 'note' }]);
    const refused = await checkSecrets(settings, failing('AccessDeniedException', 400));
    expect(refused.every(({ verdict, fix }) => verdict === 'unknown' && fix?.includes('DescribeSecret'))).toBe(true);
  });

  it('tries each account as its functions will, and gives the tokens back', async () => {
    const atlas = createAtlasSandbox();
    await using server = await atlas.listen();
    const org = atlas.world.addOrg({ name: 'Example' });
    const reader = atlas.world.addOrgAccount(org, { name: 'reader', roles: ['ORG_READ_ONLY'] });
    const value = JSON.stringify({ clientId: reader.clientId, clientSecret: atlas.world.addSecret(reader).value });
    const accounts = {
      atlas: {
        baseUrl: server.origin,
        credentials: { audit: { secret: 'a' }, migration: { secret: 'm' }, fleet: { secret: 'w' } },
      },
    };
    const findings = await checkAccounts(
      accounts,
      managerOf({
        a: value,
        m: value,
        w: '{"clientId": "mdb_sa_id_000000000000000000000000", "clientSecret": "wrong"}',
      }),
    );
    const texts = findings.map(({ verdict, text }) => `${verdict} ${text}`);
    expect(texts).toContainEqual('ok as audit: may read every cluster’s backups');
    expect(texts).toContainEqual(expect.stringMatching(/^note as migration: not enough/));
    expect(texts).toContainEqual(expect.stringMatching(/^fix atlas\.credentials\.fleet/));
    expect(atlas.world.liveTokens(reader.clientId)).toEqual([]);
  }, 60_000);

  it('asks each ticket system, opens nothing, and tells a wrong token from one that is right', async () => {
    const tickets = createTicketSandbox({});
    await using server = await tickets.listen();
    const destinations = tickets
      .destinations(server.origin)
      .filter(({ type }) => ['github', 'jira', 'zendesk'].includes(String(type)));
    const own = Settings.parse({ tickets: { destinations } });
    const right = await checkDestinations(own, managerOf(tickets.secrets));
    expect(right.map(({ verdict, text }) => `${verdict} ${text}`)).toEqual(
      destinations.map(() => expect.stringMatching(/^ok .*takes our credentials/)),
    );
    const wrong = Object.fromEntries(
      Object.keys(tickets.secrets).map((name) => [name, '{"email": "a@b.c", "apiToken": "wrong"}']),
    );
    const refused = await checkDestinations(own, managerOf({ ...wrong, 'tickets/github': 'wrong' }));
    expect(refused.every(({ verdict }) => verdict === 'fix')).toBe(true);
    expect(JSON.stringify(refused)).not.toContain('wrong');
    expect(tickets.trackers.flatMap(({ tickets: { present } }) => present)).toEqual([]);
  }, 60_000);

  it.each([
    [401, 'ok'],
    [200, 'fix'],
    [404, 'fix'],
    [403, 'note'],
    [500, 'fix'],
    [418, 'unknown'],
  ])('says of a webhook that answers %i: %s', async (status, verdict) => {
    await using server = await serveOnLoopback(async () => new Response(null, { status }));
    expect(await checkWebhook(`${server.origin}/`)).toMatchObject({ verdict });
  });

  it('says of a webhook that is not there that something is to fix', async () => {
    const server = await serveOnLoopback(async () => new Response());
    await server[Symbol.asyncDispose]();
    expect(await checkWebhook(server.origin)).toMatchObject({
      verdict: 'fix',
      text: expect.stringContaining('out of reach'),
    });
  });
});
