import * as alertConfigs from './operations/alert-configs.ts';
import * as alerts from './operations/alerts.ts';
import * as apiKeyAccessLists from './operations/api-key-access-lists.ts';
import * as backupCompliance from './operations/backup-compliance.ts';
import * as backupSchedules from './operations/backup-schedules.ts';
import * as backupSnapshots from './operations/backup-snapshots.ts';
import * as cloudManager from './operations/cloud-manager.ts';
import * as cloudProviderAccess from './operations/cloud-provider-access.ts';
import * as clusters from './operations/clusters.ts';
import * as dataFederationEndpoints from './operations/data-federation-endpoints.ts';
import * as databaseAccessHistory from './operations/database-access-history.ts';
import type { Operation } from './operations/define.ts';
import * as events from './operations/events.ts';
import * as federation from './operations/federation.ts';
import * as flexClusters from './operations/flex-clusters.ts';
import * as integrations from './operations/integrations.ts';
import * as legacyBackup from './operations/legacy-backup.ts';
import * as liveMigrations from './operations/live-migrations.ts';
import * as maintenanceWindow from './operations/maintenance-window.ts';
import * as networkContainers from './operations/network-containers.ts';
import * as networkPeeringV1 from './operations/network-peering-v1.ts';
import * as networkPeers from './operations/network-peers.ts';
import * as onlineArchives from './operations/online-archives.ts';
import * as organizations from './operations/organizations.ts';
import * as pipelineRuns from './operations/pipeline-runs.ts';
import * as privateEndpoints from './operations/private-endpoints.ts';
import * as privateIpMode from './operations/private-ip-mode.ts';
import * as projectAccessLists from './operations/project-access-lists.ts';
import * as projectUsers from './operations/project-users.ts';
import * as projects from './operations/projects.ts';
import * as rateLimits from './operations/rate-limits.ts';
import * as searchIndexes from './operations/search-indexes.ts';
import * as serviceAccounts from './operations/service-accounts.ts';
import * as system from './operations/system.ts';

const resources = [
  alertConfigs,
  alerts,
  apiKeyAccessLists,
  backupCompliance,
  backupSchedules,
  backupSnapshots,
  cloudManager,
  cloudProviderAccess,
  clusters,
  dataFederationEndpoints,
  databaseAccessHistory,
  events,
  federation,
  flexClusters,
  integrations,
  legacyBackup,
  liveMigrations,
  maintenanceWindow,
  networkContainers,
  networkPeeringV1,
  networkPeers,
  onlineArchives,
  organizations,
  pipelineRuns,
  privateEndpoints,
  privateIpMode,
  projectAccessLists,
  projectUsers,
  projects,
  rateLimits,
  searchIndexes,
  serviceAccounts,
  system,
];

const isOperation = (exported: unknown): exported is Operation =>
  typeof exported === 'object' && exported !== null && 'id' in exported && 'path' in exported;

/**
 * Every operation there is, by id. For whoever chooses among all of them, as the command line does: a function imports
 * the few it needs, so that its bundle holds no others.
 */
export const catalogue: ReadonlyMap<string, Operation> = new Map(
  resources
    .flatMap((resource): unknown[] => Object.values(resource))
    .filter(isOperation)
    .map((operation) => [operation.id, operation] as const)
    .toSorted(([a], [b]) => a.localeCompare(b)),
);
