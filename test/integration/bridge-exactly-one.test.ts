/** Exactly one ticket: section B of the bridge's scenarios, through the built bundles on embedded AWS. */
import { afterEach, expect, it } from 'vitest';
import { type BridgeOptions, BridgeWorld, MINUTE, SECOND } from '../support/bridge-world.ts';

let world: BridgeWorld;
const start = async (options: BridgeOptions = {}): Promise<void> => {
  world = await BridgeWorld.start(options);
};
afterEach(() => world[Symbol.asyncDispose]());

const invoke = (record: object) => world.machine.invoke('deliver-tickets', { Records: [record] });
const twice = (record: object): object => ({
  ...record,
  attributes: { ...(record as { attributes: object }).attributes, ApproximateReceiveCount: '2' },
});

it('B6 50 identical opens in parallel on 10 containers make 1 ticket', { timeout: 120_000 }, async () => {
  await start();
  const record = await world.record(world.alert());
  const containers = Array.from({ length: 10 }, () => world.machine.container('deliver-tickets'));
  // Each container takes one after the other, and all of them at once.
  const invocations = containers.map(async (container) => {
    const answers = [];
    for (let nth = 0; nth < 5; nth++) answers.push(await container.invoke({ Records: [record] }));
    return answers;
  });
  const answers = (await Promise.all(invocations)).flat();
  expect(answers).toHaveLength(50);
  for (const answer of answers) expect(answer).toEqual({ batchItemFailures: [] });
  await world.pass(MINUTE);
  await world.due();
  expect(world.sandbox.jira.tickets.all).toHaveLength(1);
});

it('B7 the create’s answer is lost, or the process dies behind it, and the index is 60 s behind: still 1 ticket', {
  timeout: 120_000,
}, async () => {
  await start({ destinations: { jira: { indexLagSeconds: 60 } } });
  world.sandbox.jira.searchLagMs = 60_000;
  world.sandbox.faults.plan([{ operation: 'jira.createIssue', nth: 1, fault: { kind: 'lost' } }]);
  await world.tell(world.alert());
  await world.pass(30 * SECOND);
  await world.due();
  expect(world.sandbox.jira.tickets.all).toHaveLength(1);
  await world.pass(2 * MINUTE);
  await world.due();
  expect(world.sandbox.jira.tickets.all).toHaveLength(1);

  world.sandbox.faults.plan([{ operation: 'jira.createIssue', nth: 1, fault: { kind: 'kill', when: 'after' } }]);
  const record = await world.record(world.alert({ clusterName: 'Other' }));
  await invoke(record).catch(() => {});
  expect(world.sandbox.jira.tickets.all).toHaveLength(2);
  for (const seconds of [30, 30, 60, 120, 120]) {
    await world.pass(seconds * SECOND);
    await invoke(twice(record));
    await world.due();
  }
  expect(world.sandbox.jira.tickets.all).toHaveLength(2);
  expect((await world.trail()).filter((line) => line.startsWith('find: found'))).toHaveLength(2);
});

it('B8 a holder that pauses beyond its lease is fenced: what it writes late makes no second ticket', {
  timeout: 120_000,
}, async () => {
  await start({ destinations: { jira: { indexLagSeconds: 0 } } });
  // The first one's request hangs on the wire; to everybody else two minutes pass.
  world.sandbox.faults.plan([{ operation: 'jira.createIssue', nth: 1, fault: { kind: 'slow', ms: 4_000 } }]);
  const record = await world.record(world.alert());
  const [first, second] = [world.machine.container('deliver-tickets'), world.machine.container('deliver-tickets')];
  const slow = first.invoke({ Records: [record] });
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  await world.pass(2 * MINUTE);
  await second.invoke({ Records: [twice(record)] });
  await slow;
  for (let turn = 0; turn < 4; turn++) {
    await world.pass(2 * MINUTE);
    await world.due();
  }
  const open = world.sandbox.jira.tickets.present.filter(({ resolution }) => resolution === null);
  expect(open, 'whatever came of the pause, one is left').toHaveLength(1);
  expect(
    world.sandbox.jira.tickets.present.filter(({ resolution }) => resolution !== null && resolution !== 'Duplicate'),
  ).toEqual([]);
});

it('B9 a 500 after creating is found again; a 400 about an optional field is created once more without it', {
  timeout: 120_000,
}, async () => {
  await start({ destinations: { jira: { indexLagSeconds: 1 } } });
  world.sandbox.faults.plan([{ operation: 'jira.createIssue', nth: 1, fault: { kind: 'lost' } }]);
  await world.tell(world.alert());
  await world.pass(MINUTE);
  await world.due();
  expect(world.sandbox.jira.tickets.all).toHaveLength(1);

  world.sandbox.jira.offScreen.add('priority');
  await world.tell(world.alert({ clusterName: 'Other' }));
  await world.pass(MINUTE);
  await world.due();
  expect(world.sandbox.jira.tickets.all).toHaveLength(2);
  const [, other] = world.sandbox.jira.tickets.all;
  expect(other?.severity, 'Jira’s own default').toBe('Medium');
  expect(JSON.stringify(other?.comments), 'and says so').toContain('priority');
});

it('B10 a GitHub token without push, a ServiceNow query field that is ignored, a Jira label edited away: no duplicate, nothing foreign written', {
  timeout: 120_000,
}, async () => {
  await start({ to: ['github', 'servicenow', 'jira'], destinations: { jira: { indexLagSeconds: 0 } } });
  world.sandbox.github.pushAccess = false;
  world.sandbox.servicenow.hiddenFromQueries.add('correlation_id');
  const foreign = world.sandbox.servicenow.tickets.add({
    id: 'f'.repeat(32),
    key: 'INC0099',
    title: 'foreign',
    body: 'theirs',
    status: '1',
  });
  world.sandbox.faults.plan([
    { operation: 'github.createIssue', nth: 1, fault: { kind: 'lost' } },
    { operation: 'servicenow.createRecord', nth: 1, fault: { kind: 'lost' } },
  ]);
  const body = world.alert();
  await world.tell(body);
  const [jira] = world.sandbox.jira.tickets.all;
  if (!jira) throw new Error('no issue');
  world.sandbox.jira.people.edit(jira.id, { labels: [] });
  for (let turn = 0; turn < 6; turn++) {
    await world.pass(2 * MINUTE);
    await world.tell(world.later(body, {}), { event: 'alert.update' });
    await world.due();
  }
  expect(world.sandbox.jira.tickets.all).toHaveLength(1);
  expect(world.sandbox.github.tickets.all).toHaveLength(1);
  expect(foreign, 'somebody else’s incident is untouched').toMatchObject({
    title: 'foreign',
    body: 'theirs',
    status: '1',
    comments: [],
  });
  expect(world.sandbox.servicenow.tickets.present.filter(({ id }) => id !== foreign.id)).toHaveLength(1);
});

it('B11 webhook and reconciler see the same alert in the same second: 1 ticket', { timeout: 120_000 }, async () => {
  await start();
  const alert = world.open();
  const record = await world.record(world.bodyOf(alert));
  await Promise.all([invoke(record), world.reconcile({ projects: [world.project.id] })]);
  await world.pass(MINUTE);
  await world.due();
  expect(world.sandbox.jira.tickets.all).toHaveLength(1);
});
