import * as z from 'zod';
import { operation } from './define.ts';
import { GroupId, Instant, idOf, Long, ObjectId, openEnum, PageQuery, page, SentInstant } from './shapes.ts';

/**
 * An alert. Acknowledged is not a status: it is an `acknowledgedUntil` that lies ahead, on an alert that stays open.
 * Which of the last fields are there depends on what the alert is about.
 */
export const Alert = z.object({
  id: ObjectId,
  groupId: ObjectId.nullish(),
  orgId: ObjectId.nullish(),
  alertConfigId: ObjectId.nullish(),
  /** Hundreds of names, and new ones at any time. */
  eventTypeName: z.string().nullish(),
  /** TRACKING: the condition is there, but not for as long as the configuration waits. CANCELLED: it became void. */
  status: openEnum('OPEN', 'TRACKING', 'CLOSED', 'CANCELLED').nullish(),
  created: Instant.nullish(),
  updated: Instant.nullish(),
  resolved: Instant.nullish(),
  lastNotified: Instant.nullish(),
  acknowledgedUntil: Instant.nullish(),
  acknowledgementComment: z.string().nullish(),
  /** An e-mail address, or the public key of the API key that did it. */
  acknowledgingUsername: z.string().nullish(),
  clusterName: z.string().nullish(),
  replicaSetName: z.string().nullish(),
  hostnameAndPort: z.string().nullish(),
  metricName: z.string().nullish(),
  currentValue: z.object({ number: Long.nullish(), units: z.string().nullish() }).nullish(),
  nonRunningHostIds: z.array(z.string()).nullish(),
  parentClusterId: ObjectId.nullish(),
  instanceName: z.string().nullish(),
  processorName: z.string().nullish(),
  processorState: z.string().nullish(),
  processorErrorMsg: z.string().nullish(),
});
export type Alert = z.output<typeof Alert>;

const group = z.strictObject({ groupId: GroupId });
const alert = group.extend({ alertId: idOf('the alert’s id') });

/**
 * Alerts of every status, unless one is asked for; CANCELLED can't be asked for. Old alerts stay for years, so ask for
 * OPEN where only those matter. Role: Project Read Only.
 */
export const listGroupAlerts = operation({
  id: 'listGroupAlerts',
  summary: 'The alerts of a project',
  method: 'GET',
  path: '/api/atlas/v2/groups/{groupId}/alerts',
  version: '2023-01-01',
  repeat: 'safe',
  params: group,
  query: PageQuery.extend({
    status: z.enum(['OPEN', 'TRACKING', 'CLOSED']).describe('only alerts in this state').optional(),
  }),
  response: page(Alert),
});

/** Role: Project Read Only. */
export const getGroupAlert = operation({
  id: 'getGroupAlert',
  summary: 'One alert of a project',
  method: 'GET',
  path: '/api/atlas/v2/groups/{groupId}/alerts/{alertId}',
  version: '2023-01-01',
  repeat: 'safe',
  params: alert,
  response: Alert,
});

/**
 * Silences an alert's notifications until an instant, or takes that back. For ever is a date a hundred years ahead;
 * there is no other word for it. Atlas lets a closed alert be acknowledged too, and one whose condition ends meanwhile
 * still notifies once. Setting the same thing twice is setting it once, so a repeat is safe. The older version of this
 * endpoint took back an acknowledgement when `acknowledgedUntil` was left out; here that takes `unacknowledgeAlert`, and
 * one of the two has to be given. Role: Project Alerts Manager.
 */
export const acknowledgeGroupAlert = operation({
  id: 'acknowledgeGroupAlert',
  summary: 'Acknowledges an alert until an instant, or takes that back',
  method: 'PATCH',
  path: '/api/atlas/v2/groups/{groupId}/alerts/{alertId}',
  version: '2024-05-30',
  repeat: 'safe',
  params: alert,
  body: z.union(
    [
      z.strictObject({ acknowledgedUntil: SentInstant, acknowledgementComment: z.string().max(200).optional() }),
      z.strictObject({ unacknowledgeAlert: z.literal(true) }),
    ],
    'must have either acknowledgedUntil or unacknowledgeAlert',
  ),
  response: Alert,
});
