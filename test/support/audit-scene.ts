import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { expect, inject, onTestFinished } from 'vitest';
import { type Finding, Report } from '../../functions/audit-snapshot-schedules/report.ts';
import { Manifest } from '../../functions/audit-snapshot-schedules/store.ts';
import type { Cluster, ClusterOptions } from '../../infra/local/atlas-sandbox/state/clusters.ts';
import type { Organization, Project } from '../../infra/local/atlas-sandbox/world.ts';
import type { BusEvent } from '../../infra/local/aws/event-bridge.ts';
import { type Machine, type MachineOptions, startMachine } from '../../infra/local/machine.ts';

export const DAY = 86_400_000;
export const SCHEDULED = { source: 'aws.events', 'detail-type': 'Scheduled Event' };
const QUICK = { attempts: 2, baseMs: 20, maxMs: 50 };

export interface Scene {
  readonly machine: Machine;
  readonly org: Organization;
  readonly project: (name?: string) => Project;
  readonly cluster: (project: Project, options?: Partial<ClusterOptions>) => Cluster;
  readonly ago: (days: number) => Date;
  /** Runs an audit; answers its report, and the error it ended with. */
  readonly audit: (event?: object) => Promise<{ report: Report; manifest: Manifest; error: string | undefined }>;
  readonly calls: (from?: number) => string[];
  readonly objects: () => Promise<string[]>;
  readonly get: (key: string) => Promise<string>;
}

export async function scene({ audit = {}, ...options }: { audit?: object } & MachineOptions = {}): Promise<Scene> {
  const machine = await startMachine({
    bundles: inject('bundles'),
    settings: { audit: { formats: ['json'], retry: QUICK, ...audit } },
    ...options,
  });
  onTestFinished(() => machine[Symbol.asyncDispose]());
  const { world } = machine.atlas;
  const org = world.addOrg({ name: 'Acme' });
  await machine.seedAtlasCredentials(world.addOrgAccount(org, { name: 'auditor', roles: ['ORG_OWNER'] }));
  const s3 = new S3Client({ ...machine.sdk, forcePathStyle: true });
  onTestFinished(() => s3.destroy());
  const ago = (days: number): Date => new Date(machine.clock.now().getTime() - days * DAY);
  const get = async (Key: string): Promise<string> => {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: machine.reportBucket, Key }));
    return (await Body?.transformToString()) ?? '';
  };
  let counted = 0;
  return {
    machine,
    org,
    ago,
    get,
    project: (name = `project-${counted++}`) => world.addProject(org, { name }),
    cluster: (project, more = {}) =>
      world.clusters.add(project, { name: `cluster-${counted++}`, createdAt: ago(100), ...more }),
    async audit(event = SCHEDULED) {
      const error = await machine.invoke('audit-snapshot-schedules', event).then(
        () => undefined,
        (failed: { errorType?: string }) => failed.errorType ?? String(failed),
      );
      const latest = JSON.parse(await get(`audits/${org.id}/latest.json`));
      const report = Report.parse(JSON.parse(await get(`audits/${org.id}/runs/${latest.runId}/report.json`)));
      const manifest = Manifest.parse(JSON.parse(await get(latest.manifest.key)));
      return { report, manifest, error };
    },
    calls: (from = 0) =>
      machine.faults.journal
        .slice(from)
        .map(({ operation }) => operation)
        .filter((name) => /^[a-z]/.test(name) && name !== 'mintToken'),
    async objects() {
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: machine.reportBucket }));
      return Contents.map(({ Key = '' }) => Key);
    },
  };
}

export const bus = (machine: Machine): BusEvent[] =>
  machine.aws.events.entries.filter(({ source }) => source === 'atlas-automation');

export const of = ({ findings }: Report, rule: string, cluster?: Cluster): Finding[] =>
  findings.filter((each) => each.rule === rule && (cluster === undefined || each.clusterId === cluster.id));
export const one = (report: Report, rule: string, cluster?: Cluster): Finding => {
  const found = of(report, rule, cluster);
  expect(found, `${rule} of ${cluster?.name}`).toHaveLength(1);
  return found[0]!;
};
