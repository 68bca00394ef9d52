import { timingSafeEqual } from 'node:crypto';
import type { Received } from '../../atlas-sandbox/received.ts';
import { KeptMap } from '../../durable/durable.ts';
import { answer, TrackerRefusal } from '../refusal.ts';
import {
  type Actor,
  type Before,
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
  textsAt,
} from '../tracker.ts';
import { type SignedRequest, standard } from '../webhooks.ts';

/** A request as Standard Webhooks signs it. */
export const standardSigned = (secret: string, id: string, at: Date, body: string): SignedRequest => {
  const timestamp = String(Math.floor(at.getTime() / 1_000));
  return {
    headers: {
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1,${standard(secret, `${id}.${timestamp}.${body}`)}`,
    },
    body,
  };
};

/** A receiver of our generic webhook that checks signatures and knows a repeat. Source: github.com/standard-webhooks. */
export function createReceiver({ seed, clock, webhooks, durable }: Context): Tracker {
  const tickets = new Tickets(clock, durable);
  const secret = `whsec_${Buffer.from(`receiver/${seed}`).toString('base64')}`;
  const seen = new KeptMap<unknown>(durable.shelf('seen'));

  const refusal = (status: number, message: string): TrackerRefusal => new TrackerRefusal(status, { message });

  function verified(received: Received): string {
    const { headers, body } = received;
    const [id, timestamp, signature] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map(
      (name) => headers.get(name) ?? '',
    );
    if (!id || !timestamp || !signature) throw refusal(401, 'not signed');
    if (Math.abs(clock.now().getTime() / 1_000 - Number(timestamp)) > 300) throw refusal(401, 'too old');
    const expected = Buffer.from(`v1,${standard(secret, `${id}.${timestamp}.${body}`)}`);
    const given = Buffer.from(signature);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw refusal(401, 'wrong signature');
    return id;
  }

  function receive(received: Received): Response {
    const id = verified(received);
    if (received.headers.get('idempotency-key') !== id) throw refusal(400, 'Idempotency-Key is not webhook-id');
    const input = jsonOf(received, (status) => refusal(status, 'not JSON'));
    if (seen.has(id)) return answer(200, seen.get(id));
    const data = objectAt(input, 'data');
    const type = textAt(input, 'type');
    if (type === 'ticket.opened') {
      if (!textAt(data, 'title')) throw refusal(422, 'title is missing');
      const number = tickets.all.length + 1;
      const ticket = tickets.add({
        id: `t-${number}`,
        key: `T-${number}`,
        title: textAt(data, 'title') ?? '',
        body: textAt(data, 'body') ?? '',
        status: 'open',
        severity: textAt(data, 'severity') ?? null,
        labels: textsAt(data, 'labels'),
        incident: textAt(data, 'incident') ?? null,
      });
      const made = { id: ticket.id, key: ticket.key, url: `https://receiver.example/${ticket.key}` };
      seen.set(id, made);
      return answer(201, made);
    }
    const ticket = tickets.find(textAt(objectAt(data, 'ticket'), 'id') ?? '');
    if (!ticket || ticket.deleted) throw refusal(404, 'no such ticket');
    const words = textAt(data, 'text');
    if (type === 'ticket.closed') ticket.status = 'closed';
    else if (type === 'ticket.reopened') ticket.status = 'open';
    else if (type === 'ticket.linked')
      ticket.links.push({
        to: textAt(objectAt(objectAt(data, 'other'), 'ticket'), 'id') ?? '',
        type: textAt(data, 'relation') ?? '',
      });
    else if (type === 'ticket.updated') {
      ticket.title = textAt(data, 'title') ?? ticket.title;
      ticket.body = textAt(data, 'body') ?? ticket.body;
      ticket.severity = textAt(data, 'severity') ?? ticket.severity;
      ticket.labels = [...new Set([...ticket.labels, ...textsAt(data, 'addLabels')])];
    } else if (type !== 'ticket.commented') throw refusal(400, 'unknown type');
    if (words)
      ticket.comments.push({
        id: `c${ticket.comments.length + 1}`,
        author: 'atlas-bot',
        body: words,
        at: clock.now().getTime(),
        extra: {},
      });
    tickets.touch(ticket);
    seen.set(id, {});
    return answer(200, {});
  }

  function changed(ticket: Ticket, doing: Doing, _: Before, actor: Actor): void {
    if (doing === 'commented') return;
    const text = JSON.stringify({
      type: `ticket.${doing}`,
      timestamp: isoOf(clock.now().getTime()),
      data: { incident: ticket.incident, ticket: { id: ticket.id, key: ticket.key }, by: actor.name, actor: actor.id },
    });
    webhooks.emit('webhook', (key) => standardSigned(key, `${ticket.id}-${ticket.changes}`, clock.now(), text));
  }

  return {
    name: 'webhook',
    tickets,
    people: createPeople(tickets, { open: 'open', closed: 'closed', changed }),
    secrets: { 'tickets/webhook': secret },
    destination: (at) => ({
      id: 'webhook',
      type: 'webhook',
      baseUrl: `${at}/webhook`,
      secret: 'tickets/webhook',
      webhookSecret: 'tickets/webhook-webhook',
    }),
    refuse: (status) => refusal(status, `Refused with ${status}`).response,
    routes: [{ operation: 'webhook.receive', method: 'POST', path: '', handle: receive }],
  };
}
