import { AtlasRejected } from '../../lib/atlas/errors.ts';
import { listGroupClusterBackupSnapshots } from '../../lib/atlas/operations/backup-snapshots.ts';
import type { Stored } from '../../lib/aws/state.ts';
import { FreshestSnapshots, freshestSnapshotKey } from '../../lib/migrations-under-way.ts';
import { changed } from './change.ts';
import type { MigrationSettings } from './contract.ts';
import { nextPollAt } from './course.ts';
import { atlasNow } from './look.ts';
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
    services: { state },
    settings,
    deadline,
  } = context;
  const run = stored.value;
  const since = new Date(run.cutover?.intendedAt ?? run.createdAt);
  const audited = await auditedSnapshot(context, run.request.destination);
  const { listed, now } = await listedSince(context, run, since);
  const snapshotId = audited && audited.createdAt > since ? audited.id : listed;
  const next = snapshotId === undefined ? stillWithout(run, now, settings) : backedUp(run, now, snapshotId);
  await state.replace(stored, { ...next, polledAt: now.toISOString() }, deadline);
}

/** The first that can be restored; a destination that is backed up by nobody answers with a refusal, and has none. */
async function listedSince(
  context: Context,
  run: Run,
  since: Date,
): Promise<{ listed: string | undefined; now: Date }> {
  const { groupId, clusterName } = run.request.destination;
  const input = { params: { groupId, clusterName }, query: { itemsPerPage: 100 } };
  try {
    const { data, at: now } = await context.services.atlas.callDated(
      listGroupClusterBackupSnapshots,
      input,
      context.deadline,
    );
    const found = (data.results ?? []).find(
      ({ status, snapshotType, createdAt, id }) =>
        id && status === 'completed' && snapshotType !== 'fallback' && createdAt && createdAt > since,
    );
    return { listed: found?.id ?? undefined, now };
  } catch (error) {
    if (!(error instanceof AtlasRejected)) throw error;
    return { listed: undefined, now: await atlasNow(context, run) };
  }
}

const backedUp = (run: Run, now: Date, snapshotId: string): Run =>
  changed(run, now, {
    to: 'COMPLETE',
    what: 'the destination is backed up again',
    reason: `complete; first snapshot since the cutover: ${snapshotId}`,
    facts: { snapshotId },
    set: { snapshotId },
  });

/** After as long as a snapshot may be old somebody is told, once, that there is none. */
function stillWithout(run: Run, now: Date, settings: MigrationSettings): Run {
  const looked: Run = { ...run, nextPollAt: nextPollAt(run, now, settings) };
  const waitedMs = now.getTime() - Date.parse(run.cutOverAt ?? run.createdAt);
  if (waitedMs < settings.freshSnapshotHours * 3_600_000 || run.warned.includes('first snapshot')) return looked;
  return changed(looked, now, {
    what: 'the destination is still not backed up',
    reason: run.reason,
    set: { warned: [...run.warned, 'first snapshot'] },
    call: {
      what: 'first-snapshot',
      severity: 'critical',
      reason: `no snapshot of the destination in the ${settings.freshSnapshotHours} hours since its cutover: see whether its backups run`,
    },
  });
}
