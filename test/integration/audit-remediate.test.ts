/** The built remediation over the sandbox: nothing but what was approved, and nothing lowered. */

import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { type Cluster, type ClusterOptions, zoneId } from '../../infra/local/atlas-sandbox/state/clusters.ts';
import type { Schedule } from '../../infra/local/atlas-sandbox/state/schedule.ts';
import { startMachine } from '../../infra/local/machine.ts';
import { createState } from '../../lib/aws/state.ts';
import { migrationKey } from '../../lib/migrations-under-way.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import { deadlineIn } from '../../lib/runtime/deadline.ts';

interface PlanAnswer {
  readonly plans: readonly {
    readonly planDigest: string;
    readonly left: number;
    readonly changes: readonly {
      readonly clusterName: string;
      readonly changes: readonly string[];
      readonly request: Record<string, unknown>;
    }[];
    readonly skipped: readonly { readonly clusterName: string; readonly reason: string }[];
  }[];
}

async function scene(audit: object = {}) {
  const machine = await startMachine({
    bundles: inject('bundles'),
    settings: { audit: { retry: { attempts: 1 }, ...audit } },
  });
  onTestFinished(() => machine[Symbol.asyncDispose]());
  const { world } = machine.atlas;
  const org = world.addOrg({ name: 'Acme' });
  await machine.seedAtlasCredentials(world.addOrgAccount(org, { name: 'remediation', roles: ['ORG_OWNER'] }));
  const project = world.addProject(org, { name: 'shop' });
  let made = 0;
  const cluster = (schedule: Partial<Schedule>, options: Partial<ClusterOptions> = {}): Cluster => {
    const added = world.clusters.add(project, { name: `cluster-${made++}`, ...options });
    world.backups.setSchedule(added, schedule);
    return added;
  };
  const plan = async (event: object = {}) => {
    const answer = (await machine.invoke('remediate-snapshot-schedules', {
      action: 'plan',
      requestedBy: 'ann',
      ...event,
    })) as PlanAnswer;
    return answer.plans[0]!;
  };
  const apply = (planDigest: string, event: object = {}) =>
    machine.invoke('remediate-snapshot-schedules', { action: 'apply', planDigest, approvedBy: 'bob', ...event });
  const patches = () =>
    machine.faults.journal.filter(({ operation }) => operation === 'updateGroupClusterBackupSchedule').length;
  return { machine, world, project, cluster, plan, apply, patches };
}

const short = (cluster?: { id: string }) => {
  void cluster;
  return {
    items: [
      { id: 'a'.repeat(24), frequencyType: 'daily', frequencyInterval: 1, retentionUnit: 'days', retentionValue: 2 },
    ],
  } as const;
};

describe('remediation', () => {
  it('A30: sends the whole schedule, raises what is asked for, and carries everything else over', async () => {
    const { world, machine, cluster, plan, apply } = await scene({ policy: { profile: 'aws-backup-audit' } });
    world.backups.exportBuckets.add('b'.repeat(24));
    const prod = cluster({
      autoExportEnabled: true,
      export: { exportBucketId: 'b'.repeat(24), frequencyType: 'monthly' },
      extraRetentionSettings: [{ frequencyType: 'DAILY', retentionDays: 3 }],
    });
    world.backups.setSchedule(prod, {
      copySettings: [
        {
          cloudProvider: 'AWS',
          regionName: 'EU_WEST_1',
          zoneId: zoneId(prod, 0),
          shouldCopyOplogs: false,
          frequencies: ['DAILY'],
        },
      ],
    });
    const before = world.backups.schedule(prod);
    const { planDigest, changes } = await plan();
    expect(changes).toMatchObject([{ clusterName: prod.name }]);
    expect(changes[0]?.changes).toContain('raises daily (1) kept 7 days to daily (1) kept 35 days');
    for (const flag of [
      'deleteSnapshots',
      'deleteCopySnapshots',
      'deleteCopiedBackups',
      'updateSnapshots',
      'updateCopySnapshots',
    ]) {
      expect(changes[0]?.request).not.toHaveProperty(flag);
    }
    expect(changes[0]?.request).toMatchObject({
      copySettings: [{ regionName: 'EU_WEST_1' }],
      autoExportEnabled: true,
      extraRetentionSettings: [{ retentionDays: 3 }],
    });
    await expect(apply(planDigest)).resolves.toMatchObject({ applied: [{ outcome: 'changed' }] });
    const after = world.backups.schedule(prod);
    expect(after.items.map(({ id }) => id)).toEqual(before.items.map(({ id }) => id));
    expect(
      after.items.map(
        ({ frequencyType, retentionUnit, retentionValue }) => `${frequencyType} ${retentionValue} ${retentionUnit}`,
      ),
    ).toEqual(['hourly 7 days', 'daily 35 days', 'weekly 5 weeks', 'monthly 12 months', 'yearly 1 years']);
    expect(after).toMatchObject({
      copySettings: before.copySettings,
      export: before.export,
      extraRetentionSettings: before.extraRetentionSettings,
    });
    // Once more: the work is found done.
    await expect(apply(planDigest)).resolves.toMatchObject({ applied: [{ outcome: 'already' }] });
    expect(machine.faults.journal.map(({ operation }) => operation)).not.toContain(
      'disableGroupBackupCompliancePolicy',
    );
    expect((await plan()).changes).toEqual([]);
  });

  it('A31: a schedule that changed after the plan was made is left alone', async () => {
    const { world, cluster, plan, apply, patches } = await scene();
    const [prod, other] = [cluster(short()), cluster(short())];
    const { planDigest } = await plan();
    world.backups.setSchedule(prod, { referenceHourOfDay: 3 });
    await expect(apply(planDigest)).rejects.toMatchObject({
      errorType: 'RemediationIncomplete',
      message: expect.stringContaining('has changed since the plan'),
    });
    expect(patches()).toBe(1);
    expect(world.backups.schedule(prod).items).toHaveLength(1);
    expect(world.backups.schedule(other).items.length).toBeGreaterThan(1);
  });

  it('changes so many clusters and no more', async () => {
    const { cluster, plan, apply, patches } = await scene({ remediation: { mostClusters: 2 } });
    for (let nth = 0; nth < 5; nth++) cluster(short());
    const { planDigest, changes, left } = await plan();
    expect([changes.length, left]).toEqual([2, 3]);
    await apply(planDigest);
    expect(patches()).toBe(2);
  });

  it('needs somebody else’s approval of exactly this plan', async () => {
    const { machine, cluster, plan, apply, patches } = await scene();
    cluster(short());
    const { planDigest } = await plan();
    const refused = (work: Promise<unknown>) => expect(work).rejects.toMatchObject({ errorType: 'PlanRefused' });
    await refused(apply(planDigest, { approvedBy: ' ANN ' }));
    await refused(apply('0'.repeat(64)));
    await expect(machine.invoke('remediate-snapshot-schedules', { action: 'apply', planDigest })).rejects.toMatchObject(
      { errorType: 'EventError' },
    );
    await expect(apply(planDigest, { dryRun: true })).resolves.toMatchObject({
      applied: [{ outcome: 'would-change' }],
    });
    expect(patches()).toBe(0);
    await apply(planDigest);
    await refused(apply(planDigest, { approvedBy: 'eve' }));
    expect(patches()).toBe(1);
  });

  it('leaves the destination of a live migration alone, before and after the approval', async () => {
    const { machine, project, cluster, plan, apply, patches } = await scene();
    const [first, second] = [cluster(short()), cluster(short())];
    const state = createState(machine.stateTable, machine.sdk);
    const migrate = (name: string) =>
      state.create(
        migrationKey(project.id, name),
        { migrationId: 'm-1', state: 'WORKING', since: new Date().toISOString() },
        deadlineIn(5_000, systemClock),
      );
    await migrate(first.name);
    const { planDigest, changes, skipped } = await plan();
    expect(changes.map(({ clusterName }) => clusterName)).toEqual([second.name]);
    expect(skipped).toMatchObject([{ clusterName: first.name, reason: expect.stringContaining('m-1') }]);
    await migrate(second.name);
    await expect(apply(planDigest)).rejects.toMatchObject({ errorType: 'RemediationIncomplete' });
    expect(patches()).toBe(0);
  });

  it('finds its own work after an answer was lost', async () => {
    const { machine, world, cluster, plan, apply } = await scene({ retry: { attempts: 3, baseMs: 10, maxMs: 20 } });
    const prod = cluster(short());
    const { planDigest } = await plan();
    machine.faults.plan([
      { operation: 'updateGroupClusterBackupSchedule', nth: 1, fault: { kind: 'kill', when: 'after' } },
    ]);
    await expect(apply(planDigest)).rejects.toThrow();
    expect(world.backups.schedule(prod).items.length).toBeGreaterThan(1);
    await expect(apply(planDigest)).resolves.toMatchObject({ applied: [{ outcome: 'already' }] });
  });

  it('plans nothing where nothing is missing, and writes nothing in a dry run', async () => {
    const { machine, cluster, plan } = await scene();
    cluster({});
    expect((await plan()).changes).toEqual([]);
    cluster(short());
    expect((await plan({ dryRun: true })).changes).toHaveLength(1);
    expect(machine.faults.journal.map(({ operation }) => operation)).not.toContain('PutItem');
  });
});
