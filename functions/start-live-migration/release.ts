import { AtlasRejected } from '../../lib/atlas/errors.ts';
import { unpinGroupClusterFeatureCompatibilityVersion } from '../../lib/atlas/operations/clusters.ts';
import { updateGroupClusterOnlineArchive } from '../../lib/atlas/operations/online-archives.ts';
import type { Stored } from '../../lib/aws/state.ts';
import { AutomationError } from '../../lib/errors.ts';
import { changed } from './change.ts';
import { tellsEnd } from './feed.ts';
import { giveBack, noteLastStart, takenBy } from './holds.ts';
import { atlasNow, importEvents } from './look.ts';
import { ENDS, hasToUndo, type Run } from './run.ts';
import { unmarkSecret } from './secret-mark.ts';
import type { Context } from './services.ts';

/** Gives the destination and the host back, and lets the destination be audited again. Safe to repeat. */
export async function release(context: Context, stored: Stored<Run>): Promise<void> {
  const { services, deadline } = context;
  const run = stored.value;
  await noteLastStart(context, run);
  await giveBack(context, takenBy(run));
  await services.state.replace(stored, { ...run, held: false }, deadline);
}

const HOUR_MS = 3_600_000;
/** Longer than any migration waits for its cutover; after it nothing of it can be left. */
const RUNS_ON_HOURS = 14 * 24;

/** An abandoned migration that may go on in Atlas keeps what it uses until the project's events tell its end. */
export async function lookWhetherOver(context: Context, stored: Stored<Run>): Promise<void> {
  const { services, deadline } = context;
  const run = stored.value;
  const { what, now } = await importEvents(context, run.request.destination, new Date(run.start.intendedAt));
  const isOver = tellsEnd(what) || now.getTime() - Date.parse(run.endedAt ?? run.createdAt) >= RUNS_ON_HOURS * HOUR_MS;
  const nextPollAt = new Date(now.getTime() + (isOver ? 0 : HOUR_MS)).toISOString();
  await services.state.replace(stored, { ...run, runsOn: !isOver, nextPollAt }, deadline);
}

const FIRST_PAUSE_MS = 60_000;
const LONGEST_PAUSE_MS = 6 * HOUR_MS;

/**
 * Undoes what was done around the migration: the destination's pin, the paused archives, the mark on the source's
 * secret. What fails is told once, and tried again after ever longer pauses.
 */
export async function undo(context: Context, stored: Stored<Run>): Promise<void> {
  const {
    services: { atlas, state },
    deadline,
  } = context;
  const run = stored.value;
  const { groupId, clusterName } = run.request.destination;
  const now = await atlasNow(context, run);
  try {
    if (run.undo.fcvPinned) {
      const params = { groupId, clusterName };
      await unlessGone(() => atlas.call(unpinGroupClusterFeatureCompatibilityVersion, { params }, deadline));
    }
    for (const archiveId of run.undo.archives) {
      const params = { groupId, clusterName, archiveId };
      await unlessGone(() =>
        atlas.call(updateGroupClusterOnlineArchive, { params, body: { paused: false } }, deadline),
      );
    }
    if (run.undo.secretMarked) await unmarkSecret(context, run);
    const undone = changed(run, now, {
      what: 'undid what was done around the migration',
      reason: run.reason,
      set: { undo: { fcvPinned: false, archives: [], secretMarked: false, attempts: run.undo.attempts + 1 } },
    });
    await state.replace(stored, undone, deadline);
  } catch (error) {
    if (!(error instanceof AutomationError)) throw error;
    const problem = `${error.code}: ${error.message}`;
    const attempts = run.undo.attempts + 1;
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(attempts, 20), LONGEST_PAUSE_MS);
    const later: Run = {
      ...run,
      undo: { ...run.undo, attempts, problem },
      nextPollAt: new Date(now.getTime() + pauseMs).toISOString(),
    };
    // Told once; what it was that failed is in the record.
    const told =
      run.undo.problem === undefined
        ? changed(later, now, {
            what: 'could not undo what was done around the migration',
            reason: run.reason,
            facts: { problem },
            call: {
              what: 'undo',
              severity: 'warning',
              reason: `unpin the version, resume the online archives of ${clusterName} and take the tag off the source’s secret by hand if this stays: ${problem}`,
            },
          })
        : later;
    await state.replace(stored, told, deadline);
  }
}

/** What is not there any more needs no undoing. */
async function unlessGone(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof AtlasRejected && error.status === 404)) throw error;
  }
}

/** Whether nothing is left to do for a run: then it is no longer looked after. */
export const isDone = (run: Run): boolean =>
  ENDS.has(run.state) && !run.held && !hasToUndo(run) && run.toTell.length === 0 && run.record.unwritten.length === 0;
