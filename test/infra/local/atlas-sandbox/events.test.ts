import { describe, expect, it } from 'vitest';
import { createMovableClock } from '../../../../infra/local/clock.ts';
import { createScene, failure, read, signIn } from './client.ts';

const json = { 'content-type': 'application/json' };

async function eventScene() {
  const clock = createMovableClock(new Date('2026-01-01T00:00:00Z'));
  const scene = createScene({ clock });
  const calls = await signIn(scene.sandbox, scene.owner);
  const types = async (path: string): Promise<string[]> =>
    (await read(await calls.get(path))).results.map(({ eventTypeName }: { eventTypeName: string }) => eventTypeName);
  return { ...scene, ...calls, clock, types, feed: `/groups/${scene.project.id}/events` };
}

describe('the feed of a project', () => {
  it('tells the newest event first', async () => {
    const { world, project, clock, types, feed } = await eventScene();
    world.events.record({ eventTypeName: 'CLUSTER_CREATED', groupId: project.id });
    clock.advance(1000);
    world.events.record({ eventTypeName: 'CLUSTER_READY', groupId: project.id });
    world.events.record({ eventTypeName: 'CLUSTER_DELETED', groupId: project.id, createdAt: new Date(0) });
    expect(await types(feed)).toEqual(['CLUSTER_READY', 'CLUSTER_CREATED', 'CLUSTER_DELETED']);
  });

  it.each([
    ['eventType=CLUSTER_READY', ['CLUSTER_READY']],
    ['eventType=CLUSTER_READY&eventType=CLUSTER_CREATED', ['CLUSTER_READY', 'CLUSTER_CREATED']],
    ['excludedEventType=CLUSTER_READY', ['CLUSTER_CREATED']],
    ['clusterNames=db', ['CLUSTER_READY', 'CLUSTER_CREATED']],
    ['clusterNames=other', []],
    ['minDate=2026-01-01T00:30:00Z', ['CLUSTER_READY']],
    ['maxDate=2026-01-01T00:30:00Z', ['CLUSTER_CREATED']],
    ['minDate=2026-01-01T01:00:00Z&maxDate=2026-01-01T01:00:00Z', ['CLUSTER_READY']],
  ])('asked for %s is %j', async (query, expected) => {
    const { world, project, types, feed } = await eventScene();
    for (const [hour, eventTypeName] of ['CLUSTER_CREATED', 'CLUSTER_READY'].entries()) {
      const createdAt = new Date(Date.UTC(2026, 0, 1, hour));
      world.events.record({ eventTypeName, groupId: project.id, createdAt, details: { clusterName: 'db' } });
    }
    expect(await types(`${feed}?${query}`)).toEqual(expected);
  });

  it('is not counted unless asked for', async () => {
    const { world, project, get, feed } = await eventScene();
    world.events.record({ eventTypeName: 'CLUSTER_CREATED', groupId: project.id });
    const uncounted = await read(await get(feed));
    expect(uncounted.results).toHaveLength(1);
    expect(uncounted.totalCount).toBe(0);
    expect(uncounted.links[0].href).toContain('includeCount=false&includeRaw=false');
    expect((await read(await get(`${feed}?includeCount=true`))).totalCount).toBe(1);
  });

  it('has the raw document on request', async () => {
    const { world, project, org, get, feed } = await eventScene();
    const { id } = world.events.record({ eventTypeName: 'CLUSTER_CREATED', groupId: project.id });
    expect(await read(await get(`${feed}/${id}`))).not.toHaveProperty('raw');
    expect((await read(await get(`${feed}/${id}?includeRaw=true`))).raw).toMatchObject({
      cid: project.id,
      gn: 'shop',
      orgId: org.id,
      orgName: 'Acme',
    });
  });

  it.each(['minDate=yesterday', 'maxDate=x', 'includeCount=maybe'])('answers 400 to %s', async (query) => {
    const { get, feed } = await eventScene();
    expect(await failure(await get(`${feed}?${query}`))).toEqual({ status: 400, errorCode: 'INVALID_ATTRIBUTE' });
  });

  it('has no event of another project', async () => {
    const { world, org, get, feed } = await eventScene();
    const other = world.addProject(org, { name: 'other' });
    const { id } = world.events.record({ eventTypeName: 'CLUSTER_CREATED', groupId: other.id });
    expect(await failure(await get(`${feed}/${id}`))).toEqual({ status: 404, errorCode: 'EVENT_NOT_FOUND' });
  });
});

describe('what calls leave behind', () => {
  it.each([
    ['the organization', 'accountPath', 'orgAccount', [0, 2]],
    ['a project', 'groupPath', 'projectAccount', [2, 2]],
  ] as const)('is told of secrets made and deleted in %s', async (_, path, account, [inProject, inOrg]) => {
    const scene = await eventScene();
    const { send, types, feed, org } = scene;
    const secrets = `${scene[path](scene[account])}/secrets`;
    const { id } = await read(await send('POST', secrets, { secretExpiresAfterHours: 8 }));
    await send('DELETE', `${secrets}/${id}`);
    const told = ['SERVICE_ACCOUNT_SECRET_DELETED', 'SERVICE_ACCOUNT_SECRET_ADDED'];
    expect(await types(feed)).toEqual(told.slice(0, inProject));
    expect(await types(`/orgs/${org.id}/events`)).toEqual(told.slice(0, inOrg));
  });

  it('is told of nothing that was refused', async () => {
    const { send, types, org, orgAccount, accountPath } = await eventScene();
    await send('POST', `${accountPath(orgAccount)}/secrets`, { secretExpiresAfterHours: 1 });
    await send('DELETE', `${accountPath(orgAccount)}/secrets/${'0'.repeat(24)}`);
    expect(await types(`/orgs/${org.id}/events`)).toEqual([]);
  });

  it('is told of alerts and of who acknowledged them', async () => {
    const { world, project, owner, get, send, feed } = await eventScene();
    const { id } = world.alerts.openAlert(project, { eventTypeName: 'HOST_DOWN' });
    const alert = `/groups/${project.id}/alerts/${id}`;
    await send('PATCH', alert, { acknowledgedUntil: '2126-01-01T00:00:00Z' }, json);
    await send('PATCH', alert, { unacknowledgeAlert: true }, json);
    const by = { alertId: id, publicKey: owner.clientId, remoteAddress: '127.0.0.1' };
    expect((await read(await get(feed))).results).toMatchObject([
      { eventTypeName: 'ALERT_UNACKNOWLEDGED_AUDIT', ...by },
      { eventTypeName: 'ALERT_ACKNOWLEDGED_AUDIT', ...by },
      { eventTypeName: 'HOST_DOWN' },
    ]);
  });

  it('names the API key that was used', async () => {
    const { world, org, get } = await eventScene();
    const key = world.addApiKey(org, { roles: ['ORG_OWNER'] });
    world.events.record({ eventTypeName: 'TEAM_CREATED', orgId: org.id, by: key });
    const { results } = await read(await get(`/orgs/${org.id}/events`));
    expect(results).toMatchObject([{ apiKeyId: key.id, publicKey: key.publicKey, orgId: org.id }]);
    expect(results[0].links[0].href).toContain('/groups/null/events/');
  });
});
