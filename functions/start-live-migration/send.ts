import { pinGroupClusterFeatureCompatibilityVersion } from '../../lib/atlas/operations/clusters.ts';
import { createGroupLiveMigration } from '../../lib/atlas/operations/live-migrations.ts';
import { updateGroupClusterOnlineArchive } from '../../lib/atlas/operations/online-archives.ts';
import type { Stored } from '../../lib/aws/state.ts';
import type { AutomationError } from '../../lib/errors.ts';
import { wasNotCarriedOut } from './carry-on.ts';
import { changed } from './change.ts';
import { nextPollAt } from './course.ts';
import { readRun } from './outbox.ts';
import { ENDS, keys, type Run } from './run.ts';
import { markSecret } from './secret-mark.ts';
import type { bodyOf, Context } from './services.ts';

/**
 * Sends the start of a run that whoever calls this has just stored, and nobody else ever sends. What Atlas answers is
 * kept before anything else is done, whatever became of the run meanwhile: its id is told once.
 */
export async function send(
  context: Context,
  stored: Stored<Run>,
  body: Awaited<ReturnType<typeof bodyOf>>,
): Promise<Run> {
  const { services, settings, log, deadline } = context;
  const { groupId } = stored.value.request.destination;
  let run = stored.value;
  let next: Run;
  try {
    run = await prepare(context, run);
    const input = { params: { groupId }, body };
    const { data, at } = await services.atlas.callDated(createGroupLiveMigration, input, deadline);
    log.info('Atlas started a migration', { facts: { runId: run.runId, liveMigrationId: data._id } });
    next = changed(run, at, {
      to: 'SYNCING',
      what: 'Atlas started it',
      reason: 'Atlas copies the data',
      facts: { liveMigrationId: data._id, secretMarked: run.undo.secretMarked },
      set: { liveMigrationId: data._id, startedAt: at.toISOString(), nextPollAt: nextPollAt(run, at, settings) },
    });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const now = new Date(run.createdAt);
    next = wasNotCarriedOut(error)
      ? notStarted(run, error)
      : changed(run, now, {
          to: 'START_UNKNOWN',
          what: 'the answer to the start is not known',
          reason:
            'the migration may or may not have been started: it is not started again, and the project’s events are asked instead',
          set: { startUnknown: true, nextPollAt: nextPollAt(run, now, settings) },
        });
  }
  // Where this fails, the run still says that it may have been sent, and whoever finds it so takes it up.
  const concluded = await conclude(context, stored, next);
  const { liveMigrationId } = next;
  if (liveMigrationId !== undefined)
    await services.state.create(keys.liveMigration(liveMigrationId), { runId: run.runId }, deadline);
  return concluded;
}

const notStarted = (run: Run, error: AutomationError): Run =>
  changed(run, new Date(run.createdAt), {
    to: 'FAILED',
    what: 'Atlas did not start it',
    reason: `Atlas did not start it (${error.message})`,
    facts: { code: error.code },
    call: {
      what: 'ended',
      severity: 'warning',
      reason: `the migration of ${run.request.destination.clusterName} was not started: ${error.message}`,
    },
  });

/** Writes what became of the start; where somebody took the run up meanwhile, at least the id is kept. */
async function conclude(context: Context, stored: Stored<Run>, next: Run): Promise<Run> {
  const {
    services: { state },
    deadline,
  } = context;
  const written = await state.replace(stored, next, deadline);
  if (written) return written.value;
  for (;;) {
    const there = await readRun(context, stored.value.runId);
    if (!there) return next;
    const { value: run } = there;
    const { liveMigrationId, startedAt, secretVersion } = next;
    if (liveMigrationId === undefined || run.liveMigrationId !== undefined) return run;
    const hasEnded = ENDS.has(run.state);
    const late = changed(run, new Date(startedAt ?? next.createdAt), {
      ...(!hasEnded && { to: 'SYNCING' }),
      what: 'the answer to the start came after all',
      reason: hasEnded ? run.reason : 'Atlas copies the data',
      facts: { liveMigrationId },
      set: { liveMigrationId, ...(startedAt && { startedAt }), ...(secretVersion && { secretVersion }) },
    });
    const kept = await state.replace(there, late, deadline);
    if (kept) return kept.value;
  }
}

/** What was asked for around the migration: before it, because nothing of it may change while it runs. */
async function prepare(context: Context, run: Run): Promise<Run> {
  const {
    services: { atlas },
    deadline,
  } = context;
  const { groupId, clusterName } = run.request.destination;
  const { pinFcvUntil } = run.request.around;
  const marked = await markSecret(context, run);
  if (pinFcvUntil !== undefined) {
    const body = { expirationDate: pinFcvUntil };
    await atlas.call(pinGroupClusterFeatureCompatibilityVersion, { params: { groupId, clusterName }, body }, deadline);
  }
  for (const archiveId of run.undo.archives) {
    const params = { groupId, clusterName, archiveId };
    await atlas.call(updateGroupClusterOnlineArchive, { params, body: { paused: true } }, deadline);
  }
  return marked;
}
