import { globSync, mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import path from 'node:path';
import { build, type Plugin } from 'esbuild';

const ROOT = path.resolve(import.meta.dirname, '..');

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

const bundle = async (entry: string, outdir: string): Promise<number> => {
  const { outputFiles } = await build({
    entryPoints: { index: entry },
    outdir,
    // In memory first: a build that fails leaves the last good folder alone.
    write: false,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
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
    // Packages that are still CommonJS ask for `require`, which ESM does not have.
    banner: { js: "const require = process.getBuiltinModule('node:module').createRequire(import.meta.url);" },
    plugins: [builtinsOnDemand],
    // What goes wrong is in the error this rejects with.
    logLevel: 'silent',
  });
  rmSync(outdir, { recursive: true, force: true });
  for (const file of outputFiles) {
    mkdirSync(path.dirname(file.path), { recursive: true });
    writeFileSync(file.path, file.contents);
  }
  return outputFiles
    .filter((file) => file.path.endsWith('.mjs'))
    .reduce((sum, file) => sum + file.contents.byteLength, 0);
};

/**
 * Bundles every `<capability>/<name>.handler.ts` into `<outdir>/<lambda>/index.mjs`, whatever the working directory.
 * The folder of each Lambda is replaced as a whole, and the folder of a Lambda that has no handler any more is removed.
 * Rejects, without touching any folder, when a handler file has no Lambda name or `only` names one without a handler.
 */
export const buildBundles = async (options: BuildOptions = {}): Promise<Bundle[]> => {
  const functions = path.resolve(options.functions ?? path.join(ROOT, 'functions'));
  const outdir = path.resolve(options.outdir ?? path.join(ROOT, 'dist'));
  const found = new Map<string, string>();
  for (const file of globSync('*/*.handler.ts', { cwd: functions }).toSorted()) {
    const lambda = LAMBDAS[file.split(path.sep).join('/')];
    if (lambda === undefined) throw new Error(`${file} has no Lambda name: add it to LAMBDAS in infra/build.ts`);
    found.set(lambda, path.join(functions, file));
  }
  for (const lambda of options.only ?? [])
    if (!found.has(lambda)) throw new Error(`${lambda} has no handler under ${functions}`);

  const wanted = [...found].filter(([lambda]) => options.only?.includes(lambda) ?? true);
  const bundles = await Promise.all(
    wanted.map(async ([lambda, entry]) => ({ lambda, bytes: await bundle(entry, path.join(outdir, lambda)) })),
  );
  for (const lambda of Object.values(LAMBDAS))
    if (!found.has(lambda)) rmSync(path.join(outdir, lambda), { recursive: true, force: true });
  return bundles;
};

const isScript = process.argv[1] !== undefined && realpathSync(process.argv[1]) === import.meta.filename;
if (isScript) {
  try {
    for (const { lambda, bytes } of await buildBundles()) process.stdout.write(`${lambda} ${bytes} bytes\n`);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
