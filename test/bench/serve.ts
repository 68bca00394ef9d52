/** `npm run bench -- serve`: how soon the local host is ready, what it takes while idle, and what it takes in. */
import { type ChildProcess, fork } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Pool } from 'undici';
import * as z from 'zod';
import { buildBundles } from '../../infra/build.ts';
import { loadSettings } from '../../infra/settings.ts';

const HOST = fileURLToPath(new URL('serve-host.ts', import.meta.url));
const KEY = 'the-key-of-this-bench';
const AT_ONCE = 32;
const SECONDS = 8;
const QUEUED = 10_000;
const PROJECTS = 1_000;

const Ready = z.object({
  console: z.string(),
  hooks: z.string(),
  waiting: z.number(),
  keptInMs: z.number().optional(),
  loadMs: z.number(),
  readyMs: z.number(),
  cpuMs: z.number(),
});
const Memory = z.object({ rss: z.number(), heap: z.number(), cold: z.number() });

interface Running {
  readonly ready: z.output<typeof Ready> & { readonly wallMs: number };
  memory(): Promise<z.output<typeof Memory>>;
  kill(): Promise<void>;
}

async function run(orders: object): Promise<Running> {
  const start = performance.now();
  // Not by an argument: a process with a channel and an argument is taken for a container of a function.
  const child: ChildProcess = fork(HOST, {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    env: { ...process.env, ORDERS: JSON.stringify(orders) },
  });
  const ended = once(child, 'exit');
  const answer = async (): Promise<unknown> => {
    const [message] = await Promise.race([
      once(child, 'message'),
      ended.then(([status]) => Promise.reject(new Error(`the host ended with status ${status}`))),
    ]);
    return message;
  };
  const ready = { ...Ready.parse(await answer()), wallMs: performance.now() - start };
  return {
    ready,
    async memory() {
      child.send('memory');
      return Memory.parse(await answer());
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const id = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 24);

function webhook(nth: number): { readonly headers: Record<string, string>; readonly body: string } {
  const now = new Date().toISOString();
  const body = JSON.stringify({
    id: id(`alert ${nth}`),
    groupId: id('group'),
    orgId: id('org'),
    alertConfigId: id('config'),
    eventTypeName: 'HOST_DOWN',
    status: 'OPEN',
    created: now,
    updated: now,
    clusterName: `cluster-${nth}`,
  });
  const signature = createHmac('sha1', KEY).update(body).digest('base64');
  const headers = { 'content-type': 'application/json', 'x-mms-event': 'alert.open', 'x-mms-signature': signature };
  return { headers, body };
}

/** Webhooks that were accepted in a second, while a page of the console follows what happens. */
async function webhooksPerSecond({ ready }: Running): Promise<{ perSecond: number; refused: number }> {
  const { origin } = new URL(ready.console);
  const entered = await fetch(ready.console, { redirect: 'manual' });
  const cookie = entered.headers
    .getSetCookie()
    .map((set) => set.split(';')[0])
    .join('; ');
  const closing = new AbortController();
  const news = await fetch(`${origin}/live`, { headers: { cookie }, signal: closing.signal });
  if (news.status !== 200) throw new Error(`the console answered ${news.status}`);
  const reading = news.text().catch(() => '');
  let [nth, accepted, refused] = [0, 0, 0];
  // Not by `fetch`: who sends has the same two cores.
  const pool = new Pool(ready.hooks, { connections: AT_ONCE });
  const flood = async (seconds: number): Promise<void> => {
    const end = performance.now() + seconds * 1_000;
    const one = async (): Promise<void> => {
      while (performance.now() < end) {
        const { statusCode, body } = await pool.request({
          path: '/hooks/receive-atlas-alert/',
          method: 'POST',
          ...webhook(nth++),
        });
        await body.dump();
        if (statusCode === 202) accepted++;
        else refused++;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, one));
  };
  await flood(2);
  [accepted, refused] = [0, 0];
  const start = performance.now();
  await flood(SECONDS);
  const perSecond = accepted / ((performance.now() - start) / 1_000);
  closing.abort();
  await pool.close();
  await reading;
  return { perSecond, refused };
}

/** Prints a table of what was measured. */
export async function benchServe(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'atlas-automation-serve-'));
  const bundles = path.join(folder, 'bundles');
  await buildBundles({ outdir: bundles });
  const orders = (data: string) => ({
    bundles,
    settings: loadSettings('infra/settings.example.json'),
    data: path.join(folder, data),
    templates: path.join(folder, 'templates'),
    webhookKey: KEY,
  });
  const seconds = (ms: number): string => `${(ms / 1_000).toFixed(2)} s`;
  const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;
  const lines: string[] = [
    `load before: ${loadavg()
      .map((load) => load.toFixed(1))
      .join(' ')}`,
  ];
  const said = ({ loadMs, readyMs, wallMs, cpuMs }: Running['ready']): string =>
    `${seconds(readyMs)} (${seconds(wallMs)} from the start of the process, of that ${seconds(loadMs)} loading; ${seconds(cpuMs)} of CPU)`;
  try {
    const first = await run(orders('first'));
    lines.push(`ready, first start with these settings: ${said(first.ready)}`);
    await first.kill();
    const second = await run(orders('second'));
    lines.push(`ready, an empty folder, the template known: ${said(second.ready)}`);
    const { perSecond, refused } = await webhooksPerSecond(second);
    const { cold } = await second.memory();
    lines.push(
      `webhooks accepted, ${AT_ONCE} at once, the console open: ${Math.round(perSecond)}/s (${refused} refused, ${cold} containers)`,
    );
    await second.kill();
    const large = await run({ ...orders('large'), projects: PROJECTS });
    lines.push(`${PROJECTS} projects written to the disk: ${seconds(large.ready.keptInMs ?? 0)}`);
    await pause(20_000);
    const { rss, heap } = await large.memory();
    lines.push(`idle, ${PROJECTS} projects in the sandbox: ${megabytes(rss)} resident, ${megabytes(heap)} of heap`);
    await large.kill();
    const filled = await run({ ...orders('filled'), fill: QUEUED });
    await filled.kill();
    const again = await run(orders('filled'));
    lines.push(`ready after kill -9 with ${again.ready.waiting} queued messages: ${said(again.ready)}`);
    await again.kill();
    lines.push(
      `load after: ${loadavg()
        .map((load) => load.toFixed(1))
        .join(' ')}`,
    );
    return `${lines.join('\n')}\n`;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
