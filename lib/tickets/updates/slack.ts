import * as z from 'zod';
import type { DestinationOf } from '../destination.ts';
import { isSigned } from '../signature.ts';
import type { ParsedUpdate, Update, UpdateRequest } from '../tickets.ts';
import { bodyBy, dateOr, ignored, isRecent, unsigned, updates } from './common.ts';

const Payload = z.union([
  z.object({ type: z.literal('url_verification'), challenge: z.string().max(1_000) }),
  z.object({
    type: z.literal('event_callback'),
    event_id: z.string(),
    event: z.object({
      type: z.string(),
      subtype: z.string().nullish(),
      user: z.string().nullish(),
      reaction: z.string().nullish(),
      event_ts: z.string().nullish(),
      deleted_ts: z.string().nullish(),
      channel: z.string().nullish(),
      item: z.object({ type: z.string(), channel: z.string().nullish(), ts: z.string().nullish() }).nullish(),
    }),
  }),
]);

/** The Events API. Source: https://docs.slack.dev/authentication/verifying-requests-from-slack */
export function parseSlackUpdate(
  destination: DestinationOf<'slack'>,
  request: UpdateRequest,
  secrets: readonly string[],
  now: Date,
): ParsedUpdate {
  const { 'x-slack-signature': signature = '', 'x-slack-request-timestamp': timestamp } = request.headers;
  if (!isRecent(timestamp, 1_000, now)) return unsigned;
  const given = signature.startsWith('v0=') ? [signature.slice(3)] : [];
  if (!isSigned(given, 'hex', secrets, [`v0:${timestamp}:`, request.rawBody])) return unsigned;
  const read = bodyBy(Payload, request);
  if ('refused' in read) return read.refused;
  if (read.body.type === 'url_verification') return { kind: 'challenge', answer: read.body.challenge };
  const { event, event_id } = read.body;
  const common = {
    incident: undefined,
    by: event.user ?? undefined,
    actor: event.user ?? undefined,
    at: dateOr(Number(event.event_ts ?? Number.NaN) * 1_000, now),
    deliveryId: event_id,
  };
  if (event.type === 'message' && event.subtype === 'message_deleted' && event.channel && event.deleted_ts)
    return updates({
      ...common,
      ref: { id: `${event.channel}:${event.deleted_ts}`, key: event.deleted_ts },
      kind: 'deleted',
    });
  const { item } = event;
  const kind = kindOf(destination, event.type, event.reaction ?? '');
  if (!kind || item?.type !== 'message' || !item.channel || !item.ts) return ignored('another event');
  if (event.user && event.user === destination.actor) return ignored('our own doing');
  return updates({ ...common, ref: { id: `${item.channel}:${item.ts}`, key: item.ts }, kind });
}

function kindOf(destination: DestinationOf<'slack'>, type: string, reaction: string): Update['kind'] | undefined {
  const closes = reaction === destination.closeReaction || reaction === destination.wontFixReaction;
  const acknowledges = reaction === destination.acknowledgeReaction;
  if (type === 'reaction_added') return acknowledges ? 'acknowledged' : closes ? 'closed' : undefined;
  if (type === 'reaction_removed') return acknowledges ? 'unacknowledged' : closes ? 'reopened' : undefined;
  return undefined;
}
