import type { Stored } from '../../lib/aws/state.ts';
import { AutomationError } from '../../lib/errors.ts';
import { keepTimeline } from './pages.ts';
import { keys, Run } from './run.ts';
import type { Context } from './services.ts';

/** What became of a run's outbox: the run as it is stored now, and why something in it could not be told yet. */
export interface Emptied {
  readonly stored: Stored<Run>;
  readonly problem?: AutomationError;
}

/**
 * Writes the record and tells the bus what a run still has to say, then takes that off the run. A record line is written
 * once, whoever writes it; an event at least once. A bus that is out of reach holds nobody up: what could not be told
 * stays for the next time. Answers undefined where somebody else wrote the run meanwhile.
 */
export async function emptyOutbox(context: Context, stored: Stored<Run>): Promise<Emptied | undefined> {
  const {
    services: { state, events },
    deadline,
  } = context;
  const run = stored.value;
  if (run.record.unwritten.length === 0 && run.toTell.length === 0) return { stored };
  for (const entry of run.record.unwritten) {
    // There already: written by a process that ended before it could say so.
    await state.create(keys.record(run.runId, entry.seq), entry, deadline);
  }
  let told = 0;
  let problem: AutomationError | undefined;
  try {
    for (const { detailType, detail } of run.toTell) {
      await events.publish({ detailType, detail }, deadline);
      told++;
    }
  } catch (error) {
    if (!(error instanceof AutomationError)) throw error;
    problem = error;
  }
  if (run.record.unwritten.length > 0) await keepTimeline(context, run);
  if (run.record.unwritten.length === 0 && told === 0) return { stored, ...(problem && { problem }) };
  const emptied: Run = { ...run, record: { ...run.record, unwritten: [] }, toTell: run.toTell.slice(told) };
  const after = await state.replace(stored, emptied, deadline);
  return after && { stored: after, ...(problem && { problem }) };
}

/** A run as it is stored now. */
export const readRun = ({ services: { state }, deadline }: Context, runId: string): Promise<Stored<Run> | undefined> =>
  state.read(keys.run(runId), Run, deadline);
