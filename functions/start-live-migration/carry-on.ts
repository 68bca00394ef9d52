import { AtlasRejected, AtlasUnavailable } from '../../lib/atlas/errors.ts';
import { cutoverGroupLiveMigration } from '../../lib/atlas/operations/live-migrations.ts';
import type { Stored } from '../../lib/aws/state.ts';
import { AutomationError } from '../../lib/errors.ts';
import { standsAgainstCutover, voided } from './approval.ts';
import { changed } from './change.ts';
import { afterPoll, nextPollAt } from './course.ts';
import { afterEvents, afterStartLookUp } from './feed.ts';
import { lookForSnapshot } from './first-snapshot.ts';
import { importEvents, lookAtMigration } from './look.ts';
import { emptyOutbox, readRun } from './outbox.ts';
import { release, undo } from './release.ts';
import { ENDS, type Run } from './run.ts';
import type { Context } from './services.ts';
import { writesMeanwhile } from './source.ts';

/** More steps than one look, one cutover and what follows them ever take: past it somebody else is writing. */
const MOST_STEPS = 20;
/** Looks that did not know the id before the project's feed is asked. */
const MOST_MISSING = 3;
/** Longer than any request that is still on its way when its sender is gone. */
export const MARGIN_MS = 60_000;

/**
 * Brings one migration on as far as it goes now: tells what is untold, looks, cuts over what is approved, and gives back
 * what an ended one held. The stored run is the only truth, every write of it a compare-and-swap, so this may run at any
 * time, beside itself, and again after a process that died anywhere.
 */
export async function carryOn(context: Context, runId: string, isDue: (run: Run) => boolean): Promise<Run | undefined> {
  for (let step = 0; step < MOST_STEPS; step++) {
    const stored = await readRun(context, runId);
    if (!stored) return undefined;
    const told = await emptyOutbox(context, stored);
    if (!told) continue;
    const move = moveOf(told.value, isDue, step > 0);
    if (!move) return told.value;
    await move(context, told);
  }
  return (await readRun(context, runId))?.value;
}

type Move = (context: Context, stored: Stored<Run>) => Promise<unknown>;

/** What is to be done with a run in its state; undefined where nothing is. `looked` says that it was looked at just now. */
function moveOf(run: Run, isDue: (run: Run) => boolean, looked: boolean): Move | undefined {
  if (run.held && (ENDS.has(run.state) || run.state === 'CUT_OVER')) return release;
  if (run.state === 'APPROVED') return cutOver;
  if (ENDS.has(run.state)) {
    const hasToUndo = run.undo.fcvPinned || run.undo.archives.length > 0;
    return hasToUndo && !looked && isDue(run) ? undo : undefined;
  }
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
  const { what, now } = await lookAtMigration(context, stored.value);
  const next = afterPoll(stored.value, what, now, context.settings, context.services.newId());
  await write(context, stored, next);
};

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
  const against = standsAgainstCutover(run, what, now, settings) ?? (await writersProblem(context, run));
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
      set: { nextPollAt: nextPollAt({ ...intent, state: 'CUTTING_OVER' }, at, settings) },
    });
  } catch (error) {
    const refused = error instanceof AtlasRejected || error instanceof AtlasUnavailable;
    next = refused
      ? {
          ...voided(intent, now, `Atlas did not take the cutover (${error.message})`),
          cutover: undefined,
          missing: MOST_MISSING,
        }
      : cutoverUnknown(intent, now, context);
  }
  await write(context, intended, next);
};

/** Applications were said to have stopped: whoever can look, looks whether they have. */
async function writersProblem(context: Context, { request }: Run): Promise<string | undefined> {
  try {
    const writes = await writesMeanwhile(context, request);
    return writes === undefined || writes <= 0
      ? undefined
      : `somebody still writes to the source (${writes} writes in 3 s)`;
  } catch (error) {
    if (!(error instanceof AutomationError)) throw error;
    return `whether somebody still writes to the source could not be seen (${error.code})`;
  }
}

const cutoverUnknown = (run: Run, now: Date, { settings }: Pick<Context, 'settings'>): Run =>
  changed(run, now, {
    to: 'CUTOVER_UNKNOWN',
    what: 'the answer to the cutover is not known',
    reason: 'the cutover may or may not have been carried out: it is not sent again, and Atlas is asked instead',
    set: { nextPollAt: nextPollAt({ ...run, state: 'CUTOVER_UNKNOWN' }, now, settings) },
  });
