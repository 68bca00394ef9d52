import * as z from 'zod';
import { AtlasRejected, AtlasUnavailable } from '../../lib/atlas/errors.ts';
import { pinGroupClusterFeatureCompatibilityVersion } from '../../lib/atlas/operations/clusters.ts';
import {
  createGroupLiveMigration,
  getGroupLiveMigrationValidateStatus,
} from '../../lib/atlas/operations/live-migrations.ts';
import { updateGroupClusterOnlineArchive } from '../../lib/atlas/operations/online-archives.ts';
import type { Key, Stored } from '../../lib/aws/state.ts';
import { type MigrationUnderWay, migrationKey } from '../../lib/migrations-under-way.ts';
import { MARGIN_MS } from './carry-on.ts';
import { BEGINNING, changed } from './change.ts';
import type { CommandOf } from './contract.ts';
import { nextPollAt } from './course.ts';
import { MigrationRefused } from './errors.ts';
import { Plan, standsAgainst } from './plan.ts';
import { keys, Run, sha256 } from './run.ts';
import { bodyOf, type Context } from './services.ts';

/** Who holds a destination or a host, and until when a holder without a run is believed to be on its way to one. */
export const Hold = z.object({ runId: z.string(), until: z.iso.datetime() });

/** The same plan starts one migration, however often it is asked for. */
export const runIdOf = (planDigest: string): string => `lm-${sha256(`run ${planDigest}`).slice(0, 20)}`;

/**
 * Starts what was planned, once. Everything that speaks against it is said at once, and nothing is sent then. The run is
 * stored before the request, whoever stores it is the only one to send it, and it is sent once; asked again it answers
 * the run there is.
 */
export async function start(context: Context, command: CommandOf<'start'>): Promise<Run> {
  const {
    services: { state },
    deadline,
  } = context;
  const runId = runIdOf(command.planDigest);
  const there = await state.read(keys.run(runId), Run, deadline);
  if (there) return there.value;
  const plan = (await state.read(keys.plan(command.planDigest), Plan, deadline))?.value;
  if (!plan) throw new MigrationRefused('MIGRATION_REFUSED', 'there is no such plan: plan first', []);

  const { now, problems } = await problemsNow(context, plan, command);
  if (problems.length > 0) throw new MigrationRefused('MIGRATION_REFUSED', 'the migration is not started', problems);
  const body = await bodyOf(context, plan.request);
  const run = intended(context, plan, command, now);
  if (command.dryRun) return run;

  const stored = await claim(context, run);
  // Somebody else asked for the same at the same moment, and starts it.
  if (!stored) return (await state.read(keys.run(runId), Run, deadline))?.value ?? run;
  return send(context, stored, body);
}

/** Everything that speaks against starting a plan now; `now` is Atlas's. */
async function problemsNow(
  { services: { atlas }, settings, deadline }: Context,
  plan: Plan,
  command: CommandOf<'start'>,
): Promise<{ now: Date; problems: string[] }> {
  const problems = standsAgainst(plan).map(({ title, outcome, remedy }) => `${title} (${outcome}): ${remedy}`);
  const { request, validation } = plan;
  if (!validation) return { now: new Date(plan.madeAt), problems: [...problems, 'it was never validated'] };
  const params = { groupId: request.destination.groupId, validationId: validation.id };
  const { data, at: now } = await atlas.callDated(getGroupLiveMigrationValidateStatus, { params }, deadline);
  if (data.status !== 'SUCCESS') problems.push(`its validation is ${data.status ?? 'without an answer'}`);
  const freshMs = settings.planMinutes * 60_000;
  if (now.getTime() - Date.parse(plan.madeAt) > freshMs)
    problems.push(`the plan is older than ${settings.planMinutes} minutes: plan anew`);
  if (now.getTime() - Date.parse(validation.startedAt) > freshMs)
    problems.push(`its validation is older than ${settings.planMinutes} minutes: plan anew`);
  return { now, problems: [...problems, ...dropProblems(plan, command, now, settings.freshSnapshotHours)] };
}

/** Dropping data takes the destination's name typed again, a second person, and a snapshot to come back to. Pure. */
export function dropProblems(
  { request, snapshot, requestedBy, destinationHoldsData }: Plan,
  { drop, requestedBy: startedBy }: CommandOf<'start'>,
  now: Date,
  freshSnapshotHours: number,
): string[] {
  if (!request.dropDestinationData) return drop ? ['drop is for a request with dropDestinationData'] : [];
  const problems: string[] = [];
  if (drop?.clusterName !== request.destination.clusterName)
    problems.push('drop.clusterName must be the destination’s name, typed again');
  const approver = drop?.approvedBy.trim().toLowerCase();
  if (approver === undefined || [requestedBy, startedBy].some((one) => one.trim().toLowerCase() === approver))
    problems.push('drop.approvedBy must be somebody else than whoever planned and starts it');
  const isFresh = snapshot && now.getTime() - Date.parse(snapshot.createdAt) <= freshSnapshotHours * 3_600_000;
  if (destinationHoldsData !== false && !isFresh)
    problems.push(`the destination has no completed snapshot of the last ${freshSnapshotHours} hours to come back to`);
  return problems;
}

function intended(
  { deadline, settings }: Context,
  plan: Plan,
  { requestedBy, drop }: CommandOf<'start'>,
  now: Date,
): Run {
  const at = now.toISOString();
  const until = new Date(now.getTime() + Math.max(0, deadline.remainingMs()) + MARGIN_MS).toISOString();
  const { request } = plan;
  const blank: Run = {
    runId: runIdOf(plan.digest),
    state: 'START_INTENT',
    reason: 'the start is about to be sent',
    createdAt: at,
    requestedBy,
    request,
    requestHash: plan.requestHash,
    planDigest: plan.digest,
    notMigrated: plan.notMigrated,
    ...(drop && plan.snapshot && { drop: { approvedBy: drop.approvedBy, snapshotId: plan.snapshot.id } }),
    start: { intendedAt: at, until },
    polls: [],
    steady: 0,
    warnedAtHours: [],
    missing: 0,
    nextPollAt: until,
    ...(plan.oplogWindowSeconds !== undefined && { oplogWindowSeconds: plan.oplogWindowSeconds }),
    held: true,
    // Written before it is done: undoing what was not done changes nothing.
    undo: {
      fcvPinned: request.around.pinFcvUntil !== undefined,
      archives: request.around.pauseOnlineArchives,
    },
    record: { seq: -1, hash: BEGINNING, unwritten: [] },
    toTell: [],
  };
  return changed(blank, now, {
    what: 'is about to start',
    reason: blank.reason,
    by: requestedBy,
    facts: {
      requestHash: plan.requestHash,
      planDigest: plan.digest,
      lagGateSeconds: settings.lagGateSeconds,
      drop: blank.drop,
    },
  });
}

/** Takes the destination and the host for this run, and stores it; undefined where it is stored already. */
async function claim(context: Context, run: Run): Promise<Stored<Run> | undefined> {
  const {
    services: { state },
    deadline,
  } = context;
  const { destination, migrationHost } = run.request;
  const problems: string[] = [];
  const destinationKey = keys.destination(destination.groupId, destination.clusterName);
  if (!(await hold(context, destinationKey, run))) problems.push('the destination is taken by another migration');
  if (!(await hold(context, keys.host(migrationHost), run)))
    problems.push('the migration host is used by another migration');
  // What was taken all the same is given back by itself: a hold without a run ends.
  if (problems.length > 0) throw new MigrationRefused('MIGRATION_REFUSED', 'the migration is not started', problems);
  await state.create(keys.active(run.runId), { runId: run.runId }, deadline);
  const underWay: MigrationUnderWay = { migrationId: run.runId, state: run.state, since: run.createdAt };
  await state.create(migrationKey(destination.groupId, destination.clusterName), underWay, deadline);
  return state.create(keys.run(run.runId), run, deadline);
}

/** Takes something for a run; false where another run has it. One whose holder never came to be may be taken over. */
async function hold({ services: { state }, deadline }: Context, key: Key, run: Run): Promise<boolean> {
  const mine = { runId: run.runId, until: run.start.until };
  if (await state.create(key, mine, deadline)) return true;
  const held = await state.read(key, Hold, deadline);
  if (!held) return (await state.create(key, mine, deadline)) !== undefined;
  if (held.value.runId === run.runId) return true;
  const isAlive = Date.parse(held.value.until) > Date.parse(run.createdAt);
  if (isAlive || (await state.read(keys.run(held.value.runId), Run, deadline))) return false;
  return (await state.replace(held, mine, deadline)) !== undefined;
}

async function send(context: Context, stored: Stored<Run>, body: Awaited<ReturnType<typeof bodyOf>>): Promise<Run> {
  const {
    services: { atlas, state },
    settings,
    deadline,
  } = context;
  const run = stored.value;
  const { groupId, clusterName } = run.request.destination;
  let next: Run;
  try {
    await prepareDestination(context, run);
    const { data, at } = await atlas.callDated(createGroupLiveMigration, { params: { groupId }, body }, deadline);
    next = changed(run, at, {
      to: 'SYNCING',
      what: 'Atlas started it',
      reason: 'Atlas copies the data',
      facts: { liveMigrationId: data._id },
      set: { liveMigrationId: data._id, startedAt: at.toISOString(), nextPollAt: nextPollAt(run, at, settings) },
    });
  } catch (error) {
    const now = new Date(run.createdAt);
    const isRefused = error instanceof AtlasRejected || error instanceof AtlasUnavailable;
    if (!isRefused && !(error instanceof Error)) throw error;
    next = isRefused
      ? changed(run, now, {
          to: 'FAILED',
          what: 'Atlas did not start it',
          reason: `Atlas did not start it (${error.message})`,
          call: {
            what: 'ended',
            severity: 'warning',
            reason: `the migration of ${clusterName} was not started: ${error.message}`,
          },
        })
      : changed(run, now, {
          to: 'START_UNKNOWN',
          what: 'the answer to the start is not known',
          reason:
            'the migration may or may not have been started: it is not started again, and the project’s events are asked instead',
          set: { nextPollAt: nextPollAt(run, now, settings) },
        });
  }
  const written = await state.replace(stored, next, deadline);
  return written?.value ?? (await state.read(keys.run(run.runId), Run, deadline))?.value ?? next;
}

/** What was asked for around the migration: before it, because nothing of it may change while it runs. */
async function prepareDestination({ services: { atlas }, deadline }: Context, { request, undo }: Run): Promise<void> {
  const { groupId, clusterName } = request.destination;
  const { pinFcvUntil } = request.around;
  if (pinFcvUntil !== undefined) {
    const body = { expirationDate: pinFcvUntil };
    await atlas.call(pinGroupClusterFeatureCompatibilityVersion, { params: { groupId, clusterName }, body }, deadline);
  }
  for (const archiveId of undo.archives) {
    const params = { groupId, clusterName, archiveId };
    await atlas.call(updateGroupClusterOnlineArchive, { params, body: { paused: true } }, deadline);
  }
}
