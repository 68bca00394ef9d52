/**
 * The built audit over the Atlas sandbox and the embedded AWS services. Scenarios that one cluster's facts decide are
 * judged in test/functions/audit-snapshot-schedules; here are those that reading, keeping and comparing decide.
 */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { type Finding, Report } from '../../functions/audit-snapshot-schedules/report.ts';
import { Manifest } from '../../functions/audit-snapshot-schedules/store.ts';
import type { Cluster, ClusterOptions } from '../../infra/local/atlas-sandbox/state/clusters.ts';
import type { Organization, Project } from '../../infra/local/atlas-sandbox/world.ts';
import type { BusEvent } from '../../infra/local/aws/event-bridge.ts';
import { type Machine, type MachineOptions, startMachine } from '../../infra/local/machine.ts';
import { createState } from '../../lib/aws/state.ts';
import { FreshestSnapshots, freshestSnapshotKey, migrationKey } from '../../lib/migrations-under-way.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import { deadlineIn } from '../../lib/runtime/deadline.ts';

const DAY = 86_400_000;
const SCHEDULED = { source: 'aws.events', 'detail-type': 'Scheduled Event' };
const QUICK = { attempts: 2, baseMs: 20, maxMs: 50 };

interface Scene {
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

async function scene({ audit = {}, ...options }: { audit?: object } & MachineOptions = {}): Promise<Scene> {
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

const bus = (machine: Machine): BusEvent[] =>
  machine.aws.events.entries.filter(({ source }) => source === 'atlas-automation');

const of = ({ findings }: Report, rule: string, cluster?: Cluster): Finding[] =>
  findings.filter((each) => each.rule === rule && (cluster === undefined || each.clusterId === cluster.id));
const one = (report: Report, rule: string, cluster?: Cluster): Finding => {
  const found = of(report, rule, cluster);
  expect(found, `${rule} of ${cluster?.name}`).toHaveLength(1);
  return found[0]!;
};

describe('an audit', () => {
  it('reads every kind of cluster once, and tells the bus what fails', async () => {
    const { machine, project, cluster, audit } = await scene();
    const shop = project('shop');
    const prod = cluster(shop, { tags: [{ key: 'tier', value: '2' }] });
    const sharded = cluster(shop, { kind: 'sharded', shards: 3 });
    const flex = cluster(shop, { kind: 'flex' });
    const free = cluster(shop, { kind: 'free' });
    const off = cluster(shop, { backupEnabled: false });
    const { report, error } = await audit();
    expect(error).toBeUndefined();
    expect(report).toMatchObject({
      exitState: 'complete',
      mode: 'full',
      organization: { name: 'Acme' },
      coverage: { clusters: 5, clustersRead: 5, percent: 100 },
    });
    expect(one(report, 'BK-08', prod).status).toBe('PASS');
    expect(one(report, 'BK-08', sharded).status).toBe('PASS');
    expect(one(report, 'BK-21', flex).status).toBe('PASS');
    expect(one(report, 'BK-22', free).status).toBe('FAIL');
    expect(one(report, 'BK-01', off)).toMatchObject({ status: 'FAIL', severity: 'critical', change: 'new' });
    const told = bus(machine).map((event) => event.detail['findingId']);
    expect(told.toSorted()).toEqual(
      report.findings
        .filter(({ status }) => status === 'FAIL')
        .map(({ id }) => id)
        .toSorted(),
    );
    expect(report.clusters.map(({ clusterName }) => clusterName)).toHaveLength(5);
  });

  it('of a world that has not changed says the same again, and tells nobody', async () => {
    const { machine, project, cluster, audit } = await scene();
    cluster(project(), { kind: 'sharded' });
    cluster(project(), { pitEnabled: true });
    const first = await audit({ mode: 'full' });
    const told = bus(machine).length;
    const second = await audit({ mode: 'full' });
    const third = await audit({ mode: 'evidence' });
    const bare = ({ findings }: Report) =>
      findings.map(({ id, status, reason, firstSeen }) => ({
        id,
        status,
        reason: reason.replace(/[\d.]+ hours/, ''),
        firstSeen,
      }));
    expect(bare(second.report)).toEqual(bare(first.report));
    expect(bare(third.report)).toEqual(bare(first.report));
    expect(third.report).toMatchObject({
      mode: 'evidence',
      totals: { byChange: { unchanged: first.report.findings.length } },
    });
    expect(bus(machine)).toHaveLength(told);
  });

  it('in a dry run writes nothing, and says what it would say', async () => {
    const { machine, project, cluster, objects } = await scene();
    cluster(project(), { backupEnabled: false });
    const answer = (await machine.invoke('audit-snapshot-schedules', { dryRun: true })) as {
      audits: { totals: { byStatus: object } }[];
    };
    expect(answer.audits[0]?.totals.byStatus).toMatchObject({ FAIL: expect.any(Number) });
    expect(await objects()).toEqual([]);
    expect(bus(machine)).toEqual([]);
    expect(machine.faults.journal.map(({ operation }) => operation)).not.toContain('PutItem');
  });

  it('audits nothing where the policy cannot be used', async () => {
    const policy =
      'organization:\n  rules:\n    BK-99: {}\nexceptions:\n  - { name: x, owner: me, reason: r, expires: 2020-01-01T00:00:00Z, rules: [BK-01] }\n';
    const { machine, calls } = await scene({ audit: { policy } });
    await expect(machine.invoke('audit-snapshot-schedules', SCHEDULED)).rejects.toThrow(
      /BK-99 \(line 3\) is not known; .*\(line 5\)/,
    );
    expect(calls()).toEqual([]);
  });

  it('explains what it asks of a cluster', async () => {
    const { machine, project, cluster } = await scene({
      audit: { policy: { projects: [{ match: { name: 'shop' }, rules: { 'BK-05': { minDays: 20 } } }] } },
    });
    const prod = cluster(project('shop'), { tags: [{ key: 'env', value: 'test' }] });
    const answer = await machine.invoke('audit-snapshot-schedules', {
      action: 'explain',
      cluster: `shop/${prod.name}`,
    });
    expect(answer).toMatchObject({
      tier: { value: 'dev', from: 'tags' },
      rules: { 'BK-05': { settings: { minDays: { value: 20, from: 'projects.0' } } } },
    });
    await expect(
      machine.invoke('audit-snapshot-schedules', { action: 'explain', cluster: 'shop/none' }),
    ).rejects.toMatchObject({ errorType: 'ClusterNotFound' });
  });
});

describe('what can not be read', () => {
  it('A12: a list of projects that breaks off resolves nothing', async () => {
    const { machine, project, cluster, audit } = await scene();
    const projects = Array.from({ length: 3 }, () => project());
    const clusters = projects.map((each) => cluster(each, { backupEnabled: false }));
    const whole = await audit();
    expect(of(whole.report, 'BK-01').map(({ status }) => status)).toEqual(['FAIL', 'FAIL', 'FAIL']);
    for (let more = 0; more < 498; more++) project();
    machine.faults.plan(
      [2, 3].map((nth) => ({ operation: 'listGroups', nth, fault: { kind: 'refuse', status: 500 } })),
    );
    const told = bus(machine).length;
    const { report, error } = await audit();
    expect(error).toBe('AuditIncomplete');
    expect(report).toMatchObject({ exitState: 'partial', coverage: { projectListComplete: false } });
    for (const each of clusters)
      expect(one(report, 'BK-01', each)).toMatchObject({ status: 'FAIL', change: 'unchanged' });
    expect(report.totals.byChange).toMatchObject({ resolved: 0, gone: 0 });
    expect(one(report, 'BK-25')).toMatchObject({ status: 'FAIL', clusterId: null });
    const resolved = bus(machine)
      .slice(told)
      .filter((event) => event['detail-type'] === 'Backup Finding Resolved');
    expect(resolved).toEqual([]);
  }, 60_000);

  it('A13: one forbidden project is one unknown, its old failures stay, and the others report', async () => {
    const { machine, project, cluster, audit } = await scene();
    const [lost, kept] = [project('lost'), project('kept')];
    const [bad, other] = [cluster(lost, { backupEnabled: false }), cluster(kept, { backupEnabled: false })];
    await audit();
    const { journal } = machine.faults;
    const nth = [lost, kept].toSorted((a, b) => (a.id < b.id ? -1 : 1)).indexOf(lost) + 1;
    machine.faults.plan([{ operation: 'listGroupClusters', nth, fault: { kind: 'refuse', status: 403 } }]);
    const before = journal.length;
    const { report, error } = await audit({ mode: 'full' });
    expect(journal.slice(before).filter(({ status }) => status === 403)).toHaveLength(1);
    expect(error).toBe('AuditIncomplete');
    expect(report.coverage).toMatchObject({
      projects: 2,
      projectsRead: 1,
      unreadable: [{ projectId: lost.id, cause: 'forbidden' }],
    });
    expect(
      report.findings.filter(({ projectId, status }) => projectId === lost.id && status === 'UNKNOWN'),
    ).toMatchObject([{ rule: 'BK-25', clusterId: null }]);
    expect(one(report, 'BK-01', bad)).toMatchObject({ status: 'FAIL', change: 'unchanged' });
    expect(one(report, 'BK-01', other)).toMatchObject({ status: 'FAIL' });
    machine.faults.plan([]);
    const mended = await audit();
    expect(mended.error).toBeUndefined();
    expect(
      mended.report.findings.find(({ rule, projectId }) => rule === 'BK-25' && projectId === lost.id),
    ).toMatchObject({ status: 'PASS', change: 'resolved' });
  });

  it('A14: too many tokens is no missing right', async () => {
    const { machine, project, cluster } = await scene({ atlas: { limits: { liveTokens: 0 } } });
    cluster(project());
    await expect(machine.invoke('audit-snapshot-schedules', SCHEDULED)).rejects.toMatchObject({
      errorType: 'AtlasTokenLimitReached',
    });
  });

  it('A14: one token serves the whole run', async () => {
    const { machine, project, cluster, audit } = await scene();
    for (let nth = 0; nth < 12; nth++) cluster(project());
    await audit();
    expect(machine.faults.journal.filter(({ operation }) => operation === 'mintToken')).toHaveLength(1);
  });

  it('keeps a failure that could not be looked at again', async () => {
    const { machine, project, cluster, audit } = await scene();
    const dead = cluster(project());
    machine.atlas.world.backups.disturb(dead, { from: new Date(Date.now() - 5 * DAY), outcome: 'missed' });
    const first = await audit();
    expect(one(first.report, 'BK-08', dead).status).toBe('FAIL');
    machine.faults.plan(
      [1, 2].map((nth) => ({
        operation: 'listGroupClusterBackupSnapshots',
        nth,
        fault: { kind: 'refuse', status: 503 },
      })),
    );
    const { report, error } = await audit();
    expect(error).toBe('AuditIncomplete');
    expect(one(report, 'BK-08', dead)).toMatchObject({
      status: 'FAIL',
      change: 'unchanged',
      evidence: { notSeenAgain: expect.any(String) },
    });
    expect(one(report, 'BK-10', dead).status).toBe('FAIL');
    expect(one(report, 'BK-11', dead).status).toBe('UNKNOWN');
    expect(report.coverage).toMatchObject({
      clustersRead: 0,
      unreadable: [{ cause: 'unavailable', clusterId: dead.id }],
    });
  });

  it('leaves Flex findings alone where Flex clusters could not be listed', async () => {
    const { machine, project, cluster, audit } = await scene();
    const flex = cluster(project(), { kind: 'flex', backupEnabled: false });
    await audit();
    machine.faults.plan([{ operation: 'listGroupFlexClusters', nth: 1, fault: { kind: 'refuse', status: 403 } }]);
    const { report, error } = await audit();
    expect(error).toBe('AuditIncomplete');
    expect(one(report, 'BK-21', flex)).toMatchObject({ status: 'FAIL', change: 'unchanged' });
    expect(report.totals.byChange['gone']).toBe(0);
  });
});

describe('inventory', () => {
  it('A9: lists sharded snapshots where they are, in one piece', async () => {
    const { project, cluster, audit, calls } = await scene();
    const sharded = cluster(project(), { kind: 'sharded', shards: 4 });
    const { report } = await audit();
    expect(calls()).toContain('listGroupClusterBackupSnapshotShardedClusters');
    expect(calls()).not.toContain('listGroupClusterBackupSnapshots');
    expect(one(report, 'BK-08', sharded)).toMatchObject({
      status: 'PASS',
      evidence: { snapshots: expect.any(Number) },
    });
  });

  it('A11: reads all pages of 700 snapshots', async () => {
    const { machine, project, cluster, ago, audit } = await scene();
    const busy = cluster(project());
    for (let nth = 0; nth < 700; nth++)
      machine.atlas.world.backups.addSnapshot(busy, { takenAt: ago(nth / 100), type: 'onDemand', status: 'completed' });
    const { report } = await audit();
    expect(Number(one(report, 'BK-08', busy).evidence['snapshots'])).toBeGreaterThan(700);
  });

  it('A21: a cluster made anew under the same name is another one, and the old findings close as gone', async () => {
    const { machine, project, cluster, audit } = await scene();
    const shop = project();
    const old = cluster(shop, { name: 'prod', backupEnabled: false });
    await audit();
    machine.atlas.world.clusters.remove(old);
    const anew = cluster(shop, { name: 'prod', backupEnabled: false });
    const { report } = await audit();
    expect(one(report, 'BK-01', anew)).toMatchObject({ status: 'FAIL', change: 'new' });
    expect(one(report, 'BK-01', old)).toMatchObject({ change: 'gone', evidence: { closedAs: 'resource_gone' } });
    const events = bus(machine).filter((event) => event.detail['clusterId'] === old.id);
    expect(events.at(-1)).toMatchObject({
      'detail-type': 'Backup Finding Resolved',
      detail: { closedAs: 'resource_gone' },
    });
  });

  it('A22: clusters of one name in two projects have findings of their own', async () => {
    const { project, cluster, audit } = await scene();
    const twins = [cluster(project('a'), { name: 'prod' }), cluster(project('b'), { name: 'prod' })];
    const { report } = await audit();
    const ids = twins.map((each) => one(report, 'BK-08', each).id);
    expect(new Set(ids).size).toBe(2);
    expect(new Set(report.findings.map(({ id }) => id)).size).toBe(report.findings.length);
  });

  it('A23: sees a multi-cloud cluster, which the list of all clusters leaves out', async () => {
    const { project, cluster, audit, calls } = await scene();
    const both = cluster(project(), {
      regions: [
        { provider: 'AWS', name: 'US_EAST_1' },
        { provider: 'GCP', name: 'EASTERN_US' },
      ],
    });
    const { report } = await audit();
    expect(one(report, 'BK-08', both).status).toBe('PASS');
    expect(report.clusters[0]).toMatchObject({ providers: ['AWS', 'GCP'] });
    expect(calls()).not.toContain('listClusterDetails');
  });

  it('A24: a Flex cluster that stands in both lists is one cluster', async () => {
    const { project, cluster, audit } = await scene();
    const flex = cluster(project(), { kind: 'flex', madeAsCluster: true });
    const { report } = await audit();
    expect(report.clusters.filter(({ clusterId }) => clusterId === flex.id)).toHaveLength(1);
    expect(new Set(report.findings.map(({ id }) => id)).size).toBe(report.findings.length);
  });

  it('A39: leaves out clusters Atlas keeps for itself, and counts them', async () => {
    const { project, cluster, audit } = await scene();
    const shop = project();
    cluster(shop);
    cluster(shop, { internalClusterRole: 'SYSTEM_CLUSTER' });
    cluster(shop, { internalClusterRole: 'INTERNAL_SHADOW_CLUSTER' });
    const { report } = await audit();
    expect(report.coverage).toMatchObject({ clusters: 1, excludedInternal: 2, percent: 100 });
  });

  it('lists the backups a deleted cluster left', async () => {
    const { machine, project, cluster, audit } = await scene();
    const gone = cluster(project());
    machine.atlas.world.clusters.remove(gone, { retainBackups: true });
    const { report } = await audit();
    expect(one(report, 'BK-24', gone)).toMatchObject({ status: 'WARN', evidence: { snapshots: expect.any(Number) } });
    expect(report.findings.filter(({ clusterId }) => clusterId === gone.id)).toHaveLength(1);
  });

  it('A40: asks for the version of the schedule that names zones', async () => {
    const { machine, project, cluster, audit } = await scene();
    const prod = cluster(project(), { tags: [{ key: 'tier', value: '1' }] });
    const { world } = machine.atlas;
    const { zoneId } = await import('../../infra/local/atlas-sandbox/state/clusters.ts');
    world.backups.setSchedule(prod, {
      copySettings: [
        {
          cloudProvider: 'AWS',
          regionName: 'EU_WEST_1',
          zoneId: zoneId(prod, 0),
          shouldCopyOplogs: true,
          frequencies: ['HOURLY', 'DAILY'],
        },
      ],
    });
    const { report } = await audit();
    expect(one(report, 'BK-13', prod)).toMatchObject({ status: 'PASS' });
    expect(one(report, 'BK-14', prod)).toMatchObject({ status: 'PASS' });
  });
});

describe('live migration', () => {
  it('A6: reads what is under way, and writes down the freshest snapshots', async () => {
    const { machine, project, cluster, audit } = await scene();
    const shop = project();
    const [target, other] = [cluster(shop), cluster(shop)];
    machine.atlas.world.backups.disturb(target, { from: new Date(Date.now() - 3 * DAY), outcome: 'missed' });
    const client = new DynamoDBClient(machine.sdk);
    onTestFinished(() => client.destroy());
    const state = createState(machine.stateTable, client);
    const deadline = deadlineIn(10_000, systemClock);
    const since = new Date(Date.now() - 3 * DAY).toISOString();
    await state.create(migrationKey(shop.id, target.name), { migrationId: 'm-7', state: 'WORKING', since }, deadline);
    const { report } = await audit();
    expect(one(report, 'BK-08', target)).toMatchObject({
      status: 'NOT_APPLICABLE',
      evidence: { migrationId: 'm-7', since },
    });
    expect(report.clusters.find(({ clusterId }) => clusterId === target.id)).toMatchObject({ migrationId: 'm-7' });
    const fresh = await state.read(freshestSnapshotKey(shop.id), FreshestSnapshots, deadline);
    expect(fresh?.value.clusters[other.name]).toMatchObject({ snapshotId: expect.any(String) });
  });
});

describe('a run that dies', () => {
  it('A36: goes on where it stopped, and its manifest has each cluster exactly once', async () => {
    const { machine, project, cluster, audit, calls } = await scene({ audit: { sockets: 4 } });
    for (let p = 0; p < 60; p++) {
      const each = project();
      for (let c = 0; c < 5; c++) cluster(each);
    }
    machine.faults.plan([{ operation: 'PutObject', nth: 3, fault: { kind: 'kill', when: 'before' } }]);
    await machine.invoke('audit-snapshot-schedules', SCHEDULED).catch(() => {});
    const read = (names: string[]) => names.filter((name) => name === 'getGroupClusterBackupSchedule').length;
    const first = read(calls());
    expect(first).toBeGreaterThan(200);
    machine.faults.plan([]);
    const from = machine.faults.journal.length;
    const { report, manifest, error } = await audit();
    expect(error).toBeUndefined();
    // Two parts of a hundred clusters were kept: they are not read again.
    expect(read(calls(from))).toBe(100);
    const all = manifest.parts.flatMap(({ clusters }) => clusters);
    expect(all).toHaveLength(300);
    expect(new Set(all).size).toBe(300);
    expect(report.clusters).toHaveLength(300);
    expect(new Set(report.findings.map(({ id }) => id)).size).toBe(report.findings.length);
  }, 120_000);

  it('leaves a run to whoever goes on with it', async () => {
    const { machine, project, cluster, audit } = await scene({ audit: { sockets: 2 } });
    for (let p = 0; p < 30; p++) for (let c = 0, each = project(); c < 5; c++) cluster(each);
    const both = await Promise.allSettled([1, 2].map(() => machine.invoke('audit-snapshot-schedules', SCHEDULED)));
    expect(both.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(0);
    const { report } = await audit();
    expect(report.coverage).toMatchObject({ clusters: 150, percent: 100 });
  }, 120_000);
});

describe('evidence', () => {
  it('reads schedules again only where something happened to them', async () => {
    const { machine, org, project, cluster, audit, calls } = await scene();
    const [quiet, busy] = [project('quiet'), project('busy')];
    cluster(quiet);
    const changed = cluster(busy);
    await audit();
    const { world } = machine.atlas;
    world.backups.setSchedule(changed, { items: [] });
    world.events.record({
      eventTypeName: 'CPS_SNAPSHOT_SCHEDULE_UPDATED_AUDIT',
      groupId: busy.id,
      orgId: org.id,
      details: { clusterName: changed.name },
    });
    const from = machine.faults.journal.length;
    const { report } = await audit();
    const names = calls(from);
    expect(report.mode).toBe('evidence');
    expect(names.filter((name) => name === 'getGroupClusterBackupSchedule')).toHaveLength(1);
    expect(names.filter((name) => name === 'getGroupBackupCompliancePolicy')).toHaveLength(0);
    expect(one(report, 'BK-04', changed)).toMatchObject({ status: 'FAIL', change: 'changed', previousStatus: 'PASS' });
  });

  it('is full again after a week, and whenever the policy changes', async () => {
    const { machine, project, cluster, audit } = await scene();
    cluster(project());
    expect((await audit()).report.mode).toBe('full');
    expect((await audit()).report.mode).toBe('evidence');
    machine.clock.advance(8 * DAY);
    expect((await audit()).report.mode).toBe('full');
  });

  it('tells what is mended as resolved, once', async () => {
    const { machine, project, cluster, audit } = await scene();
    const off = cluster(project(), { backupEnabled: false });
    const first = await audit();
    off.backupEnabled = true;
    const { report } = await audit();
    expect(one(report, 'BK-01', off)).toMatchObject({ status: 'PASS', change: 'resolved', previousStatus: 'FAIL' });
    const events = bus(machine).filter((event) => event.detail['findingId'] === one(first.report, 'BK-01', off).id);
    expect(events.map((event) => event['detail-type'])).toEqual(['Backup Finding Opened', 'Backup Finding Resolved']);
    await audit();
    expect(
      bus(machine).filter((event) => event.detail['findingId'] === one(first.report, 'BK-01', off).id),
    ).toHaveLength(2);
  });
});
