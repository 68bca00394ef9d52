/**
 * Atlas and AWS for the audit bench, in a process of their own so that they share no event loop with what is measured.
 * The world comes as the only argument; the parent gets an address, and counts whenever it asks.
 */
import { randomUUID } from 'node:crypto';
import { createAtlasSandbox } from '../../infra/local/atlas-sandbox/sandbox.ts';
import { createEmbeddedAws } from '../../infra/local/aws/embedded-aws.ts';
import { type Counted, CREDENTIALS, REPORTS, type Size, TABLE } from './audit-size.ts';

const size = JSON.parse(process.argv[2] ?? '{}') as Size;
const DAY_MS = 86_400_000;
/** Log-normal: half of the answers are faster than the median, and some take several times as long. */
const SPREAD = 0.4;

let [drawn, answers] = [0, 0];
let state = 88_172_645_463_325_252n;
/** Repeatable and good enough for latencies: xorshift. */
function uniform(): number {
  state ^= (state << 13n) & 0xffff_ffff_ffff_ffffn;
  state ^= state >> 7n;
  state ^= (state << 17n) & 0xffff_ffff_ffff_ffffn;
  return Number(state >> 11n) / 2 ** 53;
}
function latency(): number {
  const normal = Math.sqrt(-2 * Math.log(uniform() || 1e-12)) * Math.cos(2 * Math.PI * uniform());
  const ms = size.medianMs * Math.exp(SPREAD * normal);
  drawn += ms;
  answers += 1;
  return ms;
}

const atlas = createAtlasSandbox({ seed: 'audit bench', ...(size.medianMs > 0 && { latencyMs: latency }) });
const aws = createEmbeddedAws({ tables: [TABLE], buckets: [REPORTS] });
const { world } = atlas;
const org = world.addOrg({ name: 'bench' });
const account = world.addOrgAccount(org, { name: 'auditor', roles: ['ORG_OWNER'] });
const createdAt = new Date(Date.now() - 120 * DAY_MS);
const perProject = size.clusters / size.projects;
let made = 0;
for (let p = 0; p < size.projects; p++) {
  const project = world.addProject(org, { name: `project-${p}` });
  for (; made < Math.round((p + 1) * perProject); made++) {
    // Of a hundred clusters five are Flex, three free, two without backup, ten sharded and ten of tier 1.
    const kind = made % 20 === 7 ? 'flex' : made % 33 === 5 ? 'free' : made % 10 === 3 ? 'sharded' : 'replicaSet';
    world.clusters.add(project, {
      name: `cluster-${made}`,
      kind,
      createdAt,
      ...(made % 50 === 11 && { backupEnabled: false }),
      ...(made % 10 === 1 && { tags: [{ key: 'tier', value: '1' }], pitEnabled: true }),
    });
  }
}
const SecretString = JSON.stringify({ clientId: account.clientId, clientSecret: world.addSecret(account).value });
await aws.secretsManager.service.operations['CreateSecret']?.({
  Name: CREDENTIALS,
  SecretString,
  ClientRequestToken: randomUUID(),
});
const [atlasServer, awsServer] = [await atlas.listen(), await aws.listen()];
atlas.faults.observe = () => {
  // Counted, and forgotten: a hundred thousand entries are of no use to anybody.
  const entry = atlas.faults.journal.pop();
  if (!entry) return;
  counts.calls[entry.operation] = (counts.calls[entry.operation] ?? 0) + 1;
  if (entry.status === 429) counts.throttled += 1;
};
aws.faults.observe = () => {
  aws.faults.journal.pop();
};
let counts: { calls: Record<string, number>; throttled: number } = { calls: {}, throttled: 0 };

let spent = process.cpuUsage();

process.on('message', (asked) => {
  if (asked === 'counts') {
    const { user, system } = process.cpuUsage(spent);
    const meanMs = answers === 0 ? 0 : drawn / answers;
    const counted: Counted = { ...counts, meanMs, cpuSeconds: (user + system) / 1e6 };
    spent = process.cpuUsage();
    process.send?.(counted);
    counts = { calls: {}, throttled: 0 };
    [drawn, answers] = [0, 0];
  } else if (asked === 'change') {
    // What a day brings: in a twentieth of the projects somebody changed a schedule.
    for (const [nth, project] of [...world.projects.values()].entries()) {
      const [cluster] = world.clusters.of(project.id);
      if (nth % 20 !== 0 || !cluster || cluster.kind !== 'replicaSet') continue;
      const type = 'CPS_SNAPSHOT_SCHEDULE_UPDATED_AUDIT';
      world.events.record({
        eventTypeName: type,
        groupId: project.id,
        orgId: org.id,
        details: { clusterName: cluster.name },
      });
    }
    process.send?.('changed');
  } else process.exit();
});
const token = { clientId: account.clientId, clientSecret: account.secrets[0]?.value ?? '' };
process.send?.({ atlas: atlasServer.origin, aws: awsServer.origin, token, orgId: org.id });
