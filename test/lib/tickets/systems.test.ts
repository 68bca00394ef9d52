import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TicketFieldRefused } from '../../../lib/tickets/errors.ts';
import { draft, newMarker, note, soon, startTicketWorld, type TicketWorld } from './world.ts';

let world: TicketWorld;
beforeEach(async () => {
  world = await startTicketWorld({ limits: 'none' });
});
afterEach(() => world[Symbol.asyncDispose]());

const lost = (operation: string) => world.faults.plan([{ operation, nth: 1, fault: { kind: 'lost' } }]);
const over = { ...note('Over.'), resolution: 'resolved' } as const;

describe('Jira', () => {
  it('waits out the lag of its search before it says that there is no ticket', async () => {
    const tickets = await world.tickets('jira', { indexLagSeconds: 120 });
    world.sandbox.jira.searchLagMs = 60_000;
    const wanted = draft();
    const attemptedAt = world.clock.now();
    lost('jira.createIssue');
    await tickets.open(wanted, soon(world)).catch(() => undefined);
    world.clock.advance(30_000);
    expect((await tickets.find(wanted.incident, attemptedAt, soon(world))).kind).toBe('not-yet');
    world.clock.advance(31_000);
    expect(await tickets.find(wanted.incident, attemptedAt, soon(world))).toMatchObject({
      kind: 'found',
      tickets: [{ key: 'OPS-1' }],
    });
  });

  it('is not fooled by a copy of the ticket, which has its labels and not its property', async () => {
    const tickets = await world.tickets('jira');
    const wanted = draft();
    const ref = await tickets.open(wanted, soon(world));
    const made = world.sandbox.jira.tickets.get(ref.id);
    const copy = world.sandbox.jira.tickets.add({
      ...made,
      id: '99',
      key: 'OPS-99',
      comments: [],
      links: [],
      extra: { ...made.extra, properties: {} },
    });
    expect(copy.labels).toContain(`incident-${wanted.incident}`);
    world.clock.advance(10_000);
    expect(await tickets.find(wanted.incident, world.clock.now(), soon(world))).toMatchObject({
      kind: 'found',
      tickets: [{ key: 'OPS-1' }],
    });
  });

  it('says which optional fields are not on the screen, and opens without them', async () => {
    const tickets = await world.tickets('jira', { fields: { customfield_10010: 'x' } });
    world.sandbox.jira.offScreen.add('priority').add('customfield_10010');
    const wanted = draft();
    const refused = (await tickets.open(wanted, soon(world)).catch((error: unknown) => error)) as TicketFieldRefused;
    expect(refused).toMatchObject({ code: 'TICKET_FIELD_REFUSED', reaction: 'leave-out' });
    expect(refused.fields.toSorted()).toEqual(['customfield_10010', 'priority']);
    await tickets.open({ ...wanted, without: refused.fields }, soon(world));
    expect(world.sandbox.jira.tickets.withIncident(wanted.incident)).toHaveLength(1);
  });

  it('tells the limit of one issue from that of the site', async () => {
    await using limited = await startTicketWorld();
    const tickets = await limited.tickets('jira');
    const ref = await tickets.open(draft(), soon(limited));
    const storm = Array.from({ length: 25 }, () =>
      tickets.comment(ref, note('Again.'), soon(limited)).catch((error: unknown) => error),
    );
    const errors = (await Promise.all(storm)).filter((outcome) => outcome !== undefined);
    expect(errors.length).toBe(5);
    expect(errors[0]).toMatchObject({ reaction: 'wait', scope: 'ticket' });
  });

  it('knows a project that is not there', async () => {
    const tickets = await world.tickets('jira', { project: 'NOPE' });
    await expect(tickets.open(draft(), soon(world))).rejects.toMatchObject({
      reaction: 'stop',
      refusal: 'no-such-place',
    });
  });

  it('closes in ways that are not people’s, and gives the resolution that a transition asks for', async () => {
    const tickets = await world.tickets('jira');
    const ref = await tickets.open(draft(), soon(world));
    await tickets.close(ref, over, soon(world));
    expect(world.sandbox.jira.tickets.get(ref.id)).toMatchObject({ status: 'Done', resolution: 'Done' });
  });

  it('takes no default assignment for somebody who has it, where that is switched off', async () => {
    const tickets = await world.tickets('jira', { takenWhen: ['in-progress'] });
    const ref = await tickets.open(draft(), soon(world));
    world.sandbox.jira.people.assign(ref.id);
    expect((await tickets.read(ref, {}, soon(world))).acknowledged).toBe(false);
    world.sandbox.jira.people.acknowledge(ref.id);
    expect((await tickets.read(ref, {}, soon(world))).acknowledged).toBe(true);
  });
});

describe('GitHub', () => {
  it('finds its issue by the body where labels are dropped for want of push access', async () => {
    const tickets = await world.tickets('github');
    world.sandbox.github.pushAccess = false;
    const wanted = draft();
    const attemptedAt = world.clock.now();
    lost('github.createIssue');
    await tickets.open(wanted, soon(world)).catch(() => undefined);
    expect(world.sandbox.github.tickets.all[0]!.labels).toEqual([]);
    expect(await tickets.find(wanted.incident, attemptedAt, soon(world))).toMatchObject({
      kind: 'found',
      tickets: [{ key: 'octo/ops#1' }],
    });
    const [ref] = [{ id: '900000', key: 'octo/ops#1', url: '' }];
    const state = await tickets.read(ref, tickets.written({ severity: 'error' }), soon(world));
    expect(state.edited.severity).toBe(false);
  });

  it('takes no issue for its own that quotes the marker, or that somebody else wrote', async () => {
    const tickets = await world.tickets('github');
    const incident = newMarker();
    const add = (body: string, author: string) =>
      world.sandbox.github.tickets.add({
        id: String(7_000 + author.length),
        key: `octo/ops#9${author.length}`,
        title: 'x',
        body,
        status: 'open',
        author,
      });
    add(`Look at <!-- atlas-incident: ${incident} --> there.`, 'atlas-bot');
    add(`Copied.\n\n<!-- atlas-incident: ${incident} -->`, 'mallory');
    const longAgo = new Date(world.clock.now().getTime() - 3_600_000);
    expect((await tickets.find(incident, longAgo, soon(world))).kind).toBe('absent');
  });

  it('can’t be told by an alert that its ticket is another one', async () => {
    const tickets = await world.tickets('github');
    const other = newMarker();
    await tickets.open(
      draft({
        title: `<!-- atlas-incident: ${other} -->`,
        body: [{ kind: 'code', text: `x\n<!-- atlas-incident: ${other} -->` }],
      }),
      soon(world),
    );
    expect(world.sandbox.github.tickets.withIncident(other)).toEqual([]);
  });

  it('obeys the secondary limits', async () => {
    await using limited = await startTicketWorld();
    const tickets = await limited.tickets('github');
    for (let nth = 0; nth < 80; nth++) await tickets.open(draft(), soon(limited));
    const error = await tickets.open(draft(), soon(limited)).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ reaction: 'wait', scope: 'destination' });
    expect((error as { retryAfterMs: number }).retryAfterMs).toBeGreaterThan(0);
    expect(limited.sandbox.github.tickets.all).toHaveLength(80);
  });

  it('stops where issues are switched off', async () => {
    const tickets = await world.tickets('github');
    world.sandbox.github.hasIssues = false;
    await expect(tickets.open(draft(), soon(world))).rejects.toMatchObject({
      reaction: 'stop',
      refusal: 'no-such-place',
    });
  });

  it('leaves a locked issue alone', async () => {
    const tickets = await world.tickets('github');
    const ref = await tickets.open(draft(), soon(world));
    world.sandbox.github.people.lock(ref.id);
    expect(await tickets.read(ref, {}, soon(world))).toMatchObject({ wontFix: true, reopenable: false });
  });

  it('takes its credentials to no other host', async () => {
    const seen: (string | undefined)[] = [];
    const thief = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.end('{}');
    });
    let asked = 0;
    const redirecting = createServer((_, response) => {
      asked += 1;
      const { port } = thief.address() as AddressInfo;
      response.writeHead(301, { location: `http://127.0.0.1:${port}/repos/octo/ops/issues/1` }).end();
    });
    await Promise.all(
      [thief, redirecting].map((server) => new Promise<void>((done) => server.listen(0, '127.0.0.1', done))),
    );
    const { port } = redirecting.address() as AddressInfo;
    const tickets = await world.tickets('github', { baseUrl: `http://127.0.0.1:${port}` });
    await expect(tickets.read({ id: '1', key: 'octo/ops#1', url: '' }, {}, soon(world))).rejects.toMatchObject({
      code: 'TICKET_REJECTED',
    });
    expect(seen).toEqual([]);
    expect(asked).toBe(1);
    for (const server of [thief, redirecting]) {
      server.closeAllConnections();
      server.close();
    }
  });
});

describe('a request that is carried out after its answer was lost', () => {
  it.each(['jira.createIssue', 'github.createIssue', 'servicenow.createRecord', 'slack.postMessage'])(
    'is waited for: %s',
    async (operation) => {
      const type = operation.split('.')[0] as 'jira' | 'github' | 'servicenow' | 'slack';
      const tickets = await world.tickets(type, type === 'jira' ? { indexLagSeconds: 30 } : {});
      world.sandbox.jira.searchLagMs = 0;
      const wanted = draft();
      const attemptedAt = world.clock.now();
      world.faults.plan([{ operation, nth: 1, fault: { kind: 'late', ms: 3_600_000 } }]);
      await tickets.open(wanted, soon(world)).catch(() => undefined);
      expect((await tickets.find(wanted.incident, attemptedAt, soon(world))).kind).toBe('not-yet');
      world.clock.advance(20_000);
      await world.faults.settle();
      expect((await tickets.find(wanted.incident, attemptedAt, soon(world))).kind).toBe('found');
    },
  );
});

describe('ServiceNow', () => {
  it('writes to no foreign record and opens no second one where the query is not understood', async () => {
    const tickets = await world.tickets('servicenow');
    world.sandbox.servicenow.tickets.add({
      id: 'f'.repeat(32),
      key: 'INC0000001',
      title: 'Printer',
      body: '',
      status: '1',
      author: 'eve',
    });
    world.sandbox.servicenow.hiddenFromQueries.add('correlation_id');
    await expect(tickets.find(newMarker(), new Date(0), soon(world))).rejects.toMatchObject({
      reaction: 'stop',
      refusal: 'forbidden',
    });
  });

  it('does not open again what is closed for good', async () => {
    const tickets = await world.tickets('servicenow');
    const ref = await tickets.open(draft(), soon(world));
    world.sandbox.servicenow.tickets.get(ref.id).status = '7';
    expect((await tickets.read(ref, {}, soon(world))).reopenable).toBe(false);
    await expect(tickets.reopen(ref, note('Again.'), soon(world))).rejects.toMatchObject({ reaction: 'unchangeable' });
  });

  it('takes a HTML journal for text', async () => {
    const tickets = await world.tickets('servicenow');
    const ref = await tickets.open(draft(), soon(world));
    await tickets.comment(ref, note('[code]<script>alert(1)</script>[/code]'), soon(world));
    expect(String(world.sandbox.servicenow.tickets.get(ref.id).comments[0]!.body)).not.toMatch(
      /\[\/?code\]|<\/?script/,
    );
  });
});

describe('Slack', () => {
  it('marks the message itself when it is over, and open again when it is not', async () => {
    const tickets = await world.tickets('slack');
    const ref = await tickets.open(draft({ title: 'Disk <!channel> full' }), soon(world));
    const made = world.sandbox.slack.tickets.get(ref.id);
    await tickets.close(ref, over, soon(world));
    expect(made.title).toMatch(/^Resolved: /);
    expect(made.title).not.toContain('<!channel>');
    expect(JSON.stringify(made.body)).toContain('95.2');
    await tickets.reopen(ref, note('Again.'), soon(world));
    expect(made.title).not.toMatch(/^Resolved: /);
    expect(made.extra).toMatchObject({ link_names: false, parse: 'none' });
  });

  it('stops at an archived channel', async () => {
    const tickets = await world.tickets('slack');
    world.sandbox.slack.archived = true;
    await expect(tickets.open(draft(), soon(world))).rejects.toMatchObject({ reaction: 'stop' });
  });
});
