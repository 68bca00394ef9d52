import * as z from 'zod';
import type { DestinationOf } from '../destination.ts';
import { Id } from '../http.ts';
import { isSigned } from '../signature.ts';
import type { ParsedUpdate, Update, UpdateRequest } from '../tickets.ts';
import { bodyBy, dateOr, ignored, markerIn, unsigned, updates } from './common.ts';

const Payload = z.object({
  action: z.string().optional(),
  issue: z
    .object({
      id: Id,
      number: z.int(),
      body: z.string().nullish(),
      updated_at: z.string().nullish(),
      pull_request: z.unknown().optional(),
    })
    .optional(),
  repository: z.object({ full_name: z.string() }).optional(),
  sender: z.object({ login: z.string(), type: z.string().nullish() }).nullish(),
});

const kinds: Readonly<Record<string, Update['kind']>> = {
  assigned: 'assigned',
  unassigned: 'unassigned',
  closed: 'closed',
  reopened: 'reopened',
  edited: 'edited',
  labeled: 'edited',
  unlabeled: 'edited',
  deleted: 'deleted',
  transferred: 'moved',
};

/** The `issues` event. Source: https://docs.github.com/en/webhooks/webhook-events-and-payloads#issues */
export function parseGitHubUpdate(
  destination: DestinationOf<'github'>,
  request: UpdateRequest,
  secrets: readonly string[],
): ParsedUpdate {
  const {
    'x-hub-signature-256': signature = '',
    'x-github-event': event,
    'x-github-delivery': delivery,
  } = request.headers;
  const given = signature.startsWith('sha256=') ? [signature.slice('sha256='.length)] : [];
  if (!isSigned(given, 'hex', secrets, [request.rawBody])) return unsigned;
  if (event !== undefined && event !== 'issues') return ignored('another event');
  const read = bodyBy(Payload, request);
  if ('refused' in read) return read.refused;
  const { action = '', issue, repository, sender } = read.body;
  const kind = Object.hasOwn(kinds, action) ? kinds[action] : undefined;
  if (!issue || !repository || !kind || issue.pull_request !== undefined) return ignored('another event');
  if (sender && sender.login === destination.actor) return ignored('our own doing');
  return updates({
    ref: { id: issue.id, key: `${repository.full_name}#${issue.number}` },
    incident: markerIn(/<!-- atlas-incident: ([a-z0-9-]{8,40}) -->\s*$/.exec(issue.body ?? '')?.[1]),
    kind,
    by: sender?.type === 'Bot' ? undefined : sender?.login,
    actor: sender?.login,
    at: dateOr(issue.updated_at, new Date(0)),
    deliveryId: delivery ?? `${issue.id}-${action}-${issue.updated_at ?? ''}`,
  });
}
