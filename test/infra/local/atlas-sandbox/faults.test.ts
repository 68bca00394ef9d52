import { Agent, request } from 'undici';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMovableClock } from '../../../../infra/local/clock.ts';
import type { Loopback } from '../../../../infra/local/loopback.ts';
import { createScene, failure, read, signIn, tokenRequest, VERSIONED } from './client.ts';

const body = JSON.stringify({ secretExpiresAfterHours: 720 });

describe('planned faults in this process', () => {
  it('reject like a failed fetch when the answer is lost', async () => {
    const { sandbox, owner, orgAccount, accountPath } = createScene();
    const { send } = await signIn(sandbox, owner);
    const operation = 'createOrgServiceAccountSecret';
    sandbox.faults.plan([{ operation, nth: 1, fault: { kind: 'lost' } }]);
    await expect(send('POST', `${accountPath(orgAccount)}/secrets`, body)).rejects.toThrow(TypeError);
    expect(orgAccount.secrets).toHaveLength(1);
    expect(sandbox.faults.journal).toEqual([
      { operation: 'mintToken', status: 200 },
      { operation, fault: 'lost' },
    ]);
  });

  it('refuse in Atlas’s own words before credentials are looked at', async () => {
    const { sandbox, owner, orgAccount, accountPath } = createScene();
    const { get, send } = await signIn(sandbox, owner);
    sandbox.faults.plan([
      { operation: 'createOrgServiceAccountSecret', nth: 1, fault: { kind: 'refuse', status: 500 } },
      { operation: 'listOrgs', nth: 1, fault: { kind: 'refuse', status: 429, retryAfterSeconds: 7 } },
      { operation: 'listOrgs', nth: 2, fault: { kind: 'refuse', status: 429 } },
      { operation: 'mintToken', nth: 1, fault: { kind: 'refuse', status: 403 } },
      { operation: 'mintToken', nth: 2, fault: { kind: 'refuse', status: 503, retryAfterSeconds: 3 } },
    ]);
    const broken = await send('POST', `${accountPath(orgAccount)}/secrets`, body);
    expect(await failure(broken)).toEqual({ status: 500, errorCode: 'UNEXPECTED_ERROR' });
    expect(orgAccount.secrets).toHaveLength(0);
    const limited = await get('/orgs', { authorization: 'none' });
    expect(limited.headers.get('retry-after')).toBe('7');
    expect(limited.headers.get('date')).not.toBeNull();
    expect(await failure(limited)).toEqual({ status: 429, errorCode: 'RATE_LIMITED_TOKEN_BUCKET' });
    expect((await get('/orgs')).headers.has('retry-after')).toBe(false);
    expect(await read(await sandbox.fetch(tokenRequest('Basic x')))).toMatchObject({ error: 'access_denied' });
    const down = await sandbox.fetch(tokenRequest('Basic x'));
    expect([down.status, down.headers.get('retry-after')]).toEqual([503, '3']);
    expect(await read(down)).toMatchObject({ error: 'server_error' });
  });

  it('meet unknown paths too, under a name of their own', async () => {
    const { sandbox } = createScene();
    await sandbox.fetch(new Request('https://atlas.test/nowhere'));
    expect(sandbox.faults.journal).toEqual([{ operation: 'unknownPath', status: 404 }]);
  });
});

describe('over HTTP', () => {
  let agent: Agent;
  let served: Loopback;
  let scene: ReturnType<typeof createScene>;

  beforeEach(async () => {
    scene = createScene({ clock: createMovableClock(new Date('2031-05-06T07:08:09Z')) });
    served = await scene.sandbox.listen();
    agent = new Agent();
  });

  afterEach(async () => {
    await agent.destroy();
    await served[Symbol.asyncDispose]();
  });

  async function create() {
    const { token } = await signIn(scene.sandbox, scene.owner);
    return request(`${served.origin}/api/atlas/v2${scene.accountPath(scene.orgAccount)}/secrets`, {
      dispatcher: agent,
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, accept: VERSIONED, 'content-type': VERSIONED },
      body,
    });
  }

  it('serves the same state, dated by the clock of the sandbox', async () => {
    const { statusCode, headers, body: answer } = await create();
    expect(statusCode).toBe(201);
    expect(headers['content-type']).toBe('application/vnd.atlas.2024-08-05+json;charset=utf-8');
    expect(headers['date']).toMatch(/^Tue, 06 May 2031 07:08:\d\d GMT$/);
    expect(await answer.json()).toMatchObject({ id: scene.orgAccount.secrets[0]?.id });
  });

  it('links what it lists by the address it was called at, and its pages by the one of Atlas', async () => {
    const { token } = await signIn(scene.sandbox, scene.owner);
    const { body: answer } = await request(`${served.origin}/api/atlas/v2/orgs`, {
      dispatcher: agent,
      headers: { authorization: `Bearer ${token}`, accept: VERSIONED },
    });
    const page = (await answer.json()) as { links: { href: string }[]; results: { links: { href: string }[] }[] };
    expect(page.results[0]?.links[0]?.href).toMatch(new RegExp(`^${served.origin}/api/atlas/v2/orgs/`));
    expect(page.links[0]?.href).toMatch(/^https:\/\/cloud\.mongodb\.com\/api\/atlas\/v2\/orgs\?/);
  });

  it('drops the connection of a lost answer, carried out', async () => {
    const operation = 'createOrgServiceAccountSecret';
    scene.sandbox.faults.plan([{ operation, nth: 1, fault: { kind: 'lost' } }]);
    await expect(create()).rejects.toMatchObject({ code: 'UND_ERR_SOCKET' });
    expect(scene.orgAccount.secrets).toHaveLength(1);
    expect((await create()).statusCode).toBe(201);
  });

  it('carries a late request out after its connection is gone', async () => {
    const operation = 'createOrgServiceAccountSecret';
    scene.sandbox.faults.plan([{ operation, nth: 1, fault: { kind: 'late', ms: 60_000 } }]);
    await expect(create()).rejects.toMatchObject({ code: 'UND_ERR_SOCKET' });
    expect(scene.orgAccount.secrets).toHaveLength(0);
    await scene.sandbox.faults.settle();
    expect(scene.orgAccount.secrets).toHaveLength(1);
  });

  it('refuses one of two creates that overlap on the wire', async () => {
    scene.world.secretCreationMs = 50;
    const statuses = (await Promise.all([create(), create()])).map(({ statusCode }) => statusCode);
    expect(statuses.sort()).toEqual([201, 409]);
  });
});
