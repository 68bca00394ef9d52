/** What one run of each function costs in time, memory and calls: measured on this machine, the bundles as they are built. */
import { createHmac } from 'node:crypto';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { buildBundles } from '../../infra/build.ts';
import { seedDemoWorld } from '../../infra/local/demo-world.ts';
import { type Machine, startMachine } from '../../infra/local/machine.ts';
import { createTicketSandbox } from '../../infra/local/ticket-sandbox/sandbox.ts';

/** Medians of a warm run. */
export interface Measured {
  /** Time on this machine, where Atlas and AWS answer at once. */
  readonly ms: number;
  /** Largest memory of the process so far, in MB. */
  readonly memoryMb: number;
  /** Calls to Atlas and to AWS by name. */
  readonly calls: Readonly<Record<string, number>>;
  /** Bytes of logs and metrics. */
  readonly logBytes: number;
}

/** Every function's run, and audits of 10 and of 100 projects with three clusters each. */
export interface Measurements {
  readonly date: string;
  readonly node: string;
  readonly command: string;
  readonly runs: Readonly<Record<string, Measured>>;
  readonly audits: Readonly<Record<string, Measured>>;
  /** Metrics the functions put out, by function and name. */
  readonly metrics: readonly string[];
}

export const SIZES = [10, 100, 1_000] as const;
/** Of these, audits are measured; of more projects they make as many calls more. */
const AUDITED = [10, 100] as const;
export const CLUSTERS = 3;
const RUNS = 3;
const metrics = new Set<string>();
const KEY = 'key';
const PRELOAD = `data:text/javascript,${encodeURIComponent(
  "setInterval(()=>process.stderr.write('\\nRSS '+process.resourceUsage().maxRSS+'\\n'),50).unref()",
)}`;

export async function measure(): Promise<Measurements> {
  await buildBundles();
  const audits: Record<string, Measured> = {};
  for (const projects of AUDITED) audits[projects] = await auditOf(projects);
  const runs = await runsOfAll();
  return {
    date: new Date().toISOString().slice(0, 10),
    node: process.version,
    command: 'npm run bench -- cost-measure',
    runs,
    audits,
    metrics: [...metrics].toSorted(),
  };
}

/** A machine that tells what each function printed, and what its process came to. */
async function watched(settings: Readonly<Record<string, unknown>>) {
  const printed = new Map<string, { bytes: number; memoryMb: number }>();
  const machine = await startMachine({
    settings,
    environment: { NODE_OPTIONS: `--import=${PRELOAD}` },
    onOutput(text, lambda) {
      const so = printed.get(lambda) ?? { bytes: 0, memoryMb: 0 };
      const sizes = [...text.matchAll(/RSS (\d+)/g)].map(([, kb]) => Number(kb) / 1024);
      for (const [, names = ''] of text.matchAll(/"Metrics":\[([^\]]*)\]/g))
        for (const [, name] of names.matchAll(/"Name":"(\w+)"/g)) metrics.add(`${lambda} ${name}`);
      const own = text.replaceAll(/\nRSS \d+\n/g, '');
      printed.set(lambda, { bytes: so.bytes + own.length, memoryMb: Math.max(so.memoryMb, ...sizes) });
    },
  });
  const one = async (lambda: string, run: () => Promise<unknown>): Promise<Measured> => {
    const { journal } = machine.faults;
    const [from, before] = [journal.length, printed.get(lambda)?.bytes ?? 0];
    const start = performance.now();
    await run();
    const ms = performance.now() - start;
    // The next line about its memory.
    await new Promise((resolve) => setTimeout(resolve, 120));
    const calls: Record<string, number> = {};
    for (const { operation } of journal.slice(from)) calls[operation] = (calls[operation] ?? 0) + 1;
    const { bytes = 0, memoryMb = 0 } = printed.get(lambda) ?? {};
    return { ms: Math.round(ms), memoryMb: Math.round(memoryMb), calls, logBytes: bytes - before };
  };
  return {
    machine,
    async median(lambda: string, run: () => Promise<unknown>, times = RUNS): Promise<Measured> {
      await run();
      const all: Measured[] = [];
      for (let nth = 0; nth < times; nth++) all.push(await one(lambda, run));
      const [middle] = all.toSorted((a, b) => a.ms - b.ms).slice(Math.floor(times / 2));
      if (!middle) throw new TypeError('nothing was measured');
      return { ...middle, memoryMb: Math.max(...all.map(({ memoryMb }) => memoryMb)) };
    },
    one,
  };
}

async function auditOf(projects: number): Promise<Measured> {
  const { machine, one } = await watched({ audit: {} });
  process.stderr.write(`an audit of ${projects} projects\n`);
  await using _ = machine;
  const { world } = machine.atlas;
  const org = world.addOrg({ name: 'cost' });
  const createdAt = new Date(machine.clock.now().getTime() - 40 * 86_400_000);
  for (let nth = 0; nth < projects; nth++) {
    const project = world.addProject(org, { name: `project-${nth}` });
    for (let cluster = 0; cluster < CLUSTERS; cluster++)
      world.clusters.add(project, { name: `cluster-${cluster}`, tier: 'M30', createdAt, backupEnabled: true });
  }
  await machine.seedAtlasCredentials(world.addOrgAccount(org, { name: 'auditor', roles: ['ORG_OWNER'] }));
  // Whole, as on a first day: later ones read what has changed.
  return await one('audit-snapshot-schedules', () => machine.invoke('audit-snapshot-schedules', { mode: 'full' }));
}

async function runsOfAll(): Promise<Record<string, Measured>> {
  const tickets = createTicketSandbox({});
  await using trackers = await tickets.listen();
  const jira = tickets.destinations(trackers.origin).find(({ type }) => type === 'jira');
  const { machine, median } = await watched({
    tickets: { destinations: [jira], policy: { groupWaitSeconds: 0, groupIntervalSeconds: 0, enrichMs: 0 } },
  });
  await using _ = machine;
  const secrets = new SecretsManagerClient(machine.sdk);
  for (const [Name, SecretString] of Object.entries(tickets.secrets))
    await secrets.send(new CreateSecretCommand({ Name, SecretString }));
  secrets.destroy();
  await machine.seedWebhookSecret({ current: KEY });
  const { org, project } = await seedDemoWorld(machine);
  await machine.seedAtlasCredentials(machine.atlas.world.addOrgAccount(org, { name: 'all', roles: ['ORG_OWNER'] }));
  const { rotation, sweep } = await rotations(machine, median);
  let nth = 0;
  const receive = (): Promise<unknown> => machine.invoke('receive-atlas-alert', alertOf(project.id, ++nth));
  return {
    'rotate-service-account-secret': rotation,
    'sweep-service-account-secrets': sweep,
    'receive-atlas-alert': await median('receive-atlas-alert', receive),
    // With the taking of the alert before it, whose own time is small beside it: an upper bound.
    'deliver-tickets': await median('deliver-tickets', async () => {
      await receive();
      await machine.deliver();
    }),
    'reconcile-alerts': await median('reconcile-alerts', () => machine.invoke('reconcile-alerts', {})),
    'reconcile-alerts due': await median('reconcile-alerts', () => machine.invoke('reconcile-alerts', { task: 'due' })),
    'watch-live-migrations': await median('watch-live-migrations', () =>
      machine.invoke('watch-live-migrations', { at: machine.clock.now().toISOString() }),
    ),
  };
}

type Median = Awaited<ReturnType<typeof watched>>['median'];

/** A whole rotation, its four steps, of one secret after the other; and a sweep of one that is in order. */
async function rotations(machine: Machine, median: Median): Promise<{ rotation: Measured; sweep: Measured }> {
  const { RotateSecretCommand } = await import('@aws-sdk/client-secrets-manager');
  const client = new SecretsManagerClient(machine.sdk);
  const rotation = await median('rotate-service-account-secret', async () => {
    await client.send(
      new RotateSecretCommand({
        SecretId: 'atlas/payments',
        RotationLambdaARN: machine.rotate.arn,
        RotationRules: { AutomaticallyAfterDays: 30 },
      }),
    );
    await machine.aws.secretsManager.rotationsSettled();
    machine.clock.advance(8 * 86_400_000);
  });
  client.destroy();
  const sweep = await median('sweep-service-account-secrets', () =>
    machine.invoke('sweep-service-account-secrets', { secrets: ['atlas/payments'] }),
  );
  return { rotation, sweep };
}

function alertOf(groupId: string, nth: number): object {
  const now = new Date().toISOString();
  const body = JSON.stringify({
    id: nth.toString(16).padStart(24, 'a'),
    groupId,
    eventTypeName: 'HOST_DOWN',
    status: 'OPEN',
    clusterName: `Cluster${nth}`,
    created: now,
    updated: now,
    lastNotified: now,
  });
  return {
    version: '2.0',
    headers: {
      'content-type': 'application/json',
      'x-mms-event': 'alert.open',
      'x-mms-signature': createHmac('sha1', KEY).update(body).digest('base64'),
    },
    rawPath: '/',
    body,
    isBase64Encoded: false,
  };
}
