import * as z from 'zod';
import { timestamp } from '../date.ts';
import { type Answer, type Call, inGroup } from '../operation.ts';
import { resourceNotFound } from '../refusal.ts';
import { invalidAttribute } from '../request-body.ts';
import type { SearchIndex } from '../state/search-indexes.ts';
import type { Project, World } from '../world.ts';
import { anyCluster } from './cluster-lookup.ts';

const textDefinition = z.looseObject({
  mappings: z.looseObject({}),
  numPartitions: z.literal([1, 2, 4]).optional(),
});
const vectorDefinition = z.looseObject({
  fields: z.array(z.looseObject({})),
  numPartitions: z.literal([1, 2, 4]).optional(),
});
const updateRequest = z.strictObject({ definition: z.looseObject({}) });

const level = { endpointSet: 'searchIndexes' } as const;

export const searchIndexOperations = [
  inGroup({
    ...level,
    operationId: 'listGroupClusterSearchIndexes',
    method: 'GET',
    path: '/groups/{groupId}/clusters/{clusterName}/search/indexes',
    versions: ['2024-05-30'],
    role: [
      'Project Data Access Read Only',
      'Project Data Access Read Write',
      'Project Search Index Editor',
      'Project Stream Processing Owner',
    ],
    handle(call, project) {
      const cluster = anyCluster(call, project);
      return { status: 200, body: call.world.searchIndexes.of(cluster).map((index) => view(call.world, index)) };
    },
  }),
  inGroup({
    ...level,
    operationId: 'updateGroupClusterSearchIndexByName',
    method: 'PATCH',
    path: '/groups/{groupId}/clusters/{clusterName}/search/indexes/{databaseName}/{collectionName}/{indexName}',
    versions: ['2024-05-30'],
    role: 'Project Search Index Editor',
    handle: update,
  }),
  inGroup({
    ...level,
    operationId: 'deleteGroupClusterFtsIndex',
    method: 'DELETE',
    path: '/groups/{groupId}/clusters/{clusterName}/fts/indexes/{indexId}',
    versions: ['2023-01-01'],
    role: 'Project Search Index Editor',
    handle(call, project) {
      const id = call.param('indexId');
      if (!call.world.searchIndexes.remove(anyCluster(call, project), id)) throw resourceNotFound(id);
      return { status: 204 };
    },
  }),
];

function update(call: Call, project: Project): Answer {
  const { searchIndexes } = call.world;
  const index = searchIndexes
    .of(anyCluster(call, project))
    .find(
      ({ database, collectionName, name }) =>
        database === call.param('databaseName') &&
        collectionName === call.param('collectionName') &&
        name === call.param('indexName'),
    );
  if (!index) throw resourceNotFound(call.param('indexName'));
  const { definition } = call.body(updateRequest);
  const expected = index.type === 'search' ? textDefinition : vectorDefinition;
  if (!expected.safeParse(definition).success) throw invalidAttribute('definition');
  searchIndexes.redefine(index, definition);
  return { status: 200, body: view(call.world, index) };
}

function view({ searchIndexes }: World, index: SearchIndex): object {
  const { collectionName, database, definition, id, name, type, version, changedAt } = index;
  return {
    collectionName,
    database,
    indexID: id,
    latestDefinition: definition,
    latestDefinitionVersion: { createdAt: timestamp(changedAt), version },
    name,
    queryable: searchIndexes.isQueryable(index),
    status: searchIndexes.statusOf(index),
    type,
  };
}
