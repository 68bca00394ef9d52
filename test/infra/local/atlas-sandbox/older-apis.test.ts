import { describe, expect, it } from 'vitest';
import { olderOperations } from '../../../../infra/local/atlas-sandbox/sandbox.ts';
import { createScene, failure, ORIGIN, read, signIn } from './client.ts';
import { awsPeer } from './contract-organization.ts';

async function olderScene() {
  const scene = createScene();
  const { token, get } = await signIn(scene.sandbox, scene.owner);
  const call = (method: string, path: string, body?: unknown, type = 'application/json'): Promise<Response> =>
    scene.sandbox.fetch(
      new Request(`${ORIGIN}/api/${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, ...(body !== undefined && { 'content-type': type }) },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
    );
  return { ...scene, get, call, v1: `atlas/v1.0/groups/${scene.project.id}` };
}

const container = { providerName: 'AWS', atlasCidrBlock: '10.8.0.0/21', regionName: 'US_EAST_1' };

describe('API v1.0', () => {
  it('has the 13 operations of network peering', () => {
    const v1 = olderOperations.filter(({ base }) => base === '/api/atlas/v1.0');
    expect(v1.map(({ method, path }) => `${method} ${path.replace('/groups/{groupId}/', '')}`).sort()).toEqual([
      'DELETE containers/{containerId}',
      'DELETE peers/{peerId}',
      'GET containers',
      'GET containers/all',
      'GET containers/{containerId}',
      'GET peers',
      'GET peers/{peerId}',
      'GET privateIpMode',
      'PATCH containers/{containerId}',
      'PATCH peers/{peerId}',
      'PATCH privateIpMode',
      'POST containers',
      'POST peers',
    ]);
  });

  it('shares its state with the versioned API, and answers plain JSON', async () => {
    const { project, get, call, v1 } = await olderScene();
    const created = await call('POST', `${v1}/containers`, container);
    expect(created.headers.get('content-type')).toBe('application/json');
    const { id: containerId } = await read(created);
    const peer = await read(await call('POST', `${v1}/peers`, { ...awsPeer, containerId }));
    expect(await read(await get(`/groups/${project.id}/peers/${peer.id}`))).toEqual(peer);
    expect((await read(await call('GET', `${v1}/containers/all`))).results).toHaveLength(1);
    expect((await call('DELETE', `${v1}/peers/${peer.id}`)).status).toBe(202);
  });

  it('links to itself', async () => {
    const { call, v1 } = await olderScene();
    const { links } = await read(await call('GET', `${v1}/peers`));
    expect(links[0].href).toContain(`/api/${v1}/peers?`);
  });

  it('takes no bodies of the versioned API', async () => {
    const { call, v1 } = await olderScene();
    const type = 'application/vnd.atlas.2023-01-01+json';
    expect((await call('POST', `${v1}/containers`, container, type)).status).toBe(415);
  });

  it('tells whether a project connects via peering only', async () => {
    const { world, project, call, v1 } = await olderScene();
    world.networking.privateIpMode.add(project.id);
    expect(await read(await call('GET', `${v1}/privateIpMode`))).toEqual({ enabled: true });
    await call('PATCH', `${v1}/privateIpMode`, { enabled: false });
    expect(await read(await call('GET', `${v1}/privateIpMode`))).toEqual({ enabled: false });
  });

  it('has no rate headers', async () => {
    const { call, v1 } = await olderScene();
    expect((await call('GET', `${v1}/peers`)).headers.has('ratelimit-limit')).toBe(false);
  });

  it('asks for the same roles', async () => {
    const { sandbox, world, project, v1 } = await olderScene();
    const { token } = await signIn(
      sandbox,
      world.addProjectAccount(project, { name: 'r', roles: ['GROUP_READ_ONLY'] }),
    );
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const body = JSON.stringify(container);
    const request = new Request(`${ORIGIN}/api/${v1}/containers`, { method: 'POST', headers, body });
    expect(await failure(await sandbox.fetch(request))).toEqual({ status: 401, errorCode: 'USER_UNAUTHORIZED' });
  });
});

describe('Cloud Manager', () => {
  it('describes its projects', async () => {
    const { world, org, call } = await olderScene();
    const { id } = world.addCloudManagerProject(org, { name: 'on premises', hostCounts: { primary: 2 } });
    const response = await call('GET', `public/v1.0/groups/${id}`);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await read(response)).toEqual({
      id,
      orgId: org.id,
      name: 'on premises',
      hostCounts: { arbiter: 0, config: 0, primary: 2, secondary: 0, mongos: 0, master: 0, slave: 0 },
      activeAgentCount: 1,
      agentApiKey: expect.any(String),
      lastActiveAgent: expect.stringMatching(/Z$/),
      links: [{ href: `${ORIGIN}/api/public/v1.0/groups/${id}`, rel: 'self' }],
      publicApiEnabled: true,
      replicaSetCount: 1,
      shardCount: 0,
    });
  });

  it('lists those of the caller’s organization, in pages', async () => {
    const { world, org, call } = await olderScene();
    for (const name of ['a', 'b']) world.addCloudManagerProject(org, { name });
    world.addCloudManagerProject(world.addOrg({ name: 'elsewhere' }), { name: 'c' });
    const { results, totalCount } = await read(await call('GET', 'public/v1.0/groups?itemsPerPage=1&pageNum=2'));
    expect(results).toMatchObject([{ name: 'b' }]);
    expect(totalCount).toBe(2);
  });

  it('knows no Atlas project', async () => {
    const { project, call } = await olderScene();
    const response = await call('GET', `public/v1.0/groups/${project.id}`);
    expect(await failure(response)).toEqual({ status: 404, errorCode: 'ATLAS_GROUP' });
  });

  it.each(['atlas/v1.0', 'atlas/v2'])('keeps its projects from /api/%s', async (api) => {
    const { world, org, get, call } = await olderScene();
    const { id } = world.addCloudManagerProject(org, { name: 'on premises' });
    const response =
      api === 'atlas/v2' ? await get(`/groups/${id}/peers`) : await call('GET', `${api}/groups/${id}/peers`);
    expect(await failure(response)).toEqual({ status: 404, errorCode: 'NOT_ATLAS_GROUP' });
  });

  it.each([
    ['unknown', 404, 'GROUP_NOT_FOUND'],
    ['foreign', 401, 'USER_CANNOT_ACCESS_GROUP'],
  ])('answers to an %s project with %d', async (what, status, errorCode) => {
    const { world, call } = await olderScene();
    const foreign = world.addCloudManagerProject(world.addOrg({ name: 'elsewhere' }), { name: 'c' });
    const response = await call('GET', `public/v1.0/groups/${what === 'foreign' ? foreign.id : '0'.repeat(24)}`);
    expect(await failure(response)).toEqual({ status, errorCode });
  });
});
