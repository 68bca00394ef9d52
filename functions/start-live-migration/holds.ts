import * as z from 'zod';
import type { Key, Stored } from '../../lib/aws/state.ts';
import { MigrationUnderWay, migrationKey } from '../../lib/migrations-under-way.ts';
import { keys, Run } from './run.ts';
import type { Context } from './services.ts';

/** Who holds a destination or a host, and until when a holder without a run is believed to be on its way to one. */
const Hold = z.object({ runId: z.string(), until: z.iso.datetime() });

/** A run somebody has to look after; with what it takes, so that a run that never came to be can be tidied up. */
export const Marker = Hold.extend({ groupId: z.string(), clusterName: z.string(), host: z.string() });

/** What is left of the last start into a destination. */
const LastStart = z.object({ runId: z.string(), unsure: z.boolean() });

const destinationOf = ({ groupId, clusterName }: { readonly groupId: string; readonly clusterName: string }) =>
  keys.destination(groupId, clusterName);

/** The run that has what lies at `key`; one whose holder never came to be, or gave it back, has it no longer. */
export async function holderOf(
  { services: { state }, deadline }: Context,
  key: Key,
  now: Date,
): Promise<string | undefined> {
  const held = (await state.read(key, Hold, deadline))?.value;
  if (!held || Date.parse(held.until) > now.getTime()) return held?.runId;
  const run = await state.read(keys.run(held.runId), Run, deadline);
  return run?.value.held ? held.runId : undefined;
}

/** Takes something for a run; false where another run has it. What a run has already it takes anew, and by that for longer. */
async function take(context: Context, key: Key, run: Run): Promise<boolean> {
  const {
    services: { state },
    deadline,
  } = context;
  const mine = { runId: run.runId, until: run.start.until };
  for (;;) {
    if (await state.create(key, mine, deadline)) return true;
    const held = await state.read(key, Hold, deadline);
    // Given back, or changed, at this moment: looked at again.
    if (!held) continue;
    if (held.value.runId !== run.runId && (await holderOf(context, key, new Date(run.createdAt))) !== undefined)
      return false;
    if (await state.replace(held, mine, deadline)) return true;
  }
}

/** Writes over whatever is there, so that nobody who read it before can remove it any more. */
async function put(context: Context, key: Key, value: object): Promise<void> {
  const {
    services: { state },
    deadline,
  } = context;
  for (;;) {
    if (await state.create(key, value, deadline)) return;
    const there = await state.read(key, z.unknown(), deadline);
    if (there && (await state.replace(there, value, deadline))) return;
  }
}

/**
 * Takes the destination and the host for a run that is about to be stored; answers what is taken by others. The marker
 * comes before the run, so that no run is ever without somebody who looks after it.
 */
export async function takeFor(context: Context, run: Run): Promise<string[]> {
  const { destination, migrationHost: host } = run.request;
  const problems: string[] = [];
  if (!(await take(context, destinationOf(destination), run)))
    problems.push('the destination is taken by another migration');
  if (!(await take(context, keys.host(host), run))) problems.push('the migration host is used by another migration');
  // What was taken all the same is given back by itself: a hold without a run ends.
  if (problems.length > 0) return problems;
  const { groupId, clusterName } = destination;
  const marker = { runId: run.runId, until: run.start.until, groupId, clusterName, host };
  await put(context, keys.active(run.runId), marker);
  const underWay: MigrationUnderWay = { migrationId: run.runId, state: run.state, since: run.createdAt };
  await put(context, migrationKey(groupId, clusterName), underWay);
  return [];
}

/** Gives back what a run holds; what another one holds by now stays. Safe to repeat. */
export async function giveBack(
  context: Context,
  { runId, groupId, clusterName, host }: Omit<z.output<typeof Marker>, 'until'>,
): Promise<void> {
  const {
    services: { state },
    deadline,
  } = context;
  for (const key of [keys.destination(groupId, clusterName), keys.host(host)]) {
    const held = await state.read(key, Hold, deadline);
    if (held?.value.runId === runId) await state.remove(held, deadline);
  }
  const told = await state.read(migrationKey(groupId, clusterName), MigrationUnderWay, deadline);
  if (told?.value.migrationId === runId) await state.remove(told, deadline);
}

/** What a run takes, as its marker says it. */
export const takenBy = ({ runId, request: { destination, migrationHost } }: Run) => ({
  runId,
  groupId: destination.groupId,
  clusterName: destination.clusterName,
  host: migrationHost,
});

/**
 * Tidies up after a run: one that is done, or one that never came to be because its process ended in between. Whoever
 * takes the same up again at this moment writes over all of it first, and by that keeps it.
 */
export async function retire(
  { services: { state }, deadline }: Context,
  { key, version, value }: Stored<z.output<typeof Marker>>,
): Promise<void> {
  const { runId, groupId, clusterName, host } = value;
  const told = await state.read(migrationKey(groupId, clusterName), MigrationUnderWay, deadline);
  for (const hold of [keys.destination(groupId, clusterName), keys.host(host)]) {
    const held = await state.read(hold, Hold, deadline);
    if (held?.value.runId === runId && held.value.until <= value.until) await state.remove(held, deadline);
  }
  if (told?.value.migrationId === runId) await state.remove(told, deadline);
  await state.remove({ key, version }, deadline);
}

/** Keeps what a later plan for the same destination has to know: whether this start may have been carried out unseen. */
export async function noteLastStart(context: Context, run: Run): Promise<void> {
  const { groupId, clusterName } = run.request.destination;
  const unsure = run.startUnknown === true && run.liveMigrationId === undefined;
  await put(context, keys.lastStart(groupId, clusterName), { runId: run.runId, unsure });
}

/** The run whose start into this destination may have been carried out without anybody seeing it. */
export async function unsureStart(
  { services: { state }, deadline }: Context,
  { groupId, clusterName }: { readonly groupId: string; readonly clusterName: string },
): Promise<string | undefined> {
  const last = (await state.read(keys.lastStart(groupId, clusterName), LastStart, deadline))?.value;
  return last?.unsure ? last.runId : undefined;
}
