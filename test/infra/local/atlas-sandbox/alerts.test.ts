import { describe, expect, it } from 'vitest';
import { createMovableClock } from '../../../../infra/local/clock.ts';
import { createScene, DAY_MS, failure, read, signIn } from './client.ts';

const MINUTE_MS = 60_000;
const FOREVER = '2126-01-01T00:00:00Z';
const json = { 'content-type': 'application/json' };

async function alertScene() {
  const clock = createMovableClock(new Date('2026-01-01T00:00:00Z'));
  const scene = createScene({ clock });
  const { get, send } = await signIn(scene.sandbox, scene.owner);
  const alerts = `/groups/${scene.project.id}/alerts`;
  const changes: string[] = [];
  scene.world.alerts.onAlert((change, { eventTypeName }) => changes.push(`${change} ${eventTypeName}`));
  const acknowledge = (id: string, body: unknown): Promise<Response> => send('PATCH', `${alerts}/${id}`, body, json);
  return { ...scene, clock, get, send, alerts, changes, acknowledge };
}

describe('an alert', () => {
  it('is tracked for the delay of its configuration, and open from then on', async () => {
    const { world, project, clock, get, alerts, changes } = await alertScene();
    const config = world.alerts.addConfig(project, {
      eventTypeName: 'NO_PRIMARY',
      notifications: [{ typeName: 'GROUP', delayMin: 15 }],
    });
    const { id } = world.alerts.openAlert(project, { eventTypeName: 'NO_PRIMARY' });
    const before = await read(await get(`${alerts}/${id}`));
    expect(before).toMatchObject({ status: 'TRACKING', alertConfigId: config.id });
    expect(before).not.toHaveProperty('lastNotified');
    expect(changes).toEqual([]);
    clock.advance(16 * MINUTE_MS);
    expect(await read(await get(`${alerts}/${id}`))).toMatchObject({
      status: 'OPEN',
      updated: '2026-01-01T00:15:00Z',
      lastNotified: '2026-01-01T00:15:00Z',
    });
    expect(changes).toEqual(['alert.open NO_PRIMARY']);
  });

  it('is notified again at every interval until it is closed', async () => {
    const { world, project, clock, changes } = await alertScene();
    const alert = world.alerts.openAlert(project, { eventTypeName: 'HOST_DOWN' });
    clock.advance(150 * MINUTE_MS);
    world.alerts.settle();
    clock.advance(MINUTE_MS);
    world.alerts.closeAlert(alert);
    clock.advance(DAY_MS);
    world.alerts.settle();
    expect(alert).toMatchObject({ status: 'CLOSED', resolvedAt: new Date('2026-01-01T02:31:00Z') });
    expect(changes.map((change) => change.split(' ')[0])).toEqual([
      'alert.open',
      'alert.update',
      'alert.update',
      'alert.close',
    ]);
  });

  it('that never opened ends without a word', async () => {
    const { world, project, changes } = await alertScene();
    const notifications = [{ typeName: 'GROUP', delayMin: 15 }];
    const config = world.alerts.addConfig(project, { eventTypeName: 'NO_PRIMARY', notifications });
    world.alerts.closeAlert(world.alerts.openAlert(project, { eventTypeName: 'NO_PRIMARY', config }));
    expect(changes).toEqual([]);
  });

  it('that makes no sense any more is cancelled', async () => {
    const { world, project, get, alerts, changes } = await alertScene();
    const alert = world.alerts.openAlert(project, { eventTypeName: 'HOST_DOWN' });
    world.alerts.cancelAlert(alert);
    const body = await read(await get(`${alerts}/${alert.id}`));
    expect(body.status).toBe('CANCELLED');
    expect(body).not.toHaveProperty('resolved');
    expect(changes.at(-1)).toBe('alert.cancel HOST_DOWN');
  });

  it('is only over once', async () => {
    const { world, project } = await alertScene();
    const alert = world.alerts.openAlert(project, { eventTypeName: 'HOST_DOWN' });
    world.alerts.closeAlert(alert);
    expect(() => world.alerts.closeAlert(alert)).toThrow('over already');
  });

  it('says where its configuration is when it is read alone', async () => {
    const { world, project, get, alerts } = await alertScene();
    const { id, alertConfigId } = world.alerts.openAlert(project, { eventTypeName: 'HOST_DOWN' });
    const { links } = await read(await get(`${alerts}/${id}`));
    expect(links.map(({ rel }: { rel: string }) => rel)).toEqual([
      'self',
      'https://cloud.mongodb.com/alertConfig',
      'https://cloud.mongodb.com/alertConfigs',
    ]);
    const { results } = await read(await get(`${alerts}/${id}/alertConfigs`));
    expect(results).toMatchObject([{ id: alertConfigId, eventTypeName: 'HOST_DOWN', enabled: true }]);
  });

  it('tells nobody who stopped listening', async () => {
    const { world, project } = await alertScene();
    const heard: string[] = [];
    const stop = world.alerts.onAlert((change) => heard.push(change));
    stop();
    world.alerts.openAlert(project, { eventTypeName: 'HOST_DOWN' });
    expect(heard).toEqual([]);
  });
});

describe('acknowledging', () => {
  it('is shown with who did it, until it is taken back', async () => {
    const { world, project, owner, get, alerts, acknowledge, changes } = await alertScene();
    const { id } = world.alerts.openAlert(project, { eventTypeName: 'HOST_DOWN' });
    const body = { acknowledgedUntil: FOREVER, acknowledgementComment: 'looking' };
    const response = await acknowledge(id, body);
    expect(response.headers.get('content-type')).toContain('2024-05-30');
    expect(await read(response)).toMatchObject({ ...body, acknowledgingUsername: owner.clientId, status: 'OPEN' });
    expect(changes.at(-1)).toBe('alert.acknowledge HOST_DOWN');
    await acknowledge(id, { unacknowledgeAlert: true });
    const after = await read(await get(`${alerts}/${id}`));
    for (const name of ['acknowledgedUntil', 'acknowledgementComment', 'acknowledgingUsername']) {
      expect(after).not.toHaveProperty(name);
    }
  });

  it('silences an alert until the time given', async () => {
    const { world, project, clock, acknowledge, changes } = await alertScene();
    const alert = world.alerts.openAlert(project, { eventTypeName: 'HOST_DOWN' });
    await acknowledge(alert.id, { acknowledgedUntil: '2026-01-01T12:00:00Z' });
    clock.advance(11 * 60 * MINUTE_MS);
    world.alerts.settle();
    expect(changes).toHaveLength(2);
    clock.advance(61 * MINUTE_MS);
    world.alerts.settle();
    expect(changes.slice(2)).toEqual(['alert.update HOST_DOWN']);
    expect(alert.lastNotifiedAt).toEqual(new Date('2026-01-01T12:00:00Z'));
  });

  it('does not silence the end', async () => {
    const { world, project, acknowledge, changes } = await alertScene();
    const alert = world.alerts.openAlert(project, { eventTypeName: 'HOST_DOWN' });
    await acknowledge(alert.id, { acknowledgedUntil: FOREVER });
    world.alerts.closeAlert(alert);
    expect(changes.at(-1)).toBe('alert.close HOST_DOWN');
  });

  it('is taken of a closed alert too', async () => {
    const { world, project, acknowledge } = await alertScene();
    const alert = world.alerts.openAlert(project, { eventTypeName: 'HOST_DOWN' });
    world.alerts.closeAlert(alert);
    const response = await acknowledge(alert.id, { acknowledgedUntil: FOREVER });
    expect(response.status).toBe(200);
    expect(await read(response)).toMatchObject({ status: 'CLOSED', acknowledgedUntil: FOREVER });
  });

  it('takes the whole alert in the first version, and says that one ends', async () => {
    const { world, project, get, send, alerts } = await alertScene();
    const { id } = world.alerts.openAlert(project, { eventTypeName: 'HOST_DOWN' });
    const alert = await read(await get(`${alerts}/${id}`));
    const headers = { ...json, accept: 'application/vnd.atlas.2023-01-01+json' };
    const response = await send('PATCH', `${alerts}/${id}`, { ...alert, acknowledgedUntil: FOREVER }, headers);
    expect(response.headers.get('content-type')).toContain('2023-01-01');
    expect(response.headers.has('sunset')).toBe(true);
    expect((await read(response)).acknowledgedUntil).toBe(FOREVER);
  });

  it.each([
    [{ acknowledgedUntil: FOREVER, acknowledgementComment: 'x'.repeat(201) }, 'INVALID_ATTRIBUTE'],
    [{ acknowledgedUntil: 'tomorrow' }, 'INVALID_ATTRIBUTE'],
    [{ acknowledgementComment: 'x' }, 'MISSING_ATTRIBUTE'],
    [{ acknowledgedUntil: FOREVER, status: 'CLOSED' }, 'INVALID_ATTRIBUTE'],
  ])('is refused with %j', async (body, errorCode) => {
    const { world, project, acknowledge } = await alertScene();
    const { id } = world.alerts.openAlert(project, { eventTypeName: 'HOST_DOWN' });
    expect(await failure(await acknowledge(id, body))).toEqual({ status: 400, errorCode });
  });

  it.each([
    ['GROUP_ALERTS_MANAGER', 200],
    ['GROUP_OWNER', 200],
    ['GROUP_READ_ONLY', 401],
  ] as const)('answers %s with %d', async (role, status) => {
    const { sandbox, world, project, alerts } = await alertScene();
    const { id } = world.alerts.openAlert(project, { eventTypeName: 'HOST_DOWN' });
    const account = world.addProjectAccount(project, { name: 'x', roles: [role] });
    const { send } = await signIn(sandbox, account);
    const response = await send('PATCH', `${alerts}/${id}`, { acknowledgedUntil: FOREVER }, json);
    expect(response.status).toBe(status);
  });
});

describe('lists', () => {
  it.each([
    ['', ['HOST_DOWN', 'NO_PRIMARY']],
    ['?status=OPEN', ['NO_PRIMARY']],
    ['?status=CLOSED', ['HOST_DOWN']],
    ['?status=TRACKING', []],
  ])('asked for with "%s" hold %j', async (query, types) => {
    const { world, project, get, alerts } = await alertScene();
    world.alerts.closeAlert(world.alerts.openAlert(project, { eventTypeName: 'HOST_DOWN' }));
    world.alerts.openAlert(project, { eventTypeName: 'NO_PRIMARY' });
    const { results } = await read(await get(alerts + query));
    expect(results.map(({ eventTypeName }: { eventTypeName: string }) => eventTypeName)).toEqual(types);
  });

  it('cannot be asked for cancelled alerts', async () => {
    const { get, alerts } = await alertScene();
    const response = await get(`${alerts}?status=CANCELLED`);
    expect(await failure(response)).toEqual({ status: 400, errorCode: 'INVALID_ALERT_STATUS' });
  });

  it('of 2,000 alerts seeded over years are paged without effort', async () => {
    const { sandbox, world, project, owner } = createScene();
    for (let n = 0; n < 2000; n += 1) {
      world.alerts.openAlert(project, { eventTypeName: 'HOST_DOWN', createdAt: new Date(n * 3_600_000) });
    }
    const { get } = await signIn(sandbox, owner);
    const ids = new Set<string>();
    const started = performance.now();
    for (let pageNum = 1; pageNum <= 4; pageNum += 1) {
      const query = `status=OPEN&itemsPerPage=500&pageNum=${pageNum}`;
      const { results, totalCount } = await read(await get(`/groups/${project.id}/alerts?${query}`));
      expect(totalCount).toBe(2000);
      for (const { id } of results) ids.add(id);
    }
    expect(ids.size).toBe(2000);
    expect(performance.now() - started).toBeLessThan(2000);
  });

  it.each([
    [`alerts/${'0'.repeat(24)}`, 'ALERT_NOT_FOUND'],
    ['alerts/short', 'INVALID_ALERT_ID'],
    [`alertConfigs/${'0'.repeat(24)}`, 'ALERT_CONFIG_NOT_FOUND'],
  ])('have no %s', async (path, errorCode) => {
    const { project, get } = await alertScene();
    expect(await failure(await get(`/groups/${project.id}/${path}`))).toEqual({ status: 404, errorCode });
  });
});
