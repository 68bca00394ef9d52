import { createHash } from 'node:crypto';
import * as z from 'zod';
import { MigrationState } from '../../lib/events/migration.ts';
import { MigrationRequest } from './contract.ts';

const At = z.iso.datetime();

/** One look at a migration that went on. */
const Poll = z.object({ at: At, ready: z.boolean(), lagSeconds: z.number().nullable() });
export type Poll = z.output<typeof Poll>;

/** What is still to be told: written with the state it follows from, and taken off once it is told. */
const ToTell = z.object({ detailType: z.string(), detail: z.record(z.string(), z.unknown()) });
export type ToTell = z.output<typeof ToTell>;

/** One line of a migration's record; each holds the hash of the one before it. */
export const RecordEntry = z.object({
  seq: z.int().min(0),
  at: At,
  by: z.string(),
  what: z.string(),
  facts: z.record(z.string(), z.unknown()),
  previous: z.string(),
  hash: z.string(),
});
export type RecordEntry = z.output<typeof RecordEntry>;

/**
 * All that is known of one migration, and the only truth about it: Atlas offers no list, and shows neither source nor
 * destination. Never holds a credential.
 */
export const Run = z.object({
  runId: z.string(),
  state: MigrationState,
  reason: z.string(),
  createdAt: At,
  requestedBy: z.string(),
  /** Who made the plan: neither of both may approve the cutover. */
  plannedBy: z.string(),
  request: MigrationRequest,
  requestHash: z.string(),
  planDigest: z.string(),
  /** The inventory of what a migration does not bring along, which the approval accepts. */
  notMigrated: z.array(z.string()),
  drop: z.object({ approvedBy: z.string(), snapshotId: z.string() }).optional(),

  /** Written before the POST; whoever finds it after `until` knows that its sender is gone. */
  start: z.object({ intendedAt: At, until: At }),
  /** Its answer was lost: as long as no id is known, it may have been carried out without anybody seeing it. */
  startUnknown: z.boolean().optional(),
  /** Atlas's `_id`. */
  liveMigrationId: z.string().optional(),
  startedAt: At.optional(),

  polls: z.array(Poll),
  /** Polls in a row that would let a cutover begin. */
  steady: z.int(),
  /** The last look that found it not ready before it first was: from then on Atlas's clock may have run. */
  lastNotReadyAt: At.optional(),
  firstReadyAt: At.optional(),
  extension: z.object({ until: At, recordedBy: z.string(), note: z.string() }).optional(),
  /** What people were told of once, and are not told of again. */
  warned: z.array(z.string()),
  /** Looks in a row at which Atlas did not know the id. */
  missing: z.int(),
  polledAt: At.optional(),
  nextPollAt: At,
  /** Somebody said no for a while: no approval is asked for before. */
  askNotBefore: At.optional(),

  asked: z
    .object({ approvalId: z.string(), at: At, until: At, lagSeconds: z.number(), planDigest: z.string() })
    .optional(),
  approval: z.object({ approvalId: z.string(), by: z.string(), at: At, lagSeconds: z.number() }).optional(),
  cutover: z.object({ intendedAt: At, until: At, by: z.enum(['us', 'somebody else']) }).optional(),
  cutOverAt: At.optional(),
  endedAt: At.optional(),
  /** Nobody looks after it any more, and Atlas goes on: until its events tell the end, what it uses stays taken. */
  runsOn: z.boolean().optional(),
  /** The destination's first snapshot after the cutover, which ends the migration. */
  snapshotId: z.string().optional(),
  /** Whether it still holds its destination and its host, which nobody else may use meanwhile. */
  held: z.boolean(),
  /** How far back the source's oplog reaches, where the source was looked at. */
  oplogWindowSeconds: z.number().optional(),
  /** The version of the source's secret it was started with: Atlas keeps using that one. */
  secretVersion: z.string().optional(),
  undo: z.object({
    fcvPinned: z.boolean(),
    archives: z.array(z.string()),
    /** The source's secret carries the mark that it is in use. */
    secretMarked: z.boolean(),
    attempts: z.int(),
    problem: z.string().optional(),
  }),

  record: z.object({ seq: z.int(), hash: z.string(), unwritten: z.array(RecordEntry) }),
  toTell: z.array(ToTell),
});
export type Run = z.output<typeof Run>;

/** States nothing leaves any more by itself. */
export const ENDS: ReadonlySet<MigrationState> = new Set([
  'COMPLETE',
  'FAILED',
  'EXPIRED',
  'CANCELLED_OUTSIDE',
  'ABANDONED',
]);

/** Whether something done around a migration is still to be undone. */
export const hasToUndo = ({ undo }: Pick<Run, 'undo'>): boolean =>
  undo.fcvPinned || undo.archives.length > 0 || undo.secretMarked;

/** Where a run, and what it holds, lies in the state table. */
export const keys = {
  run: (runId: string) => ({ pk: 'migration', sk: runId }),
  /** The runs somebody still has to look after. */
  active: (runId: string) => ({ pk: 'migration-active', sk: runId }),
  plan: (digest: string) => ({ pk: 'migration-plan', sk: digest }),
  validation: (requestHash: string) => ({ pk: 'migration-validation', sk: requestHash }),
  destination: (groupId: string, clusterName: string) => ({
    pk: 'migration-destination',
    sk: `${groupId}/${clusterName}`,
  }),
  host: (host: string) => ({ pk: 'migration-host', sk: host.toLowerCase() }),
  /** What is left of the last start into a destination. */
  lastStart: (groupId: string, clusterName: string) => ({
    pk: 'migration-last-start',
    sk: `${groupId}/${clusterName}`,
  }),
  /** Which run an id of Atlas's belongs to. */
  liveMigration: (id: string) => ({ pk: 'migration-id', sk: id }),
  record: (runId: string, seq: number) => ({ pk: `migration-record#${runId}`, sk: String(seq).padStart(8, '0') }),
};

/** JSON with its keys in order, so that equal things have equal hashes. */
export const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, each: unknown) =>
    each !== null && typeof each === 'object' && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** What a validation, a plan and an approval are bound to. */
export const requestHashOf = (request: MigrationRequest): string => sha256(canonical(request));
