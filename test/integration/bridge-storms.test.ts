/** Storms: section E of the bridge's scenarios, through the built bundles on embedded AWS. */
import { afterEach, expect, it } from 'vitest';
import { type BridgeOptions, BridgeWorld, MINUTE, SECOND } from '../support/bridge-world.ts';

let world: BridgeWorld;
const start = async (options: BridgeOptions = {}): Promise<void> => {
  world = await BridgeWorld.start(options);
};
afterEach(() => world[Symbol.asyncDispose]());

const issues = () => world.sandbox.jira.tickets.present;
const host = (cluster: number, nth: number): Record<string, unknown> => ({
  clusterName: `Cluster${cluster}`,
  hostnameAndPort: `cluster${cluster}-shard-${String(nth).padStart(2, '0')}-00.ab12c.mongodb.net:27017`,
});

it('E20 400 host alerts of 12 clusters: 12 tickets, each alert listed or counted, Jira’s limit per issue never hit', {
  timeout: 120_000,
}, async () => {
  await start({ limits: {}, policy: { groupWaitSeconds: 2, groupIntervalSeconds: 30, listedAlerts: 20 } });
  for (let nth = 0; nth < 400; nth++) await world.send(world.alert(host(nth % 12, nth)));
  await Promise.all(Array.from({ length: 4 }, () => world.machine.deliver()));
  for (let turn = 0; turn < 3; turn++) {
    await world.pass(40 * SECOND);
    await world.due();
  }
  expect(issues()).toHaveLength(12);
  for (const issue of issues()) {
    const body = JSON.stringify(issue.body);
    expect(body).toMatch(/3[34] alerts open/);
    expect(body.match(/HOST_DOWN on/g)).toHaveLength(20);
    expect(body).toMatch(/and 1[34] more alerts/);
  }
  const limited = world.sandbox.faults.journal.filter(({ status }) => status === 429);
  expect(limited).toEqual([]);
});

it('E21 NO_PRIMARY arrives after host alerts: it folds them, also those that have tickets', {
  timeout: 120_000,
}, async () => {
  await start();
  await world.tell(world.alert(host(1, 0)));
  await world.tell(world.alert(host(1, 1)));
  await world.pass(5 * SECOND);
  await world.tell(world.alert({ eventTypeName: 'NO_PRIMARY', clusterName: 'Cluster1', hostnameAndPort: undefined }));
  await world.tell(world.alert(host(1, 2)));
  expect(issues()).toHaveLength(1);
  expect(issues()[0]?.title).toContain('NO_PRIMARY');
  expect(JSON.stringify(issues()[0]?.comments)).toContain('NO_PRIMARY explains 2 alerts');
});

it('E21b the same where each type has incidents of its own: a comment and a link, and no new tickets', {
  timeout: 120_000,
}, async () => {
  await start({ tickets: { groupBy: ['cluster', 'type', 'host'] } });
  await world.tell(world.alert(host(1, 0)));
  await world.pass(5 * SECOND);
  await world.tell(world.alert({ eventTypeName: 'NO_PRIMARY', clusterName: 'Cluster1', hostnameAndPort: undefined }));
  expect(issues()).toHaveLength(2);
  const [hostDown, noPrimary] = issues();
  await world.tell(world.alert(host(1, 2)));
  await world.pass(MINUTE);
  await world.due();
  expect(issues(), 'the late host alert is explained already').toHaveLength(2);
  expect(JSON.stringify([hostDown?.comments, hostDown?.links])).toContain(noPrimary?.key);
});

it('E22 a member joins after the ticket: one coalesced update; the last member closes: the ticket closes once', {
  timeout: 120_000,
}, async () => {
  await start({ policy: { groupIntervalSeconds: 30 } });
  const bodies = [0, 1, 2, 3, 4].map((nth) => world.alert(host(1, nth)));
  await world.tell(bodies[0] ?? {});
  await world.pass(5 * SECOND);
  for (const body of bodies.slice(1)) await world.tell(body);
  expect(JSON.stringify(issues()[0]?.body)).toContain('1 alert open');
  const writes = (): number =>
    world.sandbox.faults.journal.filter(({ operation }) =>
      /^jira\.(edit|update|comment|add|transition|do)/i.test(operation),
    ).length;
  const before = writes();
  await world.pass(31 * SECOND);
  await world.due();
  expect(JSON.stringify(issues()[0]?.body)).toContain('5 alerts open');
  expect(writes() - before, 'one update for four alerts').toBe(1);
  for (const body of bodies) {
    await world.pass(SECOND);
    await world.tell(world.later(body, { status: 'CLOSED' }), { event: 'alert.close' });
  }
  expect(issues()[0]?.status).toBe('Done');
  await world.pass(5 * MINUTE);
  const closedOnce = issues()[0]?.comments.length;
  await world.due();
  expect(issues()[0]?.comments.length).toBe(closedOnce);
  expect(issues()).toHaveLength(1);
});
