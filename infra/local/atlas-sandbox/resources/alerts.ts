import * as z from 'zod';
import { timestamp } from '../date.ts';
import { type Answer, type Call, inGroup } from '../operation.ts';
import { paginate } from '../pagination.ts';
import { AtlasRefusal } from '../refusal.ts';
import type { Alert } from '../state/alerts.ts';
import { usernameOf } from '../state/api-keys.ts';
import type { Project } from '../world.ts';
import { alertConfigOf, inConfigList } from './alert-configs.ts';

const LISTED = z.enum(['OPEN', 'TRACKING', 'CLOSED']);

const comment = z.string().max(200).optional();
const until = z.iso.datetime({ offset: true });
const acknowledgement = z.strictObject({
  acknowledgedUntil: until.optional(),
  acknowledgementComment: comment,
  unacknowledgeAlert: z.boolean().optional(),
});
/** The first version took the alert as it was read, of which it looked at these two. */
const acknowledgedAlert = z.object({ acknowledgedUntil: until, acknowledgementComment: comment });

const common = { versions: ['2023-01-01'], endpointSet: 'alerts' } as const;

export const alertOperations = [
  inGroup({
    ...common,
    operationId: 'listGroupAlerts',
    method: 'GET',
    path: '/groups/{groupId}/alerts',
    role: 'Project Read Only',
    handle({ world, url }, project) {
      const asked = url.searchParams.get('status') ?? undefined;
      const status = LISTED.optional().safeParse(asked);
      if (!status.success) {
        const detail = `An invalid alert status ${asked} was specified.`;
        throw new AtlasRefusal(400, 'INVALID_ALERT_STATUS', detail, [asked ?? '']);
      }
      const alerts = world.alerts.list(project, status.data);
      return { status: 200, body: paginate(url, alerts, (alert) => view(alert, url)) };
    },
  }),
  inGroup({
    ...common,
    operationId: 'getGroupAlert',
    method: 'GET',
    path: '/groups/{groupId}/alerts/{alertId}',
    role: 'Project Read Only',
    handle: (call, project) => ({ status: 200, body: linked(alertOf(call, project), call.url) }),
  }),
  inGroup({
    ...common,
    versions: ['2023-01-01', '2024-05-30'],
    operationId: 'acknowledgeGroupAlert',
    method: 'PATCH',
    path: '/groups/{groupId}/alerts/{alertId}',
    role: 'Project Alerts Manager',
    handle: acknowledge,
  }),
  inGroup({
    ...common,
    operationId: 'getGroupAlertAlertConfigs',
    method: 'GET',
    path: '/groups/{groupId}/alerts/{alertId}/alertConfigs',
    role: 'Project Read Only',
    handle(call, project) {
      const config = alertConfigOf(call, project, alertOf(call, project).alertConfigId);
      return { status: 200, body: paginate(call.url, [config], (found) => inConfigList(found, call.url)) };
    },
  }),
];

function acknowledge(call: Call, project: Project): Answer {
  const alert = alertOf(call, project);
  const { world, caller, url } = call;
  const body =
    call.version === '2023-01-01'
      ? { ...call.body(acknowledgedAlert), unacknowledgeAlert: false }
      : call.body(acknowledgement);
  const audit = (eventTypeName: string): void => {
    world.events.record({ eventTypeName, groupId: project.id, by: caller, details: { alertId: alert.id } });
  };
  if (body.unacknowledgeAlert) {
    world.alerts.unacknowledge(alert);
    audit('ALERT_UNACKNOWLEDGED_AUDIT');
  } else {
    if (body.acknowledgedUntil === undefined) {
      const detail = 'The required attribute acknowledgedUntil was not specified.';
      throw new AtlasRefusal(400, 'MISSING_ATTRIBUTE', detail, ['acknowledgedUntil']);
    }
    world.alerts.acknowledge(alert, {
      until: new Date(body.acknowledgedUntil),
      username: usernameOf(caller),
      comment: body.acknowledgementComment,
    });
    audit('ALERT_ACKNOWLEDGED_AUDIT');
  }
  return { status: 200, body: linked(alert, url) };
}

function alertOf(call: Call, project: Project): Alert {
  const id = call.param('alertId');
  if (!/^[a-f0-9]{24}$/.test(id)) {
    throw new AtlasRefusal(404, 'INVALID_ALERT_ID', `An invalid alert ID ${id} was specified.`, [id]);
  }
  const alert = call.world.alerts.find(project, id);
  if (alert) return alert;
  const detail = `No alert with ID ${id} exists in group ${project.id}.`;
  throw new AtlasRefusal(404, 'ALERT_NOT_FOUND', detail, [id, project.id]);
}

function address(alert: Alert, url: URL): string {
  return `${url.origin}/api/atlas/v2/groups/${alert.groupId}/alerts/${alert.id}`;
}

function view(alert: Alert, url: URL): object {
  const { id, groupId, orgId, alertConfigId, eventTypeName, status, createdAt, updatedAt } = alert;
  const { resolvedAt, lastNotifiedAt, acknowledgement: acknowledged } = alert;
  return {
    ...(acknowledged && {
      acknowledgedUntil: timestamp(acknowledged.until),
      ...(acknowledged.comment !== undefined && { acknowledgementComment: acknowledged.comment }),
      acknowledgingUsername: acknowledged.username,
    }),
    ...alert.details,
    alertConfigId,
    created: timestamp(createdAt),
    eventTypeName,
    groupId,
    id,
    ...(lastNotifiedAt && { lastNotified: timestamp(lastNotifiedAt) }),
    links: [{ href: address(alert, url), rel: 'self' }],
    orgId,
    ...(resolvedAt && { resolved: timestamp(resolvedAt) }),
    status,
    updated: timestamp(updatedAt),
  };
}

/** Alone, an alert also says where its configuration is. */
function linked(alert: Alert, url: URL): object {
  const group = `${url.origin}/api/atlas/v2/groups/${alert.groupId}`;
  return {
    ...view(alert, url),
    links: [
      { href: address(alert, url), rel: 'self' },
      { href: `${group}/alertConfigs/${alert.alertConfigId}`, rel: 'https://cloud.mongodb.com/alertConfig' },
      { href: `${address(alert, url)}/alertConfigs`, rel: 'https://cloud.mongodb.com/alertConfigs' },
    ],
  };
}
