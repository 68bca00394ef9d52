import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createAtlasSandbox } from '../../../infra/local/atlas-sandbox/sandbox.ts';
import { checkAtlas, judged } from '../../../infra/local/doctor/atlas-checks.ts';
import { isWell } from '../../../infra/local/doctor/finding.ts';
import { checkBundles, checkNode, checkSettings, checkTickets } from '../../../infra/local/doctor/machine-checks.ts';
import { loadSettings } from '../../../infra/settings.ts';

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
  }, 60_000);
});
