import type { Call } from '../operation.ts';
import { AtlasRefusal } from '../refusal.ts';
import { type Cluster, isDedicated } from '../state/clusters.ts';
import type { Project } from '../world.ts';

function clusterNotFound(name: string, { id }: Project): AtlasRefusal {
  return new AtlasRefusal(404, 'CLUSTER_NOT_FOUND', `No cluster named ${name} exists in group ${id}.`, [name, id]);
}

/** Any cluster of the path, flex ones included. */
export function anyCluster(call: Call, project: Project, parameter = 'clusterName'): Cluster {
  const name = call.param(parameter);
  const cluster = call.world.clusters.find(project.id, name);
  if (!cluster) throw clusterNotFound(name, project);
  return cluster;
}

function refuseFlex({ kind, name }: Cluster): void {
  if (kind !== 'flex') return;
  const detail = `Flex cluster ${name} cannot be used in the Cluster API.`;
  throw new AtlasRefusal(400, 'CANNOT_USE_FLEX_CLUSTER_IN_CLUSTER_API', detail, [name]);
}

/** A cluster that is not a flex one: those have an API of their own. */
export function apiCluster(call: Call, project: Project): Cluster {
  const cluster = anyCluster(call, project);
  refuseFlex(cluster);
  return cluster;
}

/** A cluster on hardware of its own. */
export function dedicatedCluster(call: Call, project: Project): Cluster {
  const cluster = apiCluster(call, project);
  if (isDedicated(cluster)) return cluster;
  const detail = 'This operation is not available for clusters of this tier.';
  throw new AtlasRefusal(400, 'TENANT_CLUSTER_UPDATE_UNSUPPORTED', detail, [cluster.name]);
}

export function flexCluster(call: Call, project: Project): Cluster {
  const cluster = anyCluster(call, project, 'name');
  if (cluster.kind === 'flex') return cluster;
  const detail = `Cannot use non-flex cluster ${cluster.name} in the flex API.`;
  throw new AtlasRefusal(400, 'CANNOT_USE_NON_FLEX_CLUSTER_IN_FLEX_API', detail, [cluster.name]);
}

/** A cluster of Cloud Backup; `retained` also finds one that is gone and left its backups. */
export function backedUpCluster(call: Call, project: Project, { retained = false } = {}): Cluster {
  const name = call.param('clusterName');
  const { clusters } = call.world;
  const cluster = retained ? clusters.findBackedUp(project.id, name) : clusters.find(project.id, name);
  if (!cluster) throw clusterNotFound(name, project);
  refuseFlex(cluster);
  if (cluster.legacyBackup) throw wrongEndpoint(cluster);
  if (!cluster.backupEnabled) {
    const detail = `No backup configuration exists for cluster ${name} in group ${project.id}.`;
    throw new AtlasRefusal(404, 'BACKUP_CONFIG_NOT_FOUND', detail, [name, project.id]);
  }
  return cluster;
}

/** A cluster of Legacy Backup. */
export function legacyCluster(call: Call, project: Project): Cluster {
  const cluster = apiCluster(call, project);
  if (!cluster.legacyBackup) throw wrongEndpoint(cluster);
  return cluster;
}

function wrongEndpoint({ name }: Cluster): AtlasRefusal {
  const detail = `The backups of cluster ${name} are of another kind than this resource manages.`;
  return new AtlasRefusal(400, 'INCORRECT_BACKUP_API_ENDPOINT', detail, [name]);
}

/** A cluster data is being migrated into is to be left alone. */
export function refuseWhileImporting(call: Call, { id, name }: Cluster): void {
  if (call.world.migrations.running(({ clusterId }) => clusterId === id).length === 0) return;
  const detail = `Cluster ${name} cannot be changed while a live migration into it is running.`;
  throw new AtlasRefusal(409, 'CANNOT_MODIFY_CLUSTER_WITH_RUNNING_LIVE_IMPORT', detail, [name]);
}
