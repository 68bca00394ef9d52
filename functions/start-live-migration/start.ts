import { getGroupLiveMigrationValidateStatus } from '../../lib/atlas/operations/live-migrations.ts';
import { samePerson } from './approval.ts';
import { MARGIN_MS } from './carry-on.ts';
import { BEGINNING, changed } from './change.ts';
import type { CommandOf } from './contract.ts';
import { MigrationRefused } from './errors.ts';
import { giveBack, holderOf, takeFor, takenBy, unsureStart } from './holds.ts';
import { Plan, sealed, standsAgainst } from './plan.ts';
import { keys, Run, sha256 } from './run.ts';
import { send } from './send.ts';
import { bodyOf, type Context } from './services.ts';

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

  if (sealed(plan).digest !== plan.digest)
    throw new MigrationRefused('MIGRATION_REFUSED', 'the plan is not what it was when it was made: plan anew', []);

  const { now, problems } = await problemsNow(context, plan, command);
  if (problems.length > 0) throw new MigrationRefused('MIGRATION_REFUSED', 'the migration is not started', problems);
  const body = await bodyOf(context, plan.request);
  const run = intended(context, plan, command, now);
  if (command.dryRun) return run;

  const taken = await takeFor(context, run);
  if (taken.length > 0) throw new MigrationRefused('MIGRATION_REFUSED', 'the migration is not started', taken);
  const stored = await state.create(keys.run(runId), run, deadline);
  if (stored) return send(context, stored, body);
  // Somebody else asked for the same at the same moment, and starts it; or it has ended since, and holds nothing.
  const other = (await state.read(keys.run(runId), Run, deadline))?.value ?? run;
  if (!other.held) await giveBack(context, takenBy(run));
  return other;
}

/** Everything that speaks against starting a plan now; `now` is Atlas's. */
async function problemsNow(
  context: Context,
  plan: Plan,
  command: CommandOf<'start'>,
): Promise<{ now: Date; problems: string[] }> {
  const {
    services: { atlas },
    settings,
    deadline,
  } = context;
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
  for (const { title, waiver } of plan.checks)
    if (waiver && Date.parse(waiver.expires) <= now.getTime())
      problems.push(`${title}: its waiver ended at ${waiver.expires}`);
  problems.push(...dropProblems(plan, command, now, settings.freshSnapshotHours));
  problems.push(...(await takenProblems(context, plan, now)));
  return { now, problems };
}

/** What has changed since the plan, among what only this automation knows. */
async function takenProblems(context: Context, { request, digest }: Plan, now: Date): Promise<string[]> {
  const { destination, migrationHost, dropDestinationData } = request;
  const { groupId, clusterName } = destination;
  const [there, host, unsure] = await Promise.all([
    holderOf(context, keys.destination(groupId, clusterName), now),
    holderOf(context, keys.host(migrationHost), now),
    unsureStart(context, destination),
  ]);
  const mine = runIdOf(digest);
  const problems: string[] = [];
  if (there !== undefined && there !== mine) problems.push('the destination is taken by another migration');
  if (host !== undefined && host !== mine) problems.push('the migration host is used by another migration');
  if (dropDestinationData && unsure !== undefined)
    problems.push(`${unsure} may run unseen in this destination: plan without dropDestinationData`);
  return problems;
}

/** Dropping data takes the destination's name typed again, a second person, and a snapshot to come back to. Pure. */
export function dropProblems(
  { request, snapshot, requestedBy }: Plan,
  { drop, requestedBy: startedBy }: CommandOf<'start'>,
  now: Date,
  freshSnapshotHours: number,
): string[] {
  if (!request.dropDestinationData) return drop ? ['drop is for a request with dropDestinationData'] : [];
  const problems: string[] = [];
  if (drop?.clusterName !== request.destination.clusterName)
    problems.push('drop.clusterName must be the destination’s name, typed again');
  if (drop === undefined || [requestedBy, startedBy].some((one) => samePerson(one, drop.approvedBy)))
    problems.push('drop.approvedBy must be somebody else than whoever planned and starts it');
  const isFresh = snapshot && now.getTime() - Date.parse(snapshot.createdAt) <= freshSnapshotHours * 3_600_000;
  if (!isFresh)
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
    plannedBy: plan.requestedBy,
    request,
    requestHash: plan.requestHash,
    planDigest: plan.digest,
    notMigrated: plan.notMigrated,
    ...(drop && plan.snapshot && { drop: { approvedBy: drop.approvedBy, snapshotId: plan.snapshot.id } }),
    start: { intendedAt: at, until },
    polls: [],
    steady: 0,
    warned: [],
    missing: 0,
    nextPollAt: until,
    ...(plan.oplogWindowSeconds !== undefined && { oplogWindowSeconds: plan.oplogWindowSeconds }),
    held: true,
    // Written before it is done: undoing what was not done changes nothing.
    undo: {
      fcvPinned: request.around.pinFcvUntil !== undefined,
      archives: request.around.pauseOnlineArchives,
      secretMarked: request.source.credentialsSecret !== undefined,
      attempts: 0,
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
