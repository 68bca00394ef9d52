import * as z from 'zod';
import type { DestinationOf } from '../destination.ts';
import { Id } from '../http.ts';
import { isSigned } from '../signature.ts';
import type { ParsedUpdate, Update, UpdateRequest } from '../tickets.ts';
import { bodyBy, dateOr, ignored, markerIn, unsigned, updates } from './common.ts';

const Item = z.object({
  field: z.string(),
  from: z.string().nullish(),
  to: z.string().nullish(),
  fromString: z.string().nullish(),
});
const Payload = z.object({
  timestamp: z.number().nullish(),
  webhookEvent: z.string(),
  user: z.object({ accountId: z.string().nullish(), displayName: z.string().nullish() }).nullish(),
  issue: z.object({
    id: Id,
    key: z.string(),
    fields: z
      .object({
        labels: z.array(z.string()).nullish(),
        status: z.object({ statusCategory: z.object({ key: z.string() }) }).nullish(),
      })
      .nullish(),
  }),
  changelog: z.object({ items: z.array(Item) }).nullish(),
});
type Payload = z.output<typeof Payload>;

/**
 * Webhooks that an administrator registered with a secret; only those are signed. May come half an hour late, again,
 * and in any order. Source: https://developer.atlassian.com/cloud/jira/platform/webhooks/
 */
export function parseJiraUpdate(
  destination: DestinationOf<'jira'>,
  request: UpdateRequest,
  secrets: readonly string[],
): ParsedUpdate {
  const { 'x-hub-signature': signature = '', 'x-atlassian-webhook-identifier': identifier } = request.headers;
  const given = signature.startsWith('sha256=') ? [signature.slice('sha256='.length)] : [];
  if (!isSigned(given, 'hex', secrets, [request.rawBody])) return unsigned;
  const read = bodyBy(Payload, request);
  if ('refused' in read) return read.refused;
  const { timestamp, user, issue } = read.body;
  if (user?.accountId && user.accountId === destination.actor) return ignored('our own doing');
  const label = issue.fields?.labels?.find((name) => name.startsWith('incident-'));
  const common = {
    ref: { id: issue.id, key: issue.key },
    incident: markerIn(label?.slice('incident-'.length)),
    by: user?.displayName ?? user?.accountId ?? undefined,
    actor: user?.accountId ?? undefined,
    at: dateOr(timestamp, new Date(0)),
    deliveryId: identifier ?? `${issue.id}-${timestamp ?? ''}`,
  };
  return updates(...kindsOf(read.body, destination.takenWhen).map((kind) => ({ ...common, kind })));
}

function kindsOf(payload: Payload, takenWhen: readonly string[]): Update['kind'][] {
  if (payload.webhookEvent === 'jira:issue_deleted') return ['deleted'];
  if (payload.webhookEvent !== 'jira:issue_updated') return [];
  const items = payload.changelog?.items ?? [];
  const item = (name: string) => items.find(({ field }) => field.toLowerCase() === name);
  const kinds: Update['kind'][] = [];
  const assignee = item('assignee');
  if (assignee && takenWhen.includes('assigned')) kinds.push(assignee.to ? 'assigned' : 'unassigned');
  const status = item('status');
  const category = payload.issue.fields?.status?.statusCategory.key;
  if (status && category === 'done') kinds.push('closed');
  else if (status) {
    const resolution = item('resolution');
    const wasDone = (resolution?.from && !resolution.to) || /done|closed|resolved/i.test(status.fromString ?? '');
    if (wasDone) kinds.push('reopened');
    if (takenWhen.includes('in-progress')) {
      if (category === 'indeterminate') kinds.push('acknowledged');
      else if (!wasDone) kinds.push('unacknowledged');
    }
  }
  if (item('key') || item('project')) kinds.push('moved');
  if (['summary', 'description', 'priority', 'labels'].some((field) => item(field))) kinds.push('edited');
  return kinds;
}
