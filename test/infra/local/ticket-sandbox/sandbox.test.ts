import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMovableClock } from '../../../../infra/local/clock.ts';
import { serveOnLoopback } from '../../../../infra/local/loopback.ts';
import { createTicketSandbox, type TicketSandbox } from '../../../../infra/local/ticket-sandbox/sandbox.ts';

let sandbox: TicketSandbox;
beforeEach(() => {
  sandbox = createTicketSandbox({ clock: createMovableClock(new Date('2026-03-02T10:00:00Z')) });
});

const basic = (name: string, user: string, password: string): string => {
  const secret: Record<string, string> = JSON.parse(sandbox.secrets[name]!);
  return `Basic ${Buffer.from(`${secret[user]}${user === 'email' && name.includes('zendesk') ? '/token' : ''}:${secret[password]}`).toString('base64')}`;
};
const proofOf = (tracker: string): string =>
  ({
    jira: basic('tickets/jira', 'email', 'apiToken'),
    github: `Bearer ${sandbox.secrets['tickets/github']}`,
    servicenow: basic('tickets/servicenow', 'username', 'password'),
    'jsm-operations': `GenieKey ${sandbox.secrets['tickets/jsm-operations']}`,
    linear: sandbox.secrets['tickets/linear']!,
    zendesk: basic('tickets/zendesk', 'email', 'apiToken'),
    slack: `Bearer ${sandbox.secrets['tickets/slack']}`,
  })[tracker] ?? '';

interface Sent {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}
async function send(tracker: string, path: string, json?: unknown, { method, headers = {}, body }: Sent = {}) {
  const request = new Request(`http://127.0.0.1/${tracker}${path}`, {
    method: method ?? (json === undefined ? 'GET' : 'POST'),
    headers: { 'content-type': 'application/json', 'user-agent': 'test', authorization: proofOf(tracker), ...headers },
    ...(json !== undefined && { body: body ?? JSON.stringify(json) }),
  });
  const response = await sandbox.fetch(request);
  const text = await response.text();
  return { status: response.status, headers: response.headers, json: text === '' ? undefined : JSON.parse(text) };
}

const adf = (text: string) => ({
  type: 'doc',
  version: 1,
  content: [{ type: 'paragraph', content: [{ type: 'text', text }] }],
});
const issue = (more: object = {}) => ({
  fields: {
    project: { key: 'OPS' },
    issuetype: { name: 'Bug' },
    summary: 'Disk',
    description: adf('full'),
    labels: ['a'],
    ...more,
  },
});

describe('what trackers refuse', () => {
  it.each([
    ['jira', '/rest/api/3/issue', issue()],
    ['github', '/repos/octo/ops/issues', { title: 'Disk' }],
    ['servicenow', '/api/now/v2/table/incident', { short_description: 'Disk' }],
    ['jsm-operations', '/v2/alerts', { message: 'Disk' }],
    ['linear', '/graphql', { query: '{ team(id: "team-ops") { id } }' }],
    ['zendesk', '/api/v2/tickets.json', { ticket: { subject: 'Disk', comment: { body: 'full' } } }],
  ])('%s: other credentials, other media types, and what is not JSON', async (tracker, path, json) => {
    expect((await send(tracker, path, json)).status).toBeLessThan(300);
    expect([401, 403]).toContain((await send(tracker, path, json, { headers: { authorization: 'Bearer no' } })).status);
    expect(
      (await send(tracker, path, json, { headers: { 'content-type': 'text/plain' } })).status,
    ).toBeGreaterThanOrEqual(400);
    expect((await send(tracker, path, json, { body: '{' })).status).toBeGreaterThanOrEqual(400);
  });

  it.each([
    ['a summary of 256', issue({ summary: 'x'.repeat(256) }), 'summary'],
    ['no summary', issue({ summary: ' ' }), 'summary'],
    ['a summary of two lines', issue({ summary: 'a\nb' }), 'summary'],
    ['text where a document belongs', issue({ description: 'plain' }), 'description'],
    ['an empty text node', issue({ description: adf('') }), 'description'],
    [
      'a node that does not belong there',
      issue({ description: { type: 'doc', version: 1, content: [{ type: 'listItem', content: [] }] } }),
      'description',
    ],
    ['a label with a space', issue({ labels: ['a b'] }), 'labels'],
    ['another project', issue({ project: { key: 'NOPE' } }), 'project'],
    ['an unknown field', issue({ nonsense: 1 }), 'nonsense'],
    ['an unknown priority', issue({ priority: { name: 'Urgent!!' } }), 'priority'],
  ])('Jira: %s', async (_, json, field) => {
    const { status, json: said } = await send('jira', '/rest/api/3/issue', json);
    expect(status).toBe(400);
    expect(Object.keys(said.errors)).toContain(field);
  });

  it('Jira: the search that is gone, unbounded queries, transitions that are not there', async () => {
    expect((await send('jira', '/rest/api/3/search', { jql: 'project = OPS' })).status).toBe(410);
    expect((await send('jira', '/rest/api/3/search/jql', { jql: 'order by created' })).status).toBe(400);
    await send('jira', '/rest/api/3/issue', issue());
    expect((await send('jira', '/rest/api/3/issue/OPS-1/transitions', { transition: { id: '999' } })).status).toBe(400);
    expect(
      (await send('jira', '/rest/api/3/issue/OPS-1/transitions', { transition: { id: '41' } })).json.errors,
    ).toHaveProperty('resolution');
  });

  it('GitHub: long titles, missing titles, other repositories', async () => {
    expect((await send('github', '/repos/octo/ops/issues', { title: 'x'.repeat(257) })).status).toBe(422);
    expect((await send('github', '/repos/octo/ops/issues', {})).status).toBe(422);
    expect((await send('github', '/repos/octo/nope/issues', { title: 'x' })).status).toBe(404);
  });

  it('PagerDuty: events that are not whole, and keys it does not know', async () => {
    const event = (more: object) => ({
      routing_key: sandbox.secrets['tickets/pagerduty'],
      event_action: 'trigger',
      dedup_key: 'k',
      payload: { summary: 'Disk', source: 'atlas', severity: 'error' },
      ...more,
    });
    expect((await send('pagerduty', '/v2/enqueue', event({}))).status).toBe(202);
    for (const wrong of [
      { routing_key: 'x' },
      { routing_key: 'y'.repeat(32) },
      { event_action: 'open' },
      { dedup_key: 'x'.repeat(256) },
      { payload: { summary: 'x'.repeat(1_025), source: 'atlas', severity: 'error' } },
      { payload: { summary: 'Disk', source: 'atlas', severity: 'urgent' } },
    ]) {
      expect((await send('pagerduty', '/v2/enqueue', event(wrong))).status).toBe(400);
    }
    const other = { routing_key: sandbox.secrets['tickets/pagerduty-other'], event_action: 'resolve' };
    expect((await send('pagerduty', '/v2/enqueue', event(other))).status).toBe(202);
    expect(sandbox.pagerduty.tickets.all.map(({ status }) => status)).toEqual(['triggered']);
  });

  it('Linear: fields it does not have, and ids that are no UUID or taken', async () => {
    const create = (input: object) =>
      send('linear', '/graphql', {
        query: 'mutation M($input: IssueCreateInput!) { issueCreate(input: $input) { success } }',
        variables: { input },
      });
    expect((await send('linear', '/graphql', { query: '{ nonsense }' })).json.errors).toBeDefined();
    const id = '2d2e7b1c-5c3f-4a6b-9d8e-0f1a2b3c4d5e';
    expect((await create({ teamId: 'team-ops', title: 'a', id: 'x' })).json.errors).toBeDefined();
    expect((await create({ teamId: 'team-ops', title: 'a', id })).json.data.issueCreate.success).toBe(true);
    expect((await create({ teamId: 'team-ops', title: 'a', id })).json.errors).toBeDefined();
    expect(sandbox.linear.tickets.all).toHaveLength(1);
  });

  it('Slack: what is no block, other channels, and more than a message a second', async () => {
    const post = (more: object) => send('slack', '/chat.postMessage', { channel: 'C0ALERTS', text: 'x', ...more });
    expect(
      (
        await post({
          blocks: [
            { type: 'rich_text', elements: [{ type: 'rich_text_section', elements: [{ type: 'text', text: 'x' }] }] },
          ],
        })
      ).json,
    ).toEqual({ ok: true, channel: 'C0ALERTS', ts: expect.any(String) });
    expect((await post({ blocks: [{ type: 'nonsense' }] })).json.error).toBe('invalid_blocks');
    expect((await post({ channel: 'C0OTHER' })).json.error).toBe('channel_not_found');
    const statuses = [];
    for (let nth = 0; nth < 6; nth++) statuses.push(await post({}));
    expect(statuses.at(-1)!.status).toBe(429);
    expect(statuses.at(-1)!.headers.get('retry-after')).toBe('5');
  });
});

describe('what trackers keep quiet about', () => {
  it('ServiceNow leaves unknown conditions out, and answers everything', async () => {
    for (const correlation_id of ['a', 'b'])
      await send('servicenow', '/api/now/v2/table/incident', { short_description: 'x', correlation_id });
    const ask = async (query: string) =>
      (await send('servicenow', `/api/now/v2/table/incident?sysparm_query=${query}`)).json.result.length;
    expect(await ask('correlation_id=a')).toBe(1);
    expect(await ask('corelation_id=a')).toBe(2);
  });

  it('GitHub drops labels without push access', async () => {
    sandbox.github.pushAccess = false;
    expect((await send('github', '/repos/octo/ops/issues', { title: 'x', labels: ['a'] })).json.labels).toEqual([]);
  });

  it('Jira’s search lies behind, but for issues that it is told to reconcile', async () => {
    const { json } = await send('jira', '/rest/api/3/issue', issue());
    const search = async (more: object) =>
      (await send('jira', '/rest/api/3/search/jql', { jql: 'labels = "a"', ...more })).json.issues.length;
    expect(await search({})).toBe(0);
    expect(await search({ reconcileIssues: [Number(json.id)] })).toBe(1);
    sandbox.clock.advance(6_000);
    expect(await search({})).toBe(1);
  });

  it('Zendesk repeats an answer for two hours, by its key', async () => {
    const json = { ticket: { subject: 'Disk', comment: { body: 'full' } } };
    const headers = { 'idempotency-key': 'k' };
    const first = await send('zendesk', '/api/v2/tickets.json', json, { headers });
    const second = await send('zendesk', '/api/v2/tickets.json', json, { headers });
    expect([first, second].map((each) => each.headers.get('x-idempotency-lookup'))).toEqual(['miss', 'hit']);
    expect(second.json.ticket.id).toBe(first.json.ticket.id);
    sandbox.clock.advance(2 * 3_600_000);
    expect((await send('zendesk', '/api/v2/tickets.json', json, { headers })).json.ticket.id).not.toBe(
      first.json.ticket.id,
    );
  });
});

describe('limits', () => {
  it.each([
    ['github', '/repos/octo/ops/issues', 403, 'x-ratelimit-reset'],
    ['servicenow', '/api/now/v2/table/incident', 429, 'x-ratelimit-rule'],
    ['jsm-operations', '/v1/alerts/alias?alias=x', 429, 'x-ratelimit-period-in-sec'],
    ['zendesk', '/api/v2/tickets.json', 429, 'retry-after'],
  ] as const)('%s says when to come back', async (tracker, path, status, header) => {
    const small = createTicketSandbox({ limits: { [tracker]: { calls: 2, seconds: 60 } } });
    const whole = sandbox;
    sandbox = small;
    const authorization =
      tracker === 'jsm-operations' ? basic('tickets/jsm-operations-rest', 'email', 'apiToken') : proofOf(tracker);
    for (let nth = 0; nth < 2; nth++)
      expect((await send(tracker, path, undefined, { headers: { authorization } })).status).not.toBe(status);
    const refused = await send(tracker, path, undefined, { headers: { authorization } });
    expect(refused.status).toBe(status);
    expect(refused.headers.get(header)).not.toBeNull();
    small.clock.advance(61_000);
    expect((await send(tracker, path, undefined, { headers: { authorization } })).status).not.toBe(status);
    sandbox = whole;
  });
});

describe('webhooks', () => {
  const seen: { path: string; body: string }[] = [];
  afterEach(() => {
    seen.length = 0;
  });

  it('are told at once, held back, sent again and recorded', async () => {
    await using receiver = await serveOnLoopback(async (request) => {
      seen.push({ path: new URL(request.url).pathname, body: await request.text() });
      return new Response(null, { status: 202 });
    });
    await send('jira', '/rest/api/3/issue', issue());
    sandbox.tell(`${receiver.origin}/updates`);
    sandbox.jira.people.assign('10001', 'ada');
    await sandbox.webhooks.settle();
    expect(seen.map(({ path }) => path)).toEqual(['/updates/jira']);
    sandbox.webhooks.hold = true;
    sandbox.jira.people.close('10001');
    await sandbox.webhooks.settle();
    expect(seen).toHaveLength(1);
    const [held] = sandbox.webhooks.held;
    await sandbox.webhooks.deliver();
    await sandbox.webhooks.deliver(held);
    expect(seen).toHaveLength(3);
    expect(sandbox.webhooks.deliveries.map(({ status }) => status)).toEqual([202, 202, 202]);
  });
});
