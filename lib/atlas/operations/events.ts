import * as z from 'zod';
import { operation } from './define.ts';
import { ClusterName, GroupId, Instant, idOf, Long, ObjectId, OrgId, PageQuery, page, SentInstant } from './shapes.ts';

/** Something that happened. Who did it is a user, or an API key, or Atlas itself (none of them). */
export const OrgEvent = z.object({
  id: ObjectId,
  /** Hundreds of names, and new ones at any time. */
  eventTypeName: z.string().nullish(),
  created: Instant.nullish(),
  /** Absent where it happened to the organization itself. */
  groupId: ObjectId.nullish(),
  orgId: ObjectId.nullish(),
  isGlobalAdmin: z.boolean().nullish(),
  userId: z.string().nullish(),
  username: z.string().nullish(),
  apiKeyId: z.string().nullish(),
  publicKey: z.string().nullish(),
  remoteAddress: z.string().nullish(),
  alertId: z.string().nullish(),
  alertConfigId: z.string().nullish(),
  dbUserUsername: z.string().nullish(),
  targetUsername: z.string().nullish(),
  targetPublicKey: z.string().nullish(),
  whitelistEntry: z.string().nullish(),
  teamId: z.string().nullish(),
  invoiceId: z.string().nullish(),
  paymentId: z.string().nullish(),
  resourceId: z.string().nullish(),
  resourceType: z.string().nullish(),
  resourcePolicyId: z.string().nullish(),
  /** Only where `includeRaw` asked for it. */
  raw: z.record(z.string(), z.unknown()).nullish(),
});
export type OrgEvent = z.output<typeof OrgEvent>;

/** What happened in a project can have happened to a cluster, a host or a stream. */
export const GroupEvent = OrgEvent.extend({
  clusterName: z.string().nullish(),
  replicaSetName: z.string().nullish(),
  shardName: z.string().nullish(),
  hostname: z.string().nullish(),
  port: Long.nullish(),
  database: z.string().nullish(),
  collection: z.string().nullish(),
  opType: z.string().nullish(),
  metricName: z.string().nullish(),
  currentValue: z.object({ number: Long.nullish(), units: z.string().nullish() }).nullish(),
  endpointId: z.string().nullish(),
  providerEndpointId: z.string().nullish(),
  violatedPolicies: z.array(z.string()).nullish(),
  instanceName: z.string().nullish(),
  processorName: z.string().nullish(),
  processorState: z.string().nullish(),
  processorErrorMsg: z.string().nullish(),
});
export type GroupEvent = z.output<typeof GroupEvent>;

const EventTypes = z.array(z.string().min(1)).min(1);
const raw = { includeRaw: z.boolean().describe('the raw document of what happened, too').optional() };
const filter = PageQuery.extend({
  ...raw,
  eventType: EventTypes.describe('only events of these types').optional(),
  minDate: SentInstant.describe('only events from this instant on (ISO 8601 with its zone)').optional(),
  maxDate: SentInstant.describe('only events up to this instant (ISO 8601 with its zone)').optional(),
});

/** Newest first. The smallest rate limit of all project lists: 300, refilled at 100 a minute. Role: Project Read Only. */
export const listGroupEvents = operation({
  id: 'listGroupEvents',
  summary: 'What happened in a project',
  method: 'GET',
  path: '/api/atlas/v2/groups/{groupId}/events',
  version: '2023-01-01',
  repeat: 'safe',
  params: z.strictObject({ groupId: GroupId }),
  query: filter.extend({
    clusterNames: z.array(ClusterName).min(1).describe('only events of these clusters').optional(),
    excludedEventType: EventTypes.describe('no events of these types').optional(),
  }),
  response: page(GroupEvent),
});

/** Role: Project Read Only. */
export const getGroupEvent = operation({
  id: 'getGroupEvent',
  summary: 'One event of a project',
  method: 'GET',
  path: '/api/atlas/v2/groups/{groupId}/events/{eventId}',
  version: '2023-01-01',
  repeat: 'safe',
  params: z.strictObject({ groupId: GroupId, eventId: idOf('the event’s id') }),
  query: z.strictObject(raw),
  response: GroupEvent,
});

/** Newest first. The links of an event without a project lead nowhere. Role: Organization Member. */
export const listOrgEvents = operation({
  id: 'listOrgEvents',
  summary: 'What happened in an organization',
  method: 'GET',
  path: '/api/atlas/v2/orgs/{orgId}/events',
  version: '2023-01-01',
  repeat: 'safe',
  params: z.strictObject({ orgId: OrgId }),
  query: filter,
  response: page(OrgEvent),
});
