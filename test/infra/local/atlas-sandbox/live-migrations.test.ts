import { describe, expect, it } from 'vitest';
import type { ClusterOptions } from '../../../../infra/local/atlas-sandbox/state/clusters.ts';
import type { Plan } from '../../../../infra/local/atlas-sandbox/state/migration-course.ts';
import { createMovableClock } from '../../../../infra/local/clock.ts';
import { createScene, failure, read, signIn } from './client.ts';

const HOUR_MS = 3_600_000;
const ACCEPT = { accept: 'application/vnd.atlas.2024-05-30+json', 'content-type': 'application/json' };

async function createMigrations(options: Partial<ClusterOptions> = {}, plan: Partial<Plan> = {}) {
  const scene = createScene({ clock: createMovableClock(new Date('2030-01-15T12:00:00Z')) });
  const { world, project, org, sandbox, owner } = scene;
  const createdAt = new Date('2029-01-01T03:00:00Z');
  const cluster = world.clusters.add(project, { name: 'target', createdAt, ...options });
  world.migrations.plan(cluster, plan);
  const migrationHosts = ['host-1.example.com', 'host-2.example.com'];
  const deployments = [
    { name: 'source' },
    { name: 'shards', sharded: true },
    { name: 'old', mongoDBVersion: '6.0.16' },
  ];
  const source = world.migrations.connect(org, { name: 'On premises', migrationHosts, deployments });
  const path = `/groups/${project.id}/liveMigrations`;
  const request = {
    destination: { clusterName: 'target', groupId: project.id, hostnameSchemaType: 'PUBLIC' },
    migrationHosts: ['host-1.example.com'],
    source: { clusterName: 'source', groupId: source.projectId, managedAuthentication: true, ssl: true },
  };
  // Every call signs in anew: hours pass between them.
  const call = async (method: string, tail = '', body?: unknown): Promise<Response> =>
    (await signIn(sandbox, owner)).send(method, path + tail, body, ACCEPT);
  const start = async (): Promise<string> => (await read(await call('POST', '', request)))._id;
  const show = async (id: string) => read(await call('GET', `/${id}`));
  const events = () =>
    world.events
      .feed(project.id)
      .map(({ eventTypeName }) => eventTypeName)
      .reverse();
  return { ...scene, cluster, source, request, call, start, show, events };
}

describe('a live migration', () => {
  it('copies, follows, is cut over, and is complete', async () => {
    const { start, show, call, sandbox, events } = await createMigrations();
    const id = await start();
    expect(await show(id)).toMatchObject({ status: 'NEW', readyForCutover: false });
    sandbox.clock.advance(HOUR_MS / 2);
    const copying = await show(id);
    expect(copying).toMatchObject({ status: 'WORKING', readyForCutover: false });
    expect(copying.lagTimeSeconds).toBeGreaterThan(1700);
    sandbox.clock.advance(HOUR_MS / 2);
    expect(await show(id)).toMatchObject({ status: 'WORKING', readyForCutover: true, lagTimeSeconds: 1 });
    expect((await call('PUT', `/${id}/cutover`)).status).toBe(202);
    const cuttingOver = await show(id);
    expect(cuttingOver).toMatchObject({ status: 'WORKING', readyForCutover: false });
    expect(cuttingOver.lagTimeSeconds).toBeUndefined();
    sandbox.clock.advance(300_000);
    expect(await show(id)).toMatchObject({ status: 'COMPLETE' });
    expect(events()).toEqual(['CLUSTER_IMPORT_STARTED', 'CLUSTER_IMPORT_CUTOVER', 'CLUSTER_IMPORT_COMPLETED']);
  });

  it('expires 120 hours after it was ready', async () => {
    const { start, show, sandbox, events } = await createMigrations();
    const id = await start();
    sandbox.clock.advance(121 * HOUR_MS - 60_000);
    expect((await show(id)).status).toBe('WORKING');
    sandbox.clock.advance(60_000);
    expect((await show(id)).status).toBe('EXPIRED');
    expect(events()).toEqual(['CLUSTER_IMPORT_STARTED', 'CLUSTER_IMPORT_EXPIRED']);
  });

  it('lives on when somebody extends it in the user interface', async () => {
    const { start, show, sandbox, world } = await createMigrations();
    const id = await start();
    world.migrations.extend(world.migrations.find(id)!, 24);
    sandbox.clock.advance(122 * HOUR_MS);
    expect((await show(id)).status).toBe('WORKING');
  });

  it('fails when it is planned to', async () => {
    const { start, show, sandbox, events } = await createMigrations({}, { failAfterSeconds: 600 });
    const id = await start();
    sandbox.clock.advance(600_000);
    expect((await show(id)).status).toBe('FAILED');
    expect(events().at(-1)).toBe('CLUSTER_IMPORT_FAILED');
  });

  it('may stop being ready for a while', async () => {
    const unready = [{ fromSeconds: 3700, toSeconds: 3800 }];
    const { start, show, sandbox } = await createMigrations({}, { unready });
    const id = await start();
    const ready: boolean[] = [];
    for (const seconds of [3650, 100, 100]) {
      sandbox.clock.advance(seconds * 1000);
      ready.push((await show(id)).readyForCutover);
    }
    expect(ready).toEqual([true, false, true]);
  });

  it('is not cut over before it is ready, nor twice', async () => {
    const { start, call, sandbox } = await createMigrations();
    const id = await start();
    expect((await call('PUT', `/${id}/cutover`)).status).toBe(400);
    sandbox.clock.advance(HOUR_MS);
    expect((await call('PUT', `/${id}/cutover`)).status).toBe(202);
    expect((await call('PUT', `/${id}/cutover`)).status).toBe(400);
  });

  it('that is cancelled in the user interface has failed', async () => {
    const { start, show, world, events } = await createMigrations();
    const id = await start();
    world.migrations.cancel(world.migrations.find(id)!);
    expect((await show(id)).status).toBe('FAILED');
    expect(events()).toEqual(['CLUSTER_IMPORT_STARTED', 'CLUSTER_IMPORT_CANCELLED']);
  });

  it('keeps its destination from being backed up until it ends', async () => {
    const { start, world, cluster, sandbox } = await createMigrations();
    const before = world.backups.snapshots(cluster)[0]?.takenAt;
    await start();
    sandbox.clock.advance(13 * HOUR_MS);
    expect(world.backups.snapshots(cluster)[0]?.takenAt).toEqual(before);
    sandbox.clock.advance(120 * HOUR_MS);
    expect(world.backups.snapshots(cluster)[0]?.takenAt).not.toEqual(before);
  });

  it('keeps its destination from being changed', async () => {
    const { start, sandbox, owner, project, call, request } = await createMigrations();
    await start();
    const expected = { status: 409, errorCode: 'CANNOT_MODIFY_CLUSTER_WITH_RUNNING_LIVE_IMPORT' };
    const { send } = await signIn(sandbox, owner);
    const pin = `/groups/${project.id}/clusters/target:pinFeatureCompatibilityVersion`;
    expect(await failure(await send('POST', pin))).toEqual(expected);
    const again = { ...request, migrationHosts: ['host-2.example.com'] };
    expect(await failure(await call('POST', '', again))).toEqual(expected);
  });

  it('has its host to itself', async () => {
    const { start, call, request, world, project } = await createMigrations();
    await start();
    world.clusters.add(project, { name: 'other' });
    const other = { ...request, destination: { ...request.destination, clusterName: 'other' } };
    expect((await call('POST', '', other)).status).toBe(409);
  });

  it('is read by every member of the organization, and begun by owners', async () => {
    const { start, sandbox, world, org, project, request } = await createMigrations();
    const id = await start();
    const member = await signIn(sandbox, world.addOrgAccount(org, { name: 'm', roles: ['ORG_MEMBER'] }));
    expect((await member.get(`/groups/${project.id}/liveMigrations/${id}`, ACCEPT)).status).toBe(200);
    const owner = await signIn(sandbox, world.addProjectAccount(project, { name: 'o', roles: ['GROUP_OWNER'] }));
    expect((await owner.send('POST', `/groups/${project.id}/liveMigrations`, request, ACCEPT)).status).toBe(401);
  });
});

describe('a request for a live migration', () => {
  it.each([
    ['dropEnabled in 2024-05-30', { dropEnabled: true }],
    ['no host', { migrationHosts: [] }],
    ['a host nobody knows', { migrationHosts: ['elsewhere.example.com'] }],
  ])('is refused with %s', async (_, change) => {
    const { call, request } = await createMigrations();
    expect((await call('POST', '', { ...request, ...change })).status).toBe(400);
  });

  it('must say in 2023-01-01 whether to drop data', async () => {
    const { sandbox, owner, project, request } = await createMigrations();
    const { send } = await signIn(sandbox, owner);
    const early = { ...ACCEPT, accept: 'application/vnd.atlas.2023-01-01+json' };
    const response = await send('POST', `/groups/${project.id}/liveMigrations`, request, early);
    expect(await failure(response)).toEqual({ status: 400, errorCode: 'MISSING_ATTRIBUTE' });
  });

  it.each([
    ['sharded data for a replica set', { clusterName: 'shards' }, {}],
    ['a source that is too old', { clusterName: 'old' }, {}],
    ['a source without TLS said to have it', { ssl: false }, {}],
    ['a password where authentication is managed', { username: 'a', password: 'b' }, {}],
    ['no password where it is not', { managedAuthentication: false }, {}],
    ['a paused destination', {}, { paused: true }],
    ['a free destination', {}, { kind: 'free' }],
  ] as const)('is found invalid with %s', async (_, source, destination) => {
    const { call, request, sandbox } = await createMigrations(destination);
    const changed = { ...request, source: { ...request.source, ...source } };
    expect((await call('POST', '', changed)).status).toBe(400);
    const validation = await read(await call('POST', '/validate', changed));
    expect(validation.status).toBe('PENDING');
    sandbox.clock.advance(30_000);
    const done = await read(await call('GET', `/validate/${validation._id}`));
    expect(done).toMatchObject({ status: 'FAILED', errorMessage: expect.any(String) });
  });

  it('is found valid after a while', async () => {
    const { call, request, sandbox, source } = await createMigrations();
    const { _id: id } = await read(await call('POST', '/validate', request));
    sandbox.clock.advance(30_000);
    const done = await read(await call('GET', `/validate/${id}`));
    expect(done).toMatchObject({ status: 'SUCCESS', errorMessage: null, sourceGroupId: source.projectId });
  });
});

describe('the link to Cloud Manager', () => {
  it('is made by a token and shows projects once it is used there', async () => {
    const { sandbox, org, owner, world } = createScene();
    const { send, get } = await signIn(sandbox, owner);
    const path = `/orgs/${org.id}/liveMigrations`;
    expect((await send('POST', `${path}/linkTokens`, {})).status).toBe(201);
    expect(await read(await get(`${path}/availableProjects`))).toEqual([]);
    world.migrations.connect(org, { name: 'On premises', deployments: [{ name: 'source' }] });
    const [project] = await read(await get(`${path}/availableProjects`));
    expect(project).toMatchObject({ name: 'On premises', deployments: [{ name: 'source', sharded: false }] });
    expect((await send('DELETE', `${path}/linkTokens`)).status).toBe(204);
    expect(await failure(await send('DELETE', `${path}/linkTokens`))).toEqual({
      status: 404,
      errorCode: 'UNEXPECTED_ERROR',
    });
  });

  it('is not cut while a migration runs', async () => {
    const { start, sandbox, owner, org } = await createMigrations();
    await start();
    const { send } = await signIn(sandbox, owner);
    const response = await send('DELETE', `/orgs/${org.id}/liveMigrations/linkTokens`);
    const errorCode = 'CANNOT_DELETE_ORG_ACTIVE_LIVE_MIGRATION_ATLAS_ORG_LINK';
    expect(await failure(response)).toEqual({ status: 409, errorCode });
  });
});
