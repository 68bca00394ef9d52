/**
 * Two lists of Atlas that are not in the copy of the document the other operations are held against. They have the same
 * form, and move there with the next copy.
 * Source: https://www.mongodb.com/docs/api/doc/atlas-admin-api-v2 (Cloud Backups)
 */
import * as z from 'zod';
import { operation } from '../../../lib/atlas/operations/define.ts';
import {
  ClusterName,
  GroupId,
  Instant,
  ObjectId,
  openEnum,
  PageQuery,
  page,
} from '../../../lib/atlas/operations/shapes.ts';

const cluster = z.strictObject({ groupId: GroupId, clusterName: ClusterName });

/** The addresses of downloads are left out: whoever has them has the data. */
const RestoreJob = z.object({
  id: ObjectId,
  deliveryType: openEnum('automated', 'download', 'pointInTime').nullish(),
  snapshotId: ObjectId.nullish(),
  targetGroupId: ObjectId.nullish(),
  targetClusterName: z.string().nullish(),
  finishedAt: Instant.nullish(),
  failed: z.boolean().nullish(),
  cancelled: z.boolean().nullish(),
  expired: z.boolean().nullish(),
});
export type RestoreJob = z.output<typeof RestoreJob>;

/** Of a dedicated cluster. It tells when a restore was finished, and not when it began. Role: Project Read Only. */
export const listGroupClusterBackupRestoreJobs = operation({
  id: 'listGroupClusterBackupRestoreJobs',
  summary: 'The restore jobs of a cluster',
  method: 'GET',
  path: '/api/atlas/v2/groups/{groupId}/clusters/{clusterName}/backup/restoreJobs',
  version: '2023-01-01',
  repeat: 'safe',
  params: cluster,
  query: PageQuery,
  response: page(RestoreJob),
});

const ExportJob = z.object({
  id: ObjectId,
  state: openEnum('Queued', 'InProgress', 'Failed', 'Cancelled', 'Successful').nullish(),
  createdAt: Instant.nullish(),
  finishedAt: Instant.nullish(),
});
export type ExportJob = z.output<typeof ExportJob>;

/** Of a dedicated cluster. Role: Project Read Only. */
export const listGroupClusterBackupExports = operation({
  id: 'listGroupClusterBackupExports',
  summary: 'The export jobs of a cluster',
  method: 'GET',
  path: '/api/atlas/v2/groups/{groupId}/clusters/{clusterName}/backup/exports',
  version: '2023-01-01',
  repeat: 'safe',
  params: cluster,
  query: PageQuery,
  response: page(ExportJob),
});
