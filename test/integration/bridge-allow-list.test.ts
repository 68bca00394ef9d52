/** Addresses webhooks may come from, where the settings say so: checked before anything else, beside the signatures. */
import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BridgeWorld, signed } from '../support/bridge-world.ts';

let world: BridgeWorld;
beforeAll(async () => {
  world = await BridgeWorld.start({
    webhooks: { allowFrom: { atlas: ['192.0.2.0/24', '2001:db8::/32'], trackers: ['198.51.100.7'] } },
  });
}, 60_000);
afterAll(() => world?.[Symbol.asyncDispose]());

const from = (sourceIp: string | undefined) => ({
  requestContext: { http: { method: 'POST', ...(sourceIp && { sourceIp }) } },
});
const alertFrom = async (sourceIp: string | undefined, signature?: string): Promise<unknown> => {
  const body = JSON.stringify(world.alert());
  const headers = { 'x-mms-signature': signature ?? signed(body), 'x-mms-event': 'alert.open' };
  const answer = await world.machine.invoke('receive-atlas-alert', { rawPath: '/', headers, body, ...from(sourceIp) });
  return (answer as { statusCode: number }).statusCode;
};

describe('alerts', () => {
  it.each(['192.0.2.1', '2001:db8:1::2'])('from %s, signed, are taken', async (sourceIp) => {
    expect(await alertFrom(sourceIp)).toBe(202);
  });

  it.each(['203.0.113.9', '2001:db9::1', undefined, 'nonsense'])(
    'from %s are refused, however well signed',
    async (sourceIp) => {
      const before = world.machine.alertQueue.messages.length;
      expect(await alertFrom(sourceIp)).toBe(403);
      expect(world.machine.alertQueue.messages).toHaveLength(before);
    },
  );

  it('from an allowed address still have to be signed', async () => {
    expect(await alertFrom('192.0.2.1', signed('something else'))).toBe(401);
  });

  it('say in a header where they came from in vain: the address of the connection counts', async () => {
    const body = JSON.stringify(world.alert());
    const headers = { 'x-mms-signature': signed(body), 'x-forwarded-for': '192.0.2.1' };
    expect(
      await world.machine.invoke('receive-atlas-alert', { rawPath: '/', headers, body, ...from('203.0.113.9') }),
    ).toMatchObject({ statusCode: 403, body: '{}' });
  });
});

it.each([
  ['198.51.100.7', 401],
  ['198.51.100.8', 403],
  [undefined, 403],
])('a tracker’s webhook from %s is answered %d', async (sourceIp, status) => {
  const body = '{}';
  const headers = { 'x-hub-signature': `sha256=${createHmac('sha256', 'wrong').update(body).digest('hex')}` };
  expect(
    await world.machine.invoke('receive-ticket-update', { rawPath: '/jira', headers, body, ...from(sourceIp) }),
  ).toMatchObject({ statusCode: status });
});
