import { createHash } from 'node:crypto';
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
  isoOf,
  jsonOf,
  type Ticket,
  Tickets,
  type Tracker,
  textAt,
  textsAt,
} from '../tracker.ts';

/**
 * Jira Service Management Operations: integration events, and the alerts of its REST API. Sources:
 * developer.atlassian.com/cloud/jira/service-desk-ops (integration events, alerts), docs.opsgenie.com (rate limiting,
 * alert API, webhook integration).
 */
export function createJsmOperations({ seed, clock, webhooks, limits, durable }: Context): Tracker {
  const tickets = new Tickets(clock, durable);
  const apiKey = `genie-${seed}`;
  const restSecret = { email: 'bot@example.com', apiToken: `jsm-token-${seed}` };
  const restProof = `Basic ${Buffer.from(`${restSecret.email}:${restSecret.apiToken}`).toString('base64')}`;
  const perMinute = createLimiter(
    clock,
    limits['jsm-operations'] === false ? undefined : (limits['jsm-operations'] ?? { calls: 300, seconds: 60 }),
  );
  const requests = new KeptMap<{ success: boolean; alertId: string | null; status: string }>(durable.shelf('requests'));

  const refusal = (
    status: number,
    message: string,
    errors?: object,
    headers: Record<string, string> = {},
  ): TrackerRefusal =>
    new TrackerRefusal(status, { message, ...(errors && { errors }), took: 0, requestId: 'refused' }, headers);
  const guarded =
    (handle: (received: Received) => Response, proof = `GenieKey ${apiKey}`) =>
    (received: Received): Response => {
      const given = received.headers.get('authorization');
      if (given !== proof)
        throw refusal(given ? 403 : 401, given ? 'Key format is not valid!' : 'Could not authenticate');
      const taken = perMinute('alert');
      if (!taken.allowed)
        throw refusal(429, 'You are making too many requests!', undefined, {
          'X-RateLimit-State': 'THROTTLED',
          'X-RateLimit-Reason': 'ACCOUNT',
          'X-RateLimit-Period-In-Sec': String(taken.waitSeconds),
        });
      return handle(received);
    };
  const body = (received: Received): Record<string, unknown> =>
    jsonOf(received, (status) =>
      refusal(status === 415 ? 415 : 422, 'Request body is not processable. Please check the errors.'),
    );

  const openBy = (alias: string): Ticket | undefined =>
    tickets.present.findLast((ticket) => ticket.incident === alias && ticket.status === 'open');
  const latestBy = (alias: string): Ticket | undefined =>
    tickets.present.findLast(({ incident }) => incident === alias);

  /** Requests are queued; this queue is empty again at once. */
  const queued = (outcome: { success: boolean; alertId: string | null; status: string }): Response => {
    const requestId = createHash('sha1').update(`${seed}/${requests.size}`).digest('hex').slice(0, 32);
    requests.set(requestId, outcome);
    return answer(202, { result: 'Request will be processed', took: 0.1, requestId });
  };

  const act = (verb: 'acknowledge' | 'close' | 'notes') =>
    guarded((received) => {
      const input = body(received);
      if (received.url.searchParams.get('identifierType') !== 'alias')
        throw refusal(422, 'identifierType is not alias');
      const ticket =
        openBy(received.params['alias'] ?? '') ??
        (verb === 'notes' ? latestBy(received.params['alias'] ?? '') : undefined);
      if (!ticket) return queued({ success: false, alertId: null, status: 'Alert does not exist' });
      const before = { status: ticket.status, assignee: ticket.assignee, key: ticket.key };
      const note = textAt(input, 'note');
      if (note && note.length > 25_000) throw refusal(422, 'note is too long');
      if (note)
        ticket.comments.push({
          id: `n${ticket.comments.length}`,
          author: BOT.name,
          body: note,
          at: clock.now().getTime(),
          extra: {},
        });
      if (verb === 'close') ticket.status = 'closed';
      if (verb === 'acknowledge') ticket.extra['acknowledged'] = true;
      tickets.touch(ticket);
      changed(ticket, verb === 'close' ? 'closed' : verb === 'notes' ? 'commented' : 'acknowledged', before, BOT);
      return queued({ success: true, alertId: ticket.id, status: 'Processed' });
    });

  function changed(ticket: Ticket, doing: Doing, _: Before, actor: Actor): void {
    if (doing === 'assigned' || doing === 'acknowledged') ticket.extra['acknowledged'] = true;
    if (doing === 'unassigned' || doing === 'unacknowledged') ticket.extra['acknowledged'] = false;
    const action = {
      acknowledged: 'Acknowledge',
      unacknowledged: 'UnAcknowledge',
      assigned: 'Acknowledge',
      unassigned: 'UnAcknowledge',
      closed: 'Close',
      edited: 'UpdateMessage',
      commented: 'AddNote',
      deleted: 'Delete',
      reopened: undefined,
      moved: undefined,
    }[doing];
    if (!action) return;
    const text = JSON.stringify({
      source: { name: '', type: actor.person ? 'web' : 'API' },
      alert: {
        alertId: ticket.id,
        alias: ticket.incident,
        tinyId: ticket.key,
        message: ticket.title,
        username: actor.name,
        userId: actor.id,
        updatedAt: clock.now().getTime() * 1_000_000,
      },
      action,
      integrationName: 'atlas',
    });
    // Nothing is signed: the integration sends the header it was given.
    webhooks.emit('jsm-operations', (key) => ({ headers: { Authorization: `Bearer ${key}` }, body: text }));
  }

  const alertOf = (ticket: Ticket) => ({
    id: ticket.id,
    tinyId: ticket.key,
    alias: ticket.incident,
    message: ticket.title,
    description: ticket.body,
    priority: ticket.severity,
    status: ticket.status,
    acknowledged: ticket.extra['acknowledged'] === true,
    owner: ticket.assignee ?? '',
    count: ticket.extra['count'] ?? 1,
    tags: ticket.labels,
    updatedAt: isoOf(ticket.updatedAt),
  });
  const theAlert = ({ params }: Received): Ticket => {
    const ticket = tickets.find(params['id'] ?? '');
    if (!ticket || ticket.deleted) throw refusal(404, 'Alert does not exist');
    return ticket;
  };
  const patch = (field: 'message' | 'description' | 'priority') => ({
    operation: `jsm-operations.${field}`,
    method: 'PATCH',
    path: `/v1/alerts/:id/${field}`,
    handle: guarded((received) => {
      const ticket = theAlert(received);
      const value = textAt(body(received), field);
      if (value === undefined || (field === 'message' && [...value].length > 130))
        throw refusal(422, `${field} is invalid`);
      if (field === 'message') ticket.title = value;
      else if (field === 'description') ticket.body = value;
      else ticket.severity = value;
      tickets.touch(ticket);
      return answer(202, { result: 'Request will be processed', requestId: 'patched' });
    }, restProof),
  });

  return {
    name: 'jsm-operations',
    tickets,
    people: createPeople(tickets, { open: 'open', closed: 'closed', changed }),
    secrets: { 'tickets/jsm-operations': apiKey, 'tickets/jsm-operations-rest': JSON.stringify(restSecret) },
    destination: (at) => ({
      id: 'jsm-operations',
      type: 'jsm-operations',
      baseUrl: `${at}/jsm-operations`,
      secret: 'tickets/jsm-operations',
      webhookSecret: 'tickets/jsm-operations-webhook',
      actor: BOT.id,
      rest: { baseUrl: `${at}/jsm-operations`, secret: 'tickets/jsm-operations-rest' },
    }),
    refuse: (status) => refusal(status, `Refused with ${status}`).response,
    routes: [
      {
        operation: 'jsm-operations.createAlert',
        method: 'POST',
        path: '/v2/alerts',
        handle: guarded((received) => {
          const input = body(received);
          const message = textAt(input, 'message');
          const errors: Record<string, string> = {};
          if (!message?.trim()) errors['message'] = 'Message can not be empty.';
          else if ([...message].length > 130) errors['message'] = 'Message can not be longer than 130 characters.';
          if ((textAt(input, 'alias') ?? '').length > 512)
            errors['alias'] = 'Alias can not be longer than 512 characters.';
          if ((textAt(input, 'description') ?? '').length > 15_000)
            errors['description'] = 'Description can not be longer than 15000 characters.';
          if (input['priority'] !== undefined && !/^P[1-5]$/.test(String(input['priority'])))
            errors['priority'] = 'Priority should be one of [P1,P2,P3,P4,P5].';
          const tags = textsAt(input, 'tags');
          if (tags.length > 20 || tags.some((tag) => tag.length > 50))
            errors['tags'] = 'Tags are too many or too long.';
          if (Object.keys(errors).length > 0)
            throw refusal(422, 'Request body is not processable. Please check the errors.', errors);
          const alias = textAt(input, 'alias');
          const there = alias === undefined ? undefined : openBy(alias);
          if (there) {
            there.extra['count'] = Number(there.extra['count'] ?? 1) + 1;
            tickets.keep(there);
            return queued({ success: true, alertId: there.id, status: 'Deduplicated' });
          }
          const number = tickets.all.length + 1;
          const ticket = tickets.add({
            id: createHash('sha1').update(`${seed}/alert/${number}`).digest('hex').slice(0, 36),
            key: String(number),
            title: message ?? '',
            body: textAt(input, 'description') ?? '',
            status: 'open',
            severity: textAt(input, 'priority') ?? 'P3',
            labels: tags,
            incident: alias ?? null,
          });
          return queued({ success: true, alertId: ticket.id, status: 'Created alert' });
        }),
      },
      {
        operation: 'jsm-operations.getRequest',
        method: 'GET',
        path: '/v2/alerts/requests/:id',
        handle: guarded((received) => {
          const found = requests.get(received.params['id'] ?? '');
          if (!found) throw refusal(404, 'Request not found. It might not be processed, yet.');
          return answer(200, { data: { ...found, isSuccess: found.success, action: 'Create' }, took: 0.01 });
        }),
      },
      {
        operation: 'jsm-operations.acknowledge',
        method: 'POST',
        path: '/v2/alerts/:alias/acknowledge',
        handle: act('acknowledge'),
      },
      { operation: 'jsm-operations.close', method: 'POST', path: '/v2/alerts/:alias/close', handle: act('close') },
      { operation: 'jsm-operations.notes', method: 'POST', path: '/v2/alerts/:alias/notes', handle: act('notes') },
      {
        operation: 'jsm-operations.getAlertByAlias',
        method: 'GET',
        path: '/v1/alerts/alias',
        handle: guarded((received) => {
          const ticket = latestBy(received.url.searchParams.get('alias') ?? '');
          if (!ticket) throw refusal(404, 'Alert does not exist');
          return answer(200, alertOf(ticket));
        }, restProof),
      },
      {
        operation: 'jsm-operations.listNotes',
        method: 'GET',
        path: '/v1/alerts/:id/notes',
        handle: guarded(
          (received) =>
            answer(200, {
              values: theAlert(received)
                .comments.map(({ body: note }) => ({ note }))
                .reverse(),
            }),
          restProof,
        ),
      },
      patch('message'),
      patch('description'),
      patch('priority'),
    ],
  };
}
