import { describe, expect, inject, it, vi } from 'vitest';
import { startLocalHost } from '../../../../infra/local/serve/local-host.ts';
import { openAlert } from '../../../../infra/local/serve/seed.ts';
import { Settings } from '../../../../infra/settings.ts';
import { EXAMPLE } from './probe-host.ts';

const SLOW = { timeout: 60_000, interval: 200 };

describe('the local host, with the functions as they are built', () => {
  it('turns an alert of Atlas into one ticket, and closes it when it is over', { timeout: 180_000 }, async () => {
    const { tickets, webhooks, atlas } = EXAMPLE;
    const settings = Settings.parse({
      atlas: { baseUrl: atlas.baseUrl, credentials: { tickets: atlas.credentials.tickets } },
      tickets: { ...tickets, policy: { groupWaitSeconds: 0, groupIntervalSeconds: 0 } },
      webhooks,
    });
    await using local = await startLocalHost({ settings, bundles: inject('bundles') });
    expect([...local.host.wiring.functions.keys()].toSorted()).toEqual([
      'deliver-tickets',
      'receive-atlas-alert',
      'receive-ticket-update',
      'reconcile-alerts',
    ]);
    if (!local.world) throw new Error('there is no sandbox');
    const present = () => local.tickets.github.tickets.present.map(({ title, status }) => `${status} ${title}`);
    const due = () => local.machine.invoke('reconcile-alerts', { task: 'due' });

    const alert = openAlert(local.machine, local.world);
    await vi.waitFor(async () => {
      await due();
      expect(present()).toEqual([expect.stringMatching(/^open .*HOST_DOWN/)]);
    }, SLOW);
    expect(local.host.ledger.runs('receive-atlas-alert')).toMatchObject([{ trigger: 'webhook' }]);
    expect(local.host.ledger.runs('deliver-tickets').map(({ trigger }) => trigger)).toContain('queue');

    local.machine.atlas.world.alerts.closeAlert(alert);
    await vi.waitFor(async () => {
      await due();
      expect(present()).toEqual([expect.stringMatching(/^closed .*HOST_DOWN/)]);
    }, SLOW);
    // The ticket is closed before the function has said so.
    await vi.waitFor(() => expect(local.machine.alertQueue.messages).toEqual([]), SLOW);

    // Several at once in one process, and none is taken for another in what the function says.
    const forged = await Promise.all(
      Array.from({ length: 20 }, () =>
        fetch(`${local.hooksOrigin}/hooks/receive-atlas-alert/`, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'x-mms-event': 'alert.open',
            'x-mms-signature': 'bm90IEF0bGFz',
          },
          body: '{}',
        }),
      ),
    );
    expect(forged.map(({ status }) => status)).toEqual(Array(20).fill(401));
    await vi.waitFor(() => {
      const said = local.host.ledger.lines('receive-atlas-alert').map((line) => JSON.parse(line));
      const refused = said.filter(({ message }) => message === 'a request was refused');
      expect(new Set(refused.map(({ function_request_id }) => function_request_id)).size).toBe(20);
      const counted = said.map(({ AlertsRefused = 0 }) => Number(AlertsRefused));
      expect(counted.reduce((a, b) => a + b, 0)).toBe(20);
    }, SLOW);
    expect(local.machine.lambda('receive-atlas-alert').coldStarts).toBeLessThan(5);
    await local.stop();
  });
});
