import { listGroupAlertConfigs } from '../../../lib/atlas/operations/alert-configs.ts';
import { getGroupBackupCompliancePolicy } from '../../../lib/atlas/operations/backup-compliance.ts';
import { type Cluster, listGroupClusters } from '../../../lib/atlas/operations/clusters.ts';
import { listGroupEvents } from '../../../lib/atlas/operations/events.ts';
import { type FlexCluster, listGroupFlexClusters } from '../../../lib/atlas/operations/flex-clusters.ts';
import { pages } from '../../../lib/atlas/pages.ts';
import { type ComplianceFact, type EventFact, notAsked, type Read, read } from '../facts.ts';
import type { ProjectMemory } from '../records.ts';
import { DAY_MS } from '../rules/time.ts';
import { alertFact, type ClusterBase, clusterBase, complianceFact, eventFact, flexBase } from './normalise.ts';
import { all, attempt, isRejected, type Reading } from './reading.ts';

/** How far back what happened is looked at, and kept. */
export const EVENTS_REACH_MS = 35 * DAY_MS;
const MOST_EVENTS = 2_000;
/** Events are told late and clocks differ: so much of the last stretch is read again. */
const OVERLAP_MS = 15 * 60_000;

/** What concerns backups. `CPS_COPY_SNAPSHOT_SUCCESSFUL` and its like are not asked for: there is one for every snapshot. */
const BACKUP_EVENTS = [
  'CPS_OPLOG_BEHIND',
  'CPS_OPLOG_BEHIND_AUDIT',
  'CPS_SNAPSHOT_FAILED',
  'CPS_COPY_SNAPSHOT_FAILED',
  'CPS_SNAPSHOT_SCHEDULE_UPDATED_AUDIT',
  'CPS_SNAPSHOT_RETENTION_MODIFIED_AUDIT',
  'CPS_SNAPSHOT_DELETED_AUDIT',
  'CPS_RESTORE_REQUESTED_AUDIT',
  'CPS_RESTORE_SUCCESSFUL',
  'CPS_RESTORE_FAILED',
  'CPS_EXPORT_SUCCESSFUL',
  'CPS_EXPORT_FAILED',
  'CPS_DATA_PROTECTION_ENABLE_REQUESTED',
  'CPS_DATA_PROTECTION_ENABLED',
  'CPS_DATA_PROTECTION_UPDATE_REQUESTED',
  'CPS_DATA_PROTECTION_UPDATED',
  'CPS_DATA_PROTECTION_DISABLE_REQUESTED',
  'CPS_DATA_PROTECTION_DISABLED',
  'CPS_DATA_PROTECTION_APPROVED_FOR_DISABLEMENT',
  'ALERT_CONFIG_ADDED_AUDIT',
  'ALERT_CONFIG_CHANGED_AUDIT',
  'ALERT_CONFIG_DELETED_AUDIT',
  'ALERT_CONFIG_ENABLED_AUDIT',
  'ALERT_CONFIG_DISABLED_AUDIT',
];

/** The clusters of a project, each once, Atlas's own left out and counted. */
export interface Inventory {
  readonly clusters: readonly ClusterBase[];
  readonly excludedInternal: number;
  /** Not known where Flex clusters could not be listed: then those there were before are still there. */
  readonly flex: Read<null>;
}

/** Lists the clusters of a project, of every kind. */
export async function readInventory(reading: Reading, groupId: string): Promise<Read<Inventory>> {
  const { atlas, deadline } = reading;
  const params = { groupId };
  const [clusters, flex] = await Promise.all([
    attempt(reading, 'listGroupClusters', () =>
      all(
        pages(atlas, listGroupClusters, { params, query: { includeDeletedWithRetainedBackups: true } }, deadline),
        (cluster: Cluster) => cluster,
      ),
    ),
    attempt(reading, 'listGroupFlexClusters', () =>
      all(pages(atlas, listGroupFlexClusters, { params }, deadline), (cluster: FlexCluster) => cluster),
    ),
  ]);
  if (!clusters.known) return clusters;
  const own = clusters.value.filter(({ internalClusterRole: role }) => role == null || role === 'NONE');
  // A Flex cluster made the old way stands in both lists; the Flex one knows more of it.
  const byId = new Map(own.map(clusterBase).map((base) => [base.id, base]));
  if (flex.known) for (const base of flex.value.map(flexBase)) byId.set(base.id, base);
  return read(
    {
      clusters: [...byId.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1)),
      excludedInternal: clusters.value.length - own.length,
      flex: flex.known ? read(null, flex.at) : flex,
    },
    clusters.at,
  );
}

/** The Backup Compliance Policy; null where the project has none. */
export function readCompliance(reading: Reading, groupId: string): Promise<Read<ComplianceFact | null>> {
  return attempt(reading, 'getGroupBackupCompliancePolicy', async () => {
    try {
      return complianceFact(
        await reading.atlas.call(getGroupBackupCompliancePolicy, { params: { groupId } }, reading.deadline),
      );
    } catch (error) {
      // What a project without a policy answers is not documented; "not found" can mean nothing else here.
      if (isRejected(error, 404) || isRejected(error, 400, /NOT_FOUND/)) return null;
      throw error;
    }
  });
}

export const readAlerts = (reading: Reading, groupId: string) =>
  attempt(reading, 'listGroupAlertConfigs', () =>
    all(pages(reading.atlas, listGroupAlertConfigs, { params: { groupId } }, reading.deadline), alertFact),
  );

/** What happened to the project's backups, joined with what earlier runs saw. */
export async function readEvents(
  reading: Reading,
  groupId: string,
  memory: ProjectMemory | undefined,
): Promise<{ events: Read<readonly EventFact[]>; fresh: readonly EventFact[]; since: number }> {
  const { atlas, deadline, now } = reading;
  const reach = now - EVENTS_REACH_MS;
  const from = memory?.events ? Math.max(reach, memory.events.at - OVERLAP_MS) : reach;
  const query = { eventType: BACKUP_EVENTS, minDate: new Date(from), includeCount: false };
  const fresh = await attempt(reading, 'listGroupEvents', () =>
    all(pages(atlas, listGroupEvents, { params: { groupId }, query }, deadline), eventFact, MOST_EVENTS),
  );
  if (!fresh.known) return { events: fresh, fresh: [], since: from };
  const older = (memory?.events?.value ?? []).filter(({ at }) => at !== null && at < from && at >= reach);
  const joined = [...fresh.value, ...older].toSorted((a, b) => (b.at ?? 0) - (a.at ?? 0)).slice(0, MOST_EVENTS);
  return {
    events: read(joined, now),
    fresh: fresh.value,
    since: memory?.events ? Math.max(reach, memory.eventsSince ?? from) : reach,
  };
}

export const noEvents = (): { events: Read<readonly EventFact[]>; fresh: readonly EventFact[]; since: number } => ({
  events: notAsked('listGroupEvents'),
  fresh: [],
  since: 0,
});
