import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
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

  it('gives every Lambda a name of its own', () => {
    const names = Object.values(LAMBDAS);
    expect(new Set(names).size).toBe(names.length);
  });
});
