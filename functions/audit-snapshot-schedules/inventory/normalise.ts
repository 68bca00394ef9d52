/** Atlas's answers in the words of facts. */
import type { AlertConfig } from '../../../lib/atlas/operations/alert-configs.ts';
import type { BackupCompliancePolicy } from '../../../lib/atlas/operations/backup-compliance.ts';
import type { BackupSchedule } from '../../../lib/atlas/operations/backup-schedules.ts';
import type { ShardedSnapshot, Snapshot } from '../../../lib/atlas/operations/backup-snapshots.ts';
import type { Cluster } from '../../../lib/atlas/operations/clusters.ts';
import type { GroupEvent } from '../../../lib/atlas/operations/events.ts';
import type { FlexCluster, FlexRestoreJob, FlexSnapshot } from '../../../lib/atlas/operations/flex-clusters.ts';
import type { LegacySnapshotSchedule } from '../../../lib/atlas/operations/legacy-backup.ts';
import type { BackupPolicyItem } from '../../../lib/atlas/operations/shapes.ts';
import type {
  AlertFact,
  ClusterFacts,
  ComplianceFact,
  EventFact,
  ExportFact,
  ItemFact,
  RestoreFact,
  ScheduleFact,
  SnapshotFact,
  TagFact,
} from '../facts.ts';
import type { ExportJob, RestoreJob } from './operations.ts';

const ms = (date: Date | null | undefined): number | null => (date ? date.getTime() : null);
const lower = (text: string | null | undefined): string | null => text?.toLowerCase() ?? null;
const or = <Value>(value: Value | null | undefined): Value | null => value ?? null;

/** The second every id of Atlas begins with. */
const begunAt = (id: string): number | null =>
  /^[0-9a-f]{24}$/i.test(id) ? Number.parseInt(id.slice(0, 8), 16) * 1000 : null;

export const tagsOf = (tags: Cluster['tags']): TagFact[] =>
  (tags ?? []).map(({ key, value }) => ({ key, value: value ?? '' }));

/** What a cluster says of itself; the rest has to be read. */
export type ClusterBase = Omit<
  ClusterFacts,
  'project' | 'schedule' | 'snapshots' | 'restores' | 'exports' | 'migration' | 'memory'
>;

export function clusterBase(cluster: Cluster): ClusterBase {
  const regions = (cluster.replicationSpecs ?? []).flatMap(({ regionConfigs }) => regionConfigs ?? []);
  const instanceSize =
    regions.map(({ electableSpecs }) => electableSpecs?.instanceSize).find((size) => size != null) ?? null;
  const isTenant =
    /^(FLEX|M2|M5)$/.test(instanceSize ?? '') ||
    regions.some(({ providerName }) => providerName === 'TENANT' || providerName === 'FLEX');
  const isDeleted = cluster.stateName === 'DELETING' || cluster.stateName === 'DELETED';
  return {
    id: cluster.id ?? `name:${cluster.name}`,
    name: cluster.name,
    kind: isDeleted ? 'deleted' : instanceSize === 'M0' ? 'free' : isTenant ? 'flex' : 'dedicated',
    instanceSize,
    createdAt: ms(cluster.createDate),
    paused: or(cluster.paused),
    backupEnabled: or(cluster.backupEnabled),
    pitEnabled: or(cluster.pitEnabled),
    retainBackups: or(cluster.retainBackups),
    terminationProtection: or(cluster.terminationProtectionEnabled),
    encryptionProvider: or(cluster.encryptionAtRestProvider),
    sharded: cluster.clusterType === 'SHARDED' || cluster.clusterType === 'GEOSHARDED',
    // This version of the API has one of these per shard.
    shards: Math.max(1, cluster.replicationSpecs?.length ?? 1),
    configServer: or(cluster.configServerType),
    zones: cluster.replicationSpecs ? zonesOf(cluster.replicationSpecs) : null,
    tags: tagsOf(cluster.tags),
  };
}

/** Zones, each with the regions of all its shards. */
function zonesOf(specs: NonNullable<Cluster['replicationSpecs']>): ClusterFacts['zones'] {
  const zones = Map.groupBy(specs, ({ zoneId, zoneName, id }) => zoneId ?? zoneName ?? id);
  return [...zones.values()].map((shards) => ({
    id: or(shards[0]?.zoneId),
    name: or(shards[0]?.zoneName),
    regions: shards.flatMap(({ regionConfigs }) =>
      (regionConfigs ?? []).map(({ providerName, regionName, electableSpecs }) => ({
        provider: or(providerName),
        region: or(regionName),
        electable: electableSpecs?.nodeCount == null ? null : electableSpecs.nodeCount > 0,
      })),
    ),
  }));
}

export function flexBase(cluster: FlexCluster): ClusterBase {
  const { backingProviderName, regionName } = cluster.providerSettings ?? {};
  return {
    id: cluster.id ?? `name:${cluster.name}`,
    name: cluster.name,
    kind: 'flex',
    instanceSize: 'FLEX',
    createdAt: ms(cluster.createDate),
    paused: null,
    backupEnabled: or(cluster.backupSettings?.enabled),
    pitEnabled: null,
    retainBackups: null,
    terminationProtection: or(cluster.terminationProtectionEnabled),
    encryptionProvider: null,
    sharded: false,
    shards: 1,
    configServer: null,
    zones: [
      {
        id: null,
        name: null,
        regions: [{ provider: or(backingProviderName), region: or(regionName), electable: true }],
      },
    ],
    tags: tagsOf(cluster.tags),
  };
}

const itemFact = (item: BackupPolicyItem): ItemFact => ({
  id: or(item.id),
  type: lower(item.frequencyType),
  interval: or(item.frequencyInterval),
  unit: or(item.retentionUnit),
  value: or(item.retentionValue),
});

export const scheduleFact = (schedule: BackupSchedule): ScheduleFact => ({
  legacy: false,
  policyId: or(schedule.policies?.[0]?.id),
  items: schedule.policies ? allItems(schedule.policies) : null,
  nextSnapshot: ms(schedule.nextSnapshot),
  referenceHour: or(schedule.referenceHourOfDay),
  referenceMinute: or(schedule.referenceMinuteOfHour),
  restoreWindowDays: or(schedule.restoreWindowDays),
  autoExport: or(schedule.autoExportEnabled),
  exportBucketId: or(schedule.export?.exportBucketId),
  exportFrequency: or(schedule.export?.frequencyType),
  autoCopy: or(schedule.autoCopySettingsEnabled),
  copyItemsEnabled: or(schedule.copyPolicyItemsEnabled),
  copies:
    schedule.copySettings?.map((copy) => ({
      provider: or(copy.cloudProvider),
      region: or(copy.regionName),
      zoneId: or(copy.zoneId),
      oplogs: or(copy.shouldCopyOplogs),
      // Upper case here, lower case in policy items.
      frequencies: copy.frequencies?.map((each) => each.toLowerCase()) ?? null,
      items:
        copy.copyPolicyItems?.map((item) => ({
          id: or(item.id),
          type: lower(item.frequencyType),
          unit: or(item.retentionUnit),
          value: or(item.retentionValue),
        })) ?? null,
      last: or(copy.lastNumberOfSnapshots),
    })) ?? null,
  extraRetention:
    schedule.extraRetentionSettings?.map(({ frequencyType, retentionDays }) => ({
      type: lower(frequencyType),
      days: or(retentionDays),
    })) ?? null,
});

function allItems(policies: NonNullable<BackupSchedule['policies']>): ItemFact[] | null {
  return policies.some(({ policyItems }) => policyItems == null)
    ? null
    : policies.flatMap(({ policyItems }) => (policyItems ?? []).map(itemFact));
}

/** A legacy schedule in the words of today's: a snapshot every few hours, of which some are kept longer. */
export function legacyFact(schedule: LegacySnapshotSchedule): ScheduleFact {
  const item = (
    type: string,
    interval: number | null | undefined,
    unit: string,
    value: number | null | undefined,
  ): ItemFact[] => (value === 0 ? [] : [{ id: null, type, interval: or(interval), unit, value: or(value) }]);
  const window = schedule.pointInTimeWindowHours;
  return {
    legacy: true,
    policyId: null,
    items: [
      ...item('hourly', schedule.snapshotIntervalHours, 'days', schedule.snapshotRetentionDays),
      ...item('daily', 1, 'days', schedule.dailySnapshotRetentionDays),
      ...item('weekly', 7, 'weeks', schedule.weeklySnapshotRetentionWeeks),
      ...item('monthly', 1, 'months', schedule.monthlySnapshotRetentionMonths),
    ],
    nextSnapshot: null,
    referenceHour: null,
    referenceMinute: null,
    restoreWindowDays: window == null ? null : window / 24,
    autoExport: false,
    exportBucketId: null,
    exportFrequency: null,
    autoCopy: false,
    copyItemsEnabled: false,
    copies: [],
    extraRetention: [],
  };
}

const snapshotBase = (snapshot: Snapshot | ShardedSnapshot) => ({
  id: snapshot.id,
  status: or(snapshot.status),
  type: or(snapshot.snapshotType),
  frequency: lower(snapshot.frequencyType),
  createdAt: ms(snapshot.createdAt),
  begunAt: begunAt(snapshot.id),
  expiresAt: ms(snapshot.expiresAt),
  items: or(snapshot.policyItems),
  customerKey: snapshot.masterKeyUUID || null,
});

export const snapshotFact = (snapshot: Snapshot): SnapshotFact => ({
  ...snapshotBase(snapshot),
  copyRegions: or(snapshot.copyRegions),
  members: null,
  configServer: null,
});

export const shardedFact = (snapshot: ShardedSnapshot): SnapshotFact => ({
  ...snapshotBase(snapshot),
  copyRegions: null,
  members: snapshot.members?.map(({ replicaSetName, id }) => replicaSetName ?? id ?? '') ?? null,
  configServer: or(snapshot.configServerType),
});

const flexStatus: Readonly<Record<string, string>> = {
  PENDING: 'queued',
  QUEUED: 'queued',
  RUNNING: 'inProgress',
  FAILED: 'failed',
  COMPLETED: 'completed',
};

export const flexSnapshotFact = (snapshot: FlexSnapshot): SnapshotFact => ({
  id: snapshot.id,
  status: snapshot.status == null ? null : (flexStatus[snapshot.status] ?? snapshot.status),
  type: 'scheduled',
  frequency: 'daily',
  createdAt: ms(snapshot.finishTime),
  begunAt: ms(snapshot.startTime ?? snapshot.scheduledTime),
  expiresAt: ms(snapshot.expiration),
  items: null,
  copyRegions: null,
  members: null,
  configServer: null,
  customerKey: null,
});

export const restoreFact = (job: RestoreJob): RestoreFact => ({
  id: job.id,
  delivery: or(job.deliveryType),
  targetProjectId: or(job.targetGroupId),
  targetCluster: or(job.targetClusterName),
  finishedAt: ms(job.finishedAt),
  failed: or(job.failed),
  cancelled: or(job.cancelled),
  expired: or(job.expired),
});

export const flexRestoreFact = (job: FlexRestoreJob): RestoreFact => ({
  id: job.id,
  delivery: or(job.deliveryType),
  targetProjectId: or(job.targetProjectId),
  targetCluster: or(job.targetDeploymentItemName),
  finishedAt: job.status === 'COMPLETED' || job.status === 'FAILED' ? ms(job.restoreFinishedDate) : null,
  failed: job.status == null ? null : job.status === 'FAILED',
  cancelled: false,
  expired: false,
});

export const exportFact = (job: ExportJob): ExportFact => ({
  id: job.id,
  state: or(job.state),
  finishedAt: ms(job.finishedAt),
});

export const complianceFact = (policy: BackupCompliancePolicy): ComplianceFact | null =>
  // A project that never had one answers an empty policy, or an error.
  policy.state == null && policy.authorizedEmail == null && (policy.scheduledPolicyItems ?? []).length === 0
    ? null
    : {
        state: or(policy.state),
        email: or(policy.authorizedEmail),
        copyProtection: or(policy.copyProtectionEnabled),
        encryption: or(policy.encryptionAtRestEnabled),
        pit: or(policy.pitEnabled),
        restoreWindowDays: or(policy.restoreWindowDays),
        items: policy.scheduledPolicyItems?.map(itemFact) ?? null,
        deletable: or(policy.deletable),
        updatedAt: ms(policy.updatedDate),
      };

export const alertFact = ({ eventTypeName, enabled, notifications }: AlertConfig): AlertFact => ({
  type: or(eventTypeName),
  enabled: or(enabled),
  notifications: notifications?.length ?? null,
});

export const eventFact = ({ eventTypeName, created, clusterName }: GroupEvent): EventFact => ({
  type: or(eventTypeName),
  at: ms(created),
  cluster: or(clusterName),
});
