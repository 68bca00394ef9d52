import { describe, expect, it } from 'vitest';
import { copyTo } from '../../../../infra/local/atlas-sandbox/state/schedule.ts';
import { createBackups, item, NOW, policies } from './backup-scene.ts';
import { DAY_MS, read, signIn } from './client.ts';

const HOUR_MS = 3_600_000;

describe('snapshots', () => {
  it('are those the schedule asked for and still keeps, youngest first', async () => {
    const { snapshots } = await createBackups();
    const found = await snapshots();
    expect(found[0]).toMatchObject({ createdAt: '2030-01-15T09:16:00Z', status: 'completed', frequencyType: 'hourly' });
    const hourly = found.filter(({ policyItems }: { policyItems: string[] }) => policyItems.length === 1);
    expect(hourly.length).toBeGreaterThanOrEqual(20);
  });

  it('taken for several items carry the name of the longest kept one and all their ids', async () => {
    const { snapshots } = await createBackups();
    const saturday = (await snapshots()).find(({ createdAt }: { createdAt: string }) =>
      createdAt.startsWith('2030-01-12T03'),
    );
    expect(saturday).toMatchObject({ frequencyType: 'weekly', expiresAt: '2030-02-09T03:16:00Z' });
    expect(saturday.policyItems).toHaveLength(3);
  });

  it('of the last day are taken at the end of short months too', async () => {
    const { snapshots } = await createBackups();
    const monthly = (await snapshots()).filter(
      ({ frequencyType }: { frequencyType: string }) => frequencyType === 'monthly',
    );
    const days = monthly.map(({ createdAt }: { createdAt: string }) => createdAt.slice(0, 10));
    expect(days).toContain('2029-02-28');
    expect(days).toContain('2029-12-31');
    expect(days).toHaveLength(12);
  });

  it('go from queued to completed, and tell their time only then', async () => {
    const { snapshots, sandbox } = await createBackups({ createdAt: new Date('2029-01-01T12:00:00Z') });
    const [queued] = await snapshots();
    expect(queued).toMatchObject({ status: 'queued', storageSizeBytes: 0 });
    expect(queued.createdAt).toBeUndefined();
    sandbox.clock.advance(40_000);
    expect((await snapshots())[0].status).toBe('inProgress');
    sandbox.clock.advance(300_000);
    const [done] = await snapshots();
    expect(done).toMatchObject({ id: queued.id, status: 'completed', createdAt: '2030-01-15T12:00:00Z' });
  });

  it('taken under an earlier schedule stay when it changes', async () => {
    const { snapshots, patch } = await createBackups();
    const before = await snapshots();
    await patch(policies(item('daily', 1, 2)));
    expect(await snapshots()).toEqual(before);
  });

  it('of a deleted item go when they are told to', async () => {
    const { snapshots, patch, world, cluster } = await createBackups();
    const { policyId, items } = world.backups.schedule(cluster);
    const daily = items.filter(({ frequencyType }) => frequencyType === 'daily');
    await patch({ policies: [{ id: policyId, policyItems: daily }], deleteSnapshots: true });
    expect(await snapshots()).toHaveLength(7);
  });

  it('follow a changed retention when they are told to', async () => {
    const { snapshots, patch, world, cluster } = await createBackups();
    const { policyId, items } = world.backups.schedule(cluster);
    const policyItems = items.map((each) => (each.frequencyType === 'hourly' ? { ...each, retentionValue: 2 } : each));
    const before = (await snapshots()).length;
    await patch({ policies: [{ id: policyId, policyItems }], restoreWindowDays: 2, updateSnapshots: true });
    expect((await snapshots()).length).toBeLessThan(before - 10);
  });

  it('are not taken while the cluster is paused', async () => {
    const { snapshots, get, schedule } = await createBackups({ pausedAt: new Date('2030-01-13T00:00:00Z') });
    expect((await snapshots())[0].createdAt).toBe('2030-01-12T21:16:00Z');
    expect((await read(await get(schedule))).nextSnapshot).toBeUndefined();
  });

  it.each([
    ['failed', { status: 'failed', snapshotType: 'scheduled' }],
    ['inProgress', { status: 'inProgress' }],
    ['fallback', { status: 'completed', snapshotType: 'fallback' }],
  ] as const)('that went wrong as %s say so', async (outcome, expected) => {
    const { snapshots, world, cluster } = await createBackups();
    world.backups.disturb(cluster, { from: new Date(NOW.getTime() - 4 * HOUR_MS), outcome });
    expect((await snapshots())[0]).toMatchObject(expected);
  });

  it('that are missed leave a hole, and the next one in the past', async () => {
    const { snapshots, world, cluster, get, schedule } = await createBackups();
    world.backups.disturb(cluster, { from: new Date('2030-01-14T00:00:00Z'), outcome: 'missed' });
    expect((await snapshots())[0].createdAt).toBe('2030-01-13T21:16:00Z');
    expect((await read(await get(schedule))).nextSnapshot).toBe('2030-01-14T03:16:00Z');
  });

  it('are copied where the schedule says, unless copying goes wrong', async () => {
    const { snapshots, world, cluster } = await createBackups();
    world.backups.setSchedule(cluster, { copySettings: [copyTo(cluster, 'EU_WEST_1', { frequencies: ['DAILY'] })] });
    world.backups.disturb(cluster, { from: new Date('2030-01-15T00:00:00Z'), outcome: 'notCopied' });
    const daily = (await snapshots()).filter(
      ({ frequencyType }: { frequencyType: string }) => frequencyType === 'daily',
    );
    expect(daily[0].copyRegions).toEqual([]);
    expect(daily[1].copyRegions).toEqual(['EU_WEST_1']);
  });

  it('on demand are found by their id', async () => {
    const { get, path, snapshots, world, cluster } = await createBackups();
    const takenAt = new Date(NOW.getTime() - HOUR_MS);
    world.backups.addSnapshot(cluster, { takenAt, type: 'onDemand', status: 'completed', description: 'release' });
    const [{ id }] = await snapshots();
    const found = await read(await get(`${path}/backup/snapshots/${id}`));
    expect(found).toMatchObject({ frequencyType: 'ondemand', snapshotType: 'onDemand', description: 'release' });
  });

  it('of sharded clusters have a list of their own, with a member per shard', async () => {
    const { snapshots } = await createBackups({ kind: 'sharded', shards: 3, mongoDBVersion: '7.0.26' });
    expect(await snapshots()).toEqual([]);
    const [snapshot] = await snapshots('snapshots/shardedClusters');
    expect(snapshot).toMatchObject({ type: 'shardedCluster', configServerType: 'DEDICATED' });
    expect(snapshot.members).toHaveLength(4);
    expect(snapshot.copyRegions).toBeUndefined();
  });

  it('are the same in two worlds of the same seed', async () => {
    const [one, other] = [await createBackups(), await createBackups()];
    expect(await one.snapshots()).toEqual(await other.snapshots());
  });

  it('grow with time', async () => {
    const { snapshots, sandbox, owner } = await createBackups();
    sandbox.clock.advance(DAY_MS);
    const later = await snapshots('snapshots', await signIn(sandbox, owner));
    expect(later[0].createdAt).toBe('2030-01-16T09:16:00Z');
  });
});
