import * as z from 'zod';
import { operation } from './define.ts';
import { GroupId, Instant, OrgId, PageQuery, page } from './shapes.ts';

/** The projects ("groups" in the API) the caller can see. Role: any authenticated caller. */
export const listGroups = operation({
  id: 'listGroups',
  summary: 'The projects the caller can see',
  method: 'GET',
  path: '/api/atlas/v2/groups',
  version: '2023-01-01',
  repeat: 'safe',
  params: z.object({}),
  query: PageQuery,
  response: page(
    z.object({ id: GroupId, orgId: OrgId, name: z.string(), created: Instant, clusterCount: z.int().nullish() }),
  ),
});
