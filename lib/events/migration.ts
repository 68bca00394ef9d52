import * as z from 'zod';

/** Where a migration stands. The last five are ends. */
export const MigrationState = z.enum([
  'START_INTENT',
  'START_UNKNOWN',
  'STARTED_UNIDENTIFIED',
  'SYNCING',
  'READY',
  'APPROVED',
  'CUTOVER_INTENT',
  'CUTOVER_UNKNOWN',
  'CUTTING_OVER',
  'CUT_OVER',
  'COMPLETE',
  'FAILED',
  'EXPIRED',
  'CANCELLED_OUTSIDE',
  'ABANDONED',
]);
export type MigrationState = z.output<typeof MigrationState>;

const about = {
  /** Equal for every repeat of the same event: consumers tell repeats by it. */
  id: z.string(),
  runId: z.string(),
  groupId: z.string(),
  clusterName: z.string(),
  at: z.iso.datetime(),
};

/** A migration entered a state. */
export const MigrationStateChanged = z.object({
  ...about,
  from: MigrationState.nullable(),
  to: MigrationState,
  reason: z.string(),
});
export type MigrationStateChanged = z.output<typeof MigrationStateChanged>;
export const MIGRATION_STATE_CHANGED = 'Live Migration State Changed';

/** A migration that only a person can bring on: an approval, a decision, or a deadline that comes near. */
export const MigrationNeedsPerson = z.object({
  ...about,
  state: MigrationState,
  /**
   * Stable, for routing: `approve-cutover`, `deadline`, `lag`, `start-unknown`, `cutover-unknown`, `unknown-id`,
   * `source-secret`, `collections`, `first-snapshot`, `ended`, `undo`. Over as soon as the run leaves `state`.
   */
  what: z.string(),
  severity: z.enum(['critical', 'warning', 'info']),
  reason: z.string(),
  /** The earliest instant the wait may end badly at; null where nothing runs out. */
  deadline: z.iso.datetime().nullable(),
});
export type MigrationNeedsPerson = z.output<typeof MigrationNeedsPerson>;
export const MIGRATION_NEEDS_PERSON = 'Live Migration Needs A Person';
