import { cutoverGroupLiveMigration } from '../../lib/atlas/operations/live-migrations.ts';
import type { Stored } from '../../lib/aws/state.ts';
import { AutomationError } from '../../lib/errors.ts';
import { standsAgainstCutover, voided } from './approval.ts';
import { changed } from './change.ts';
import { afterPoll } from './course.ts';
import { afterEvents, afterStartLookUp, wasCancelled } from './feed.ts';
import { lookForSnapshot } from './first-snapshot.ts';
import { importEvents, lookAtMigration } from './look.ts';
import { emptyOutbox, readRun } from './outbox.ts';
import { lookWhetherOver, release, undo } from './release.ts';
import { ENDS, hasToUndo, type Run } from './run.ts';
import { watchSecret } from './secret-mark.ts';
import type { Context } from './services.ts';
import { collectionsProblem, writersProblem } from './source.ts';

/** More steps than one look, one cutover and what follows them ever take: past it somebody else is writing. */
const MOST_STEPS = 20;
/** Looks that did not know the id before the project's feed is asked. */
const MOST_MISSING = 3;
/** Longer than any request that is still on its way when its sender is gone. */
export const MARGIN_MS = 60_000;

/** Whether a request that failed so certainly changed nothing: refused, or never sent. What nobody knows may have. */
export const wasNotCarriedOut = (error: unknown): error is AutomationError =>
  error instanceof AutomationError && error.code !== 'ATLAS_OUTCOME_UNKNOWN';

/**
 * Brings one migration on as far as it goes now: tells what is untold, looks, cuts over what is approved, and gives back
 * what an ended one held. The stored run is the only truth, every write of it a compare-and-swap, so this may run at any
 * time, beside itself, and again after a process that died anywhere. A bus that can't be told holds nothing up, and
 * fails it in the end.
 */
export async function carryOn(context: Context, runId: string, isDue: (run: Run) => boolean): Promise<Run | undefined> {
  let untold: AutomationError | undefined;
  for (let step = 0; step < MOST_STEPS; step++) {
    const stored = await readRun(context, runId);
    if (!stored) return undefined;
    const emptied = untold ? { stored } : await emptyOutbox(context, stored);
    if (!emptied) continue;
    untold ??= emptied.problem;
    const move = moveOf(emptied.stored.value, isDue, step > 0);
    if (move) await move(context, emptied.stored);
    else if (untold) throw untold;
    else return emptied.stored.value;
  }
  if (untold) throw untold;
  return (await readRun(context, runId))?.value;
}

type Move = (context: Context, stored: Stored<Run>) => Promise<unknown>;

/** What is to be done with a run in its state; undefined where nothing is. `looked` says that it was looked at just now. */
function moveOf(run: Run, isDue: (run: Run) => boolean, looked: boolean): Move | undefined {
  if (run.held && run.runsOn) return !looked && isDue(run) ? lookWhetherOver : undefined;
  if (run.held && (ENDS.has(run.state) || run.state === 'CUT_OVER')) return release;
  if (run.state === 'APPROVED') return cutOver;
  if (ENDS.has(run.state)) return hasToUndo(run) && !looked && isDue(run) ? undo : undefined;
  if (looked ? run.missing !== MOST_MISSING : !isDue(run)) return undefined;
  switch (run.state) {
    case 'START_INTENT':
    case 'START_UNKNOWN':
      return looked ? undefined : lookForStart;
    case 'STARTED_UNIDENTIFIED':
      return looked ? undefined : lookAtFeed;
    case 'CUT_OVER':
      return looked ? undefined : lookForSnapshot;
    case 'CUTOVER_INTENT':
      return looked ? undefined : takeUpCutover;
    default:
      return looked ? lookAtFeed : poll;
  }
}

const write = ({ services: { state }, deadline }: Context, stored: Stored<Run>, run: Run) =>
  state.replace(stored, run, deadline);

const poll: Move = async (context, stored) => {
  const run = stored.value;
  const { what, now } = await lookAtMigration(context, run);
  const seen =
    what !== 'unknown id' && what.status === 'FAILED' ? { ...what, cancelled: await isCancelled(context, run) } : what;
  const next = afterPoll(run, seen, now, context.settings, context.services.newId());
  const asksNow = next.state === 'READY' && run.state !== 'READY';
  const problem = asksNow ? await collectionsProblem(context, run) : undefined;
  const after = problem === undefined ? next : notAsked(run, next, now, problem);
  await write(context, stored, await watchSecret(context, after, now));
};

/** Atlas has one word for a migration that failed and one that somebody cancelled; the feed has two. */
const isCancelled = async (context: Context, run: Run): Promise<boolean> =>
  wasCancelled((await importEvents(context, run.request.destination, new Date(run.start.intendedAt))).what);

/** Both ends differ in what they hold: nothing is asked for, and somebody is told once. */
function notAsked(run: Run, next: Run, now: Date, problem: string): Run {
  const { polls, lastNotReadyAt, firstReadyAt, polledAt, nextPollAt: at } = next;
  const looked: Run = { ...run, polls, lastNotReadyAt, firstReadyAt, polledAt, nextPollAt: at, missing: 0, steady: 0 };
  if (run.warned.includes('collections')) return looked;
  return changed(looked, now, {
    what: 'asked for no approval: the destination does not hold what the source does',
    reason: run.reason,
    facts: { problem },
    set: { warned: [...run.warned, 'collections'] },
    call: { what: 'collections', severity: 'critical', reason: `no approval is asked for: ${problem}` },
  });
}

/** Nobody told us a lag or knows the id: the project's feed tells what was done elsewhere. */
const lookAtFeed: Move = async (context, stored) => {
  const run = stored.value;
  const { what, now } = await importEvents(context, run.request.destination, new Date(run.start.intendedAt));
  await write(context, stored, afterEvents(run, what, now, context.settings));
};

const lookForStart: Move = async (context, stored) => {
  const run = stored.value;
  const { what, now } = await importEvents(context, run.request.destination, new Date(run.start.intendedAt));
  await write(context, stored, afterStartLookUp(run, what, now, context.settings));
};

/** A cutover whose sender is gone: it may have been sent. */
const takeUpCutover: Move = async (context, stored) => {
  const run = stored.value;
  const { now } = await lookAtMigration(context, run);
  if (run.cutover && now.getTime() < Date.parse(run.cutover.until)) {
    await write(context, stored, { ...run, nextPollAt: run.cutover.until });
    return;
  }
  await write(context, stored, cutoverUnknown(run, now, context));
};

/**
 * Cuts over what was approved. Looks once more first; the intent is stored before the request, whoever stores it is the
 * only one to send it, and it is sent once.
 */
const cutOver: Move = async (context, stored) => {
  const { settings, services, deadline } = context;
  const run = stored.value;
  const { what, now } = await lookAtMigration(context, run);
  const against =
    standsAgainstCutover(run, what, now, settings) ??
    (await collectionsProblem(context, run)) ??
    (await writersProblem(context, run));
  if (against !== undefined) {
    await write(context, stored, voided(run, now, against));
    return;
  }
  const until = new Date(now.getTime() + Math.max(0, deadline.remainingMs()) + MARGIN_MS).toISOString();
  const intent = changed(run, now, {
    to: 'CUTOVER_INTENT',
    what: 'is about to cut over',
    reason: 'the cutover is about to be sent',
    facts: { approvalId: run.approval?.approvalId },
    set: { cutover: { intendedAt: now.toISOString(), until, by: 'us' }, nextPollAt: until },
  });
  const intended = await write(context, stored, intent);
  if (!intended) return;
  const params = { groupId: run.request.destination.groupId, liveMigrationId: run.liveMigrationId ?? '' };
  let next: Run;
  try {
    const { at } = await services.atlas.callDated(cutoverGroupLiveMigration, { params }, deadline);
    next = changed(intent, at, {
      to: 'CUTTING_OVER',
      what: 'Atlas took the cutover',
      reason: 'Atlas took the cutover, which is not done by that',
      set: { nextPollAt: afterCutover(at, settings) },
    });
  } catch (error) {
    if (wasNotCarriedOut(error)) {
      const why = `Atlas did not take the cutover (${error.message})`;
      const spent = await write(context, intended, { ...voided(intent, now, why), cutover: undefined });
      // Somebody else may have been first.
      if (spent) await lookAtFeed(context, spent);
      return;
    }
    next = cutoverUnknown(intent, now, context);
  }
  await write(context, intended, next);
};

const cutoverUnknown = (run: Run, now: Date, { settings }: Pick<Context, 'settings'>): Run =>
  changed(run, now, {
    to: 'CUTOVER_UNKNOWN',
    what: 'the answer to the cutover is not known',
    reason: 'the cutover may or may not have been carried out: it is not sent again, and Atlas is asked instead',
    set: { nextPollAt: afterCutover(now, settings) },
  });

/** A cutover is sent by a command as well: the first look after it is the next tick's, which comes within a minute. */
const afterCutover = (at: Date, { pollSeconds }: Context['settings']): string =>
  new Date(at.getTime() + Math.max(60, pollSeconds.cuttingOver) * 1000).toISOString();
