/** Who may speak to the bridge: section A of its scenarios, through the built bundles on embedded AWS. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { BridgeWorld, HOUR, SECRET, signed } from '../support/bridge-world.ts';

let world: BridgeWorld;
beforeEach(async () => {
  world = await BridgeWorld.start();
});
afterEach(() => world[Symbol.asyncDispose]());

const queued = (): number => world.machine.alertQueue.messages.length;

it('A1 right secret, body with non-ASCII and isBase64Encoded is taken; the same bytes re-serialised are not', async () => {
  const body = `{"id":"${'a'.repeat(24)}", "groupId":"${world.project.id}","status":"OPEN","eventTypeName":"HOST_DOWN","humanReadable":"Plätze — 満杯 🔥"}`;
  expect(await world.send(body, { isBase64Encoded: true })).toBe(202);
  const again = JSON.stringify(JSON.parse(body));
  expect(await world.send(again, { isBase64Encoded: true, headers: { 'x-mms-signature': signed(body) } })).toBe(401);
  expect(queued()).toBe(1);
});

it('A2 a signature that is absent, empty, cut, padded, hex, doubled or no base64 is a 401; without a secret all are', async () => {
  const body = JSON.stringify(world.alert());
  const good = signed(body);
  const bad = [
    undefined,
    '',
    good.slice(0, 27),
    `${good}=`,
    Buffer.from(good, 'base64').toString('hex'),
    `${good},${good}`,
    `${'*'.repeat(27)}=`,
    `${good.slice(0, 26)}B=`,
    `A${good.slice(1)}`,
    `${good.slice(0, 25)}${good[25] === 'A' ? 'B' : 'A'}${good.slice(26)}`,
    ` ${good}`,
    'Ä'.repeat(28),
  ].filter((signature) => signature !== good);
  for (const signature of bad)
    expect(await world.send(body, { headers: { 'x-mms-signature': signature } }), String(signature)).toBe(401);
  expect(await world.send(body)).toBe(202);
  await world.machine.putSecret('atlas-automation/webhook', {});
  const keyless = world.machine.container('receive-atlas-alert');
  const answers = [good, undefined].map((signature) =>
    keyless.invoke({ headers: { 'x-mms-signature': signature }, body, rawPath: '/', isBase64Encoded: false }),
  );
  for (const answer of await Promise.all(answers)) expect(answer).toMatchObject({ statusCode: 401, body: '{}' });
  expect(queued()).toBe(1);
});

it('A3 two secrets in rotation are both taken; after the cut-over only the new one', async () => {
  expect(await world.send(world.alert())).toBe(202);
  await world.machine.seedWebhookSecret({ current: 'the-new-one', previous: SECRET });
  await world.pass(11_000);
  expect(await world.send(world.alert(), { secret: 'the-new-one' })).toBe(202);
  expect(await world.send(world.alert())).toBe(202);
  await world.machine.seedWebhookSecret({ current: 'the-new-one' });
  await world.pass(HOUR);
  expect(await world.send(world.alert())).toBe(401);
  expect(await world.send(world.alert(), { secret: 'the-new-one' })).toBe(202);
});

it('A4 a captured alert.open replayed 3 days later makes no ticket; with the header of a close it closes none', async () => {
  const body = world.alert();
  await world.tell(body);
  expect(world.sandbox.jira.tickets.present).toHaveLength(1);
  await world.pass(6 * 60_000);
  await world.tell(body, { event: 'alert.close' });
  expect(world.sandbox.jira.tickets.present).toMatchObject([{ status: 'To Do' }]);

  const captured = world.alert({ clusterName: 'Other' });
  await world.pass(72 * HOUR);
  await world.tell(captured);
  expect(world.sandbox.jira.tickets.present).toHaveLength(1);
  expect((await world.trail()).filter((line) => line.includes('replay'))).not.toEqual([]);
});

it('A5 6 MB, 10,000 deep, __proto__ and keys twice are refused, and nothing crashes or is polluted', async () => {
  const alert = JSON.stringify(world.alert());
  const refused: [string, number][] = [
    [`{"id":"x","humanReadable":"${'x'.repeat(6 * 1024 * 1024)}"}`, 413],
    [`${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`, 400],
    [`${'['.repeat(10_000)}${']'.repeat(10_000)}`, 400],
    [`{"__proto__":{"status":"OPEN"},${alert.slice(1)}`, 400],
    [`{"\\u005f_proto__":{"status":"OPEN"},${alert.slice(1)}`, 400],
    [`{"currentValue":{"constructor":{"prototype":{"status":1}}},${alert.slice(1)}`, 400],
    [`{"status":"CLOSED",${alert.slice(1)}`, 400],
    ['', 400],
    ['null', 400],
    ['[]', 400],
    ['{"id":', 400],
    ['{"status":"OPEN"}', 400],
    ['\ud800', 400],
  ];
  for (const [body, status] of refused) expect(await world.send(body), body.slice(0, 60)).toBe(status);
  expect(await world.send(alert)).toBe(202);
  expect(world.machine.lambda('receive-atlas-alert').coldStarts, 'one process took all of it').toBe(1);
  expect(queued()).toBe(1);
});
