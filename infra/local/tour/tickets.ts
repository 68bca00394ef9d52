import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Project } from '../atlas-sandbox/world.ts';
import type { Machine } from '../machine.ts';
import type { TicketSandbox } from '../ticket-sandbox/sandbox.ts';
import { type Stop, stopAt } from './stop.ts';

/** What Atlas signs its webhooks with, on this machine. */
export const WEBHOOK_KEY = 'signed on one machine';

/**
 * One incident as it happens: two hosts report, one of them twice, one message comes late, and both end. One ticket
 * opens and closes.
 */
export const bridgeAlerts = (machine: Machine, tickets: TicketSandbox, project: Project): Promise<Stop> =>
  stopAt('alert-to-ticket bridge', async () => {
    const issues = () => tickets.github.tickets.present;
    // Two minutes ago: what Atlas tells has happened already.
    const now = machine.clock.now().getTime() - 120_000;
    const at = (seconds: number): string => new Date(now + seconds * 1_000).toISOString();
    const alert = (id: string, host: string, status: 'OPEN' | 'CLOSED', seconds: number) => ({
      id: id.repeat(24).slice(0, 24),
      groupId: project.id,
      orgId: project.orgId,
      alertConfigId: 'c'.repeat(24),
      eventTypeName: 'HOST_DOWN',
      status,
      created: at(0),
      updated: at(seconds),
      lastNotified: at(seconds),
      hostnameAndPort: `${host}:27017`,
      replicaSetName: 'atlas-orders-shard-0',
      ...(status === 'CLOSED' && { resolved: at(seconds) }),
    });
    let refused = 0;
    const receive = async (body: object, event: string, key = WEBHOOK_KEY): Promise<void> => {
      const bytes = JSON.stringify(body);
      const answer = await machine.invoke('receive-atlas-alert', {
        headers: {
          'content-type': 'application/json',
          'x-mms-event': event,
          'x-mms-signature': createHmac('sha1', key).update(bytes).digest('base64'),
        },
        rawPath: '/',
        body: bytes,
        isBase64Encoded: false,
      });
      if (typeof answer === 'object' && answer !== null && 'statusCode' in answer && answer.statusCode !== 202)
        refused++;
    };
    /** Delivers what is in the queue, and looks a few times for what falls due a moment later. */
    const settle = async (isSettled: () => boolean): Promise<void> => {
      await machine.deliver();
      for (let look = 0; look < 10 && !isSettled(); look++) {
        await sleep(500);
        await machine.invoke('reconcile-alerts', { task: 'due' });
      }
    };
    const one = alert('a', 'orders-00', 'OPEN', 1);
    await receive(one, 'alert.open');
    await receive(one, 'alert.open');
    await receive(alert('b', 'orders-01', 'OPEN', 2), 'alert.open');
    await receive(one, 'alert.open', 'somebody else');
    await settle(() => issues().length > 0);
    const opened = issues().length;
    await receive(alert('a', 'orders-00', 'CLOSED', 60), 'alert.close');
    await receive(alert('b', 'orders-01', 'CLOSED', 61), 'alert.close');
    await receive(one, 'alert.open');
    await settle(() => issues().every(({ status }) => status === 'closed'));
    const states = issues().map(({ status }) => status);
    return {
      did: [
        `4 webhooks of 2 alerts, ${refused} refused: ${opened} ticket${opened === 1 ? '' : 's'}`,
        `both alerts ended, an old message came again: ${states.join(', ')}`,
      ],
      problem:
        opened === 1 && refused === 1 && issues().length === 1 ? null : 'there should be one ticket, and one refusal',
    };
  });
