import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import * as z from 'zod';
import type { Organization, Project } from '../atlas-sandbox/world.ts';
import type { Machine } from '../machine.ts';
import { type Stop, stopAt } from './stop.ts';

const COMMAND = 'command-live-migration';
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

const Planned = z.object({
  canStart: z.boolean(),
  plan: z.object({ digest: z.string(), checks: z.array(z.unknown()) }),
});
const Migration = z.object({
  runId: z.string(),
  state: z.string(),
  reason: z.string(),
  approval: z.object({ approvalId: z.string() }).nullable(),
});
const Answer = z.object({ migration: Migration });
const Watched = z.object({ migrations: z.array(Migration) });

const ATTESTED = [
  'time-series',
  'unmigratable',
  'sharded-source',
  'source-healthy',
  'network',
  'tier',
  'migration-host-memory',
  'not-migrated',
  'freeze-plan',
  'connection-string',
  'rollback',
];
const WAIVED = ['oplog', 'agents-alive'];

/** A migration that was started, and what brings it on. */
export interface Begun {
  readonly runId: string;
  readonly planDigest: string;
  /** How many checks the plan has. */
  readonly checks: number;
  migration(): z.output<typeof Migration>;
  /** Lets the machine's clock pass, step by step, until it is in that state; false where it never comes there. */
  until(state: string, stepMs: number): Promise<boolean>;
}

/** Plans and starts one migration, as `ada`; undefined where the plan stands against it. */
export async function beginMigration(
  machine: Machine,
  org: Organization,
  project: Project,
): Promise<Begun | undefined> {
  const { world } = machine.atlas;
  const createdAt = new Date(machine.clock.now().getTime() - 10 * DAY_MS);
  const cluster = world.clusters.add(project, { name: 'invoices', tier: 'M30', createdAt, backupEnabled: true });
  const source = world.migrations.connect(org, { name: 'own data centre', deployments: [{ name: 'invoices' }] });
  const request = {
    orgId: org.id,
    source: { groupId: source.projectId, clusterName: 'invoices', ssl: true, managedAuthentication: true },
    destination: { groupId: project.id, clusterName: cluster.name, hostnameSchemaType: 'PUBLIC' },
    migrationHost: source.migrationHosts[0],
  };
  const expires = new Date(machine.clock.now().getTime() + DAY_MS).toISOString();
  const plan = async () =>
    Planned.parse(
      await machine.invoke(COMMAND, {
        action: 'plan',
        request,
        requestedBy: 'ada',
        attestations: ATTESTED.map((check) => ({ check, by: 'ada', statement: 'looked at it' })),
        waivers: WAIVED.map((check) => ({ check, owner: 'ada', reason: 'nothing to ask here', expires })),
      }),
    );
  await plan();
  machine.clock.advance(MINUTE_MS);
  const { canStart, plan: planned } = await plan();
  if (!canStart) return undefined;
  const begin = { action: 'start', planDigest: planned.digest, requestedBy: 'ada' };
  let { migration } = Answer.parse(await machine.invoke(COMMAND, begin));
  // Twice, on purpose: it is sent once.
  await machine.invoke(COMMAND, begin);
  return {
    runId: migration.runId,
    planDigest: planned.digest,
    checks: planned.checks.length,
    migration: () => migration,
    async until(state, stepMs) {
      for (let step = 0; step < 60 && migration.state !== state; step++) {
        machine.clock.advance(stepMs);
        // One look, by the machine's clock: a tick of the schedule would wait for what falls due before the next one.
        const at = machine.clock.now().toISOString();
        const { migrations } = Watched.parse(await machine.invoke('watch-live-migrations', { at }));
        migration = migrations.find(({ runId }) => runId === migration.runId) ?? migration;
      }
      return migration.state === state;
    },
  };
}

/** Plans, starts, approves and watches one migration to its end; hours pass by the machine's clock, not by yours. */
export const migrateOne = (machine: Machine, org: Organization, project: Project, folder: string): Promise<Stop> =>
  stopAt('live migration', async () => {
    const begun = await beginMigration(machine, org, project);
    if (!begun) return { did: [], problem: 'the plan stands against a start' };
    const { runId, planDigest, checks, until } = begun;
    const isReady = await until('READY', 5 * MINUTE_MS);
    const approvalId = begun.migration().approval?.approvalId ?? '';
    const confirms = { writesStopped: true, inventoryAccepted: true };
    const approve = (approvedBy: string): Promise<unknown> =>
      machine.invoke(COMMAND, { action: 'approve-cutover', runId, planDigest, approvalId, approvedBy, confirms });
    const isRefused = await approve('ada').then(
      () => false,
      () => true,
    );
    if (isReady) await approve('grace');
    const isDone = isReady && (await until('CUT_OVER', MINUTE_MS)) && (await until('COMPLETE', 60 * MINUTE_MS));
    const sent = (operation: string): number =>
      machine.faults.journal.filter((call) => call.operation === operation).length;
    const [starts, cutovers] = [sent('createGroupLiveMigration'), sent('cutoverGroupLiveMigration')];
    const { state, reason } = begun.migration();
    return {
      did: [
        `${checks} checks; started twice, sent ${times(starts)}; cut over ${times(cutovers)}`,
        `own approval ${isRefused ? 'refused' : 'taken'}, another person’s taken: ${state}`,
      ],
      pages: await pagesOf(machine, runId, folder),
      problem: isDone && isRefused && starts === 1 && cutovers === 1 ? null : `it is ${state}: ${reason}`,
    };
  });

const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);

async function pagesOf(machine: Machine, runId: string, folder: string): Promise<string[]> {
  const client = new S3Client({ ...machine.sdk, forcePathStyle: true });
  const { Contents = [] } = await client.send(
    new ListObjectsV2Command({ Bucket: machine.reportBucket, Prefix: `migrations/${runId}/` }),
  );
  const Key = Contents.map((object) => object.Key ?? '').findLast((key) => key.endsWith('.html'));
  const page = path.join(folder, 'migration.html');
  if (Key !== undefined) {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: machine.reportBucket, Key }));
    await mkdir(folder, { recursive: true });
    await writeFile(page, (await Body?.transformToString()) ?? '');
  }
  client.destroy();
  return Key === undefined ? [] : [page];
}
