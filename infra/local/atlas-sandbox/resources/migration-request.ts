import * as z from 'zod';
import { type Cluster, isDedicated, isPaused, isSharded } from '../state/clusters.ts';
import type { SourceProject } from '../state/migrations.ts';

const id = z.string().regex(/^[a-f0-9]{24}$/);
const shared = {
  destination: z.strictObject({
    clusterName: z.string().min(1),
    groupId: id,
    hostnameSchemaType: z.enum(['PUBLIC', 'PRIVATE_LINK', 'VPC_PEERING']),
    privateLinkId: z.string().nullish(),
  }),
  source: z.strictObject({
    clusterName: z.string().min(1),
    groupId: id,
    managedAuthentication: z.boolean(),
    ssl: z.boolean(),
    username: z.string().nullish(),
    password: z.string().nullish(),
    caCertificatePath: z.string().nullish(),
  }),
  migrationHosts: z.array(z.string().min(1)).length(1),
  sharding: z
    .strictObject({ createSupportingIndexes: z.boolean(), shardingEntries: z.array(z.looseObject({})) })
    .nullish(),
};

/** Each version calls the most dangerous attribute by another name, and the earlier one insists on it. */
export const migrationRequest = z.strictObject({ ...shared, dropDestinationData: z.boolean().default(false) });
export const earlierMigrationRequest = z.strictObject({ ...shared, dropEnabled: z.boolean() });
export type MigrationRequest = z.infer<typeof migrationRequest>;

/** MongoDB 6.0.17, and 7.0.13 of the next. */
const OLDEST: Readonly<Record<string, number>> = { '6.0': 17, '7.0': 13 };

/** What stands against a migration, in a sentence; undefined when nothing does. */
export function problemOf(
  { source, destination, migrationHosts }: MigrationRequest,
  cluster: Cluster,
  sources: readonly SourceProject[],
): string | undefined {
  const project = sources.find(({ projectId }) => projectId === source.groupId);
  const deployment = project?.deployments.find(({ name }) => name === source.clusterName);
  const host = migrationHosts[0];
  if (!project) return `Project ${source.groupId} is not linked to this organization.`;
  if (!deployment) return `Project ${source.groupId} has no deployment ${source.clusterName}.`;
  if (!project.migrationHosts.some((each) => each === host)) return `${host} is not a migration host of the project.`;
  if (!isDedicated(cluster)) return 'The destination cluster must be an M10 or larger.';
  if (isPaused(cluster)) return 'The destination cluster is paused.';
  if (isSharded(cluster) !== deployment.sharded) return 'Source and destination must be of the same kind.';
  if (cluster.kind === 'global') return 'The destination must not be a Global Cluster.';
  if (cluster.biConnectorEnabled) return 'The destination must not have the BI Connector enabled.';
  if (isTooOld(deployment.mongoDBVersion))
    return `The source runs MongoDB ${deployment.mongoDBVersion}, which is too old.`;
  if (deployment.tlsEnabled !== source.ssl) return 'The TLS setting is not the one of the source.';
  if (source.managedAuthentication && (source.username || source.password)) {
    return 'User name and password must not be given where authentication is managed.';
  }
  if (!source.managedAuthentication && !(source.username && source.password)) {
    return 'User name and password must be given where authentication is not managed.';
  }
  if (destination.hostnameSchemaType === 'PRIVATE_LINK' && !destination.privateLinkId) {
    return 'A private link must be named.';
  }
  return undefined;
}

function isTooOld(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  return major < 6 || patch < (OLDEST[`${major}.${minor}`] ?? 0);
}
