import * as z from 'zod';
import type { DestinationOf } from '../destination.ts';
import { Id } from '../http.ts';
import { isSigned } from '../signature.ts';
import type { ParsedUpdate, Update, UpdateRequest } from '../tickets.ts';
import { bodyBy, dateOr, ignored, markerIn, TOLERANCE_MS, unsigned, updates } from './common.ts';

const Payload = z.object({
  type: z.string(),
  id: z.string(),
  time: z.string().nullish(),
  detail: z.object({ id: Id, external_id: z.string().nullish(), actor_id: Id.nullish() }),
  event: z.object({ current: z.unknown().optional(), previous: z.unknown().optional() }).nullish(),
});

const PREFIX = 'zen:event-type:ticket.';

/** Event webhooks. Source: https://developer.zendesk.com/documentation/webhooks/verifying/ */
export function parseZendeskUpdate(
  destination: DestinationOf<'zendesk'>,
  request: UpdateRequest,
  secrets: readonly string[],
  now: Date,
): ParsedUpdate {
  const { 'x-zendesk-webhook-signature': signature = '', 'x-zendesk-webhook-signature-timestamp': timestamp } =
    request.headers;
  if (timestamp === undefined || !isSigned([signature], 'base64', secrets, [timestamp, request.rawBody]))
    return unsigned;
  if (!(Math.abs(now.getTime() - Date.parse(timestamp)) <= TOLERANCE_MS)) return unsigned;
  const read = bodyBy(Payload, request);
  if ('refused' in read) return read.refused;
  const { type, id, time, detail, event } = read.body;
  const kind = type.startsWith(PREFIX) ? kindOf(type.slice(PREFIX.length), event ?? {}) : undefined;
  if (!kind) return ignored('another event');
  if (detail.actor_id && detail.actor_id === destination.actor) return ignored('our own doing');
  return updates({
    ref: { id: detail.id, key: `#${detail.id}` },
    incident: markerIn(detail.external_id),
    kind,
    by: detail.actor_id ?? undefined,
    actor: detail.actor_id ?? undefined,
    at: dateOr(time, now),
    deliveryId: id,
  });
}

function kindOf(
  type: string,
  { current, previous }: { current?: unknown; previous?: unknown },
): Update['kind'] | undefined {
  const closed = (status: unknown): boolean => ['SOLVED', 'CLOSED'].includes(String(status).toUpperCase());
  switch (type) {
    case 'agent_assignment_changed':
      return current === null || current === undefined || current === '' ? 'unassigned' : 'assigned';
    case 'status_changed':
      if (closed(current)) return closed(previous) ? undefined : 'closed';
      return closed(previous) ? 'reopened' : undefined;
    case 'subject_changed':
    case 'priority_changed':
      return 'edited';
    case 'merged':
      return 'moved';
    case 'soft_deleted':
    case 'permanently_deleted':
      return 'deleted';
    default:
      return undefined;
  }
}
