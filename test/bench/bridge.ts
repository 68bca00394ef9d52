import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
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
/** Containers of deliver-tickets: as many as there are cores beside the receiver's, which gets a full batch each time. */
const LANES = Math.max(1, availableParallelism() - 1);
/** Requests the receiver has in hand at a time. */
const AT_ONCE = 4;
/** What the tracker of the storms takes: so much that its budget is not what is measured. */
const WIDE = { writesPerMinute: 60_000 };
const GROUP_WAIT_SECONDS = 1;

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

interface Measured {
  readonly row: readonly string[];
  readonly targets: readonly Target[];
}

const PARTS: Readonly<Record<string, (scale: number) => Promise<Measured>>> = {
  receive: (scale) => receiveAlone(21_000 * scale),
  repeats: (scale) => pipeline({ deliveries: 20_000 * scale, alerts: 500, clusters: 500, rate: 1_000 }),
  storm: (scale) => pipeline({ deliveries: 5_000 * scale, alerts: 5_000 * scale, clusters: 10, rate: undefined }),
  ticket: () => toTicket(),
  lost: () => lost(),
};

/**
 * The bridge's figures on this machine: the built bundles, each in processes of their own; embedded AWS, the trackers and
 * the queue's trigger in this one. Then Prometheus Alertmanager on the same storms. Leaves exit code 1 when a target is
 * missed. Further words are parts to measure alone, and a number is the share of the load, such as 0.1.
 */
export async function benchBridge(): Promise<string> {
  const words = process.argv.slice(3);
  const scale = Number(words.find((word) => Number(word) > 0) ?? 1);
  const wanted = words.filter((word) => !(Number(word) > 0));
  const isWanted = (part: string): boolean => wanted.length === 0 || wanted.includes(part);
  await buildBundles({ only: ['receive-atlas-alert', 'deliver-tickets', 'reconcile-alerts', 'receive-ticket-update'] });
  const table = new Table({ head: ['load', 'rate', 'latency', 'tickets'], style });
  const targets: Target[] = [];
  for (const [part, measure] of Object.entries(PARTS)) {
    if (!isWanted(part)) continue;
    const measured = await measure(scale);
    table.push([...measured.row]);
    targets.push(...measured.targets);
  }
  const beside = isWanted('alertmanager') ? await alertmanagerRows() : '';
  if (targets.some(({ met }) => !met)) process.exitCode = 1;
  return [
    table.toString(),
    ...targets.map(({ name, met }) => `${met ? 'met   ' : 'MISSED'}  ${name}`),
    '',
    beside,
    '',
  ].join('\n');
}

/** Signed webhooks through the receiver's bundle, in a process of its own. */
async function send(
  world: BridgeWorld,
  { deliveries, alerts, clusters }: { deliveries: number; alerts: number; clusters: number },
): Promise<z.output<typeof Received>> {
  const bundle = pathToFileURL(path.join(DIST, 'receive-atlas-alert', 'index.mjs')).href;
  const words = [bundle, SECRET, deliveries, AT_ONCE, alerts, clusters, world.project.id];
  const { stderr } = await run(
    process.execPath,
    [path.join(import.meta.dirname, 'bridge-receive.mjs'), ...words.map(String)],
    {
      env: { ...process.env, ...world.machine.environment, NODE_OPTIONS: '', AWS_REGION: 'us-east-1' },
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  return Received.parse(JSON.parse(stderr.slice(stderr.lastIndexOf('{'))));
}

const start = (policy: Readonly<Record<string, unknown>> = {}, tickets: object = {}): Promise<BridgeWorld> =>
  BridgeWorld.start({
    bundles: DIST,
    to: ['webhook'],
    tickets: { ...tickets },
    policy: { groupWaitSeconds: GROUP_WAIT_SECONDS, groupIntervalSeconds: 30, ...policy },
    ...(process.env['BENCH_OUTPUT'] && { onOutput: (text) => process.stderr.write(text) }),
  });

async function receiveAlone(deliveries: number): Promise<Measured> {
  await using world = await start();
  const { count, cpuSeconds, seconds, p50, p99, failed } = await send(world, {
    deliveries,
    alerts: 500,
    clusters: 500,
  });
  const perCore = count / cpuSeconds;
  return {
    row: [
      'verify, normalise, enqueue',
      `${perCore.toFixed(0)}/s per core of the function; ${(count / seconds).toFixed(0)}/s beside the queue's process`,
      `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, ${AT_ONCE} at a time`,
      '',
    ],
    targets: [
      { name: `at least 2,000 webhooks a second per core: ${perCore.toFixed(0)}`, met: perCore >= 2_000 },
      { name: `p99 under 10 ms: ${p99.toFixed(1)} ms`, met: p99 < 10 },
      {
        name: `every one taken: ${count - failed} of ${count}`,
        met: failed === 0 && world.machine.alertQueue.size === deliveries,
      },
    ],
  };
}

/** Processor time of this process, and of all its children that have ended, in seconds. */
function cpuSeconds(): { own: number; children: number } {
  // Fields 14 to 17, behind the name in brackets, in hundredths of a second.
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ') ?? [];
  const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields
    .slice(11, 15)
    .map((ticks) => Number(ticks) / 100);
  return { own: user + system, children: childUser + childSystem };
}

/** Lambda's trigger: so many containers at a time, until `isOver` and nothing is left in the queue. Answers what they were handed. */
async function deliverAll(world: BridgeWorld, isOver: () => boolean): Promise<number> {
  let messages = 0;
  const lane = async (): Promise<void> => {
    while (!isOver() || world.machine.alertQueue.size > 0) {
      const [delivery] = await world.machine.deliver({ once: true });
      if (delivery?.error !== undefined) throw new Error(`deliver-tickets failed: ${delivery.error}`);
      if (delivery) messages += delivery.messages.length - delivery.failed.length;
      else await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return messages;
}

async function pipeline({
  deliveries,
  alerts,
  clusters,
  rate,
}: {
  deliveries: number;
  alerts: number;
  clusters: number;
  rate: number | undefined;
}): Promise<Measured> {
  const name = `${deliveries} deliveries of ${alerts} alerts of ${clusters} clusters`;
  const world = await start({}, { budgets: { webhook: WIDE } });
  const before = cpuSeconds();
  const began = performance.now();
  let sending = true;
  const sent = send(world, { deliveries, alerts, clusters }).finally(() => {
    sending = false;
  });
  const [received, messages] = await Promise.all([sent, deliverAll(world, () => !sending)]);
  const seconds = (performance.now() - began) / 1_000;
  const own = cpuSeconds().own - before.own;
  const atOnce = world.sandbox.receiver.tickets.present.length;
  // What waits for its group, or for the next thing to say, is brought on as the schedule does.
  for (let minute = 0; minute < 5; minute++) {
    await world.pass(60_000);
    await world.due();
  }
  const tickets = world.sandbox.receiver.tickets.present;
  const ofClusters = new Set(tickets.map(({ title }) => /cluster\d+/.exec(title)?.[0]));
  const dead = world.machine.alertDeadLetters.size;
  await world[Symbol.asyncDispose]();
  const children = cpuSeconds().children - before.children;
  const perSecond = deliveries / seconds;
  const exact =
    tickets.length === clusters &&
    ofClusters.size === clusters &&
    messages >= deliveries &&
    dead + received.failed === 0;
  return {
    row: [
      name,
      `${perSecond.toFixed(0)} deliveries/s end to end`,
      `${seconds.toFixed(1)} s; processor ${own.toFixed(1)} s AWS, tracker and trigger, ${children.toFixed(1)} s functions`,
      `${tickets.length} (${atOnce} when the last was delivered)`,
    ],
    targets: [
      { name: `${name}: exactly ${clusters} tickets, one of each cluster: ${tickets.length}`, met: exact },
      ...(rate === undefined
        ? []
        : [{ name: `${name}: at least ${rate} a second: ${perSecond.toFixed(0)}`, met: perSecond >= rate }]),
    ],
  };
}

/** One webhook after the other, each of an incident of its own, at a pace far below what the tracker takes. */
async function toTicket(): Promise<Measured> {
  await using world = await start({ groupWaitSeconds: 2 });
  const ROUNDS = 40;
  const sentAt: number[] = [];
  let sending = true;
  const delivered = deliverAll(world, () => !sending);
  for (let nth = 0; nth < ROUNDS; nth++) {
    sentAt.push(world.now);
    const host = `cluster${nth}-shard-00-00.ab12c.mongodb.net:27017`;
    await world.send(world.alert({ clusterName: `cluster${nth}`, hostnameAndPort: host }));
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  sending = false;
  await delivered;
  const tickets = world.sandbox.receiver.tickets.present;
  const waits = tickets
    .map(({ title, createdAt }) => createdAt - (sentAt[Number(/cluster(\d+)/.exec(title)?.[1])] ?? 0))
    .toSorted((a, b) => a - b);
  const at = (share: number): number => (waits[Math.floor(waits.length * share)] ?? Number.POSITIVE_INFINITY) / 1_000;
  return {
    row: [
      'a webhook to its ticket, group wait 2 s',
      '2 a second',
      `p50 ${at(0.5).toFixed(1)} s, p99 ${at(0.99).toFixed(1)} s`,
      `${tickets.length}`,
    ],
    targets: [
      {
        name: `a ticket within 5 s at p99: ${at(0.99).toFixed(1)} s`,
        met: at(0.99) < 5 && tickets.length === ROUNDS,
      },
    ],
  };
}

/** Opens and closes nobody told of: what one reconciling run makes of them, and how long it takes. */
async function lost(): Promise<Measured> {
  await using world = await start({ groupWaitSeconds: 0 });
  const OPENS = 30;
  const CLOSES = 20;
  const open = (name: string) =>
    world.open({ clusterName: name, hostnameAndPort: `${name}-shard-00-00.ab12c.mongodb.net:27017` });
  const told = Array.from({ length: CLOSES }, (_, nth) => open(`told${nth}`));
  for (const alert of told) await world.tell(world.bodyOf(alert));
  const before = world.sandbox.receiver.tickets.present.length;
  await world.pass(60_000);
  for (const alert of told) world.machine.atlas.world.alerts.closeAlert(alert);
  for (let nth = 0; nth < OPENS; nth++) open(`lost${nth}`);
  // One period of the schedule.
  await world.pass(300_000);
  const began = performance.now();
  await world.reconcile();
  const seconds = (performance.now() - began) / 1_000;
  const tickets = world.sandbox.receiver.tickets.present;
  const opened = tickets.length - before;
  const closed = tickets.filter(({ status }) => status === 'closed' || status === 'resolved').length;
  return {
    row: [
      `${OPENS} opens and ${CLOSES} closes nobody told of`,
      'one reconcile period',
      `${seconds.toFixed(1)} s`,
      `${opened} made, ${closed} closed`,
    ],
    targets: [
      {
        name: `lost webhooks healed by the next reconciling: ${opened} of ${OPENS} opened, ${closed} of ${CLOSES} closed`,
        met: before === CLOSES && opened === OPENS && closed === CLOSES,
      },
    ],
  };
}
