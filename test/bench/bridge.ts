import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import Table from 'cli-table3';
import * as z from 'zod';
import { buildBundles } from '../../infra/build.ts';
import { DIST } from '../../infra/local/machine.ts';
import { BridgeWorld, SECRET } from '../support/bridge-world.ts';
import { alertmanagerRows } from './bridge-alertmanager.ts';

const run = promisify(execFile);
const style = { head: [], border: [], compact: true };
const LANES = 3;

const Received = z.object({
  seconds: z.number(),
  cpuSeconds: z.number(),
  count: z.number(),
  failed: z.number(),
  p50: z.number(),
  p99: z.number(),
});

interface Target {
  readonly name: string;
  readonly met: boolean;
}

/**
 * The bridge's four figures on this machine: the built bundles, embedded AWS and a tracker on loopback, all on the same
 * cores as the load. Then Prometheus Alertmanager on the same storms. Leaves exit code 1 when a target is missed.
 */
export async function benchBridge(): Promise<string> {
  await buildBundles({ only: ['receive-atlas-alert', 'deliver-tickets', 'reconcile-alerts', 'receive-ticket-update'] });
  const table = new Table({ head: ['load', 'rate', 'latency', 'tickets'], style });
  const targets: Target[] = [];

  const alone = await receiveAlone();
  table.push(alone.row);
  targets.push(...alone.targets);

  for (const load of [
    { name: '20,000 deliveries of 500 alerts', deliveries: 20_000, alerts: 500, clusters: 500, rate: 1_000 },
    { name: '5,000 alerts of 10 clusters', deliveries: 5_000, alerts: 5_000, clusters: 10, rate: undefined },
  ]) {
    const whole = await pipeline(load);
    table.push(whole.row);
    targets.push(...whole.targets);
  }
  const slow = await toTicket();
  table.push(slow.row);
  targets.push(...slow.targets);

  const beside = await alertmanagerRows();
  if (targets.some(({ met }) => !met)) process.exitCode = 1;
  return [
    table.toString(),
    ...targets.map(({ name, met }) => `${met ? 'met   ' : 'MISSED'}  ${name}`),
    '',
    beside,
    '',
  ].join('\n');
}

async function send(
  world: BridgeWorld,
  { deliveries, alerts, clusters, atOnce }: { deliveries: number; alerts: number; clusters: number; atOnce: number },
): Promise<z.output<typeof Received>> {
  const bundle = pathToFileURL(path.join(DIST, 'receive-atlas-alert', 'index.mjs')).href;
  const { stderr } = await run(
    process.execPath,
    [
      path.join(import.meta.dirname, 'bridge-receive.mjs'),
      bundle,
      SECRET,
      `${deliveries}`,
      `${atOnce}`,
      `${alerts}`,
      `${clusters}`,
      world.project.id,
    ],
    {
      env: { ...process.env, ...world.machine.environment, NODE_OPTIONS: '', AWS_REGION: 'us-east-1' },
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  return Received.parse(JSON.parse(stderr.slice(stderr.lastIndexOf('{'))));
}

const start = (policy: Readonly<Record<string, unknown>> = {}): Promise<BridgeWorld> =>
  BridgeWorld.start({
    bundles: DIST,
    to: ['webhook'],
    policy: { groupWaitSeconds: 1, groupIntervalSeconds: 30, ...policy },
  });

async function receiveAlone() {
  await using world = await start();
  const { count, cpuSeconds, seconds, p50, p99, failed } = await send(world, {
    deliveries: 21_000,
    alerts: 500,
    clusters: 500,
    atOnce: 4,
  });
  const perCore = count / cpuSeconds;
  return {
    row: [
      'verify, normalise, enqueue',
      `${perCore.toFixed(0)}/s per core (${(count / seconds).toFixed(0)}/s beside the queue)`,
      `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`,
      '',
    ],
    targets: [
      { name: `at least 2,000 webhooks a second per core: ${perCore.toFixed(0)}`, met: perCore >= 2_000 },
      { name: `p99 under 10 ms: ${p99.toFixed(1)} ms`, met: p99 < 10 },
      {
        name: `every one taken: ${count - failed} of ${count}`,
        met: failed === 0 && world.machine.alertQueue.messages.length === 21_000,
      },
    ],
  };
}

/** Processor time of this process and of all its children that have ended, in seconds. */
function cpuSeconds(): number {
  // Fields 14 to 17, behind the name in brackets, in hundredths of a second.
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ') ?? [];
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / 100;
}

async function pipeline({
  name,
  deliveries,
  alerts,
  clusters,
  rate,
}: {
  name: string;
  deliveries: number;
  alerts: number;
  clusters: number;
  rate: number | undefined;
}) {
  const world = await start();
  const cpuBefore = cpuSeconds();
  const began = performance.now();
  let sending = true;
  const sent = send(world, { deliveries, alerts, clusters, atOnce: 4 }).finally(() => {
    sending = false;
  });
  let messages = 0;
  const lane = async (): Promise<void> => {
    for (let idle = 0; sending || idle < 50; ) {
      const [delivery] = await world.machine.deliver({ once: true });
      idle = delivery ? 0 : idle + 1;
      if (delivery) messages += delivery.messages.length;
      else await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  await Promise.all([sent, ...Array.from({ length: LANES }, lane)]);
  const seconds = (performance.now() - began) / 1_000;
  await world.pass(60_000);
  await world.due();
  const tickets = world.sandbox.receiver.tickets.present.length;
  await world[Symbol.asyncDispose]();
  const perSecond = deliveries / seconds;
  const perCore = deliveries / (cpuSeconds() - cpuBefore);
  return {
    row: [
      name,
      `${perSecond.toFixed(0)} deliveries/s end to end`,
      `${seconds.toFixed(1)} s for all; ${perCore.toFixed(0)} per processor second, load and services included`,
      `${tickets}`,
    ],
    targets: [
      { name: `${name}: exactly ${clusters} tickets: ${tickets}`, met: tickets === clusters && messages >= deliveries },
      ...(rate === undefined
        ? []
        : [{ name: `${name}: at least ${rate} a second: ${perSecond.toFixed(0)}`, met: perSecond >= rate }]),
    ],
  };
}

/** One webhook after the other, each of an incident of its own, at a pace far below what the tracker takes. */
async function toTicket() {
  await using world = await start({ groupWaitSeconds: 2 });
  const ROUNDS = 40;
  const tickets = () => world.sandbox.receiver.tickets.present;
  const sentAt: number[] = [];
  let sending = true;
  const lane = async (): Promise<void> => {
    for (let idle = 0; sending || idle < 100; ) {
      const [delivery] = await world.machine.deliver({ once: true });
      idle = delivery ? 0 : idle + 1;
      if (!delivery) await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const lanes = Array.from({ length: LANES }, lane);
  for (let nth = 0; nth < ROUNDS; nth++) {
    sentAt.push(world.now);
    const host = `cluster${nth}-shard-00-00.ab12c.mongodb.net:27017`;
    await world.send(world.alert({ clusterName: `cluster${nth}`, hostnameAndPort: host }));
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  sending = false;
  await Promise.all(lanes);
  const waits = tickets()
    .map(({ title, createdAt }) => createdAt - (sentAt[Number(/cluster(\d+)/.exec(title)?.[1])] ?? 0))
    .toSorted((a, b) => a - b);
  const at = (share: number): number => (waits[Math.floor(waits.length * share)] ?? Number.POSITIVE_INFINITY) / 1_000;
  return {
    row: [
      'a webhook to its ticket, group wait 2 s',
      '2 a second',
      `p50 ${at(0.5).toFixed(1)} s, p99 ${at(0.99).toFixed(1)} s`,
      `${tickets().length}`,
    ],
    targets: [
      {
        name: `a ticket within 5 s at p99: ${at(0.99).toFixed(1)} s`,
        met: at(0.99) < 5 && tickets().length === ROUNDS,
      },
    ],
  };
}
