import * as z from 'zod';
import type { Deadline } from '../../runtime/deadline.ts';
import type { TicketServices } from '../create-tickets.ts';
import { authorization } from '../credentials.ts';
import type { DestinationOf } from '../destination.ts';
import { digest } from '../digest.ts';
import { TicketRejected } from '../errors.ts';
import { createHttp, Id, type Reply } from '../http.ts';
import { safeHref, titleOf } from '../render/inert.ts';
import { toPlain } from '../render/plain.ts';
import { hmac, standardKey } from '../signature.ts';
import type { TicketDraft, TicketRef, Tickets } from '../tickets.ts';
import { bodyOf, unread, withDefaults } from './common.ts';

const TITLE_LIMIT = 255;
const BODY_LIMIT = 60_000;

/** What a receiver may say about the ticket it made; all of it is optional. */
const Answer = z.object({ id: Id.optional(), key: z.string().min(1).optional(), url: z.string().optional() });

/**
 * Any receiver of signed JSON, by the Standard Webhooks specification: `webhook-id` is the same for every delivery of
 * one event, so that a receiver can tell a repeat; `Idempotency-Key` says the same.
 * Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function createWebhook(destination: DestinationOf<'webhook'>, services: TicketServices): Tickets {
  const { credentials, transport, clock } = withDefaults(services);
  const secret = authorization(credentials, destination.secret, (value) => ({ secret: value.trim() }));
  const http = createHttp({
    system: 'webhook',
    baseUrl: destination.baseUrl,
    transport,
    clock,
    authorize: async () => ({}),
  });

  async function tell(
    type: string,
    id: string,
    data: object,
    repeat: 'safe' | 'never',
    deadline: Deadline,
  ): Promise<Reply> {
    const json = { type, timestamp: clock.now().toISOString(), data };
    const send = async (again: boolean): Promise<Reply> => {
      const timestamp = String(Math.floor(clock.now().getTime() / 1_000));
      const { secret: key = '' } = await secret(deadline, again);
      const signature = hmac(standardKey(key), [`${id}.${timestamp}.`, JSON.stringify(json)]).toString('base64');
      const headers = {
        'webhook-id': id,
        'webhook-timestamp': timestamp,
        'webhook-signature': `v1,${signature}`,
        'idempotency-key': id,
      };
      const missing = repeat === 'never' ? { missing: 'place' as const } : {};
      const call = {
        operation: type,
        method: 'POST',
        path: '',
        headers,
        json,
        repeat,
        expects: [401],
        ...missing,
      } as const;
      return http.send(call, deadline);
    };
    // A receiver that knows the key by now, or one that we know only now: the secret is read once more.
    const reply = await send(false);
    const last = reply.status === 401 ? await send(true) : reply;
    if (last.status !== 401) return last;
    const facts = { system: 'webhook', operation: type, status: 401 };
    throw new TicketRejected('the webhook refused the signature', facts, 'credentials');
  }

  const aboutOf = (ref: TicketRef) => ({
    ticket: { id: ref.id, key: ref.key, url: ref.url },
    incident: ref.place ?? ref.id,
  });

  return {
    traits: {
      reopens: true,
      repeatable: true,
      comments: true,
      updates: true,
      reads: false,
      indexLagMs: 0,
      titleLimit: TITLE_LIMIT,
      bodyLimit: BODY_LIMIT,
      budget: { writesPerMinute: 300 },
    },

    written: ({ title }) => (title === undefined ? {} : { title: digest(titleOf(title, TITLE_LIMIT)) }),

    async open(draft: TicketDraft, deadline) {
      const reply = await tell(
        'ticket.opened',
        draft.incident,
        {
          incident: draft.incident,
          title: titleOf(draft.title, TITLE_LIMIT),
          body: toPlain(bodyOf(draft), BODY_LIMIT),
          severity: draft.severity,
          labels: [...new Set([...destination.labels, ...draft.labels])],
          links: draft.links ?? [],
          ...(draft.follows && { follows: { id: draft.follows.id, key: draft.follows.key } }),
        },
        'never',
        deadline,
      );
      const { id, key, url } = Answer.catch({}).parse(reply.json);
      return {
        id: id ?? draft.incident,
        key: key ?? id ?? draft.incident,
        url: safeHref(url ?? '') ?? '',
        place: draft.incident,
      };
    },

    /** The receiver tells a repeat by its id. */
    find: async () => ({ kind: 'absent' }),

    read: async (ref) => unread(ref, true),

    async comment(ref, { marker, text }, deadline) {
      await tell('ticket.commented', marker, { ...aboutOf(ref), text: toPlain(text, BODY_LIMIT) }, 'safe', deadline);
    },

    async update(ref, { incident, title, body, severity, addLabels }, deadline) {
      const change = {
        ...(title !== undefined && { title: titleOf(title, TITLE_LIMIT) }),
        ...(body !== undefined && { body: toPlain(body, BODY_LIMIT) }),
        ...(severity !== undefined && { severity }),
        ...(addLabels !== undefined && { addLabels }),
      };
      const id = `${incident}-${digest(JSON.stringify(change))}`;
      await tell('ticket.updated', id, { ...aboutOf(ref), ...change }, 'safe', deadline);
    },

    async close(ref, { marker, text, resolution }, deadline) {
      const data = { ...aboutOf(ref), resolution, text: toPlain(text, BODY_LIMIT) };
      await tell('ticket.closed', marker, data, 'safe', deadline);
    },

    async reopen(ref, { marker, text }, deadline) {
      await tell('ticket.reopened', marker, { ...aboutOf(ref), text: toPlain(text, BODY_LIMIT) }, 'safe', deadline);
    },

    async link(from, to, relation, { marker, text }, deadline) {
      const data = { ...aboutOf(from), relation, other: aboutOf(to), text: toPlain(text, BODY_LIMIT) };
      await tell('ticket.linked', marker, data, 'safe', deadline);
    },
  };
}
