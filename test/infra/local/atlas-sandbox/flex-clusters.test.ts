import { describe, expect, it } from 'vitest';
import { createMovableClock } from '../../../../infra/local/clock.ts';
import { createScene, DAY_MS, failure, read, signIn } from './client.ts';

const ACCEPT = { accept: 'application/vnd.atlas.2024-11-13+json' };
const NOW = new Date('2030-01-15T12:00:00Z');

async function createFlex(ageDays = 30) {
  const scene = createScene({ clock: createMovableClock(NOW) });
  const createdAt = new Date(NOW.getTime() - ageDays * DAY_MS - 3_600_000);
  const cluster = scene.world.clusters.add(scene.project, { name: 'small', kind: 'flex', createdAt });
  scene.world.clusters.add(scene.project, { name: 'large' });
  const path = `/groups/${scene.project.id}/flexClusters`;
  const calls = await signIn(scene.sandbox, scene.owner);
  const get = (tail: string): Promise<Response> => calls.get(path + tail, ACCEPT);
  return { ...scene, cluster, get };
}

describe('flex clusters', () => {
  it('are listed alone', async () => {
    const { get } = await createFlex();
    const { results } = await read(await get(''));
    expect(results).toHaveLength(1);
    expect(results[0]).toMatchObject({ name: 'small', providerSettings: { providerName: 'FLEX' } });
  });

  it.each([
    ['/none', 404, 'CLUSTER_NOT_FOUND'],
    ['/large', 400, 'CANNOT_USE_NON_FLEX_CLUSTER_IN_FLEX_API'],
    ['/large/backup/snapshots', 400, 'CANNOT_USE_NON_FLEX_CLUSTER_IN_FLEX_API'],
    [`/small/backup/snapshots/${'0'.repeat(24)}`, 404, 'TENANT_SNAPSHOT_NOT_FOUND'],
    [`/small/backup/restoreJobs/${'0'.repeat(24)}`, 404, 'TENANT_RESTORE_NOT_FOUND'],
  ])('answer %s with %d %s', async (path, status, errorCode) => {
    const { get } = await createFlex();
    expect(await failure(await get(path))).toEqual({ status, errorCode });
  });

  it('keep eight daily snapshots', async () => {
    const { get } = await createFlex();
    const { results } = await read(await get('/small/backup/snapshots'));
    expect(results).toHaveLength(8);
    expect(results[0]).toMatchObject({ status: 'COMPLETED', scheduledTime: '2030-01-15T11:00:00Z' });
  });

  it('have no snapshot on their first day', async () => {
    const { get } = await createFlex(0);
    expect((await read(await get('/small/backup/snapshots'))).results).toEqual([]);
  });

  it('show snapshots that failed', async () => {
    const { get, world, cluster } = await createFlex();
    world.flexBackups.disturb(cluster, { from: new Date('2030-01-15T00:00:00Z'), outcome: 'failed' });
    const { results } = await read(await get('/small/backup/snapshots'));
    expect(results[0].status).toBe('FAILED');
    expect(results[0].finishTime).toBeUndefined();
  });

  it('are restored in a while', async () => {
    const { get, world, cluster, sandbox } = await createFlex();
    const restore = world.flexBackups.addRestore(cluster, world.flexBackups.snapshots(cluster)[0]!);
    const status = async () => (await read(await get(`/small/backup/restoreJobs/${restore.id}`))).status;
    expect(await status()).toBe('PENDING');
    sandbox.clock.advance(40_000);
    expect(await status()).toBe('RUNNING');
    sandbox.clock.advance(60_000);
    expect(await status()).toBe('COMPLETED');
  });
});
