import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, inject, it } from 'vitest';
import { buildBundles, LAMBDAS } from '../../infra/build.ts';

const ROTATE = 'rotate-service-account-secret/rotate.handler.ts';
const SWEEP = 'rotate-service-account-secret/sweep.handler.ts';
const HANDLER = `
  import http from 'node:http';
  import { EventEmitter, once } from 'events';
  class Bell extends EventEmitter {}
  export const handler = async () => {
    const bell = new Bell();
    const rung = once(bell, 'ring');
    bell.emit('ring', http.STATUS_CODES[204]);
    const { rare, beside } = await import('./rare.ts');
    return [...(await rung), rare(), Bell.name, beside()];
  };`;
const RARE = `
  import legacy from './legacy.cjs';
  export const rare = () => legacy.join('rare', 'part');
  export const beside = () => new URL('settings.json', import.meta.url).href;`;
const LEGACY = "module.exports = { join: (...parts) => require('path').posix.join(...parts) };";

const project = (files: Readonly<Record<string, string>>) => {
  const root = mkdtempSync(path.join(tmpdir(), 'build-'));
  const functions = path.join(root, 'functions');
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(functions, name)), { recursive: true });
    writeFileSync(path.join(functions, name), text);
  }
  return { functions, outdir: path.join(root, 'dist') };
};
const rotateProject = () =>
  project({
    [ROTATE]: HANDLER,
    'rotate-service-account-secret/rare.ts': RARE,
    'rotate-service-account-secret/legacy.cjs': LEGACY,
  });
const filesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(path.join(folder, name)).isFile(),
  );

/** What the built handler answers, in a process of its own: the tests' own module loader would rewrite its imports. */
const run = (file: string): unknown => {
  const script = 'const { handler } = await import(process.argv[1]); console.log(JSON.stringify(await handler()));';
  const options = ['--input-type=module', '--eval', script, pathToFileURL(file).href];
  return JSON.parse(execFileSync(process.execPath, options, { encoding: 'utf8' }));
};

describe('buildBundles', () => {
  it('leaves a whole bundle where several build it at once', async () => {
    const options = rotateProject();
    const built = await Promise.all(Array.from({ length: 6 }, () => buildBundles(options)));
    const folder = path.join(options.outdir, 'rotate-service-account-secret');
    expect(run(path.join(folder, 'index.mjs'))).toContain('Bell');
    expect(readdirSync(options.outdir)).toEqual(['rotate-service-account-secret']);
    const scripts = filesIn(folder).filter((name) => name.endsWith('.mjs'));
    const bytes = scripts.reduce((sum, name) => sum + statSync(path.join(folder, name)).size, 0);
    expect(built.map(([bundle]) => bundle?.bytes)).toEqual(Array.from({ length: 6 }, () => bytes));
  });

  it('writes a bundle that runs, with CommonJS inside and its rare part in a file of its own', async () => {
    const options = rotateProject();
    const [bundle, ...others] = await buildBundles(options);
    expect(others).toEqual([]);
    expect(bundle?.lambda).toBe('rotate-service-account-secret');

    const folder = path.join(options.outdir, 'rotate-service-account-secret');
    expect(run(path.join(folder, 'index.mjs'))).toEqual([
      'No Content',
      'rare/part',
      'Bell',
      pathToFileURL(path.join(folder, 'settings.json')).href,
    ]);

    const scripts = filesIn(folder).filter((name) => name.endsWith('.mjs'));
    expect(scripts.length).toBeGreaterThan(1);
    expect(scripts.filter((name) => readFileSync(path.join(folder, name), 'utf8').includes('rare'))).not.toHaveLength(
      0,
    );
    expect(bundle?.bytes).toBe(scripts.reduce((sum, name) => sum + statSync(path.join(folder, name)).size, 0));
    for (const name of scripts) expect(existsSync(path.join(folder, `${name}.map`)), name).toBe(true);
    // The namespace import of a builtin is what costs at start: none is left.
    for (const name of scripts)
      expect(readFileSync(path.join(folder, name), 'utf8'), name).not.toMatch(/from ?["'](node:|events|path|http)/);
  });

  it('is the same bytes every time, whatever the working directory', async () => {
    const options = rotateProject();
    const snapshot = async () => {
      await buildBundles(options);
      return filesIn(options.outdir)
        .toSorted()
        .map((name) => [name, readFileSync(path.join(options.outdir, name), 'utf8')]);
    };
    const before = await snapshot();
    const cwd = process.cwd();
    try {
      process.chdir(tmpdir());
      expect(await snapshot()).toEqual(before);
    } finally {
      process.chdir(cwd);
    }
  });

  it('leaves nothing stale behind, and nothing of others touched', async () => {
    const options = rotateProject();
    const stale = [
      'rotate-service-account-secret/chunks/old.mjs',
      'rotate-service-account-secret/settings.json',
      'deliver-tickets/index.mjs',
      'keep/notes.txt',
    ].map((name) => path.join(options.outdir, name));
    for (const name of stale) {
      mkdirSync(path.dirname(name), { recursive: true });
      writeFileSync(name, 'old');
    }
    await buildBundles(options);
    expect(stale.map((name) => existsSync(name))).toEqual([false, false, false, true]);
  });

  it('builds only what it is asked for', async () => {
    const options = project({ [ROTATE]: 'export const handler = 1;', [SWEEP]: 'export const handler = 2;' });
    const only = ['sweep-service-account-secrets'];
    expect((await buildBundles({ ...options, only })).map(({ lambda }) => lambda)).toEqual(only);
    expect(readdirSync(options.outdir)).toEqual(only);
    await expect(buildBundles({ ...options, only: ['nobody'] })).rejects.toThrow('nobody has no handler');
  });

  it('names a handler that has no Lambda name, and builds nothing', async () => {
    const options = project({ [ROTATE]: 'export const handler = 1;', 'new-thing/do.handler.ts': '' });
    await expect(buildBundles(options)).rejects.toThrow(
      `${path.join('new-thing', 'do.handler.ts')} has no Lambda name`,
    );
    expect(existsSync(options.outdir)).toBe(false);
  });

  it('keeps the last good bundle when a build fails', async () => {
    const options = project({ [ROTATE]: 'export const handler = 1;' });
    await buildBundles(options);
    writeFileSync(path.join(options.functions, ROTATE), 'export const handler = (');
    await expect(buildBundles(options)).rejects.toThrow('rotate.handler.ts');
    expect(existsSync(path.join(options.outdir, 'rotate-service-account-secret', 'index.mjs'))).toBe(true);
  });

  it('holds of undici what is used of it, and fails where something else is imported', async () => {
    const options = project({
      [ROTATE]: `
        import http from 'node:http';
        import { Agent, request } from 'undici';
        export const handler = async () => {
          const server = http.createServer((asked, answer) => {
            const got = [];
            asked.on('data', (piece) => got.push(piece));
            asked.on('end', () => answer.writeHead(201, { 'x-asked': asked.method + ' ' + asked.url }).end(Buffer.concat(got)));
          });
          await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
          const dispatcher = new Agent();
          const url = 'http://127.0.0.1:' + server.address().port + '/path?of=it';
          const answer = await request(url, { dispatcher, method: 'POST', headers: { accept: '*/*' }, body: 'said' });
          const text = await answer.body.text();
          await dispatcher.close();
          server.close();
          return [answer.statusCode, answer.headers['x-asked'], text];
        };`,
      [SWEEP]: "import { fetch } from 'undici'; export const handler = fetch;",
    });
    const [bundle] = await buildBundles({ ...options, only: ['rotate-service-account-secret'] });
    expect(run(path.join(options.outdir, 'rotate-service-account-secret', 'index.mjs'))).toEqual([
      201,
      'POST /path?of=it',
      'said',
    ]);
    // The package as a whole has more than 700,000.
    expect(bundle?.bytes).toBeLessThan(250_000);
    await expect(buildBundles({ ...options, only: ['sweep-service-account-secrets'] })).rejects.toThrow(
      'No matching export in "instead:undici" for import "fetch"',
    );
  });

  it('reads schemas as they are, before the first one is made', async () => {
    const options = project({
      [ROTATE]: "import * as z from 'zod'; export const handler = async () => [z.config().jitless, z.int().parse(1)];",
    });
    await buildBundles(options);
    expect(run(path.join(options.outdir, 'rotate-service-account-secret', 'index.mjs'))).toEqual([true, 1]);
  });

  it('loads Node’s HTTP/2 with a server that speaks it, and not before', async () => {
    const options = project({
      [ROTATE]: `
        import http from 'node:http';
        import { Agent, request } from 'undici';
        const listening = (server) => new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)));
        const hasHttp2 = () => process.moduleLoadList.includes('NativeModule http2');
        export const handler = async () => {
          const one = http.createServer((asked, answer) => answer.end('1'));
          const dispatcher = new Agent();
          const first = await request('http://127.0.0.1:' + (await listening(one)), { dispatcher, method: 'GET' });
          const said = [await first.body.text(), hasHttp2()];
          const two = process.getBuiltinModule('node:http2').createServer((asked, answer) => answer.end(asked.httpVersion));
          const multiplexed = new Agent({ useH2c: true });
          const second = await request('http://127.0.0.1:' + (await listening(two)), { dispatcher: multiplexed, method: 'GET' });
          said.push(await second.body.text());
          await dispatcher.close();
          await multiplexed.close();
          one.close();
          two.close();
          return said;
        };`,
    });
    await buildBundles(options);
    expect(run(path.join(options.outdir, 'rotate-service-account-secret', 'index.mjs'))).toEqual(['1', false, '2.0']);
  });

  it('gives every Lambda a name of its own', () => {
    const names = Object.values(LAMBDAS);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('the bundles', () => {
  const MEGABYTE = 1_000_000;
  /** What is larger with what it loads only when it is needed: in each the SDK's ways to credentials outside Lambda, and this. */
  const larger: Readonly<Record<string, number>> = {
    // The client of Security Hub, and that of S3.
    'audit-snapshot-schedules': 1_500_000,
    // The client of S3.
    'remediate-snapshot-schedules': 1_150_000,
    // The ticket systems, one file each.
    'deliver-tickets': 1_080_000,
    'reconcile-alerts': 1_050_000,
    'receive-ticket-update': 1_050_000,
    // What GitHub encrypts secrets with, and the clients of S3, Parameter Store and KMS.
    'sweep-service-account-secrets': 1_650_000,
    // The driver that looks at a migration's source, and the client of S3.
    'command-live-migration': 1_680_000,
    'watch-live-migrations': 1_620_000,
  };
  const bytesOf = (file: string): number => statSync(file).size;

  it('stay below a megabyte each, but for what a few of them load only when it is needed', () => {
    for (const lambda of readdirSync(inject('bundles'))) {
      const folder = path.join(inject('bundles'), lambda);
      const scripts = filesIn(folder).filter((name) => name.endsWith('.mjs'));
      const loaded = new Set<string>();
      const load = (name: string): void => {
        if (loaded.has(name)) return;
        loaded.add(name);
        const text = readFileSync(path.join(folder, name), 'utf8');
        for (const [, other = ''] of text.matchAll(/(?:\bfrom|\bimport)\s*"\.\/([^"]+\.mjs)"/g)) load(other);
      };
      load('index.mjs');
      const sum = (names: Iterable<string>): number =>
        [...names].reduce((total, name) => total + bytesOf(path.join(folder, name)), 0);
      expect(sum(loaded), `${lambda}, at start`).toBeLessThan(MEGABYTE);
      expect(sum(scripts), `${lambda}, in all`).toBeLessThan(larger[lambda] ?? MEGABYTE);
    }
  });

  it('hold no table of browsers or of domain names', () => {
    for (const lambda of readdirSync(inject('bundles'))) {
      const folder = path.join(inject('bundles'), lambda);
      const sources = filesIn(folder)
        .filter((name) => name.endsWith('.mjs.map'))
        .flatMap((name): string[] => JSON.parse(readFileSync(path.join(folder, name), 'utf8')).sources);
      expect(
        sources.filter((name) => /node_modules\/(bowser|tr46)/.test(name)),
        lambda,
      ).toEqual([]);
    }
  });

  it('find credentials where the SDK does, beyond the environment too', async () => {
    const home = mkdtempSync(path.join(tmpdir(), 'profile-'));
    try {
      writeFileSync(
        path.join(home, 'credentials'),
        '[default]\naws_access_key_id = AKIDOFPROFILE\naws_secret_access_key = secret\n',
      );
      const asked: (string | undefined)[] = [];
      const server = createServer((request, response) => {
        asked.push(request.headers.authorization);
        response.writeHead(400).end('{}');
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      try {
        const { port } = server.address() as AddressInfo;
        const event = { Step: 'createSecret', SecretId: 'a', ClientRequestToken: 'b'.repeat(32) };
        const script = `import(process.argv[1]).then(({ handler }) => handler(${JSON.stringify(event)}, {getRemainingTimeInMillis: () => 20000})).catch(() => {})`;
        const bundle = path.join(inject('bundles'), 'rotate-service-account-secret', 'index.mjs');
        const child = spawn(process.execPath, ['-e', script, bundle], {
          stdio: 'ignore',
          env: {
            AWS_REGION: 'us-east-1',
            AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
            AWS_SHARED_CREDENTIALS_FILE: path.join(home, 'credentials'),
            AWS_EC2_METADATA_DISABLED: 'true',
            HOME: home,
          },
        });
        await once(child, 'exit');
      } finally {
        server.close();
      }
      expect(asked[0]).toContain('Credential=AKIDOFPROFILE/');
    } finally {
      rmSync(home, { recursive: true });
    }
  });
});
