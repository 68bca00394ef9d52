import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Tracker } from '../../../infra/local/ticket-sandbox/tracker.ts';
import type { TicketError } from '../../../lib/tickets/errors.ts';
import { TicketOutcomeUnknown } from '../../../lib/tickets/errors.ts';
import { TicketRef, type Tickets } from '../../../lib/tickets/tickets.ts';
import { body, draft, everyType, newMarker, note, opening, soon, startTicketWorld, type TicketWorld } from './world.ts';

/** The error a promise ends with. */
const failing = async (promise: Promise<unknown>): Promise<TicketError> => {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Error);
  return error as TicketError;
};

/** Another secret of the same form. */
const spoilt = (secret: string): string => {
  if (secret.startsWith('{')) return secret.replaceAll('-tickets', '-wrong');
  if (secret.startsWith('whsec_')) return `whsec_${Buffer.from('wrong').toString('base64')}`;
  return secret.replace(/.{8}$/, 'aaaaaaaa');
};

const closedWords = ['Done', 'closed', '6', 'resolved', 'state-done', 'solved'];

describe.each(everyType)('the tickets of %s', (type) => {
  let world: TicketWorld;
  let tickets: Tickets;
  let tracker: Tracker;

  beforeAll(async () => {
    world = await startTicketWorld();
    tickets = await world.tickets(type);
    tracker = world.tracker(type);
  });
  afterAll(() => world[Symbol.asyncDispose]());
  beforeEach(() => {
    world.faults.plan([]);
    // Past every limit of the tests before.
    world.clock.advance(3_600_000);
  });
  const count = (incident: string): number =>
    type === 'linear' ? tracker.tickets.all.length : tracker.tickets.withIncident(incident).length;

  it('opens one that people can read, and gives back a plain reference', async () => {
    const wanted = draft();
    const ref = await tickets.open(wanted, soon(world));
    expect(TicketRef.parse(JSON.parse(JSON.stringify(ref)))).toEqual(ref);
    const made = tracker.tickets.all.at(-1)!;
    expect(made.title).toContain('Disk space on orders');
    expect(JSON.stringify(made.body)).toContain('95.2');
    expect(JSON.stringify(made)).toContain('orders-shard-00-01.ab1cd.mongodb.net:27017');
  });

  it('opens nothing twice: a lost answer is unknown, and the ticket is found by its marker', async () => {
    const wanted = draft();
    const attemptedAt = world.clock.now();
    world.faults.plan([{ operation: opening[type], nth: 1, fault: { kind: 'lost' } }]);
    const before = world.faults.journal.length;
    const error = await failing(tickets.open(wanted, soon(world)));
    expect(error).toBeInstanceOf(TicketOutcomeUnknown);
    expect(error).toMatchObject({ code: 'TICKET_OUTCOME_UNKNOWN', disposition: 'retry', reaction: 'look' });
    expect(world.faults.journal.slice(before)).toHaveLength(1);

    let found = await tickets.find(wanted.incident, attemptedAt, soon(world));
    for (let looks = 0; found.kind === 'not-yet' && looks < 5; looks++) {
      expect(found.askAgainInMs).toBeGreaterThan(0);
      world.clock.advance(found.askAgainInMs);
      found = await tickets.find(wanted.incident, attemptedAt, soon(world));
    }
    const total = tracker.tickets.all.length;
    if (found.kind === 'absent') {
      expect(tickets.traits.repeatable).toBe(true);
      await tickets.open(wanted, soon(world));
    } else {
      expect(found.kind).toBe('found');
    }
    expect(tracker.tickets.all.length).toBe(total);
    if (type !== 'linear') expect(count(wanted.incident)).toBe(1);
  });

  it('says absent only when it is certain, and not a moment earlier', async () => {
    const attemptedAt = world.clock.now();
    const incident = newMarker();
    const first = await tickets.find(incident, attemptedAt, soon(world));
    if (tickets.traits.indexLagMs > 0) {
      expect(first.kind).toBe('not-yet');
      world.clock.advance(tickets.traits.indexLagMs + 1_000);
    }
    expect(await tickets.find(incident, attemptedAt, soon(world))).toEqual({ kind: 'absent' });
  });

  it('makes no second ticket of the same draft where it says so', async () => {
    if (!tickets.traits.repeatable) return;
    const wanted = draft();
    const first = await tickets.open(wanted, soon(world));
    const second = await tickets.open(wanted, soon(world));
    expect(second.id).toBe(first.id);
    if (type !== 'linear') expect(count(wanted.incident)).toBe(1);
  });

  it.each([
    [500, 'look'],
    [503, 'look'],
    [429, 'wait'],
    [401, 'stop'],
    [403, 'stop'],
    [404, 'stop'],
    [400, 'dead-letter'],
  ] as const)('reads a %i on opening as %s', async (status, reaction) => {
    const refuse = { kind: 'refuse', status, retryAfterSeconds: 300 } as const;
    const fault = status === 429 || status >= 500 ? refuse : ({ kind: 'refuse', status } as const);
    world.faults.plan([
      { operation: opening[type], nth: 1, fault },
      { operation: opening[type], nth: 2, fault },
    ]);
    const error = await failing(tickets.open(draft(), soon(world)));
    // The event API knows no status 404 and 403 of its own; what a gateway before it says counts.
    expect([error.reaction, error.disposition]).toEqual([
      reaction,
      reaction === 'look' || reaction === 'wait' ? 'retry' : 'give-up',
    ]);
    if (reaction === 'wait') expect(error).toMatchObject({ retryAfterMs: 300_000 });
    expect(JSON.stringify({ ...error.facts })).not.toContain('Disk space');
  });

  it('never sent is never unknown', async () => {
    const nowhere = { ...world.destination(type), baseUrl: 'http://127.0.0.1:1' };
    const elsewhere = await world.tickets(type, { baseUrl: nowhere.baseUrl });
    expect(await failing(elsewhere.open(draft(), soon(world)))).toMatchObject({
      code: 'TICKET_SYSTEM_UNAVAILABLE',
      reaction: 'retry',
    });
  });

  it('reads a rotated secret anew', async () => {
    const name = world.destination(type).secret;
    const right = world.secrets[name]!;
    world.secrets[name] = spoilt(right);
    const fresh = await world.tickets(type);
    const wrong = await failing(fresh.open(draft(), soon(world)));
    expect(wrong.reaction).toBe('stop');
    expect(JSON.stringify([wrong.message, wrong.facts])).not.toContain(right.slice(0, 12));
    world.secrets[name] = right;
    await fresh.open(draft(), soon(world));
  });

  it('comments once per marker, however often it is asked', async () => {
    const ref = await tickets.open(draft(), soon(world));
    const made = tracker.tickets.all.at(-1)!;
    const before = made.comments.length;
    const comment = note('Still at 96 %.');
    await tickets.comment(ref, comment, soon(world));
    await tickets.comment(ref, { ...comment, repeated: true }, soon(world));
    expect(made.comments.length - before).toBe(tickets.traits.comments ? 1 : 0);
    await tickets.comment(ref, note('Now at 97 %.'), soon(world));
    expect(made.comments.length - before).toBe(tickets.traits.comments ? 2 : 0);
  });

  it('closes once, also when the answer was lost in between', async () => {
    const ref = await tickets.open(draft(), soon(world));
    const made = tracker.tickets.all.at(-1)!;
    const closing = { ...note('Disk space is back to 60 %.'), resolution: 'resolved' } as const;
    world.faults.plan([{ operation: '*', nth: 2, fault: { kind: 'lost' } }]);
    await tickets.close(ref, closing, soon(world)).catch(() => undefined);
    world.faults.plan([]);
    await tickets.close(ref, { ...closing, repeated: true }, soon(world));
    if (type === 'slack') expect(made.status).toBe('closed');
    else expect(closedWords).toContain(made.status);
    const said = made.comments.filter(({ body: words }) => JSON.stringify(words).includes('60 %'));
    expect(said.length).toBe(1);
  });

  it('opens a closed ticket again, or says that it can’t', async () => {
    const ref = await tickets.open(draft(), soon(world));
    const made = tracker.tickets.all.at(-1)!;
    await tickets.close(ref, { ...note('Over.'), resolution: 'resolved' }, soon(world));
    if (!tickets.traits.reopens) {
      expect(await failing(tickets.reopen(ref, note('Again.'), soon(world)))).toMatchObject({
        reaction: 'unchangeable',
      });
      return;
    }
    await tickets.reopen(ref, note('Again.'), soon(world));
    if (type === 'slack') expect(made.status).toBe('open');
    else expect(closedWords).not.toContain(made.status);
  });

  it('updates title, body and severity where it can', async () => {
    const wanted = draft();
    const ref = await tickets.open(wanted, soon(world));
    const made = tracker.tickets.all.at(-1)!;
    const change = { incident: wanted.incident, title: 'Two alerts on orders', severity: 'critical' as const };
    await tickets.update(ref, change, soon(world));
    if (tickets.traits.updates) expect(made.title).toContain('Two alerts on orders');
    const written = tickets.written({ title: change.title });
    const state = await tickets.read(ref, written, soon(world));
    expect(state.edited).toEqual({ title: false, body: false, severity: false });
    if (type !== 'linear') expect(count(wanted.incident)).toBe(1);
  });

  it('links the younger of two to the older', async () => {
    const [older, younger] = [await tickets.open(draft(), soon(world)), await tickets.open(draft(), soon(world))];
    const made = tracker.tickets.all.at(-1)!;
    const before = JSON.stringify([made.links, made.comments]);
    await tickets.link(younger, older, 'duplicates', note('Made twice.'), soon(world));
    const after = JSON.stringify([made.links, made.comments, made.extra]);
    expect(after.length).toBeGreaterThan(before.length);
    const named = [older.id, older.key, older.url].some((name) => name !== '' && after.includes(name));
    expect(named).toBe(true);
  });

  it('follows up a ticket that stays closed', async () => {
    const old = await tickets.open(draft(), soon(world));
    const made = tracker.tickets.all.at(-1)!;
    await tickets.close(old, { ...note('Over.'), resolution: 'resolved' }, soon(world));
    if (type === 'zendesk') tracker.people.lock(made.id);
    const next = await tickets.open(draft({ follows: old }), soon(world));
    expect(next.id).not.toBe(old.id);
  });

  describe('reading', () => {
    it('tells people’s doing from ours', async () => {
      if (!tickets.traits.reads) return;
      const wanted = draft();
      const ref = await tickets.open(wanted, soon(world));
      const { id } = tracker.tickets.all.at(-1)!;
      const written = tickets.written({ title: wanted.title, body: wanted.body, severity: wanted.severity });
      const fresh = await tickets.read(ref, written, soon(world));
      expect(fresh).toMatchObject({
        status: 'open',
        moved: false,
        wontFix: false,
        acknowledged: false,
        edited: { title: false, body: false, severity: false },
      });

      tracker.people.acknowledge(id, 'ada');
      const taken = await tickets.read(ref, written, soon(world));
      expect(taken.acknowledged).toBe(true);
      expect(taken.assignee).toBeDefined();
      expect(taken.version).not.toBe(fresh.version);
      tracker.people.unacknowledge(id, 'ada');
      expect((await tickets.read(ref, written, soon(world))).acknowledged).toBe(false);

      if (type !== 'slack') {
        tracker.people.edit(id, { title: 'I know what this is' });
        expect((await tickets.read(ref, written, soon(world))).edited.title).toBe(true);
      }

      tracker.people.close(id, {}, 'ada');
      expect(await tickets.read(ref, written, soon(world))).toMatchObject({ status: 'closed', wontFix: false });
    });

    it('knows what people do not want back', async () => {
      if (!['jira', 'github', 'servicenow', 'linear', 'slack'].includes(type)) return;
      const ref = await tickets.open(draft(), soon(world));
      tracker.people.close(tracker.tickets.all.at(-1)!.id, { wontFix: true });
      expect(await tickets.read(ref, {}, soon(world))).toMatchObject({ status: 'closed', wontFix: true });
    });

    it('says gone for what was deleted', async () => {
      if (!tickets.traits.reads || type === 'pagerduty') return;
      const ref = await tickets.open(draft(), soon(world));
      tracker.people.remove(tracker.tickets.all.at(-1)!.id);
      expect((await tickets.read(ref, {}, soon(world))).status).toBe('gone');
    });

    it('follows what was moved, and goes on writing there', async () => {
      if (!['jira', 'github', 'linear'].includes(type)) return;
      const ref = await tickets.open(draft(), soon(world));
      const made = tracker.tickets.all.at(-1)!;
      tracker.people.move(made.id);
      const state = await tickets.read(ref, {}, soon(world));
      expect(state).toMatchObject({ status: 'open', moved: true });
      expect(state.ref.key).not.toBe(ref.key);
      await tickets.comment(ref, note('Where are you?'), soon(world));
      await tickets.close(state.ref, { ...note('Over.'), resolution: 'resolved' }, soon(world));
      expect(closedWords).toContain(made.status);
      expect(made.comments.length).toBe(2);
    });

    it('finds its own words again after the body was written anew', async () => {
      if (!tickets.traits.reads) return;
      const wanted = draft();
      const ref = await tickets.open(wanted, soon(world));
      const enriched = [...body, ...body];
      await tickets.update(ref, { incident: wanted.incident, body: enriched }, soon(world));
      const state = await tickets.read(ref, tickets.written({ body: enriched }), soon(world));
      expect(state.edited.body).toBe(false);
    });
  });
});
