import * as z from 'zod';
import { AutomationError } from '../../lib/errors.ts';
import { type Answered, approve, reject } from './approval.ts';
import { carryOn } from './carry-on.ts';
import { brokenAt } from './change.ts';
import type { Command, CommandOf } from './contract.ts';
import { abandon, type Claimed, identify, recordExtension } from './decisions.ts';
import { MigrationRefused } from './errors.ts';
import { atlasNow, hostsOf, importEvents, lookAtMigration } from './look.ts';
import { makePlan } from './make-plan.ts';
import { readRun } from './outbox.ts';
import { keys, RecordEntry, Run } from './run.ts';
import type { Context } from './services.ts';
import { start } from './start.ts';
import { summaryOf } from './summary.ts';

/** Carries one command out. */
export async function command(context: Context, given: Command): Promise<Record<string, unknown>> {
  const { settings } = context;
  switch (given.action) {
    case 'plan':
      return makePlan(context, given);
    case 'start':
      return startOnce(context, given);
    case 'status':
      return status(context, given);
    case 'approve-cutover':
      return decide(context, given, (run, now) => approve(run, given, now, settings));
    case 'reject-cutover':
      return decide(context, given, (run, now) => reject(run, given, now));
    case 'abandon':
      return decide(context, given, (run, now) => abandon(run, given, now));
    case 'record-extension':
      return decide(context, given, (run, now) => recordExtension(run, given, now, settings));
    case 'identify':
      return identifyRun(context, given);
    case 'verify-record':
      return verifyRecord(context, given.runId);
  }
}

async function startOnce(context: Context, given: CommandOf<'start'>) {
  const run = await start(context, given);
  const { dryRun } = given;
  const after = dryRun ? run : ((await carryOn(context, run.runId, () => false)) ?? run);
  return { dryRun, migration: await summarized(context, after) };
}

const summarized = async (context: Context, run: Run) => summaryOf(run, await atlasNow(context, run), context.settings);

async function status(context: Context, { runId, ended, limit, after }: CommandOf<'status'>) {
  const {
    services: { state },
    settings,
    deadline,
  } = context;
  if (runId !== undefined) {
    const run = await known(context, runId);
    return { migrations: [await summarized(context, run)], polls: run.polls, events: await eventsOf(context, run) };
  }
  const migrations = [];
  const behind = after === undefined ? {} : { after };
  const listed = ended
    ? state.list('migration', Run, deadline, behind)
    : active(context, state.list('migration-active', z.object({ runId: z.string() }), deadline, behind));
  for await (const { value } of listed) {
    if (migrations.length === limit) return { migrations, next: migrations.at(-1)?.runId };
    migrations.push(summaryOf(value, new Date(value.polledAt ?? value.createdAt), settings));
  }
  return { migrations };
}

/** What Atlas's project feed tells of it, newest first, whoever did it; empty where it can't be read. */
async function eventsOf(context: Context, { request, start: { intendedAt } }: Run) {
  try {
    const { what } = await importEvents(context, request.destination, new Date(intendedAt));
    return what.map(({ type, at }) => ({ type, at: at?.toISOString() ?? null }));
  } catch (error) {
    if (!(error instanceof AutomationError)) throw error;
    return [];
  }
}

async function* active(context: Context, markers: AsyncIterable<{ readonly value: { readonly runId: string } }>) {
  for await (const { value } of markers) {
    const stored = await readRun(context, value.runId);
    if (stored) yield stored;
  }
}

async function known(context: Context, runId: string): Promise<Run> {
  const stored = await readRun(context, runId);
  if (stored) return stored.value;
  throw new MigrationRefused('MIGRATION_UNKNOWN_RUN', `there is no migration ${runId}`);
}

/**
 * Writes what somebody decided, and brings the migration on by it. A decision that comes too late, twice, or from the
 * wrong person is recorded, and refused with the reason; nothing is sent then.
 */
async function decide(
  context: Context,
  { runId, dryRun }: { readonly runId: string; readonly dryRun: boolean },
  by: (run: Run, now: Date) => Answered,
  { looks = false }: { readonly looks?: boolean } = {},
) {
  const {
    services: { state },
    deadline,
  } = context;
  for (;;) {
    const stored = await readRun(context, runId);
    if (!stored) throw new MigrationRefused('MIGRATION_UNKNOWN_RUN', `there is no migration ${runId}`);
    const now = await atlasNow(context, stored.value);
    const { run, refused } = by(stored.value, now);
    const written = dryRun || run === stored.value || (await state.replace(stored, run, deadline));
    // Somebody else wrote it meanwhile: decided again, on what it is now.
    if (!written) continue;
    if (refused !== undefined) {
      if (!dryRun) await carryOn(context, runId, () => false);
      throw new MigrationRefused('MIGRATION_REFUSED', `not taken: ${refused}`, [refused]);
    }
    const after = dryRun ? run : ((await carryOn(context, runId, () => looks)) ?? run);
    return { dryRun, migration: summaryOf(after, now, context.settings) };
  }
}

const Owner = z.object({ runId: z.string() });

/** An id is looked at before it is believed, and belongs to one run. */
async function identifyRun(context: Context, given: CommandOf<'identify'>) {
  const {
    services: { state },
    deadline,
  } = context;
  const { runId, liveMigrationId, dryRun } = given;
  const run = await known(context, runId);
  const { what: seen } = await lookAtMigration(context, { ...run, liveMigrationId });
  const key = keys.liveMigration(liveMigrationId);
  const owner = (await state.read(key, Owner, deadline))?.value.runId;
  const claimed: Claimed = {
    seen,
    hosts: seen === 'unknown id' ? [] : await hostsOf(context, { ...run, liveMigrationId }),
    otherRun: owner === runId ? undefined : owner,
  };
  const isGood = identify(run, given, context.clock.now(), claimed).refused === undefined;
  // Of two who give the same id to two runs, one is first.
  if (isGood && !dryRun && owner === undefined && !(await state.create(key, { runId }, deadline)))
    return identifyRun(context, given);
  return decide(context, given, (now, at) => identify(now, given, at, claimed), { looks: true });
}

const MOST_READS = 3;

/** The record as it is, read until nobody wrote between its lines and its end. */
async function verifyRecord(context: Context, runId: string) {
  const {
    services: { state },
    deadline,
  } = context;
  for (let read = 1; ; read++) {
    const entries: RecordEntry[] = [];
    for await (const { value } of state.list(keys.record(runId, 0).pk, RecordEntry, deadline)) entries.push(value);
    const run = await known(context, runId);
    const all = [...entries, ...run.record.unwritten.filter(({ seq }) => seq >= entries.length)];
    const broken = brokenAt(all, run.record);
    if (broken !== undefined && read < MOST_READS) continue;
    return { runId, entries: all, whole: broken === undefined, ...(broken !== undefined && { brokenAt: broken }) };
  }
}
