import { describe, expect, it } from 'vitest';
import { createScene, failure, read, signIn } from './client.ts';

const LATEST = { accept: 'application/vnd.atlas.2025-03-12+json', 'content-type': 'application/json' };

async function accessScene() {
  const scene = createScene();
  return { ...scene, ...(await signIn(scene.sandbox, scene.owner)), group: `/groups/${scene.project.id}` };
}

describe('adding a user to a project', () => {
  const body = { username: 'jo@example.com', roles: ['GROUP_READ_ONLY'] };

  it('invites a stranger', async () => {
    const { owner, send, group } = await accessScene();
    const response = await send('POST', `${group}/users`, body, LATEST);
    expect(response.status).toBe(201);
    expect(await read(response)).toMatchObject({
      ...body,
      orgMembershipStatus: 'PENDING',
      inviterUsername: owner.clientId,
    });
  });

  it('lets a member of the organization in at once', async () => {
    const { world, org, send, group } = await accessScene();
    const { id } = world.access.addUser(org, { username: body.username });
    const response = await send('POST', `${group}/users`, body, LATEST);
    expect(await read(response)).toMatchObject({
      id,
      orgMembershipStatus: 'ACTIVE',
      firstName: 'Jo',
      roles: body.roles,
    });
  });

  it('is refused the second time', async () => {
    const { send, group } = await accessScene();
    await send('POST', `${group}/users`, body, LATEST);
    const response = await send('POST', `${group}/users`, body, LATEST);
    expect(await failure(response)).toEqual({ status: 409, errorCode: 'USER_ALREADY_EXISTS' });
  });

  it.each([
    { ...body, username: 'jo' },
    { ...body, roles: [] },
    { ...body, roles: ['GROUP_KING'] },
  ])('is refused with %j', async (invalid) => {
    const { send, group } = await accessScene();
    expect((await send('POST', `${group}/users`, invalid, LATEST)).status).toBe(400);
  });
});

describe('role mappings', () => {
  it('are deleted within their organization and federation', async () => {
    const { world, org, send } = await accessScene();
    const { id } = world.access.addRoleMapping(org, 'f'.repeat(24), 'admins');
    const path = (federation: string): string =>
      `/federationSettings/${federation.repeat(24)}/connectedOrgConfigs/${org.id}/roleMappings/${id}`;
    expect((await send('DELETE', path('e'))).status).toBe(404);
    expect((await send('DELETE', path('f'))).status).toBe(204);
    expect((await send('DELETE', path('f'))).status).toBe(404);
  });
});

describe('integrations', () => {
  it('show the ends of their keys only', async () => {
    const { world, project, get, group } = await accessScene();
    world.access.addIntegration(project, { type: 'PAGER_DUTY', region: 'US', serviceKey: `${'0'.repeat(28)}1234` });
    world.access.addIntegration(project, { type: 'WEBHOOK', url: 'https://example.com/hook/abcd', secret: 's3cr3t' });
    const { results } = await read(await get(`${group}/integrations`));
    expect(results).toMatchObject([
      { type: 'PAGER_DUTY', region: 'US', serviceKey: `${'*'.repeat(28)}1234` },
      { type: 'WEBHOOK', url: 'https://example.com/****abcd', secret: '**cr3t' },
    ]);
  });
});

describe('the access history of a cluster', () => {
  async function history() {
    const scene = await accessScene();
    const { world, project, get, group } = scene;
    world.clusters.add(project, { name: 'db' });
    world.clusters.add(project, { name: 'flex', kind: 'flex' });
    for (const [at, authResult] of [true, false, true].entries()) {
      const ipAddress = `192.0.2.${at}`;
      world.access.logAccess(project, 'db', {
        at: new Date(Date.UTC(2026, 0, at + 1)),
        authResult,
        username: 'app',
        ipAddress,
      });
    }
    const addresses = async (query: string): Promise<string[]> => {
      const { accessLogs } = await read(await get(`${group}/dbAccessHistory/clusters/db${query}`));
      return accessLogs.map(({ ipAddress }: { ipAddress: string }) => ipAddress);
    };
    return { ...scene, addresses };
  }
  const day = (date: number): number => Date.UTC(2026, 0, date);

  it.each([
    ['', ['192.0.2.2', '192.0.2.1', '192.0.2.0']],
    ['?authResult=true', ['192.0.2.2', '192.0.2.0']],
    ['?nLogs=1', ['192.0.2.2']],
    ['?ipAddress=192.0.2.1', ['192.0.2.1']],
    [`?start=${day(1)}&end=${day(2)}`, ['192.0.2.1', '192.0.2.0']],
  ])('asked for with "%s" is %j', async (query, expected) => {
    expect(await (await history()).addresses(query)).toEqual(expected);
  });

  it.each([
    [`db?start=${day(1)}`, 400, 'INVALID_ATTRIBUTE'],
    ['db?nLogs=20001', 400, 'INVALID_ATTRIBUTE'],
    ['nothing', 404, 'CLUSTER_NOT_FOUND'],
    ['flex', 400, 'CANNOT_USE_FLEX_CLUSTER_IN_CLUSTER_API'],
  ])('of %s is answered with %d', async (what, status, errorCode) => {
    const { get, group } = await history();
    expect(await failure(await get(`${group}/dbAccessHistory/clusters/${what}`))).toEqual({ status, errorCode });
  });

  it.each([
    ['GROUP_CLUSTER_LOG_VIEWER', 200],
    ['GROUP_DATABASE_ACCESS_ADMIN', 200],
    ['GROUP_READ_ONLY', 401],
  ] as const)('answers %s with %d', async (role, status) => {
    const { sandbox, world, project, group } = await history();
    const { get } = await signIn(sandbox, world.addProjectAccount(project, { name: 'x', roles: [role] }));
    expect((await get(`${group}/dbAccessHistory/clusters/db`)).status).toBe(status);
  });
});

describe('projects', () => {
  it('are shown with where to go on', async () => {
    const { project, get, group } = await accessScene();
    const body = await read(await get(group));
    expect(body).toMatchObject({ id: project.id, name: 'shop', clusterCount: 0 });
    expect(body.links.map(({ rel }: { rel: string }) => rel)).toContain('https://cloud.mongodb.com/peers');
  });

  it('of an organization are those the caller sees, by the start of their name', async () => {
    const { sandbox, world, org, projectAccount, get } = await accessScene();
    world.addProject(org, { name: 'billing' });
    const names = async (calls: { get(path: string): Promise<Response> }, query = ''): Promise<string[]> =>
      (await read(await calls.get(`/orgs/${org.id}/groups${query}`))).results.map(({ name }: { name: string }) => name);
    expect(await names({ get })).toEqual(['shop', 'billing']);
    expect(await names({ get }, '?name=bil')).toEqual(['billing']);
    expect(await names(await signIn(sandbox, projectAccount))).toEqual(['shop']);
  });

  it('of a service account come with its roles', async () => {
    const { project, projectAccount, accountPath, get } = await accessScene();
    const { results } = await read(await get(`${accountPath(projectAccount)}/groups`));
    expect(results).toEqual([{ groupId: project.id, roles: ['GROUP_OWNER'] }]);
  });
});

describe('rate limits', () => {
  const limits = { rates: { alerts: { capacity: 7 } } };

  it('are those of the sandbox, next to the published ones', async () => {
    const { sandbox, owner } = createScene({ limits });
    const { get } = await signIn(sandbox, owner);
    expect(await read(await get('/rateLimits/alerts', LATEST))).toEqual({
      endpointSetId: 'alerts',
      endpointSetName: 'Alerts',
      scope: 'GROUP',
      capacity: { value: 7, defaultValue: 1200 },
      refillRate: { value: 500, defaultValue: 500 },
      refillDurationSeconds: { value: 60, defaultValue: 60 },
      endpoints: expect.arrayContaining([{ method: 'GET', path: '/api/atlas/v2/groups/{groupId}/alerts' }]),
    });
  });

  it('are listed by scope, name and path', async () => {
    const { org, project, owner, get } = await accessScene();
    const list = async (query: string) => (await read(await get(`/rateLimits?${query}`, LATEST))).results;
    const scopes = async (query: string): Promise<string[]> =>
      [...new Set<string>((await list(query)).map(({ scope }: { scope: string }) => scope))].sort();
    expect(await scopes('')).toEqual(['GROUP', 'ORGANIZATION', 'USER']);
    expect(await scopes(`groupId=${project.id}`)).toEqual(['GROUP']);
    expect(await scopes(`orgId=${org.id}`)).toEqual(['ORGANIZATION']);
    expect(await scopes(`userId=${owner.clientId}`)).toEqual(['USER']);
    expect(await list('name=Group+Events')).toMatchObject([{ endpointSetId: 'groupEvents' }]);
    const path = encodeURIComponent('/api/atlas/v2/rateLimits');
    expect(await list(`endpointPath=${path}`)).toMatchObject([{ endpointSetId: 'rateLimits' }]);
  });

  it.each(['userId=somebody', `orgId=${'0'.repeat(24)}`, `groupId=${'0'.repeat(24)}`])(
    'are not told for %s',
    async (query) => {
      const { get } = await accessScene();
      expect((await get(`/rateLimits?${query}`, LATEST)).ok).toBe(false);
    },
  );
});
