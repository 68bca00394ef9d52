import * as z from 'zod';
import { operation } from './define.ts';
import { ClusterName, GroupId, Long, ObjectId, SentId } from './shapes.ts';

/** The schedule of a legacy backup: not the one that a cluster of today has. */
export const LegacySnapshotSchedule = z.object({
  groupId: ObjectId.nullish(),
  clusterId: ObjectId.nullish(),
  clusterCheckpointIntervalMin: Long.nullish(),
  snapshotIntervalHours: Long.nullish(),
  snapshotRetentionDays: Long.nullish(),
  dailySnapshotRetentionDays: Long.nullish(),
  weeklySnapshotRetentionWeeks: Long.nullish(),
  monthlySnapshotRetentionMonths: Long.nullish(),
  pointInTimeWindowHours: Long.nullish(),
});
export type LegacySnapshotSchedule = z.output<typeof LegacySnapshotSchedule>;

const cluster = z.strictObject({ groupId: GroupId, clusterName: ClusterName });

/**
 * Deprecated, without a date: no cluster since 23 March 2020 has legacy backup, and one with cloud backup answers 400
 * INCORRECT_BACKUP_API_ENDPOINT. The schedule in use is getGroupClusterBackupSchedule. Role: Project Read Only.
 */
export const getGroupClusterSnapshotSchedule = operation({
  id: 'getGroupClusterSnapshotSchedule',
  summary: 'The legacy backup schedule of a cluster',
  method: 'GET',
  path: '/api/atlas/v2/groups/{groupId}/clusters/{clusterName}/snapshotSchedule',
  version: '2023-01-01',
  repeat: 'safe',
  params: cluster,
  response: LegacySnapshotSchedule,
});

/**
 * Deprecated like getGroupClusterSnapshotSchedule. Takes the whole schedule, each number from its own short list; 0
 * switches a daily, weekly or monthly retention off. What is kept no longer is gone for good. It sets, so a repeat is safe. Role: Project Owner.
 */
export const updateGroupClusterSnapshotSchedule = operation({
  id: 'updateGroupClusterSnapshotSchedule',
  summary: 'Changes the legacy backup schedule of a cluster',
  method: 'PATCH',
  path: '/api/atlas/v2/groups/{groupId}/clusters/{clusterName}/snapshotSchedule',
  version: '2023-01-01',
  repeat: 'safe',
  destructive: true,
  params: cluster,
  body: z.strictObject({
    clusterId: SentId,
    clusterCheckpointIntervalMin: z.literal([15, 30, 60]),
    snapshotIntervalHours: z.literal([6, 8, 12, 24]),
    snapshotRetentionDays: z.literal([2, 3, 4, 5]),
    dailySnapshotRetentionDays: z.literal([0, 3, 4, 5, 6, 7, 15, 30, 60, 90, 120, 180, 360]),
    weeklySnapshotRetentionWeeks: z.literal([0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 52]),
    monthlySnapshotRetentionMonths: z.literal([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 18, 24, 36]),
    pointInTimeWindowHours: z.int().min(0),
  }),
  response: LegacySnapshotSchedule,
});
