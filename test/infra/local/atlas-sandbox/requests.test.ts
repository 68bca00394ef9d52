import { describe, expect, it } from 'vitest';
import { createMovableClock } from '../../../../infra/local/clock.ts';
import { createScene, failure, ORIGIN, read, signIn, V2, VERSIONED } from './client.ts';

const accept = (date: string): Record<string, string> => ({ accept: `application/vnd.atlas.${date}+json` });

describe('versions', () => {
  it.each(['2023-01-01', '2024-08-05', '2025-03-12', '2099-12-31'])(
    'serves the newest version that is not younger than %s',
    async (date) => {
      const { sandbox, owner } = createScene();
      const response = await (await signIn(sandbox, owner)).get('/orgs', accept(date));
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toBe('application/vnd.atlas.2023-01-01+json;charset=utf-8');
    },
  );

  it.each([
    ['a date before the first version', 'application/vnd.atlas.2024-08-04+json'],
    ['plain JSON', 'application/json'],
    ['anything', '*/*'],
    ['no day of the calendar', 'application/vnd.atlas.2024-13-45+json'],
    ['preview', 'application/vnd.atlas.preview+json'],
  ])('answers 406 to %s', async (_, value) => {
    const { sandbox, owner, accountPath } = createScene();
    const response = await (await signIn(sandbox, owner)).get(accountPath(owner), { accept: value });
    expect(response.status).toBe(406);
    expect(response.headers.get('content-type')).toBe('application/json');
  });

  it('answers 406 without Accept', async () => {
    const { sandbox, owner } = createScene();
    const { token } = await signIn(sandbox, owner);
    const response = await sandbox.fetch(new Request(V2, { headers: { authorization: `Bearer ${token}` } }));
    expect(response.status).toBe(406);
  });

  it.each([
    [200, VERSIONED],
    [200, 'application/vnd.atlas.2025-03-12+json'],
    [200, 'application/json; charset=utf-8'],
    [415, 'application/vnd.atlas.2023-01-01+json'],
    [415, 'text/plain'],
  ])('answers %d to a body of type %s', async (status, type) => {
    const { sandbox, owner, accountPath } = createScene();
    const { send } = await signIn(sandbox, owner);
    const response = await send('PATCH', accountPath(owner), { name: 'renamed' }, { 'content-type': type });
    expect(response.status).toBe(status);
  });
});

describe('errors', () => {
  it('are plain JSON with the code in the body and in a header', async () => {
    const { sandbox, owner } = createScene();
    const response = await (await signIn(sandbox, owner)).get(`/groups/${'1'.repeat(24)}/serviceAccounts`);
    expect(response.status).toBe(404);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(response.headers.get('x-error-code')).toBe('GROUP_NOT_FOUND');
    expect(await read(response)).toEqual({
      detail: 'No group with ID 111111111111111111111111 exists.',
      error: 404,
      errorCode: 'GROUP_NOT_FOUND',
      parameters: ['111111111111111111111111'],
      reason: 'Not Found',
    });
  });

  it.each([
    ['/nothing', 'RESOURCE_NOT_FOUND'],
    ['/groups/not-hex/serviceAccounts', 'INVALID_GROUP_ID'],
    ['/orgs/not-hex/serviceAccounts', 'ORG_NOT_FOUND'],
    [`/orgs/${'1'.repeat(24)}/serviceAccounts`, 'ORG_NOT_FOUND'],
  ])('answer 404 to %s with %s', async (path, errorCode) => {
    const { sandbox, owner } = createScene();
    const response = await (await signIn(sandbox, owner)).get(path);
    expect(await failure(response)).toEqual({ status: 404, errorCode });
  });

  it('answer 404 to an account that is not there, at either level', async () => {
    const { sandbox, owner, orgAccount, accountPath, groupPath } = createScene();
    const { get } = await signIn(sandbox, owner);
    const unknown = accountPath(owner).replace(/[a-f0-9]{24}$/, '0'.repeat(24));
    expect((await get(unknown)).status).toBe(404);
    expect((await get(groupPath(orgAccount))).status).toBe(404);
  });
});

describe('rate limits', () => {
  const limits = { rates: { organizations: { capacity: 2, refill: 1, seconds: 60 } } };

  it('count every call and refuse the one too many until the bucket refills', async () => {
    const { sandbox, owner } = createScene({ limits });
    const { get } = await signIn(sandbox, owner);
    const remaining = async (): Promise<string | null> => (await get('/orgs')).headers.get('ratelimit-remaining');
    expect((await get('/orgs')).headers.get('ratelimit-limit')).toBe('2');
    sandbox.clock.advance(5_000);
    expect(await remaining()).toBe('0');
    const refused = await get('/orgs');
    expect(refused.status).toBe(429);
    expect(refused.headers.get('ratelimit-remaining')).toBe('0');
    const wait = Number(refused.headers.get('retry-after'));
    expect(wait).toBeGreaterThan(50);
    expect(wait).toBeLessThanOrEqual(55);
    expect(await read(refused)).toEqual({
      detail: `Rate limit exceeded for api/atlas/v2/orgs. Please retry after ${wait} seconds. Request capacity: 2. Refill rate: 1 per 60 seconds.`,
      error: 429,
      errorCode: 'RATE_LIMITED_TOKEN_BUCKET',
      parameters: ['api/atlas/v2/orgs', wait, 2, 1, 60],
      reason: 'Too Many Requests',
    });
    sandbox.clock.advance(wait * 1000);
    expect((await get('/orgs')).status).toBe(200);
    expect((await get('/orgs')).status).toBe(429);
    sandbox.clock.advance(600_000);
    expect(await remaining()).toBe('1');
  });

  it('begin a period with the first call taken from a full bucket', async () => {
    const rates = { organizations: { capacity: 1, refill: 1, seconds: 60 } };
    const { sandbox, owner } = createScene({ limits: { rates } });
    const { get } = await signIn(sandbox, owner);
    await get('/orgs');
    sandbox.clock.advance(90_000);
    await get('/orgs');
    expect(Number((await get('/orgs')).headers.get('retry-after'))).toBeGreaterThan(55);
  });

  it('are separate for each endpoint set and subject', async () => {
    const { sandbox, owner, orgAccount } = createScene({ limits });
    const mine = await signIn(sandbox, owner);
    const theirs = await signIn(sandbox, orgAccount);
    for (let n = 0; n < 3; n += 1) await mine.get('/orgs');
    expect((await mine.get('/orgs')).status).toBe(429);
    expect((await mine.get('/groups')).status).toBe(200);
    expect((await theirs.get('/orgs')).status).toBe(200);
  });

  it('are shared by every account of an organization where the scope is the organization', async () => {
    const { sandbox, owner, orgAccount, accountPath } = createScene();
    const mine = await signIn(sandbox, owner);
    const theirs = await signIn(sandbox, orgAccount);
    expect((await mine.get(accountPath(owner))).headers.get('ratelimit-limit')).toBe('500');
    expect((await theirs.get(accountPath(owner))).headers.get('ratelimit-remaining')).toBe('498');
  });

  it('show on refusals in a known scope, and not where the scope is unknown', async () => {
    const { sandbox, orgAccount, accountPath } = createScene();
    const { get, send } = await signIn(sandbox, orgAccount);
    const refused = await send('POST', `${accountPath(orgAccount)}/secrets`, { secretExpiresAfterHours: 8 });
    expect(refused.status).toBe(401);
    expect(refused.headers.get('ratelimit-remaining')).toBe('499');
    const unknown = await get(`/groups/${'1'.repeat(24)}/serviceAccounts`);
    expect(unknown.headers.has('ratelimit-limit')).toBe(false);
  });
});

describe('pages', () => {
  async function pages(projects: number) {
    const scene = createScene();
    for (let n = 1; n < projects; n += 1) scene.world.addProject(scene.org, { name: `project ${n}` });
    const { get } = await signIn(scene.sandbox, scene.owner);
    return { get, page: async (query: string) => read(await get(`/groups${query}`)) };
  }
  const links = (body: { links: { rel: string; href: string }[] }): Record<string, string> =>
    Object.fromEntries(body.links.map(({ rel, href }) => [rel, href]));

  it('are linked by addresses at cloud.mongodb.com, whoever was asked, as long as they are full', async () => {
    const { page } = await pages(5);
    const first = await page('?itemsPerPage=2');
    expect(first.totalCount).toBe(5);
    expect(links(first)).toEqual({
      self: 'https://cloud.mongodb.com/api/atlas/v2/groups?itemsPerPage=2&includeCount=true&pageNum=1',
      next: 'https://cloud.mongodb.com/api/atlas/v2/groups?itemsPerPage=2&includeCount=true&pageNum=2',
    });
    const second = await page(new URL(links(first)['next']!).search);
    expect(Object.keys(links(second))).toEqual(['self', 'previous', 'next']);
    const last = await page(new URL(links(second)['next']!).search);
    expect(last.results).toHaveLength(1);
    expect(Object.keys(links(last))).toEqual(['self', 'previous']);
    const ids = [first, second, last].flatMap(({ results }) => results.map(({ id }: { id: string }) => id));
    expect(new Set(ids).size).toBe(5);
  });

  it('link to an empty last page when the one before is just full', async () => {
    const { page } = await pages(2);
    const first = await page('?itemsPerPage=2');
    const second = await page(new URL(links(first)['next']!).search);
    expect(second.results).toEqual([]);
    expect(links(second)['next']).toBeUndefined();
  });

  it('leave the count out on request', async () => {
    const { page } = await pages(1);
    expect(await page('?includeCount=false')).not.toHaveProperty('totalCount');
  });

  it('hold 100 items unless asked otherwise, and never more than 500', async () => {
    const { page } = await pages(101);
    expect((await page('')).results).toHaveLength(100);
    expect((await page('?itemsPerPage=500')).results).toHaveLength(101);
  });

  it.each(['itemsPerPage=501', 'itemsPerPage=0', 'pageNum=0', 'pageNum=x', 'includeCount=maybe'])(
    'answer 400 to %s and name the parameter',
    async (query) => {
      const { get } = await pages(1);
      const response = await get(`/groups?${query}`);
      expect(response.status).toBe(400);
      expect(await read(response)).toMatchObject({
        errorCode: 'INVALID_ATTRIBUTE',
        parameters: [query.split('=')[0]],
      });
    },
  );
});

describe('what a caller sees', () => {
  it('is its own organization, by the start of its name', async () => {
    const { sandbox, world, org, owner } = createScene();
    world.addOrg({ name: 'Other' });
    const { get } = await signIn(sandbox, owner);
    expect((await read(await get('/orgs'))).results).toMatchObject([{ id: org.id, name: 'Acme', isDeleted: false }]);
    expect((await read(await get('/orgs?name=ac'))).results).toHaveLength(1);
    expect((await read(await get('/orgs?name=me'))).results).toHaveLength(0);
  });

  it('is every project for organization readers, and the assigned ones for others', async () => {
    const { sandbox, world, org, project, orgAccount, projectAccount } = createScene();
    const second = world.addProject(org, { name: 'second' });
    world.addProject(world.addOrg({ name: 'Other' }), { name: 'foreign' });
    const ids = async (calls: { get(path: string): Promise<Response> }): Promise<string[]> =>
      (await read(await calls.get('/groups'))).results.map(({ id }: { id: string }) => id);
    expect(await ids(await signIn(sandbox, orgAccount))).toEqual([project.id, second.id]);
    expect(await ids(await signIn(sandbox, projectAccount))).toEqual([project.id]);
  });

  it('is the state of the system, without an API key', async () => {
    const { sandbox, owner } = createScene();
    const body = await read(await (await signIn(sandbox, owner)).get(''));
    expect(body).toMatchObject({ appName: 'MongoDB Atlas', apiKey: null, throttling: false });
  });
});

describe('time and chance', () => {
  it('dates every answer by the clock of the sandbox', async () => {
    const clock = createMovableClock(new Date('2031-05-06T07:08:09Z'));
    const { sandbox, owner } = createScene({ clock });
    const { get } = await signIn(sandbox, owner);
    expect((await get('')).headers.get('date')).toBe('Tue, 06 May 2031 07:08:09 GMT');
    expect((await sandbox.fetch(new Request(`${ORIGIN}/nowhere`))).headers.get('date')).toMatch(/2031/);
  });

  it('draws the same ids and secrets from the same seed, and others from another', () => {
    const draw = (seed: string): string => {
      const { world, owner } = createScene({ seed });
      return owner.clientId + world.addSecret(owner).value;
    };
    expect(draw('a')).toBe(draw('a'));
    expect(draw('a')).not.toBe(draw('b'));
    expect(draw('a')).toMatch(/^mdb_sa_id_[a-f0-9]{24}mdb_sa_sk_[\w-]{40}$/);
  });
});
