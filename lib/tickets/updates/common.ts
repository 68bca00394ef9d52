import * as z from 'zod';
import { parseJson } from '../../runtime/json.ts';
import { isSigned, standardKey } from '../signature.ts';
import { Marker, type ParsedUpdate, type Update, type UpdateRequest } from '../tickets.ts';

/** How old a signed time may be, or how far ahead, in milliseconds. */
export const TOLERANCE_MS = 5 * 60_000;

export const unsigned: ParsedUpdate = { kind: 'refused', status: 401, reason: 'not signed as it must be' };
export const ignored = (reason: string): ParsedUpdate => ({ kind: 'ignored', reason });
export const updates = (...all: readonly Update[]): ParsedUpdate =>
  all.length === 0 ? ignored('nothing of interest') : { kind: 'updates', updates: all };

/** The body by a schema; what is signed and not understood is refused without detail. */
export function bodyBy<Schema extends z.ZodType>(
  schema: Schema,
  { rawBody }: UpdateRequest,
): { readonly body: z.output<Schema> } | { readonly refused: ParsedUpdate } {
  const parsed = schema.safeParse(parseJson(Buffer.from(rawBody).toString('utf8')));
  if (parsed.success) return { body: parsed.data };
  return { refused: { kind: 'refused', status: 400, reason: 'not a webhook this bundle knows' } };
}

/** Whether a signed time is near enough; `unit` is how many milliseconds one of it is. */
export function isRecent(text: string | undefined, unit: 1 | 1_000, now: Date): boolean {
  if (text === undefined || !/^\d{1,16}$/.test(text)) return false;
  return Math.abs(now.getTime() - Number(text) * unit) <= TOLERANCE_MS;
}

/** A valid date, or `otherwise`. */
export function dateOr(text: string | number | null | undefined, otherwise: Date): Date {
  const date = new Date(text ?? Number.NaN);
  return Number.isNaN(date.getTime()) ? otherwise : date;
}

/** A marker out of a text that should hold one. */
export const markerIn = (text: string | null | undefined): string | undefined => Marker.safeParse(text).data;

/** Standard Webhooks: `webhook-id`, `webhook-timestamp` and one or more signatures over both and the raw body. */
export function isStandardSigned({ headers, rawBody }: UpdateRequest, secrets: readonly string[], now: Date): boolean {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures = '' } = headers;
  if (id === undefined || id === '' || !isRecent(timestamp, 1_000, now)) return false;
  const given = signatures.split(' ').flatMap((part) => (part.startsWith('v1,') ? [part.slice(3)] : []));
  return isSigned(given, 'base64', secrets, [`${id}.${timestamp}.`, rawBody], standardKey);
}

const kinds = [
  'acknowledged',
  'unacknowledged',
  'assigned',
  'unassigned',
  'closed',
  'reopened',
  'edited',
  'deleted',
  'moved',
] as const;

const Standard = z.object({
  /** `ticket.acknowledged`, and so on. */
  type: z.string(),
  timestamp: z.string().nullish(),
  data: z.object({
    incident: z.string().nullish(),
    ticket: z.object({ id: z.string().min(1), key: z.string().min(1) }),
    by: z.string().nullish(),
    actor: z.string().nullish(),
  }),
});

/** The webhook of a receiver that we ask to speak as we do: signed by Standard Webhooks, `ticket.<kind>`. */
export function parseStandardUpdate(
  destination: { readonly actor?: string | undefined },
  request: UpdateRequest,
  secrets: readonly string[],
  now: Date,
): ParsedUpdate {
  if (!isStandardSigned(request, secrets, now)) return unsigned;
  const read = bodyBy(Standard, request);
  if ('refused' in read) return read.refused;
  const { type, timestamp, data } = read.body;
  const kind = kinds.find((known) => type === `ticket.${known}`);
  if (!kind) return ignored('another event');
  if (data.actor && data.actor === destination.actor) return ignored('our own doing');
  return updates({
    ref: data.ticket,
    incident: markerIn(data.incident),
    kind,
    by: data.by ?? undefined,
    actor: data.actor ?? undefined,
    at: dateOr(timestamp, now),
    deliveryId: request.headers['webhook-id'] ?? '',
  });
}
