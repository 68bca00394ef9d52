import * as z from 'zod';
import { operation } from './define.ts';
import { GroupId, Instant, idOf, Long, ObjectId, openEnum } from './shapes.ts';

/** As Atlas takes it: 1 to 64 characters, without slashes, blanks, quotation marks and dollar signs. */
const PipelineName = z
  .string()
  .regex(/^[^/\\ "$]{1,64}$/, 'must be 1 to 64 characters without / \\ " $ and blanks')
  .refine((name) => name !== '.' && name !== '..', 'must not be a step within a path')
  .describe('the pipeline, by its name');

/**
 * One run of a Data Lake pipeline. Deprecated and gone: Atlas ended the pipelines on 2025-09-30 and took them out
 * of its published document. Expect 404 or 410, and read either as "there are no such runs any more". Its id is `_id`.
 * Role: Project Read Only.
 */
export const getGroupPipelineRun = operation({
  id: 'getGroupPipelineRun',
  summary: 'One run of a Data Lake pipeline, which Atlas no longer has',
  method: 'GET',
  path: '/api/atlas/v2/groups/{groupId}/pipelines/{pipelineName}/runs/{pipelineRunId}',
  version: '2023-01-01',
  repeat: 'safe',
  sunset: '2025-09-30',
  params: z.strictObject({ groupId: GroupId, pipelineName: PipelineName, pipelineRunId: idOf('the run’s id') }),
  response: z.object({
    _id: ObjectId,
    groupId: z.string().nullish(),
    pipelineId: z.string().nullish(),
    snapshotId: z.string().nullish(),
    datasetName: z.string().nullish(),
    state: openEnum('PENDING', 'IN_PROGRESS', 'DONE', 'FAILED', 'DATASET_DELETED').nullish(),
    phase: openEnum('SNAPSHOT', 'EXPORT', 'INGESTION').nullish(),
    backupFrequencyType: openEnum('HOURLY', 'DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY', 'ON_DEMAND').nullish(),
    createdDate: Instant.nullish(),
    lastUpdatedDate: Instant.nullish(),
    scheduledDeletionDate: Instant.nullish(),
    datasetRetentionPolicy: z
      .object({
        units: openEnum('DAYS', 'WEEKS', 'MONTHS').nullish(),
        value: Long.nullish(),
        lastModifiedDate: Instant.nullish(),
      })
      .nullish(),
    stats: z.object({ bytesExported: Long.nullish(), numDocs: Long.nullish() }).nullish(),
  }),
});
