/** What live migration and the snapshot audit tell each other through the state; neither knows the other's code. */
import * as z from 'zod';
import type { Key } from './aws/state.ts';

/** The partition of the clusters a live migration is writing into. */
export const MIGRATION_UNDER_WAY = 'migration-under-way';

/** Written by the migration while it is under way, removed when it is over: what the audit finds there is expected. */
export const MigrationUnderWay = z.object({
  migrationId: z.string(),
  /** The migration's own word for where it stands. */
  state: z.string(),
  since: z.iso.datetime(),
});
export type MigrationUnderWay = z.output<typeof MigrationUnderWay>;

export const migrationKey = (groupId: string, clusterName: string): Key => ({
  pk: MIGRATION_UNDER_WAY,
  sk: `${groupId}/${clusterName}`,
});

/** The partition of what each project's freshest snapshots are. */
export const FRESHEST_SNAPSHOT = 'freshest-snapshot';

/** Written by every audit, by cluster name; a migration asks it whether its target can be brought back. */
export const FreshestSnapshots = z.object({
  clusters: z.record(
    z.string(),
    z.object({
      snapshotId: z.string(),
      createdAt: z.iso.datetime(),
      /** When the audit last saw it in Atlas. */
      seenAt: z.iso.datetime(),
    }),
  ),
});
export type FreshestSnapshots = z.output<typeof FreshestSnapshots>;

export const freshestSnapshotKey = (groupId: string): Key => ({ pk: FRESHEST_SNAPSHOT, sk: groupId });
