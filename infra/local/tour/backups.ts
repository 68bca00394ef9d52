import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import * as z from 'zod';
import type { Organization, Project } from '../atlas-sandbox/world.ts';
import type { Machine } from '../machine.ts';
import { type Stop, stopAt } from './stop.ts';

const DAY_MS = 86_400_000;

const Audited = z.object({
  audits: z.tuple([
    z.object({ exitState: z.string(), totals: z.object({ byStatus: z.record(z.string(), z.number()) }) }),
  ]),
});

/** Clusters as they are found: some backed up as they should be, some not at all. */
export function seedClusters(
  { atlas: { world }, clock }: Pick<Machine, 'atlas' | 'clock'>,
  org: Organization,
  project: Project,
): void {
  const createdAt = new Date(clock.now().getTime() - 40 * DAY_MS);
  const other = world.addProject(org, { name: 'warehouse' });
  world.clusters.add(project, { name: 'orders', tier: 'M30', createdAt, backupEnabled: true, pitEnabled: true });
  world.clusters.add(project, { name: 'catalogue', tier: 'M30', createdAt, backupEnabled: true });
  world.clusters.add(project, { name: 'sessions', tier: 'M10', createdAt, backupEnabled: false });
  world.clusters.add(other, { name: 'events', kind: 'sharded', tier: 'M40', createdAt, backupEnabled: true });
  world.clusters.add(other, { name: 'reports', kind: 'flex', createdAt });
}

/** Audits every cluster's backups, and leaves the report on the disk. */
export const auditBackups = (machine: Machine, org: Organization, project: Project, folder: string): Promise<Stop> =>
  stopAt('snapshot-schedule audit', async () => {
    seedClusters(machine, org, project);
    const {
      audits: [{ exitState, totals }],
    } = Audited.parse(await machine.invoke('audit-snapshot-schedules', {}));
    const client = new S3Client({ ...machine.sdk, forcePathStyle: true });
    const { Contents = [] } = await client.send(
      new ListObjectsV2Command({ Bucket: machine.reportBucket, Prefix: 'audits/' }),
    );
    const Key = Contents.map((object) => object.Key ?? '').find((key) => key.endsWith('/report.html'));
    const page = path.join(folder, 'backups.html');
    if (Key !== undefined) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: machine.reportBucket, Key }));
      await mkdir(folder, { recursive: true });
      await writeFile(page, (await Body?.transformToString()) ?? '');
    }
    client.destroy();
    const count = (status: string): number => totals.byStatus[status] ?? 0;
    const asked = ['FAIL', 'UNKNOWN', 'WARN', 'PASS'].reduce((sum, status) => sum + count(status), 0);
    const unknown = count('UNKNOWN') === 0 ? '' : `; ${count('UNKNOWN')} not known`;
    return {
      did: [`5 clusters: ${count('FAIL')} of ${asked} verdicts against the policy${unknown}`],
      pages: Key === undefined ? [] : [page],
      problem: exitState !== 'complete' ? `the audit is ${exitState}` : Key === undefined ? 'there is no report' : null,
    };
  });
