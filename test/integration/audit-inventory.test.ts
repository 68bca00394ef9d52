/** The built audit: what it finds, what it goes on with, and what it need not read again. */

import { describe, expect, it } from 'vitest';
import { zoneId } from '../../infra/local/atlas-sandbox/state/clusters.ts';
import { createState } from '../../lib/aws/state.ts';
import { FreshestSnapshots, freshestSnapshotKey, migrationKey } from '../../lib/migrations-under-way.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import { deadlineIn } from '../../lib/runtime/deadline.ts';
import { bus, DAY, one, SCHEDULED, scene } from '../support/audit-scene.ts';

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
    const state = createState(machine.stateTable, machine.sdk);
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

  it('stops when time is up, and goes on with the next invocation', async () => {
    const { machine, project, cluster, audit, calls } = await scene({ timeoutMs: 8_000, audit: { sockets: 4 } });
    for (let p = 0; p < 30; p++) for (let c = 0, each = project(); c < 5; c++) cluster(each);
    const hang = { operation: 'getGroupClusterBackupSchedule', nth: 130, fault: { kind: 'slow', ms: 9_000 } } as const;
    machine.faults.plan([hang]);
    await expect(machine.invoke('audit-snapshot-schedules', SCHEDULED)).rejects.toMatchObject({
      errorType: expect.stringMatching(/AuditUnfinished|TimeRanOut/),
    });
    machine.faults.plan([]);
    const from = calls().length;
    const { report, error } = await audit();
    expect(error).toBeUndefined();
    expect(report.coverage).toMatchObject({ clusters: 150, percent: 100 });
    expect(
      calls()
        .slice(from)
        .filter((name) => name === 'getGroupClusterBackupSchedule').length,
    ).toBeLessThan(100);
  }, 60_000);

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
