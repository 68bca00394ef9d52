import * as z from 'zod';
import { operation } from './define.ts';
import { Project } from './projects.ts';
import { ObjectId, OrgId, PageQuery, page } from './shapes.ts';

const NameFilter = z.string().describe('only those whose name begins so, in whatever case').optional();

/** The organizations the caller belongs to. Role: whoever is authenticated. */
export const listOrgs = operation({
  id: 'listOrgs',
  summary: 'The organizations the caller belongs to',
  method: 'GET',
  path: '/api/atlas/v2/orgs',
  version: '2023-01-01',
  repeat: 'safe',
  params: z.strictObject({}),
  query: PageQuery.extend({ name: NameFilter }),
  response: page(z.object({ id: ObjectId, name: z.string(), isDeleted: z.boolean().nullish() })),
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
  params: z.strictObject({ orgId: OrgId }),
  query: PageQuery.extend({ name: NameFilter }),
  response: page(Project),
});

/**
 * An organization's own rules. `maxServiceAccountSecretValidityInHours` is the longest a new secret of a service account
 * may live; it is missing where nobody set one. Atlas takes few of these calls: keep the answer. Role: Organization Member.
 */
export const getOrgSettings = operation({
  id: 'getOrgSettings',
  summary: 'The settings of an organization',
  method: 'GET',
  path: '/api/atlas/v2/orgs/{orgId}/settings',
  version: '2023-01-01',
  repeat: 'safe',
  params: z.strictObject({ orgId: OrgId }),
  response: z.object({
    maxServiceAccountSecretValidityInHours: z.number().nullish().catch(undefined),
    apiAccessListRequired: z.boolean().nullish().catch(undefined),
  }),
});
