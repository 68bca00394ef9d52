import { getGroupClusterBackupSchedule } from '../../../lib/atlas/operations/backup-schedules.ts';
import {
  listGroupClusterBackupSnapshotShardedClusters,
  listGroupClusterBackupSnapshots,
} from '../../../lib/atlas/operations/backup-snapshots.ts';
import {
  listGroupFlexClusterBackupRestoreJobs,
  listGroupFlexClusterBackupSnapshots,
} from '../../../lib/atlas/operations/flex-clusters.ts';
import { getGroupClusterSnapshotSchedule } from '../../../lib/atlas/operations/legacy-backup.ts';
import { pages } from '../../../lib/atlas/pages.ts';
import { type ClusterFacts, notAsked, type Read, read, type ScheduleFact, type SnapshotFact } from '../facts.ts';
import type { RuleId } from '../policy/options.ts';
import type { Resolved } from '../policy/resolve.ts';
import type { ClusterMemory, Kept } from '../records.ts';
import { isUsable, youngestFirst } from '../rules/snapshots.ts';
import { DAY_MS, HOUR_MS, shortestInterval } from '../rules/time.ts';
import {
  type ClusterBase,
  exportFact,
  flexRestoreFact,
  flexSnapshotFact,
  legacyFact,
  restoreFact,
  scheduleFact,
  shardedFact,
  snapshotFact,
} from './normalise.ts';
import { listGroupClusterBackupExports, listGroupClusterBackupRestoreJobs } from './operations.ts';
import { all, attempt, isRejected, type Reading, unlessKept } from './reading.ts';

/** What was read of one cluster, before it is joined with its project. */
export type ClusterReads = Pick<ClusterFacts, 'schedule' | 'snapshots' | 'restores' | 'exports'>;

/** What may be taken from an earlier run instead of being read; nothing in a full run. */
export interface Reuse {
  readonly memory: ClusterMemory | undefined;
  /** Whether something happened to the cluster's schedule, its snapshots, restores or exports since. */
  readonly changed: (what: 'schedule' | 'snapshots' | 'restores' | 'exports') => boolean;
}

/** Everything the policy asks of one cluster. */
export async function readCluster(
  reading: Reading,
  groupId: string,
  base: ClusterBase,
  policy: Resolved,
  reuse: Reuse,
): Promise<ClusterReads> {
  const isBackedUp = base.backupEnabled !== false;
  const asks = (...rules: RuleId[]): boolean => rules.some((rule) => policy.rule(rule).enabled);
  if (base.kind === 'free') return nothingOf('listGroupClusterBackupSnapshots');
  if (base.kind === 'deleted') {
    return { ...nothingOf('getGroupClusterBackupSchedule'), snapshots: await snapshotsOf(reading, groupId, base) };
  }
  const wantsRestores = isBackedUp && asks('BK-18', 'BK-19');
  if (base.kind === 'flex') {
    const [snapshots, restores] = await Promise.all([
      isBackedUp && asks('BK-21') ? snapshotsUnlessKept(reading, groupId, base, 24, reuse) : notAsked(SNAPSHOTS.flex),
      wantsRestores
        ? unlessKept(reuse.memory?.restores, reuse.changed('restores'), () => flexRestoresOf(reading, groupId, base))
        : notAsked('listGroupFlexClusterBackupRestoreJobs'),
    ]);
    return { ...nothingOf('getGroupClusterBackupSchedule'), snapshots, restores };
  }
  if (!isBackedUp) return nothingOf('getGroupClusterBackupSchedule');
  const [schedule, restores, exports] = await Promise.all([
    unlessKept(reuse.memory?.schedule, reuse.changed('schedule'), () => scheduleOf(reading, groupId, base)),
    wantsRestores
      ? unlessKept(reuse.memory?.restores, reuse.changed('restores'), () => restoresOf(reading, groupId, base))
      : notAsked('listGroupClusterBackupRestoreJobs'),
    asks('BK-23')
      ? unlessKept(reuse.memory?.exports, reuse.changed('exports'), () => exportsOf(reading, groupId, base))
      : notAsked('listGroupClusterBackupExports'),
  ]);
  const legacy = schedule.known && schedule.value?.legacy === true;
  const hours = schedule.known && schedule.value ? shortestInterval(schedule.value) : null;
  const snapshots: ClusterReads['snapshots'] = legacy
    ? {
        known: false,
        operation: SNAPSHOTS.legacy,
        cause: 'not-offered',
        reason: 'Legacy Backup lists no snapshots here',
      }
    : await snapshotsUnlessKept(reading, groupId, base, hours, reuse);
  return { schedule, snapshots, restores, exports };
}

const SNAPSHOTS = {
  replicaSet: 'listGroupClusterBackupSnapshots',
  sharded: 'listGroupClusterBackupSnapshotShardedClusters',
  flex: 'listGroupFlexClusterBackupSnapshots',
  legacy: 'the snapshots of Legacy Backup',
};

const nothingOf = (operation: string): ClusterReads => ({
  schedule: notAsked(operation),
  snapshots: notAsked(operation),
  restores: notAsked(operation),
  exports: notAsked(operation),
});

/** Snapshots by due time: where none can have been taken since they were listed, the list is still true. */
function snapshotsUnlessKept(
  reading: Reading,
  groupId: string,
  base: ClusterBase,
  intervalHours: number | null,
  { memory, changed }: Reuse,
): Promise<Read<readonly SnapshotFact[]>> {
  const kept = memory?.snapshots;
  if (kept && intervalHours !== null && !changed('snapshots') && isStillTrue(kept, intervalHours, reading.now)) {
    const left = kept.value.filter(({ expiresAt }) => expiresAt === null || expiresAt > reading.now);
    return Promise.resolve(read(left, kept.at));
  }
  return snapshotsOf(reading, groupId, base);
}

function isStillTrue({ value }: Kept<readonly SnapshotFact[]>, intervalHours: number, now: number): boolean {
  const [newest] = youngestFirst(value);
  if (!newest || isUsable(newest, now) !== 'yes' || newest.createdAt === null) return false;
  // Its copies may still be on their way.
  const isCopied = newest.copyRegions === null || newest.copyRegions.length > 0 || now - newest.createdAt > DAY_MS;
  return isCopied && now < newest.createdAt + intervalHours * HOUR_MS;
}

function snapshotsOf(reading: Reading, groupId: string, base: ClusterBase): Promise<Read<readonly SnapshotFact[]>> {
  const { atlas, deadline } = reading;
  const params = { groupId, clusterName: base.name };
  if (base.kind === 'flex') {
    return attempt(reading, SNAPSHOTS.flex, () =>
      all(
        pages(atlas, listGroupFlexClusterBackupSnapshots, { params: { groupId, name: base.name } }, deadline),
        flexSnapshotFact,
      ),
    );
  }
  return base.sharded
    ? attempt(reading, SNAPSHOTS.sharded, async () => {
        // One answer holds them all: this list has no pages to ask for.
        const { results } = await atlas.call(listGroupClusterBackupSnapshotShardedClusters, { params }, deadline);
        return results.map(shardedFact);
      })
    : attempt(reading, SNAPSHOTS.replicaSet, () =>
        // Their order is not documented: the newest is known once all have been seen.
        all(pages(atlas, listGroupClusterBackupSnapshots, { params }, deadline), snapshotFact),
      );
}

function scheduleOf(reading: Reading, groupId: string, { name }: ClusterBase): Promise<Read<ScheduleFact | null>> {
  const { atlas, deadline } = reading;
  const params = { groupId, clusterName: name };
  return attempt(reading, 'getGroupClusterBackupSchedule', async () => {
    try {
      return scheduleFact(await atlas.call(getGroupClusterBackupSchedule, { params }, deadline));
    } catch (error) {
      if (isRejected(error, 404, /^BACKUP_CONFIG_NOT_FOUND$/)) return null;
      if (!isRejected(error, 400, /^INCORRECT_BACKUP_API_ENDPOINT$/)) throw error;
      return legacyFact(await atlas.call(getGroupClusterSnapshotSchedule, { params }, deadline));
    }
  });
}

const restoresOf = (reading: Reading, groupId: string, { name }: ClusterBase) =>
  attempt(reading, 'listGroupClusterBackupRestoreJobs', () =>
    all(
      pages(
        reading.atlas,
        listGroupClusterBackupRestoreJobs,
        { params: { groupId, clusterName: name } },
        reading.deadline,
      ),
      restoreFact,
    ),
  );

const flexRestoresOf = (reading: Reading, groupId: string, { name }: ClusterBase) =>
  attempt(reading, 'listGroupFlexClusterBackupRestoreJobs', () =>
    all(
      pages(reading.atlas, listGroupFlexClusterBackupRestoreJobs, { params: { groupId, name } }, reading.deadline),
      flexRestoreFact,
    ),
  );

const exportsOf = (reading: Reading, groupId: string, { name }: ClusterBase) =>
  attempt(reading, 'listGroupClusterBackupExports', () =>
    all(
      pages(reading.atlas, listGroupClusterBackupExports, { params: { groupId, clusterName: name } }, reading.deadline),
      exportFact,
    ),
  );
