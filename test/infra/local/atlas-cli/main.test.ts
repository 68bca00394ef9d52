import { type ChildProcess, execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type AtlasSandbox, createAtlasSandbox } from '../../../../infra/local/atlas-sandbox/sandbox.ts';
import type { Organization, Secret, ServiceAccount } from '../../../../infra/local/atlas-sandbox/world.ts';
import { createEmbeddedAws } from '../../../../infra/local/aws/embedded-aws.ts';
import { type Loopback, serveOnLoopback } from '../../../../infra/local/loopback.ts';
import { catalogue } from '../../../../lib/atlas/catalogue.ts';

let sandbox: AtlasSandbox;
let server: Loopback;
let org: Organization;
let owner: ServiceAccount;
let secret: Secret;

beforeEach(async () => {
  sandbox = createAtlasSandbox();
  server = await sandbox.listen();
  org = sandbox.world.addOrg({ name: 'Example' });
  owner = sandbox.world.addOrgAccount(org, { name: 'owner', roles: ['ORG_OWNER'] });
  secret = sandbox.world.addSecret(owner);
});
afterEach(() => server[Symbol.asyncDispose]());

const asOwner = (): Record<string, string> => ({
  MONGODB_ATLAS_BASE_URL: server.origin,
  MONGODB_ATLAS_CLIENT_ID: owner.clientId,
  MONGODB_ATLAS_CLIENT_SECRET: secret.value,
});

interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

function atlas(
  args: readonly string[],
  environment: Record<string, string> = asOwner(),
  stdin = '',
  meanwhile: (child: ChildProcess) => void = () => {},
): Promise<Outcome> {
  return new Promise((resolve) => {
    const env = { PATH: process.env['PATH'], ...environment };
    const child = execFile(
      process.execPath,
      ['infra/local/atlas-cli/main.ts', ...args],
      { env },
      (error, stdout, stderr) => {
        resolve({ status: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
      },
    );
    child.stdin?.end(stdin);
    meanwhile(child);
  });
}

/** The sandbox, but for one answer of its API. */
const answering = (body: string, contentType = 'application/json'): Promise<Loopback> =>
  serveOnLoopback(async (request, drop) =>
    new URL(request.url).pathname.startsWith('/api/oauth/')
      ? sandbox.fetch(request, drop)
      : new Response(body, { headers: { 'content-type': contentType } }),
  );

const tokens = (): number => sandbox.world.liveTokens(owner.clientId).length;
const sent = (): string[] => sandbox.faults.journal.map(({ operation }) => operation);

describe('any operation', () => {
  it('is called by its name, with its parameters as options, and prints what Atlas answered', async () => {
    const { status, stdout } = await atlas(['getOrgServiceAccount', '--org-id', org.id, '--client-id', owner.clientId]);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ clientId: owner.clientId, name: 'owner', roles: ['ORG_OWNER'] });
    expect(sandbox.world.liveTokens(owner.clientId), 'the token was given back').toHaveLength(0);
  });

  it('keeps what the client’s own schemas leave out', async () => {
    const { stdout } = await atlas(['listOrgs']);
    expect(JSON.parse(stdout)).toHaveProperty('totalCount');
  });

  it('takes its body as JSON, from a file or from standard input', async () => {
    const account = ['updateOrgServiceAccount', '--org-id', org.id, '--client-id', owner.clientId];
    const folder = await mkdtemp(path.join(tmpdir(), 'atlas-automation-cli-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    await writeFile(path.join(folder, 'body.json'), '{"name":"from a file"}');
    for (const [body, stdin, name] of [
      ['{"name":"inline"}', '', 'inline'],
      [`@${path.join(folder, 'body.json')}`, '', 'from a file'],
      ['-', '{"name":"piped"}', 'piped'],
    ] as const) {
      expect((await atlas([...account, '--body', body], asOwner(), stdin)).status).toBe(0);
      expect(owner.name).toBe(name);
    }
  });

  it('can be looked at before it is sent', async () => {
    const { status, stdout } = await atlas(['listOrgs', '--items-per-page', '5', '--dry-run'], {
      MONGODB_ATLAS_BASE_URL: server.origin,
    });
    expect(status).toBe(0);
    expect(stdout).toBe(`GET ${server.origin}/api/atlas/v2/orgs?itemsPerPage=5\n`);
    expect(sent()).toEqual([]);
  });

  it('needs no body where every field of it may be left out', async () => {
    const pin = ['pinGroupClusterFeatureCompatibilityVersion', '--group-id', 'a'.repeat(24), '--cluster-name', 'c'];
    const { status, stdout } = await atlas([...pin, '--dry-run']);
    expect(status).toBe(0);
    expect(stdout).toContain(':pinFeatureCompatibilityVersion\n{}\n');
  });

  it('explains itself, parameters and all', async () => {
    const { status, stdout } = await atlas(['getOrgServiceAccount', '--help']);
    expect(status).toBe(0);
    for (const word of [
      '--org-id',
      '--client-id',
      'required',
      'GET /api/atlas/v2/orgs/{orgId}/serviceAccounts/{clientId}',
      '2024-08-05',
    ])
      expect(stdout).toContain(word);
  });
});

describe('a list', () => {
  const projects = async (): Promise<void> => {
    for (let n = 0; n < 7; n++) sandbox.world.addProject(org, { name: `project ${n}` });
  };

  it('is one page, and says that there is more', async () => {
    await projects();
    const { stdout, stderr } = await atlas(['listGroups', '--items-per-page', '3']);
    expect(JSON.parse(stdout).results).toHaveLength(3);
    expect(stderr).toContain('--all');
  });

  it('is whole with --all, line by line where that is asked for', async () => {
    await projects();
    const whole = await atlas(['listGroups', '--items-per-page', '3', '--all']);
    expect(JSON.parse(whole.stdout).results).toHaveLength(7);
    const lines = await atlas(['listGroups', '--items-per-page', '3', '--all', '--output', 'ndjson']);
    expect(
      lines.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).name),
    ).toEqual(Array.from({ length: 7 }, (_, n) => `project ${n}`));
  });

  it('is a table for people, in which nothing from outside can move the cursor', async () => {
    sandbox.world.addProject(org, { name: 'evil\u001b[2J\u0007name' });
    const { stdout } = await atlas(['listGroups', '--output', 'table']);
    expect(stdout).toContain('evil [2J name');
    for (const control of ['\u001b', '\u0007']) expect(stdout).not.toContain(control);
  });
});

describe('what can’t be undone', () => {
  const removal = (): string[] => [
    'deleteOrgServiceAccountSecret',
    '--org-id',
    org.id,
    '--client-id',
    owner.clientId,
    '--secret-id',
    sandbox.world.addSecret(owner).id,
  ];

  it('is not done without a yes', async () => {
    const { status, stderr } = await atlas(removal());
    expect(status).toBe(2);
    expect(stderr).toContain('--yes');
    expect(owner.secrets).toHaveLength(2);
  });

  it('is done with one', async () => {
    expect((await atlas([...removal(), '--yes'])).status).toBe(0);
    expect(owner.secrets).toEqual([secret]);
  });

  it('is shown first, by the nearest read there is', async () => {
    const { stderr } = await atlas(removal());
    expect(stderr).toContain(`clientId: ${owner.clientId}`);
    expect(sent()).toContain('getOrgServiceAccount');
  });

  it('is done with a yes though it cannot be read, and is not without', async () => {
    const refuse = (): void =>
      sandbox.faults.plan([{ operation: 'getOrgServiceAccount', nth: 1, fault: { kind: 'refuse', status: 403 } }]);
    const args = removal();
    refuse();
    const without = await atlas(args);
    expect(without).toMatchObject({ status: 2, stderr: expect.stringContaining('could not be read: ') });
    expect(owner.secrets).toHaveLength(2);
    refuse();
    const withYes = await atlas([...args, '--yes']);
    expect(withYes).toMatchObject({ status: 0, stderr: expect.stringContaining('could not be read: ') });
    expect(sent().filter((name) => name === 'deleteOrgServiceAccountSecret')).toHaveLength(1);
  });

  it('is the bare request where nothing can be read', async () => {
    const id = 'a'.repeat(24);
    const { status, stderr } = await atlas([
      ...['deleteFederationSettingConnectedOrgConfigRoleMapping', '--federation-settings-id', id],
      ...['--org-id', id, '--id', id],
    ]);
    expect(status).toBe(2);
    expect(stderr).toContain('no operation shows what it touches');
    expect(stderr).toContain(`DELETE /api/atlas/v2/federationSettings/${id}/connectedOrgConfigs/${id}/roleMappings`);
  });
});

describe('an answer', () => {
  const newSecret = (...more: string[]): string[] => [
    ...['createOrgServiceAccountSecret', '--org-id', org.id, '--client-id', owner.clientId],
    ...['--body', '{"secretExpiresAfterHours":8}', '--yes', ...more],
  ];

  it('that is one thing is never cut: a secret is shown once', async () => {
    const { stdout } = await atlas(newSecret('--output', 'table'));
    const [, made] = owner.secrets;
    expect(made?.value.length).toBeGreaterThan(40);
    expect(stdout).toContain(`secret: ${made?.value}\n`);
  });

  it.each([[[]], [['--all']]])('that is not what the operation answers is an error (%s)', async (more) => {
    for (const [body, type, where] of [
      ['<html>signed out</html>', 'text/html', 'unreadable: the whole of it'],
      ['{"results":[{"id":7,"name":"x"}]}', 'application/json', 'unreadable: results.0.id'],
    ] as const) {
      await using page = await answering(body, type);
      const outcome = await atlas(['listOrgs', ...more], { ...asOwner(), MONGODB_ATLAS_BASE_URL: page.origin });
      expect(outcome).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining(where) });
    }
  });

  it('that can’t be asked for again is printed even where it is not what was expected', async () => {
    await using odd = await answering('{"id":7,"secret":"only once"}');
    const { status, stdout } = await atlas(newSecret(), { ...asOwner(), MONGODB_ATLAS_BASE_URL: odd.origin });
    expect(status).toBe(3);
    expect(JSON.parse(stdout)).toEqual({ id: 7, secret: 'only once' });
  });

  it('moves no terminal, whatever is in it', async () => {
    const name = 'a\u009b2Jb\u202ec\u2066d\u2028e\u007f';
    sandbox.world.addProject(org, { name });
    for (const output of ['json', 'ndjson', 'table']) {
      const { stdout } = await atlas(['listGroups', '--output', output]);
      expect(stdout).not.toMatch(/[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/);
      if (output === 'ndjson') expect(JSON.parse(stdout).name).toBe(name);
      if (output === 'json') expect(stdout).toContain('\\u009b2Jb\\u202ec\\u2066d\\u2028e\\u007f');
    }
  });

  it('that refuses may hold anything, and is still one plain line', async () => {
    const { stderr, status } = await atlas(['list\u001b[2JOrgs\u202e']);
    expect(status).toBe(2);
    for (const control of ['\u001b', '\u202e']) expect(stderr).not.toContain(control);
    const refusing = await serveOnLoopback(async (request, drop) =>
      new URL(request.url).pathname.startsWith('/api/oauth/')
        ? sandbox.fetch(request, drop)
        : Response.json({ error: 403, errorCode: 'NO', detail: 'because\n\u001b[2Jof \u202ethis' }, { status: 403 }),
    );
    await using server = refusing;
    const refused = await atlas(['listOrgs'], { ...asOwner(), MONGODB_ATLAS_BASE_URL: server.origin });
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(/^Atlas refused listOrgs with 403 NO: because {2}\[2Jof {2}this\n$/);
  });
});

describe('it ends well', () => {
  it('where nobody reads on', async () => {
    for (let n = 0; n < 40; n++) sandbox.world.addProject(org, { name: `project ${n}` });
    const args = ['listGroups', '--items-per-page', '1', '--all', '--output', 'ndjson'];
    const { status, stderr } = await atlas(args, asOwner(), '', ({ stdout }) =>
      stdout?.once('data', () => stdout.destroy()),
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(tokens(), 'the token was given back').toBe(0);
    expect(sent().filter((name) => name === 'listGroups').length).toBeLessThan(40);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('at a %s', async (signal, expected) => {
    sandbox.faults.plan([{ operation: 'listOrgs', nth: 1, fault: { kind: 'slow', ms: 20_000 } }]);
    const { status, stderr } = await atlas(['listOrgs'], asOwner(), '', (child) => {
      const minted = setInterval(() => {
        if (tokens() === 0) return;
        clearInterval(minted);
        setTimeout(() => child.kill(signal), 200);
      }, 20);
    });
    expect(status).toBe(expected);
    expect(stderr).toContain(`interrupted by ${signal}`);
    expect(tokens(), 'the token was given back').toBe(0);
  });

  it('when its time is over', async () => {
    sandbox.faults.plan([{ operation: 'listOrgs', nth: 1, fault: { kind: 'slow', ms: 20_000 } }]);
    const { status, stderr } = await atlas(['listOrgs', '--timeout', '1.5']);
    expect(status).toBe(3);
    expect(stderr).toContain('the 1.5 s of --timeout are over');
    expect(tokens(), 'the token was given back').toBe(0);
  });
});

describe('the exit status and a plain sentence say', () => {
  it.each([
    [
      '2 for an operation there is not, with the nearest',
      ['getOrgServiceAcount'],
      2,
      /Did you mean getOrgServiceAccount/,
    ],
    ['2 for a word alone, with operations it stands in', ['secrets'], 2, /Did you mean \w+Secret\w* or /],
    ['2 for an option without its value', ['listOrgServiceAccounts', '--org-id'], 2, /org-id/],
    ['2 for an output without its value', ['listOrgs', '--output'], 2, /output/],
    [
      '2 for an output given twice',
      ['listOrgs', '--output', 'json', '--output', 'table'],
      2,
      /^--output is given twice$/m,
    ],
    ['2 for an id given twice', ['getGroup', '--group-id', 'a', '--group-id', 'b'], 2, /^--group-id is given twice$/m],
    [
      '2 for a body given twice',
      [
        ...['updateOrgServiceAccount', '--org-id', 'a'.repeat(24), '--client-id', `mdb_sa_id_${'a'.repeat(24)}`],
        ...['--body', '{}', '--body', '{}'],
      ],
      2,
      /^--body is given twice$/m,
    ],
    ['2 for a list without items', ['listGroupEvents', '--group-id', 'a'.repeat(24), '--event-type'], 2, /event-type/],
    ['2 for a time that is none', ['listOrgs', '--timeout', 'soon'], 2, /^--timeout must be a number of seconds$/m],
    ['2 for no time at all', ['listOrgs', '--timeout', '0'], 2, /^--timeout must be above 0$/m],
    ['2 for an option that is missing', ['getOrgServiceAccount', '--org-id', 'a'.repeat(24)], 2, /client-id/],
    ['2 for an option there is not', ['listOrgs', '--nope'], 2, /nope/],
    [
      '2 for an id that is none, before anything is sent',
      ['listOrgServiceAccounts', '--org-id', '42'],
      2,
      /params\.orgId must be 24 hexadecimal digits/,
    ],
    ['2 for a page size Atlas refuses', ['listOrgs', '--items-per-page', '501'], 2, /query\.itemsPerPage/],
    [
      '2 for a body that is not JSON, without quoting it',
      [
        'updateOrgServiceAccount',
        '--org-id',
        'a'.repeat(24),
        '--client-id',
        `mdb_sa_id_${'a'.repeat(24)}`,
        '--body',
        '{hush',
      ],
      2,
      /^(?![\s\S]*hush)[\s\S]*not JSON/,
    ],
    ['1 for what Atlas refuses', ['listOrgServiceAccounts', '--org-id', 'f'.repeat(24)], 1, /404 ORG_NOT_FOUND/],
  ])('%s', async (_, args, expected, message) => {
    const { status, stdout, stderr } = await atlas(args);
    expect(stderr).toMatch(message);
    expect({ status, stdout }).toEqual({ status: expected, stdout: '' });
    if (expected === 2) expect(sent()).toEqual([]);
  });

  it('three different things for bad credentials, none, and a host out of reach', async () => {
    const bad = await atlas(['listOrgs'], { ...asOwner(), MONGODB_ATLAS_CLIENT_SECRET: 'mdb_sa_sk_wrong' });
    const none = await atlas(['listOrgs'], { MONGODB_ATLAS_BASE_URL: server.origin });
    const far = await atlas(['listOrgs'], { ...asOwner(), MONGODB_ATLAS_BASE_URL: 'http://127.0.0.1:9' });
    expect([bad.status, none.status, far.status]).toEqual([1, 2, 3]);
    expect(bad.stderr).toContain('does not accept this client id and secret');
    expect(none.stderr).toContain('no credentials: set MONGODB_ATLAS_CLIENT_ID');
    expect(far.stderr).toContain('http://127.0.0.1:9');
    expect(bad.stderr + none.stderr + far.stderr).not.toContain('mdb_sa_sk_');
  });
});

describe('credentials', () => {
  it('may be API keys', async () => {
    const { publicKey, privateKey } = sandbox.world.addApiKey(org, { roles: ['ORG_READ_ONLY'] });
    const keys = { MONGODB_ATLAS_BASE_URL: server.origin, MONGODB_ATLAS_PUBLIC_API_KEY: publicKey };
    expect(await atlas(['listOrgs'], { ...keys, MONGODB_ATLAS_PRIVATE_API_KEY: privateKey })).toMatchObject({
      status: 0,
      stderr: '',
    });
    const wrong = await atlas(['listOrgs'], { ...keys, MONGODB_ATLAS_PRIVATE_API_KEY: 'another-key' });
    expect(wrong).toMatchObject({ status: 1, stderr: expect.stringContaining('does not accept these API keys') });
  });

  it('may lie in Secrets Manager', async () => {
    const aws = createEmbeddedAws();
    await using endpoint = await aws.listen();
    const awsEnvironment = {
      AWS_ENDPOINT_URL: endpoint.origin,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'x',
      AWS_SECRET_ACCESS_KEY: 'x',
    };
    const client = new SecretsManagerClient({
      endpoint: endpoint.origin,
      region: 'us-east-1',
      credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
    });
    onTestFinished(() => client.destroy());
    await client.send(
      new CreateSecretCommand({
        Name: 'atlas/automation',
        SecretString: JSON.stringify({ clientId: owner.clientId, clientSecret: secret.value }),
      }),
    );

    const { status, stderr } = await atlas(['listOrgs'], {
      MONGODB_ATLAS_BASE_URL: server.origin,
      ATLAS_CREDENTIALS_SECRET: 'atlas/automation',
      ...awsEnvironment,
    });

    expect(stderr).toBe('');
    expect(status).toBe(0);

    const gone = await atlas(['listOrgs'], {
      MONGODB_ATLAS_BASE_URL: server.origin,
      ATLAS_CREDENTIALS_SECRET: 'atlas/another',
      ...awsEnvironment,
    });
    expect(gone).toMatchObject({ status: 2, stderr: expect.stringContaining('has no secret atlas/another') });
    const far = await atlas(['listOrgs'], {
      MONGODB_ATLAS_BASE_URL: server.origin,
      ATLAS_CREDENTIALS_SECRET: 'atlas/automation',
      ...awsEnvironment,
      AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
    });
    expect(far).toMatchObject({ status: 3, stderr: expect.stringContaining('no answer from Secrets Manager') });
  });
});

describe('the list of operations', () => {
  it('names all of them, or those with every word', async () => {
    const all = await atlas(['list']);
    expect(all.stdout.trim().split('\n')).toHaveLength(catalogue.size);
    const some = await atlas(['list', 'service', 'secret']);
    expect(some.stdout).toContain('createOrgServiceAccountSecret');
    expect(some.stdout).not.toContain('listOrgs ');
  });

  it('completes in a shell', async () => {
    expect((await atlas(['completion'])).stdout).toContain('complete ');
    const { stdout } = await atlas(['--get-yargs-completions', 'atlas-automation', 'getOrgServiceAccount', '--']);
    expect(stdout).toContain('--client-id');
  });
});
