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
  isoOf,
  jsonOf,
  objectAt,
  type Ticket,
  Tickets,
  type Tracker,
  textAt,
} from '../tracker.ts';
import { hex } from '../webhooks.ts';

/**
 * PagerDuty: Events API v2, the incidents of the REST API, and webhooks of version 3. Sources: developer.pagerduty.com
 * (docs/send-alert-event, docs/rest-api-rate-limits, docs/webhooks-overview).
 */
export function createPagerDuty({ seed, clock, webhooks, limits, durable }: Context): Tracker {
  const tickets = new Tickets(clock, durable);
  const keys = [0, 1].map((nth) => Buffer.from(`${seed}/${nth}`).toString('hex').padEnd(32, '0').slice(0, 32));
  const restToken = `pd-rest-${seed}`;
  const events = createLimiter(
    clock,
    limits['pagerduty'] === false ? undefined : (limits['pagerduty'] ?? { calls: 120, seconds: 60 }),
  );
  const restLimit =
    limits['pagerduty.rest'] === false ? undefined : (limits['pagerduty.rest'] ?? { calls: 960, seconds: 60 });
  const rest = createLimiter(clock, restLimit);

  const invalid = (...errors: string[]): TrackerRefusal =>
    new TrackerRefusal(400, { status: 'invalid event', message: 'Event object is invalid', errors });
  const refusal = (
    status: number,
    message: string,
    code: number,
    headers: Record<string, string> = {},
  ): TrackerRefusal => new TrackerRefusal(status, { error: { message, code } }, headers);

  /** The open alert of a key, as long as there is one: a key lives from its trigger to its resolve. */
  const open = (dedupKey: string, routingKey: string): Ticket | undefined =>
    tickets.present.findLast(
      (ticket) =>
        ticket.incident === dedupKey && ticket.extra['routingKey'] === routingKey && ticket.status !== 'resolved',
    );

  function enqueue(received: Received): Response {
    if (received.body.length > 512 * 1_024)
      throw new TrackerRefusal(413, { status: 'invalid event', message: 'too large' });
    const input = jsonOf(received, () => invalid('Event body is not valid JSON'));
    const routingKey = textAt(input, 'routing_key') ?? '';
    if (!/^[0-9a-zA-Z]{32}$/.test(routingKey)) throw invalid("'routing_key' must be a 32-character integration key");
    if (!keys.includes(routingKey)) throw invalid('Invalid routing_key: no such integration key');
    const taken = events(routingKey);
    if (!taken.allowed)
      throw new TrackerRefusal(429, {
        status: 'throttle exceeded',
        message: 'Requests for this service are arriving too quickly.',
      });
    const action = textAt(input, 'event_action');
    const key = textAt(input, 'dedup_key');
    if (!action || !['trigger', 'acknowledge', 'resolve'].includes(action))
      throw invalid("'event_action' is missing or invalid");
    if (key !== undefined && key.length > 255) throw invalid("'dedup_key' is too long (maximum is 255 characters)");
    if (action === 'trigger') trigger(input, routingKey, key);
    else {
      if (!key) throw invalid("'dedup_key' is missing or blank");
      const ticket = open(key, routingKey);
      // For a key that is not open, or through another integration, nothing happens and nothing is said.
      if (ticket) {
        const before = { status: ticket.status, assignee: ticket.assignee, key: ticket.key };
        ticket.status = action === 'resolve' ? 'resolved' : 'acknowledged';
        tickets.touch(ticket);
        changed(ticket, action === 'resolve' ? 'closed' : 'acknowledged', before, BOT);
      }
    }
    return answer(202, { status: 'success', message: 'Event processed', dedup_key: key ?? 'generated' });
  }

  function trigger(input: Record<string, unknown>, routingKey: string, key: string | undefined): void {
    const payload = objectAt(input, 'payload');
    const summary = textAt(payload, 'summary');
    const severity = textAt(payload, 'severity');
    const problems = [
      ...(summary ? [] : ["'payload.summary' is missing or blank"]),
      ...(summary && [...summary].length > 1_024 ? ["'payload.summary' is too long (maximum is 1024 characters)"] : []),
      ...(textAt(payload, 'source') ? [] : ["'payload.source' is missing or blank"]),
      ...(severity && ['critical', 'error', 'warning', 'info'].includes(severity)
        ? []
        : ["'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')"]),
    ];
    if (problems.length > 0) throw invalid(...problems);
    const there = key === undefined ? undefined : open(key, routingKey);
    if (there) {
      there.extra['repeats'] = Number(there.extra['repeats'] ?? 0) + 1;
      tickets.touch(there);
      return;
    }
    const number = tickets.all.length + 1;
    tickets.add({
      id: `Q${String(number).padStart(6, '0')}`,
      key: String(number),
      title: summary ?? '',
      body: payload['custom_details'] ?? null,
      status: 'triggered',
      severity: severity ?? null,
      incident: key ?? `generated-${number}`,
      extra: { routingKey, links: input['links'] ?? [] },
    });
  }

  const incidentOf = (ticket: Ticket) => ({
    id: ticket.id,
    type: 'incident',
    incident_number: Number(ticket.key),
    number: Number(ticket.key),
    incident_key: ticket.incident,
    title: ticket.title,
    status: ticket.status,
    html_url: `https://example.pagerduty.com/incidents/${ticket.id}`,
    created_at: isoOf(ticket.createdAt),
    updated_at: isoOf(ticket.updatedAt),
    assignments: [{ assignee: { id: 'P1', summary: 'On Call' } }],
    acknowledgements:
      ticket.status === 'acknowledged' ? [{ acknowledger: { summary: ticket.assignee ?? 'integration' } }] : [],
    resolve_reason:
      ticket.extra['mergedInto'] === undefined
        ? null
        : { type: 'merge_resolve_reason', incident: { id: ticket.extra['mergedInto'] } },
  });

  function changed(ticket: Ticket, doing: Doing, _: Before, actor: Actor): void {
    const type = {
      acknowledged: 'acknowledged',
      unacknowledged: 'unacknowledged',
      assigned: 'reassigned',
      unassigned: 'unacknowledged',
      closed: 'resolved',
      reopened: 'reopened',
      edited: 'priority_updated',
      commented: 'annotated',
      deleted: undefined,
      moved: undefined,
    }[doing];
    if (!type) return;
    const text = JSON.stringify({
      event: {
        id: `01PD${ticket.id}${ticket.changes}`,
        event_type: `incident.${type}`,
        resource_type: 'incident',
        occurred_at: isoOf(clock.now().getTime()),
        agent: actor.person ? { id: actor.id, type: 'user_reference', summary: actor.name } : null,
        data: incidentOf(ticket),
      },
    });
    webhooks.emit('pagerduty', (key) => ({
      headers: {
        'X-PagerDuty-Signature': `v1=${hex(key, text)}`,
        'X-Webhook-Id': `hook-${ticket.id}-${ticket.changes}`,
      },
      body: text,
    }));
  }

  const guarded =
    (handle: (received: Received) => Response) =>
    (received: Received): Response => {
      if (received.headers.get('authorization') !== `Token token=${restToken}`)
        throw refusal(401, 'Unauthorized', 2006);
      const taken = rest(restToken);
      const headers = {
        'ratelimit-limit': String(restLimit?.calls ?? 0),
        'ratelimit-remaining': String(taken.remaining),
        'ratelimit-reset': String(taken.waitSeconds),
      };
      if (!taken.allowed) throw refusal(429, 'Rate Limit Exceeded', 2020, headers);
      return handle(received);
    };
  const theIncident = ({ params }: Received): Ticket => {
    const ticket = tickets.find(params['id'] ?? '');
    if (!ticket || ticket.deleted) throw refusal(404, 'Not Found', 2100);
    return ticket;
  };
  const body = (received: Received): Record<string, unknown> =>
    jsonOf(received, (status) => refusal(status, 'Invalid Input Provided', 2001));
  const from = (received: Received): void => {
    if (!received.headers.get('from')?.includes('@')) throw refusal(400, 'Requester User Not Found', 2016);
  };

  return {
    name: 'pagerduty',
    tickets,
    people: createPeople(tickets, {
      open: 'triggered',
      closed: 'resolved',
      acknowledged: 'acknowledged',
      merge(ticket, into) {
        ticket.status = 'resolved';
        ticket.extra['mergedInto'] = into.id;
      },
      changed,
    }),
    secrets: {
      'tickets/pagerduty': keys[0] ?? '',
      'tickets/pagerduty-other': keys[1] ?? '',
      'tickets/pagerduty-rest': restToken,
    },
    destination: (at) => ({
      id: 'pagerduty',
      type: 'pagerduty',
      baseUrl: `${at}/pagerduty`,
      secret: 'tickets/pagerduty',
      webhookSecret: 'tickets/pagerduty-webhook',
      rest: { baseUrl: `${at}/pagerduty`, secret: 'tickets/pagerduty-rest', from: 'bot@example.com' },
    }),
    refuse: (status) => refusal(status, `Refused with ${status}`, 2000).response,
    routes: [
      { operation: 'pagerduty.enqueue', method: 'POST', path: '/v2/enqueue', handle: enqueue },
      {
        operation: 'pagerduty.listIncidents',
        method: 'GET',
        path: '/incidents',
        handle: guarded((received) => {
          const key = received.url.searchParams.get('incident_key');
          const found = tickets.present.filter(({ incident }) => key === null || incident === key).reverse();
          return answer(200, { incidents: found.slice(0, 25).map(incidentOf), more: found.length > 25 });
        }),
      },
      {
        operation: 'pagerduty.updateIncident',
        method: 'PUT',
        path: '/incidents/:id',
        handle: guarded((received) => {
          from(received);
          const ticket = theIncident(received);
          ticket.title = textAt(objectAt(body(received), 'incident'), 'title') ?? ticket.title;
          tickets.touch(ticket);
          return answer(200, { incident: incidentOf(ticket) });
        }),
      },
      {
        operation: 'pagerduty.createNote',
        method: 'POST',
        path: '/incidents/:id/notes',
        handle: guarded((received) => {
          from(received);
          const ticket = theIncident(received);
          const content = textAt(objectAt(body(received), 'note'), 'content');
          if (!content || content.length > 25_000) throw refusal(400, 'Invalid Input Provided', 2001);
          const id = `N${ticket.comments.length + 1}`;
          ticket.comments.push({ id, author: BOT.name, body: content, at: clock.now().getTime(), extra: {} });
          tickets.touch(ticket);
          return answer(200, { note: { id, content } });
        }),
      },
      {
        operation: 'pagerduty.listNotes',
        method: 'GET',
        path: '/incidents/:id/notes',
        handle: guarded((received) =>
          answer(200, { notes: theIncident(received).comments.map(({ id, body: content }) => ({ id, content })) }),
        ),
      },
    ],
  };
}
