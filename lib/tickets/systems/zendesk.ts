import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { Deadline } from '../../runtime/deadline.ts';
import type { TicketServices } from '../create-tickets.ts';
import { authorization, basic, secretJson } from '../credentials.ts';
import type { DestinationOf } from '../destination.ts';
import { differs, digest } from '../digest.ts';
import { TicketFieldRefused, TicketRejected, TicketSystemBusy } from '../errors.ts';
import { askedMs, createHttp, Id } from '../http.ts';
import { toHtml } from '../render/html.ts';
import { clean, titleOf } from '../render/inert.ts';
import { link, paragraph, type Text } from '../text.ts';
import type { Note, TicketChange, TicketDraft, TicketRef, TicketState, Tickets } from '../tickets.ts';
import { bodyOf, foundOr, gone, isLeftOut, unchangeable, unlessGone, withDefaults } from './common.ts';

const TITLE_LIMIT = 150;
const BODY_LIMIT = 64_000;

const Credentials = z.union([
  z.object({ email: z.string().min(1), apiToken: z.string().min(1) }),
  z.object({ accessToken: z.string().min(1) }),
]);

const Ticket = z.object({
  id: Id,
  external_id: z.string().nullish(),
  subject: z.string().nullish(),
  status: z.string(),
  priority: z.string().nullish(),
  assignee_id: Id.nullish(),
  tags: z.array(z.string()).default([]),
  created_at: z.string().nullish(),
  updated_at: z.string(),
});
type Ticket = z.output<typeof Ticket>;
const One = z.object({ ticket: Ticket });
const Many = z.object({ tickets: z.array(Ticket) });

const Refused = z.object({ details: z.record(z.string(), z.unknown()).default({}) });

/** Support puts this tag on a ticket that was merged into another one. */
const MERGED = 'closed_by_merge';

/** Zendesk Support. Source: https://developer.zendesk.com/api-reference/ticketing/tickets/tickets/ */
export function createZendesk(destination: DestinationOf<'zendesk'>, services: TicketServices): Tickets {
  const { credentials, transport, clock } = withDefaults(services);
  const optional = new Set(['priority', 'tags', ...Object.keys(destination.fields)]);
  const http = createHttp({
    system: 'zendesk',
    baseUrl: destination.baseUrl,
    transport,
    clock,
    authorize: authorization(credentials, destination.secret, (value) => {
      const held = secretJson(Credentials, destination.secret, value);
      return {
        authorization: 'email' in held ? basic(`${held.email}/token`, held.apiToken) : `Bearer ${held.accessToken}`,
      };
    }),
    judge(reply, call, facts) {
      if (reply.status === 429) {
        const reset = Number(reply.headers['ratelimit-reset']) * 1_000;
        const retryAfterMs = askedMs(reply, clock.now()) ?? (reset > 0 ? reset : 60_000);
        // Thirty changes of one ticket in ten minutes: another count than that of the account.
        const scope = reply.headers['zendesk-ratelimit-tickets-update'] === undefined ? 'destination' : 'ticket';
        return new TicketSystemBusy(`zendesk limits ${call.operation}`, facts, { retryAfterMs, scope });
      }
      if (reply.status !== 422) return undefined;
      const fields = Object.keys(Refused.catch({ details: {} }).parse(reply.json).details);
      if (call.operation === 'updateTicket' && fields.includes('status'))
        return unchangeable('zendesk', 'update', 'the ticket is closed');
      if (call.operation === 'createTicket' && fields.length > 0 && fields.every((field) => optional.has(field)))
        return new TicketFieldRefused(`zendesk refused ${fields.join(' and ')}`, facts, fields);
      return new TicketRejected(`zendesk refused ${call.operation}`, { ...facts, fields }, 'invalid');
    },
  });

  const refOf = ({ id }: { id: string }): TicketRef => ({
    id,
    key: `#${id}`,
    url: `${destination.baseUrl}/agent/tickets/${id}`,
  });
  const pathOf = (ref: Pick<TicketRef, 'id'>): string => `/api/v2/tickets/${encodeURIComponent(ref.id)}`;
  const tagOf = (label: string): string =>
    clean(label)
      .trim()
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_/.-]+/gu, '_')
      .slice(0, 80);
  const saying = (text: Text) => ({ html_body: toHtml(text, BODY_LIMIT) || '<p>–</p>', public: false });

  const get = async (ref: Pick<TicketRef, 'id'>, deadline: Deadline): Promise<Ticket> => {
    const call = { operation: 'getTicket', method: 'GET', path: `${pathOf(ref)}.json`, repeat: 'safe' } as const;
    return (await http.read(One, call, deadline)).ticket;
  };

  const put = async (ref: TicketRef, ticket: object, deadline: Deadline): Promise<void> => {
    const path = `${pathOf(ref)}.json`;
    await http.send({ operation: 'updateTicket', method: 'PUT', path, json: { ticket }, repeat: 'safe' }, deadline);
  };

  /** A change carries its marker in the metadata of its audit. */
  async function isThere(ref: TicketRef, marker: string, deadline: Deadline): Promise<boolean> {
    const Audits = z.object({
      audits: z.array(
        z.object({ metadata: z.object({ custom: z.record(z.string(), z.unknown()).nullish() }).nullish() }),
      ),
    });
    const path = `${pathOf(ref)}/audits.json?sort_order=desc&page[size]=100`;
    const { audits } = await http.read(
      Audits,
      { operation: 'listAudits', method: 'GET', path, repeat: 'safe' },
      deadline,
    );
    return audits.some(({ metadata }) => metadata?.custom?.['marker'] === marker);
  }

  /** One change with its comment; on a repeat only what is still missing. */
  async function say(ref: TicketRef, note: Note, change: object, deadline: Deadline): Promise<void> {
    const said = note.repeated && (await isThere(ref, note.marker, deadline));
    if (said && Object.keys(change).length === 0) return;
    const comment = said ? {} : { comment: saying(note.text), metadata: { marker: note.marker } };
    await put(ref, { ...comment, ...change }, deadline);
  }

  /** Where a merged ticket went; the merge says so in a comment of its own. */
  async function mergedInto(ref: TicketRef, deadline: Deadline): Promise<TicketRef | undefined> {
    const Comments = z.object({
      comments: z.array(z.object({ plain_body: z.string().nullish(), body: z.string().nullish() })),
    });
    const path = `${pathOf(ref)}/comments.json?sort_order=desc&page[size]=20`;
    const call = { operation: 'listComments', method: 'GET', path, repeat: 'safe' } as const;
    const { comments } = await http.read(Comments, call, deadline);
    const id = comments
      .map(({ plain_body, body }) => /merged into (?:request|ticket) #(\d+)/i.exec(plain_body ?? body ?? '')?.[1])
      .find((found) => found !== undefined);
    return id === undefined ? undefined : refOf({ id });
  }

  return {
    traits: {
      reopens: true,
      repeatable: true,
      comments: true,
      updates: true,
      reads: true,
      indexLagMs: 0,
      titleLimit: TITLE_LIMIT,
      bodyLimit: BODY_LIMIT,
      // 200 requests a minute on the smallest plan that has the API, for everybody.
      budget: { writesPerMinute: 100, perTicket: { writes: 25, perMs: 600_000 } },
    },

    written: ({ title, severity }) => ({
      ...(title !== undefined && { title: digest(titleOf(title, TITLE_LIMIT)) }),
      ...(severity !== undefined && { severity: digest(destination.priorities[severity]) }),
    }),

    async open(draft: TicketDraft, deadline) {
      const follows = draft.follows ? [paragraph('Follows ', link(draft.follows.key, draft.follows.url), '.')] : [];
      const tags = [...destination.labels, ...draft.labels].map(tagOf).filter((tag) => tag !== '');
      const extra = Object.entries(destination.fields).filter(([field]) => !isLeftOut(draft, field));
      const without = draft.without ?? [];
      // A key stands for one content: without some fields it is another request.
      const key = without.length === 0 ? draft.incident : `${draft.incident}-${without.toSorted().join('-')}`;
      const call = {
        operation: 'createTicket',
        method: 'POST',
        path: '/api/v2/tickets.json',
        headers: { 'idempotency-key': key.slice(0, 255) },
        json: {
          ticket: {
            ...Object.fromEntries(extra),
            subject: titleOf(draft.title, TITLE_LIMIT),
            comment: saying([...bodyOf(draft), ...follows]),
            external_id: draft.incident,
            ...(!isLeftOut(draft, 'priority') && { priority: destination.priorities[draft.severity] }),
            ...(!isLeftOut(draft, 'tags') && { tags: [...new Set(tags)] }),
            ...(draft.follows && { via_followup_source_id: Number(draft.follows.id) }),
          },
        },
        repeat: 'never',
        missing: 'place',
      } as const;
      return refOf((await http.read(One, call, deadline)).ticket);
    },

    async find(incident, attemptedAt, deadline) {
      const path = `/api/v2/tickets.json?external_id=${encodeURIComponent(incident)}`;
      const call = { operation: 'findTickets', method: 'GET', path, repeat: 'safe', missing: 'place' } as const;
      const { tickets } = await http.read(Many, call, deadline);
      const ours = tickets
        .filter(({ external_id }) => external_id === incident)
        .toSorted((a, b) => Number(a.id) - Number(b.id));
      return foundOr(ours.map(refOf), attemptedAt, clock.now(), 0);
    },

    async read(ref, written, deadline): Promise<TicketState> {
      const ticket = await unlessGone(() => get(ref, deadline));
      if (!ticket || ticket.status === 'deleted') return gone(ref);
      const closed = ticket.status === 'solved' || ticket.status === 'closed';
      const merged = closed && ticket.tags.includes(MERGED);
      const into = merged ? await mergedInto(ref, deadline) : undefined;
      return {
        ref: into ?? refOf(ticket),
        status: closed ? 'closed' : 'open',
        moved: into !== undefined,
        resolution: closed ? (merged ? 'merged' : ticket.status) : undefined,
        wontFix: false,
        reopenable: ticket.status === 'solved',
        acknowledged:
          ticket.assignee_id !== null && ticket.assignee_id !== undefined && ticket.assignee_id !== destination.actor,
        assignee: ticket.assignee_id ?? undefined,
        edited: {
          title: differs(written.title, ticket.subject ?? ''),
          // The first comment is the description, and nobody can change a comment.
          body: false,
          severity: differs(written.severity, ticket.priority ?? ''),
        },
        version: ticket.updated_at,
      };
    },

    comment: (ref, note, deadline) => say(ref, note, {}, deadline),

    async update(ref, { title, body, severity, addLabels = [] }: TicketChange, deadline) {
      const change = {
        ...(title !== undefined && { subject: titleOf(title, TITLE_LIMIT) }),
        ...(severity !== undefined && { priority: destination.priorities[severity] }),
      };
      if (body !== undefined) {
        // What can't be changed is said again, once for each wording.
        const wording = createHash('sha256').update(toHtml(body, BODY_LIMIT)).digest('hex').slice(0, 24);
        await say(ref, { marker: `body-${wording}`, text: body, repeated: true }, change, deadline);
      } else if (Object.keys(change).length > 0) await put(ref, change, deadline);
      const tags = addLabels.map(tagOf).filter((tag) => tag !== '');
      if (tags.length > 0) {
        const path = `${pathOf(ref)}/tags.json`;
        await http.send({ operation: 'addTags', method: 'PUT', path, json: { tags }, repeat: 'safe' }, deadline);
      }
    },

    async close(ref, closing, deadline) {
      const { status } = await get(ref, deadline);
      if (status === 'closed') return;
      await say(ref, closing, status === 'solved' ? {} : { status: 'solved' }, deadline);
    },

    async reopen(ref, note, deadline) {
      const { status } = await get(ref, deadline);
      if (status === 'closed') throw unchangeable('zendesk', 'reopen', 'the ticket is closed for good');
      await say(ref, note, status === 'solved' ? { status: 'open' } : {}, deadline);
    },

    async link(from, to, relation, note, deadline) {
      const words = { duplicates: 'Duplicate of ', follows: 'Follows ', relates: 'See also ' }[relation];
      const text = [paragraph(words, link(to.key, to.url), '.'), ...note.text];
      await say(from, { ...note, text }, {}, deadline);
    },
  };
}
