import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { DestinationOf } from '../destination.ts';
import { isToken } from '../signature.ts';
import type { ParsedUpdate, Update, UpdateRequest } from '../tickets.ts';
import { bodyBy, dateOr, ignored, markerIn, unsigned, updates } from './common.ts';

const Payload = z.object({
  action: z.string(),
  source: z.object({ type: z.string().nullish() }).nullish(),
  alert: z.object({
    alertId: z.string(),
    alias: z.string().nullish(),
    tinyId: z.string().nullish(),
    username: z.string().nullish(),
    userId: z.string().nullish(),
    updatedAt: z.union([z.number(), z.bigint()]).nullish(),
  }),
});

const kinds: Readonly<Record<string, Update['kind']>> = {
  Acknowledge: 'acknowledged',
  UnAcknowledge: 'unacknowledged',
  AssignOwnership: 'assigned',
  TakeOwnership: 'assigned',
  Close: 'closed',
  Delete: 'deleted',
  UpdateMessage: 'edited',
  UpdateDescription: 'edited',
  UpdatePriority: 'edited',
};

/**
 * The outgoing webhook integration, which signs nothing: a token in the `Authorization` header (`Bearer …`), set as a
 * custom header of the integration, stands in for a signature.
 * Source: https://support.atlassian.com/jira-service-management-cloud/docs/alert-action-data-for-jira-edge-connector
 */
export function parseJsmOperationsUpdate(
  destination: DestinationOf<'jsm-operations'>,
  request: UpdateRequest,
  secrets: readonly string[],
  now: Date,
): ParsedUpdate {
  const token = /^Bearer (\S+)$/.exec(request.headers['authorization'] ?? '')?.[1];
  if (!isToken(token, secrets)) return unsigned;
  const read = bodyBy(Payload, request);
  if ('refused' in read) return read.refused;
  const { action, alert, source } = read.body;
  const kind = Object.hasOwn(kinds, action) ? kinds[action] : undefined;
  if (!kind || !alert.alias) return ignored('another event');
  if (source?.type === 'API' || (alert.userId && alert.userId === destination.actor))
    return ignored('done by a machine');
  // Nanoseconds, or nearly so: the digits past the thousandth of a second only tell events apart.
  const updated = Number(alert.updatedAt ?? Number.NaN);
  return updates({
    ref: { id: alert.alias, key: alert.tinyId ? `#${alert.tinyId}` : alert.alias },
    incident: markerIn(alert.alias),
    kind,
    by: alert.username ?? undefined,
    actor: alert.userId ?? undefined,
    at: dateOr(updated > 1e15 ? Math.floor(updated / 1e6) : updated, now),
    deliveryId: createHash('sha256').update(request.rawBody).digest('hex').slice(0, 32),
  });
}
