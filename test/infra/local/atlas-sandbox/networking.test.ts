import { describe, expect, it } from 'vitest';
import { createScene, DAY_MS, failure, read, signIn } from './client.ts';
import { awsPeer, azurePeer, gcpPeer } from './contract-organization.ts';

const json = { 'content-type': 'application/json' };
const SETTING_UP_MS = 30_000;
const aws = { providerName: 'AWS', atlasCidrBlock: '10.8.0.0/21', regionName: 'US_EAST_1' };
const azure = { providerName: 'AZURE', atlasCidrBlock: '192.168.0.0/21', region: 'US_EAST' };
const gcp = { providerName: 'GCP', atlasCidrBlock: '172.16.0.0/18', regions: [] };

async function networkScene() {
  const scene = createScene();
  const { world, project, sandbox } = scene;
  const { get, send } = await signIn(sandbox, scene.owner);
  const group = `/groups/${project.id}`;
  const post = (kind: string, body: unknown): Promise<Response> => send('POST', `${group}/${kind}`, body, json);
  const container = (body: object = aws): Promise<{ id: string }> => post('containers', body).then(read);
  /** A connection over a container of its own. */
  const peered = async (body: object = awsPeer, over: object = aws) => {
    const { id: containerId } = await container(over);
    const { id } = await read(await post('peers', { ...body, containerId }));
    const peer = world.networking.peersOf(project).find((found) => found.id === id)!;
    const seen = () => get(`${group}/peers/${id}`).then(read);
    return { id, containerId, peer, path: `${group}/peers/${id}`, seen };
  };
  return { ...scene, get, send, group, post, container, peered };
}

describe('containers', () => {
  it('are listed for one provider, and that is AWS where none is named', async () => {
    const { get, group, container } = await networkScene();
    for (const body of [aws, azure, gcp]) await container(body);
    const providers = async (path: string): Promise<string[]> =>
      (await read(await get(`${group}/${path}`))).results.map(({ providerName }: typeof aws) => providerName);
    expect(await providers('containers')).toEqual(['AWS']);
    expect(await providers('containers?providerName=GCP')).toEqual(['GCP']);
    expect(await providers('containers/all')).toEqual(['AWS', 'AZURE', 'GCP']);
  });

  it.each([
    [aws, { regionName: 'US_EAST_1', vpcId: null }],
    [azure, { region: 'US_EAST', azureSubscriptionId: null, vnetName: null }],
    [gcp, { regions: [], gcpProjectId: null, networkName: null }],
  ])('have no network before something is in them: %j', async (body, attributes) => {
    const { container } = await networkScene();
    expect(await container(body)).toEqual({
      id: expect.stringMatching(/^[a-f0-9]{24}$/),
      providerName: body.providerName,
      atlasCidrBlock: body.atlasCidrBlock,
      provisioned: false,
      ...attributes,
    });
  });

  it.each([
    [{ atlasCidrBlock: '10.8.0.0/20' }, 400, 'ATLAS_INVALID_CIDR_BLOCK'],
    [{ atlasCidrBlock: '10.8.0.0/25' }, 400, 'ATLAS_INVALID_CIDR_BLOCK'],
    [{ ...gcp, atlasCidrBlock: '172.16.0.0/19' }, 400, 'ATLAS_INVALID_CIDR_BLOCK'],
    [{ atlasCidrBlock: '8.8.8.0/24' }, 400, 'ATLAS_INVALID_CIDR_RANGE'],
    [{ atlasCidrBlock: '10.8.0.0' }, 400, 'INVALID_ATTRIBUTE'],
    [{ regionName: 'EU_WEST_1', atlasCidrBlock: '10.8.4.0/24' }, 409, 'OVERLAPPING_ATLAS_CIDR_BLOCK'],
    [{ atlasCidrBlock: '10.9.0.0/21' }, 409, 'CONTAINER_ALREADY_EXISTS'],
    [{ regionName: undefined }, 400, 'MISSING_ATTRIBUTE'],
    [{ providerName: 'IBM' }, 400, 'INVALID_ATTRIBUTE'],
  ])('are not made with %j', async (change, status, errorCode) => {
    const { post, container } = await networkScene();
    await container();
    expect(await failure(await post('containers', { ...aws, ...change }))).toEqual({ status, errorCode });
  });

  it('take another block as long as nothing is in them', async () => {
    const { get, send, group, container } = await networkScene();
    const path = `${group}/containers/${(await container()).id}`;
    await send('PATCH', path, { providerName: 'AWS', atlasCidrBlock: '10.16.0.0/24' }, json);
    expect((await read(await get(path))).atlasCidrBlock).toBe('10.16.0.0/24');
  });

  it('stay in their region', async () => {
    const { send, group, container } = await networkScene();
    const response = await send('PATCH', `${group}/containers/${(await container()).id}`, { regionName: 'X' }, json);
    expect(await failure(response)).toEqual({ status: 400, errorCode: 'CANNOT_CHANGE_CONTAINER_REGION' });
  });

  it.each(['a connection', 'a cluster'])('are locked by %s', async (what) => {
    const { world, project, get, send, group, container, peered } = await networkScene();
    const id = what === 'a cluster' ? (await container()).id : (await peered()).containerId;
    if (what === 'a cluster') world.clusters.add(project, { name: 'db' });
    const path = `${group}/containers/${id}`;
    expect(await read(await get(path))).toMatchObject({ provisioned: true, vpcId: expect.stringMatching(/^vpc-/) });
    const inUse = { status: 409, errorCode: 'CONTAINERS_IN_USE' };
    expect(await failure(await send('PATCH', path, { atlasCidrBlock: '10.16.0.0/24' }, json))).toEqual(inUse);
    expect(await failure(await send('DELETE', path))).toEqual(inUse);
  });

  it('are gone once deleted', async () => {
    const { get, send, group, container } = await networkScene();
    const path = `${group}/containers/${(await container()).id}`;
    expect((await send('DELETE', path)).status).toBe(204);
    const gone = { status: 404, errorCode: 'CLOUD_PROVIDER_CONTAINER_NOT_FOUND' };
    expect(await failure(await get(path))).toEqual(gone);
  });
});

describe('peering connections', () => {
  it('over AWS wait for the other side and are available once it has accepted', async () => {
    const { world, sandbox, peered } = await networkScene();
    const { peer, seen } = await peered();
    expect(await seen()).toMatchObject({ statusName: 'INITIATING', connectionId: null, errorStateName: null });
    sandbox.clock.advance(SETTING_UP_MS);
    expect(await seen()).toMatchObject({
      statusName: 'PENDING_ACCEPTANCE',
      connectionId: expect.stringMatching(/^pcx-/),
    });
    world.networking.acceptPeer(peer);
    expect((await seen()).statusName).toBe('AVAILABLE');
  });

  it('can be rejected', async () => {
    const { world, sandbox, peered } = await networkScene();
    const { peer, seen } = await peered();
    sandbox.clock.advance(SETTING_UP_MS);
    world.networking.rejectPeer(peer);
    expect(await seen()).toMatchObject({ statusName: 'FAILED', errorStateName: 'REJECTED' });
  });

  it('over AWS lapse when nobody accepts them', async () => {
    const { world, sandbox, peered } = await networkScene();
    const { peer } = await peered();
    sandbox.clock.advance(SETTING_UP_MS + 7 * DAY_MS);
    expect(world.networking.stateOf(peer)).toBe('expired');
    expect(() => world.networking.acceptPeer(peer)).toThrow('expired');
  });

  it('over Azure need nobody', async () => {
    const { sandbox, peered } = await networkScene();
    const { seen } = await peered(azurePeer, azure);
    expect(await seen()).toMatchObject({ ...azurePeer, status: 'ADDING_PEER', errorState: null });
    sandbox.clock.advance(SETTING_UP_MS);
    expect((await seen()).status).toBe('AVAILABLE');
  });

  it('over Google Cloud wait for the user', async () => {
    const { world, sandbox, peered } = await networkScene();
    const { peer, seen } = await peered(gcpPeer, gcp);
    expect(await seen()).toMatchObject({ ...gcpPeer, status: 'ADDING_PEER', errorMessage: null });
    sandbox.clock.advance(SETTING_UP_MS);
    expect((await seen()).status).toBe('WAITING_FOR_USER');
    world.networking.acceptPeer(peer);
    expect((await seen()).status).toBe('AVAILABLE');
  });

  it('are listed for one provider, and that is AWS where none is named', async () => {
    const { get, group, peered } = await networkScene();
    await peered(azurePeer, azure);
    expect((await read(await get(`${group}/peers`))).results).toEqual([]);
    expect((await read(await get(`${group}/peers?providerName=AZURE`))).results).toHaveLength(1);
  });

  it('leave out the region where both sides share it', async () => {
    const { peered } = await networkScene();
    const { seen } = await peered({ ...awsPeer, accepterRegionName: 'us-east-1' });
    expect((await seen()).accepterRegionName).toBeNull();
  });

  it.each([
    [{}, 409, 'PEER_ALREADY_EXISTS'],
    [{ vpcId: `vpc-${'1'.repeat(17)}` }, 409, 'OVERLAPPING_CIDR_BLOCK'],
    [{ vpcId: `vpc-${'1'.repeat(17)}`, routeTableCidrBlock: '10.0.0.0/13' }, 409, 'OVERLAPPING_CIDR_BLOCK'],
    [{ vpcId: `vpc-${'1'.repeat(17)}`, routeTableCidrBlock: '10.8.0.0/24' }, 409, 'OVERLAPPING_ATLAS_CIDR_BLOCK'],
    [{ awsAccountId: '12' }, 400, 'INVALID_ATTRIBUTE'],
    [{ containerId: '0'.repeat(24) }, 404, 'CLOUD_PROVIDER_CONTAINER_NOT_FOUND'],
    [{ ...gcpPeer }, 400, 'INVALID_ATTRIBUTE'],
  ])('are not made with %j next to another', async (change, status, errorCode) => {
    const { post, peered } = await networkScene();
    const { containerId } = await peered({ ...awsPeer, routeTableCidrBlock: '10.4.0.0/16' });
    const body = { ...awsPeer, routeTableCidrBlock: '10.4.0.0/16', containerId, ...change };
    expect(await failure(await post('peers', body))).toEqual({ status, errorCode });
  });

  it('are limited to 25 that nobody has answered', async () => {
    const { post, container } = await networkScene();
    const { id: containerId } = await container();
    const statuses = [];
    for (let n = 0; n <= 25; n += 1) {
      const vpcId = `vpc-${String(n).padStart(17, '0')}`;
      const body = { ...awsPeer, containerId, vpcId, routeTableCidrBlock: `10.${100 + n}.0.0/16` };
      statuses.push((await post('peers', body)).status);
    }
    expect(statuses).toEqual([...Array<number>(25).fill(200), 409]);
  });

  it('are asked for again when they are changed, but not while they are being set up', async () => {
    const { sandbox, send, peered } = await networkScene();
    const { path, containerId, seen } = await peered();
    const change = { ...awsPeer, containerId, routeTableCidrBlock: '10.20.0.0/16' };
    const early = await failure(await send('PATCH', path, change, json));
    expect(early).toEqual({ status: 409, errorCode: 'PEER_INVALID_STATE' });
    sandbox.clock.advance(SETTING_UP_MS);
    expect((await send('PATCH', path, change, json)).status).toBe(200);
    expect(await seen()).toMatchObject({ statusName: 'INITIATING', routeTableCidrBlock: '10.20.0.0/16' });
  });

  it('take a while to go, and then free their container', async () => {
    const { sandbox, get, send, group, peered } = await networkScene();
    const { path, containerId, seen } = await peered();
    const response = await send('DELETE', path);
    expect(response.status).toBe(202);
    expect(await response.text()).toBe('{}');
    expect((await seen()).statusName).toBe('TERMINATING');
    const again = await failure(await send('DELETE', path));
    expect(again).toEqual({ status: 409, errorCode: 'PEER_ALREADY_REQUESTED_DELETION' });
    sandbox.clock.advance(60_000);
    expect(await failure(await get(path))).toEqual({ status: 404, errorCode: 'PEER_NOT_FOUND' });
    expect((await send('DELETE', `${group}/containers/${containerId}`)).status).toBe(204);
  });

  it('are for network access managers', async () => {
    const { sandbox, world, project, group } = await networkScene();
    const manager = world.addProjectAccount(project, { name: 'm', roles: ['GROUP_NETWORK_ACCESS_MANAGER'] });
    const { send } = await signIn(sandbox, manager);
    expect((await send('DELETE', `${group}/peers/${'0'.repeat(24)}`)).status).toBe(404);
    expect((await send('DELETE', `${group}/containers/${'0'.repeat(24)}`)).status).toBe(401);
  });
});
