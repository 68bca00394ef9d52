import { timestamp } from '../date.ts';
import { type Call, inGroup, type Operation } from '../operation.ts';
import { paginate } from '../pagination.ts';
import { AtlasRefusal } from '../refusal.ts';
import type { Cluster } from '../state/clusters.ts';
import type { FlexRestore, FlexSnapshot } from '../state/flex-backups.ts';
import { flexCluster } from './cluster-lookup.ts';
import { connectionStrings } from './cluster-views.ts';

type Common = Pick<Operation, 'versions' | 'endpointSet' | 'method'> & { readonly role: 'Project Read Only' };
const reading = { versions: ['2024-11-13'], method: 'GET', role: 'Project Read Only' } as const;
const flexLevel: Common = { ...reading, endpointSet: 'flexClusters' };
const backupLevel: Common = { ...reading, endpointSet: 'flexBackups' };
const FLEX = '/groups/{groupId}/flexClusters';

export const flexOperations = [
  inGroup({
    ...flexLevel,
    operationId: 'listGroupFlexClusters',
    path: FLEX,
    handle(call, project) {
      const clusters = call.world.clusters.of(project.id).filter(({ kind }) => kind === 'flex');
      return { status: 200, body: paginate(call.url, clusters, flexView) };
    },
  }),
  inGroup({
    ...flexLevel,
    operationId: 'getGroupFlexCluster',
    path: `${FLEX}/{name}`,
    handle: (call, project) => ({ status: 200, body: flexView(flexCluster(call, project)) }),
  }),
  inGroup({
    ...backupLevel,
    operationId: 'listGroupFlexClusterBackupSnapshots',
    path: `${FLEX}/{name}/backup/snapshots`,
    handle(call, project) {
      const cluster = flexCluster(call, project);
      const snapshots = call.world.flexBackups.snapshots(cluster);
      return { status: 200, body: paginate(call.url, snapshots, (each) => snapshotView(cluster, each)) };
    },
  }),
  inGroup({
    ...backupLevel,
    operationId: 'getGroupFlexClusterBackupSnapshot',
    path: `${FLEX}/{name}/backup/snapshots/{snapshotId}`,
    handle(call, project) {
      const cluster = flexCluster(call, project);
      const id = call.param('snapshotId');
      const snapshot = call.world.flexBackups.snapshots(cluster).find((each) => each.id === id);
      if (!snapshot) throw notFound('TENANT_SNAPSHOT_NOT_FOUND', `No snapshot with ID ${id} exists.`, id);
      return { status: 200, body: snapshotView(cluster, snapshot) };
    },
  }),
  inGroup({
    ...backupLevel,
    operationId: 'listGroupFlexClusterBackupRestoreJobs',
    path: `${FLEX}/{name}/backup/restoreJobs`,
    handle(call, project) {
      const cluster = flexCluster(call, project);
      const restores = call.world.flexBackups.restores(cluster);
      return { status: 200, body: paginate(call.url, restores, (each) => restoreView(call, cluster, each)) };
    },
  }),
  inGroup({
    ...backupLevel,
    operationId: 'getGroupFlexClusterBackupRestoreJob',
    path: `${FLEX}/{name}/backup/restoreJobs/{restoreJobId}`,
    handle(call, project) {
      const cluster = flexCluster(call, project);
      const id = call.param('restoreJobId');
      const restore = call.world.flexBackups.restores(cluster).find((each) => each.id === id);
      if (!restore) throw notFound('TENANT_RESTORE_NOT_FOUND', `No restore job with ID ${id} exists.`, id);
      return { status: 200, body: restoreView(call, cluster, restore) };
    },
  }),
];

function flexView(cluster: Cluster): object {
  const region = cluster.zones[0]?.regions[0];
  return {
    backupSettings: { enabled: cluster.backupEnabled },
    clusterType: 'REPLICASET',
    connectionStrings: connectionStrings(cluster),
    createDate: timestamp(cluster.createdAt),
    groupId: cluster.groupId,
    id: cluster.id,
    mongoDBVersion: cluster.mongoDBVersion,
    name: cluster.name,
    providerSettings: {
      backingProviderName: region?.provider ?? 'AWS',
      diskSizeGB: cluster.diskSizeGB,
      providerName: 'FLEX',
      regionName: region?.name ?? 'US_EAST_1',
    },
    stateName: cluster.stateName,
    tags: cluster.tags,
    terminationProtectionEnabled: cluster.terminationProtectionEnabled,
    versionReleaseSystem: cluster.versionReleaseSystem,
  };
}

function snapshotView({ mongoDBVersion }: Cluster, snapshot: FlexSnapshot): object {
  return {
    expiration: timestamp(snapshot.expiresAt),
    ...(snapshot.finishedAt && { finishTime: timestamp(snapshot.finishedAt) }),
    id: snapshot.id,
    mongoDBVersion,
    scheduledTime: timestamp(snapshot.scheduledAt),
    ...(snapshot.startedAt && { startTime: timestamp(snapshot.startedAt) }),
    status: snapshot.status,
  };
}

function restoreView({ world, url }: Call, { name, groupId }: Cluster, restore: FlexRestore): object {
  const { status, finishedAt } = world.flexBackups.progress(restore);
  const { deliveryType, id, requestedAt, snapshotFinishedAt, snapshotId, target } = restore;
  return {
    deliveryType,
    expirationDate: timestamp(new Date(requestedAt.getTime() + 6 * 3_600_000)),
    id,
    instanceName: name,
    projectId: groupId,
    ...(finishedAt && { restoreFinishedDate: timestamp(finishedAt) }),
    restoreScheduledDate: timestamp(requestedAt),
    snapshotFinishedDate: timestamp(snapshotFinishedAt),
    snapshotId,
    ...(deliveryType === 'DOWNLOAD' && finishedAt && { snapshotUrl: `${url.origin}/restore/${snapshotId}.tgz` }),
    status,
    ...(target && { targetDeploymentItemName: target.name, targetProjectId: target.groupId }),
  };
}

function notFound(errorCode: string, detail: string, id: string): AtlasRefusal {
  return new AtlasRefusal(404, errorCode, detail, [id]);
}
