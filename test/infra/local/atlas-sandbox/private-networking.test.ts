import { describe, expect, it } from 'vitest';
import { createScene, failure, read, signIn } from './client.ts';

const json = { 'content-type': 'application/json' };

async function groupScene() {
  const scene = createScene();
  return { ...scene, ...(await signIn(scene.sandbox, scene.owner)), group: `/groups/${scene.project.id}` };
}

describe('the regional mode of private endpoints', () => {
  it('is switched with 202', async () => {
    const { world, project, send, group } = await groupScene();
    for (const enabled of [true, false]) {
      const response = await send('PATCH', `${group}/privateEndpoint/regionalMode`, { enabled }, json);
      expect(response.status).toBe(202);
      expect(await read(response)).toEqual({ enabled });
      expect(world.networking.regionalMode.has(project.id)).toBe(enabled);
    }
  });
});

describe('the mode "connect via peering only"', () => {
  it('can be left', async () => {
    const { world, project, send, group } = await groupScene();
    world.networking.privateIpMode.add(project.id);
    expect(await read(await send('PATCH', `${group}/privateIpMode`, { enabled: false }, json))).toEqual({
      enabled: false,
    });
    expect(world.networking.privateIpMode.has(project.id)).toBe(false);
  });

  it('cannot be entered any more', async () => {
    const { send, group } = await groupScene();
    expect((await send('PATCH', `${group}/privateIpMode`, { enabled: true }, json)).status).toBe(400);
  });

  it('is not left under a dedicated cluster', async () => {
    const { world, project, send, group } = await groupScene();
    world.networking.privateIpMode.add(project.id);
    world.clusters.add(project, { name: 'db' });
    const response = await send('PATCH', `${group}/privateIpMode`, { enabled: false }, json);
    expect(await failure(response)).toEqual({ status: 400, errorCode: 'CANNOT_UPDATE_PRIVATE_IP_MODE' });
  });
});

describe('private endpoints of Data Federation', () => {
  const endpointId = 'vpce-0fcd9d80bbafe4871';

  it('are shown as long as they are there', async () => {
    const { world, project, get, send, group } = await groupScene();
    world.networking.endpoints.set(project.id, [{ endpointId, comment: 'mine' }, { endpointId: 'vpce-1' }]);
    const path = `${group}/privateNetworkSettings/endpointIds/${endpointId}`;
    const expected = { endpointId, comment: 'mine', provider: 'AWS', status: 'OK', type: 'DATA_LAKE' };
    expect(await read(await get(path))).toEqual(expected);
    expect((await send('DELETE', path)).status).toBe(204);
    expect((await get(path)).status).toBe(404);
    expect(world.networking.endpoints.get(project.id)).toHaveLength(1);
  });
});

describe('runs of pipelines', () => {
  it('are gone', async () => {
    const { get, group } = await groupScene();
    const response = await get(`${group}/pipelines/daily/runs/${'0'.repeat(24)}`);
    expect(await failure(response)).toEqual({ status: 410, errorCode: 'VERSION_GONE' });
  });
});
