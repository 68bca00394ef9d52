import { timestamp } from '../date.ts';
import { type Answer, type Call, inGroup, type Operation } from '../operation.ts';
import { paginate } from '../pagination.ts';
import { AtlasRefusal } from '../refusal.ts';
import { type Cluster, configServerType, isSharded, zoneId } from '../state/clusters.ts';
import type { CopySetting } from '../state/schedule.ts';
import type { Snapshot } from '../state/snapshots.ts';
import type { Project } from '../world.ts';
import { backedUpCluster } from './cluster-lookup.ts';
import { refuseNonCompliance } from './compliance-rules.ts';
import {
  changedSchedule,
  earlierScheduleChange,
  inCurrentWords,
  replicationSpecId,
  scheduleChange,
} from './schedule-request.ts';

const CURRENT = '2024-08-05';
const scheduleLevel: Pick<Operation, 'versions' | 'endpointSet'> = {
  versions: ['2023-01-01', CURRENT],
  endpointSet: 'cloudBackups',
};
const snapshotLevel: Pick<Operation, 'versions' | 'endpointSet' | 'method'> & { readonly role: 'Project Read Only' } = {
  versions: ['2023-01-01'],
  endpointSet: 'cloudBackups',
  method: 'GET',
  role: 'Project Read Only',
};
const SNAPSHOTS = '/groups/{groupId}/clusters/{clusterName}/backup/snapshots';

export const backupOperations = [
  inGroup({
    ...scheduleLevel,
    operationId: 'getGroupClusterBackupSchedule',
    method: 'GET',
    path: '/groups/{groupId}/clusters/{clusterName}/backup/schedule',
    role: 'Project Read Only',
    handle: (call, project) => ({ status: 200, body: scheduleView(call, backedUpCluster(call, project)) }),
  }),
  inGroup({
    ...scheduleLevel,
    operationId: 'updateGroupClusterBackupSchedule',
    method: 'PATCH',
    path: '/groups/{groupId}/clusters/{clusterName}/backup/schedule',
    role: 'Project Backup Manager',
    handle: updateSchedule,
  }),
  inGroup({
    ...snapshotLevel,
    operationId: 'listGroupClusterBackupSnapshots',
    path: SNAPSHOTS,
    handle(call, project) {
      const cluster = backedUpCluster(call, project, { retained: true });
      // Sharded clusters have a list of their own.
      const snapshots = isSharded(cluster) ? [] : call.world.backups.snapshots(cluster);
      return { status: 200, body: paginate(call.url, snapshots, (each) => replicaSetView(call, cluster, each)) };
    },
  }),
  inGroup({
    ...snapshotLevel,
    operationId: 'listGroupClusterBackupSnapshotShardedClusters',
    path: `${SNAPSHOTS}/shardedClusters`,
    handle(call, project) {
      const cluster = backedUpCluster(call, project, { retained: true });
      const snapshots = isSharded(cluster) ? call.world.backups.snapshots(cluster) : [];
      // The one list that comes without pages.
      const results = snapshots.map((each) => shardedView(call, cluster, each));
      return {
        status: 200,
        body: { links: [{ href: call.url.href, rel: 'self' }], results, totalCount: results.length },
      };
    },
  }),
  inGroup({
    ...snapshotLevel,
    operationId: 'getGroupClusterBackupSnapshotShardedCluster',
    path: `${SNAPSHOTS}/shardedCluster/{snapshotId}`,
    handle: (call, project) => oneSnapshot(call, project, shardedView, true),
  }),
  inGroup({
    ...snapshotLevel,
    operationId: 'getGroupClusterBackupSnapshot',
    path: `${SNAPSHOTS}/{snapshotId}`,
    handle: (call, project) => oneSnapshot(call, project, replicaSetView, false),
  }),
];

function updateSchedule(call: Call, project: Project): Answer {
  const cluster = backedUpCluster(call, project);
  const { backups, compliance } = call.world;
  const change =
    call.version === CURRENT ? call.body(scheduleChange) : inCurrentWords(cluster, call.body(earlierScheduleChange));
  const before = backups.schedule(cluster);
  const after = changedSchedule(change, { cluster, before, exportBuckets: backups.exportBuckets });
  const policy = compliance.of(project.id);
  if (policy) refuseNonCompliance(policy, change, { before, after });
  backups.changeSchedule(cluster, after, change);
  return { status: 200, body: scheduleView(call, cluster) };
}

function scheduleView(call: Call, cluster: Cluster): object {
  const { backups } = call.world;
  const schedule = backups.schedule(cluster);
  const next = backups.nextSnapshot(cluster);
  const self = `${clusterHref(call, cluster)}/backup/schedule`;
  return {
    autoCopySettingsEnabled: schedule.autoCopySettingsEnabled,
    autoExportEnabled: schedule.autoExportEnabled,
    clusterId: cluster.id,
    clusterName: cluster.name,
    copyPolicyItemsEnabled: schedule.copyPolicyItemsEnabled,
    copySettings: schedule.copySettings.map((setting) => copyView(call, cluster, setting)),
    ...(schedule.export && { export: schedule.export }),
    ...(schedule.extraRetentionSettings.length > 0 && { extraRetentionSettings: schedule.extraRetentionSettings }),
    links: [{ href: self, rel: 'self' }],
    ...(next && { nextSnapshot: timestamp(next) }),
    policies: [{ id: schedule.policyId, policyItems: schedule.items }],
    referenceHourOfDay: schedule.referenceHourOfDay,
    referenceMinuteOfHour: schedule.referenceMinuteOfHour,
    restoreWindowDays: schedule.restoreWindowDays,
    useOrgAndGroupNamesInExportPrefix: schedule.useOrgAndGroupNamesInExportPrefix,
  };
}

function copyView({ version }: Call, cluster: Cluster, { zoneId: zone, ...setting }: CopySetting): object {
  if (version === CURRENT) return { ...setting, zoneId: zone };
  const nth = cluster.zones.findIndex((_, each) => zone === zoneId(cluster, each));
  return { ...setting, replicationSpecId: replicationSpecId(cluster, Math.max(0, nth)) };
}

function oneSnapshot(
  call: Call,
  project: Project,
  view: (call: Call, cluster: Cluster, snapshot: Snapshot) => object,
  ofSharded: boolean,
): Answer {
  const cluster = backedUpCluster(call, project, { retained: true });
  const id = call.param('snapshotId');
  const snapshot = call.world.backups.snapshots(cluster).find((each) => each.id === id);
  if (!snapshot || isSharded(cluster) !== ofSharded) {
    throw new AtlasRefusal(404, 'SNAPSHOT_NOT_FOUND', `No snapshot with ID ${id} exists.`, [id]);
  }
  return { status: 200, body: view(call, cluster, snapshot) };
}

/** Until it is complete, a snapshot does not tell when it was taken or where it is. */
function snapshotView(call: Call, cluster: Cluster, snapshot: Snapshot): object {
  const isDone = snapshot.status === 'completed';
  const endpoint = isSharded(cluster) ? 'snapshots/shardedCluster' : 'snapshots';
  return {
    ...(isDone && { createdAt: timestamp(snapshot.takenAt) }),
    ...(snapshot.description !== undefined && { description: snapshot.description }),
    expiresAt: timestamp(snapshot.expiresAt),
    frequencyType: snapshot.frequencyType,
    id: snapshot.id,
    links: [{ href: `${clusterHref(call, cluster)}/backup/${endpoint}/${snapshot.id}`, rel: 'self' }],
    ...(snapshot.status !== 'queued' && { mongodVersion: snapshot.mongoDBVersion }),
    policyItems: snapshot.policyItems,
    snapshotType: snapshot.type,
    status: snapshot.status,
    storageSizeBytes: isDone ? snapshot.sizeBytes : 0,
    type: isSharded(cluster) ? 'shardedCluster' : 'replicaSet',
  };
}

function replicaSetView(call: Call, cluster: Cluster, snapshot: Snapshot): object {
  return {
    ...snapshotView(call, cluster, snapshot),
    ...(snapshot.status === 'completed' && { cloudProvider: providerOf(cluster) }),
    copyRegions: snapshot.copyRegions,
    replicaSetName: cluster.name,
  };
}

function shardedView(call: Call, cluster: Cluster, snapshot: Snapshot): object {
  return {
    ...snapshotView(call, cluster, snapshot),
    configServerType: configServerType(cluster),
    members: snapshot.members.map((member) => ({ ...member, cloudProvider: providerOf(cluster) })),
    snapshotIds: snapshot.members.map(({ id }) => id),
  };
}

function providerOf({ zones }: Cluster): string {
  return zones[0]?.regions[0]?.provider ?? 'AWS';
}

function clusterHref({ url }: Call, { groupId, name }: Cluster): string {
  return `${url.origin}/api/atlas/v2/groups/${groupId}/clusters/${name}`;
}
