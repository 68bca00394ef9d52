import * as z from 'zod';
import { operation } from './define.ts';
import {
  CloudProvider,
  ClusterName,
  GroupId,
  Instant,
  Long,
  Nothing,
  ObjectId,
  openEnum,
  PageQuery,
  page,
  SentInstant,
  Tags,
} from './shapes.ts';

const nodes = z
  .object({
    instanceSize: z.string().nullish(),
    nodeCount: Long.nullish(),
    diskSizeGB: Long.nullish(),
    diskIOPS: Long.nullish(),
    ebsVolumeType: z.string().nullish(),
  })
  .nullish();
const scaling = z
  .object({
    compute: z
      .object({
        enabled: z.boolean().nullish(),
        scaleDownEnabled: z.boolean().nullish(),
        minInstanceSize: z.string().nullish(),
        maxInstanceSize: z.string().nullish(),
      })
      .nullish(),
    diskGB: z.object({ enabled: z.boolean().nullish() }).nullish(),
  })
  .nullish();

/** One shard of a cluster: this version has one of these per shard, and no count of shards in it. */
const Shard = z.object({
  id: ObjectId.nullish(),
  zoneId: ObjectId.nullish(),
  zoneName: z.string().nullish(),
  regionConfigs: z
    .array(
      z.object({
        providerName: openEnum('AWS', 'AZURE', 'GCP', 'TENANT').nullish(),
        backingProviderName: CloudProvider.nullish(),
        regionName: z.string().nullish(),
        priority: Long.nullish(),
        electableSpecs: nodes,
        readOnlySpecs: nodes,
        analyticsSpecs: nodes,
        autoScaling: scaling,
        analyticsAutoScaling: scaling,
      }),
    )
    .nullish(),
});

/** A dedicated cluster, or a free one. */
export const Cluster = z.object({
  id: ObjectId.nullish(),
  groupId: ObjectId.nullish(),
  name: z.string(),
  clusterType: openEnum('REPLICASET', 'SHARDED', 'GEOSHARDED').nullish(),
  stateName: openEnum('IDLE', 'CREATING', 'UPDATING', 'DELETING', 'REPAIRING').nullish(),
  createDate: Instant.nullish(),
  /** A paused cluster takes no snapshots. */
  paused: z.boolean().nullish(),
  backupEnabled: z.boolean().nullish(),
  /** Continuous backup. */
  pitEnabled: z.boolean().nullish(),
  retainBackups: z.boolean().nullish(),
  terminationProtectionEnabled: z.boolean().nullish(),
  mongoDBMajorVersion: z.string().nullish(),
  mongoDBVersion: z.string().nullish(),
  versionReleaseSystem: openEnum('LTS', 'CONTINUOUS').nullish(),
  /** There whether it is pinned or not; the date after it is only there if it is. */
  featureCompatibilityVersion: z.string().nullish(),
  featureCompatibilityVersionExpirationDate: Instant.nullish(),
  encryptionAtRestProvider: openEnum('NONE', 'AWS', 'AZURE', 'GCP').nullish(),
  configServerType: openEnum('DEDICATED', 'EMBEDDED').nullish(),
  /** Anything but NONE is a cluster Atlas keeps for itself. */
  internalClusterRole: openEnum('NONE', 'SYSTEM_CLUSTER', 'INTERNAL_SHADOW_CLUSTER').nullish(),
  biConnector: z.object({ enabled: z.boolean().nullish() }).nullish(),
  connectionStrings: z
    .object({
      standard: z.string().nullish(),
      standardSrv: z.string().nullish(),
      private: z.string().nullish(),
      privateSrv: z.string().nullish(),
    })
    .nullish(),
  replicationSpecs: z.array(Shard).nullish(),
  tags: Tags.nullish(),
});
export type Cluster = z.output<typeof Cluster>;

/** A project with a line about each of its clusters. */
export const ProjectClusters = z.object({
  groupId: z.string(),
  groupName: z.string().nullish(),
  orgId: z.string().nullish(),
  orgName: z.string().nullish(),
  planType: z.string().nullish(),
  tags: z.array(z.string()).nullish(),
  clusters: z
    .array(
      z.object({
        clusterId: ObjectId.nullish(),
        name: z.string(),
        type: openEnum('REPLICA_SET', 'SHARDED_CLUSTER').nullish(),
        availability: openEnum('available', 'dead', 'unavailable', 'warning').nullish(),
        versions: z.array(z.string()).nullish(),
        alertCount: Long.nullish(),
        authEnabled: z.boolean().nullish(),
        backupEnabled: z.boolean().nullish(),
        sslEnabled: z.boolean().nullish(),
        dataSizeBytes: Long.nullish(),
        nodeCount: Long.nullish(),
      }),
    )
    .nullish(),
});
export type ProjectClusters = z.output<typeof ProjectClusters>;

const group = z.strictObject({ groupId: GroupId });
const cluster = group.extend({ clusterName: ClusterName });

/**
 * Projects, each with its clusters, over everything the caller can see: not clusters with their projects. Leaves out
 * clusters that span several clouds, so it is no inventory. Shares a much smaller rate limit than the other lists.
 * Role: whoever is authenticated.
 */
export const listClusterDetails = operation({
  id: 'listClusterDetails',
  summary: 'A line about every cluster the caller can see, by project',
  method: 'GET',
  path: '/api/atlas/v2/clusters',
  version: '2023-01-01',
  repeat: 'safe',
  params: z.strictObject({}),
  query: PageQuery,
  response: page(ProjectClusters),
});

/**
 * Flex clusters are not among them: those have listGroupFlexClusters. Deleted clusters whose backups are kept are, if
 * asked for. Role: Project Read Only.
 */
export const listGroupClusters = operation({
  id: 'listGroupClusters',
  summary: 'The clusters of a project, except Flex',
  method: 'GET',
  path: '/api/atlas/v2/groups/{groupId}/clusters',
  version: '2024-08-05',
  repeat: 'safe',
  params: group,
  query: PageQuery.extend({
    includeDeletedWithRetainedBackups: z.boolean().describe('deleted ones whose backups are kept, too').optional(),
  }),
  response: page(Cluster),
});

/** 400 CANNOT_USE_FLEX_CLUSTER_IN_CLUSTER_API for a Flex cluster. Role: Project Read Only. */
export const getGroupCluster = operation({
  id: 'getGroupCluster',
  summary: 'One cluster of a project',
  method: 'GET',
  path: '/api/atlas/v2/groups/{groupId}/clusters/{clusterName}',
  version: '2024-08-05',
  repeat: 'safe',
  params: cluster,
  response: Cluster,
});

/**
 * Holds the feature compatibility version where it is, for at most four weeks from the first pin, which is also what it
 * takes when no date is given. On a cluster that is already pinned it only moves the date, so a repeat is safe, and the
 * four weeks still count from the first pin. After the date Atlas unpins in the next maintenance window and raises the
 * version. Dedicated clusters only, and not during a live migration. The colon in the path is literal.
 * Role: Project Owner.
 */
export const pinGroupClusterFeatureCompatibilityVersion = operation({
  id: 'pinGroupClusterFeatureCompatibilityVersion',
  summary: 'Pins the feature compatibility version of a cluster',
  method: 'POST',
  path: '/api/atlas/v2/groups/{groupId}/clusters/{clusterName}:pinFeatureCompatibilityVersion',
  version: '2024-05-30',
  repeat: 'safe',
  params: cluster,
  body: z.strictObject({ expirationDate: SentInstant.optional() }),
  response: Nothing,
});

/**
 * Lets the feature compatibility version rise to the binary's, and with that ends the way back to the older binary:
 * pinning again pins the risen version. A pin ends once, so a repeat is safe. Not on rapid release, and not during a
 * live migration. Role: Project Owner.
 */
export const unpinGroupClusterFeatureCompatibilityVersion = operation({
  id: 'unpinGroupClusterFeatureCompatibilityVersion',
  summary: 'Unpins the feature compatibility version of a cluster',
  method: 'POST',
  path: '/api/atlas/v2/groups/{groupId}/clusters/{clusterName}:unpinFeatureCompatibilityVersion',
  version: '2024-05-30',
  repeat: 'safe',
  destructive: true,
  shows: 'getGroupCluster',
  params: cluster,
  response: Nothing,
});

/**
 * Takes namespaces (`database.collection`) off the list whose latency Atlas always measures. Answers what stays on it.
 * Taking off what is off already changes nothing, so a repeat is safe. Role: Project Read Only, although it writes.
 */
export const unpinGroupClusterCollStatUnpinNamespaces = operation({
  id: 'unpinGroupClusterCollStatUnpinNamespaces',
  summary: 'Unpins namespaces from the collection latency metrics of a cluster',
  method: 'PATCH',
  path: '/api/atlas/v2/groups/{groupId}/clusters/{clusterName}/collStats/unpin',
  version: '2023-11-15',
  repeat: 'safe',
  params: cluster,
  body: z.strictObject({
    namespaces: z
      .array(z.string().regex(/^[^.]+\..+$/, 'must be database.collection'))
      .refine((names) => new Set(names).size === names.length, 'must not name one twice'),
  }),
  response: z.object({
    groupId: ObjectId.nullish(),
    clusterId: ObjectId.nullish(),
    pinnedNamespaces: z.array(z.string()).nullish(),
  }),
});
