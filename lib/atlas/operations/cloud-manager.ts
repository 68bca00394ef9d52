import * as z from 'zod';
import { operation } from './define.ts';
import { GroupId, Instant, Long, ObjectId, PageQuery, page } from './shapes.ts';

/**
 * A project of Cloud Manager. What its agents report is counted about once a day and may lag by half an hour after one
 * starts or stops. The agents' API key, which Cloud Manager also shows, is left out on purpose.
 */
export const CloudManagerProject = z.object({
  id: ObjectId,
  name: z.string(),
  orgId: z.string().nullish(),
  activeAgentCount: Long.nullish(),
  /** When `activeAgentCount` was last counted, in spite of its name. */
  lastActiveAgent: Instant.nullish(),
  /** By kind: `primary`, `secondary`, `arbiter`, `config`, `mongos`, `master`, `slave`. */
  hostCounts: z.record(z.string(), Long).nullish(),
  replicaSetCount: Long.nullish(),
  shardCount: Long.nullish(),
  publicApiEnabled: z.boolean().nullish(),
});
export type CloudManagerProject = z.output<typeof CloudManagerProject>;

/**
 * The Cloud Manager projects the caller can see. Takes API keys; service accounts are in preview there.
 * Role: whoever is authenticated.
 */
export const listCloudManagerGroups = operation({
  id: 'listCloudManagerGroups',
  summary: 'The Cloud Manager projects the caller can see',
  method: 'GET',
  path: '/api/public/v1.0/groups',
  repeat: 'safe',
  params: z.strictObject({}),
  query: PageQuery,
  response: page(CloudManagerProject),
});

/**
 * 404 ATLAS_GROUP when the project is one of Atlas: then getGroup has it. Takes API keys; service accounts are in
 * preview there. Role: Project Read Only.
 */
export const getCloudManagerGroup = operation({
  id: 'getCloudManagerGroup',
  summary: 'One Cloud Manager project, with how its agents are',
  method: 'GET',
  path: '/api/public/v1.0/groups/{groupId}',
  repeat: 'safe',
  params: z.strictObject({ groupId: GroupId }),
  response: CloudManagerProject,
});
