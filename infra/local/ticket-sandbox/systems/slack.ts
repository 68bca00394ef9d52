import type { Received } from '../../atlas-sandbox/received.ts';
import { createLimiter } from '../limits.ts';
import { answer, TrackerRefusal } from '../refusal.ts';
import {
  type Actor,
  type Before,
  BOT,
  type Context,
  createPeople,
  type Doing,
  isObject,
  jsonOf,
  objectAt,
  type Ticket,
  Tickets,
  type Tracker,
  textAt,
} from '../tracker.ts';
import { hex } from '../webhooks.ts';

export interface Slack extends Tracker {
  archived: boolean;
}

const CHANNEL = 'C0ALERTS';
const ELEMENTS = new Set(['rich_text_section', 'rich_text_list', 'rich_text_preformatted', 'rich_text_quote']);

/** Slack's Web API and Events API. Sources: docs.slack.dev (methods, block kit, rate limits, verifying requests). */
export function createSlack({ seed, clock, webhooks, limits, durable }: Context): Slack {
  const tickets = new Tickets(clock, durable);
  const token = `xoxb-${seed}`;
  // One message a second and channel, with some room for bursts.
  const posting = createLimiter(
    clock,
    limits['slack'] === false ? undefined : (limits['slack'] ?? { calls: 5, seconds: 5 }),
  );
  let lastTs = 0;

  const no = (error: string, status = 200, headers: Record<string, string> = {}): TrackerRefusal =>
    new TrackerRefusal(status, { ok: false, error }, headers);
  const inputOf = (received: Received): Record<string, unknown> =>
    (received.headers.get('content-type') ?? '').startsWith('application/x-www-form-urlencoded')
      ? Object.fromEntries(new URLSearchParams(received.body))
      : jsonOf(received, () => no('invalid_json'));
  const guarded =
    (handle: (input: Record<string, unknown>) => Response) =>
    (received: Received): Response => {
      const given = received.headers.get('authorization');
      if (!given) throw no('not_authed');
      if (given !== `Bearer ${token}`) throw no('invalid_auth');
      const input = inputOf(received);
      if (textAt(input, 'channel') !== CHANNEL) throw no('channel_not_found');
      return handle(input);
    };

  const nextTs = (): string => {
    lastTs = Math.max(lastTs + 1, clock.now().getTime() * 1_000);
    return `${Math.floor(lastTs / 1e6)}.${String(lastTs % 1e6).padStart(6, '0')}`;
  };

  function checked(input: Record<string, unknown>): void {
    const text = textAt(input, 'text') ?? '';
    if (slack.archived) throw no('is_archived');
    const blocks = input['blocks'];
    if (text === '' && !Array.isArray(blocks)) throw no('no_text');
    if (text.length > 40_000) throw no('msg_too_long');
    if (blocks !== undefined && !(Array.isArray(blocks) && blocks.length <= 50 && blocks.every(isBlock)))
      throw no('invalid_blocks');
    const metadata = input['metadata'];
    if (
      metadata !== undefined &&
      !(isObject(metadata) && textAt(metadata, 'event_type') && isObject(metadata['event_payload']))
    )
      throw no('invalid_metadata_format');
  }

  const messageOf = (ticket: Ticket) => ({
    type: 'message',
    ts: ticket.extra['ts'],
    text: ticket.title,
    blocks: ticket.body,
    metadata: ticket.extra['metadata'],
    bot_id: 'B0BOT',
    ...(ticket.extra['edited'] !== undefined && { edited: { user: BOT.id, ts: ticket.extra['edited'] } }),
    reactions: Object.entries(objectAt(ticket.extra, 'reactions')).map(([name, user]) => ({
      name,
      users: [String(user)],
      count: 1,
    })),
  });
  const byTs = (ts: string | undefined): Ticket | undefined =>
    tickets.present.find((ticket) => ticket.extra['ts'] === ts);
  const statusOf = (metadata: unknown): string =>
    isObject(metadata) ? (textAt(objectAt(metadata, 'event_payload'), 'status') ?? 'open') : 'open';

  /** People say what they do by reactions. */
  function changed(ticket: Ticket, doing: Doing, _: Before, actor: Actor): void {
    const reactions = { ...objectAt(ticket.extra, 'reactions') };
    const [type, name] =
      doing === 'assigned' || doing === 'acknowledged'
        ? ['reaction_added', 'eyes']
        : doing === 'unassigned' || doing === 'unacknowledged'
          ? ['reaction_removed', 'eyes']
          : doing === 'closed'
            ? ['reaction_added', ticket.resolution === 'wontfix' ? 'no_entry_sign' : 'white_check_mark']
            : doing === 'reopened'
              ? ['reaction_removed', 'white_check_mark']
              : [undefined, ''];
    if (type === 'reaction_added' && name) reactions[name] = actor.id;
    if (type === 'reaction_removed' && name) delete reactions[name];
    ticket.extra['reactions'] = reactions;
    if (!type && doing !== 'deleted') return;
    const ts = String(ticket.extra['ts']);
    const event = type
      ? { type, user: actor.id, reaction: name, item: { type: 'message', channel: CHANNEL, ts }, event_ts: nextTs() }
      : { type: 'message', subtype: 'message_deleted', channel: CHANNEL, deleted_ts: ts, event_ts: nextTs() };
    const text = JSON.stringify({
      type: 'event_callback',
      event_id: `Ev${ticket.changes}${ts.replace('.', '')}`,
      event,
    });
    const at = String(Math.floor(clock.now().getTime() / 1_000));
    webhooks.emit('slack', (key) => ({
      headers: { 'X-Slack-Signature': `v0=${hex(key, `v0:${at}:${text}`)}`, 'X-Slack-Request-Timestamp': at },
      body: text,
    }));
  }

  const slack: Slack = {
    name: 'slack',
    archived: false,
    tickets,
    people: createPeople(tickets, {
      open: 'open',
      closed: 'open',
      wontFix: { status: 'open', resolution: 'wontfix' },
      changed,
    }),
    secrets: { 'tickets/slack': token },
    destination: (at) => ({
      id: 'slack',
      type: 'slack',
      baseUrl: `${at}/slack`,
      secret: 'tickets/slack',
      webhookSecret: 'tickets/slack-webhook',
      actor: BOT.id,
      channel: CHANNEL,
    }),
    refuse: (status) =>
      no(
        { 401: 'invalid_auth', 403: 'missing_scope', 404: 'channel_not_found', 429: 'ratelimited' }[status] ??
          (status >= 500 ? 'internal_error' : 'invalid_arguments'),
        status === 429 || status >= 500 ? status : 200,
      ).response,
    routes: [
      {
        operation: 'slack.postMessage',
        method: 'POST',
        path: '/chat.postMessage',
        handle: guarded((input) => {
          const taken = posting(CHANNEL);
          if (!taken.allowed) throw no('ratelimited', 429, { 'Retry-After': String(taken.waitSeconds) });
          checked(input);
          const ts = nextTs();
          const thread = textAt(input, 'thread_ts');
          if (thread !== undefined) {
            const parent = byTs(thread);
            if (!parent) throw no('thread_not_found');
            parent.comments.push({
              id: ts,
              author: BOT.name,
              body: input['blocks'] ?? input['text'],
              at: clock.now().getTime(),
              extra: { metadata: input['metadata'], text: input['text'] },
            });
            tickets.touch(parent);
            return answer(200, { ok: true, channel: CHANNEL, ts });
          }
          const metadata = input['metadata'];
          tickets.add({
            id: `${CHANNEL}:${ts}`,
            key: ts,
            title: textAt(input, 'text') ?? '',
            body: input['blocks'] ?? null,
            status: statusOf(metadata),
            incident: isObject(metadata) ? (textAt(objectAt(metadata, 'event_payload'), 'incident') ?? null) : null,
            extra: { ts, metadata, link_names: input['link_names'], parse: input['parse'] },
          });
          return answer(200, { ok: true, channel: CHANNEL, ts });
        }),
      },
      {
        operation: 'slack.update',
        method: 'POST',
        path: '/chat.update',
        handle: guarded((input) => {
          checked(input);
          const ticket = byTs(textAt(input, 'ts'));
          if (!ticket) throw no('message_not_found');
          ticket.title = textAt(input, 'text') ?? ticket.title;
          ticket.body = input['blocks'] ?? ticket.body;
          if (input['metadata'] !== undefined) ticket.extra['metadata'] = input['metadata'];
          ticket.status = statusOf(ticket.extra['metadata']);
          ticket.extra['edited'] = nextTs();
          tickets.touch(ticket);
          return answer(200, { ok: true, channel: CHANNEL, ts: ticket.extra['ts'] });
        }),
      },
      {
        operation: 'slack.history',
        method: 'POST',
        path: '/conversations.history',
        handle: guarded((input) => {
          const [oldest, latest] = [Number(input['oldest'] ?? 0), Number(input['latest'] ?? Number.MAX_SAFE_INTEGER)];
          const inclusive = String(input['inclusive']) === 'true';
          const within = (ts: number): boolean =>
            inclusive ? ts >= oldest && ts <= latest : ts > oldest && ts < latest;
          const all = tickets.present.filter(({ extra }) => within(Number(extra['ts']))).reverse();
          const start = Number(textAt(input, 'cursor') ?? 0);
          const size = Math.min(999, Number(input['limit'] ?? 100));
          const page = all.slice(start, start + size).map(messageOf);
          const messages =
            String(input['include_all_metadata']) === 'true' ? page : page.map(({ metadata: _, ...rest }) => rest);
          const more = start + size < all.length;
          return answer(200, {
            ok: true,
            messages,
            has_more: more,
            response_metadata: { next_cursor: more ? String(start + size) : '' },
          });
        }),
      },
      {
        operation: 'slack.replies',
        method: 'POST',
        path: '/conversations.replies',
        handle: guarded((input) => {
          const ticket = byTs(textAt(input, 'ts'));
          if (!ticket) throw no('thread_not_found');
          const replies = ticket.comments.map(({ id, body: blocks, extra }) => ({
            ts: id,
            blocks: Array.isArray(blocks) ? blocks : [],
            metadata: extra['metadata'],
          }));
          return answer(200, { ok: true, messages: [messageOf(ticket), ...replies], has_more: false });
        }),
      },
    ],
  };
  return slack;
}

/** Rich text only: the blocks that hold no markup. */
function isBlock(block: unknown): boolean {
  if (!isObject(block) || block['type'] !== 'rich_text' || !Array.isArray(block['elements'])) return false;
  return block['elements'].every(
    (element) =>
      isObject(element) &&
      ELEMENTS.has(String(element['type'])) &&
      Array.isArray(element['elements']) &&
      element['elements'].length > 0 &&
      element['elements'].every(isPart),
  );
}

function isPart(part: unknown): boolean {
  if (!isObject(part)) return false;
  if (part['type'] === 'rich_text_section') return isBlock({ type: 'rich_text', elements: [part] });
  if (part['type'] === 'text') return typeof part['text'] === 'string' && part['text'] !== '';
  return part['type'] === 'link'
    ? /^https?:/.test(String(part['url']))
    : ['user', 'channel', 'emoji', 'broadcast', 'usergroup'].includes(String(part['type']));
}
