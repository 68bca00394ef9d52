import * as z from 'zod';
import { type Answer, type Call, forCaller, inGroup, type Operation } from '../operation.ts';
import { paginate } from '../pagination.ts';
import { AtlasRefusal } from '../refusal.ts';
import { invalidAttribute } from '../request-body.ts';
import { type Cluster, isMultiCloud, isSharded, shardsOf } from '../state/clusters.ts';
import { derivedNumber } from '../state/derived-id.ts';
import type { Project } from '../world.ts';
import { apiCluster, dedicatedCluster, refuseWhileImporting } from './cluster-lookup.ts';
import { clusterView } from './cluster-views.ts';

const pinRequest = z.strictObject({ expirationDate: z.iso.datetime({ offset: true }).optional() });
const namespacesRequest = z.strictObject({ namespaces: z.array(z.string()).optional() });

const clusterLevel: Pick<Operation, 'versions' | 'endpointSet'> = {
  versions: ['2023-01-01', '2023-02-01', '2024-08-05'],
  endpointSet: 'clusters',
};

export const clusterOperations = [
  forCaller({
    operationId: 'listClusterDetails',
    method: 'GET',
    path: '/clusters',
    versions: ['2023-01-01'],
    endpointSet: 'allClusters',
    handle(call) {
      const { world, url, caller } = call;
      const org = world.org(caller.orgId);
      return {
        status: 200,
        body: paginate(url, world.projectsSeenBy(caller), (project) => ({
          // Multi-cloud clusters are left out here, and flex clusters have a list of their own.
          clusters: apiClusters(call, project)
            .filter((cluster) => !isMultiCloud(cluster))
            .map((cluster) => detailsView(cluster, openAlerts(call, project, cluster))),
          groupId: project.id,
          groupName: project.name,
          orgId: org.id,
          orgName: org.name,
          planType: 'Atlas',
          tags: [],
        })),
      };
    },
  }),
  inGroup({
    ...clusterLevel,
    operationId: 'listGroupClusters',
    method: 'GET',
    path: '/groups/{groupId}/clusters',
    role: 'Project Read Only',
    handle(call, project) {
      const withDeleted = call.url.searchParams.get('includeDeletedWithRetainedBackups') === 'true';
      const clusters = apiClusters(call, project, withDeleted);
      return { status: 200, body: paginate(call.url, clusters, (each) => clusterView(call, call.version, each)) };
    },
  }),
  inGroup({
    ...clusterLevel,
    operationId: 'getGroupCluster',
    method: 'GET',
    path: '/groups/{groupId}/clusters/{clusterName}',
    role: 'Project Read Only',
    handle: (call, project) => ({ status: 200, body: clusterView(call, call.version, apiCluster(call, project)) }),
  }),
  inGroup({
    operationId: 'pinGroupClusterFeatureCompatibilityVersion',
    method: 'POST',
    path: '/groups/{groupId}/clusters/{clusterName}:pinFeatureCompatibilityVersion',
    versions: ['2024-05-30'],
    endpointSet: 'clusters',
    role: 'Project Owner',
    handle: pin,
  }),
  inGroup({
    operationId: 'unpinGroupClusterFeatureCompatibilityVersion',
    method: 'POST',
    path: '/groups/{groupId}/clusters/{clusterName}:unpinFeatureCompatibilityVersion',
    versions: ['2024-05-30'],
    endpointSet: 'clusters',
    role: 'Project Owner',
    handle(call, project) {
      const cluster = pinnable(call, project);
      cluster.pin = undefined;
      return { status: 204 };
    },
  }),
  inGroup({
    operationId: 'unpinGroupClusterCollStatUnpinNamespaces',
    method: 'PATCH',
    path: '/groups/{groupId}/clusters/{clusterName}/collStats/unpin',
    versions: ['2023-11-15'],
    endpointSet: 'collectionMetrics',
    role: 'Project Read Only',
    handle(call, project) {
      const cluster = dedicatedCluster(call, project);
      const { namespaces = [] } = call.body(namespacesRequest);
      cluster.pinnedNamespaces = cluster.pinnedNamespaces.filter((each) => !namespaces.includes(each));
      const body = { clusterId: cluster.id, groupId: project.id, pinnedNamespaces: cluster.pinnedNamespaces };
      return { status: 200, body };
    },
  }),
];

/** Everything but flex clusters. */
function apiClusters({ world }: Call, { id }: Project, withDeleted = false): Cluster[] {
  const clusters = withDeleted ? world.clusters.withRetainedBackups(id) : world.clusters.of(id);
  return clusters.filter(({ kind, madeAsCluster }) => kind !== 'flex' || madeAsCluster);
}

function openAlerts({ world }: Call, project: Project, { name }: Cluster): number {
  return world.alerts.list(project, 'OPEN').filter(({ details }) => details['clusterName'] === name).length;
}

function detailsView(cluster: Cluster, alertCount: number): object {
  const nodes = cluster.zones.flatMap(({ shards, regions }) =>
    regions.map(({ nodes = 3, readOnly = 0, analytics = 0 }) => shards * (nodes + readOnly + analytics)),
  );
  return {
    alertCount,
    authEnabled: true,
    availability: 'available',
    backupEnabled: cluster.backupEnabled,
    clusterId: cluster.id,
    dataSizeBytes: derivedNumber(4_000_000_000, cluster.id, 'data') * shardsOf(cluster),
    name: cluster.name,
    nodeCount: nodes.reduce((sum, count) => sum + count, 0),
    sslEnabled: true,
    type: isSharded(cluster) ? 'SHARDED_CLUSTER' : 'REPLICA_SET',
    versions: [cluster.mongoDBVersion],
  };
}

function pin(call: Call, project: Project): Answer {
  const cluster = pinnable(call, project);
  const { expirationDate } = call.hasBody ? call.body(pinRequest) : {};
  const latest = call.world.clusters.latestPinEnd(cluster);
  const expiresAt = expirationDate === undefined ? latest : new Date(expirationDate);
  if (expiresAt <= call.world.now() || expiresAt > latest) throw invalidAttribute('expirationDate');
  call.world.clusters.pin(cluster, expiresAt);
  return { status: 204 };
}

function pinnable(call: Call, project: Project): Cluster {
  const cluster = dedicatedCluster(call, project);
  if (cluster.versionReleaseSystem === 'CONTINUOUS') {
    const detail = 'This operation is not available for clusters on rapid release.';
    throw new AtlasRefusal(400, 'CANNOT_PIN_FCV_ON_CONTINUOUS_DELIVERY_CLUSTER', detail, [cluster.name]);
  }
  refuseWhileImporting(call, cluster);
  return cluster;
}
