import * as z from 'zod';
import { operation } from './define.ts';
import { ClusterName, GroupId, Instant, idOf, Long, Nothing, ObjectId, openEnum, Segment } from './shapes.ts';

const condition = openEnum('DELETING', 'FAILED', 'STALE', 'PENDING', 'BUILDING', 'READY', 'DOES_NOT_EXIST').nullish();
/** Handed on as it is, so that it can be sent back. */
const definition = z.record(z.string(), z.unknown()).nullish();
const definitionVersion = z.object({ version: Long.nullish(), createdAt: Instant.nullish() }).nullish();
const generation = z
  .object({
    status: condition,
    queryable: z.boolean().nullish(),
    message: z.string().nullish(),
    definition,
    definitionVersion,
  })
  .nullish();

export const SearchIndex = z.object({
  indexID: ObjectId,
  name: z.string().nullish(),
  database: z.string().nullish(),
  collectionName: z.string().nullish(),
  type: openEnum('search', 'vectorSearch').nullish(),
  /** STALE still answers, with old data. */
  status: condition,
  queryable: z.boolean().nullish(),
  latestDefinition: definition,
  latestDefinitionVersion: definitionVersion,
  statusDetail: z
    .array(
      z.object({
        hostname: z.string().nullish(),
        status: condition,
        queryable: z.boolean().nullish(),
        mainIndex: generation,
        stagedIndex: generation,
      }),
    )
    .nullish(),
});
export type SearchIndex = z.output<typeof SearchIndex>;

const free = z.record(z.string(), z.unknown());
const stored = z.union([z.boolean(), free], 'must be true, false or an object');
const numPartitions = z.literal([1, 2, 4]).optional();
const textDefinition = z.strictObject({
  mappings: z.strictObject({ dynamic: stored.optional(), fields: free.optional() }),
  analyzer: z.string().optional(),
  searchAnalyzer: z.string().optional(),
  analyzers: z.array(z.looseObject({ name: z.string().min(1), tokenizer: free })).optional(),
  synonyms: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        analyzer: z.string().min(1),
        source: z.strictObject({ collection: z.string().min(1) }),
      }),
    )
    .optional(),
  typeSets: z
    .array(z.strictObject({ name: z.string().min(1), types: z.array(free).max(100) }))
    .max(100)
    .optional(),
  sort: free.optional(),
  storedSource: stored.optional(),
  numPartitions,
});
const vectorDefinition = z.strictObject({
  fields: z.array(z.looseObject({ type: z.string(), path: z.string() })).min(1),
  nestedRoot: z.string().optional(),
  /** Unlike a text index's, never `true`. */
  storedSource: z.union([z.literal(false), free], 'must be false or an object').optional(),
  numPartitions,
});

const cluster = z.strictObject({ groupId: GroupId, clusterName: ClusterName });

/**
 * A bare array: there are no pages. Role: one of Project Data Access Read Only, Project Data Access Read Write, Project
 * Search Index Editor and Project Stream Processing Owner; Project Read Only is not enough.
 */
export const listGroupClusterSearchIndexes = operation({
  id: 'listGroupClusterSearchIndexes',
  summary: 'The search indexes of a cluster',
  method: 'GET',
  path: '/api/atlas/v2/groups/{groupId}/clusters/{clusterName}/search/indexes',
  version: '2024-05-30',
  repeat: 'safe',
  params: cluster,
  response: z.array(SearchIndex),
});

/**
 * Replaces the whole definition and rebuilds the index beside the old one, which answers until the new one is ready. It
 * sets, so a repeat is safe. A text definition and a vector definition share few fields; which one the index has can't
 * be changed. Role: Project Search Index Editor.
 */
export const updateGroupClusterSearchIndexByName = operation({
  id: 'updateGroupClusterSearchIndexByName',
  summary: 'Replaces the definition of a search index',
  method: 'PATCH',
  path: '/api/atlas/v2/groups/{groupId}/clusters/{clusterName}/search/indexes/{databaseName}/{collectionName}/{indexName}',
  version: '2024-05-30',
  repeat: 'safe',
  params: cluster.extend({
    databaseName: Segment.describe('the database, by its name'),
    collectionName: Segment.describe('the collection, by its name'),
    indexName: Segment.describe('the search index, by its name'),
  }),
  body: z.strictObject({
    definition: z.union([textDefinition, vectorDefinition], 'must have either mappings or fields'),
  }),
  response: SearchIndex,
});

/**
 * Deprecated, and gone after its sunset: the newer way deletes by `search/indexes`. An index takes as long to build
 * again as its collection is large. 404 when it is already gone, so a repeat is harmless.
 * Role: Project Search Index Editor.
 */
export const deleteGroupClusterFtsIndex = operation({
  id: 'deleteGroupClusterFtsIndex',
  summary: 'Deletes a search index, by the deprecated endpoint',
  method: 'DELETE',
  path: '/api/atlas/v2/groups/{groupId}/clusters/{clusterName}/fts/indexes/{indexId}',
  version: '2023-01-01',
  repeat: 'safe',
  destructive: true,
  shows: 'listGroupClusterSearchIndexes',
  sunset: '2027-07-01',
  params: cluster.extend({ indexId: idOf('the search index’s id') }),
  response: Nothing,
});
