import * as z from 'zod';
import { operation } from './define.ts';
import { ClusterName, GroupId, Instant, Long, ObjectId, OrgId, PageQuery, page, SentInstant } from './shapes.ts';

/** Something that happened. Who did it is a user, or an API key, or Atlas itself (none of them). */
export const OrgEvent = z.object({
  id: ObjectId,
  /** Hundreds of names, and new ones at any time. */
  eventTypeName: z.string().nullish(),
  created: Instant.nullish(),
  /** Absent where it happened to the organization itself. */
  groupId: GroupId.nullish(),
  orgId: OrgId.nullish(),
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
  port: z.int().nullish(),
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

const raw = { includeRaw: z.boolean().optional() };
const filter = PageQuery.extend({
  ...raw,
  eventType: z.array(z.string().min(1)).optional(),
  minDate: SentInstant.optional(),
  maxDate: SentInstant.optional(),
});

/** Newest first. The smallest rate limit of all project lists: 300, refilled at 100 a minute. Role: Project Read Only. */
export const listGroupEvents = operation({
  id: 'listGroupEvents',
  summary: 'What happened in a project',
  method: 'GET',
  path: '/api/atlas/v2/groups/{groupId}/events',
  version: '2023-01-01',
  repeat: 'safe',
  params: z.object({ groupId: GroupId }),
  query: filter.extend({
    clusterNames: z.array(ClusterName).optional(),
    excludedEventType: z.array(z.string().min(1)).optional(),
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
  params: z.object({ groupId: GroupId, eventId: ObjectId }),
  query: z.object(raw),
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
  params: z.object({ orgId: OrgId }),
  query: filter,
  response: page(OrgEvent),
});
