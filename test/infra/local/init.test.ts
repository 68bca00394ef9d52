import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { answersFrom, CAPABILITIES, TICKET_SYSTEMS } from '../../../infra/local/init/answers.ts';
import { askAnswers, Cancelled } from '../../../infra/local/init/ask.ts';
import { settingsFile } from '../../../infra/local/init/render.ts';
import { folderStore } from '../../../infra/local/init/secret-stores.ts';
import { loadSettings } from '../../../infra/settings.ts';
import { SCHEMA_FILE, settingsSchema } from '../../../infra/settings-schema.ts';
import { createSecretsManager } from '../../../lib/aws/secrets-manager.ts';
import { systemClock } from '../../../lib/runtime/clock.ts';
import { deadlineIn } from '../../../lib/runtime/deadline.ts';
import { assertProperty } from '../../support/properties.ts';

const SCRIPT = path.resolve('infra/local/init.ts');
const HIDDEN = 'mdb_sa_sk_never_shown';

async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'atlas-automation-init-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const init = (
  cwd: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ status: number; stdout: string; stderr: string }> =>
  new Promise((resolve) => {
    const options = { cwd, env: { PATH: process.env['PATH'] ?? '', ...env } };
    execFile(process.execPath, [SCRIPT, ...args], options, (error, stdout, stderr) =>
      resolve({ status: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
    );
  });

describe('the settings file that is made', () => {
  it('is usable, whatever is asked for', () => {
    const some = fc.subarray([...CAPABILITIES], { minLength: 1 });
    assertProperty(
      fc.property(some, fc.constantFrom('github', 'pagerduty'), (capabilities, ticketSystem) => {
        const text = settingsFile(
          answersFrom({
            capabilities,
            rotate: ['atlas/one', 'atlas/two'],
            ...(capabilities.includes('tickets') && {
              ticketSystem,
              ticketFields: ticketSystem === 'github' ? { repository: 'a/b' } : {},
            }),
            organizations: ['0'.repeat(24)],
            timeZone: 'Europe/Berlin',
          }),
          './schema.json',
        );
        expect(text.startsWith('# yaml-language-server: $schema=./schema.json\n')).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it.each([
    [{ capabilities: ['tickets'] }, /is needed for tickets/],
    [{ capabilities: ['tickets'], ticketSystem: 'github' }, /repository is needed/],
    [{ capabilities: ['tickets'], ticketSystem: 'github', ticketFields: { repository: 'no' } }, /owner\/name/],
    [{ organizations: ['x'] }, /24 hexadecimal/],
    [{ account: '1', region: 'eu-central-1' }, /12 digits/],
    [{ account: '123456789012' }, /go together/],
    [{ timeZone: 'Nowhere/Else' }, /time zone/],
    [{ rotate: ['with space'] }, /Secrets Manager/],
  ])('is not made of %o', (given, message) => {
    expect(() => answersFrom(given)).toThrow(
      expect.objectContaining({
        problems: expect.arrayContaining([expect.objectContaining({ problem: expect.stringMatching(message) })]),
      }),
    );
  });

  it('knows what every ticket system is asked for', () => {
    for (const [type, { fields }] of Object.entries(TICKET_SYSTEMS)) {
      const words = { repository: 'a/b', baseUrl: 'https://example.com', project: 'OPS', teamId: 't', channel: 'C012' };
      const ticketFields = Object.fromEntries(fields.map((field) => [field, words[field]]));
      const answers = answersFrom({ capabilities: ['tickets'], ticketSystem: type, ticketFields });
      expect(settingsFile(answers, 'x')).toContain(`type: "${type}"`);
    }
  });
});

describe('the schema for editors', () => {
  it('is the one that was written last: node infra/settings-schema.ts writes it anew', async () => {
    expect(JSON.parse(await readFile(SCHEMA_FILE, 'utf8'))).toEqual(settingsSchema());
  });
});

describe('npm run init', () => {
  it('writes a file that can be loaded, stores the secrets beside it, and shows none', {
    timeout: 60_000,
  }, async () => {
    const folder = await emptyFolder();
    const args = [
      '--yes',
      '--capability',
      'audit,tickets',
      '--ticket-system',
      'slack',
      '--ticket-field',
      'channel=C0123',
    ];
    const env = { MONGODB_ATLAS_CLIENT_ID: 'id', MONGODB_ATLAS_CLIENT_SECRET: HIDDEN, TICKETS_SECRET: HIDDEN };
    const { status, stdout, stderr } = await init(folder, [...args, '--secrets', 'folder', '--data', 'kept'], env);
    expect(status, stderr).toBe(0);
    expect(stderr).toContain('Stored: atlas-automation/audit');
    const text = await readFile(path.join(folder, 'settings.yaml'), 'utf8');
    expect(stdout + stderr + text).not.toContain(HIDDEN);
    expect(loadSettings(path.join(folder, 'settings.yaml')).tickets.destinations).toMatchObject([{ type: 'slack' }]);
    expect((await stat(path.join(folder, 'kept'))).mode & 0o077).toBe(0);

    await using store = await folderStore(path.join(folder, 'kept'));
    const manager = createSecretsManager(store.client);
    const read = (name: string) => manager.read(name, { stage: 'AWSCURRENT' }, deadlineIn(5_000, systemClock));
    expect(await read('atlas-automation/audit')).toBe(JSON.stringify({ clientId: 'id', clientSecret: HIDDEN }));
    expect(await read('atlas-automation/tickets-token')).toBe(HIDDEN);
    expect(await read('atlas-automation/webhook')).toMatch(/^\{"current":"[\w-]{32}"\}$/);
    expect(await store.create('atlas-automation/audit', 'another')).toBe('there');
    expect(await read('atlas-automation/audit')).toContain('id');
  });

  it('writes over nothing without being told to', { timeout: 60_000 }, async () => {
    const folder = await emptyFolder();
    await writeFile(path.join(folder, 'settings.yaml'), 'mine: true\n');
    expect(await init(folder, ['--yes'])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('there already'),
    });
    expect(await readFile(path.join(folder, 'settings.yaml'), 'utf8')).toBe('mine: true\n');
    expect(await init(folder, ['--yes', '--force'])).toMatchObject({ status: 0 });
    expect(await readFile(path.join(folder, 'settings.yaml'), 'utf8')).toContain('audit:');
  });

  it('says every mistake at once and writes nothing; and does not ask where nobody is', {
    timeout: 60_000,
  }, async () => {
    const folder = await emptyFolder();
    const wrong = await init(folder, ['--yes', '--capability', 'nope', '--organization', 'x', '--time-zone', 'y']);
    expect(wrong.status).toBe(2);
    for (const name of ['capabilities', 'organizations', 'timeZone']) expect(wrong.stderr).toContain(name);
    expect(await init(folder, [])).toMatchObject({ status: 2, stderr: expect.stringContaining('no terminal') });
    expect(existsSync(path.join(folder, 'settings.yaml'))).toBe(false);
  });
});

describe('the questions', () => {
  /** A terminal somebody types into, a key after the other as the screen changes. */
  const typing = (...keys: readonly string[]) => {
    const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => input });
    const output = Object.assign(new PassThrough(), { isTTY: true, columns: 80, rows: 24 });
    let shown = '';
    output.on('data', (data: Buffer) => (shown += data.toString()));
    const type = async (): Promise<void> => {
      for (const key of keys) {
        await new Promise((resolve) => setTimeout(resolve, 30));
        input.write(key);
      }
    };
    return { terminal: { input, output }, type, screen: () => shown };
  };
  const enter = '\r';

  it('make answers of what is typed', async () => {
    const begun = { capabilities: ['audit'] };
    const { terminal, type } = typing(enter, 'f'.repeat(24), enter, enter, enter, enter, enter);
    const [answers] = await Promise.all([askAnswers(begun, terminal), type()]);
    expect(answersFrom(answers)).toMatchObject({
      capabilities: ['audit'],
      organizations: ['f'.repeat(24)],
      auditEveryHours: 24,
      secretsIn: 'later',
    });
  });

  it('say what is wrong where it is typed', async () => {
    const { terminal, type, screen } = typing(enter, 'nope', enter, '\u0003');
    const asked = askAnswers({ capabilities: ['audit'] }, terminal);
    await Promise.all([expect(asked).rejects.toThrow(Cancelled), type()]);
    expect(screen()).toContain('24 hexadecimal digits');
  });
});
