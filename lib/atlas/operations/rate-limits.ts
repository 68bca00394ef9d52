import * as z from 'zod';
import { operation } from './define.ts';
import { idOf, Long, openEnum, PageQuery, page, SentAddress } from './shapes.ts';

/** `defaultValue` is there where somebody at Atlas gave this caller another value. */
const Limit = z.object({ value: Long.nullish(), defaultValue: Long.nullish() });

/**
 * A token bucket that some endpoints share, per project, organization, user or address. It is full again after
 * capacity / refillRate x refillDurationSeconds.
 */
export const RateLimit = z.object({
  endpointSetId: z.string(),
  endpointSetName: z.string().nullish(),
  scope: openEnum('IP', 'GROUP', 'ORGANIZATION', 'USER').nullish(),
  capacity: Limit.nullish(),
  refillRate: Limit.nullish(),
  refillDurationSeconds: Limit.nullish(),
  endpoints: z.array(z.object({ method: z.string().nullish(), path: z.string().nullish() })).nullish(),
});
export type RateLimit = z.output<typeof RateLimit>;

/** Whose limits: each narrows the answer to buckets of that scope, and asks for sight of what it names. */
const subject = z.strictObject({
  groupId: idOf('for this project, by its id').optional(),
  orgId: idOf('for this organization, by its id').optional(),
  userId: z.string().min(1).describe('for this client id, or public half of an API key').optional(),
  ipAddress: SentAddress.describe('for this address, which has to be the caller’s own').optional(),
});

/**
 * The limits as they are, which are no part of the API's contract and may change at any time.
 * Role: whoever is authenticated; Project or Organization Read Only for what is named.
 */
export const listRateLimits = operation({
  id: 'listRateLimits',
  summary: 'The rate limits of the API',
  method: 'GET',
  path: '/api/atlas/v2/rateLimits',
  version: '2025-03-12',
  repeat: 'safe',
  params: z.strictObject({}),
  query: PageQuery.omit({ includeCount: true }).extend({
    ...subject.shape,
    name: z.string().min(1).describe('only the limit of this name').optional(),
    /** As in `endpoints`: `/api/atlas/v2/groups/{groupId}`. */
    endpointPath: z.string().min(1).describe('only limits on this path, placeholders included').optional(),
  }),
  response: page(RateLimit),
});

const EndpointSetId = z
  .string()
  .regex(/^[\w-]+$/, 'must be letters, digits, - and _')
  .describe('the limit’s id, as the list has it');

/** Role: whoever is authenticated; Project or Organization Read Only for what is named. */
export const getRateLimit = operation({
  id: 'getRateLimit',
  summary: 'One rate limit of the API',
  method: 'GET',
  path: '/api/atlas/v2/rateLimits/{endpointSetId}',
  version: '2025-03-12',
  repeat: 'safe',
  params: z.strictObject({ endpointSetId: EndpointSetId }),
  query: subject,
  response: RateLimit,
});
