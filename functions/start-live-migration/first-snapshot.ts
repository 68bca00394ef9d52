import { listGroupClusterBackupSnapshots } from '../../lib/atlas/operations/backup-snapshots.ts';
import type { Stored } from '../../lib/aws/state.ts';
import { FreshestSnapshots, freshestSnapshotKey } from '../../lib/migrations-under-way.ts';
import { changed } from './change.ts';
import { nextPollAt } from './course.ts';
import type { Run } from './run.ts';
import type { Context } from './services.ts';

/** A snapshot that can be restored, and when it was taken. */
export interface Snapshot {
  readonly id: string;
  readonly createdAt: Date;
}

/** The destination's newest snapshot as the audit last saw it; undefined where it never did. */
export async function auditedSnapshot(
  { services: { state }, deadline }: Context,
  { groupId, clusterName }: Run['request']['destination'],
): Promise<Snapshot | undefined> {
  const seen = (await state.read(freshestSnapshotKey(groupId), FreshestSnapshots, deadline))?.value.clusters[
    clusterName
  ];
  return seen && { id: seen.snapshotId, createdAt: new Date(seen.createdAt) };
}

/**
 * A migration is done when the destination is backed up again: its backups stood still until the cutover. What the audit
 * has seen counts; where there is no audit, what Atlas lists.
 */
export async function lookForSnapshot(context: Context, stored: Stored<Run>): Promise<void> {
  const {
    services: { atlas, state },
    settings,
    deadline,
  } = context;
  const run = stored.value;
  const { groupId, clusterName } = run.request.destination;
  const params = { groupId, clusterName };
  const query = { itemsPerPage: 100 };
  const { data, at: now } = await atlas.callDated(listGroupClusterBackupSnapshots, { params, query }, deadline);
  const since = new Date(run.cutover?.intendedAt ?? run.createdAt);
  const listed = (data.results ?? []).find(
    ({ status, snapshotType, createdAt, id }) =>
      id && status === 'completed' && snapshotType !== 'fallback' && createdAt && createdAt > since,
  );
  const audited = await auditedSnapshot(context, run.request.destination);
  const snapshotId = audited && audited.createdAt > since ? audited.id : (listed?.id ?? undefined);
  const next: Run =
    snapshotId === undefined
      ? { ...run, polledAt: now.toISOString(), nextPollAt: nextPollAt(run, now, settings) }
      : changed(run, now, {
          to: 'COMPLETE',
          what: 'the destination is backed up again',
          reason: `complete; first snapshot since the cutover: ${snapshotId}`,
          facts: { snapshotId },
          set: { snapshotId },
        });
  await state.replace(stored, next, deadline);
}
