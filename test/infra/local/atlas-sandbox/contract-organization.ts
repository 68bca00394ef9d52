import type { createScene } from './client.ts';
import { type Calls, read, signIn, withToken } from './client.ts';

type Scene = ReturnType<typeof createScene>;

/** Plain JSON goes with every version. */
const JSON_BODY = { 'content-type': 'application/json' };
const LATEST = { accept: 'application/vnd.atlas.2025-03-12+json', ...JSON_BODY };
const FIRST = { accept: 'application/vnd.atlas.2023-01-01+json', ...JSON_BODY };
const NOWHERE = '0'.repeat(24);

export const awsPeer = {
  providerName: 'AWS',
  accepterRegionName: 'us-west-1',
  awsAccountId: '999900000000',
  routeTableCidrBlock: '10.15.0.0/16',
  vpcId: 'vpc-0123456789abcdef0',
};
export const azurePeer = {
  providerName: 'AZURE',
  azureDirectoryId: '11111111-2222-3333-4444-555555555555',
  azureSubscriptionId: '66666666-7777-8888-9999-000000000000',
  resourceGroupName: 'shop-rg',
  vnetName: 'shop-vnet',
};
export const gcpPeer = { providerName: 'GCP', gcpProjectId: 'shop-project', networkName: 'default' };
const containers = [
  { providerName: 'AWS', atlasCidrBlock: '10.8.0.0/21', regionName: 'US_EAST_1' },
  { providerName: 'AZURE', atlasCidrBlock: '192.168.0.0/21', region: 'US_EAST' },
  { providerName: 'GCP', atlasCidrBlock: '172.16.0.0/18', regions: ['ASIA_EAST_2'] },
];

/** Calls every operation about alerts, events, networking, access and the organization so that it succeeds. */
export async function exerciseOrganization(scene: Scene, calls: Calls): Promise<void> {
  const { get, send } = succeeding(calls);
  await exerciseAlerts(scene, { get, send });
  await exerciseNetworking(scene, { get, send });
  const { world, org, project, orgAccount, accountPath } = scene;
  const group = `/groups/${project.id}`;
  const key = world.addApiKey(org, { roles: ['ORG_MEMBER'], accessList: ['192.0.2.1', '198.51.100.0/24'] });
  await get(`/orgs/${org.id}/apiKeys/${key.id}/accessList`);
  const mapping = world.access.addRoleMapping(org, 'f'.repeat(24), 'admins');
  const federation = `/federationSettings/${'f'.repeat(24)}/connectedOrgConfigs/${org.id}`;
  await send('DELETE', `${federation}/roleMappings/${mapping.id}`);
  world.access.addUser(org, { username: 'member@example.com' });
  for (const username of ['member@example.com', 'stranger@example.com']) {
    await send('POST', `${group}/users`, { username, roles: ['GROUP_READ_ONLY'] }, LATEST);
  }
  const role = { roleId: 'a'.repeat(24), atlasAWSAccountArn: 'arn:aws:iam::123456789012:root', createdAt: new Date(0) };
  const atlasAssumedRoleExternalId = '11111111-2222-3333-4444-555555555555';
  const iamAssumedRoleArn = 'arn:aws:iam::123456789012:role/atlas';
  world.access.awsIamRoles.set(project.id, [
    { ...role, atlasAssumedRoleExternalId },
    { ...role, atlasAssumedRoleExternalId, authorizedAt: new Date(0), iamAssumedRoleArn },
  ]);
  await get(`${group}/cloudProviderAccess`);
  world.clusters.add(project, { name: 'db' });
  world.access.logAccess(project, 'db', { authResult: true, username: 'app', ipAddress: '192.0.2.1' });
  await get(`${group}/dbAccessHistory/clusters/db`);
  world.access.addIntegration(project, { type: 'PAGER_DUTY', region: 'US', serviceKey: '0'.repeat(32) });
  world.access.addIntegration(project, {
    type: 'WEBHOOK',
    url: 'https://example.com/hook/1234',
    secret: 'webhook secret',
    bodyTemplate: null,
    headersTemplate: null,
  });
  await get(`${group}/integrations`);
  const flags = { startASAP: false, autoDeferOnceEnabled: false, numberOfDeferrals: 0 };
  world.access.maintenanceWindows.set(project.id, { dayOfWeek: 1, hourOfDay: 1, timeZoneId: 'UTC', ...flags });
  await get(`${group}/maintenanceWindow`);
  for (const path of [group, `/orgs/${org.id}/groups`, `/orgs/${org.id}/settings`]) await get(path);
  world.assign(orgAccount, project, ['GROUP_READ_ONLY']);
  await get(`${accountPath(orgAccount)}/groups`);
  for (const query of ['', `?groupId=${project.id}`, `?orgId=${org.id}`]) await get(`/rateLimits${query}`, LATEST);
  await get('/rateLimits/alerts', LATEST);
  const events = await read(await get(`${group}/events?includeRaw=true`));
  for (const { id } of events.results) await get(`${group}/events/${id}`);
  await get(`/orgs/${org.id}/events`);
}

/** The same calls, each of which must succeed. */
function succeeding({ send }: Calls): Pick<Calls, 'get' | 'send'> {
  const checked: Calls['send'] = async (method, path, ...rest) => {
    const response = await send(method, path, ...rest);
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response;
  };
  return { send: checked, get: (path, headers) => checked('GET', path, undefined, headers) };
}

async function exerciseAlerts({ world, project }: Scene, { get, send }: Pick<Calls, 'get' | 'send'>): Promise<void> {
  const group = `/groups/${project.id}`;
  const metricThreshold = {
    metricName: 'CONNECTIONS_PERCENT',
    mode: 'AVERAGE',
    operator: 'GREATER_THAN',
    threshold: 80,
    units: 'RAW',
  };
  world.alerts.addConfig(project, { eventTypeName: 'OUTSIDE_METRIC_THRESHOLD', details: { metricThreshold } });
  const slow = world.alerts.addConfig(project, {
    eventTypeName: 'NO_PRIMARY',
    notifications: [{ typeName: 'GROUP', delayMin: 15 }],
  });
  const alerts = [
    world.alerts.openAlert(project, {
      eventTypeName: 'OUTSIDE_METRIC_THRESHOLD',
      details: {
        currentValue: { number: 90.5, units: 'RAW' },
        hostnameAndPort: 'db-shard-00-00.example.net:27017',
        metricName: 'CONNECTIONS_PERCENT',
        replicaSetName: 'db-shard-0',
        userAlias: 'db-shard-00-00.example.net',
      },
    }),
    world.alerts.openAlert(project, { eventTypeName: 'NO_PRIMARY', config: slow, details: { replicaSetName: 'rs' } }),
    world.alerts.openAlert(project, { eventTypeName: 'CPS_SNAPSHOT_FAILED', details: { clusterName: 'db' } }),
    world.alerts.openAlert(project, { eventTypeName: 'USERS_WITHOUT_MULTI_FACTOR_AUTH' }),
  ];
  world.alerts.closeAlert(alerts[3]!);
  for (const { id } of alerts) {
    const path = `${group}/alerts/${id}`;
    await get(path);
    await get(`${path}/alertConfigs`);
    await send('PATCH', path, { acknowledgedUntil: '2126-01-01T00:00:00Z', acknowledgementComment: 'known' }, LATEST);
    await send('PATCH', path, { unacknowledgeAlert: true }, LATEST);
    await send('PATCH', path, { acknowledgedUntil: '2126-01-01T00:00:00Z' }, FIRST);
  }
  for (const status of ['', '?status=OPEN', '?status=TRACKING', '?status=CLOSED'])
    await get(`${group}/alerts${status}`);
  await get(`${group}/alertConfigs`);
  await get(`${group}/alertConfigs/${slow.id}`);
}

async function exerciseNetworking(scene: Scene, { get, send }: Pick<Calls, 'get' | 'send'>): Promise<void> {
  const { sandbox, world, project } = scene;
  const group = `/groups/${project.id}`;
  const created: { id: string }[] = [];
  for (const body of containers) created.push(await read(await send('POST', `${group}/containers`, body, FIRST)));
  await send(
    'PATCH',
    `${group}/containers/${created[0]!.id}`,
    { ...containers[0], atlasCidrBlock: '10.9.0.0/21' },
    FIRST,
  );
  const peers: { id: string }[] = [];
  for (const [at, body] of [awsPeer, azurePeer, gcpPeer].entries()) {
    const containerId = created[at]!.id;
    peers.push(await read(await send('POST', `${group}/peers`, { containerId, ...body }, FIRST)));
  }
  await readAll();
  sandbox.clock.advance(60_000);
  await readAll();
  const [aws, , gcp] = world.networking.peersOf(project);
  world.networking.acceptPeer(gcp!);
  world.networking.rejectPeer(aws!);
  await readAll();
  await send('PATCH', `${group}/peers/${peers[0]!.id}`, { ...awsPeer, containerId: created[0]!.id }, FIRST);
  for (const { id } of peers) await send('DELETE', `${group}/peers/${id}`);
  await readAll();
  sandbox.clock.advance(120_000);
  for (const { id } of created) await send('DELETE', `${group}/containers/${id}`);
  world.networking.endpoints.set(project.id, [{ endpointId: 'vpce-0fcd9d80bbafe4871', comment: 'mine' }]);
  for (const method of ['GET', 'DELETE']) {
    await send(method, `${group}/privateNetworkSettings/endpointIds/vpce-0fcd9d80bbafe4871`);
  }
  await send('PATCH', `${group}/privateIpMode`, { enabled: false }, FIRST);
  await send('PATCH', `${group}/privateEndpoint/regionalMode`, { enabled: true }, FIRST);
  world.networking.accessLists.set(project.id, [{ cidrBlock: '192.0.2.0/24', comment: 'office' }]);
  await get(`${group}/accessList`);
  const service = { id: 'a'.repeat(24), cloudProvider: 'AWS', regionName: 'US_EAST_1', status: 'AVAILABLE' } as const;
  world.networking.endpointServices.set(project.id, [{ ...service, interfaceEndpoints: ['vpce-0'] }]);
  for (const provider of ['AWS', 'GCP']) await get(`${group}/privateEndpoint/${provider}/endpointService`);

  async function readAll(): Promise<void> {
    await get(`${group}/containers/all`);
    for (const provider of ['AWS', 'AZURE', 'GCP']) {
      await get(`${group}/containers?providerName=${provider}`);
      await get(`${group}/peers?providerName=${provider}`);
    }
    for (const { id } of created) await get(`${group}/containers/${id}`);
    for (const { id } of peers) await get(`${group}/peers/${id}`);
  }
}

/** Calls the same operations so that each is refused in the ways that are its own, and in the common ones. */
export async function provokeOrganization(scene: Scene, { get, send }: Calls): Promise<void> {
  const { sandbox, world, org, project } = scene;
  const group = `/groups/${project.id}`;
  const stranger = world.addOrgAccount(world.addOrg({ name: 'elsewhere' }), { name: 'x', roles: ['ORG_OWNER'] });
  const reader = await signIn(sandbox, world.addProjectAccount(project, { name: 'r', roles: ['GROUP_READ_ONLY'] }));
  await (await signIn(sandbox, stranger)).get(group);
  await withToken(sandbox, 'unknown').get(group);
  const alert = world.alerts.openAlert(project, { eventTypeName: 'NO_PRIMARY' });
  const until = { acknowledgedUntil: '2126-01-01T00:00:00Z' };
  await reader.send('PATCH', `${group}/alerts/${alert.id}`, until, LATEST);
  await send('PATCH', `${group}/alerts/${alert.id}`, { ...until, acknowledgementComment: 'x'.repeat(201) }, LATEST);
  await send('PATCH', `${group}/alerts/${NOWHERE}`, until, LATEST);
  for (const path of ['alerts?status=CANCELLED', 'events?minDate=yesterday', 'peers?providerName=IBM']) {
    await get(`${group}/${path}`);
  }
  for (const kind of ['alerts', 'alertConfigs', 'events', 'containers', 'peers'])
    await get(`${group}/${kind}/${NOWHERE}`);
  await get(`${group}/alerts/${NOWHERE}/alertConfigs`);
  await get(`${group}/privateNetworkSettings/endpointIds/vpce-${'0'.repeat(17)}`);
  await send('DELETE', `${group}/privateNetworkSettings/endpointIds/vpce-${'0'.repeat(17)}`);
  await get(`${group}/pipelines/daily/runs/${NOWHERE}`);
  await get(`${group}/dbAccessHistory/clusters/nothing`);
  await get(`/orgs/${org.id}/apiKeys/${NOWHERE}/accessList`);
  await get('/rateLimits/nothing', LATEST);
  await get('/rateLimits?userId=somebody', LATEST);
  await send('DELETE', `/federationSettings/${NOWHERE}/connectedOrgConfigs/${org.id}/roleMappings/${NOWHERE}`);
  const container = await read(await send('POST', `${group}/containers`, containers[0], FIRST));
  await send('POST', `${group}/containers`, containers[0], FIRST);
  await send('POST', `${group}/containers`, { ...containers[1], atlasCidrBlock: '8.8.8.0/21' }, FIRST);
  const peer = { ...awsPeer, containerId: container.id };
  const { id } = await read(await send('POST', `${group}/peers`, peer, FIRST));
  await send('POST', `${group}/peers`, peer, FIRST);
  await reader.send('POST', `${group}/peers`, peer, FIRST);
  await send('POST', `${group}/peers`, { ...peer, awsAccountId: '1' }, FIRST);
  await send('PATCH', `${group}/peers/${id}`, peer, FIRST);
  await send('PATCH', `${group}/containers/${container.id}`, { regionName: 'EU_WEST_1' }, FIRST);
  await send('PATCH', `${group}/containers/${container.id}`, containers[0], FIRST);
  await send('DELETE', `${group}/containers/${container.id}`);
  await send('DELETE', `${group}/peers/${id}`);
  await send('DELETE', `${group}/peers/${id}`);
  await send('PATCH', `${group}/privateIpMode`, { enabled: true }, FIRST);
  await send('PATCH', `${group}/privateEndpoint/regionalMode`, {}, FIRST);
  const user = { username: 'someone@example.com', roles: ['GROUP_READ_ONLY'] };
  for (let n = 0; n < 2; n += 1) await send('POST', `${group}/users`, user, LATEST);
  await send('POST', `${group}/users`, { ...user, roles: [] }, LATEST);
}
