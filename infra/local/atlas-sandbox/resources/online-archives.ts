import * as z from 'zod';
import { type Answer, type Call, inGroup } from '../operation.ts';
import { paginate } from '../pagination.ts';
import { AtlasRefusal } from '../refusal.ts';
import type { Cluster } from '../state/clusters.ts';
import type { OnlineArchive } from '../state/online-archives.ts';
import type { Project } from '../world.ts';
import { dedicatedCluster } from './cluster-lookup.ts';

const hour = z.int().min(0).max(23).optional();
const minute = z.int().min(0).max(59).optional();
const updateRequest = z.strictObject({
  paused: z.boolean().optional(),
  criteria: z
    .strictObject({
      type: z.enum(['DATE', 'CUSTOM']).optional(),
      dateField: z.string().optional(),
      dateFormat: z.string().optional(),
      expireAfterDays: z.int().min(0).optional(),
      query: z.string().optional(),
    })
    .optional(),
  schedule: z
    .strictObject({
      type: z.enum(['DEFAULT', 'DAILY', 'WEEKLY', 'MONTHLY']),
      startHour: hour,
      startMinute: minute,
      endHour: hour,
      endMinute: minute,
      dayOfWeek: z.int().min(1).max(7).optional(),
      dayOfMonth: z.int().min(1).max(31).optional(),
    })
    .optional(),
  dataExpirationRule: z.strictObject({ expireAfterDays: z.int().min(7).max(9215) }).optional(),
  dbName: z.string().optional(),
  collName: z.string().optional(),
  collectionType: z.enum(['STANDARD', 'TIMESERIES']).optional(),
});
type Update = z.infer<typeof updateRequest>;

export const onlineArchiveOperations = [
  inGroup({
    operationId: 'listGroupClusterOnlineArchives',
    method: 'GET',
    path: '/groups/{groupId}/clusters/{clusterName}/onlineArchives',
    versions: ['2023-01-01'],
    endpointSet: 'onlineArchives',
    role: 'Project Read Only',
    handle(call, project) {
      const cluster = dedicatedCluster(call, project);
      const archives = call.world.onlineArchives.of(cluster);
      return { status: 200, body: paginate(call.url, archives, (archive) => view(call, cluster, archive)) };
    },
  }),
  inGroup({
    operationId: 'updateGroupClusterOnlineArchive',
    method: 'PATCH',
    path: '/groups/{groupId}/clusters/{clusterName}/onlineArchives/{archiveId}',
    versions: ['2023-01-01'],
    endpointSet: 'onlineArchives',
    role: 'Project Data Access Admin',
    handle: update,
  }),
];

function update(call: Call, project: Project): Answer {
  const cluster = dedicatedCluster(call, project);
  const { onlineArchives } = call.world;
  const id = call.param('archiveId');
  const archive = onlineArchives.of(cluster).find((each) => each.id === id);
  if (!archive) throw new AtlasRefusal(404, 'ONLINE_ARCHIVE_NOT_FOUND', `No online archive ${id} exists.`, [id]);
  const change = call.body(updateRequest);
  refuseFixed(change, archive);
  if (change.paused !== undefined && change.paused !== archive.paused) setPaused(call, cluster, archive, change.paused);
  archive.criteria = { ...archive.criteria, ...change.criteria };
  archive.schedule = change.schedule ?? archive.schedule;
  archive.dataExpirationRule = change.dataExpirationRule ?? archive.dataExpirationRule;
  return { status: 200, body: view(call, cluster, archive) };
}

/** What an archive is made of stays as it is; how old documents have to be does not. */
function refuseFixed({ dbName, collName, collectionType, criteria = {} }: Update, archive: OnlineArchive): void {
  const { expireAfterDays: _days, query: _query, ...kind } = criteria;
  const fixed = { dbName, collName, collectionType };
  const isChanged =
    Object.entries(kind).some(([name, value]) => archive.criteria[name] !== value) ||
    (fixed.dbName ?? archive.dbName) !== archive.dbName ||
    (fixed.collName ?? archive.collName) !== archive.collName ||
    (fixed.collectionType ?? archive.collectionType) !== archive.collectionType;
  if (!isChanged) return;
  const detail = 'The request contained modifications to immutable fields.';
  throw new AtlasRefusal(400, 'ONLINE_ARCHIVE_CANNOT_MODIFY_FIELD', detail);
}

function setPaused({ world }: Call, cluster: Cluster, archive: OnlineArchive, paused: boolean): void {
  const { onlineArchives } = world;
  if (paused && onlineArchives.stateOf(archive) !== 'ACTIVE') {
    const detail = 'An archive must be in an active state in order to be paused.';
    throw new AtlasRefusal(409, 'ONLINE_ARCHIVE_MUST_BE_ACTIVE_TO_PAUSE', detail);
  }
  const isTaken = onlineArchives
    .of(cluster)
    .some(
      (each) =>
        each !== archive &&
        each.dbName === archive.dbName &&
        each.collName === archive.collName &&
        onlineArchives.stateOf(each) === 'ACTIVE',
    );
  if (!paused && isTaken) {
    const detail = 'The collection has another active online archive.';
    throw new AtlasRefusal(409, 'ONLINE_ARCHIVE_ALREADY_EXISTS', detail);
  }
  onlineArchives.setPaused(archive, paused);
}

function view({ world }: Call, cluster: Cluster, archive: OnlineArchive): object {
  const { collName, collectionType, criteria, dataExpirationRule, dbName, id, partitionFields, paused, schedule } =
    archive;
  return {
    _id: id,
    clusterName: cluster.name,
    collName,
    collectionType,
    criteria,
    ...(dataExpirationRule && { dataExpirationRule }),
    dataProcessRegion: { cloudProvider: 'AWS', region: 'US_EAST_1' },
    dbName,
    groupId: cluster.groupId,
    partitionFields: partitionFields.map((field) => ({ ...field, fieldType: null })),
    paused,
    schedule,
    state: world.onlineArchives.stateOf(archive),
  };
}
