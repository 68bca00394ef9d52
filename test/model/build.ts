/** Builds the model: the real code in one file, with its outermost edges (network, time) replaced by the model's own. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { build, type Plugin } from 'esbuild';

const ROOT = path.resolve(import.meta.dirname, '../..');
const here = (name: string): string => path.join(import.meta.dirname, 'stand-ins', name);

/** One change of the real code: `find` must be there exactly once. */
export interface Change {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

const edges: Plugin = {
  name: 'edges',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^undici$/ }, () => ({ path: here('undici.ts') }));
    onResolve({ filter: /^node:crypto$/ }, () => ({ path: here('crypto.ts') }));
    onResolve({ filter: /^node:timers\/promises$/ }, () => ({ path: here('timers.ts') }));
    onResolve({ filter: /runtime\/clock\.ts$/ }, () => ({ path: here('clock.ts') }));
    onResolve({ filter: /^\.\/clock\.ts$/ }, ({ importer }) =>
      importer.includes(`${path.sep}lib${path.sep}runtime${path.sep}`) ? { path: here('clock.ts') } : undefined,
    );
    onResolve({ filter: /^\.\/connection\.ts$/ }, () => ({ path: here('connection.ts') }));
    onResolve({ filter: /^@aws-sdk\/client-/ }, ({ path: name }) => ({ path: name, namespace: 'aws' }));
    onLoad({ filter: /.*/, namespace: 'aws' }, () => ({
      contents: `module.exports = require(${JSON.stringify(here('aws.ts'))}).awsPackage;`,
      resolveDir: ROOT,
    }));
  },
};

/** Plants changes, and fails where one does not fit any more: a mutant that was not planted proves nothing. */
const changed = (changes: readonly Change[], planted: Set<Change>): Plugin => ({
  name: 'changes',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, async ({ path: file }) => {
      const wanted = changes.filter((change) => file === path.join(ROOT, change.file));
      if (wanted.length === 0) return undefined;
      let contents = await readFile(file, 'utf8');
      for (const change of wanted) {
        const found = contents.split(change.find).length - 1;
        if (found !== 1) throw new Error(`${change.file} has ${found} times: ${change.find}`);
        contents = contents.replace(change.find, () => change.replace);
        planted.add(change);
      }
      return { contents, loader: 'ts' };
    });
  },
});

/** The model as one module, ready to import; with `changes` planted in the real code. */
export async function buildModel(outfile: string, changes: readonly Change[] = []): Promise<void> {
  const planted = new Set<Change>();
  await build({
    entryPoints: [path.join(import.meta.dirname, 'entry.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    logLevel: 'silent',
    define: {
      'Date.now': 'modelDateNow',
      'Math.random': 'modelRandom',
      'AbortSignal.timeout': 'modelAbortTimeout',
      'AbortSignal.any': 'modelAbortAny',
      setImmediate: 'modelImmediate',
      Headers: 'ModelHeaders',
      Response: 'ModelResponse',
    },
    inject: [here('time.ts'), here('fetch-api.ts')],
    plugins: [changed(changes, planted), edges],
    // Some packages are CommonJS and ask for Node's own modules.
    banner: {
      js: `import { createRequire as modelRequire } from 'node:module'; const require = modelRequire(import.meta.url);`,
    },
  });
  const missing = changes.filter((change) => !planted.has(change));
  if (missing.length > 0) throw new Error(`not part of the model: ${missing.map(({ file }) => file).join(', ')}`);
}
