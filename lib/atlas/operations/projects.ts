import * as z from 'zod';
import { operation } from './define.ts';
import { GroupId, Instant, Long, ObjectId, PageQuery, page, Tags } from './shapes.ts';

/** A project, which the API calls a group. */
export const Project = z.object({
  id: ObjectId,
  orgId: ObjectId,
  name: z.string(),
  created: Instant.nullish(),
  clusterCount: Long.nullish(),
  tags: Tags.nullish(),
});
export type Project = z.output<typeof Project>;

/** The projects ("groups" in the API) the caller can see. Role: whoever is authenticated. */
export const listGroups = operation({
  id: 'listGroups',
  summary: 'The projects the caller can see',
  method: 'GET',
  path: '/api/atlas/v2/groups',
  version: '2023-01-01',
  repeat: 'safe',
  params: z.strictObject({}),
  query: PageQuery,
  response: page(Project),
});

/**
 * 404 NOT_ATLAS_GROUP when the project is one of Cloud Manager: then getCloudManagerGroup has it. 401, not 403 or 404,
 * when the caller is not in its organization. Role: Project Read Only.
 */
export const getGroup = operation({
  id: 'getGroup',
  summary: 'One project',
  method: 'GET',
  path: '/api/atlas/v2/groups/{groupId}',
  version: '2023-01-01',
  repeat: 'safe',
  params: z.strictObject({ groupId: GroupId }),
  response: Project,
});
