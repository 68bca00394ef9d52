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
} from './shapes.ts';

const snapshot = z.object({
  id: ObjectId,
  status: openEnum('queued', 'inProgress', 'completed', 'failed').nullish(),
  /** Absent until the snapshot exists. */
  createdAt: Instant.nullish(),
  expiresAt: Instant.nullish(),
  snapshotType: openEnum('onDemand', 'scheduled', 'fallback').nullish(),
  frequencyType: openEnum('hourly', 'daily', 'weekly', 'monthly', 'yearly', 'ondemand').nullish(),
  type: openEnum('replicaSet', 'shardedCluster').nullish(),
  description: z.string().nullish(),
  mongodVersion: z.string().nullish(),
  masterKeyUUID: z.string().nullish(),
  /** The ids of the policy items that asked for it; empty for one taken on demand. */
  policyItems: z.array(z.string()).nullish(),
  storageSizeBytes: Long.nullish(),
});

export const Snapshot = snapshot.extend({
  cloudProvider: CloudProvider.nullish(),
  copyRegions: z.array(z.string()).nullish(),
  replicaSetName: z.string().nullish(),
});
export type Snapshot = z.output<typeof Snapshot>;

/** A snapshot of a sharded cluster is one of every shard and of the configuration servers. */
export const ShardedSnapshot = snapshot.extend({
  configServerType: openEnum('EMBEDDED', 'DEDICATED').nullish(),
  members: z
    .array(
      z.object({
        id: z.string().nullish(),
        cloudProvider: CloudProvider.nullish(),
        replicaSetName: z.string().nullish(),
      }),
    )
    .nullish(),
  snapshotIds: z.array(z.string()).nullish(),
});
export type ShardedSnapshot = z.output<typeof ShardedSnapshot>;

const cluster = z.strictObject({ groupId: GroupId, clusterName: ClusterName });
const one = cluster.extend({ snapshotId: idOf('the snapshot’s id') });

/**
 * Replica sets only: a sharded cluster has its own list, listGroupClusterBackupSnapshotShardedClusters. A point in time
 * (or a place in the oplog, which takes both of its halves) asks for the closest snapshot before it.
 * Role: Project Read Only.
 */
export const listGroupClusterBackupSnapshots = operation({
  id: 'listGroupClusterBackupSnapshots',
  summary: 'The snapshots of a replica set',
  method: 'GET',
  path: '/api/atlas/v2/groups/{groupId}/clusters/{clusterName}/backup/snapshots',
  version: '2023-01-01',
  repeat: 'safe',
  params: cluster,
  query: PageQuery.extend({
    pointInTimeUtcSeconds: z.int().min(0).describe('only the last one before this, in seconds since 1970').optional(),
    oplogTs: z.int().min(0).describe('only the last one before this second of the oplog').optional(),
    oplogInc: z.int().min(0).describe('which operation within that second').optional(),
  })
    .refine((query) => (query.oplogTs === undefined) === (query.oplogInc === undefined), {
      path: ['oplogTs'],
      message: 'must come together with oplogInc',
    })
    .refine((query) => query.oplogTs === undefined || query.pointInTimeUtcSeconds === undefined, {
      path: ['oplogTs'],
      message: 'must not come together with pointInTimeUtcSeconds',
    }),
  response: page(Snapshot),
});

/** Role: Project Read Only. */
export const getGroupClusterBackupSnapshot = operation({
  id: 'getGroupClusterBackupSnapshot',
  summary: 'One snapshot of a replica set',
  method: 'GET',
  path: '/api/atlas/v2/groups/{groupId}/clusters/{clusterName}/backup/snapshots/{snapshotId}',
  version: '2023-01-01',
  repeat: 'safe',
  params: one,
  response: Snapshot,
});

/** In one piece: this list takes no page number and no page size. Role: Project Read Only. */
export const listGroupClusterBackupSnapshotShardedClusters = operation({
  id: 'listGroupClusterBackupSnapshotShardedClusters',
  summary: 'The snapshots of a sharded cluster',
  method: 'GET',
  path: '/api/atlas/v2/groups/{groupId}/clusters/{clusterName}/backup/snapshots/shardedClusters',
  version: '2023-01-01',
  repeat: 'safe',
  params: cluster,
  response: page(ShardedSnapshot),
});

/** The path has `shardedCluster` where the list has `shardedClusters`. Role: Project Read Only. */
export const getGroupClusterBackupSnapshotShardedCluster = operation({
  id: 'getGroupClusterBackupSnapshotShardedCluster',
  summary: 'One snapshot of a sharded cluster',
  method: 'GET',
  path: '/api/atlas/v2/groups/{groupId}/clusters/{clusterName}/backup/snapshots/shardedCluster/{snapshotId}',
  version: '2023-01-01',
  repeat: 'safe',
  params: one,
  response: ShardedSnapshot,
});
