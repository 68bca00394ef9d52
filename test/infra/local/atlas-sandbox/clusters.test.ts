import { describe, expect, it } from 'vitest';
import { createScene, DAY_MS, failure, read, signIn } from './client.ts';
import { addClusters } from './contract-clusters.ts';

const accept = (date: string): Record<string, string> => ({ accept: `application/vnd.atlas.${date}+json` });

async function createClusters() {
  const scene = createScene();
  const clusters = addClusters(scene);
  const path = `/groups/${scene.project.id}/clusters`;
  return { ...scene, clusters, path, calls: await signIn(scene.sandbox, scene.owner) };
}

describe('clusters', () => {
  it('are listed without flex clusters', async () => {
    const { calls, path } = await createClusters();
    const { results, totalCount } = await read(await calls.get(`${path}?itemsPerPage=500`));
    expect(results.map(({ name }: { name: string }) => name)).not.toContain('flex');
    expect(totalCount).toBe(10);
  });

  it('have one replication spec per shard, each with its disk', async () => {
    const { calls, path } = await createClusters();
    const cluster = await read(await calls.get(`${path}/global`));
    expect(cluster.clusterType).toBe('GEOSHARDED');
    expect(cluster.diskSizeGB).toBeUndefined();
    const zones = cluster.replicationSpecs.map(({ zoneName }: { zoneName: string }) => zoneName);
    expect(zones).toEqual(['Zone 1', 'Zone 2', 'Zone 2']);
    expect(cluster.replicationSpecs[1].zoneId).toBe(cluster.replicationSpecs[2].zoneId);
    expect(cluster.replicationSpecs[0].regionConfigs[0].electableSpecs.diskSizeGB).toBe(10);
  });

  it('have shards counted and one disk in 2023-02-01', async () => {
    const { calls, path } = await createClusters();
    const response = await calls.get(`${path}/global`, accept('2024-08-04'));
    const cluster = await read(response);
    expect(response.headers.get('content-type')).toContain('2023-02-01');
    expect(cluster.diskSizeGB).toBe(10);
    expect(cluster.replicationSpecs.map(({ numShards }: { numShards: number }) => numShards)).toEqual([1, 2]);
    expect(cluster.replicationSpecs[0].regionConfigs[0].electableSpecs.diskSizeGB).toBeUndefined();
  });

  it('have provider settings in 2023-01-01', async () => {
    const { calls, path } = await createClusters();
    const cluster = await read(await calls.get(`${path}/main`, accept('2023-01-31')));
    expect(cluster.providerSettings).toMatchObject({ providerName: 'AWS', instanceSizeName: 'M10' });
  });

  it('say when the version that serves them goes', async () => {
    const { calls, path } = await createClusters();
    const old = await calls.get(`${path}/main`, accept('2023-02-01'));
    expect(old.headers.get('deprecation')).toBe('Mon, 5 Aug 2024 00:00:00 GMT');
    expect(old.headers.get('sunset')).toBe('Thu, 1 Jul 2027 00:00:00 GMT');
    expect((await calls.get(`${path}/main`)).headers.get('deprecation')).toBeNull();
  });

  it('can be reached by an SRV address once they are made', async () => {
    const { calls, path } = await createClusters();
    const { connectionStrings } = await read(await calls.get(`${path}/main`));
    expect(connectionStrings.standardSrv).toMatch(/^mongodb\+srv:\/\/main\.\w+\.mongodb\.net$/);
    expect((await read(await calls.get(`${path}/young`))).connectionStrings).toEqual({});
  });

  it('that are gone are listed with their backups only when asked for', async () => {
    const { calls, path, world, clusters } = await createClusters();
    world.clusters.remove(clusters.main, { retainBackups: true });
    world.clusters.remove(clusters.multi);
    const names = async (query: string) =>
      (await read(await calls.get(`${path}${query}`))).results.map(({ name }: { name: string }) => name);
    expect(await names('')).not.toContain('main');
    const all = await names('?includeDeletedWithRetainedBackups=true');
    expect(all).toContain('main');
    expect(all).not.toContain('multi');
    expect((await read(await calls.get(`${path}/main/backup/snapshots`))).totalCount).toBeGreaterThan(0);
    expect((await calls.get(`${path}/main`)).status).toBe(404);
  });

  it.each([
    ['/none', 404, 'CLUSTER_NOT_FOUND'],
    ['/flex', 400, 'CANNOT_USE_FLEX_CLUSTER_IN_CLUSTER_API'],
  ])('answer %s with %d %s', async (name, status, errorCode) => {
    const { calls, path } = await createClusters();
    expect(await failure(await calls.get(path + name))).toEqual({ status, errorCode });
  });

  it('of all projects come by project, without multi-cloud and flex ones', async () => {
    const { calls, project, world, org } = await createClusters();
    world.addProject(org, { name: 'empty' });
    const { results } = await read(await calls.get('/clusters'));
    expect(results).toHaveLength(2);
    expect(results[0]).toMatchObject({ groupId: project.id, groupName: 'shop', orgName: 'Acme' });
    const names = results[0].clusters.map(({ name }: { name: string }) => name);
    expect(names).toContain('main');
    expect(names).not.toContain('multi');
    expect(names).not.toContain('flex');
    expect(results[1].clusters).toEqual([]);
  });

  it('are counted by their project', async () => {
    const { calls } = await createClusters();
    expect((await read(await calls.get('/groups'))).results[0].clusterCount).toBe(11);
  });
});

describe('the feature compatibility version', () => {
  const pin =
    (body?: object) =>
    async (scene: Awaited<ReturnType<typeof createClusters>>, name = 'main') =>
      scene.calls.send('POST', `${scene.path}/${name}:pinFeatureCompatibilityVersion`, body, accept('2024-05-30'));
  const inDays = (scene: { world: { now(): Date } }, days: number): object => ({
    expirationDate: new Date(scene.world.now().getTime() + days * DAY_MS).toISOString(),
  });
  const plainJson = { ...accept('2024-05-30'), 'content-type': 'application/json' };

  it('is pinned for four weeks unless told otherwise', async () => {
    const scene = await createClusters();
    expect((await pin()(scene)).status).toBe(204);
    const { featureCompatibilityVersionExpirationDate: end } = await read(await scene.calls.get(`${scene.path}/main`));
    expect(Date.parse(end) - scene.world.now().getTime()).toBeGreaterThan(27.9 * DAY_MS);
  });

  it('stays what it was when the binary moves on, until the pin ends', async () => {
    const scene = await createClusters();
    await pin()(scene);
    scene.clusters.main.mongoDBVersion = '9.0.1';
    expect((await read(await scene.calls.get(`${scene.path}/main`))).featureCompatibilityVersion).toBe('8.0');
    scene.sandbox.clock.advance(28 * DAY_MS);
    const { get } = await signIn(scene.sandbox, scene.owner);
    const cluster = await read(await get(`${scene.path}/main`));
    expect(cluster.featureCompatibilityVersion).toBe('9.0');
    expect(cluster.featureCompatibilityVersionExpirationDate).toBeUndefined();
  });

  it('is not held longer than four weeks from when it was first pinned', async () => {
    const scene = await createClusters();
    await pin()(scene);
    scene.sandbox.clock.advance(14 * DAY_MS);
    const { send } = await signIn(scene.sandbox, scene.owner);
    const extend = (days: number): Promise<Response> =>
      send('POST', `${scene.path}/main:pinFeatureCompatibilityVersion`, inDays(scene, days), plainJson);
    expect((await extend(15)).status).toBe(400);
    expect((await extend(13)).status).toBe(204);
    expect((await extend(-1)).status).toBe(400);
  });

  it('is let go by an unpin', async () => {
    const scene = await createClusters();
    await pin()(scene);
    const unpin = `${scene.path}/main:unpinFeatureCompatibilityVersion`;
    expect((await scene.calls.send('POST', unpin)).status).toBe(204);
    expect((await read(await scene.calls.get(`${scene.path}/main`))).featureCompatibilityVersionExpirationDate).toBe(
      undefined,
    );
  });

  it.each(['rapid', 'free', 'flex'])('cannot be pinned on the %s cluster', async (name) => {
    expect((await pin()(await createClusters(), name)).status).toBe(400);
  });

  it('is for owners of the project to pin', async () => {
    const scene = await createClusters();
    const manager = scene.world.addProjectAccount(scene.project, { name: 'm', roles: ['GROUP_CLUSTER_MANAGER'] });
    const calls = await signIn(scene.sandbox, manager);
    expect(await failure(await pin()({ ...scene, calls }))).toEqual({ status: 401, errorCode: 'USER_UNAUTHORIZED' });
  });

  it('is not found behind an encoded colon', async () => {
    const { calls, path } = await createClusters();
    expect((await calls.send('POST', `${path}/main%3ApinFeatureCompatibilityVersion`)).status).toBe(404);
  });
});

describe('pinned namespaces', () => {
  it('are what is left of them', async () => {
    const { calls, path, project, clusters } = await createClusters();
    const response = await calls.send('PATCH', `${path}/main/collStats/unpin`, { namespaces: ['a.b', 'x.y'] });
    const expected = { clusterId: clusters.main.id, groupId: project.id, pinnedNamespaces: ['a.c'] };
    expect(await read(response)).toEqual(expected);
  });
});

describe('search indexes', () => {
  const index = { database: 'shop', collectionName: 'orders', name: 'default' };
  const list = (path: string): string => `${path}/main/search/indexes`;
  const byName = (path: string): string => `${list(path)}/shop/orders/default`;

  it('are built anew after a change and answer queries meanwhile', async () => {
    const { calls, path, world, clusters, sandbox } = await createClusters();
    world.searchIndexes.add(clusters.main, index);
    const definition = { mappings: { dynamic: false } };
    const changed = await read(await calls.send('PATCH', byName(path), { definition }));
    expect(changed).toMatchObject({ status: 'BUILDING', queryable: true, latestDefinition: definition });
    sandbox.clock.advance(60_000);
    const [built] = await read(await calls.get(list(path)));
    expect(built).toMatchObject({ status: 'READY', latestDefinitionVersion: { version: 1 } });
  });

  it('refuse a definition of the other type', async () => {
    const { calls, path, world, clusters } = await createClusters();
    world.searchIndexes.add(clusters.main, index);
    expect((await calls.send('PATCH', byName(path), { definition: { fields: [] } })).status).toBe(400);
  });

  it('are gone once deleted', async () => {
    const { calls, path, world, clusters } = await createClusters();
    const { id } = world.searchIndexes.add(clusters.main, index);
    expect((await calls.send('DELETE', `${path}/main/fts/indexes/${id}`)).status).toBe(204);
    expect(await read(await calls.get(list(path)))).toEqual([]);
  });

  it.each([
    ['GROUP_DATA_ACCESS_READ_ONLY', 200],
    ['GROUP_SEARCH_INDEX_EDITOR', 200],
    ['GROUP_READ_ONLY', 401],
  ] as const)('answer %s with %d', async (role, status) => {
    const { path, world, project, sandbox } = await createClusters();
    const { get } = await signIn(sandbox, world.addProjectAccount(project, { name: 'x', roles: [role] }));
    expect((await get(list(path))).status).toBe(status);
  });
});

describe('an online archive', () => {
  const placed = { dbName: 'shop', collName: 'orders' };
  const patch = async (state: 'ACTIVE' | 'PENDING' | 'PAUSED', body: object) => {
    const scene = await createClusters();
    const archive = scene.world.onlineArchives.add(scene.clusters.main, { ...placed, state });
    const path = `${scene.path}/main/onlineArchives/${archive.id}`;
    return { ...scene, path, response: await scene.calls.send('PATCH', path, body) };
  };

  it('is paused after a while', async () => {
    const { response, sandbox, calls, path } = await patch('ACTIVE', { paused: true });
    expect(await read(response)).toMatchObject({ paused: true, state: 'PAUSING' });
    sandbox.clock.advance(60_000);
    expect(await read(await calls.send('PATCH', path, {}))).toMatchObject({ state: 'PAUSED' });
  });

  it('is active again at once', async () => {
    const { response } = await patch('PAUSED', { paused: false });
    expect(await read(response)).toMatchObject({ paused: false, state: 'ACTIVE' });
  });

  it('cannot be paused before it is active', async () => {
    const { response } = await patch('PENDING', { paused: true });
    expect(await failure(response)).toEqual({ status: 409, errorCode: 'ONLINE_ARCHIVE_MUST_BE_ACTIVE_TO_PAUSE' });
  });

  it('keeps the field that tells the age of documents', async () => {
    const { response } = await patch('ACTIVE', { criteria: { type: 'DATE', dateField: 'changedAt' } });
    expect(await failure(response)).toEqual({ status: 400, errorCode: 'ONLINE_ARCHIVE_CANNOT_MODIFY_FIELD' });
  });

  it('does not resume while another one archives the collection', async () => {
    const { world, clusters, calls, path } = await patch('PAUSED', {});
    world.onlineArchives.add(clusters.main, placed);
    expect((await calls.send('PATCH', path, { paused: false })).status).toBe(409);
  });
});
