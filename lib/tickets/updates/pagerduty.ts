import * as z from 'zod';
import type { DestinationOf } from '../destination.ts';
import { isSigned } from '../signature.ts';
import type { ParsedUpdate, Update, UpdateRequest } from '../tickets.ts';
import { bodyBy, dateOr, ignored, markerIn, unsigned, updates } from './common.ts';

const Payload = z.object({
  event: z.object({
    id: z.string(),
    event_type: z.string(),
    occurred_at: z.string().nullish(),
    agent: z.object({ id: z.string().nullish(), type: z.string().nullish(), summary: z.string().nullish() }).nullish(),
    data: z.looseObject({ incident_key: z.string().nullish(), number: z.int().nullish() }),
  }),
});

const kinds: Readonly<Record<string, Update['kind']>> = {
  'incident.acknowledged': 'acknowledged',
  'incident.unacknowledged': 'unacknowledged',
  'incident.reassigned': 'assigned',
  'incident.delegated': 'assigned',
  'incident.resolved': 'closed',
  'incident.reopened': 'reopened',
};

/** Webhooks version 3. Source: https://developer.pagerduty.com/docs/webhooks-overview */
export function parsePagerDutyUpdate(
  destination: DestinationOf<'pagerduty'>,
  request: UpdateRequest,
  secrets: readonly string[],
): ParsedUpdate {
  // During a rotation there is a signature for each secret.
  const given = (request.headers['x-pagerduty-signature'] ?? '')
    .split(',')
    .flatMap((part) => (part.trim().startsWith('v1=') ? [part.trim().slice(3)] : []));
  if (!isSigned(given, 'hex', secrets, [request.rawBody])) return unsigned;
  const read = bodyBy(Payload, request);
  if ('refused' in read) return read.refused;
  const { id, event_type, occurred_at, agent, data } = read.body.event;
  const kind = Object.hasOwn(kinds, event_type) ? kinds[event_type] : undefined;
  if (!kind || !data.incident_key) return ignored('another event');
  // Only people are somebody: integrations, ours too, and timers act without one.
  if (!agent?.id || !/user/i.test(agent.type ?? '')) return ignored('done by a machine');
  if (agent.id === destination.actor) return ignored('our own doing');
  return updates({
    ref: { id: data.incident_key, key: data.number ? `#${data.number}` : data.incident_key },
    incident: markerIn(data.incident_key),
    kind,
    by: agent.summary ?? undefined,
    actor: agent.id,
    at: dateOr(occurred_at, new Date(0)),
    deliveryId: id,
  });
}
