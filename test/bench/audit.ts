/**
 * `npm run bench -- audit`: the built audit over the sandbox, which answers as slowly as Atlas does and counts against the
 * published limits; beside it a client that asks one thing after the other, as tools without sockets to spare do.
 * `npm run bench -- audit small` leaves the 10,000 clusters out, `large` everything else.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import Table from 'cli-table3';
import { buildBundles } from '../../infra/build.ts';
import { type Address, type Counted, CREDENTIALS, type Measured, REPORTS, type Size, TABLE } from './audit-size.ts';

const MEDIAN_MS = 250;
const SOCKETS = 100;
const MEMORY_MB = 512;
/** Projects the serial client asks, before it is clear how long the rest would take. */
const SAMPLE = 12;

/** What the published bound counts: no restore jobs, alert configurations and events, which further rules read. */
const CORE = {
  name: 'core',
  organization: {
    exception: 'bench',
    rules: {
      'BK-02': { effectiveWindow: false },
      'BK-14': { enabled: false },
      'BK-18': { enabled: false },
      'BK-19': { enabled: false },
      'BK-20': { enabled: false },
    },
  },
  exceptions: [
    {
      name: 'bench',
      owner: 'bench',
      reason: 'counts what the bound counts',
      expires: new Date(Date.now() + 30 * 86_400_000).toISOString(),
      rules: ['BK-02', 'BK-14', 'BK-18', 'BK-19', 'BK-20'],
    },
  ],
};

interface Run {
  readonly measured: Measured;
  readonly counted: Counted;
}

class World implements AsyncDisposable {
  readonly address: Address;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, address: Address) {
    this.#child = child;
    this.address = address;
  }

  static async start(size: Size): Promise<World> {
    const file = fileURLToPath(new URL('audit-server.ts', import.meta.url));
    const child = fork(file, [JSON.stringify(size)], { execArgv: ['--disable-warning=ExperimentalWarning'] });
    const [address] = (await once(child, 'message')) as [Address];
    return new World(child, address);
  }

  async ask<Answer>(what: 'counts' | 'change'): Promise<Answer> {
    this.#child.send(what);
    const [answer] = (await once(this.#child, 'message')) as [Answer];
    return answer;
  }

  async audit(bundles: string, audit: object, event: object): Promise<Run> {
    await this.ask<Counted>('counts');
    const file = fileURLToPath(new URL('audit-run.ts', import.meta.url));
    const bundle = path.join(bundles, 'audit-snapshot-schedules/index.mjs');
    const child = fork(file, [bundle, JSON.stringify(event)], {
      execArgv: [`--max-old-space-size=${MEMORY_MB - 160}`],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: {
        PATH: process.env['PATH'],
        MONGODB_ATLAS_BASE_URL: this.address.atlas,
        ATLAS_CREDENTIALS_SECRET: CREDENTIALS,
        STATE_TABLE: TABLE,
        REPORT_BUCKET: REPORTS,
        AUTOMATION_SETTINGS: JSON.stringify({ audit: { sockets: SOCKETS, ...audit } }),
        AWS_ENDPOINT_URL: this.address.aws,
        AWS_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: 'local',
        AWS_SECRET_ACCESS_KEY: 'local',
        POWERTOOLS_LOG_LEVEL: 'ERROR',
      },
    });
    const [measured] = (await once(child, 'message')) as [Measured];
    return { measured, counted: await this.ask<Counted>('counts') };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.send('end');
    await ended;
  }
}

export async function benchAudit(): Promise<string> {
  const [isSmall, isLarge] = [process.argv.includes('small'), process.argv.includes('large')];
  const bundles = await mkdtemp(path.join(tmpdir(), 'audit-bench-'));
  const table = new Table({
    head: [
      'world',
      'run',
      'clusters',
      'calls',
      'at most',
      'seconds',
      'bound',
      'CPU s',
      'memory MB',
      '429',
      'held back ms',
    ],
    style: { head: [], border: [] },
  });
  try {
    await buildBundles({ outdir: bundles, only: ['audit-snapshot-schedules'] });
    const json = { formats: ['json'] };
    const small = { projects: 1_000, clusters: 1_000, medianMs: MEDIAN_MS };
    if (!isLarge) {
      await using world = await World.start(small);
      const name = '1,000 / 1,000';
      table.push(
        row(name, 'full, core rules', await world.audit(bundles, { ...json, policy: CORE }, { mode: 'full' }), 5_002),
      );
      await world.ask('change');
      table.push(
        row(
          name,
          'evidence, core rules',
          await world.audit(bundles, { ...json, policy: CORE }, { mode: 'evidence' }),
          4_100,
        ),
      );
      table.push(row(name, 'full, every rule', await world.audit(bundles, json, { mode: 'full' })));
      await world.ask('change');
      table.push(row(name, 'evidence, every rule', await world.audit(bundles, json, { mode: 'evidence' }), 4_100));
      table.push(await serial(world, small));
    }
    if (!isSmall) {
      await using world = await World.start({ projects: 400, clusters: 10_000, medianMs: MEDIAN_MS });
      table.push(
        row(
          '400 / 10,000',
          'full, core rules',
          await world.audit(bundles, { ...json, policy: CORE }, { mode: 'full' }),
          21_201,
        ),
      );
      table.push(
        row('400 / 10,000', 'full, every rule, all formats', await world.audit(bundles, {}, { mode: 'full' })),
      );
    }
  } finally {
    await rm(bundles, { recursive: true, force: true });
  }
  return `${table.toString()}\nbound: 1.25 x calls x mean answer / ${SOCKETS} sockets, and the time the report itself takes is in the seconds.\n`;
}

function row(world: string, run: string, { measured, counted }: Run, most?: number): string[] {
  const [audit] = measured.audits;
  const calls = Object.entries(counted.calls)
    .filter(([operation]) => operation !== 'mintToken')
    .reduce((sum, [, count]) => sum + count, 0);
  const bound = (1.25 * calls * counted.meanMs) / SOCKETS / 1_000;
  return [
    world,
    measured.error ?? `${run} (${audit?.mode}, ${audit?.exitState})`,
    String(audit?.coverage.clusters ?? '-'),
    String(calls),
    most === undefined ? '-' : String(most),
    (measured.ms / 1_000).toFixed(1),
    bound.toFixed(1),
    measured.cpuSeconds.toFixed(1),
    counted.cpuSeconds.toFixed(1),
    measured.maxRssMb.toFixed(0),
    String(counted.throttled),
    String(audit?.cost.waitedMs ?? '-'),
  ];
}

/** Five calls a project, one after the other, each over a connection of its own; from a sample to all of them. */
async function serial(world: World, { projects }: Size): Promise<string[]> {
  const { atlas, token } = world.address;
  const basic = Buffer.from(`${token.clientId}:${token.clientSecret}`).toString('base64');
  const minted = await ask(`${atlas}/api/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${basic}`, 'content-type': 'application/x-www-form-urlencoded' },
    body: 'grant_type=client_credentials',
  });
  const headers = {
    authorization: `Bearer ${minted['access_token']}`,
    accept: 'application/vnd.atlas.2025-03-12+json',
  };
  const listed = await ask(`${atlas}/api/atlas/v2/groups?itemsPerPage=${SAMPLE}`, { headers });
  const ids = (listed['results'] as { id: string }[]).map(({ id }) => id);
  await world.ask<Counted>('counts');
  const began = performance.now();
  for (const id of ids) {
    // The clusters twice: once to count them.
    for (const what of ['/clusters', '', '/clusters', '/alertConfigs', '/maintenanceWindow']) {
      await ask(`${atlas}/api/atlas/v2/groups/${id}${what}`, { headers });
    }
  }
  const seconds = (((performance.now() - began) / 1_000) * projects) / ids.length;
  const { throttled } = await world.ask<Counted>('counts');
  const told = `serial client, ${ids.length} projects measured, no schedule and no snapshot read`;
  return [
    '1,000 / 1,000',
    told,
    '-',
    String(projects * 5),
    '-',
    seconds.toFixed(0),
    '-',
    '-',
    '-',
    String(throttled),
    '-',
  ];
}

interface Asked {
  readonly method?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

async function ask(url: string, { method = 'GET', headers, body }: Asked): Promise<Record<string, unknown>> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const sent = request(url, { method, headers, agent: false }, (answer) => {
    let text = '';
    answer.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    answer.on('end', () => resolve(text));
  });
  sent.on('error', reject).end(body);
  return JSON.parse((await promise) || '{}') as Record<string, unknown>;
}
