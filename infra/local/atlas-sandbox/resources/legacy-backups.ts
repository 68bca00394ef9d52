import * as z from 'zod';
import { type Call, inGroup, type Operation } from '../operation.ts';
import type { LegacySchedule } from '../state/backups.ts';
import type { Cluster } from '../state/clusters.ts';
import { legacyCluster } from './cluster-lookup.ts';

const hours = z.int().min(1).optional();
const change = z.strictObject({
  clusterCheckpointIntervalMin: z.literal([15, 30, 60]).optional(),
  dailySnapshotRetentionDays: z.literal([0, 3, 4, 5, 6, 7, 15, 30, 60, 90, 120, 180, 360]).optional(),
  monthlySnapshotRetentionMonths: z.literal([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 18, 24, 36]).optional(),
  pointInTimeWindowHours: hours,
  snapshotIntervalHours: z.literal([6, 8, 12, 24]).optional(),
  snapshotRetentionDays: z.literal([2, 3, 4, 5]).optional(),
  weeklySnapshotRetentionWeeks: z.literal([0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 52]).optional(),
  clusterId: z.unknown().optional(),
  groupId: z.unknown().optional(),
  links: z.unknown().optional(),
});

const level: Pick<Operation, 'versions' | 'endpointSet' | 'path'> = {
  versions: ['2023-01-01'],
  endpointSet: 'legacyBackups',
  path: '/groups/{groupId}/clusters/{clusterName}/snapshotSchedule',
};

export const legacyBackupOperations = [
  inGroup({
    ...level,
    operationId: 'getGroupClusterSnapshotSchedule',
    method: 'GET',
    role: 'Project Read Only',
    handle(call, project) {
      const cluster = legacyCluster(call, project);
      return { status: 200, body: view(call, cluster, call.world.backups.legacySchedule(cluster)) };
    },
  }),
  inGroup({
    ...level,
    operationId: 'updateGroupClusterSnapshotSchedule',
    method: 'PATCH',
    role: 'Project Owner',
    handle(call, project) {
      const cluster = legacyCluster(call, project);
      const { backups } = call.world;
      const before = backups.legacySchedule(cluster);
      const asked = call.body(change);
      const set = (name: keyof LegacySchedule): number => asked[name] ?? before[name];
      backups.setLegacySchedule(cluster, {
        clusterCheckpointIntervalMin: set('clusterCheckpointIntervalMin'),
        dailySnapshotRetentionDays: set('dailySnapshotRetentionDays'),
        monthlySnapshotRetentionMonths: set('monthlySnapshotRetentionMonths'),
        pointInTimeWindowHours: set('pointInTimeWindowHours'),
        snapshotIntervalHours: set('snapshotIntervalHours'),
        snapshotRetentionDays: set('snapshotRetentionDays'),
        weeklySnapshotRetentionWeeks: set('weeklySnapshotRetentionWeeks'),
      });
      return { status: 200, body: view(call, cluster, backups.legacySchedule(cluster)) };
    },
  }),
];

function view({ url }: Call, { id, groupId }: Cluster, schedule: LegacySchedule): object {
  return { ...schedule, clusterId: id, groupId, links: [{ href: url.href, rel: 'self' }] };
}
