import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { draft, note, soon, startTicketWorld, type TicketWorld } from './world.ts';

// The systems that keep two tickets of one incident apart by themselves.

let world: TicketWorld;
beforeEach(async () => {
  world = await startTicketWorld({ limits: 'none' });
});
afterEach(() => world[Symbol.asyncDispose]());

const lost = (operation: string) => world.faults.plan([{ operation, nth: 1, fault: { kind: 'lost' } }]);
const over = { ...note('Over.'), resolution: 'resolved' } as const;

describe('PagerDuty', () => {
  it('resolves through the routing key that opened, whatever the settings say by then', async () => {
    const ref = await (await world.tickets('pagerduty')).open(draft(), soon(world));
    const later = await world.tickets('pagerduty', { secret: 'tickets/pagerduty-other' });
    await later.close(ref, over, soon(world));
    expect(world.sandbox.pagerduty.tickets.withIncident(ref.id)[0]!.status).toBe('resolved');
  });

  it('begins another incident after a resolve, and joins the open one before', async () => {
    const tickets = await world.tickets('pagerduty');
    const wanted = draft();
    const ref = await tickets.open(wanted, soon(world));
    await tickets.open(wanted, soon(world));
    expect(world.sandbox.pagerduty.tickets.withIncident(wanted.incident)).toHaveLength(1);
    await tickets.close(ref, over, soon(world));
    await tickets.open(wanted, soon(world));
    expect(world.sandbox.pagerduty.tickets.withIncident(wanted.incident)).toHaveLength(2);
    expect(tickets.traits.reopens).toBe(false);
  });

  it('says in its traits what it can’t do without a REST token', async () => {
    const tickets = await world.tickets('pagerduty', { rest: undefined });
    expect(tickets.traits).toMatchObject({ reads: false, comments: false, updates: false });
    const ref = await tickets.open(draft(), soon(world));
    expect((await tickets.read(ref, {}, soon(world))).status).toBe('open');
    await tickets.comment(ref, note('Nobody hears this.'), soon(world));
    await tickets.acknowledge?.(ref, note('Ada has it.'), soon(world));
    expect(world.sandbox.pagerduty.tickets.withIncident(ref.id)[0]!.status).toBe('acknowledged');
  });

  it('follows a merge', async () => {
    const tickets = await world.tickets('pagerduty');
    const [a, b] = [await tickets.open(draft(), soon(world)), await tickets.open(draft(), soon(world))];
    const [first, second] = [a, b].map((ref) => world.sandbox.pagerduty.tickets.withIncident(ref.id)[0]!.id);
    world.sandbox.pagerduty.people.merge(second!, first!);
    expect(await tickets.read(b, {}, soon(world))).toMatchObject({
      status: 'closed',
      moved: true,
      resolution: 'merged',
    });
  });
});

describe('Linear', () => {
  it('knows its own issue where the id is taken', async () => {
    const tickets = await world.tickets('linear');
    const wanted = draft();
    const first = await tickets.open(wanted, soon(world));
    expect(await tickets.open({ ...wanted, title: 'Worded otherwise by now' }, soon(world))).toEqual(first);
    expect(world.sandbox.linear.tickets.all).toHaveLength(1);
  });

  it('reads errors that come with status 200, and limits that come with 400', async () => {
    const missing = await world.tickets('linear', { teamId: 'team-nope' });
    await expect(missing.open(draft(), soon(world))).rejects.toMatchObject({
      reaction: 'stop',
      refusal: 'no-such-place',
    });
    await using limited = await startTicketWorld({ limits: { linear: { calls: 1, seconds: 60 } } });
    const tickets = await limited.tickets('linear');
    await tickets.open(draft(), soon(limited));
    await expect(tickets.open(draft(), soon(limited))).rejects.toMatchObject({ reaction: 'wait' });
  });

  it('leaves out labels that are not there', async () => {
    const tickets = await world.tickets('linear', { labelIds: ['nope'] });
    const wanted = draft();
    await expect(tickets.open(wanted, soon(world))).rejects.toMatchObject({
      reaction: 'leave-out',
      fields: ['labelIds'],
    });
    await tickets.open({ ...wanted, without: ['labelIds'] }, soon(world));
  });
});

describe('Zendesk', () => {
  it('finds the ticket where the idempotency key was used with other words', async () => {
    const tickets = await world.tickets('zendesk');
    const wanted = draft();
    const attemptedAt = world.clock.now();
    lost('zendesk.createTicket');
    await tickets.open(wanted, soon(world)).catch(() => undefined);
    await expect(tickets.open({ ...wanted, title: 'Enriched' }, soon(world))).rejects.toMatchObject({
      reaction: 'dead-letter',
    });
    expect((await tickets.find(wanted.incident, attemptedAt, soon(world))).kind).toBe('found');
    expect(world.sandbox.zendesk.tickets.all).toHaveLength(1);
  });

  it('can’t change a closed ticket, and follows it up', async () => {
    const tickets = await world.tickets('zendesk');
    const ref = await tickets.open(draft(), soon(world));
    await tickets.close(ref, over, soon(world));
    world.sandbox.zendesk.people.lock(ref.id);
    expect((await tickets.read(ref, {}, soon(world))).reopenable).toBe(false);
    for (const attempt of [
      tickets.reopen(ref, note('Again.'), soon(world)),
      tickets.comment(ref, note('Hm.'), soon(world)),
    ]) {
      await expect(attempt).rejects.toMatchObject({ reaction: 'unchangeable' });
    }
    const next = await tickets.open(draft({ follows: ref }), soon(world));
    expect(world.sandbox.zendesk.tickets.get(next.id).extra['follows']).toBe(Number(ref.id));
  });

  it('follows a merge', async () => {
    const tickets = await world.tickets('zendesk');
    const [older, younger] = [await tickets.open(draft(), soon(world)), await tickets.open(draft(), soon(world))];
    world.sandbox.zendesk.people.merge(younger.id, older.id);
    expect(await tickets.read(younger, {}, soon(world))).toMatchObject({ moved: true, ref: { id: older.id } });
  });
});

describe('Jira Service Management Operations', () => {
  it('counts up the open alert of an alias, and makes a new one after it was closed', async () => {
    const tickets = await world.tickets('jsm-operations');
    const wanted = draft();
    const ref = await tickets.open(wanted, soon(world));
    await tickets.open(wanted, soon(world));
    expect(world.sandbox.jsmOperations.tickets.all).toHaveLength(1);
    await tickets.close(ref, over, soon(world));
    await tickets.open(wanted, soon(world));
    expect(world.sandbox.jsmOperations.tickets.all).toHaveLength(2);
  });
});
