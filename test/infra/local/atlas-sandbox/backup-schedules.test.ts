import { describe, expect, it } from 'vitest';
import { copyTo } from '../../../../infra/local/atlas-sandbox/state/schedule.ts';
import { createBackups, item, policies } from './backup-scene.ts';
import { failure, read, signIn } from './client.ts';

describe('the schedule', () => {
  it('of a new cluster is Atlas’s default, at the minute it was created in', async () => {
    const { get, schedule } = await createBackups();
    const found = await read(await get(schedule));
    const items = found.policies[0].policyItems.map(({ id: _, ...each }: { id: string }) => each);
    expect(items).toEqual([
      item('hourly', 6, 7),
      item('daily', 1, 7),
      item('weekly', 6, 4, 'weeks'),
      item('monthly', 40, 12, 'months'),
      item('yearly', 12, 1, 'years'),
    ]);
    expect(found).toMatchObject({ referenceHourOfDay: 3, referenceMinuteOfHour: 16, restoreWindowDays: 7 });
    expect(found.nextSnapshot).toBe('2030-01-15T15:16:00Z');
  });

  it('changes only where it is told to', async () => {
    const { patch, get, schedule } = await createBackups();
    await patch({ referenceHourOfDay: 5, referenceMinuteOfHour: 30 });
    const found = await read(await get(schedule));
    expect(found).toMatchObject({ referenceHourOfDay: 5, restoreWindowDays: 7, nextSnapshot: '2030-01-15T17:30:00Z' });
    expect(found.policies[0].policyItems).toHaveLength(5);
  });

  it.each([
    [{ policies: [] }, 'INVALID_NUM_OF_POLICIES'],
    [policies(), 'INVALID_NUM_OF_POLICY_ITEMS'],
    [{ policies: [{ id: '0'.repeat(24), policyItems: [item('daily', 1, 7)] }] }, 'INVALID_POLICY_ID'],
    [policies({ ...item('daily', 1, 7), id: '0'.repeat(24) }), 'INVALID_POLICY_ITEM_ID'],
    [policies({ frequencyType: 'daily' }), 'MISSING_POLICY_ITEM_PARAMETERS'],
    [policies(item('hourly', 3, 7)), 'INVALID_BACKUP_POLICY'],
    [policies(item('daily', 1, 7), item('daily', 1, 8)), 'INVALID_BACKUP_POLICY'],
    [policies(item('daily', 1, 30), item('weekly', 6, 4, 'weeks')), 'INVALID_BACKUP_POLICY'],
    [policies(item('monthly', 29, 12, 'months')), 'INVALID_BACKUP_POLICY'],
    [{ restoreWindowDays: 0 }, 'INVALID_RESTORE_WINDOW'],
    [{ restoreWindowDays: 8 }, 'INVALID_RESTORE_WINDOW'],
    [{ referenceHourOfDay: 24, referenceMinuteOfHour: 0 }, 'INVALID_REFERENCE_HOUR_OF_DAY'],
    [{ referenceHourOfDay: 0, referenceMinuteOfHour: 60 }, 'INVALID_REFERENCE_MINUTE_OF_HOUR'],
    [{ referenceHourOfDay: 1 }, 'INVALID_REFERENCE_TIME_OF_DAY_MISSING_FIELDS'],
    [{ autoExportEnabled: true }, 'MISSING_ATTRIBUTE'],
    [{ copySettings: [{ cloudProvider: 'AWS', regionName: 'EU_WEST_1', zoneId: 'x' }] }, 'INVALID_ATTRIBUTE'],
    [{ frequency: 'daily' }, 'INVALID_ATTRIBUTE'],
  ])('refuses %j with %s', async (body, errorCode) => {
    const { patch } = await createBackups();
    expect(await failure(await patch(body))).toEqual({ status: 400, errorCode });
  });

  it('does not let an item become of another frequency', async () => {
    const { patch, world, cluster } = await createBackups();
    const { id = '' } = world.backups.schedule(cluster).items[0] ?? {};
    const response = await patch(policies({ ...item('daily', 1, 7), id }));
    expect(await failure(response)).toEqual({ status: 400, errorCode: 'INVALID_FREQUENCY_TYPE_CHANGE' });
  });

  it('exports only to buckets it knows', async () => {
    const { patch } = await createBackups();
    const response = await patch({ export: { exportBucketId: '0'.repeat(24), frequencyType: 'monthly' } });
    expect(await failure(response)).toEqual({ status: 404, errorCode: 'EXPORT_BUCKET_NOT_FOUND' });
  });

  it('of a cluster with fast disks allows twelve hours only', async () => {
    const { patch } = await createBackups({ tier: 'M40_NVME' });
    expect((await patch(policies(item('hourly', 6, 7)))).status).toBe(400);
    expect((await patch(policies(item('hourly', 12, 7)))).status).toBe(200);
  });

  it('needs an hourly item under continuous backup', async () => {
    const { patch } = await createBackups({ pitEnabled: true });
    expect(await failure(await patch(policies(item('daily', 1, 7))))).toMatchObject({
      errorCode: 'INVALID_BACKUP_POLICY',
    });
  });

  it('names a zone by its replication spec in 2023-01-01', async () => {
    const { world, cluster, get, schedule } = await createBackups();
    world.backups.setSchedule(cluster, { copySettings: [copyTo(cluster, 'EU_WEST_1', { frequencies: ['DAILY'] })] });
    const early = await read(await get(schedule, { accept: 'application/vnd.atlas.2023-01-01+json' }));
    expect(Object.keys(early.copySettings[0])).toContain('replicationSpecId');
    expect(Object.keys((await read(await get(schedule))).copySettings[0])).toContain('zoneId');
  });

  it('takes copies by policy items or by frequencies, not both', async () => {
    const { patch, cluster } = await createBackups();
    const { zoneId, cloudProvider, regionName } = copyTo(cluster, 'EU_WEST_1');
    const copy = {
      zoneId,
      cloudProvider,
      regionName,
      copyPolicyItems: [item('daily', 1, 7)].map(({ frequencyInterval: _, ...each }) => each),
    };
    expect((await patch({ copySettings: [copy] })).status).toBe(400);
    const changed = await patch({ copyPolicyItemsEnabled: true, copySettings: [copy] });
    expect((await read(changed)).copySettings[0].frequencies).toBeUndefined();
  });

  it.each([
    ['GROUP_BACKUP_MANAGER', 200],
    ['GROUP_CLUSTER_MANAGER', 401],
  ] as const)('answers a change by %s with %d', async (role, status) => {
    const { world, project, sandbox, schedule } = await createBackups();
    const { send } = await signIn(sandbox, world.addProjectAccount(project, { name: 'x', roles: [role] }));
    expect((await send('PATCH', schedule, { restoreWindowDays: 5 })).status).toBe(status);
  });

  it('is not there without backups', async () => {
    const { get, schedule } = await createBackups({ backupEnabled: false });
    expect(await failure(await get(schedule))).toEqual({ status: 404, errorCode: 'BACKUP_CONFIG_NOT_FOUND' });
  });
});

describe('Legacy Backup', () => {
  it('has a schedule of its own that changes where it is told to', async () => {
    const { send, get, path } = await createBackups({ legacyBackup: true });
    await send('PATCH', `${path}/snapshotSchedule`, { snapshotIntervalHours: 24 });
    const found = await read(await get(`${path}/snapshotSchedule`));
    expect(found).toMatchObject({ snapshotIntervalHours: 24, snapshotRetentionDays: 2 });
  });

  it.each([
    [true, '/backup/schedule'],
    [false, '/snapshotSchedule'],
  ])('and Cloud Backup refuse each other’s clusters (%s)', async (legacyBackup, endpoint) => {
    const { get, path } = await createBackups({ legacyBackup });
    const expected = { status: 400, errorCode: 'INCORRECT_BACKUP_API_ENDPOINT' };
    expect(await failure(await get(path + endpoint))).toEqual(expected);
  });

  it('refuses an interval it does not have', async () => {
    const { send, path } = await createBackups({ legacyBackup: true });
    expect((await send('PATCH', `${path}/snapshotSchedule`, { snapshotIntervalHours: 5 })).status).toBe(400);
  });
});

describe('the Backup Compliance Policy', () => {
  const DELETE = { accept: 'application/vnd.atlas.2024-11-13+json' };
  const daily = {
    id: 'a'.repeat(24),
    frequencyType: 'daily',
    frequencyInterval: 1,
    retentionUnit: 'days',
    retentionValue: 7,
  } as const;

  async function createPolicy(change: object = {}) {
    const backups = await createBackups();
    backups.world.compliance.set(backups.project, { scheduledPolicyItems: [daily], restoreWindowDays: 3, ...change });
    return { ...backups, policy: `/groups/${backups.project.id}/backupCompliancePolicy` };
  }

  it('is being enabled for some seconds', async () => {
    const { get, policy, sandbox } = await createPolicy();
    expect((await read(await get(policy))).state).toBe('ENABLING');
    sandbox.clock.advance(10_000);
    expect((await read(await get(policy))).state).toBe('ACTIVE');
  });

  it('is read by owners of the project only', async () => {
    const { world, project, sandbox, policy } = await createPolicy();
    const { get } = await signIn(sandbox, world.addProjectAccount(project, { name: 'x', roles: ['GROUP_READ_ONLY'] }));
    expect((await get(policy)).status).toBe(401);
  });

  it.each([
    [policies(item('daily', 1, 6)), 'BACKUP_POLICY_NOT_MEETING_BACKUP_COMPLIANCE_POLICY_REQUIREMENTS'],
    [policies(item('weekly', 6, 4, 'weeks')), 'BACKUP_POLICY_NOT_MEETING_BACKUP_COMPLIANCE_POLICY_REQUIREMENTS'],
    [{ restoreWindowDays: 2 }, 'CANNOT_DECREASE_PIT_WINDOW_WITH_BACKUP_COMPLIANCE_POLICY'],
    [{ deleteSnapshots: true }, 'CANNOT_DELETE_SNAPSHOT_WITH_BACKUP_COMPLIANCE_POLICY'],
  ])('refuses a schedule of %j with %s', async (body, errorCode) => {
    const { patch } = await createPolicy();
    expect(await failure(await patch(body))).toEqual({ status: 400, errorCode });
  });

  it('allows a schedule that does more', async () => {
    const { patch } = await createPolicy();
    expect((await patch(policies(item('daily', 1, 8)))).status).toBe(200);
  });

  it('is not disabled before support agrees', async () => {
    const { send, policy, world, project, get, sandbox } = await createPolicy();
    expect((await send('DELETE', policy, undefined, DELETE)).status).toBe(400);
    world.compliance.set(project, { deletable: true });
    expect((await send('DELETE', policy, undefined, DELETE)).status).toBe(204);
    expect((await read(await get(policy))).state).toBe('DISABLING');
    sandbox.clock.advance(10_000);
    expect((await get(policy)).status).toBe(404);
  });

  it('is disabled in an empty project at once', async () => {
    const { send, policy, world, cluster } = await createPolicy();
    world.clusters.remove(cluster);
    expect((await send('DELETE', policy, undefined, DELETE)).status).toBe(204);
  });
});
