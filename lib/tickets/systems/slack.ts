import * as z from 'zod';
import type { Deadline } from '../../runtime/deadline.ts';
import type { TicketServices } from '../create-tickets.ts';
import { authorization, secretText } from '../credentials.ts';
import type { DestinationOf } from '../destination.ts';
import {
  type Refusal,
  type TicketError,
  TicketOutcomeUnknown,
  TicketRejected,
  TicketSystemBusy,
  TicketSystemUnavailable,
} from '../errors.ts';
import { askedMs, type Call, createHttp, type Reply } from '../http.ts';
import { titleOf } from '../render/inert.ts';
import { type RichBlock, toMrkdwn, toRichText } from '../render/slack.ts';
import { link, paragraph, strong, type Text } from '../text.ts';
import {
  type Note,
  type Severity,
  severities,
  type TicketDraft,
  type TicketRef,
  type TicketState,
  type Tickets,
} from '../tickets.ts';
import { bodyOf, foundOr, gone, SETTLE_MS, tooMany, withDefaults } from './common.ts';

const TITLE_LIMIT = 250;
const BODY_LIMIT = 20_000;
const PAGE = 200;
const MOST_PAGES = 30;

const INCIDENT = 'atlas_incident';
const ACTION = 'atlas_action';

const Payload = z.object({
  incident: z.string(),
  title: z.string(),
  severity: z.enum(severities),
  status: z.enum(['open', 'closed']),
});
type Payload = z.output<typeof Payload>;

const Message = z.object({
  ts: z.string(),
  subtype: z.string().nullish(),
  edited: z.object({ ts: z.string() }).nullish(),
  metadata: z.object({ event_type: z.string(), event_payload: z.record(z.string(), z.unknown()) }).nullish(),
  blocks: z.array(z.looseObject({ type: z.string(), block_id: z.string().nullish() })).nullish(),
  reactions: z.array(z.object({ name: z.string(), users: z.array(z.string()).default([]) })).nullish(),
});
type Message = z.output<typeof Message>;
const Posted = z.object({ ok: z.literal(true), channel: z.string(), ts: z.string() });
const Page = z.object({
  ok: z.literal(true),
  messages: z.array(Message),
  response_metadata: z.object({ next_cursor: z.string().nullish() }).nullish(),
});

/** Slack answers 200 to nearly everything; `error` says what happened. Source: https://docs.slack.dev/reference/methods/chat.postMessage */
const refusals: Readonly<Record<string, Refusal>> = {
  invalid_auth: 'credentials',
  not_authed: 'credentials',
  account_inactive: 'credentials',
  token_expired: 'credentials',
  token_revoked: 'credentials',
  missing_scope: 'forbidden',
  no_permission: 'forbidden',
  access_denied: 'forbidden',
  restricted_action: 'forbidden',
  ekm_access_denied: 'forbidden',
  channel_not_found: 'no-such-place',
  not_in_channel: 'no-such-place',
  is_archived: 'no-such-place',
  message_not_found: 'gone',
  thread_not_found: 'gone',
  cant_update_message: 'unchangeable',
  edit_window_closed: 'unchangeable',
};
const BUSY = new Set(['ratelimited', 'rate_limited', 'message_limit_exceeded']);
const FAILING = new Set([
  'internal_error',
  'fatal_error',
  'service_unavailable',
  'request_timeout',
  'team_added_to_org',
]);

const signs: Readonly<Record<Severity, string>> = { critical: '🔴', error: '🟠', warning: '🟡', info: '🔵' };

/** A Slack message as a ticket: its thread are the comments, and reactions say what people do. */
export function createSlack(destination: DestinationOf<'slack'>, services: TicketServices): Tickets {
  const { credentials, transport, clock } = withDefaults(services);

  function judge(reply: Reply, call: Call, facts: Readonly<Record<string, unknown>>): TicketError | undefined {
    const { ok, error } = z
      .object({ ok: z.boolean(), error: z.string().default('unknown_error') })
      .catch({ ok: true, error: '' })
      .parse(reply.json);
    if (reply.status !== 429 && (ok || reply.status >= 300)) return undefined;
    const said = { ...facts, error: /^\w{1,60}$/.test(error) ? error : undefined };
    if (reply.status === 429 || BUSY.has(error)) {
      const retryAfterMs = askedMs(reply, clock.now()) ?? 30_000;
      return new TicketSystemBusy(`slack limits ${call.operation}`, said, { retryAfterMs });
    }
    if (FAILING.has(error)) {
      const message = `slack failed ${call.operation}`;
      return call.repeat === 'never'
        ? new TicketOutcomeUnknown(message, said)
        : new TicketSystemUnavailable(message, said);
    }
    return new TicketRejected(`slack refused ${call.operation}`, said, refusals[error] ?? 'invalid');
  }

  const http = createHttp({
    system: 'slack',
    baseUrl: destination.baseUrl,
    transport,
    clock,
    judge,
    authorize: authorization(credentials, destination.secret, (value) => ({
      authorization: `Bearer ${secretText(destination.secret, value)}`,
    })),
  });

  const refOf = (channel: string, ts: string): TicketRef => ({
    id: `${channel}:${ts}`,
    key: ts,
    url: `${destination.workspaceUrl}/archives/${channel}/p${ts.replace('.', '')}`,
    place: channel,
  });
  const placeOf = (ref: TicketRef) => {
    const [channel = destination.channel, ts = ref.key] = ref.id.split(':');
    return { channel, ts };
  };

  const list = async (
    method: 'conversations.history' | 'conversations.replies',
    form: Readonly<Record<string, string>>,
    deadline: Deadline,
  ): Promise<Message[]> => {
    const found: Message[] = [];
    let cursor = '';
    for (let page = 1; ; page++) {
      if (page > MOST_PAGES) throw tooMany('slack', method);
      const query = { limit: String(PAGE), ...form, include_all_metadata: 'true', ...(cursor !== '' && { cursor }) };
      const call = { operation: method, method: 'POST', path: `/${method}`, form: query, repeat: 'safe' } as const;
      const answer = await http.read(Page, call, deadline);
      found.push(...answer.messages);
      cursor = answer.response_metadata?.next_cursor ?? '';
      if (cursor === '') return found;
    }
  };

  async function get(ref: TicketRef, deadline: Deadline): Promise<Message | undefined> {
    const { channel, ts } = placeOf(ref);
    const only = { channel, oldest: ts, latest: ts, inclusive: 'true', limit: '1' };
    return (await list('conversations.history', only, deadline)).find((message) => message.ts === ts);
  }

  const payloadOf = (message: Message | undefined): Payload | undefined =>
    message?.metadata?.event_type === INCIDENT ? Payload.safeParse(message.metadata.event_payload).data : undefined;

  const headline = ({ title, severity, status }: Payload): RichBlock => ({
    ...toRichText([paragraph(strong(`${status === 'closed' ? '✅ Resolved: ' : `${signs[severity]} `}${title}`))]),
    block_id: 'headline',
  });
  const rest = (body: Text): RichBlock => ({ ...toRichText(body), block_id: 'body' });

  const content = (payload: Payload, body: readonly object[]) => ({
    text: toMrkdwn(`${payload.status === 'closed' ? 'Resolved: ' : `${signs[payload.severity]} `}${payload.title}`),
    blocks: [headline(payload), ...body],
    metadata: { event_type: INCIDENT, event_payload: payload },
    // Nothing in the text is to become anything.
    parse: 'none',
    link_names: false,
    unfurl_links: false,
    unfurl_media: false,
  });

  async function rewrite(ref: TicketRef, change: Partial<Payload>, body: Text | undefined, deadline: Deadline) {
    const message = await get(ref, deadline);
    const payload = payloadOf(message);
    if (!message || !payload)
      throw new TicketRejected('the message is not there', { system: 'slack', operation: 'chat.update' }, 'gone');
    const kept = (message.blocks ?? []).filter(({ block_id }) => block_id !== 'headline');
    const json = { ...placeOf(ref), ...content({ ...payload, ...change }, body === undefined ? kept : [rest(body)]) };
    const call = { operation: 'chat.update', method: 'POST', path: '/chat.update', json, repeat: 'safe' } as const;
    await http.send(call, deadline);
  }

  async function comment(ref: TicketRef, { marker, text, repeated }: Note, deadline: Deadline): Promise<void> {
    const { channel, ts } = placeOf(ref);
    if (repeated) {
      const replies = await list('conversations.replies', { channel, ts }, deadline);
      const ours = replies.flatMap(({ metadata }) => (metadata?.event_type === ACTION ? metadata : []));
      if (ours.some(({ event_payload }) => event_payload['marker'] === marker)) return;
    }
    const json = {
      channel,
      thread_ts: ts,
      text: 'Update in the thread',
      blocks: [rest(text)],
      metadata: { event_type: ACTION, event_payload: { marker } },
      parse: 'none',
      link_names: false,
      unfurl_links: false,
      unfurl_media: false,
    };
    await http.send(
      { operation: 'chat.postMessage', method: 'POST', path: '/chat.postMessage', json, repeat: 'safe' },
      deadline,
    );
  }

  return {
    traits: {
      reopens: true,
      repeatable: false,
      comments: true,
      updates: true,
      reads: true,
      indexLagMs: SETTLE_MS,
      titleLimit: TITLE_LIMIT,
      bodyLimit: BODY_LIMIT,
      // About one message a second and channel.
      budget: { writesPerMinute: 50, gapMs: 1_100 },
    },

    // Nobody but the bot can edit its messages.
    written: () => ({}),

    async open(draft: TicketDraft, deadline) {
      const follows = draft.follows ? [paragraph('Follows ', link('an earlier message', draft.follows.url), '.')] : [];
      const payload: Payload = {
        incident: draft.incident,
        title: titleOf(draft.title, TITLE_LIMIT),
        severity: draft.severity,
        status: 'open',
      };
      const json = { channel: destination.channel, ...content(payload, [rest([...bodyOf(draft), ...follows])]) };
      const { channel, ts } = await http.read(
        Posted,
        {
          operation: 'chat.postMessage',
          method: 'POST',
          path: '/chat.postMessage',
          json,
          repeat: 'never',
          missing: 'place',
        },
        deadline,
      );
      return refOf(channel, ts);
    },

    async find(incident, attemptedAt, deadline) {
      const oldest = String(attemptedAt.getTime() / 1_000 - 600);
      const messages = await list('conversations.history', { channel: destination.channel, oldest }, deadline);
      const ours = messages
        .filter((message) => payloadOf(message)?.incident === incident)
        .map(({ ts }) => ts)
        .toSorted((a, b) => Number(a) - Number(b));
      return foundOr(
        ours.map((ts) => refOf(destination.channel, ts)),
        attemptedAt,
        clock.now(),
        SETTLE_MS,
      );
    },

    async read(ref, _, deadline): Promise<TicketState> {
      const message = await get(ref, deadline);
      const payload = payloadOf(message);
      if (!message || !payload) return gone(ref);
      const reactions = message.reactions ?? [];
      const by = (name: string): string[] =>
        (reactions.find((reaction) => reaction.name === name)?.users ?? []).filter(
          (user) => user !== destination.actor,
        );
      const takers = by(destination.acknowledgeReaction);
      const wontFix = by(destination.wontFixReaction).length > 0;
      const closedByPeople = wontFix || by(destination.closeReaction).length > 0;
      const closed = payload.status === 'closed' || closedByPeople;
      return {
        ref,
        status: closed ? 'closed' : 'open',
        moved: false,
        resolution: closed ? (wontFix ? 'will not be fixed' : 'resolved') : undefined,
        wontFix,
        reopenable: !closedByPeople,
        acknowledged: takers.length > 0,
        assignee: takers[0],
        edited: { title: false, body: false, severity: false },
        version: JSON.stringify([
          message.edited?.ts ?? message.ts,
          reactions.map(({ name, users }) => [name, users.length]),
        ]),
      };
    },

    comment,

    async update(ref, { title, severity, body }, deadline) {
      const change = {
        ...(title !== undefined && { title: titleOf(title, TITLE_LIMIT) }),
        ...(severity && { severity }),
      };
      await rewrite(ref, change, body, deadline);
    },

    async close(ref, closing, deadline) {
      await comment(ref, closing, deadline);
      await rewrite(ref, { status: 'closed' }, undefined, deadline);
    },

    async reopen(ref, note, deadline) {
      await rewrite(ref, { status: 'open' }, undefined, deadline);
      await comment(ref, note, deadline);
    },

    async link(from, to, relation, note, deadline) {
      const words = { duplicates: 'Duplicate of ', follows: 'Follows ', relates: 'See also ' }[relation];
      await comment(
        from,
        { ...note, text: [paragraph(words, link('this message', to.url), '.'), ...note.text] },
        deadline,
      );
    },
  };
}
