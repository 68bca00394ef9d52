import * as z from 'zod';
import { operation } from './define.ts';
import {
  BackupPolicyItem,
  CloudProvider,
  ClusterName,
  GroupId,
  Instant,
  Long,
  ObjectId,
  openEnum,
  SentId,
} from './shapes.ts';

/** When Atlas takes snapshots of a dedicated cluster, and how long it keeps them. Flex clusters have none. */
export const BackupSchedule = z.object({
  clusterId: ObjectId.nullish(),
  clusterName: z.string().nullish(),
  nextSnapshot: Instant.nullish(),
  /** Atlas knows at most one. */
  policies: z.array(z.object({ id: ObjectId.nullish(), policyItems: z.array(BackupPolicyItem).nullish() })).nullish(),
  /** UTC, like the minute. */
  referenceHourOfDay: Long.nullish(),
  referenceMinuteOfHour: Long.nullish(),
  /** How far back a continuous backup reaches; means nothing where the cluster's `pitEnabled` is off. */
  restoreWindowDays: Long.nullish(),
  autoExportEnabled: z.boolean().nullish(),
  export: z
    .object({ exportBucketId: z.string().nullish(), frequencyType: openEnum('monthly', 'yearly').nullish() })
    .nullish(),
  useOrgAndGroupNamesInExportPrefix: z.boolean().nullish(),
  autoCopySettingsEnabled: z.boolean().nullish(),
  copyPolicyItemsEnabled: z.boolean().nullish(),
  copySettings: z
    .array(
      z.object({
        cloudProvider: CloudProvider.nullish(),
        regionName: z.string().nullish(),
        zoneId: ObjectId.nullish(),
        shouldCopyOplogs: z.boolean().nullish(),
        frequencies: z.array(openEnum('HOURLY', 'DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY', 'ON_DEMAND')).nullish(),
        copyPolicyItems: z.array(BackupPolicyItem.omit({ frequencyInterval: true })).nullish(),
        lastNumberOfSnapshots: Long.nullish(),
      }),
    )
    .nullish(),
  extraRetentionSettings: z
    .array(
      z.object({
        frequencyType: openEnum('HOURLY', 'DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY', 'ON_DEMAND').nullish(),
        retentionDays: Long.nullish(),
      }),
    )
    .nullish(),
});
export type BackupSchedule = z.output<typeof BackupSchedule>;

const item = <const Type extends string, const Interval extends number>(type: Type, intervals: readonly Interval[]) =>
  z.strictObject({
    id: SentId.optional(),
    frequencyType: z.literal(type),
    frequencyInterval: z.literal([...intervals]),
    retentionUnit: z.enum(['days', 'weeks', 'months', 'years']),
    retentionValue: z.int().min(1),
  });
const toTwelve = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] as const;
const toTwentyEight = [...toTwelve, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28] as const;

/** Upper case, where policy items have lower case. */
const copiedFrequency = z.enum(['HOURLY', 'DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY', 'ON_DEMAND']);
const copy = {
  cloudProvider: z.enum(['AWS', 'AZURE', 'GCP']).optional(),
  regionName: z.string().min(1).optional(),
  /** From the cluster's `replicationSpecs`. */
  zoneId: SentId,
  shouldCopyOplogs: z.boolean().optional(),
};
const retained = z.strictObject({
  id: SentId.optional(),
  frequencyType: z.enum(['hourly', 'daily', 'weekly', 'monthly', 'yearly', 'ondemand']),
  retentionUnit: z.enum(['days', 'weeks', 'months', 'years']).optional(),
  retentionValue: z.int().min(1).optional(),
});
const copySetting = z.union(
  [
    z.strictObject({ ...copy, copyPolicyItems: z.array(retained).max(6) }),
    z.strictObject({ ...copy, lastNumberOfSnapshots: z.int().min(1).max(500) }),
    z.strictObject({ ...copy, frequencies: z.array(copiedFrequency).max(6).optional() }),
  ],
  'must have one of copyPolicyItems, lastNumberOfSnapshots and frequencies',
);

const changes = z
  .strictObject({
    policies: z
      .array(
        z.strictObject({
          id: SentId.optional(),
          policyItems: z.array(
            z.discriminatedUnion('frequencyType', [
              item('hourly', [1, 2, 4, 6, 8, 12]),
              item('daily', [1]),
              item('weekly', [1, 2, 3, 4, 5, 6, 7]),
              item('monthly', [...toTwentyEight, 40]),
              item('yearly', toTwelve),
              item('ondemand', [...toTwentyEight, 40]),
            ]),
          ),
        }),
      )
      .length(1)
      .optional(),
    referenceHourOfDay: z.int().min(0).max(23).optional(),
    referenceMinuteOfHour: z.int().min(0).max(59).optional(),
    restoreWindowDays: z.int().min(1).optional(),
    updateSnapshots: z.boolean().optional(),
    deleteSnapshots: z.boolean().optional(),
    autoExportEnabled: z.boolean().optional(),
    export: z
      .strictObject({ exportBucketId: SentId.optional(), frequencyType: z.enum(['monthly', 'yearly']).optional() })
      .optional(),
    useOrgAndGroupNamesInExportPrefix: z.boolean().optional(),
    autoCopySettingsEnabled: z.boolean().optional(),
    copyPolicyItemsEnabled: z.boolean().optional(),
    copySettings: z.array(copySetting).optional(),
    deleteCopiedBackups: z
      .array(z.strictObject({ cloudProvider: copy.cloudProvider, regionName: copy.regionName, zoneId: SentId }))
      .optional(),
    updateCopySnapshots: z.boolean().optional(),
    deleteCopySnapshots: z.boolean().optional(),
    extraRetentionSettings: z
      .array(z.strictObject({ frequencyType: copiedFrequency, retentionDays: z.int().min(0) }))
      .optional(),
  })
  .refine((body) => Object.keys(body).length > 0, 'must change something')
  .refine((body) => (body.referenceHourOfDay === undefined) === (body.referenceMinuteOfHour === undefined), {
    path: ['referenceHourOfDay'],
    message: 'must come together with referenceMinuteOfHour',
  })
  .refine(
    (body) => body.copyPolicyItemsEnabled || !body.copySettings?.some((setting) => 'copyPolicyItems' in setting),
    { path: ['copyPolicyItemsEnabled'], message: 'must be true for copyPolicyItems' },
  )
  .refine((body) => !body.copyPolicyItemsEnabled || !body.copySettings?.some((setting) => 'frequencies' in setting), {
    path: ['copyPolicyItemsEnabled'],
    message: 'must not be true for frequencies',
  })
  .refine((body) => body.copyPolicyItemsEnabled || !body.deleteCopySnapshots, {
    path: ['copyPolicyItemsEnabled'],
    message: 'must be true for deleteCopySnapshots',
  });

const cluster = z.strictObject({ groupId: GroupId, clusterName: ClusterName });

/** 404 where backup is off; 400 for a Flex cluster. Role: Project Read Only. */
export const getGroupClusterBackupSchedule = operation({
  id: 'getGroupClusterBackupSchedule',
  summary: 'The backup schedule of a cluster',
  method: 'GET',
  path: '/api/atlas/v2/groups/{groupId}/clusters/{clusterName}/backup/schedule',
  version: '2024-08-05',
  repeat: 'safe',
  params: cluster,
  response: BackupSchedule,
});

/**
 * Changes only the fields given, but a list given replaces the whole list: a policy item left out is a policy item
 * gone. Existing snapshots keep their retention unless `updateSnapshots` is set, and stay unless `deleteSnapshots`,
 * `deleteCopySnapshots` or `deleteCopiedBackups` asks otherwise: what those delete is gone for good. A less frequent
 * item has to be kept at least as long as a more frequent one, and as long as a Backup Compliance Policy demands:
 * Atlas checks both, since only it knows how many days it takes a month for. The reference hour and minute come
 * together. The older version had a `replicationSpecId` where this one has `zoneId`. It sets, so a repeat is safe.
 * Role: Project Backup Manager.
 */
export const updateGroupClusterBackupSchedule = operation({
  id: 'updateGroupClusterBackupSchedule',
  summary: 'Changes the backup schedule of a cluster',
  method: 'PATCH',
  path: '/api/atlas/v2/groups/{groupId}/clusters/{clusterName}/backup/schedule',
  version: '2024-08-05',
  repeat: 'safe',
  destructive: true,
  params: cluster,
  body: changes,
  response: BackupSchedule,
});
