import { AutomationError } from '../../lib/errors.ts';
import { carryOn } from './carry-on.ts';
import type { WatchEvent } from './contract.ts';
import { Marker, retire } from './holds.ts';
import { readRun } from './outbox.ts';
import { isDone } from './release.ts';
import { keys, type Run } from './run.ts';
import type { Context } from './services.ts';
import { summaryOf } from './summary.ts';

/** Migrations looked at side by side. */
const SIDE_BY_SIDE = 10;
/** A tick comes every minute, and what falls due before the next one is waited for: all but the last two seconds. */
const OWN_MS = 58_000;
/**
 * What falls due then is the next tick's. Ticks can be late, and during a cutover a look must not be: for that this one
 * stays as long, and looks after a moment at what the next one has not.
 */
const REACH_MS = 66_000;
const MOMENT_MS = 1_500;
const IN_CUTOVER: ReadonlySet<Run['state']> = new Set(['CUTTING_OVER', 'CUTOVER_UNKNOWN']);
/** Left for the looks themselves at the end of a tick. */
const RESERVE_MS = 10_000;

export interface Watched {
  readonly migrations: ReturnType<typeof summaryOf>[];
  readonly active: number;
  readonly looks: number;
  readonly failed: readonly { readonly runId: string; readonly code: string; readonly reason: string }[];
}

/** One tick: every migration that is due, and those that fall due before the next tick; or one of them, by hand. */
export async function watch(context: Context, { runId, dryRun, at, waits }: WatchEvent): Promise<Watched> {
  const { services, settings, log, clock, deadline } = context;
  const began = clock.now();
  // An event that was held up on its way does not turn the time back.
  const from = Math.max(at?.getTime() ?? 0, began.getTime());
  const isOld = at !== undefined && from - at.getTime() > LATEST_EVENT_MS;
  const offset = (isOld ? at.getTime() : from) - began.getTime();
  const now = () => new Date(clock.now().getTime() + offset);
  const runs = new Map<string, Run>();
  const failed = new Map<string, Watched['failed'][number]>();
  const missing: string[] = [];
  let looks = 0;

  const isDue = (run: Run): boolean => runId !== undefined || Date.parse(run.nextPollAt) <= now().getTime();
  const lookAfter = async (id: string): Promise<void> => {
    try {
      const run = dryRun ? (await readRun(context, id))?.value : await carryOn(context, id, isDue);
      looks++;
      if (run) runs.set(id, run);
      else missing.push(id);
      failed.delete(id);
    } catch (error) {
      // Not tried again in this tick: the next one does.
      runs.delete(id);
      const code = error instanceof AutomationError ? error.code : 'UNEXPECTED';
      log.error('a migration could not be looked after', {
        facts: { runId: id, code },
        error: error instanceof Error ? error : undefined,
      });
      failed.set(id, { runId: id, code, reason: error instanceof Error ? error.message : String(error) });
    }
  };

  const active: string[] = [];
  for await (const { value } of services.state.list('migration-active', Marker, deadline)) active.push(value.runId);
  await sideBySide(runId === undefined ? active : [runId], lookAfter);

  while (waits && !dryRun) {
    const open = [...runs.values()].filter((run) => !isDone(run));
    const elapsed = clock.now().getTime() - began.getTime();
    const awaited = open
      .map((run) => ({ run, wait: Date.parse(run.nextPollAt) - now().getTime() }))
      .filter(({ run, wait }) => elapsed + wait <= (IN_CUTOVER.has(run.state) ? REACH_MS : OWN_MS));
    const wait = Math.min(...awaited.map((each) => each.wait));
    if (awaited.length === 0 || wait > deadline.remainingMs() - RESERVE_MS) break;
    const pause = elapsed + wait <= OWN_MS ? wait : wait + MOMENT_MS;
    await clock.sleep(Math.max(pause, SHORTEST_MS), deadline.signal);
    await sideBySide(
      open.filter(isDue).map(({ runId: id }) => id),
      lookAfter,
    );
  }

  if (!dryRun) {
    const over = [...runs.values()].filter(isDone).map(({ runId: id }) => id);
    for (const id of [...over, ...missing]) await tidyUp(context, id, now());
  }
  return {
    migrations: [...runs.values()].map((run) => summaryOf(run, now(), settings)),
    active: active.length,
    looks,
    failed: [...failed.values()],
  };
}

/** An event this late is of another clock than this machine's. */
const LATEST_EVENT_MS = 5 * 60_000;
/** Two looks of one tick are never closer together. */
const SHORTEST_MS = 200;

/** Nothing is left to do for a run that is done, nor for one that never came to be and whose process is gone. */
async function tidyUp(context: Context, runId: string, now: Date): Promise<void> {
  const {
    services: { state },
    deadline,
  } = context;
  const marker = await state.read(keys.active(runId), Marker, deadline);
  if (!marker) return;
  const run = await readRun(context, runId);
  if (run ? isDone(run.value) : Date.parse(marker.value.until) <= now.getTime()) await retire(context, marker);
}

async function sideBySide(ids: readonly string[], work: (id: string) => Promise<void>): Promise<void> {
  const queue = ids.values();
  const worker = async (): Promise<void> => {
    // Shared by all: each takes the next one that nobody has taken.
    for (const id of queue) await work(id);
  };
  await Promise.all(Array.from({ length: Math.min(SIDE_BY_SIDE, ids.length) }, worker));
}
