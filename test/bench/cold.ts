import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import Table from 'cli-table3';
import { build } from 'esbuild';
import * as z from 'zod';
import { buildBundles } from '../../infra/build.ts';
import { startColdWorld } from './cold-scenes.ts';

/** `COLD_ROUNDS` says another number, for whoever looks at the limits and not at the figures. */
const ROUNDS = Number(process.env['COLD_ROUNDS'] ?? 15);
/** Calls in one process before its memory is read. */
const WARM_CALLS = 20;
const MB = 2 ** 20;
/** Reads a rotation makes before it mints, besides the usual stack's: with them both make as many calls. */
const LOOKS = 7;

/**
 * Of the usual stack's time from the start of the process to its first answer. `reach` is where a function should be;
 * above `limit` the bench fails, which leaves room for a machine that is busy. A function that makes more calls than the
 * usual stack pays for them here, too.
 */
const RATIOS: Readonly<Record<string, { readonly reach: number; readonly limit: number }>> = {
  'rotate-service-account-secret': { reach: 0.55, limit: 1.2 },
  'sweep-service-account-secrets': { reach: 0.7, limit: 1.2 },
  'audit-snapshot-schedules': { reach: 0.7, limit: 1.8 },
  'remediate-snapshot-schedules': { reach: 0.7, limit: 1.4 },
  'command-live-migration': { reach: 0.7, limit: 1 },
  'watch-live-migrations': { reach: 0.7, limit: 1 },
  'receive-atlas-alert': { reach: 0.4, limit: 0.75 },
  'deliver-tickets': { reach: 0.7, limit: 2.4 },
  'reconcile-alerts': { reach: 0.7, limit: 1.4 },
  'receive-ticket-update': { reach: 0.7, limit: 1.2 },
};

/** Handlers that make the calls of ours, and do nothing besides. */
const LEAST = fileURLToPath(new URL('cold-least', import.meta.url));

/** Megabytes a process of a function may ever have, after many calls. */
const memoryLimit = (name: string): number => (name === 'audit-snapshot-schedules' ? 512 : 128);

const run = promisify(execFile);
const Taken = z.object({
  import: z.number(),
  call: z.number(),
  ready: z.number(),
  cpu: z.number(),
  memory: z.number(),
  status: z.int().min(200).max(299),
});
type Taken = z.output<typeof Taken>;

interface Subject {
  readonly name: string;
  readonly what: string;
  readonly folder: string;
  readonly flags?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** The event of the next call: every call is a first one. */
  readonly event: () => Promise<unknown>;
}

/**
 * Import and first call of every bundle, each in a fresh process, against services on loopback: as a ratio to an empty
 * handler, and to the usual stack in the same run; with `variants`, of two of them with other settings of Node, too.
 * Subjects take turns, so that what slows the machine slows them all.
 * Quote the ratios: the times are this machine's. Leaves exit code 1 where a limit is passed.
 */
export async function benchCold(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'atlas-automation-bench-'));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  await buildBundles({ outdir: folder });
  await mkdir(path.join(folder, 'empty'));
  await writeFile(path.join(folder, 'empty/index.mjs'), 'export const handler = async () => ({});\n');
  await buildUsualStack(path.join(folder, 'usual'));
  const leasts = await buildBundles({ functions: LEAST, outdir: path.join(folder, 'least') });
  const { environment, scenes } = stack.use(await startColdWorld());

  const rotation = scenes['rotate-service-account-secret'];
  if (!rotation) throw new Error('there is no rotation to be measured by');
  const empty: Subject = {
    name: 'empty handler',
    what: '',
    folder: path.join(folder, 'empty'),
    environment: {},
    event: async () => ({}),
  };
  const usual: Subject = {
    name: 'the usual stack',
    what: 'createSecret in 5 calls',
    folder: path.join(folder, 'usual'),
    environment,
    event: rotation.event,
  };
  const looking: Subject = {
    ...usual,
    what: `the same in ${5 + LOOKS} calls`,
    event: async () => Object.assign({ AlsoLooks: LOOKS }, await rotation.event()),
  };
  const functions = Object.entries(scenes).map(
    ([name, { what, settings, event }]): Subject => ({
      name,
      what,
      folder: path.join(folder, name),
      // A table for each: what one leaves behind is no work for another.
      environment: { ...environment, STATE_TABLE: name, AUTOMATION_SETTINGS: JSON.stringify(settings) },
      event,
    }),
  );
  // What no function could be below: the calls of two of them by their packages alone.
  const least = leasts.flatMap(({ lambda }): Subject[] =>
    functions
      .filter(({ name }) => name === lambda)
      .map((subject) => ({
        ...subject,
        name: `(least) ${lambda}`,
        what: 'its calls and nothing else',
        folder: path.join(folder, 'least', lambda),
      })),
  );
  const subjects = [empty, usual, looking, ...least, ...functions];
  if (process.argv[3] === 'variants') subjects.push(...variantsOf(functions, folder));

  const taken = new Map<Subject, Taken[]>(subjects.map((subject) => [subject, []]));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const subject of subjects) {
      const one = await coldStart(subject);
      // The first round warms the file cache.
      if (round > 0) taken.get(subject)?.push(one);
    }
  }
  const of = (subject: Subject, key: keyof Taken): number => median(taken.get(subject)?.map((one) => one[key]) ?? []);
  /** Round by round, so that a slow moment counts for both. */
  const ratio = (subject: Subject, to: Subject, key: 'ready' | 'cpu'): number =>
    median(taken.get(subject)?.map((one, round) => one[key] / (taken.get(to)?.[round]?.[key] ?? Number.NaN)) ?? []);

  const table = new Table({
    head: ['', 'bytes', 'gz', 'at start', 'import', 'call', 'ready', '/empty', '/usual', 'reach', 'MB'],
    style: { head: [], border: [], compact: true },
  });
  const passed: string[] = [];
  for (const subject of subjects) {
    const { name, what } = subject;
    const size = await sizeOf(subject.folder);
    const goal = RATIOS[name];
    const memory = goal ? (await coldStart(subject, WARM_CALLS)).memory / MB : of(subject, 'memory') / MB;
    const toUsual = ratio(subject, usual, 'ready');
    table.push([
      what === '' ? name : `${name}: ${what}`,
      size.bytes,
      size.zipped,
      size.atStart,
      of(subject, 'import').toFixed(1),
      of(subject, 'call').toFixed(1),
      of(subject, 'ready').toFixed(1),
      ratio(subject, empty, 'ready').toFixed(2),
      toUsual.toFixed(2),
      goal ? `${goal.reach} ${toUsual <= goal.reach ? 'met' : 'not met'}` : '',
      memory.toFixed(0),
    ]);
    if (!goal) continue;
    // Processor time does not know how busy the machine is, and the clock not what ran beside: both must say so.
    const least = Math.min(toUsual, ratio(subject, usual, 'cpu'));
    if (least > goal.limit)
      passed.push(`${name} takes ${least.toFixed(2)} of the usual stack, more than ${goal.limit}`);
    if (memory > memoryLimit(name)) passed.push(`${name} has ${memory.toFixed(0)} MB, more than ${memoryLimit(name)}`);
  }
  if (passed.length > 0) process.exitCode = 1;
  const head = `medians of ${ROUNDS} fresh processes, ms; MB: the most memory after ${WARM_CALLS} calls\n`;
  return `${head}${table.toString()}\n${passed.map((line) => `FAILED: ${line}\n`).join('')}`;
}

/** What might be switched on where the functions run, to see what it costs or gains. */
const variantsOf = (functions: readonly Subject[], folder: string): Subject[] =>
  functions
    .filter(({ name }) => ['rotate-service-account-secret', 'receive-atlas-alert'].includes(name))
    .flatMap((subject) => [
      { ...subject, name: `(${subject.name})`, what: 'with source maps', flags: ['--enable-source-maps'] },
      {
        ...subject,
        name: `(${subject.name})`,
        what: 'with a compile cache',
        environment: { ...subject.environment, NODE_COMPILE_CACHE: path.join(folder, 'compiled') },
      },
    ]);

/** One file, as bundlers make it unless told otherwise. */
async function buildUsualStack(outdir: string): Promise<void> {
  await build({
    entryPoints: { index: fileURLToPath(new URL('cold-usual-stack.ts', import.meta.url)) },
    outdir,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    outExtension: { '.js': '.mjs' },
    mainFields: ['module', 'main'],
    minify: true,
    banner: { js: "import { createRequire } from 'node:module';const require = createRequire(import.meta.url);" },
    logLevel: 'silent',
  });
}

async function coldStart({ folder, flags = [], environment, event }: Subject, calls = 1): Promise<Taken> {
  const script = fileURLToPath(new URL('cold-start.mjs', import.meta.url));
  const events: unknown[] = [];
  for (let call = 0; call < calls; call++) events.push(await event());
  const bundle = pathToFileURL(path.join(folder, 'index.mjs')).href;
  const { stderr } = await run(process.execPath, [...flags, script, bundle, JSON.stringify(events)], {
    env: environment,
  });
  return Taken.parse(JSON.parse(stderr.slice(stderr.lastIndexOf('{'))));
}

/** Of the JavaScript in a folder: all of it, compressed, and what is read before the handler is there. */
async function sizeOf(folder: string): Promise<{ bytes: number; zipped: number; atStart: number }> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.mjs'));
  const contents = new Map<string, Buffer>();
  for (const file of files) contents.set(file, await readFile(path.join(folder, file)));
  const start = new Set<string>();
  const load = (file: string): void => {
    if (start.has(file)) return;
    start.add(file);
    const text = contents.get(file)?.toString() ?? '';
    for (const [, name = ''] of text.matchAll(/(?:\bfrom|\bimport)\s*"\.\/([^"]+\.mjs)"/g)) load(name);
  };
  load('index.mjs');
  const sum = (names: Iterable<string>, weigh: (content: Buffer) => number): number =>
    [...names].reduce((total, name) => total + weigh(contents.get(name) ?? Buffer.alloc(0)), 0);
  return {
    bytes: sum(files, (content) => content.length),
    zipped: sum(files, (content) => gzipSync(content).length),
    atStart: sum(start, (content) => content.length),
  };
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
