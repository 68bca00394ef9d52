import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import Table from 'cli-table3';
import { createAtlasClient } from '../../lib/atlas/client.ts';
import { listGroupClusters } from '../../lib/atlas/operations/clusters.ts';
import { pages } from '../../lib/atlas/pages.ts';
import { CLUSTERS_PER_PROJECT, clusterJson, projectId, type ServerSettings, startServer } from './client-endpoint.ts';
import { forEachOf } from './client-load.ts';
import { bareReader, CLUSTER, installPeers, ourReader, peerReaders, type Reader } from './client-readers.ts';

const LATENCY_MS = 5;
const ROUNDS = 9;
/** Requests of one reader in one round, by how many are under way at once: a third of a second or so each. */
const LOADS = new Map([
  [1, 30],
  [8, 320],
  [32, 1600],
]);
const BUSIEST = 32;
const MIN_RATIO = 0.85;
const MAX_GROWTH_MB = 5;
const PROJECTS = 20;

const run = promisify(execFile);
const style = { head: [], border: [], compact: true };

interface Section {
  readonly text: string;
  /** Each thing that was to be reached, and whether it was. */
  readonly targets: readonly { readonly name: string; readonly met: boolean }[];
}

interface Taken {
  readonly perSecond: number;
  readonly cpuMicros: number;
}

/**
 * What the Atlas client costs: its rate beside a bare request and beside other packages, its memory over 100,000 calls,
 * and the requests a long list takes. Everything talks to a server in its own process on loopback. Rates are this
 * machine's; quote the ratios. Leaves exit code 1 when a target is missed.
 */
export async function benchClient(): Promise<string> {
  const sections = [await rates(), await memory(), await listing()];
  const targets = sections.flatMap((section) => section.targets);
  if (targets.some(({ met }) => !met)) process.exitCode = 1;
  return [
    ...sections.map(({ text }) => text),
    ...targets.map(({ name, met }) => `${met ? 'met   ' : 'MISSED'}  ${name}`),
    '',
  ].join('\n');
}

async function rates(): Promise<Section> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(path.join(tmpdir(), 'atlas-automation-bench-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const trouble = await installPeers(folder);
  const { origin } = stack.use(await startServer({ latencyMs: LATENCY_MS, next: 'after a full page' }));

  const bare = await bareReader(origin);
  const ours = ourReader(origin, 'service account');
  const peers = await peerReaders(origin, trouble === undefined ? folder : undefined);
  const readers: Reader[] = [bare, ours, ourReader(origin, 'API keys'), ...peers];

  const taken = new Map(
    readers.map((reader) => [reader, new Map([...LOADS.keys()].map((atOnce) => [atOnce, [] as Taken[]]))]),
  );
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [atOnce, times] of LOADS) {
      // Each round another one goes first.
      for (const reader of readers.map((_, index) => readers[(index + round) % readers.length]!)) {
        if (!reader.read) continue;
        const measured = await measure(times, atOnce, reader.read);
        // The first round opens connections and warms the compiler.
        if (round > 0) taken.get(reader)?.get(atOnce)?.push(measured);
      }
    }
  }

  const series = (reader: Reader, atOnce: number): readonly Taken[] => taken.get(reader)?.get(atOnce) ?? [];
  /** Round by round, and the median of that: what slows the machine in one round slows both. */
  const ratio = (of: Reader, to: Reader, atOnce: number): number =>
    median(series(of, atOnce).map(({ perSecond }, round) => perSecond / series(to, atOnce)[round]!.perSecond));

  const table = new Table({
    head: [
      `median of ${ROUNDS}`,
      ...each((n) => `req/s at ${n}`),
      ...each((n) => `ratio at ${n}`),
      'CPU us/read at 32',
    ],
    style,
  });
  for (const reader of readers) {
    table.push(
      reader.read
        ? [
            reader.name,
            ...each((n) => median(series(reader, n).map(({ perSecond }) => perSecond)).toFixed(0)),
            ...each((n) => ratio(reader, bare, n).toFixed(2)),
            median(series(reader, BUSIEST).map(({ cpuMicros }) => cpuMicros)).toFixed(0),
          ]
        : [reader.name, { content: 'not measured', colSpan: 2 * LOADS.size + 1 }],
    );
  }
  const kept = ratio(ours, bare, BUSIEST);
  const bytes = clusterJson(CLUSTER.groupId, CLUSTER.clusterName).length;
  return {
    text: [
      `Reads of one cluster: ${bytes} bytes of JSON, ${LATENCY_MS} ms of server latency, 1, 8 and 32 at once; ratio to the first row, round by round.`,
      'The process waits for the server part of the time even at 32: CPU per read shows what the rate does not.',
      'The server takes any digest; mongodb-atlas-api-client asks twice per read because it takes each challenge anew.',
      ...(trouble === undefined ? [] : [`npm could not install the packages to compare with: ${trouble}`]),
      table.toString(),
    ].join('\n'),
    targets: [
      {
        name: `atlas.call keeps at least ${MIN_RATIO} of the bare rate at ${BUSIEST}: ${kept.toFixed(2)}`,
        met: kept >= MIN_RATIO,
      },
      ...peers.map((peer) => {
        const ahead = peer.read ? ratio(ours, peer, BUSIEST) : undefined;
        return {
          name: `atlas.call is ahead of ${peer.name} at ${BUSIEST}: ${ahead === undefined ? 'not measured' : `${ahead.toFixed(2)} times its rate`}`,
          met: ahead !== undefined && ahead > 1,
        };
      }),
    ],
  };
}

async function measure(times: number, atOnce: number, read: () => Promise<unknown>): Promise<Taken> {
  const cpu = process.cpuUsage();
  const started = performance.now();
  await forEachOf(times, atOnce, read);
  const ms = performance.now() - started;
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: (times / ms) * 1_000, cpuMicros: (user + system) / times };
}

async function memory(): Promise<Section> {
  await using server = await startServer({ latencyMs: 0, next: 'after a full page' });
  const script = fileURLToPath(new URL('client-memory.ts', import.meta.url));
  const { stdout } = await run(process.execPath, ['--expose-gc', script, server.origin]);
  const heap = (JSON.parse(stdout) as number[]).map((bytes) => bytes / 2 ** 20);
  const { reads } = await server.counts();
  // Above the lowest reading before it, not above the first: what the engine gives up on the way must hide no leak.
  const growth = Math.max(...heap.map((mb, index) => mb - Math.min(...heap.slice(0, index + 1))));
  const table = new Table({
    head: ['heap used after', ...heap.map((_, index) => `${(index + 1) * 10}k`)],
    style,
  });
  table.push(['MB', ...heap.map((mb) => mb.toFixed(1))]);
  return {
    text: `One client under one deadline, 32 calls at once; a forced collection before each reading.\n${table.toString()}`,
    targets: [
      {
        name: `over ${reads.toLocaleString('en')} calls the heap rises less than ${MAX_GROWTH_MB} MB above any earlier reading: ${growth.toFixed(2)} MB`,
        met: reads === 100_000 && growth < MAX_GROWTH_MB,
      },
    ],
  };
}

async function listing(): Promise<Section> {
  const all = PROJECTS * CLUSTERS_PER_PROJECT;
  // A link on every full page can only be seen to lead to nothing by following it.
  const minima: Record<ServerSettings['next'], number> = {
    'when there is more': PROJECTS * Math.ceil(CLUSTERS_PER_PROJECT / 500),
    'after a full page': PROJECTS * (Math.floor(CLUSTERS_PER_PROJECT / 500) + 1),
  };
  const table = new Table({
    head: ['the server links on', 'clusters', 'requests', 'minimum', 'token mints', 'ms'],
    style,
  });
  const targets: { name: string; met: boolean }[] = [];
  for (const [next, minimum] of Object.entries(minima) as [ServerSettings['next'], number][]) {
    await using server = await startServer({ latencyMs: LATENCY_MS, next });
    const atlas = createAtlasClient({
      origin: server.origin,
      credentials: async () => ({ clientId: 'mdb_sa_id_6615c0ffee15c0ffee15c0ff', clientSecret: 'mdb_sa_sk_bench' }),
    });
    const found = new Set<string>();
    const started = performance.now();
    for (let project = 1; project <= PROJECTS; project++) {
      const params = { groupId: projectId(project) };
      for await (const { groupId, name } of pages(atlas, listGroupClusters, { params }))
        found.add(`${groupId}/${name}`);
    }
    const ms = performance.now() - started;
    const counts = await server.counts();
    const requests = counts.pages + counts.reads + counts.challenges;
    table.push([next, found.size, requests, minimum, counts.mints, ms.toFixed(0)]);
    targets.push({
      name: `${all.toLocaleString('en')} clusters take ${minimum} requests and 1 mint where the server links on ${next}: ${requests} and ${counts.mints}`,
      met: found.size === all && requests === minimum && counts.mints === 1,
    });
  }
  return {
    text: [
      `${all.toLocaleString('en')} clusters of ${PROJECTS} projects by pages(), ${CLUSTERS_PER_PROJECT} a page, project after project.`,
      'Atlas links on after every full page, so a list that ends with a full page takes one more request there.',
      table.toString(),
    ].join('\n'),
    targets,
  };
}

const each = <T>(of: (atOnce: number) => T): T[] => [...LOADS.keys()].map(of);
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
