import * as z from 'zod';
import type { DestinationOf } from '../destination.ts';
import { isSigned } from '../signature.ts';
import type { ParsedUpdate, Update, UpdateRequest } from '../tickets.ts';
import { bodyBy, dateOr, ignored, isRecent, unsigned, updates } from './common.ts';

const Payload = z.object({
  action: z.string(),
  type: z.string(),
  actor: z.object({ id: z.string().nullish(), name: z.string().nullish(), type: z.string().nullish() }).nullish(),
  createdAt: z.string().nullish(),
  webhookTimestamp: z.number().nullish(),
  data: z.looseObject({
    id: z.string(),
    identifier: z.string().nullish(),
    assigneeId: z.string().nullish(),
    state: z.object({ type: z.string() }).nullish(),
  }),
  updatedFrom: z.record(z.string(), z.unknown()).nullish(),
});

const CLOSED = ['completed', 'canceled', 'duplicate'];

/** Source: https://linear.app/developers/webhooks */
export function parseLinearUpdate(
  destination: DestinationOf<'linear'>,
  request: UpdateRequest,
  secrets: readonly string[],
  now: Date,
): ParsedUpdate {
  const { 'linear-signature': signature = '', 'linear-delivery': delivery } = request.headers;
  if (!isSigned([signature], 'hex', secrets, [request.rawBody])) return unsigned;
  const read = bodyBy(Payload, request);
  if ('refused' in read) return read.refused;
  const { action, type, actor, createdAt, webhookTimestamp, data, updatedFrom } = read.body;
  if (!isRecent(String(webhookTimestamp ?? ''), 1, now)) return unsigned;
  if (type !== 'Issue') return ignored('another event');
  if (actor?.id && actor.id === destination.actor) return ignored('our own doing');
  const common = {
    ref: { id: data.id, key: data.identifier ?? data.id },
    incident: undefined,
    by: actor?.type === 'user' || !actor?.type ? (actor?.name ?? undefined) : undefined,
    actor: actor?.id ?? undefined,
    at: dateOr(createdAt, now),
    deliveryId: delivery ?? `${data.id}-${webhookTimestamp}`,
  };
  if (action === 'remove') return updates({ ...common, kind: 'deleted' });
  if (action !== 'update') return ignored('another event');
  const before = updatedFrom ?? {};
  const kinds: Update['kind'][] = [];
  if ('assigneeId' in before) kinds.push(data.assigneeId ? 'assigned' : 'unassigned');
  if ('stateId' in before) {
    const state = data.state?.type ?? '';
    if (CLOSED.includes(state)) kinds.push('closed');
    else if ('completedAt' in before || 'canceledAt' in before) kinds.push('reopened');
    else kinds.push(state === 'started' ? 'acknowledged' : 'unacknowledged');
  }
  if ('teamId' in before) kinds.push('moved');
  if ('title' in before || 'description' in before || 'priority' in before) kinds.push('edited');
  return updates(...kinds.map((kind) => ({ ...common, kind })));
}
