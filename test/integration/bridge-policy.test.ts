/** Policy and text: section H of the bridge's scenarios, through the built bundles on embedded AWS. */
import { afterEach, expect, it } from 'vitest';
import { type BridgeOptions, BridgeWorld, HOUR, MINUTE, SECOND } from '../support/bridge-world.ts';

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
/** Wall time in Berlin at so many hours from now, as `HH:MM`. */
const berlin = (ms: number): string =>
  new Intl.DateTimeFormat('en-GB', {
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZone: 'Europe/Berlin',
  }).format(ms);

it('H37 a maintenance window holds a ticket back and a silence stops comments; still open at the end, the ticket comes', {
  timeout: 60_000,
}, async () => {
  const now = Date.now();
  await start({
    tickets: {
      windows: [
        {
          name: 'nightly',
          when: { clusters: ['quiet*'] },
          zone: 'Europe/Berlin',
          start: berlin(now - HOUR),
          end: berlin(now + HOUR),
        },
      ],
      silences: [
        {
          name: 'after the ticket',
          when: { clusters: ['loud'] },
          from: new Date(now + 10 * MINUTE).toISOString(),
          until: new Date(now + 3 * HOUR).toISOString(),
        },
      ],
    },
  });
  const brief = world.alert(cluster('Quiet1'));
  await world.tell(brief);
  await world.tell(world.alert(cluster('Quiet2')));
  await world.tell(world.alert(cluster('Loud')));
  expect(issues()).toHaveLength(1);
  await world.pass(11 * MINUTE);
  await world.tell(world.later(brief, { status: 'CLOSED' }), { event: 'alert.close' });
  const before = issues()[0]?.changes;
  await world.tell(world.alert({ ...cluster('Loud'), hostnameAndPort: 'loud-shard-00-01.ab12c.mongodb.net:27017' }));
  await world.due();
  expect(issues()[0]?.changes, 'silent now').toBe(before);
  await world.pass(55 * MINUTE);
  await world.due();
  expect(issues(), 'what was over within the window has none').toHaveLength(2);
  await world.pass(2 * HOUR);
  await world.due();
  expect(JSON.stringify(issues()[0]?.body), 'and the silence is over, too').toContain('2 alerts open');
});

it('H38 overlapping routes, no match, an unknown severity and an unknown type: all go somewhere, and the trail says why', {
  timeout: 60_000,
}, async () => {
  await start({
    to: ['jira', 'github', 'zendesk'],
    tickets: {
      routes: [
        { name: 'critical', when: { severities: ['critical'] }, to: ['github'], continue: true },
        { name: 'a', when: { clusters: ['a*'] }, to: ['jira'] },
        { name: 'also a', when: { clusters: ['a'] }, to: ['zendesk'] },
        { name: 'muted', when: { types: ['USER_*'] }, to: [] },
      ],
      fallback: ['zendesk'],
    },
  });
  const counts = () => [
    issues().length,
    world.sandbox.github.tickets.present.length,
    world.sandbox.zendesk.tickets.present.length,
  ];
  await world.tell(world.alert({ ...cluster('A'), eventTypeName: 'NO_PRIMARY' }));
  expect(counts()).toEqual([1, 1, 0]);
  await world.tell(world.alert({ ...cluster('B'), eventTypeName: 'SOMETHING_NEW_FROM_ATLAS' }));
  expect(counts()).toEqual([1, 1, 1]);
  await world.tell(world.alert({ ...cluster('C'), eventTypeName: 'USER_ROLES_CHANGED' }));
  expect(counts()).toEqual([1, 1, 1]);
  await world.tell(world.alert({ ...cluster('D'), eventTypeName: undefined }));
  expect(counts()).toEqual([1, 1, 2]);
  const trail = (await world.trail()).join('\n');
  expect(trail).toContain('routed: critical: yes, to github, and on; a: yes, to jira; severity critical by table');
  expect(trail).toContain('fallback: to zendesk; severity warning by default');
  expect(trail).toContain(
    'no ticket: critical: no, severity is warning; a: no, cluster is C; also a: no, cluster is C; muted: yes, to nobody',
  );
});

it('H39 a title with emoji, RTL, braces, @here, <script> and 10,000 characters is cut by code point and inert', {
  timeout: 120_000,
}, async () => {
  await start({ to: ['jira', 'github', 'slack'] });
  const hostile = `{code} @here <!channel> @ada [~ada] <script>alert(1)</script> ![x](javascript:alert(1)) ‮ مرحبا 👩‍👩‍👧 `;
  await world.tell(
    world.alert({
      ...cluster('A'),
      eventTypeName: hostile.repeat(100),
      humanReadable: hostile.repeat(100),
      metricName: '🔥'.repeat(300),
    }),
  );
  const [jira] = issues();
  const [github] = world.sandbox.github.tickets.present;
  const [slack] = world.sandbox.slack.tickets.present;
  expect(jira && github && slack).toBeTruthy();
  expect(jira?.title.length).toBeLessThanOrEqual(255);
  expect(jira?.title.isWellFormed()).toBe(true);
  expect(github?.title.isWellFormed()).toBe(true);
  expect(JSON.stringify(jira?.body)).not.toContain('"mention"');
  // Nothing in a fence is markup, nor anybody's name.
  const outside = String(github?.body).replace(/^```[\s\S]*?^```/gm, '');
  expect(outside).not.toMatch(/(^|[^\w`\\])@ada\b/);
  expect(outside).not.toContain('<script>');
  expect(slack?.title).not.toContain('<!channel>');
  // Rich text shows its text as it is; only mrkdwn, and elements of these kinds, reach anybody.
  const told = JSON.stringify(slack?.body);
  expect(told).not.toMatch(/"type":"(broadcast|user|usergroup|channel)"/);
  expect(told).not.toMatch(/"type":"mrkdwn","text":"[^"]*<!channel>/);
});

it('H40 the routes change between open and close: the close goes where it was opened', {
  timeout: 60_000,
}, async () => {
  await start({ to: ['jira', 'github'], tickets: { routes: [{ name: 'all', to: ['jira'] }] } });
  const body = world.alert(cluster('A'));
  await world.tell(body);
  expect(issues()).toHaveLength(1);
  const settings = JSON.parse(world.machine.environment['AUTOMATION_SETTINGS'] ?? '');
  settings.tickets.routes = [{ name: 'all', to: ['github'] }];
  settings.tickets.groupBy = ['project', 'cluster', 'type'];
  const redeployed = world.machine.container('deliver-tickets', { AUTOMATION_SETTINGS: JSON.stringify(settings) });
  await world.pass(SECOND);
  for (const [fields, event] of [
    [{}, 'alert.update'],
    [{ status: 'CLOSED' }, 'alert.close'],
  ] as const) {
    const record = await world.record(world.later(body, fields), { event });
    await redeployed.invoke({ Records: [record] });
  }
  expect(issues().filter(isOpen)).toEqual([]);
  expect(world.sandbox.github.tickets.present).toEqual([]);
});

it('H41 an informational alert makes no ticket that never closes', { timeout: 60_000 }, async () => {
  await start();
  await world.tell(world.alert({ ...cluster('A'), eventTypeName: 'PRIMARY_ELECTED' }), { event: 'alert.inform' });
  await world.tell(world.alert({ ...cluster('A'), eventTypeName: 'SOMETHING_ELSE' }), { event: 'alert.inform' });
  await world.tell(world.alert({ ...cluster('A'), status: 'INFORMATIONAL' }), { event: 'alert.inform' });
  expect(issues()).toEqual([]);
  await world.tell(world.alert(cluster('A')));
  await world.tell(world.alert({ ...cluster('A'), eventTypeName: 'PRIMARY_ELECTED' }), { event: 'alert.inform' });
  expect(issues()).toHaveLength(1);
  expect(JSON.stringify(issues()[0]?.comments)).toContain('PRIMARY_ELECTED');
});

it('H42 what Atlas can add is slow: the ticket is made on time without it, and gets it later as one edit', {
  timeout: 60_000,
}, async () => {
  await start({ policy: { enrichMs: 300 } });
  world.machine.atlas.world.events.record({
    eventTypeName: 'CLUSTER_UPDATE_STARTED',
    groupId: world.project.id,
    createdAt: new Date(world.now - MINUTE),
    details: {},
  });
  world.machine.faults.plan(
    [1, 2].map((nth) => ({ operation: 'listGroupEvents', nth, fault: { kind: 'slow', ms: 1_500 } }) as const),
  );
  const began = Date.now();
  await world.send(world.alert(cluster('A')));
  const delivering = world.machine.deliver();
  while (issues().length === 0 && Date.now() - began < 20_000) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(JSON.stringify(issues()[0]?.body)).not.toContain('CLUSTER_UPDATE_STARTED');
  await delivering;
  await world.pass(MINUTE);
  await world.due();
  expect(JSON.stringify(issues()[0]?.body)).toContain('CLUSTER_UPDATE_STARTED');
  const edits = world.sandbox.faults.journal.filter(({ operation }) => /^jira\.edit|^jira\.update/i.test(operation));
  expect(edits.length).toBe(1);
});

it('H43 a dry run over a recorded day says what the real one does, and writes nothing', {
  timeout: 120_000,
}, async () => {
  await start({ policy: { groupWaitSeconds: 2 } });
  const a = world.alert(cluster('A'));
  const b = world.alert(cluster('B'));
  const minutes = (count: number): string => new Date(world.now + count * MINUTE).toISOString();
  const closed = (body: Record<string, unknown>, at: string) => ({
    ...body,
    status: 'CLOSED',
    updated: at,
    lastNotified: at,
    resolved: at,
  });
  const again = { ...world.alert(cluster('A')), created: minutes(15), updated: minutes(15), lastNotified: minutes(15) };
  const day = [
    { body: a, event: 'alert.open', at: minutes(0) },
    { body: a, event: 'alert.update', at: minutes(1) },
    { body: b, event: 'alert.open', at: minutes(2) },
    { body: closed(a, minutes(10)), event: 'alert.close', at: minutes(10) },
    { body: again, event: 'alert.open', at: minutes(15) },
    { body: closed(again, minutes(20)), event: 'alert.close', at: minutes(20) },
  ];
  const photograph = async (): Promise<unknown> => [
    await world.auditPartitions(),
    issues().length,
    world.sandbox.faults.journal.length,
  ];
  const before = await photograph();
  const said = (await world.machine.invoke('deliver-tickets', { dryRun: true, alerts: day })) as {
    tickets: { title: string; state: string; writes: string[] }[];
  };
  expect(await photograph()).toEqual(before);
  expect(world.machine.faults.journal.filter(({ operation }) => operation === 'PutItem')).toEqual([]);

  let at = 0;
  for (const { body, event, at: when } of day) {
    const offset = Math.round((Date.parse(when) - Date.parse(day[0]?.at ?? '')) / MINUTE);
    await world.pass((offset - at) * MINUTE);
    at = offset;
    await world.tell(body, { event });
  }
  await world.pass(3 * HOUR);
  await world.due();
  expect(said.tickets.map(({ state, title }) => [title, state])).toEqual(
    issues().map((issue) => [issue.title, isOpen(issue) ? 'open' : 'closed']),
  );
  expect(said.tickets[0]?.writes.filter((write) => write !== 'edit' && write !== 'comment')).toEqual([
    'open',
    'close',
    'reopen',
    'close',
  ]);
});

it('H44 clocks that are five minutes apart, and bodies without updated: nothing is lost and nothing is doubled', {
  timeout: 60_000,
}, async () => {
  await start();
  const at = (minutes: number): string => new Date(world.now + minutes * MINUTE).toISOString();
  const ahead = world.alert({ ...cluster('A'), created: at(5), updated: at(5), lastNotified: at(5) });
  const behind = world.alert({ ...cluster('B'), created: at(-5), updated: at(-5), lastNotified: at(-5) });
  const bare = {
    id: world.alert()['id'],
    groupId: world.project.id,
    status: 'OPEN',
    eventTypeName: 'HOST_DOWN',
    ...cluster('C'),
  };
  for (const body of [ahead, behind, bare]) await world.tell(body);
  expect(issues()).toHaveLength(3);
  await world.pass(MINUTE);
  const stop = world.later(ahead, { status: 'CLOSED', updated: at(5), resolved: at(5), lastNotified: at(5) });
  await world.tell(stop, { event: 'alert.close' });
  await world.tell(world.later(behind, { status: 'CLOSED', updated: at(-5), resolved: at(-5), lastNotified: at(-5) }), {
    event: 'alert.close',
  });
  await world.tell({ ...bare, status: 'CLOSED' }, { event: 'alert.close' });
  await world.due();
  expect(issues().filter(isOpen)).toEqual([]);
  expect(issues()).toHaveLength(3);
});
