import * as z from 'zod';
import { operation } from './define.ts';
import {
  CloudProvider,
  ClusterName,
  GroupId,
  Instant,
  idOf,
  Long,
  ObjectId,
  openEnum,
  PageQuery,
  page,
  Tags,
} from './shapes.ts';

export const FlexCluster = z.object({
  id: ObjectId.nullish(),
  groupId: ObjectId.nullish(),
  name: z.string(),
  clusterType: openEnum('REPLICASET').nullish(),
  stateName: openEnum('IDLE', 'CREATING', 'UPDATING', 'DELETING', 'REPAIRING').nullish(),
  createDate: Instant.nullish(),
  backupSettings: z.object({ enabled: z.boolean().nullish() }).nullish(),
  mongoDBVersion: z.string().nullish(),
  versionReleaseSystem: openEnum('LTS', 'CONTINUOUS').nullish(),
  terminationProtectionEnabled: z.boolean().nullish(),
  providerSettings: z
    .object({
      providerName: openEnum('FLEX').nullish(),
      backingProviderName: CloudProvider.nullish(),
      regionName: z.string().nullish(),
      diskSizeGB: Long.nullish(),
    })
    .nullish(),
  connectionStrings: z.object({ standard: z.string().nullish(), standardSrv: z.string().nullish() }).nullish(),
  tags: Tags.nullish(),
});
export type FlexCluster = z.output<typeof FlexCluster>;

const phase = openEnum('PENDING', 'QUEUED', 'RUNNING', 'FAILED', 'COMPLETED').nullish();

/** Taken once a day, the last eight kept: there is no schedule to read or set. */
export const FlexSnapshot = z.object({
  id: ObjectId,
  status: phase,
  scheduledTime: Instant.nullish(),
  startTime: Instant.nullish(),
  finishTime: Instant.nullish(),
  expiration: Instant.nullish(),
  mongoDBVersion: z.string().nullish(),
});
export type FlexSnapshot = z.output<typeof FlexSnapshot>;

/** The address of a download is left out: whoever has it has the data. */
export const FlexRestoreJob = z.object({
  id: ObjectId,
  status: phase,
  deliveryType: openEnum('RESTORE', 'DOWNLOAD').nullish(),
  projectId: ObjectId.nullish(),
  instanceName: z.string().nullish(),
  snapshotId: ObjectId.nullish(),
  snapshotFinishedDate: Instant.nullish(),
  targetProjectId: ObjectId.nullish(),
  targetDeploymentItemName: z.string().nullish(),
  restoreScheduledDate: Instant.nullish(),
  restoreFinishedDate: Instant.nullish(),
  expirationDate: Instant.nullish(),
});
export type FlexRestoreJob = z.output<typeof FlexRestoreJob>;

const group = z.strictObject({ groupId: GroupId });
const cluster = group.extend({ name: ClusterName });

/** Since January 2026 the only list that has them. Role: Project Read Only. */
export const listGroupFlexClusters = operation({
  id: 'listGroupFlexClusters',
  summary: 'The Flex clusters of a project',
  method: 'GET',
  path: '/api/atlas/v2/groups/{groupId}/flexClusters',
  version: '2024-11-13',
  repeat: 'safe',
  params: group,
  query: PageQuery,
  response: page(FlexCluster),
});

/** 400 CANNOT_USE_NON_FLEX_CLUSTER_IN_FLEX_API for a dedicated cluster. Role: Project Read Only. */
export const getGroupFlexCluster = operation({
  id: 'getGroupFlexCluster',
  summary: 'One Flex cluster of a project',
  method: 'GET',
  path: '/api/atlas/v2/groups/{groupId}/flexClusters/{name}',
  version: '2024-11-13',
  repeat: 'safe',
  params: cluster,
  response: FlexCluster,
});

/** Role: Project Read Only. */
export const listGroupFlexClusterBackupSnapshots = operation({
  id: 'listGroupFlexClusterBackupSnapshots',
  summary: 'The snapshots of a Flex cluster',
  method: 'GET',
  path: '/api/atlas/v2/groups/{groupId}/flexClusters/{name}/backup/snapshots',
  version: '2024-11-13',
  repeat: 'safe',
  params: cluster,
  query: PageQuery,
  response: page(FlexSnapshot),
});

/** Role: Project Read Only. */
export const getGroupFlexClusterBackupSnapshot = operation({
  id: 'getGroupFlexClusterBackupSnapshot',
  summary: 'One snapshot of a Flex cluster',
  method: 'GET',
  path: '/api/atlas/v2/groups/{groupId}/flexClusters/{name}/backup/snapshots/{snapshotId}',
  version: '2024-11-13',
  repeat: 'safe',
  params: cluster.extend({ snapshotId: idOf('the snapshot’s id') }),
  response: FlexSnapshot,
});

/** Role: Project Read Only. */
export const listGroupFlexClusterBackupRestoreJobs = operation({
  id: 'listGroupFlexClusterBackupRestoreJobs',
  summary: 'The restore jobs of a Flex cluster',
  method: 'GET',
  path: '/api/atlas/v2/groups/{groupId}/flexClusters/{name}/backup/restoreJobs',
  version: '2024-11-13',
  repeat: 'safe',
  params: cluster,
  query: PageQuery,
  response: page(FlexRestoreJob),
});

/** Role: Project Read Only. */
export const getGroupFlexClusterBackupRestoreJob = operation({
  id: 'getGroupFlexClusterBackupRestoreJob',
  summary: 'One restore job of a Flex cluster',
  method: 'GET',
  path: '/api/atlas/v2/groups/{groupId}/flexClusters/{name}/backup/restoreJobs/{restoreJobId}',
  version: '2024-11-13',
  repeat: 'safe',
  params: cluster.extend({ restoreJobId: idOf('the restore job’s id') }),
  response: FlexRestoreJob,
});
