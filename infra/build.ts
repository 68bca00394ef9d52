import { randomUUID } from 'node:crypto';
import {
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { builtinModules } from 'node:module';
import path from 'node:path';
import { build, type Metafile, type OutputFile, type Plugin } from 'esbuild';
import { fingerprint, ROOT, textOf } from './fingerprint.ts';

const DIST = path.join(ROOT, 'dist');
/** What all bundles follow from, and where it is noted which of it they were built from. */
const SOURCES = ['functions/**/*', 'lib/**/*', 'infra/build.ts', 'infra/bundled-undici.mjs', 'package-lock.json'];
const STAMP = path.join(DIST, '.built');

/**
 * Which handler file is which Lambda. The names are a promise to everything that runs the bundles, so they are said
 * here rather than derived from where a file happens to be.
 */
export const LAMBDAS: Readonly<Record<string, string>> = {
  'rotate-service-account-secret/rotate.handler.ts': 'rotate-service-account-secret',
  'rotate-service-account-secret/sweep.handler.ts': 'sweep-service-account-secrets',
  'audit-snapshot-schedules/audit.handler.ts': 'audit-snapshot-schedules',
  'audit-snapshot-schedules/remediate.handler.ts': 'remediate-snapshot-schedules',
  'start-live-migration/command.handler.ts': 'command-live-migration',
  'start-live-migration/watch.handler.ts': 'watch-live-migrations',
  'bridge-alerts-to-tickets/receive.handler.ts': 'receive-atlas-alert',
  'bridge-alerts-to-tickets/deliver.handler.ts': 'deliver-tickets',
  'bridge-alerts-to-tickets/reconcile.handler.ts': 'reconcile-alerts',
  'bridge-alerts-to-tickets/ticket-update.handler.ts': 'receive-ticket-update',
};

/** One built Lambda. `bytes` counts the JavaScript that is deployed, lazily loaded parts included, source maps not. */
export interface Bundle {
  readonly lambda: string;
  readonly bytes: number;
}

export interface BuildOptions {
  /** Where the folders named after the Lambdas go; `dist` in the project by default. */
  readonly outdir?: string;
  /** Builds these Lambdas alone and leaves the folders of the others as they are. */
  readonly only?: readonly string[];
  /** Where the handlers are; `functions` in the project by default. */
  readonly functions?: string;
  /** Gets what esbuild says each bundle is made of. */
  readonly onMetafile?: (metafile: Metafile) => void;
}

const builtins = new Set(builtinModules);

/**
 * Reaches Node's own modules through `process.getBuiltinModule`. An ESM import of one evaluates every export it has,
 * and among those of node:http are getters that load all of Node's built-in undici: about 10 ms of the first call to AWS,
 * whose SDK imports node:http just before. Reading the one property that is used loads nothing more.
 */
const builtinsOnDemand: Plugin = {
  name: 'builtins-on-demand',
  setup({ onResolve, onLoad }) {
    // Asked for by name where several invocations run in one process (Lambda Managed Instances), and what stands here has
    // no names. No getters are among them.
    onResolve({ filter: /^node:async_hooks$/ }, ({ path, kind }) =>
      kind === 'dynamic-import' ? { path, external: true } : undefined,
    );
    onResolve({ filter: /^(node:)?[a-z]/ }, ({ path: name }) =>
      name.startsWith('node:') || builtins.has(name)
        ? { path: name.replace(/^(node:)?/, 'node:'), namespace: 'builtin', sideEffects: false }
        : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path: name }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(name)});`,
    }));
  },
};

/**
 * What stands in the bundles for a package that holds more than a Lambda has use for. An import of what is left out
 * fails the build.
 */
const INSTEAD: Readonly<Record<string, string>> = {
  // The pool of connections, without fetch, WebSocket, caches and mocks: a quarter of the bytes.
  undici: "export { Agent, request } from './bundled-undici.mjs';",
  // The SDK's chain begins with the environment, where Lambda puts a function's credentials: the rest of it is loaded only
  // where there are none. Looked for once: what has no end stays as it is, and the chain renews what it found itself.
  '@aws-sdk/credential-provider-node': `
    import { fromEnv } from '@aws-sdk/credential-provider-env';
    const find = async (init) => {
      const { AWS_PROFILE, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = process.env;
      if (AWS_PROFILE || !AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY)
        return (await import('@aws-sdk/credential-provider-node')).defaultProvider(init);
      const credentials = await fromEnv(init)();
      return credentials.expiration ? fromEnv(init) : () => credentials;
    };
    export const defaultProvider = (init) => {
      let found;
      const forget = (error) => {
        found = undefined;
        throw error;
      };
      return async (options) => (await (found ??= find(init).catch(forget)))(options);
    };`,
  // Reads the names of browsers.
  bowser: "throw new Error('bowser is not in the bundle');",
  // Schemas are read as they are, not turned into code first: that pays after many values, and most starts see a few.
  // Set before any schema is there: what makes one asks when it is made.
  zod: "import { config } from 'zod'; config({ jitless: true }); export * from 'zod';",
  // All undici uses of Node's, which is loaded with what compares and prints whole objects.
  'assert of undici': `
    module.exports = (holds, message = 'an assertion of undici does not hold') => {
      if (!holds) throw message instanceof Error ? message : new Error(message);
    };`,
  // All the SDK's checksums use of Node's, which is loaded when one is reckoned.
  'zlib of checksums': "export const crc32 = (...given) => process.getBuiltinModule('node:zlib').crc32(...given);",
  // Node's own comes with what watches folders and reads lines; files are read here, and no more.
  'node:fs/promises': `
    const { readFile: read } = process.getBuiltinModule('node:fs');
    export const readFile = process.getBuiltinModule('node:util').promisify(read);
    export default { readFile };`,
  // The class that is global in Node, with a quarter of a megabyte of tables for where it is not.
  'whatwg-url': 'export const { URL, URLSearchParams } = globalThis;',
};

/** Those of them that handlers import: found from here, wherever a handler lies. */
const OURS = ['undici', 'zod'];

/** Where undici loads its HTTP/2, and Node's with it, and what stands there instead: load it with a server that speaks it. */
const HTTP2 = [
  "const connectH2 = require('./client-h2.js')",
  "const connectH2 = (...given) => require('./client-h2.js')(...given)",
] as const;

const packagesInPart: Plugin = {
  name: 'packages-in-part',
  setup({ onResolve, onLoad }) {
    onResolve(
      { filter: new RegExp(`^(${Object.keys(INSTEAD).join('|')})$`) },
      ({ path: name, resolveDir, namespace }) =>
        namespace === 'instead'
          ? undefined
          : { path: name, namespace: 'instead', pluginData: OURS.includes(name) ? import.meta.dirname : resolveDir },
    );
    onResolve({ filter: /^node:assert$/ }, ({ importer }) =>
      /[\\/]undici[\\/]/.test(importer) ? { path: 'assert of undici', namespace: 'instead' } : undefined,
    );
    onResolve({ filter: /^node:zlib$/ }, ({ importer }) =>
      importer.endsWith('Crc32Node.js') ? { path: 'zlib of checksums', namespace: 'instead' } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'instead' }, ({ path: name, pluginData: resolveDir }) => ({
      contents: INSTEAD[name] ?? '',
      resolveDir,
    }));
    onLoad({ filter: /[\\/]undici[\\/]lib[\\/]dispatcher[\\/]client\.js$/ }, ({ path: file }) => {
      const [eager, lazy] = HTTP2;
      const source = readFileSync(file, 'utf8');
      if (!source.includes(eager))
        throw new Error(`${file} loads its HTTP/2 in another way: see HTTP2 in infra/build.ts`);
      return { contents: source.replace(eager, lazy) };
    });
    // What undici requires where it is first needed, and never is here: bodies that are forms, and a parser for processors
    // without SIMD, which no Lambda runs on.
    onLoad({ filter: /[\\/]undici[\\/]lib[\\/](web|llhttp[\\/]llhttp-wasm)\b.*\.js$/ }, ({ path: file }) => ({
      contents: `throw new Error('${path.basename(file)} of undici is not in the bundle');`,
    }));
  },
};

const bundle = async (
  entry: string,
  outdir: string,
  onMetafile: NonNullable<BuildOptions['onMetafile']>,
): Promise<number> => {
  const { outputFiles, metafile } = await build({
    metafile: true,
    absWorkingDir: ROOT,
    entryPoints: { index: entry },
    outdir,
    // In memory first: a build that fails leaves the last good folder alone.
    write: false,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    // Undici's own word for "inside Node": without a second, experimental parser.
    define: { esbuildDetection: 'true' },
    // What a handler imports with `await import()` stays a file of its own, read only when it is needed. All in one
    // folder, so that `import.meta.url` is beside the bundle in each of them.
    splitting: true,
    outExtension: { '.js': '.mjs' },
    chunkNames: '[name]-[hash]',
    mainFields: ['module', 'main'],
    minify: true,
    keepNames: true,
    legalComments: 'none',
    sourcemap: 'linked',
    sourcesContent: false,
    // Packages that are still CommonJS ask for `require`, which ESM does not have. Made when it is asked for: every chunk
    // has one, and hardly any uses it.
    banner: {
      js: "const require = (name) => process.getBuiltinModule('node:module').createRequire(import.meta.url)(name);",
    },
    plugins: [packagesInPart, builtinsOnDemand],
    // What goes wrong is in the error this rejects with.
    logLevel: 'silent',
  });
  onMetafile(metafile);
  putInPlace(outputFiles, outdir);
  return outputFiles
    .filter((file) => file.path.endsWith('.mjs'))
    .reduce((sum, file) => sum + file.contents.byteLength, 0);
};

/** The folder as a whole, beside others that build the same: the last one counts, and none is half of each. */
function putInPlace(files: readonly OutputFile[], outdir: string): void {
  const fresh = path.join(path.dirname(outdir), `.${path.basename(outdir)}-${randomUUID()}`);
  try {
    mkdirSync(fresh, { recursive: true });
    for (const file of files) writeFileSync(path.join(fresh, path.basename(file.path)), file.contents);
    for (let attempt = 1; ; attempt++) {
      rmSync(outdir, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
      try {
        renameSync(fresh, outdir);
        return;
      } catch (error) {
        // Somebody else's was put there between the two.
        if (attempt === 20) throw error;
      }
    }
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/**
 * Bundles every `<capability>/<name>.handler.ts` into `<outdir>/<lambda>/index.mjs`, whatever the working directory.
 * The folder of each Lambda is replaced as a whole, and the folder of a Lambda that has no handler any more is removed.
 * Rejects, without touching any folder, when a handler file has no Lambda name or `only` names one without a handler.
 */
export const buildBundles = async (options: BuildOptions = {}): Promise<Bundle[]> => {
  const { onMetafile = () => {} } = options;
  const functions = path.resolve(options.functions ?? path.join(ROOT, 'functions'));
  const outdir = path.resolve(options.outdir ?? DIST);
  const found = new Map<string, string>();
  for (const file of globSync('*/*.handler.ts', { cwd: functions }).toSorted()) {
    const lambda = LAMBDAS[file.split(path.sep).join('/')];
    if (lambda === undefined) throw new Error(`${file} has no Lambda name: add it to LAMBDAS in infra/build.ts`);
    found.set(lambda, path.join(functions, file));
  }
  for (const lambda of options.only ?? [])
    if (!found.has(lambda)) throw new Error(`${lambda} has no handler under ${functions}`);

  // Taken before the sources are read: what changes meanwhile is built again.
  const isAll = options.only === undefined && options.functions === undefined && outdir === DIST;
  const stamp = isAll ? fingerprint(SOURCES) : undefined;
  if (outdir === DIST) rmSync(STAMP, { force: true });
  const wanted = [...found].filter(([lambda]) => options.only?.includes(lambda) ?? true);
  const bundles = await Promise.all(
    wanted.map(async ([lambda, entry]) => ({
      lambda,
      bytes: await bundle(entry, path.join(outdir, lambda), onMetafile),
    })),
  );
  for (const lambda of Object.values(LAMBDAS))
    if (!found.has(lambda)) rmSync(path.join(outdir, lambda), { recursive: true, force: true });
  if (stamp !== undefined) writeFileSync(STAMP, stamp);
  return bundles;
};

/** Builds all bundles where one is missing, or a source has changed since all were built. */
export async function buildWhereChanged(): Promise<void> {
  const missing = Object.values(LAMBDAS).some((lambda) => !existsSync(path.join(DIST, lambda, 'index.mjs')));
  if (missing || textOf(STAMP) !== fingerprint(SOURCES)) await buildBundles();
}

const isScript = process.argv[1] !== undefined && realpathSync(process.argv[1]) === import.meta.filename;
if (isScript) {
  try {
    for (const { lambda, bytes } of await buildBundles()) process.stdout.write(`${lambda} ${bytes} bytes\n`);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
