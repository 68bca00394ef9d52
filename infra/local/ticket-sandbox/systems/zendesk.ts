import type { Received } from '../../atlas-sandbox/received.ts';
import { KeptMap } from '../../durable/durable.ts';
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
  isoOf,
  jsonOf,
  objectAt,
  type Ticket,
  Tickets,
  type Tracker,
  textAt,
  textsAt,
} from '../tracker.ts';
import { base64 } from '../webhooks.ts';

const HOURS = 3_600_000;
const PRIORITIES = ['urgent', 'high', 'normal', 'low'];
const STATUSES = ['new', 'open', 'pending', 'hold', 'solved', 'closed'];

/** Zendesk Support. Sources: developer.zendesk.com (tickets, ticketing introduction, rate limits, webhooks/verifying). */
export function createZendesk({ seed, clock, webhooks, limits, durable }: Context): Tracker {
  const tickets = new Tickets(clock, durable);
  const secret = { email: 'bot@example.com', apiToken: `zd-${seed}` };
  const proof = `Basic ${Buffer.from(`${secret.email}/token:${secret.apiToken}`).toString('base64')}`;
  const account = createLimiter(
    clock,
    limits['zendesk'] === false ? undefined : (limits['zendesk'] ?? { calls: 200, seconds: 60 }),
  );
  const perTicket = createLimiter(clock, limits['zendesk.ticket'] === false ? undefined : { calls: 30, seconds: 600 });
  const keys = new KeptMap<{ body: string; id: string; at: number }>(durable.shelf('keys'));

  const refusal = (
    status: number,
    error: string,
    description = '',
    more: object = {},
    headers: Record<string, string> = {},
  ): TrackerRefusal => new TrackerRefusal(status, { error, description, ...more }, headers);
  const invalid = (field: string, description: string): TrackerRefusal =>
    refusal(422, 'RecordInvalid', 'Record validation errors', {
      details: { [field]: [{ description, error: 'InvalidValue' }] },
    });
  const guarded =
    (handle: (received: Received) => Response) =>
    (received: Received): Response => {
      if (received.headers.get('authorization') !== proof) throw refusal(401, "Couldn't authenticate you");
      const taken = account('account');
      if (!taken.allowed)
        throw refusal(
          429,
          'APIRateLimitExceeded',
          'Number of allowed API requests per minute exceeded',
          {},
          {
            'Retry-After': String(taken.waitSeconds),
            'X-Rate-Limit-Remaining': '0',
          },
        );
      return handle(received);
    };
  const body = (received: Received): Record<string, unknown> =>
    objectAt(
      jsonOf(received, (status) => refusal(status, 'Unprocessable JSON')),
      'ticket',
    );
  const theTicket = ({ params }: Received): Ticket => {
    const ticket = tickets.find((params['id'] ?? '').replace(/\.json$/, ''));
    if (!ticket || ticket.deleted) throw refusal(404, 'RecordNotFound', 'Not found');
    return ticket;
  };

  const ticketOf = (ticket: Ticket) => ({
    id: Number(ticket.id),
    external_id: ticket.incident,
    subject: ticket.title,
    description: ticket.body,
    status: ticket.status,
    priority: ticket.severity,
    tags: ticket.labels,
    assignee_id: ticket.assignee === null ? null : idOf(ticket.assignee),
    via: { followup_source_id: ticket.extra['follows'] ?? null },
    created_at: isoOf(ticket.createdAt),
    updated_at: isoOf(ticket.updatedAt),
  });

  function checked(input: Record<string, unknown>): void {
    const subject = textAt(input, 'subject');
    if (subject !== undefined && [...subject].length > 150)
      throw invalid('subject', 'Subject: is too long (maximum is 150 characters)');
    if (input['priority'] !== undefined && !PRIORITIES.includes(String(input['priority'])))
      throw invalid('priority', `Priority: ${String(input['priority'])} is not valid`);
    if (input['status'] !== undefined && !STATUSES.includes(String(input['status'])))
      throw invalid('status', 'Status: is not valid');
    const comment = objectAt(input, 'comment');
    if ((textAt(comment, 'html_body') ?? textAt(comment, 'body') ?? '').length > 65_536)
      throw invalid('comment', 'Comment: is too long');
  }

  function say(ticket: Ticket, input: Record<string, unknown>): void {
    const comment = objectAt(input, 'comment');
    const words = textAt(comment, 'html_body') ?? textAt(comment, 'body');
    const custom = isObject(input['metadata']) ? input['metadata'] : {};
    if (words === undefined) return;
    ticket.comments.push({
      id: String(ticket.comments.length + 1),
      author: BOT.name,
      body: words,
      at: clock.now().getTime(),
      extra: { public: comment['public'] !== false, custom },
    });
  }

  function create(received: Received): Response {
    const key = received.headers.get('idempotency-key') ?? undefined;
    if (key !== undefined && key.length > 255) throw refusal(400, 'IdempotencyKeyInvalid', 'at most 255 characters');
    const known = key === undefined ? undefined : keys.get(key);
    if (known && clock.now().getTime() - known.at < 2 * HOURS) {
      if (known.body !== received.body)
        throw refusal(
          400,
          'IdempotentRequestError',
          'Request parameters do not match the ones of this idempotency key',
        );
      return answer(201, { ticket: ticketOf(tickets.get(known.id)) }, { 'x-idempotency-lookup': 'hit' });
    }
    const input = body(received);
    checked(input);
    const comment = objectAt(input, 'comment');
    if (!textAt(comment, 'html_body') && !textAt(comment, 'body'))
      throw invalid('description', 'Description: cannot be blank');
    const source = input['via_followup_source_id'];
    if (source !== undefined && tickets.find(String(source))?.status !== 'closed')
      throw invalid('via_followup_source_id', 'Follow-up source must be a closed ticket');
    const id = String(35_000 + tickets.all.length + 1);
    const ticket = tickets.add({
      id,
      key: `#${id}`,
      title: textAt(input, 'subject') ?? '',
      body: textAt(comment, 'html_body') ?? textAt(comment, 'body'),
      status: 'new',
      severity: textAt(input, 'priority') ?? null,
      labels: textsAt(input, 'tags'),
      incident: textAt(input, 'external_id') ?? null,
      extra: { follows: source },
    });
    say(ticket, input);
    if (key !== undefined) keys.set(key, { body: received.body, id, at: clock.now().getTime() });
    return answer(201, { ticket: ticketOf(ticket) }, { 'x-idempotency-lookup': 'miss' });
  }

  function changed(ticket: Ticket, doing: Doing, before: Before, actor: Actor): void {
    const type = {
      assigned: 'agent_assignment_changed',
      unassigned: 'agent_assignment_changed',
      acknowledged: 'agent_assignment_changed',
      unacknowledged: 'agent_assignment_changed',
      closed: 'status_changed',
      reopened: 'status_changed',
      edited: 'subject_changed',
      deleted: 'soft_deleted',
      commented: 'comment_added',
      moved: undefined,
    }[doing];
    if (!type) return;
    const assigned = type === 'agent_assignment_changed';
    const at = isoOf(clock.now().getTime());
    const text = JSON.stringify({
      type: `zen:event-type:ticket.${type}`,
      id: `event-${ticket.id}-${ticket.changes}`,
      time: at,
      zendesk_event_version: '2022-11-06',
      subject: `zen:ticket:${ticket.id}`,
      detail: { ...ticketOf(ticket), id: ticket.id, actor_id: actor.person ? idOf(actor.name) : '1' },
      event: {
        current: assigned ? (ticket.assignee === null ? null : idOf(ticket.assignee)) : ticket.status.toUpperCase(),
        previous: assigned ? before.assignee : before.status.toUpperCase(),
      },
    });
    webhooks.emit('zendesk', (key) => ({
      headers: {
        'X-Zendesk-Webhook-Signature': base64(key, at + text),
        'X-Zendesk-Webhook-Signature-Timestamp': at,
        'X-Zendesk-Webhook-Invocation-Id': `invocation-${ticket.id}-${ticket.changes}`,
      },
      body: text,
    }));
  }

  return {
    name: 'zendesk',
    tickets,
    people: createPeople(tickets, {
      open: 'open',
      closed: 'solved',
      merge(ticket, into) {
        ticket.status = 'closed';
        ticket.labels.push('closed_by_merge');
        const words = `This request was closed and merged into request #${into.id} "${into.title}".`;
        ticket.comments.push({
          id: String(ticket.comments.length + 1),
          author: 'ada',
          body: words,
          at: clock.now().getTime(),
          extra: {},
        });
      },
      // A solved ticket is closed for good after some days.
      lock(ticket) {
        ticket.status = 'closed';
      },
      changed,
    }),
    secrets: { 'tickets/zendesk': JSON.stringify(secret) },
    destination: (at) => ({
      id: 'zendesk',
      type: 'zendesk',
      baseUrl: `${at}/zendesk`,
      secret: 'tickets/zendesk',
      webhookSecret: 'tickets/zendesk-webhook',
      actor: '1',
    }),
    refuse: (status) => refusal(status, `Refused with ${status}`).response,
    routes: [
      { operation: 'zendesk.createTicket', method: 'POST', path: '/api/v2/tickets.json', handle: guarded(create) },
      {
        operation: 'zendesk.findTickets',
        method: 'GET',
        path: '/api/v2/tickets.json',
        handle: guarded((received) => {
          const wanted = received.url.searchParams.get('external_id');
          const found = tickets.present.filter(({ incident }) => wanted === null || incident === wanted);
          return answer(200, { tickets: found.map(ticketOf), count: found.length, next_page: null });
        }),
      },
      {
        operation: 'zendesk.getTicket',
        method: 'GET',
        path: '/api/v2/tickets/:id{[0-9]+\\.json}',
        handle: guarded((received) => answer(200, { ticket: ticketOf(theTicket(received)) })),
      },
      {
        operation: 'zendesk.updateTicket',
        method: 'PUT',
        path: '/api/v2/tickets/:id{[0-9]+\\.json}',
        handle: guarded((received) => {
          const ticket = theTicket(received);
          if (ticket.status === 'closed') throw invalid('status', 'Status: closed prevents ticket update');
          const taken = perTicket(ticket.id);
          if (!taken.allowed)
            throw refusal(
              429,
              'TooManyUpdates',
              'Too many updates of one ticket',
              {},
              { 'Retry-After': String(taken.waitSeconds), 'Zendesk-RateLimit-Tickets-Update': 'total=30; remaining=0' },
            );
          const input = body(received);
          checked(input);
          const before = { status: ticket.status, assignee: ticket.assignee, key: ticket.key };
          ticket.title = textAt(input, 'subject') ?? ticket.title;
          ticket.severity = textAt(input, 'priority') ?? ticket.severity;
          ticket.status = textAt(input, 'status') ?? ticket.status;
          say(ticket, input);
          tickets.touch(ticket);
          changed(
            ticket,
            before.status === ticket.status ? 'commented' : ticket.status === 'solved' ? 'closed' : 'reopened',
            before,
            BOT,
          );
          return answer(200, { ticket: ticketOf(ticket) });
        }),
      },
      {
        operation: 'zendesk.addTags',
        method: 'PUT',
        path: '/api/v2/tickets/:id/tags.json',
        handle: guarded((received) => {
          const ticket = theTicket(received);
          const input = jsonOf(received, (status) => refusal(status, 'Unprocessable JSON'));
          ticket.labels = [...new Set([...ticket.labels, ...textsAt(input, 'tags')])];
          tickets.touch(ticket);
          return answer(200, { tags: ticket.labels });
        }),
      },
      {
        operation: 'zendesk.listAudits',
        method: 'GET',
        path: '/api/v2/tickets/:id/audits.json',
        handle: guarded((received) => {
          const audits = theTicket(received).comments.map(({ id, extra }) => ({
            id: Number(id),
            metadata: { system: {}, custom: extra['custom'] ?? {} },
          }));
          return answer(200, { audits: audits.reverse(), meta: { has_more: false } });
        }),
      },
      {
        operation: 'zendesk.listComments',
        method: 'GET',
        path: '/api/v2/tickets/:id/comments.json',
        handle: guarded((received) => {
          const comments = theTicket(received).comments.map(({ id, body: words }) => ({
            id: Number(id),
            plain_body: words,
            body: words,
          }));
          return answer(200, { comments: comments.reverse(), meta: { has_more: false } });
        }),
      },
    ],
  };
}

/** People are numbers. */
const idOf = (name: string): string =>
  String([...name].reduce((sum, char) => sum * 31 + (char.codePointAt(0) ?? 0), 7) % 1_000_000);
