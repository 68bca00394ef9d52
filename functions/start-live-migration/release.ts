import { unpinGroupClusterFeatureCompatibilityVersion } from '../../lib/atlas/operations/clusters.ts';
import { updateGroupClusterOnlineArchive } from '../../lib/atlas/operations/online-archives.ts';
import type { Key, Stored } from '../../lib/aws/state.ts';
import { AutomationError } from '../../lib/errors.ts';
import { MigrationUnderWay, migrationKey } from '../../lib/migrations-under-way.ts';
import { changed } from './change.ts';
import { ENDS, keys, type Run } from './run.ts';
import type { Context } from './services.ts';
import { Hold } from './start.ts';

/** Gives the destination and the host back, and lets the destination be audited again. Safe to repeat. */
export async function release(context: Context, stored: Stored<Run>): Promise<void> {
  const {
    services: { state },
    deadline,
  } = context;
  const run = stored.value;
  const { destination, migrationHost } = run.request;
  await drop(context, keys.destination(destination.groupId, destination.clusterName), run.runId);
  await drop(context, keys.host(migrationHost), run.runId);
  const underWay = migrationKey(destination.groupId, destination.clusterName);
  const told = await state.read(underWay, MigrationUnderWay, deadline);
  if (told?.value.migrationId === run.runId) await state.remove(told, deadline);
  await state.replace(stored, { ...run, held: false }, deadline);
}

/** Removes what this run holds; what another one holds by now stays. */
async function drop({ services: { state }, deadline }: Context, key: Key, runId: string): Promise<void> {
  const held = await state.read(key, Hold, deadline);
  if (held?.value.runId === runId) await state.remove(held, deadline);
}

/** Undoes what was done to the destination around the migration; what fails is told once, and tried again. */
export async function undo(context: Context, stored: Stored<Run>): Promise<void> {
  const {
    services: { atlas, state },
    deadline,
  } = context;
  const run = stored.value;
  const { groupId, clusterName } = run.request.destination;
  const now = new Date(run.endedAt ?? run.createdAt);
  try {
    if (run.undo.fcvPinned) {
      await atlas.call(unpinGroupClusterFeatureCompatibilityVersion, { params: { groupId, clusterName } }, deadline);
    }
    for (const archiveId of run.undo.archives) {
      const params = { groupId, clusterName, archiveId };
      await atlas.call(updateGroupClusterOnlineArchive, { params, body: { paused: false } }, deadline);
    }
    await state.replace(
      stored,
      changed(run, now, {
        what: 'undid what was done around the migration',
        reason: run.reason,
        set: { undo: { fcvPinned: false, archives: [] } },
      }),
      deadline,
    );
  } catch (error) {
    if (!(error instanceof AutomationError)) throw error;
    const problem = `${error.code}: ${error.message}`;
    if (run.undo.problem === problem) return;
    await state.replace(
      stored,
      changed(run, now, {
        what: 'could not undo what was done around the migration',
        reason: run.reason,
        facts: { problem },
        set: { undo: { ...run.undo, problem } },
        call: {
          what: 'undo',
          severity: 'warning',
          reason: `unpin the version and resume the online archives of ${clusterName} by hand if this stays: ${problem}`,
        },
      }),
      deadline,
    );
  }
}

/** Whether nothing is left to do for a run: then it is no longer looked after. */
export const isDone = (run: Run): boolean =>
  ENDS.has(run.state) &&
  !run.held &&
  !run.undo.fcvPinned &&
  run.undo.archives.length === 0 &&
  run.toTell.length === 0 &&
  run.record.unwritten.length === 0;
