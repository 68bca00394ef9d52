/**
 * Looks after every live migration that runs: where it stands, how long Atlas waits for its cutover, and whom it needs.
 * Trigger: every minute. Effects: reads Atlas, writes the state table, puts events on the bus, sends a cutover that was
 * approved, gives back what an ended migration held. Safe to run again at any time and beside itself.
 */
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import * as z from 'zod';
import { AutomationError } from '../../lib/errors.ts';
import { defineHandler } from '../../lib/runtime/handler.ts';
import { carryOn } from './carry-on.ts';
import { Config, Settings, WatchEvent } from './contract.ts';
import { WatchIncomplete } from './errors.ts';
import { isDone } from './release.ts';
import { keys, type Run } from './run.ts';
import { type Context, createServices } from './services.ts';
import { summaryOf } from './summary.ts';

/** Migrations looked at side by side. */
const SIDE_BY_SIDE = 10;
/** A tick comes every minute: what falls due before the next one is waited for. */
const TICK_MS = 50_000;

const Active = z.object({ runId: z.string() });

export const handler = defineHandler({
  name: 'watch-live-migrations',
  config: Config,
  settings: Settings,
  event: WatchEvent,
  services: createServices,

  async run({ runId, dryRun, at }, { services, settings: { migration }, log, metrics, deadline, clock }) {
    const context: Context = { services, settings: migration, log, clock, deadline };
    const began = clock.now();
    const now = () => new Date((at ?? began).getTime() + clock.now().getTime() - began.getTime());
    const runs = new Map<string, Run>();
    const failed: { runId: string; code: string; reason: string }[] = [];
    let polls = 0;

    const lookAfter = async (id: string, isDue: (run: Run) => boolean): Promise<void> => {
      try {
        const run = dryRun ? await readOnly(context, id) : await carryOn(context, id, isDue);
        polls++;
        if (!run) return;
        runs.set(id, run);
        if (!dryRun && isDone(run)) await retire(context, id);
      } catch (error) {
        const code = error instanceof AutomationError ? error.code : 'UNEXPECTED';
        log.error('a migration could not be looked after', {
          facts: { runId: id, code },
          error: error instanceof Error ? error : undefined,
        });
        failed.push({ runId: id, code, reason: error instanceof Error ? error.message : String(error) });
      }
    };

    const active: string[] = [];
    for await (const { value } of services.state.list('migration-active', Active, deadline)) active.push(value.runId);
    const wanted = runId === undefined ? active : [runId];
    // By hand, and at the first look in this process's life, what is asked about is looked at now.
    const isDue = (run: Run): boolean => runId !== undefined || Date.parse(run.nextPollAt) <= now().getTime();
    await sideBySide(wanted, (id) => lookAfter(id, isDue));

    // Those due before the next tick are not left to it.
    while (at !== undefined && !dryRun) {
      const next = [...runs.values()]
        .filter((run) => !isDone(run))
        .map((run) => Date.parse(run.nextPollAt))
        .reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
      const wait = next - now().getTime();
      const left = TICK_MS - (clock.now().getTime() - began.getTime());
      if (wait > left || wait > deadline.remainingMs() - 10_000) break;
      await clock.sleep(Math.max(wait, 200), deadline.signal);
      const due = [...runs.values()].filter((run) => Date.parse(run.nextPollAt) <= now().getTime());
      if (due.length === 0) break;
      await sideBySide(
        due.map(({ runId: id }) => id),
        (id) => lookAfter(id, isDue),
      );
    }

    metrics.addMetric('MigrationsActive', MetricUnit.Count, active.length);
    metrics.addMetric('MigrationLooks', MetricUnit.Count, polls);
    if (failed.length > 0) {
      throw new WatchIncomplete(`${failed.length} of ${wanted.length} migrations could not be looked after`, {
        failed,
      });
    }
    return { dryRun, migrations: [...runs.values()].map((run) => summaryOf(run, now(), migration)) };
  },
});

const readOnly = async ({ services: { state }, deadline }: Context, runId: string): Promise<Run | undefined> => {
  const { Run: schema } = await import('./run.ts');
  return (await state.read(keys.run(runId), schema, deadline))?.value;
};

/** Nothing is left to do for it: it is remembered, and no longer looked after. */
async function retire({ services: { state }, deadline }: Context, runId: string): Promise<void> {
  const marker = await state.read(keys.active(runId), Active, deadline);
  if (marker) await state.remove(marker, deadline);
}

async function sideBySide(ids: readonly string[], work: (id: string) => Promise<void>): Promise<void> {
  const queue = ids.values();
  const worker = async (): Promise<void> => {
    // Shared by all: each takes the next one that nobody has taken.
    for (const id of queue) await work(id);
  };
  await Promise.all(Array.from({ length: Math.min(SIDE_BY_SIDE, ids.length) }, worker));
}
