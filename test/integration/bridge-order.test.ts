/** Order and flapping: sections C and D of the bridge's scenarios, through the built bundles on embedded AWS. */
import { afterEach, expect, it } from 'vitest';
import { type BridgeOptions, BridgeWorld, HOUR, MINUTE, SECOND } from '../support/bridge-world.ts';

let world: BridgeWorld;
const start = async (options: BridgeOptions = {}): Promise<void> => {
  world = await BridgeWorld.start(options);
};
afterEach(() => world[Symbol.asyncDispose]());

const issues = () => world.sandbox.jira.tickets.present;
const isOpen = ({ resolution }: { resolution: string | null }): boolean => resolution === null;
const closed = (body: Readonly<Record<string, unknown>>) => world.later(body, { status: 'CLOSED' });

it('C12 the close arrives first and the open a second later: no open ticket is left', async () => {
  await start();
  const body = world.alert();
  await world.pass(SECOND);
  await world.tell(closed(body), { event: 'alert.close' });
  await world.pass(SECOND);
  await world.tell(body);
  await world.pass(MINUTE);
  await world.due();
  expect(issues().filter(isOpen)).toEqual([]);
});

it('C13 open, close, then a redrive of the open: it stays closed', async () => {
  await start();
  const body = world.alert();
  await world.tell(body);
  await world.pass(SECOND);
  await world.tell(closed(body), { event: 'alert.close' });
  expect(issues()).toMatchObject([{ status: 'Done' }]);
  for (const wait of [10 * MINUTE, 3 * HOUR, 10 * HOUR]) {
    await world.pass(wait);
    await world.tell(body);
    await world.tell(world.later(body, {}), { event: 'alert.update' });
    await world.due();
  }
  expect(issues()).toMatchObject([{ status: 'Done' }]);
});

it('C14 an acknowledgement with the status CLOSED does not reopen', async () => {
  await start();
  const body = world.alert();
  await world.tell(body);
  await world.pass(SECOND);
  await world.tell(closed(body), { event: 'alert.close' });
  await world.pass(MINUTE);
  const until = new Date(world.now + HOUR).toISOString();
  await world.tell(world.later(body, { status: 'CLOSED', acknowledgedUntil: until, acknowledgingUsername: 'ada' }), {
    event: 'alert.acknowledge',
  });
  await world.due();
  expect(issues()).toMatchObject([{ status: 'Done' }]);
});

it.each(['open first', 'close first'])('C15 open and close of the same second, %s: closed', async (order) => {
  await start();
  const body = world.alert();
  const end = { ...body, status: 'CLOSED', resolved: body['updated'] };
  const told = [
    [body, 'alert.open'],
    [end, 'alert.close'],
  ] as const;
  for (const [each, event] of order === 'open first' ? told : told.toReversed()) await world.tell(each, { event });
  expect(issues().filter(isOpen)).toEqual([]);
});

it('C16 alert.cancel because its setting was deleted: the ticket says cancelled, not recovered, and stays open for the others', async () => {
  await start();
  const [one, other] = [world.alert({ hostnameAndPort: 'a:27017' }), world.alert({ hostnameAndPort: 'b:27017' })];
  await world.tell(one);
  await world.tell(other);
  await world.pass(SECOND);
  await world.tell(world.later(one, { status: 'CANCELLED' }), { event: 'alert.cancel' });
  const [issue] = issues();
  const said = JSON.stringify(issue?.comments);
  expect(issue).toMatchObject({ resolution: null });
  expect(said).toMatch(/cancelled/i);
  expect(said).not.toMatch(/recovered|is over|resolved/i);
  await world.pass(SECOND);
  await world.tell(world.later(other, { status: 'CANCELLED' }), { event: 'alert.cancel' });
  expect(issues()).toHaveLength(1);
  expect(issues()[0]?.status).toBe('Done');
  expect(JSON.stringify(issues()[0]?.comments)).toMatch(/Cancelled at/);
});

it('D17 back within the window: the same ticket, reopened; later: a new one that follows', {
  timeout: 60_000,
}, async () => {
  await start();
  const first = world.alert();
  await world.tell(first);
  await world.pass(MINUTE);
  await world.tell(closed(first), { event: 'alert.close' });
  await world.pass(7 * MINUTE);
  const second = world.alert();
  await world.tell(second);
  expect(issues()).toHaveLength(1);
  expect(issues()[0]?.resolution).toBeNull();
  expect(JSON.stringify(issues()[0]?.comments)).toContain('came back (1)');
  await world.pass(MINUTE);
  await world.tell(closed(second), { event: 'alert.close' });
  await world.pass(40 * MINUTE);
  await world.tell(world.alert());
  expect(issues().map(isOpen)).toEqual([false, true]);
  const [old, young] = issues();
  expect(JSON.stringify([young?.links, young?.body, young?.extra]), 'the new one names the old one').toContain(
    old?.key,
  );
});

it('D18 PagerDuty: the resolve is held back for the flap window, since a resolved incident cannot be reopened', {
  timeout: 60_000,
}, async () => {
  await start({ to: ['pagerduty'] });
  const incidents = () => world.sandbox.pagerduty.tickets.present;
  const first = world.alert();
  await world.tell(first);
  await world.pass(MINUTE);
  await world.tell(closed(first), { event: 'alert.close' });
  expect(incidents()[0]?.status).not.toBe('resolved');
  await world.pass(7 * MINUTE);
  const second = world.alert();
  await world.tell(second);
  await world.pass(MINUTE);
  await world.tell(closed(second), { event: 'alert.close' });
  await world.pass(31 * MINUTE);
  await world.due();
  expect(incidents()).toHaveLength(1);
  expect(incidents()[0]?.status).toBe('resolved');
});

it('D19 ten flaps in an hour: one ticket, few comments, labelled; closed as not to be done it stays shut until its expiry', {
  timeout: 120_000,
}, async () => {
  await start({ policy: { muteHours: 2 } });
  for (let flap = 0; flap < 10; flap++) {
    const body = world.alert();
    await world.tell(body);
    await world.pass(2 * MINUTE);
    await world.tell(closed(body), { event: 'alert.close' });
    await world.pass(2 * MINUTE);
  }
  expect(issues()).toHaveLength(1);
  const [issue] = issues();
  expect(issue?.comments.length).toBeLessThanOrEqual(14);
  expect(issue?.labels.join()).toContain('flapping');

  await world.tell(world.alert());
  world.sandbox.jira.people.close(issue?.id ?? '', { wontFix: true });
  await world.sandbox.webhooks.settle();
  await world.pass(5 * MINUTE);
  await world.tell(world.alert());
  await world.due();
  expect(issues().map(isOpen)).toEqual([false]);
  await world.pass(3 * HOUR);
  await world.due();
  expect(issues().map(isOpen), 'said again once the mute is over').toEqual([false, true]);
});
