/** Two ways: section F of the bridge's scenarios, through the built bundles on embedded AWS. */
import { afterEach, expect, it } from 'vitest';
import { type BridgeOptions, BridgeWorld, HOUR, MINUTE } from '../support/bridge-world.ts';

let world: BridgeWorld;
const start = async (options: BridgeOptions = {}): Promise<void> => {
  world = await BridgeWorld.start(options);
};
afterEach(() => world[Symbol.asyncDispose]());

const issues = () => world.sandbox.jira.tickets.present;
const first = () => {
  const [issue] = issues();
  if (!issue) throw new Error('no ticket');
  return issue;
};
const people = () => world.sandbox.jira.people;
const settled = () => world.sandbox.webhooks.settle();
const host = (nth: number) => ({ hostnameAndPort: `cluster0-shard-00-0${nth}.ab12c.mongodb.net:27017` });
const writesOf = (issue: { comments: readonly unknown[]; changes: number }): number => issue.changes;

it('F23 a ticket that is taken acknowledges the alert in Atlas for 8 h, and nothing echoes', {
  timeout: 60_000,
}, async () => {
  await start();
  const alert = world.open();
  await world.tell(world.bodyOf(alert));
  people().assign(first().id, 'ada');
  await settled();
  expect(alert.acknowledgement?.comment).toMatch(/^OPS-1 taken by ada/);
  const until = alert.acknowledgement?.until.getTime() ?? 0;
  expect(Math.abs(until - world.now - 8 * HOUR)).toBeLessThan(MINUTE);
  const before = writesOf(first());
  await world.tell(world.bodyOf(alert), { event: 'alert.acknowledge' });
  await world.pass(MINUTE);
  await world.due();
  await settled();
  expect(writesOf(first()) - before).toBeLessThanOrEqual(1);
  expect(world.machine.faults.journal.filter(({ operation }) => operation === 'acknowledgeGroupAlert')).toHaveLength(1);
});

it('F24 a grouped ticket that is taken acknowledges every open member, later ones too, and none that is closed', {
  timeout: 60_000,
}, async () => {
  await start();
  const [one, two, three] = [world.open(host(0)), world.open(host(1)), world.open(host(2))];
  for (const alert of [one, two, three]) await world.tell(world.bodyOf(alert));
  await world.pass(MINUTE);
  world.machine.atlas.world.alerts.closeAlert(three);
  await world.tell(world.bodyOf(three), { event: 'alert.close' });
  people().assign(first().id, 'ada');
  await settled();
  expect([one, two, three].map(({ acknowledgement }) => acknowledgement !== undefined)).toEqual([true, true, false]);
  const late = world.open(host(3));
  await world.tell(world.bodyOf(late));
  await world.pass(MINUTE);
  await world.due();
  expect(late.acknowledgement).toBeDefined();
  expect(three.acknowledgement).toBeUndefined();
});

it('F25 let go of, our acknowledgement is taken back and a person’s in Atlas is kept', {
  timeout: 60_000,
}, async () => {
  await start();
  const [ours, theirs] = [world.open(host(0)), world.open(host(1))];
  for (const alert of [ours, theirs]) await world.tell(world.bodyOf(alert));
  const until = new Date(world.now + 2 * HOUR);
  world.machine.atlas.world.alerts.acknowledge(theirs, { until, username: 'grace@example.com', comment: 'mine' });
  people().assign(first().id, 'ada');
  await settled();
  expect(ours.acknowledgement).toBeDefined();
  expect(theirs.acknowledgement).toMatchObject({ username: 'grace@example.com', until });
  people().unassign(first().id, 'ada');
  await settled();
  await world.due();
  expect(ours.acknowledgement).toBeUndefined();
  expect(theirs.acknowledgement).toMatchObject({ username: 'grace@example.com', until });
});

it('F25b PagerDuty: acknowledged there is acknowledged in Atlas, and unacknowledged takes it back', {
  timeout: 60_000,
}, async () => {
  await start({ to: ['pagerduty'] });
  const alert = world.open();
  await world.tell(world.bodyOf(alert));
  const [incident] = world.sandbox.pagerduty.tickets.present;
  world.sandbox.pagerduty.people.acknowledge(incident?.id ?? '', 'ada');
  await settled();
  expect(alert.acknowledgement).toBeDefined();
  await world.pass(MINUTE);
  world.sandbox.pagerduty.people.unacknowledge(incident?.id ?? '', 'ada');
  await settled();
  await world.due();
  expect(alert.acknowledgement).toBeUndefined();
});

it('F26 an acknowledgement that runs out is said again; one Atlas refuses is said once, and not tried for ever', {
  timeout: 60_000,
}, async () => {
  await start();
  const alert = world.open();
  await world.tell(world.bodyOf(alert));
  people().assign(first().id, 'ada');
  await settled();
  await world.pass(8 * HOUR + MINUTE);
  await world.due();
  expect(JSON.stringify(first().comments)).toContain('acknowledgement ran out');

  const reader = world.machine.atlas.world.addProjectAccount(world.project, {
    name: 'reader',
    roles: ['GROUP_READ_ONLY'],
  });
  await world.machine.seedAtlasCredentials(reader);
  const container = world.machine.container('reconcile-alerts');
  const other = world.open({ clusterName: 'Other', hostnameAndPort: 'other-shard-00-00.ab12c.mongodb.net:27017' });
  await world.tell(world.bodyOf(other));
  const ticket = issues()[1];
  people().assign(ticket?.id ?? '', 'ada');
  await world.machine.lambda('receive-ticket-update').kill();
  await settled();
  for (let turn = 0; turn < 4; turn++) {
    await world.pass(10 * MINUTE);
    await container.invoke({ task: 'due' });
  }
  const refused = world.machine.faults.journal.filter(
    ({ operation, status }) => operation === 'acknowledgeGroupAlert' && status === 403,
  );
  expect(refused.length).toBeLessThanOrEqual(1);
});

it('F27 the tracker tells twice, and late, after the alert is over: nothing closed is acknowledged', {
  timeout: 60_000,
}, async () => {
  await start();
  const alert = world.open();
  await world.tell(world.bodyOf(alert));
  world.sandbox.webhooks.hold = true;
  people().assign(first().id, 'ada');
  const [webhook] = world.sandbox.webhooks.held;
  world.machine.atlas.world.alerts.closeAlert(alert);
  await world.tell(world.bodyOf(alert), { event: 'alert.close' });
  await world.pass(30 * MINUTE);
  if (!webhook) throw new Error('no webhook');
  await world.sandbox.webhooks.deliver(webhook);
  await world.sandbox.webhooks.deliver(webhook);
  expect(alert.acknowledgement).toBeUndefined();
  expect(world.machine.faults.journal.filter(({ operation }) => operation === 'acknowledgeGroupAlert')).toEqual([]);

  world.sandbox.webhooks.hold = false;
  world.sandbox.webhooks.held.splice(0);
  const other = world.open({ clusterName: 'Other', hostnameAndPort: 'other-shard-00-00.ab12c.mongodb.net:27017' });
  await world.tell(world.bodyOf(other));
  world.sandbox.webhooks.hold = true;
  people().assign(issues()[1]?.id ?? '', 'ada');
  const [again] = world.sandbox.webhooks.held;
  if (!again) throw new Error('no webhook');
  await world.sandbox.webhooks.deliver(again);
  await world.sandbox.webhooks.deliver(again);
  expect(world.machine.faults.journal.filter(({ operation }) => operation === 'acknowledgeGroupAlert')).toHaveLength(1);
});

it.each(['acknowledge', 'reopen-once'] as const)(
  'F28 people close the ticket while the alert goes on, and the policy says %s: never ping-pong',
  { timeout: 60_000 },
  async (onPeopleClose) => {
    await start({ policy: { onPeopleClose } });
    const alert = world.open();
    await world.tell(world.bodyOf(alert));
    for (let turn = 0; turn < 3; turn++) {
      await world.pass(MINUTE);
      if (first().resolution === null) people().close(first().id);
      await settled();
      await world.pass(MINUTE);
      await world.due();
      await settled();
    }
    expect(issues()).toHaveLength(1);
    expect(first().resolution, 'people have the last word').not.toBeNull();
    const opened = world.sandbox.faults.journal.filter(
      ({ operation }) => operation === 'jira.doTransition' || /transition/i.test(operation),
    );
    expect(opened.length).toBeLessThanOrEqual(6);
    if (onPeopleClose === 'acknowledge') expect(alert.acknowledgement).toBeDefined();
  },
);

it('F29 the tracker tells again of a close after we opened the ticket again: it is still ours to close', {
  timeout: 60_000,
}, async () => {
  await start({ policy: { onPeopleClose: 'reopen-once' } });
  const alert = world.open();
  await world.tell(world.bodyOf(alert));
  await world.pass(MINUTE);
  world.sandbox.webhooks.hold = true;
  people().close(first().id);
  const [closed] = world.sandbox.webhooks.held.splice(0);
  if (!closed) throw new Error('no webhook');
  await world.sandbox.webhooks.deliver(closed);
  await world.pass(MINUTE);
  await world.due();
  expect(first().resolution).toBeNull();
  await world.sandbox.webhooks.deliver(closed);
  world.machine.atlas.world.alerts.closeAlert(alert);
  await world.tell(world.bodyOf(alert), { event: 'alert.close' });
  await world.pass(30 * MINUTE);
  await world.due();
  expect(first().resolution).not.toBeNull();
});

it('F30 the tracker tells again that somebody has the ticket after they let go of it: nothing is acknowledged', {
  timeout: 60_000,
}, async () => {
  await start();
  const alert = world.open();
  await world.tell(world.bodyOf(alert));
  world.sandbox.webhooks.hold = true;
  people().assign(first().id, 'ada');
  await world.pass(MINUTE);
  people().unassign(first().id, 'ada');
  const [taken, released] = world.sandbox.webhooks.held.splice(0);
  if (!taken || !released) throw new Error('no webhooks');
  for (const webhook of [released, taken, released, taken]) await world.sandbox.webhooks.deliver(webhook);
  await world.due();
  expect(alert.acknowledgement).toBeUndefined();
});
