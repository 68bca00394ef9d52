import type { Stored } from '../../lib/aws/state.ts';
import { keys, Run } from './run.ts';
import type { Context } from './services.ts';

/**
 * Writes the record and tells the bus what a run still has to say, then takes that off the run. A record line is written
 * once, whoever writes it; an event at least once. Answers the run as it stands after, or undefined where somebody else
 * wrote it meanwhile.
 */
export async function emptyOutbox(
  { services: { state, events }, deadline }: Context,
  stored: Stored<Run>,
): Promise<Stored<Run> | undefined> {
  const run = stored.value;
  if (run.record.unwritten.length === 0 && run.toTell.length === 0) return stored;
  for (const entry of run.record.unwritten) {
    // There already: written by a process that ended before it could say so.
    await state.create(keys.record(run.runId, entry.seq), entry, deadline);
  }
  for (const { detailType, detail } of run.toTell) await events.publish({ detailType, detail }, deadline);
  const emptied: Run = { ...run, record: { ...run.record, unwritten: [] }, toTell: [] };
  return state.replace(stored, emptied, deadline);
}

/** A run as it is stored now. */
export const readRun = ({ services: { state }, deadline }: Context, runId: string): Promise<Stored<Run> | undefined> =>
  state.read(keys.run(runId), Run, deadline);
