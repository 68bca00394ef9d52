import { createHmac } from 'node:crypto';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { LocalHost } from '../../../../infra/local/serve/local-host.ts';
import { eventsOf, startProbeHost } from './probe-host.ts';

const HOUR_MS = 3_600_000;
const SLOW = { timeout: 15_000, interval: 50 };

let local: LocalHost;
beforeAll(async () => {
  local = await startProbeHost();
}, 120_000);
afterAll(() => local?.[Symbol.asyncDispose]());

async function publish(Source: string, DetailType: string, detail: object): Promise<void> {
  const client = new EventBridgeClient(local.machine.sdk);
  onTestFinished(() => client.destroy());
  await client.send(new PutEventsCommand({ Entries: [{ Source, DetailType, Detail: JSON.stringify(detail) }] }));
}

describe('the wiring of the stack, on this machine', () => {
  it('runs what a schedule is due for, once, with the event or the input of its rule', async () => {
    local.machine.clock.advance(24 * HOUR_MS);
    await vi.waitFor(() => {
      expect(eventsOf(local, 'audit-snapshot-schedules')).toMatchObject([
        { event: { source: 'aws.scheduler', 'detail-type': 'Scheduled Event' } },
      ]);
      expect(eventsOf(local, 'reconcile-alerts').map(({ event }) => event['task'])).toContain('due');
    }, SLOW);
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(eventsOf(local, 'audit-snapshot-schedules')).toHaveLength(1);
  });

  it('gives each function the settings and the account the stack gives it, and no other', async () => {
    await local.machine.invoke('watch-live-migrations', {});
    await local.machine.invoke('receive-atlas-alert', {});
    const [watch] = eventsOf(local, 'watch-live-migrations');
    expect(watch?.credentials).toBe('atlas-automation/migration');
    expect(Object.keys(JSON.parse(watch?.settings ?? ''))).toEqual(['migration']);
    expect(JSON.parse(watch?.settings ?? '').migration).not.toHaveProperty('sourceSecrets');
    expect(eventsOf(local, 'receive-atlas-alert')[0]?.credentials).toBeUndefined();
  });

  it('brings an event of the bundle to the functions whose rules match it, and to no other', async () => {
    await publish('atlas-automation', 'Something Was Found', { what: 'a finding' });
    await publish('somebody.else', 'Something Was Found', { what: 'not ours' });
    await vi.waitFor(() => {
      expect(eventsOf(local, 'deliver-tickets').map(({ event }) => event['detail'])).toEqual([{ what: 'a finding' }]);
    }, SLOW);
    expect(local.host.ledger.events.map(({ source }) => source)).toContain('somebody.else');
    expect(
      eventsOf(local, 'sweep-service-account-secrets').filter(
        ({ event }) => event['detail-type'] === 'Something Was Found',
      ),
    ).toEqual([]);
  });

  it('keeps what Secrets Manager gives up, and tells the sweep, for managed secrets alone', async () => {
    const { secrets } = local.machine.aws.secretsManager;
    const managed = Object.values(secrets).find(({ name }) => name === 'atlas/billing/service-account');
    const failed = (SecretId: string | undefined) =>
      local.machine.aws.events.putServiceEvent('aws.secretsmanager', 'AWS Service Event via CloudTrail', {
        eventName: 'RotationFailed',
        additionalEventData: { SecretId },
      });
    failed(managed?.arn);
    failed('arn:aws:secretsmanager:us-east-1:000000000000:secret:another-AbCdEf');
    await vi.waitFor(() => {
      expect(local.host.events.stranded).toMatchObject([{ lambda: 'rotate-service-account-secret' }]);
      expect(
        eventsOf(local, 'sweep-service-account-secrets').filter(
          ({ event }) => event['source'] === 'aws.secretsmanager',
        ),
      ).toHaveLength(1);
    }, SLOW);
    local.host.events.dismiss(local.host.events.stranded[0]?.id ?? 0);
  });

  it('tries an event that fails three times, and keeps it then', async () => {
    await publish('atlas-automation', 'Doomed', { fail: true });
    await vi.waitFor(() => {
      expect(local.host.events.stranded).toMatchObject([
        { lambda: 'deliver-tickets', why: expect.stringContaining('Broken: it broke') },
      ]);
    }, SLOW);
    expect(local.host.ledger.runs('deliver-tickets').filter(({ error }) => error !== undefined)).toHaveLength(3);
    local.host.events.dismiss(local.host.events.stranded[0]?.id ?? 0);
  });

  it('hands a webhook on as a function URL does: byte by byte, with path, query and headers', async () => {
    const url = `${local.hooksOrigin}/hooks/receive-atlas-alert/some/where?a=1`;
    const body = '{"a": "ü\\u0000"}\n';
    const sent = await fetch(url, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', 'x-mms-event': 'alert.open' },
    });
    expect(await sent.json()).toMatchObject({
      event: {
        version: '2.0',
        rawPath: '/some/where',
        rawQueryString: 'a=1',
        body,
        isBase64Encoded: false,
        headers: { 'x-mms-event': 'alert.open' },
        requestContext: { http: { method: 'POST' } },
      },
    });
    const bytes = Uint8Array.from([0xff, 0x00, 0xfe]);
    for (const type of ['application/octet-stream', 'application/json']) {
      const binary = await fetch(url, { method: 'POST', body: bytes, headers: { 'content-type': type } });
      expect(await binary.json()).toMatchObject({
        event: { body: Buffer.from(bytes).toString('base64'), isBase64Encoded: true },
      });
    }
  });

  it('has an address for functions with a function URL alone, and takes six megabytes at most', async () => {
    const post = (path: string, body = '') =>
      fetch(local.hooksOrigin + path, { method: 'POST', body }).then(({ status }) => status);
    expect(await post('/hooks/deliver-tickets/')).toBe(404);
    expect(await post('/')).toBe(404);
    expect(await post('/hooks/receive-atlas-alert/', 'x'.repeat(6 * 1024 * 1024 + 1))).toBe(413);
  });

  it('lets Secrets Manager rotate what is due', async () => {
    const runs = () => local.host.ledger.runs('rotate-service-account-secret').length;
    const before = runs();
    local.machine.clock.advance(9 * 24 * HOUR_MS);
    await vi.waitFor(() => expect(runs()).toBeGreaterThan(before), SLOW);
  });
});

describe('stopping', () => {
  it('waits for what runs, and starts nothing any more', { timeout: 60_000 }, async () => {
    await using other = await startProbeHost();
    const slow = other.machine.invoke('sweep-service-account-secrets', { waitMs: 700 });
    await other.stop();
    expect(other.host.ledger.running).toBe(0);
    await expect(slow).resolves.toBeDefined();
    other.machine.clock.advance(48 * HOUR_MS);
    const hook = await fetch(`${other.hooksOrigin}/hooks/receive-atlas-alert/`, { method: 'POST' });
    expect(hook.status).toBe(503);
    expect(other.host.ledger.runs('audit-snapshot-schedules')).toEqual([]);
  });
});

describe('a dry run', () => {
  it('asks schedules for one, and takes nothing in', { timeout: 60_000 }, async () => {
    await using dry = await startProbeHost({ dryRun: true, firstRuns: true });
    await vi.waitFor(() => {
      for (const lambda of ['audit-snapshot-schedules', 'sweep-service-account-secrets', 'reconcile-alerts'])
        expect(eventsOf(dry, lambda).map(({ event }) => event['dryRun'])).toContain(true);
    }, SLOW);
    const all = [...dry.host.wiring.functions.keys()].flatMap((lambda) => eventsOf(dry, lambda));
    expect(all.filter(({ event }) => !('dryRun' in event) && !('Step' in event))).toEqual([]);
    const key = createHmac('sha1', 'x').update('').digest('base64');
    const hook = await fetch(`${dry.hooksOrigin}/hooks/receive-atlas-alert/`, {
      method: 'POST',
      headers: { 'x-mms-signature': key },
    });
    expect(hook.status).toBe(503);
  });
});
