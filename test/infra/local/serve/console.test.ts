import { request } from 'node:http';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { type DefaultTreeAdapterTypes, parse } from 'parse5';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { formTokenOf } from '../../../../infra/local/serve/console/access.ts';
import type { LocalHost } from '../../../../infra/local/serve/local-host.ts';
import { hostileNames } from '../../../support/any-audit-report.ts';
import { eventsOf, startProbeHost, TOKEN } from './probe-host.ts';

const PAGES = [
  '/',
  '/functions',
  '/functions/deliver-tickets',
  '/secrets',
  '/backups',
  '/migrations',
  '/tickets',
  '/queue',
  '/events',
];
const SLOW = { timeout: 15_000, interval: 50 };

let local: LocalHost;
let port: string;
beforeAll(async () => {
  local = await startProbeHost();
  port = new URL(local.consoleOrigin).port;
}, 120_000);
afterAll(() => local?.[Symbol.asyncDispose]());

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** Node's own client, which lets a Host and an Origin be said that are not ours. */
const ask = (path: string, headers: Record<string, string> = {}, body?: string): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST';
    const sent = request({ host: '127.0.0.1', port, path, method, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    sent.on('error', reject);
    sent.end(body);
  });

const signedIn = () => ({ cookie: `console-${port}=${TOKEN}` });
const look = (path: string): Promise<Answer> => ask(path, signedIn());
const submit = (path: string, values: Record<string, string> = {}): Promise<Answer> =>
  ask(
    path,
    { ...signedIn(), origin: `http://127.0.0.1:${port}`, 'content-type': 'application/x-www-form-urlencoded' },
    new URLSearchParams({ form: formTokenOf(TOKEN), ...values }).toString(),
  );

describe('without the token', () => {
  it.each([...PAGES, '/live', '/backups/report', '/nothing/here'])(
    '%s answers 401, and nothing of itself',
    async (path) => {
      const { status, text } = await ask(path);
      expect(status).toBe(401);
      expect(text).not.toContain('<');
      for (const cookie of [`console-${port}=wrong`, `console-${port}=`, `console-${port}=${TOKEN}x`])
        expect((await ask(path, { cookie })).status).toBe(401);
      expect((await ask(`${path}?token=wrong`)).status).toBe(401);
    },
  );

  it('nothing can be changed', async () => {
    const origin = `http://127.0.0.1:${port}`;
    expect((await ask('/queue/redrive', { origin }, '')).status).toBe(401);
    expect((await ask(`/queue/redrive?token=${TOKEN}`, { origin }, '')).status).toBe(401);
  });
});

describe('the token', () => {
  it('becomes a cookie, and leaves the address', async () => {
    const { status, headers } = await ask(`/queue?token=${TOKEN}`);
    expect(status).toBe(303);
    expect(headers['location']).toBe('/queue');
    const kept = await ask(`/functions/deliver-tickets?kind=json&token=${TOKEN}`);
    expect(kept.headers['location']).toBe('/functions/deliver-tickets?kind=json');
    expect(await ask(`/queue?token=${TOKEN}`, signedIn())).toMatchObject({
      status: 303,
      headers: { location: '/queue' },
    });
    expect(headers['set-cookie']).toEqual([`console-${port}=${TOKEN}; HttpOnly; SameSite=Strict; Path=/`]);
  });
});

describe('a page elsewhere', () => {
  it.each(['evil.example', 'evil.example:4700', '127.0.0.1', 'localhost:1'])(
    'that leads its name %s here gets 403, token or not',
    async (host) => {
      expect((await ask('/', { host, ...signedIn() })).status).toBe(403);
      expect((await ask(`/?token=${TOKEN}`, { host })).status).toBe(403);
    },
  );

  it.each(['https://evil.example', 'null', 'http://127.0.0.1:1'])(
    'with the origin %s can send no form',
    async (origin) => {
      expect((await ask('/queue/redrive', { ...signedIn(), origin }, '')).status).toBe(403);
    },
  );

  it('can send no form without saying where it is from', async () => {
    expect((await ask('/queue/redrive', signedIn(), '')).status).toBe(403);
  });
});

describe('a form', () => {
  it('without the token of the console’s own forms changes nothing, cookie or not', async () => {
    local.machine.alertDeadLetters.send({ body: '{}', group: 'form', deduplicationId: 'form' });
    for (const form of ['', 'wrong', TOKEN]) expect((await submit('/queue/redrive', { form })).status).toBe(403);
    expect(local.machine.alertDeadLetters.messages).toHaveLength(1);
    expect((await submit('/queue/redrive')).status).toBe(303);
  });

  it('that is too large is not read', async () => {
    expect((await submit('/queue/redrive', { event: 'x'.repeat(1_100_000) })).status).toBe(413);
  });
});

describe('every page', () => {
  it.each(PAGES)('%s is whole, strict, and names one page as the current one', async (path) => {
    const { status, headers, text } = await look(path);
    expect(status, text.slice(-500)).toBe(200);
    expect(headers['content-security-policy']).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-[^']+'/,
    );
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'x-frame-options': 'DENY',
    });
    expect(text.match(/aria-current="page"/g)).toHaveLength(1);
    expect(text).not.toContain(TOKEN);
    expect(Buffer.byteLength(text)).toBeLessThan(200_000);
  });

  it('shows no value of a secret', async () => {
    const values = Object.values(local.machine.aws.secretsManager.secrets).flatMap(({ versions }) =>
      versions.flatMap(({ text = '' }) => /"clientSecret":"([^"]+)"/.exec(text)?.[1] ?? []),
    );
    expect(values.length).toBeGreaterThan(2);
    for (const path of PAGES) {
      const { text } = await look(path);
      for (const value of values) expect(text).not.toContain(value);
    }
  });

  it('is made in less than a tenth of a second', async () => {
    for (const path of PAGES) {
      const times: number[] = [];
      for (let nth = 0; nth < 5; nth++) {
        const { headers } = await look(path);
        times.push(Number(/dur=([\d.]+)/.exec(String(headers['server-timing']))?.[1]));
      }
      // The middle one: other tests have the machine as well.
      expect(times.toSorted((a, b) => a - b)[2], path).toBeLessThan(100);
    }
  });

  it('that is not there says so in the console’s own words', async () => {
    expect((await look('/nothing')).status).toBe(404);
    expect((await look('/functions/none')).status).toBe(404);
  });
});

describe('running a function', () => {
  it('by hand sends its event, and shows what became of it', async () => {
    const sent = await submit('/functions/audit-snapshot-schedules/run', {
      kind: 'json',
      event: '{"mode": "evidence"}',
      mode: 'run',
    });
    expect(sent).toMatchObject({ status: 303, headers: { location: '/functions/audit-snapshot-schedules?kind=json' } });
    await vi.waitFor(
      () => expect(eventsOf(local, 'audit-snapshot-schedules')[0]?.event).toEqual({ mode: 'evidence' }),
      SLOW,
    );
    expect((await look('/functions/audit-snapshot-schedules')).text).toContain('evidence');
  });

  it('is a dry run unless it is asked for in so many words', async () => {
    const typed = { kind: 'json', event: '{"dryRun": false}', mode: 'something' };
    await submit('/functions/audit-snapshot-schedules/run', typed);
    await vi.waitFor(
      () => expect(eventsOf(local, 'audit-snapshot-schedules')[0]?.event).toEqual({ dryRun: true }),
      SLOW,
    );
  });

  it.each(['[1]', 'nonsense', '"text"'])('with the event %s is refused, and what was typed stays', async (event) => {
    const { status, text } = await submit('/functions/audit-snapshot-schedules/run', {
      kind: 'json',
      event,
      mode: 'run',
    });
    expect(status).toBe(400);
    expect(text).toContain('no JSON object');
    expect(text).toContain(event.replaceAll('"', '&quot;'));
  });

  it('is asked for field by field, and each wrong one is told beside its field', async () => {
    const path = '/functions/command-live-migration';
    const form = (await look(`${path}?kind=approve-cutover`)).text;
    for (const name of ['f.runId', 'f.approvalId', 'f.confirms.writesStopped'])
      expect(form).toContain(`name="${name}"`);
    const typed = { kind: 'approve-cutover', mode: 'run', 'f.runId': 'nope', 'f.approvedBy': '"><script>' };
    const { status, text } = await submit(`${path}/run`, typed);
    expect(status).toBe(400);
    expect(text).toContain('must be the id a start answered with');
    expect(text).toContain('value="&quot;&gt;&lt;script&gt;"');
    expect(text.match(/aria-invalid="true"/g)?.length).toBeGreaterThanOrEqual(4);
    const sent = {
      ...typed,
      'f.runId': `lm-${'a'.repeat(20)}`,
      'f.approvalId': 'one',
      'f.planDigest': 'b'.repeat(64),
      'f.approvedBy': 'grace',
      'f.confirms.writesStopped': 'on',
      'f.confirms.inventoryAccepted': 'on',
    };
    expect((await submit(`${path}/run`, sent)).status).toBe(303);
    await vi.waitFor(
      () =>
        expect(eventsOf(local, 'command-live-migration').map(({ event }) => event)).toContainEqual({
          action: 'approve-cutover',
          runId: sent['f.runId'],
          approvalId: 'one',
          planDigest: sent['f.planDigest'],
          approvedBy: 'grace',
          confirms: { writesStopped: true, inventoryAccepted: true },
        }),
      SLOW,
    );
  });

  it('that knows no dry run is not run as one', async () => {
    const typed = { kind: 'event', mode: 'dry', 'f.SecretId': 's', 'f.Step': 'testSecret' };
    const { status, text } = await submit('/functions/rotate-service-account-secret/run', typed);
    expect(status).toBe(400);
    expect(text).toContain('knows no dry run');
  });

  it('that fails is on the overview, for a person', async () => {
    await local.machine.invoke('remediate-snapshot-schedules', { fail: true }).catch(() => {});
    await vi.waitFor(
      async () => expect((await look('/')).text).toContain('remediate-snapshot-schedules: Broken: it broke'),
      SLOW,
    );
  });
});

describe('the queue', () => {
  it('gives back what was given up, as new', async () => {
    local.machine.alertDeadLetters.send({ body: '{"alert": 1}', group: 'g', deduplicationId: '1' });
    expect((await look('/queue')).text).toContain('Put all of them back');
    expect((await submit('/queue/redrive')).status).toBe(303);
    await vi.waitFor(
      () => expect(local.host.ledger.runs('deliver-tickets')[0]).toMatchObject({ trigger: 'queue' }),
      SLOW,
    );
    expect(local.machine.alertDeadLetters.messages).toEqual([]);
  });

  it('tries an event again that was given up, or forgets it', async () => {
    local.host.events.keep('sweep-service-account-secrets', { again: true }, 'it broke');
    local.host.events.keep('sweep-service-account-secrets', { again: false }, 'it broke');
    const [first, second] = local.host.events.stranded;
    expect((await submit('/queue/events/redrive', { id: String(first?.id) })).status).toBe(303);
    expect((await submit('/queue/events/dismiss', { id: String(second?.id) })).status).toBe(303);
    expect((await submit('/queue/events/dismiss', { id: String(second?.id) })).status).toBe(404);
    await vi.waitFor(
      () =>
        expect(eventsOf(local, 'sweep-service-account-secrets').map(({ event }) => event)).toContainEqual({
          again: true,
        }),
      SLOW,
    );
    expect(local.host.events.stranded).toEqual([]);
  });
});

describe('what others wrote', () => {
  it('is inert on every page', { timeout: 60_000 }, async () => {
    const client = new SecretsManagerClient(local.machine.sdk);
    const hostile = [
      ...hostileNames,
      '<script>alert(1)</script>',
      '"><img src=x onerror=alert(1)>',
      'x'.repeat(10_000),
    ];
    const value = JSON.stringify({ clientId: '<script>alert(2)</script>', clientSecret: 's' });
    await client.send(new CreateSecretCommand({ Name: 'hostile/one', SecretString: value }));
    client.destroy();
    for (const [nth, name] of hostile.entries()) {
      local.machine.aws.events.putServiceEvent('aws.secretsmanager', name.slice(0, 500), { name });
      local.machine.alertDeadLetters.send({ body: name, group: name, deduplicationId: String(nth) });
      local.host.events.keep('deliver-tickets', { name }, name);
      await local.machine
        .invoke('remediate-snapshot-schedules', { fail: true, why: name, print: name })
        .catch(() => {});
      await local.machine.invoke('remediate-snapshot-schedules', { print: name });
    }
    for (const path of [...PAGES, '/functions/remediate-snapshot-schedules']) {
      const { text } = await look(path);
      const scripts: string[] = [];
      const visit = (node: DefaultTreeAdapterTypes.Node): void => {
        if ('tagName' in node) {
          if (['script', 'img', 'iframe'].includes(node.tagName)) scripts.push(node.tagName);
          for (const { name } of node.attrs) expect(name).not.toMatch(/^on/);
        }
        if ('childNodes' in node) node.childNodes.forEach(visit);
      };
      parse(text).childNodes.forEach(visit);
      expect(scripts, path).toEqual(['script']);
      expect(Buffer.byteLength(text), path).toBeLessThan(200_000);
      for (const unseen of ['\u202e', '\u0007', '\u001b']) expect(text.includes(unseen), path).toBe(false);
    }
    for (const { id } of [...local.host.events.stranded]) local.host.events.dismiss(id);
  });
});

describe('a queue that cannot be read', () => {
  it('is said once, is asked less and less often, and is forgotten once it can', async () => {
    await using refused = await startProbeHost();
    const deliver = vi.spyOn(refused.machine, 'deliver').mockRejectedValue(new Error('AccessDenied: <b>no</b>'));
    const overview = async (): Promise<string> => {
      const entered = await fetch(`${refused.consoleOrigin}/?token=${TOKEN}`, { redirect: 'manual' });
      const cookie = entered.headers.getSetCookie()[0]?.split(';')[0] ?? '';
      return (await fetch(refused.consoleOrigin, { headers: { cookie } })).text();
    };
    await expect.poll(() => deliver.mock.calls.length, SLOW).toBeGreaterThan(2);
    expect(await overview()).toContain(
      'delivering alerts fails, and is tried again: AccessDenied: &lt;b&gt;no&lt;/b&gt;',
    );
    expect(refused.host.ledger.lines('host').filter((line) => line.includes('AccessDenied'))).toHaveLength(1);
    // After 0.25 s, then twice as long each time.
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(deliver.mock.calls.length).toBeLessThan(6);
    deliver.mockRestore();
    await expect.poll(overview, SLOW).not.toContain('is tried again');
  });
});

describe('live news', () => {
  it('comes when something happened', async () => {
    const answer = await fetch(`${local.consoleOrigin}/live`, { headers: signedIn() });
    expect(answer.headers.get('content-type')).toContain('text/event-stream');
    const reader = answer.body?.getReader();
    await local.machine.invoke('sweep-service-account-secrets', {});
    const { value } = (await reader?.read()) ?? {};
    expect(new TextDecoder().decode(value)).toContain('data: changed');
    await reader?.cancel();
  });
});
