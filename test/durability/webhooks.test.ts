/** Kills the host with `kill -9` under load, again and again: every webhook it accepted ends as exactly one ticket. */
import { createHash, createHmac } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, inject, it, vi } from 'vitest';
import { startLocalHost } from '../../infra/local/serve/local-host.ts';
import { createTicketSandbox } from '../../infra/local/ticket-sandbox/sandbox.ts';
import { loadSettings, Settings } from '../../infra/settings.ts';
import { live, numbers, pause } from './lives.ts';

const SEED = 20_261_123;
const LIVES = 20;
const KEY = 'the-key-of-this-test';
/** Webhooks sent to one life, and how many at once. */
const WEBHOOKS = 12;
const AT_ONCE = 4;

const { atlas, webhooks } = loadSettings('infra/settings.example.json');
const jira = createTicketSandbox().jira.destination('http://127.0.0.1:1');
const settings = {
  atlas: { baseUrl: atlas.baseUrl, credentials: { tickets: atlas.credentials.tickets } },
  tickets: {
    destinations: [jira],
    routes: [{ name: 'everything', to: ['jira'] }],
    policy: { groupWaitSeconds: 0, groupIntervalSeconds: 0 },
  },
  webhooks: { atlas: webhooks.atlas },
};

const id = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 24);

function webhook(cluster: string): RequestInit {
  const now = new Date().toISOString();
  const body = JSON.stringify({
    id: id(cluster),
    groupId: id('group'),
    orgId: id('org'),
    alertConfigId: id('config'),
    eventTypeName: 'HOST_DOWN',
    status: 'OPEN',
    created: now,
    updated: now,
    lastNotified: now,
    clusterName: cluster,
    hostnameAndPort: `${cluster}.example.net:27017`,
    replicaSetName: `${cluster}-shard-0`,
  });
  const signature = createHmac('sha1', KEY).update(body).digest('base64');
  const headers = { 'content-type': 'application/json', 'x-mms-event': 'alert.open', 'x-mms-signature': signature };
  return { method: 'POST', headers, body };
}

let folder = '';
afterAll(() => rm(folder, { recursive: true, force: true }));

it('makes exactly one ticket of every webhook it accepted, whenever it is killed', { timeout: 900_000 }, async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'atlas-automation-lives-'));
  const orders = {
    settings,
    data: path.join(folder, 'data'),
    bundles: inject('bundles'),
    templates: path.join(folder, 'templates'),
    webhookKey: KEY,
  };
  const random = numbers(SEED);
  const accepted = new Set<string>();
  const sent = new Set<string>();
  const refused: string[] = [];
  let early = 0;
  for (let nth = 0; nth < LIVES; nth++) {
    const life = live(orders);
    // Some end before they are ready; not the first, which has the template to make.
    if (nth % 5 === 4) {
      early++;
      await pause(200 + random() * 800);
      await life.kill();
      continue;
    }
    const ready = await life.ready;
    if (!ready) throw new Error('the host ended by itself');
    const before = accepted.size;
    const left = Array.from({ length: WEBHOOKS }, (_, of) => `cluster-${nth}-${of}-end`);
    const sending = Array.from({ length: AT_ONCE }, async () => {
      for (let cluster = left.shift(); cluster !== undefined; cluster = left.shift()) {
        sent.add(cluster);
        const answer = await fetch(`${ready.hooks}/hooks/receive-atlas-alert/`, webhook(cluster)).catch(
          () => undefined,
        );
        if (answer?.ok) accepted.add(cluster);
        else if (answer) refused.push(`${answer.status} ${await answer.text()}`);
      }
    });
    // From the first that is accepted on: a busy machine takes seconds to start a function.
    await vi.waitFor(() => expect(accepted.size).toBeGreaterThan(before), { timeout: 30_000, interval: 5 });
    await pause(random() * 1_500);
    await life.kill();
    await Promise.all(sending);
  }
  expect(refused).toEqual([]);
  expect(early).toBe(4);
  expect(accepted.size, 'there was load').toBeGreaterThanOrEqual(LIVES - early);

  await using last = await startLocalHost({ ...orders, settings: Settings.parse(settings), pausesMs: [200, 200] });
  const ticketsOf = (cluster: string) =>
    last.tickets.jira.tickets.all.filter((ticket) => JSON.stringify(ticket).includes(cluster)).length;
  const count = (clusters: Iterable<string>) => [...clusters].map((cluster) => `${cluster}: ${ticketsOf(cluster)}`);
  await vi.waitFor(
    async () => {
      await last.machine.invoke('reconcile-alerts', { task: 'due' });
      expect(last.machine.alertQueue.size).toBe(0);
      expect(count(accepted)).toEqual([...accepted].map((cluster) => `${cluster}: 1`));
    },
    { timeout: 480_000, interval: 1_000 },
  );
  // What was sent and not answered may have come in, once.
  for (const cluster of sent) expect(ticketsOf(cluster), cluster).toBeLessThanOrEqual(1);
  expect(last.machine.alertDeadLetters.size).toBe(0);
  await last.stop();
});
