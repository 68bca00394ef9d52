import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { People, Tracker } from '../../../infra/local/ticket-sandbox/tracker.ts';
import type { Outgoing } from '../../../infra/local/ticket-sandbox/webhooks.ts';
import type { DestinationType } from '../../../lib/tickets/destination.ts';
import { parseUpdate } from '../../../lib/tickets/parse-update.ts';
import type { TicketRef, Tickets, Update, UpdateRequest } from '../../../lib/tickets/tickets.ts';
import { assertProperty } from '../../support/properties.ts';
import { draft, everyType, note, soon, startTicketWorld, type TicketWorld } from './world.ts';

const received = ({ headers, body }: Pick<Outgoing, 'headers' | 'body'>): UpdateRequest => ({
  headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
  rawBody: Buffer.from(body),
});

/** What each tracker can tell of what people do. */
const tells: Readonly<Record<DestinationType, readonly Update['kind'][]>> = {
  jira: ['assigned', 'unassigned', 'acknowledged', 'closed', 'reopened', 'edited', 'deleted', 'moved'],
  github: ['assigned', 'unassigned', 'closed', 'reopened', 'edited', 'deleted', 'moved'],
  servicenow: ['assigned', 'unassigned', 'closed', 'reopened', 'edited', 'deleted'],
  pagerduty: ['acknowledged', 'unacknowledged', 'assigned', 'closed', 'reopened'],
  'jsm-operations': ['acknowledged', 'unacknowledged', 'closed', 'edited', 'deleted'],
  linear: ['assigned', 'unassigned', 'acknowledged', 'closed', 'reopened', 'edited', 'deleted', 'moved'],
  zendesk: ['assigned', 'unassigned', 'closed', 'reopened', 'edited', 'deleted'],
  slack: ['acknowledged', 'unacknowledged', 'closed', 'reopened', 'deleted'],
  webhook: ['assigned', 'unassigned', 'closed', 'reopened', 'edited', 'deleted'],
};

const doing: Readonly<Record<Update['kind'], (people: People, id: string) => void>> = {
  assigned: (people, id) => people.assign(id, 'ada'),
  unassigned: (people, id) => people.unassign(id, 'ada'),
  acknowledged: (people, id) => people.acknowledge(id, 'ada'),
  unacknowledged: (people, id) => people.unacknowledge(id, 'ada'),
  closed: (people, id) => people.close(id, {}, 'ada'),
  reopened: (people, id) => people.reopen(id, 'ada'),
  edited: (people, id) => people.edit(id, { title: 'Mine' }, 'ada'),
  deleted: (people, id) => people.remove(id, 'ada'),
  moved: (people, id) => people.move(id, 'ada'),
};
const before: Partial<Record<Update['kind'], Update['kind']>> = {
  unassigned: 'assigned',
  unacknowledged: 'acknowledged',
  reopened: 'closed',
};

describe.each(everyType)('what %s tells us', (type) => {
  let world: TicketWorld;
  let tickets: Tickets;
  let tracker: Tracker;
  let secret: string;

  beforeAll(async () => {
    world = await startTicketWorld({ limits: 'none' });
    tickets = await world.tickets(type);
    tracker = world.tracker(type);
    secret = JSON.parse(world.secrets[`tickets/${type}-webhook`]!).current;
    world.sandbox.webhooks.hold = true;
    world.sandbox.tell('http://127.0.0.1:1/updates');
  });
  afterAll(() => world[Symbol.asyncDispose]());
  beforeEach(() => {
    world.sandbox.webhooks.held.length = 0;
  });
  const parse = (request: UpdateRequest, secrets: readonly string[] = [secret], now = world.clock.now()) =>
    parseUpdate(world.destination(type), request, secrets, now);
  const opened = async (): Promise<{ ref: TicketRef; id: string; incident: string }> => {
    const wanted = draft();
    const ref = await tickets.open(wanted, soon(world));
    return { ref, id: tracker.tickets.all.at(-1)!.id, incident: wanted.incident };
  };
  const told = async (kind: Update['kind']) => {
    const { ref, id, incident } = await opened();
    const first = before[kind];
    if (first) doing[first](tracker.people, id);
    world.sandbox.webhooks.held.length = 0;
    doing[kind](tracker.people, id);
    return { ref, incident, outgoing: world.sandbox.webhooks.held.at(-1)! };
  };

  it.each(tells[type])('is understood: %s', async (kind) => {
    const { ref, incident, outgoing } = await told(kind);
    const parsed = await parse(received(outgoing));
    expect(parsed.kind).toBe('updates');
    const updates = parsed.kind === 'updates' ? parsed.updates : [];
    const update = updates.find((each) => each.kind === kind);
    expect(update, JSON.stringify(updates)).toBeDefined();
    expect(update!.ref.id).toBe(ref.id);
    expect(update!.deliveryId).not.toBe('');
    expect(Math.abs(update!.at.getTime() - world.clock.now().getTime())).toBeLessThan(60_000);
    if (update!.incident !== undefined) expect(update!.incident).toBe(incident);
    if (kind !== 'deleted' || type !== 'slack') expect(update!.actor).toBeDefined();
  });

  it('is refused unless it is signed with a secret we have, over these very bytes', async () => {
    const { outgoing } = await told('closed');
    const request = received(outgoing);
    expect((await parse(request)).kind).toBe('updates');
    expect((await parse(request, ['another', secret])).kind).toBe('updates');
    for (const secrets of [[], [''], ['another'], ['whsec_']]) {
      expect(await parse(request, secrets)).toMatchObject({ kind: 'refused', status: 401 });
    }
    expect(await parse({ ...request, headers: {} })).toMatchObject({ kind: 'refused', status: 401 });
    for (const [name, value] of Object.entries(request.headers)) {
      for (const wrong of ['', 'x', `${value}x`, value!.slice(0, -1), value!.replace(/[0-9a-f](?=[^0-9a-f]*$)/, 'g')]) {
        const answer = await parse({ ...request, headers: { ...request.headers, [name]: wrong } });
        expect(['updates', 'refused', 'ignored']).toContain(answer.kind);
        if (/sign|authorization/.test(name)) expect(answer).toMatchObject({ kind: 'refused', status: 401 });
      }
    }
    // Only a token in a header, and no signature: the bytes are not covered there.
    if (type === 'jsm-operations') return;
    expect(await parse({ ...request, rawBody: Buffer.from(`${outgoing.body} `) })).toMatchObject({ kind: 'refused' });
  });

  it('is refused when it is old, where its time is signed', async () => {
    if (!['servicenow', 'linear', 'zendesk', 'slack', 'webhook'].includes(type)) return;
    const { outgoing } = await told('closed');
    const later = new Date(world.clock.now().getTime() + 6 * 60_000);
    expect(await parse(received(outgoing), [secret], later)).toMatchObject({ kind: 'refused', status: 401 });
  });

  it('is ignored when it is our own doing', async () => {
    const { ref } = await opened();
    world.sandbox.webhooks.held.length = 0;
    await tickets.close(ref, { ...note('Over.'), resolution: 'resolved' }, soon(world));
    for (const outgoing of world.sandbox.webhooks.held) {
      expect((await parse(received(outgoing))).kind).toBe('ignored');
    }
  });

  it('never makes it fail, whatever somebody sends', async () => {
    const { outgoing } = await told('closed');
    const names = Object.keys(received(outgoing).headers);
    await assertProperty(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 200 }),
        fc.array(fc.string({ maxLength: 80 }), { minLength: names.length, maxLength: names.length }),
        async (rawBody, values) => {
          const headers = Object.fromEntries(names.map((name, at) => [name, values[at]]));
          expect((await parse({ headers, rawBody })).kind).toBe('refused');
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('Slack’s challenge', () => {
  it('is answered only when it is signed', async () => {
    await using world = await startTicketWorld();
    const secret: string = JSON.parse(world.secrets['tickets/slack-webhook']!).current;
    const text = JSON.stringify({ type: 'url_verification', challenge: 'abc123' });
    const at = String(Math.floor(world.clock.now().getTime() / 1_000));
    const sign = (key: string): string => `v0=${createHmac('sha256', key).update(`v0:${at}:${text}`).digest('hex')}`;
    const request = (signature: string): UpdateRequest => ({
      headers: { 'x-slack-request-timestamp': at, 'x-slack-signature': signature },
      rawBody: Buffer.from(text),
    });
    const parse = (signature: string) =>
      parseUpdate(world.destination('slack'), request(signature), [secret], world.clock.now());
    expect(await parse(sign(secret))).toEqual({ kind: 'challenge', answer: 'abc123' });
    expect(await parse(sign('another'))).toMatchObject({ kind: 'refused', status: 401 });
  });
});
