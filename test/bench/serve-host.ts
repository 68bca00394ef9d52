/** A local host in a process of its own, to be measured: takes its orders as JSON in `ORDERS`, and answers over IPC. */
import { enableCompileCache } from 'node:module';
import path from 'node:path';

const begun = performance.now();
enableCompileCache(path.resolve(import.meta.dirname, '../../dist/.compiled'));
const { startLocalHost } = await import('../../infra/local/serve/local-host.ts');
const { beThrifty } = await import('../../infra/local/serve/thrift.ts');
const { seedWorld } = await import('../../infra/local/atlas-sandbox/seeded-world.ts');
const { Settings } = await import('../../infra/settings.ts');

const { settings, projects, fill, ...orders } = JSON.parse(process.env['ORDERS'] ?? '{}') as {
  readonly settings: object;
  readonly data: string;
  readonly bundles: string;
  readonly templates: string;
  readonly webhookKey: string;
  readonly projects?: number;
  readonly fill?: number;
};
const start = performance.now();
const local = await startLocalHost({ ...orders, settings: Settings.parse(settings) });
const now = performance.now();
const waiting = local.machine.alertQueue.size;
const { machine, host } = local;
beThrifty((listener) => host.ledger.onChange(listener));

let keptInMs: number | undefined;
if (projects !== undefined) {
  seedWorld(machine.atlas.world, { orgs: 1, projects, clusters: 2 * projects, seed: 'bench' });
  machine.atlas.keep();
  const before = performance.now();
  await fetch(`${machine.atlasOrigin}/api/oauth/revoke`, { method: 'POST' });
  keptInMs = performance.now() - before;
}
// Too late for this host to hand one out before it is ended.
for (let nth = 0; nth < (fill ?? 0); nth++)
  machine.alertQueue.send({
    body: JSON.stringify({ nth, filler: 'x'.repeat(600) }),
    group: `group-${nth}`,
    deduplicationId: `${nth}`,
  });
if (fill !== undefined) await fetch(machine.awsEndpoint, { method: 'POST' });

process.send?.({
  console: `${local.consoleOrigin}/?token=${local.token}`,
  hooks: local.hooksOrigin,
  waiting,
  keptInMs,
  loadMs: start - begun,
  readyMs: now - start,
  cpuMs: process.cpuUsage().user / 1_000 + process.cpuUsage().system / 1_000,
});
process.on('message', () => {
  process.send?.({
    rss: process.memoryUsage.rss(),
    heap: process.memoryUsage().heapUsed,
    cold: machine.lambda('receive-atlas-alert').coldStarts,
  });
});
