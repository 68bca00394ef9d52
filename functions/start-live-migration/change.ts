import {
  MIGRATION_NEEDS_PERSON,
  MIGRATION_STATE_CHANGED,
  MigrationNeedsPerson,
  type MigrationState,
  MigrationStateChanged,
} from '../../lib/events/migration.ts';
import { canonical, ENDS, type RecordEntry, type Run, sha256 } from './run.ts';

/** What a person is needed for. */
export interface Call {
  readonly what: MigrationNeedsPerson['what'];
  readonly severity: MigrationNeedsPerson['severity'];
  readonly reason: string;
  readonly deadline?: string | undefined;
}

/** One step of a migration: where it goes, what changes with it, what the record says, and whom it needs. */
export interface Change {
  readonly to?: MigrationState;
  readonly reason: string;
  /** Who or what caused it; the watcher itself unless given. */
  readonly by?: string;
  readonly what: string;
  readonly facts?: Readonly<Record<string, unknown>>;
  readonly set?: Partial<Run>;
  readonly call?: Call | undefined;
}

/**
 * The run after a change, with what has to be written and told because of it inside: state, record and events are kept
 * in one write, so that none of them can be lost or come twice. Pure.
 */
export function changed(run: Run, now: Date, change: Change): Run {
  const { to = run.state, reason, by = 'watch-live-migrations', what, facts = {}, set = {}, call } = change;
  const at = now.toISOString();
  const about = {
    runId: run.runId,
    groupId: run.request.destination.groupId,
    clusterName: run.request.destination.clusterName,
    at,
  };
  const entry = entryAfter(run.record, { at, by, what, facts: { ...facts, state: to, reason } });
  const id = (kind: string) => sha256(`${run.runId} ${entry.seq} ${kind}`).slice(0, 32);
  const told =
    to === run.state
      ? []
      : [
          {
            detailType: MIGRATION_STATE_CHANGED,
            detail: MigrationStateChanged.parse({ ...about, id: id('state'), from: run.state, to, reason }),
          },
        ];
  const called = call
    ? [
        {
          detailType: MIGRATION_NEEDS_PERSON,
          detail: MigrationNeedsPerson.parse({
            ...about,
            id: id('call'),
            state: to,
            what: call.what,
            severity: call.severity,
            reason: call.reason,
            deadline: call.deadline ?? null,
          }),
        },
      ]
    : [];
  const hasEnded = ENDS.has(to) && !ENDS.has(run.state);
  return {
    ...run,
    ...set,
    state: to,
    reason,
    ...(to === 'CUT_OVER' && to !== run.state && { cutOverAt: at }),
    ...(hasEnded && { endedAt: at, asked: undefined }),
    record: { seq: entry.seq, hash: entry.hash, unwritten: [...run.record.unwritten, entry] },
    toTell: kept([...run.toTell, ...told, ...called]),
  };
}

/** More than a migration ever has to say while the bus can be reached; an item of the state table has an end. */
const MOST_UNTOLD = 150;

/** With a bus that is out of reach for days, calls for people are kept and the oldest changes of state are not: the record has those. */
function kept(toTell: Run['toTell']): Run['toTell'] {
  let over = toTell.length - MOST_UNTOLD;
  return toTell.filter(({ detailType }) => detailType !== MIGRATION_STATE_CHANGED || over-- <= 0);
}

/** The next line of a record: its hash covers the line and, through the hash before it, all lines before it. */
export function entryAfter(
  record: Pick<Run['record'], 'seq' | 'hash'>,
  line: Pick<RecordEntry, 'at' | 'by' | 'what' | 'facts'>,
): RecordEntry {
  const entry = { seq: record.seq + 1, ...line, facts: plain(line.facts), previous: record.hash };
  return { ...entry, hash: hashOf(entry) };
}

/** What the state table keeps of facts: no undefined in them, so that a line read back has the hash it was written with. */
const plain = (facts: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));

const hashOf = (entry: Omit<RecordEntry, 'hash'>): string => sha256(canonical(entry));

/** The hash before the first line. */
export const BEGINNING = '0'.repeat(64);

/** Whether a record is whole: every line there, unchanged, in order, and ending as the run says. */
export function brokenAt(
  entries: readonly RecordEntry[],
  end: Pick<Run['record'], 'seq' | 'hash'>,
): number | undefined {
  let previous = BEGINNING;
  for (const [index, { hash, ...entry }] of entries.entries()) {
    if (entry.seq !== index || entry.previous !== previous || hash !== hashOf(entry)) return index;
    previous = hash;
  }
  return entries.length - 1 === end.seq && previous === end.hash ? undefined : entries.length;
}
