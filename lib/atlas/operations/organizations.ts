import * as z from 'zod';
import { operation } from './define.ts';
import { Project } from './projects.ts';
import { OrgId, PageQuery, page } from './shapes.ts';

/** The organizations the caller belongs to. Role: any authenticated caller. */
export const listOrgs = operation({
  id: 'listOrgs',
  summary: 'The organizations the caller belongs to',
  method: 'GET',
  path: '/api/atlas/v2/orgs',
  version: '2023-01-01',
  repeat: 'safe',
  params: z.object({}),
  query: PageQuery.extend({ name: z.string().optional() }),
  response: page(z.object({ id: OrgId, name: z.string(), isDeleted: z.boolean().nullish() })),
});

/**
 * The projects of an organization. `name` keeps those whose name begins so, in whatever case: a filter, not a look-up.
 * Role: Organization Member.
 */
export const getOrgGroups = operation({
  id: 'getOrgGroups',
  summary: 'The projects of an organization',
  method: 'GET',
  path: '/api/atlas/v2/orgs/{orgId}/groups',
  version: '2023-01-01',
  repeat: 'safe',
  params: z.object({ orgId: OrgId }),
  query: PageQuery.extend({ name: z.string().optional() }),
  response: page(Project),
});
