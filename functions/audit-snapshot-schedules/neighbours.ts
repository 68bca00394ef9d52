/** What the audit and live migration tell each other. */
import type { State } from '../../lib/aws/state.ts';
import {
  FreshestSnapshots,
  freshestSnapshotKey,
  MIGRATION_UNDER_WAY,
  MigrationUnderWay,
} from '../../lib/migrations-under-way.ts';
import type { Deadline } from '../../lib/runtime/deadline.ts';
import type { AuditedProject } from './audit-project.ts';
import type { ClusterFacts } from './facts.ts';
import { isUsable, youngestFirst } from './rules/snapshots.ts';
import { iso } from './rules/time.ts';

/** By `<project id>/<cluster name>`. */
export async function migrationsUnderWay(
  state: State,
  deadline: Deadline,
): Promise<Map<string, NonNullable<ClusterFacts['migration']>>> {
  const found = new Map<string, NonNullable<ClusterFacts['migration']>>();
  for await (const { key, value } of state.list(MIGRATION_UNDER_WAY, MigrationUnderWay, deadline)) {
    found.set(key.sk, { id: value.migrationId, state: value.state, since: Date.parse(value.since) });
  }
  return found;
}

/** Writes down each cluster's freshest snapshot, for whoever is about to write into one. Safe to repeat. */
export async function writeFreshest(
  state: State,
  { project, clusters }: AuditedProject,
  now: number,
  deadline: Deadline,
): Promise<void> {
  if (!project.read || clusters.length === 0) return;
  const value = {
    clusters: Object.fromEntries(
      clusters.flatMap(({ summary, memory: { snapshots } }) => {
        const newest = youngestFirst(snapshots?.value ?? []).find((each) => isUsable(each, now) === 'yes');
        if (!snapshots || newest?.createdAt == null || summary.kind === 'deleted') return [];
        return [
          [summary.clusterName, { snapshotId: newest.id, createdAt: iso(newest.createdAt), seenAt: iso(snapshots.at) }],
        ];
      }),
    ),
  } satisfies FreshestSnapshots;
  const key = freshestSnapshotKey(project.id);
  const stored = await state.read(key, FreshestSnapshots, deadline);
  if (JSON.stringify(stored?.value) === JSON.stringify(value)) return;
  // Where somebody wrote meanwhile it was another audit, which saw the same or more.
  if (stored) await state.replace(stored, value, deadline);
  else await state.create(key, value, deadline);
}
