/**
 * Plans a live migration, starts it once, and takes the decisions of people about it.
 * Trigger: by hand. Effects: by `action`: a validation in Atlas (plan), a migration (start), a cutover (approve-cutover);
 * the state table, events, pages in the report bucket. Each command may be repeated: what was done is not done twice.
 */
import { defineHandler } from '../../lib/runtime/handler.ts';
import { approve, reject } from './approval.ts';
import { carryOn } from './carry-on.ts';
import { brokenAt, changed } from './change.ts';
import { Command, type CommandOf, Config, Settings } from './contract.ts';
import { MigrationRefused } from './errors.ts';
import { importEvents } from './look.ts';
import { makePlan } from './make-plan.ts';
import { readRun } from './outbox.ts';
import { ENDS, keys, RecordEntry, Run } from './run.ts';
import { type Context, createServices } from './services.ts';
import { start } from './start.ts';
import { summaryOf } from './summary.ts';

export const handler = defineHandler({
  name: 'command-live-migration',
  config: Config,
  settings: Settings,
  event: Command,
  services: createServices,

  async run(command, { services, settings: { migration }, log, clock, deadline }) {
    const context: Context = { services, settings: migration, log, clock, deadline };
    switch (command.action) {
      case 'plan':
        return makePlan(context, command);
      case 'start': {
        const run = await start(context, command);
        if (!command.dryRun) await carryOn(context, run.runId, () => false);
        return { dryRun: command.dryRun, migration: await summarized(context, run) };
      }
      case 'status':
        return status(context, command);
      case 'approve-cutover':
        return decide(context, command, (run, now) => approve(run, command, now, migration));
      case 'reject-cutover':
        return decide(context, command, (run, now) => reject(run, command, now));
      case 'abandon':
        return decide(context, command, (run, now) => abandon(run, command, now));
      case 'record-extension':
        return decide(context, command, (run, now) => recordExtension(run, command, now));
      case 'identify':
        return decide(context, command, (run, now) => identify(run, command, now));
      case 'verify-record':
        return verifyRecord(context, command.runId);
    }
  },
});

const summarized = async (context: Context, run: Run) => summaryOf(run, await atlasNow(context, run), context.settings);

/** What time it is for a migration: Atlas's, not this machine's. */
const atlasNow = async (context: Context, { request }: Pick<Run, 'request'>): Promise<Date> =>
  (await importEvents(context, request.destination, new Date())).now;

async function status(context: Context, { runId }: CommandOf<'status'>) {
  const {
    services: { state },
    settings,
    deadline,
  } = context;
  if (runId !== undefined) {
    const run = await known(context, runId);
    return { migrations: [await summarized(context, run)], polls: run.polls };
  }
  const migrations = [];
  for await (const { value } of state.list('migration', Run, deadline))
    migrations.push(summaryOf(value, new Date(value.polledAt ?? value.createdAt), settings));
  return { migrations };
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
  by: (run: Run, now: Date) => { readonly run: Run; readonly refused?: string },
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
    const after = dryRun ? run : ((await carryOn(context, runId, () => false)) ?? run);
    return { dryRun, migration: summaryOf(after, now, context.settings) };
  }
}

function abandon(run: Run, { requestedBy, reason }: CommandOf<'abandon'>, now: Date) {
  if (ENDS.has(run.state)) return { run, refused: `it has ended already: ${run.state}` };
  const mayRun = run.state !== 'CUT_OVER';
  const warning = `${requestedBy} abandoned it: ${reason}${mayRun ? '; what runs in Atlas runs on until it is cancelled there' : ''}`;
  return {
    run: changed(run, now, {
      to: 'ABANDONED',
      what: 'abandoned it',
      reason: warning,
      by: requestedBy,
      set: { approval: undefined, asked: undefined },
      ...(mayRun && { call: { what: 'ended', severity: 'warning', reason: warning } }),
    }),
  };
}

function recordExtension(run: Run, { recordedBy, until, note }: CommandOf<'record-extension'>, now: Date) {
  if (ENDS.has(run.state)) return { run, refused: `it has ended already: ${run.state}` };
  if (Date.parse(until) <= now.getTime()) return { run, refused: 'until must be in the future' };
  const at = new Date(until).toISOString();
  return {
    run: changed(run, now, {
      what: 'recorded an extension',
      reason: run.reason,
      by: recordedBy,
      facts: { until: at, note },
      set: { extension: { until: at, recordedBy, note }, warnedAtHours: [] },
    }),
  };
}

function identify(run: Run, { liveMigrationId, identifiedBy }: CommandOf<'identify'>, now: Date) {
  const isLost = run.state === 'STARTED_UNIDENTIFIED' || run.state === 'START_UNKNOWN';
  if (!isLost) return { run, refused: `its id is known, or it never ran: ${run.state}` };
  return {
    run: changed(run, now, {
      to: 'SYNCING',
      what: 'gave the migration its id',
      reason: 'Atlas copies the data',
      by: identifiedBy,
      facts: { liveMigrationId },
      set: {
        liveMigrationId,
        startedAt: run.startedAt ?? run.start.intendedAt,
        missing: 0,
        nextPollAt: now.toISOString(),
      },
    }),
  };
}

async function verifyRecord(context: Context, runId: string) {
  const {
    services: { state },
    deadline,
  } = context;
  const run = await known(context, runId);
  const entries: RecordEntry[] = [];
  for await (const { value } of state.list(keys.record(runId, 0).pk, RecordEntry, deadline)) entries.push(value);
  const all = [...entries, ...run.record.unwritten.filter(({ seq }) => seq >= entries.length)];
  const broken = brokenAt(all, run.record);
  return { runId, entries: all, whole: broken === undefined, ...(broken !== undefined && { brokenAt: broken }) };
}
