import * as z from 'zod';
import { operation } from './define.ts';
import { CloudProvider, ClusterName, GroupId, idOf, Long, ObjectId, openEnum, PageQuery, page } from './shapes.ts';

/** Where the old documents of a collection go. The id is `_id`. */
export const OnlineArchive = z.object({
  _id: ObjectId,
  groupId: ObjectId.nullish(),
  clusterName: z.string().nullish(),
  dbName: z.string().nullish(),
  collName: z.string().nullish(),
  collectionType: openEnum('STANDARD', 'TIMESERIES').nullish(),
  dataSetName: z.string().nullish(),
  state: openEnum('PENDING', 'ACTIVE', 'PAUSING', 'PAUSED', 'DELETED', 'ORPHANED').nullish(),
  paused: z.boolean().nullish(),
  criteria: z
    .object({
      type: openEnum('DATE', 'CUSTOM').nullish(),
      dateField: z.string().nullish(),
      dateFormat: openEnum('ISODATE', 'EPOCH_SECONDS', 'EPOCH_MILLIS', 'EPOCH_NANOSECONDS', 'OBJECT_ID').nullish(),
      expireAfterDays: Long.nullish(),
      query: z.string().nullish(),
    })
    .nullish(),
  dataExpirationRule: z.object({ expireAfterDays: Long.nullish() }).nullish(),
  dataProcessRegion: z.object({ cloudProvider: CloudProvider.nullish(), region: z.string().nullish() }).nullish(),
  partitionFields: z
    .array(z.object({ fieldName: z.string().nullish(), fieldType: z.string().nullish(), order: Long.nullish() }))
    .nullish(),
  schedule: z
    .object({
      type: openEnum('DEFAULT', 'DAILY', 'WEEKLY', 'MONTHLY').nullish(),
      dayOfWeek: Long.nullish(),
      dayOfMonth: Long.nullish(),
      startHour: Long.nullish(),
      startMinute: Long.nullish(),
      endHour: Long.nullish(),
      endMinute: Long.nullish(),
    })
    .nullish(),
});
export type OnlineArchive = z.output<typeof OnlineArchive>;

/** Source: https://www.mongodb.com/docs/api/doc/atlas-admin-api-v2/operation/operation-listgroupclusteronlinearchives. Role: Project Read Only. */
export const listGroupClusterOnlineArchives = operation({
  id: 'listGroupClusterOnlineArchives',
  summary: 'The online archives of a cluster',
  method: 'GET',
  path: '/api/atlas/v2/groups/{groupId}/clusters/{clusterName}/onlineArchives',
  version: '2023-01-01',
  repeat: 'safe',
  params: z.strictObject({ groupId: GroupId, clusterName: ClusterName }),
  query: PageQuery,
  response: page(OnlineArchive),
});

const hour = z.int().min(0).max(23).optional();
const minute = z.int().min(0).max(59).optional();
/** UTC, at least two hours; an end before its start is on the next day. */
const window = { startHour: hour, startMinute: minute, endHour: hour, endMinute: minute };

const changes = z
  .strictObject({
    paused: z.boolean().optional(),
    criteria: z
      .discriminatedUnion('type', [
        z.strictObject({
          type: z.literal('DATE'),
          dateField: z.string().min(1).optional(),
          dateFormat: z.enum(['ISODATE', 'EPOCH_SECONDS', 'EPOCH_MILLIS', 'EPOCH_NANOSECONDS', 'OBJECT_ID']).optional(),
          expireAfterDays: z.int().min(0).optional(),
        }),
        z.strictObject({ type: z.literal('CUSTOM'), query: z.string().min(1) }),
      ])
      .optional(),
    dataExpirationRule: z.strictObject({ expireAfterDays: z.int().min(7).max(9215) }).optional(),
    schedule: z
      .discriminatedUnion('type', [
        z.strictObject({ type: z.literal('DEFAULT') }),
        z.strictObject({ type: z.literal('DAILY'), ...window }),
        z.strictObject({ type: z.literal('WEEKLY'), ...window, dayOfWeek: z.int().min(1).max(7).optional() }),
        z.strictObject({ type: z.literal('MONTHLY'), ...window, dayOfMonth: z.int().min(1).max(31).optional() }),
      ])
      .optional(),
  })
  .refine((body) => Object.keys(body).length > 0, 'must change something');

/**
 * Changes, pauses (`paused: true`) or resumes an archive. Only an ACTIVE archive can be paused (409
 * ONLINE_ARCHIVE_MUST_BE_ACTIVE_TO_PAUSE), and a collection can have one active archive. Some of what an archive was
 * made with can't be changed (400 ONLINE_ARCHIVE_CANNOT_MODIFY_FIELD). A `dataExpirationRule` deletes archived data for good. It
 * sets, so a repeat is safe. Role: Project Data Access Admin.
 */
export const updateGroupClusterOnlineArchive = operation({
  id: 'updateGroupClusterOnlineArchive',
  summary: 'Changes, pauses or resumes an online archive',
  method: 'PATCH',
  path: '/api/atlas/v2/groups/{groupId}/clusters/{clusterName}/onlineArchives/{archiveId}',
  version: '2023-01-01',
  repeat: 'safe',
  destructive: true,
  params: z.strictObject({ groupId: GroupId, clusterName: ClusterName, archiveId: idOf('the online archive’s id') }),
  body: changes,
  response: OnlineArchive,
});
