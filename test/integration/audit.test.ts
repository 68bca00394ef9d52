import { describe, expect, it } from 'vitest';
import type { Report } from '../../functions/audit-snapshot-schedules/report.ts';
import { bus, DAY, of, one, SCHEDULED, scene } from '../support/audit-scene.ts';

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

  it('A35: tells the bus of the worst first, and of the rest later', async () => {
    const { machine, project, cluster, audit } = await scene({ audit: { mostOpenedPerRun: 3 } });
    const shop = project();
    for (let nth = 0; nth < 3; nth++) cluster(shop, { backupEnabled: false });
    cluster(shop);
    const { report } = await audit();
    const failing = report.findings.filter(({ status }) => status === 'FAIL').length;
    expect(failing).toBeGreaterThan(6);
    expect(bus(machine).map(({ detail }) => detail['severity'])).toEqual(['critical', 'critical', 'critical']);
    for (let run = 1; run * 3 < failing; run++) await audit();
    const told = bus(machine).map(({ detail }) => detail['findingId']);
    expect(told).toHaveLength(failing);
    expect(new Set(told).size).toBe(failing);
  }, 60_000);

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
