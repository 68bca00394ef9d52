/** Loss and recovery: section G of the bridge's scenarios, through the built bundles on embedded AWS. */
import { afterEach, expect, it } from 'vitest';
import { type BridgeOptions, BridgeWorld, HOUR, MINUTE, newId, SECOND } from '../support/bridge-world.ts';

let world: BridgeWorld;
const start = async (options: BridgeOptions = {}): Promise<void> => {
  world = await BridgeWorld.start(options);
};
afterEach(() => world[Symbol.asyncDispose]());

const issues = () => world.sandbox.jira.tickets.present;
const isOpen = ({ resolution }: { resolution: string | null }): boolean => resolution === null;
const cluster = (name: string) => ({
  clusterName: name,
  hostnameAndPort: `${name.toLowerCase()}-shard-00-00.ab12c.mongodb.net:27017`,
});
const calls = (operation: string): number =>
  world.machine.faults.journal.filter((entry) => entry.operation === operation).length;

it('G29 the endpoint is down for 20 minutes: the reconciler makes the tickets, closes the closed, and nothing doubles later', {
  timeout: 120_000,
}, async () => {
  await start();
  const [a, b] = [world.open(cluster('A')), world.open(cluster('B'))];
  for (const alert of [a, b]) await world.tell(world.bodyOf(alert));
  await world.reconcile();
  const missed = ['C', 'D', 'E'].map((name) => world.open(cluster(name)));
  await world.pass(MINUTE);
  for (const alert of [a, b]) world.machine.atlas.world.alerts.closeAlert(alert);
  await world.pass(19 * MINUTE);
  await world.reconcile();
  expect(issues()).toHaveLength(5);
  expect(issues().map(isOpen)).toEqual([false, false, true, true, true]);
  for (const issue of issues().slice(2)) expect(JSON.stringify(issue.body)).toContain('Found by looking');
  await world.pass(5 * MINUTE);
  for (const alert of missed) await world.tell(world.bodyOf(alert), { event: 'alert.update' });
  await world.reconcile();
  expect(issues()).toHaveLength(5);
});

it('G30 a project with 2,159 old alerts: only what is open and what is held is read, in fewer than 5 calls', {
  timeout: 120_000,
}, async () => {
  await start();
  const { alerts } = world.machine.atlas.world;
  const past = (minutes: number): Date => new Date(world.now - minutes * MINUTE);
  for (let nth = 0; nth < 2_159; nth++)
    alerts.closeAlert(alerts.openAlert(world.project, { eventTypeName: 'HOST_DOWN', createdAt: past(500_000 - nth) }));
  const held = world.open(cluster('A'));
  await world.tell(world.bodyOf(held));
  for (const expected of ['first', 'second']) {
    const before = calls('listGroupAlerts') + calls('getGroupAlert');
    await world.reconcile();
    expect(calls('listGroupAlerts') + calls('getGroupAlert') - before, expected).toBeLessThan(5);
    expect(issues()).toHaveLength(1);
    await world.pass(5 * MINUTE);
    if (expected === 'first') alerts.closeAlert(held);
  }
  expect(issues().filter(isOpen)).toEqual([]);
});

it.each(['record', 'ticket'] as const)(
  'G31 an alert began and ended within the outage: found by the tail, and the policy says %s',
  { timeout: 60_000 },
  async (onMissed) => {
    await start({ policy: { onMissed }, tickets: {} });
    const { alerts } = world.machine.atlas.world;
    const known = world.open(cluster('A'));
    await world.tell(world.bodyOf(known));
    await world.reconcile();
    await world.pass(MINUTE);
    const missed = world.open(cluster('B'));
    await world.pass(MINUTE);
    alerts.closeAlert(missed);
    await world.pass(10 * MINUTE);
    await world.reconcile();
    await world.pass(MINUTE);
    await world.due();
    expect(issues().map(isOpen)).toEqual(onMissed === 'ticket' ? [true, false] : [true]);
    if (onMissed === 'record') expect((await world.trail()).join('\n')).toContain('began and ended unheard');
  },
);

it('G32 Atlas answers 429, 5xx or half a list: absence is no proof, and nothing is closed', {
  timeout: 120_000,
}, async () => {
  await start();
  const alert = world.open(cluster('A'));
  await world.tell(world.bodyOf(alert));
  world.machine.atlas.world.alerts.closeAlert(alert);
  await world.pass(5 * MINUTE);
  const broken = [1, 2, 3, 4, 5, 6, 7, 8].map(
    (nth) => ({ operation: 'listGroupAlerts', nth, fault: { kind: 'refuse', status: 503 } }) as const,
  );
  world.machine.faults.plan(broken);
  await world.reconcile().catch((error: { errorType?: string }) => expect(error.errorType).toBe('ReconcileIncomplete'));
  expect(issues().filter(isOpen)).toHaveLength(1);
  world.machine.faults.plan([]);
  await world.reconcile();
  expect(issues().filter(isOpen)).toEqual([]);
});

it('G33 the project is out of reach: its tickets say so once, and stay open', { timeout: 60_000 }, async () => {
  await start();
  const alert = world.open(cluster('A'));
  await world.tell(world.bodyOf(alert));
  const { world: atlas } = world.machine.atlas;
  const stranger = atlas.addProjectAccount(atlas.addProject(atlas.addOrg({ name: 'other' }), { name: 'other' }), {
    name: 'other',
    roles: ['GROUP_READ_ONLY'],
  });
  await world.machine.seedAtlasCredentials(stranger);
  const reconcile = world.machine.container('reconcile-alerts');
  for (let turn = 0; turn < 3; turn++) {
    await reconcile.invoke({}).catch(() => {});
    await world.pass(5 * MINUTE);
  }
  expect(issues().filter(isOpen)).toHaveLength(1);
  const said = issues()[0]?.comments.filter(({ body }) => JSON.stringify(body).includes('Source unreachable'));
  expect(said).toHaveLength(1);
});

it('G34 a destination that says 429, 401, 404, 5xx or nothing is classified, and the others go on', {
  timeout: 180_000,
}, async () => {
  await start({ to: ['jira', 'github', 'zendesk'], destinations: { jira: { indexLagSeconds: 0 } } });
  const github = () => world.sandbox.github.tickets.present;
  const zendesk = () => world.sandbox.zendesk.tickets.present;
  const refuse = (operation: string, status: number, retryAfterSeconds?: number) =>
    ({
      operation,
      nth: 1,
      fault: { kind: 'refuse', status, ...(retryAfterSeconds && { retryAfterSeconds }) },
    }) as const;

  world.sandbox.faults.plan([refuse('github.createIssue', 429, 300)]);
  await world.tell(world.alert(cluster('A')));
  expect([issues().length, github().length, zendesk().length]).toEqual([1, 0, 1]);
  await world.pass(100 * SECOND);
  await world.due();
  expect(github(), 'it asked for 300 s').toHaveLength(0);
  await world.pass(201 * SECOND);
  await world.due();
  expect(github()).toHaveLength(1);

  for (const [name, status] of [
    ['B', 401],
    ['C', 404],
    ['D', 503],
  ] as const) {
    const before = [issues().length, zendesk().length];
    world.sandbox.faults.plan([1, 2, 3].map((nth) => ({ ...refuse('github.createIssue', status), nth })));
    await world.tell(world.alert(cluster(name)));
    expect([issues().length, zendesk().length], `${status} holds up nobody else`).toEqual(
      before.map((count) => count + 1),
    );
    world.sandbox.faults.plan([]);
    for (let turn = 0; turn < 4; turn++) {
      await world.pass(6 * MINUTE);
      await world.due();
    }
    expect(github(), `${status} is taken up again`).toHaveLength(issues().length);
  }

  world.sandbox.faults.plan([refuse('github.createIssue', 422)]);
  await world.tell(world.alert(cluster('E')));
  await world.pass(10 * MINUTE);
  await world.due();
  expect(github()).toHaveLength(4);
  world.sandbox.faults.plan([]);
  expect(await world.reconcile({ redrive: 'explain' })).toMatchObject({
    redriven: [{ destination: 'github', gaveUp: expect.stringContaining('open') }],
  });
  expect(github(), 'explained, not done').toHaveLength(4);
  await world.reconcile({ redrive: 'run' });
  for (let turn = 0; turn < 3; turn++) {
    await world.pass(2 * MINUTE);
    await world.due();
  }
  expect(github()).toHaveLength(5);
  await world.reconcile({ redrive: 'run' });
  expect(github()).toHaveLength(5);
});

it('G35 a poison message holds only its own incident, ends in the dead letters with its reason, and a redrive keeps the rest true', {
  timeout: 120_000,
}, async () => {
  await start({ maxReceives: 3 });
  const good = world.alert(cluster('A'));
  const behind = world.alert({ ...cluster('A'), hostnameAndPort: 'a-shard-00-01.ab12c.mongodb.net:27017' });
  await world.send(good);
  const [message] = world.machine.alertQueue.messages;
  if (!message) throw new Error('no message');
  world.machine.alertQueue.send({ body: '{"schema":1,"id":7}', group: message.group, deduplicationId: newId() });
  await world.send(behind);
  await world.send(world.alert(cluster('B')));
  await world.machine.deliver();
  expect(issues(), 'B is not held up').toHaveLength(2);
  for (let turn = 0; turn < 4; turn++) {
    await world.pass(7 * MINUTE);
    await world.machine.deliver();
  }
  expect(world.machine.alertDeadLetters.messages).toHaveLength(1);
  expect(JSON.stringify(issues().map((issue) => issue.body)), 'what was behind it went on').toContain('2 alerts open');
  expect((await world.trail()).join('\n')).toContain('message refused: not an observation');

  await world.pass(SECOND);
  await world.tell(world.later(good, { status: 'CLOSED' }), { event: 'alert.close' });
  await world.pass(SECOND);
  await world.tell(world.later(behind, { status: 'CLOSED' }), { event: 'alert.close' });
  world.machine.alertQueue.send({ body: message.body, group: message.group, deduplicationId: newId() });
  await world.machine.deliver();
  expect(issues().map(isOpen).toSorted()).toEqual([false, true]);
});

it('G36 a ticket that is moved is followed; one that is deleted is made once more if the alert is open', {
  timeout: 120_000,
}, async () => {
  await start();
  const one = world.alert({ ...cluster('A'), hostnameAndPort: 'a-shard-00-00.ab12c.mongodb.net:27017' });
  await world.tell(one);
  const [ticket] = issues();
  world.sandbox.jira.people.move(ticket?.id ?? '');
  await world.pass(MINUTE);
  await world.tell(world.alert({ ...cluster('A'), hostnameAndPort: 'a-shard-00-01.ab12c.mongodb.net:27017' }));
  expect(issues()).toHaveLength(1);
  expect(JSON.stringify(ticket?.body)).toContain('2 alerts open');

  world.sandbox.jira.people.remove(ticket?.id ?? '');
  await world.sandbox.webhooks.settle();
  for (let turn = 0; turn < 3; turn++) {
    await world.pass(MINUTE);
    await world.due();
  }
  expect(issues(), 'once more').toHaveLength(1);
  expect(issues()[0]?.id).not.toBe(ticket?.id);
  world.sandbox.webhooks.hold = true;
  world.sandbox.jira.people.remove(issues()[0]?.id ?? '');
  await world.pass(HOUR);
  await world.tell(world.later(one, { status: 'CLOSED' }), { event: 'alert.close' });
  await world.pass(MINUTE);
  await world.due();
  expect(issues().filter(isOpen).length).toBeLessThanOrEqual(1);
});
