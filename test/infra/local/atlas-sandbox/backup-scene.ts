import type { ClusterOptions } from '../../../../infra/local/atlas-sandbox/state/clusters.ts';
import { createMovableClock } from '../../../../infra/local/clock.ts';
import { createScene, read, signIn } from './client.ts';

/** A Tuesday. */
export const NOW = new Date('2030-01-15T12:00:00Z');
const BORN = new Date('2029-01-01T03:16:00Z');

/** A cluster of a year, with whatever speaks about its backups. */
export async function createBackups(options: Partial<ClusterOptions> = {}) {
  const scene = createScene({ clock: createMovableClock(NOW) });
  const cluster = scene.world.clusters.add(scene.project, { name: 'main', createdAt: BORN, ...options });
  const path = `/groups/${scene.project.id}/clusters/main`;
  const calls = await signIn(scene.sandbox, scene.owner);
  const schedule = `${path}/backup/schedule`;
  const patch = (body: object): Promise<Response> => calls.send('PATCH', schedule, body);
  const snapshots = async (endpoint = 'snapshots', { get } = calls) =>
    (await read(await get(`${path}/backup/${endpoint}?itemsPerPage=500`))).results;
  return { ...scene, ...calls, cluster, path, schedule, patch, snapshots };
}

/** A policy item as a request has it. */
export const item = (
  frequencyType: string,
  frequencyInterval: number,
  retentionValue: number,
  retentionUnit = 'days',
) => ({
  frequencyType,
  frequencyInterval,
  retentionValue,
  retentionUnit,
});
export const policies = (...policyItems: object[]) => ({ policies: [{ policyItems }] });
