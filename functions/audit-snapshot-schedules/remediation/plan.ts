import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { AtlasClient } from '../../../lib/atlas/client.ts';
import { type BackupSchedule, getGroupClusterBackupSchedule } from '../../../lib/atlas/operations/backup-schedules.ts';
import type { Deadline } from '../../../lib/runtime/deadline.ts';
import type { ClusterFacts } from '../facts.ts';
import type { ClusterBase } from '../inventory/normalise.ts';
import { tagsOf } from '../inventory/normalise.ts';
import { readInventory } from '../inventory/project.ts';
import type { Reading } from '../inventory/reading.ts';
import { sorted } from '../policy/load.ts';
import type { Policy } from '../policy/resolve.ts';
import type { Organization } from '../run.ts';
import { desiredSchedule, requestFor } from './desired.ts';

const Change = z.object({
  projectId: z.string(),
  projectName: z.string(),
  clusterId: z.string(),
  clusterName: z.string(),
  /** SHA-256 of the schedule the change was made from. */
  before: z.string(),
  changes: z.array(z.string()),
  /** What is sent, whole. */
  request: z.record(z.string(), z.unknown()),
});
export type Change = z.output<typeof Change>;

const Skipped = z.object({ projectId: z.string(), clusterName: z.string(), reason: z.string() });

/** What is to be changed, and what somebody approves by its digest. */
export const Plan = z.object({
  organizationId: z.string(),
  policyDigest: z.string(),
  requestedBy: z.string(),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  changes: z.array(Change),
  /** Clusters left for a further plan: one changes only so many. */
  left: z.int(),
  skipped: z.array(Skipped),
});
export type Plan = z.output<typeof Plan>;

/** What is approved: what would be sent, to which cluster, in whose place, by which policy. */
export const planDigest = ({ organizationId, policyDigest, changes, createdAt, requestedBy }: Plan): string =>
  digestOf({ organizationId, policyDigest, changes, createdAt, requestedBy });

/** A schedule as far as it is configured: when the next snapshot is due changes all the time. */
export function scheduleDigest({ nextSnapshot: _, ...schedule }: BackupSchedule): string {
  return digestOf(schedule);
}

const digestOf = (value: unknown): string =>
  createHash('sha256')
    .update(JSON.stringify(sorted(JSON.parse(JSON.stringify(value)))))
    .digest('hex');

export interface Planning {
  readonly organization: Organization;
  readonly policy: Policy;
  readonly reading: Reading;
  readonly migrations: ReadonlyMap<string, NonNullable<ClusterFacts['migration']>>;
  readonly projects: readonly string[] | undefined;
  readonly clusters: readonly string[] | undefined;
  readonly most: number;
}

/** Which schedules would be raised, and to what. Only reads. */
export async function makePlan(planning: Planning): Promise<Pick<Plan, 'changes' | 'left' | 'skipped'>> {
  const { organization, policy, reading, migrations, projects, clusters, most } = planning;
  const changes: Change[] = [];
  const skipped: Plan['skipped'] = [];
  let left = 0;
  for (const project of organization.projects.toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
    if (projects && !projects.includes(project.id)) continue;
    const inventory = await readInventory(reading, project.id);
    if (!inventory.known) {
      skipped.push({ projectId: project.id, clusterName: '*', reason: `could not be read: ${inventory.reason}` });
      continue;
    }
    for (const base of inventory.value.clusters) {
      if (clusters && !clusters.includes(base.name)) continue;
      if (base.kind !== 'dedicated' || base.backupEnabled !== true) continue;
      const why = leftAlone(base, migrations.get(`${project.id}/${base.name}`));
      if (why) {
        skipped.push({ projectId: project.id, clusterName: base.name, reason: why });
        continue;
      }
      const planned = await planFor(reading.atlas, project, base, policy, reading.deadline);
      if (!planned) continue;
      if ('reason' in planned) skipped.push({ projectId: project.id, clusterName: base.name, reason: planned.reason });
      else if (changes.length < most) changes.push(planned);
      else left++;
    }
  }
  return { changes, left, skipped };
}

export function leftAlone(
  { pitEnabled }: Pick<ClusterBase, 'pitEnabled'>,
  migration: ClusterFacts['migration'] | undefined,
): string | undefined {
  if (migration) return `live migration ${migration.id} writes into it`;
  return pitEnabled === null ? 'Atlas does not say whether point-in-time recovery is on' : undefined;
}

async function planFor(
  atlas: AtlasClient,
  project: { readonly id: string; readonly name: string; readonly tags?: Parameters<typeof tagsOf>[0] },
  base: ClusterBase,
  policy: Policy,
  deadline: Deadline,
): Promise<Change | { readonly reason: string } | undefined> {
  const resolved = policy.resolve({
    projectId: project.id,
    projectName: project.name,
    clusterId: base.id,
    clusterName: base.name,
    tags: [...tagsOf(project.tags), ...base.tags],
  });
  const params = { groupId: project.id, clusterName: base.name };
  const schedule = await atlas.call(getGroupClusterBackupSchedule, { params }, deadline).catch(() => undefined);
  if (!schedule) return { reason: 'its schedule could not be read' };
  const desired = desiredSchedule(schedule, resolved, {
    isNvme: base.instanceSize?.endsWith('_NVME') ?? false,
    pitEnabled: base.pitEnabled === true,
  });
  if ('reason' in desired) return desired;
  if (desired.changes.length === 0) return undefined;
  return {
    projectId: project.id,
    projectName: project.name,
    clusterId: base.id,
    clusterName: base.name,
    before: scheduleDigest(schedule),
    changes: [...desired.changes],
    request: requestFor(schedule, desired),
  };
}
