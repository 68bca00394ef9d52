import type { AtlasClient, Input } from '../../../lib/atlas/client.ts';
import {
  type BackupSchedule,
  getGroupClusterBackupSchedule,
  updateGroupClusterBackupSchedule,
} from '../../../lib/atlas/operations/backup-schedules.ts';
import type { Deadline } from '../../../lib/runtime/deadline.ts';
import type { ClusterFacts } from '../facts.ts';
import { lowers } from './desired.ts';
import { type Change, scheduleDigest } from './plan.ts';

export interface Applied {
  readonly projectId: string;
  readonly clusterName: string;
  /** `already`: the schedule is what was asked for. `refused`: nothing was sent. `unknown`: sent, and no answer came. */
  readonly outcome: 'changed' | 'already' | 'refused' | 'unknown' | 'would-change';
  readonly reason: string;
}

/** Flags that delete or shorten snapshots there are. No request of this function ever has one. */
const NEVER_SENT = [
  'deleteSnapshots',
  'deleteCopySnapshots',
  'deleteCopiedBackups',
  'updateSnapshots',
  'updateCopySnapshots',
];

/**
 * Changes one cluster's schedule, if it still is what the plan was made from. Atlas has no conditional write, so the read
 * right before it is as close as one gets. Safe to repeat.
 */
export async function applyChange(
  atlas: AtlasClient,
  change: Change,
  {
    migration,
    dryRun,
    deadline,
  }: {
    readonly migration: ClusterFacts['migration'] | undefined;
    readonly dryRun: boolean;
    readonly deadline: Deadline;
  },
): Promise<Applied> {
  const { projectId, clusterName } = change;
  const told = (outcome: Applied['outcome'], reason: string): Applied => ({ projectId, clusterName, outcome, reason });
  if (migration) return told('refused', `live migration ${migration.id} writes into it`);
  const forbidden = NEVER_SENT.filter((flag) => flag in change.request);
  if (forbidden.length > 0) return told('refused', `the plan asks for ${forbidden.join(', ')}`);
  const params = { groupId: projectId, clusterName };
  const before = await atlas.call(getGroupClusterBackupSchedule, { params }, deadline);
  const merged = withRequest(before, change);
  if (!merged) return told('refused', 'the plan can no longer be read as a schedule');
  if (scheduleDigest(before) !== change.before) {
    return isWhatWasAsked(before, merged)
      ? told('already', 'the schedule is what was asked for')
      : told('refused', 'the schedule has changed since the plan was made');
  }
  const loss = lowers(before, merged);
  if (loss) return told('refused', `it would lower something: ${loss}`);
  if (dryRun) return told('would-change', change.changes.join('; '));
  try {
    const after = await atlas.call(updateGroupClusterBackupSchedule, { params, body: bodyOf(change) }, deadline);
    const lost = lowers(before, after);
    return lost
      ? told('unknown', `Atlas answered a schedule in which ${lost}`)
      : told('changed', change.changes.join('; '));
  } catch (error) {
    const refused = error instanceof Error && error.name === 'AtlasRejected';
    const reason = error instanceof Error ? error.message : 'unknown';
    return told(refused ? 'refused' : 'unknown', reason);
  }
}

/** The one typed boundary: the client checks the whole of it against the operation before anything is sent. */
const bodyOf = ({ request }: Change): Input<typeof updateGroupClusterBackupSchedule>['body'] =>
  updateGroupClusterBackupSchedule.body.parse(request);

/** The schedule as it would be: what is sent over what is there. */
function withRequest(before: BackupSchedule, { request }: Change): BackupSchedule | undefined {
  const parsed = updateGroupClusterBackupSchedule.response.safeParse(request);
  return parsed.success ? { ...before, ...parsed.data } : undefined;
}

/** A repeat after a crash finds its own work. New items have got ids by then. */
function isWhatWasAsked(now: BackupSchedule, asked: BackupSchedule): boolean {
  const bare = ({ policies, ...rest }: BackupSchedule) => ({
    restoreWindowDays: rest.restoreWindowDays,
    items: (policies?.[0]?.policyItems ?? [])
      .map(({ id: _, ...item }) => JSON.stringify(item, Object.keys(item).toSorted()))
      .toSorted(),
  });
  return JSON.stringify(bare(now)) === JSON.stringify(bare(asked));
}
