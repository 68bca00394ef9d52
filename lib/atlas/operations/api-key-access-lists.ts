import * as z from 'zod';
import { operation } from './define.ts';
import { Instant, idOf, Long, OrgId, PageQuery, page } from './shapes.ts';

/** One range an API key may be used from. A single address shows up as its own range of /32 or /128 as well. */
export const ApiKeyAccessListEntry = z.object({
  cidrBlock: z.string().nullish(),
  ipAddress: z.string().nullish(),
  created: Instant.nullish(),
  /** How many requests came from `lastUsedAddress`; 0 before the first. */
  count: Long.nullish(),
  lastUsed: Instant.nullish(),
  lastUsedAddress: z.string().nullish(),
});

/** Role: Organization Member. */
export const listOrgApiKeyAccessListEntries = operation({
  id: 'listOrgApiKeyAccessListEntries',
  summary: 'The access list of an API key of an organization',
  method: 'GET',
  path: '/api/atlas/v2/orgs/{orgId}/apiKeys/{apiUserId}/accessList',
  version: '2023-01-01',
  repeat: 'safe',
  params: z.strictObject({ orgId: OrgId, apiUserId: idOf('the API key’s id, not its public half') }),
  query: PageQuery,
  response: page(ApiKeyAccessListEntry),
});
