import { copyTo } from '../../infra/local/atlas-sandbox/state/schedule.ts';
import type { Project, World } from '../../infra/local/atlas-sandbox/world.ts';
import { catalogue } from '../../lib/atlas/catalogue.ts';
import type { AtlasClient } from '../../lib/atlas/client.ts';
import { getGroupClusterBackupSchedule } from '../../lib/atlas/operations/backup-schedules.ts';
import {
  listGroupClusterBackupSnapshotShardedClusters,
  listGroupClusterBackupSnapshots,
} from '../../lib/atlas/operations/backup-snapshots.ts';
import { listGroupClusters } from '../../lib/atlas/operations/clusters.ts';
import { listGroupEvents } from '../../lib/atlas/operations/events.ts';
import { listGroupFlexClusters } from '../../lib/atlas/operations/flex-clusters.ts';
import { pages } from '../../lib/atlas/pages.ts';
import { type createScene, DAY_MS } from '../infra/local/atlas-sandbox/client.ts';
import { addClusters } from '../infra/local/atlas-sandbox/contract-clusters.ts';

type Values = Readonly<Record<string, unknown>>;
interface Asked {
  readonly query?: Values;
  readonly body?: Values;
}
// biome-ignore lint/suspicious/noExplicitAny: the client has checked what it answers, and the sandbox fills in the rest.
type Call = (id: string, params?: Values, asked?: Asked) => Promise<any>;
type Scene = ReturnType<typeof createScene>;
interface Stage extends Scene {
  readonly call: Call;
  readonly group: { readonly groupId: string };
}

const HOUR_MS = 3_600_000;
const soon = new Date('2126-01-01T00:00:00Z');

/**
 * Calls every operation of the sandbox through the client so that it succeeds. What the client gets back it has
 * checked itself; a call that fails ends it all.
 */
export async function callEverything(scene: Scene, client: AtlasClient): Promise<void> {
  const call: Call = (id, params = {}, asked = {}) => {
    const operation = catalogue.get(id);
    if (!operation) throw new Error(`the client has no ${id}`);
    return client.call(operation, { params: params as Record<string, string>, ...asked });
  };
  const stage = { ...scene, call, group: { groupId: scene.project.id } };
  await callAccounts(stage);
  await callAlerts(stage);
  await callNetworking(stage);
  await callProjectAndOrganization(stage);
  const clusters = addClusters(scene);
  await callClusters(stage, clusters);
  await callBackups(stage, clusters);
  await callSearchAndArchives(stage, clusters);
  await callMigrations(stage);
}

/** Reads the clusters and backups of whole projects. */
export async function readSeeded(world: World, projects: readonly Project[], client: AtlasClient): Promise<void> {
  for (const { id: groupId } of projects) {
    const params = { groupId };
    await readAll(pages(client, listGroupClusters, { params }));
    await readAll(pages(client, listGroupFlexClusters, { params }));
    await readAll(pages(client, listGroupEvents, { params }));
    for (const { name: clusterName, kind, backupEnabled } of world.clusters.of(groupId)) {
      if (kind === 'flex' || kind === 'free' || !backupEnabled) continue;
      const cluster = { params: { groupId, clusterName } };
      await client.call(getGroupClusterBackupSchedule, cluster);
      await client.call(
        kind === 'replicaSet' ? listGroupClusterBackupSnapshots : listGroupClusterBackupSnapshotShardedClusters,
        cluster,
      );
    }
  }
}

async function readAll(list: AsyncIterator<unknown>): Promise<void> {
  while (!(await list.next()).done);
}

async function callAccounts({ call, group, org, orgAccount, projectAccount }: Stage): Promise<void> {
  const year = { body: { secretExpiresAfterHours: 8760 } };
  const changes = { body: { name: 'renamed', description: 'changed' } };
  for (const [scope, kind, clientId] of [
    [{ orgId: org.id }, 'Org', orgAccount.clientId],
    [group, 'Group', projectAccount.clientId],
  ] as const) {
    const account = { ...scope, clientId };
    const { id: secretId } = await call(`create${kind}ServiceAccountSecret`, account, year);
    await call(`list${kind}ServiceAccounts`, scope);
    await call(`get${kind}ServiceAccount`, account);
    await call(`update${kind}ServiceAccount`, account, changes);
    await call(`delete${kind}ServiceAccountSecret`, { ...account, secretId });
  }
}

async function callAlerts({ call, group, world, project }: Stage): Promise<void> {
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
    const alert = { ...group, alertId: id };
    await call('getGroupAlert', alert);
    await call('getGroupAlertAlertConfigs', alert);
    await call('acknowledgeGroupAlert', alert, {
      body: { acknowledgedUntil: soon, acknowledgementComment: 'known' },
    });
    await call('acknowledgeGroupAlert', alert, { body: { unacknowledgeAlert: true } });
  }
  await call('listGroupAlerts', group);
  for (const status of ['OPEN', 'TRACKING', 'CLOSED']) await call('listGroupAlerts', group, { query: { status } });
  await call('listGroupAlertConfigs', group);
  await call('getGroupAlertConfig', { ...group, alertConfigId: slow.id });
}

async function callNetworking({ call, group, sandbox, world, project }: Stage): Promise<void> {
  const settings = [
    {
      container: { providerName: 'AWS', atlasCidrBlock: '10.8.0.0/21', regionName: 'US_EAST_1' },
      peer: {
        providerName: 'AWS',
        accepterRegionName: 'us-west-1',
        awsAccountId: '999900000000',
        routeTableCidrBlock: '10.15.0.0/16',
        vpcId: 'vpc-0123456789abcdef0',
      },
    },
    {
      container: { providerName: 'AZURE', atlasCidrBlock: '192.168.0.0/21', region: 'US_EAST' },
      peer: {
        providerName: 'AZURE',
        azureDirectoryId: '11111111-2222-3333-4444-555555555555',
        azureSubscriptionId: '66666666-7777-8888-9999-000000000000',
        resourceGroupName: 'shop-rg',
        vnetName: 'shop-vnet',
      },
    },
    {
      container: { providerName: 'GCP', atlasCidrBlock: '172.16.0.0/18', regions: ['ASIA_EAST_2'] },
      peer: { providerName: 'GCP', gcpProjectId: 'shop-project', networkName: 'default' },
    },
  ];
  const made: { providerName: string; containerId: string; peerId: string }[] = [];
  for (const { container, peer } of settings) {
    const { id: containerId } = await call('createGroupContainer', group, { body: container });
    const { id: peerId } = await call('createGroupPeer', group, { body: { containerId, ...peer } });
    made.push({ providerName: container.providerName, containerId, peerId });
  }
  await readAll();
  sandbox.clock.advance(60_000);
  await readAll();
  const [aws, , gcp] = world.networking.peersOf(project);
  world.networking.acceptPeer(gcp!);
  world.networking.rejectPeer(aws!);
  await readAll();
  const { containerId, peerId } = made[0]!;
  await call('updateGroupPeer', { ...group, peerId }, { body: { ...settings[0]!.peer, containerId } });
  for (const one of made) await call('deleteGroupPeer', { ...group, peerId: one.peerId });
  await readAll();
  sandbox.clock.advance(120_000);
  const moved = { body: { ...settings[0]!.container, atlasCidrBlock: '10.9.0.0/21' } };
  await call('updateGroupContainer', { ...group, containerId }, moved);
  for (const one of made) await call('deleteGroupContainer', { ...group, containerId: one.containerId });
  const endpointId = 'vpce-0fcd9d80bbafe4871';
  world.networking.endpoints.set(project.id, [{ endpointId, comment: 'mine' }]);
  await call('getGroupPrivateNetworkSettingEndpointId', { ...group, endpointId });
  await call('deleteGroupPrivateNetworkSettingEndpointId', { ...group, endpointId });
  await call('disableGroupPrivateIpModePeering', group, { body: { enabled: false } });
  await call('toggleGroupPrivateEndpointRegionalMode', group, { body: { enabled: true } });
  world.networking.accessLists.set(project.id, [{ cidrBlock: '192.0.2.1/32', ipAddress: '192.0.2.1' }]);
  await call('listGroupAccessListEntries', group);
  const services = { regionName: 'US_EAST_1', status: 'AVAILABLE', interfaceEndpoints: [endpointId] } as const;
  world.networking.endpointServices.set(project.id, [{ id: 'a'.repeat(24), cloudProvider: 'AWS', ...services }]);
  for (const cloudProvider of ['AWS', 'AZURE', 'GCP'])
    await call('listGroupPrivateEndpointEndpointService', { ...group, cloudProvider });

  async function readAll(): Promise<void> {
    await call('listGroupContainerAll', group);
    for (const one of made) {
      const query = { providerName: one.providerName };
      await call('listGroupContainers', group, { query });
      await call('listGroupPeers', group, { query });
      await call('getGroupContainer', { ...group, containerId: one.containerId });
      await call('getGroupPeer', { ...group, peerId: one.peerId });
    }
  }
}

async function callProjectAndOrganization({ call, group, world, org, project, orgAccount }: Stage): Promise<void> {
  const organization = { orgId: org.id };
  const federationSettingsId = 'f'.repeat(24);
  const { id: apiUserId } = world.addApiKey(org, {
    roles: ['ORG_MEMBER'],
    accessList: ['192.0.2.1', '198.51.100.0/24'],
  });
  await call('listOrgApiKeyAccessListEntries', { ...organization, apiUserId });
  const { id } = world.access.addRoleMapping(org, federationSettingsId, 'admins');
  await call('deleteFederationSettingConnectedOrgConfigRoleMapping', { federationSettingsId, ...organization, id });
  world.access.addUser(org, { username: 'member@example.com' });
  for (const username of ['member@example.com', 'stranger@example.com']) {
    await call('addGroupUsers', group, { body: { username, roles: ['GROUP_READ_ONLY'] } });
  }
  const role = {
    roleId: 'a'.repeat(24),
    atlasAWSAccountArn: 'arn:aws:iam::123456789012:root',
    atlasAssumedRoleExternalId: '11111111-2222-3333-4444-555555555555',
    createdAt: new Date(0),
  };
  const iamAssumedRoleArn = 'arn:aws:iam::123456789012:role/atlas';
  world.access.awsIamRoles.set(project.id, [role, { ...role, authorizedAt: new Date(0), iamAssumedRoleArn }]);
  await call('listGroupCloudProviderAccess', group);
  world.clusters.add(project, { name: 'db' });
  world.access.logAccess(project, 'db', { authResult: true, username: 'app', ipAddress: '192.0.2.1' });
  await call('getGroupDbAccessHistoryCluster', { ...group, clusterName: 'db' });
  world.access.addIntegration(project, { type: 'PAGER_DUTY', region: 'US', serviceKey: '0'.repeat(32) });
  world.access.addIntegration(project, {
    type: 'WEBHOOK',
    url: 'https://example.com/hook/1234',
    secret: 'webhook secret',
    bodyTemplate: null,
    headersTemplate: null,
  });
  await call('listGroupIntegrations', group);
  const flags = { startASAP: false, autoDeferOnceEnabled: false, numberOfDeferrals: 0 };
  world.access.maintenanceWindows.set(project.id, { dayOfWeek: 1, hourOfDay: 1, timeZoneId: 'UTC', ...flags });
  await call('getGroupMaintenanceWindow', group);
  for (const id of ['getSystemStatus', 'listOrgs', 'listGroups', 'listRateLimits']) await call(id);
  await call('listGroups', {}, { query: { pageNum: 2, itemsPerPage: 1, includeCount: false } });
  await call('getGroup', group);
  await call('getOrgGroups', organization);
  await call('getOrgSettings', organization);
  world.assign(orgAccount, project, ['GROUP_READ_ONLY']);
  await call('getOrgServiceAccountGroups', { ...organization, clientId: orgAccount.clientId });
  for (const query of [group, organization]) await call('listRateLimits', {}, { query });
  await call('getRateLimit', { endpointSetId: 'alerts' });
  const { results } = await call('listGroupEvents', group, { query: { includeRaw: true } });
  for (const { id: eventId } of results) await call('getGroupEvent', { ...group, eventId });
  await call('listOrgEvents', organization);
}

type Clusters = ReturnType<typeof addClusters>;

async function callClusters({ call, group }: Stage, clusters: Clusters): Promise<void> {
  await call('listClusterDetails');
  await call('listGroupClusters', group, { query: { includeDeletedWithRetainedBackups: true } });
  const main = { ...group, clusterName: 'main' };
  await call('pinGroupClusterFeatureCompatibilityVersion', main, { body: {} });
  for (const { name, kind } of Object.values(clusters)) {
    if (kind !== 'flex') await call('getGroupCluster', { ...group, clusterName: name });
  }
  await call('unpinGroupClusterFeatureCompatibilityVersion', main);
  await call('unpinGroupClusterCollStatUnpinNamespaces', main, { body: { namespaces: ['a.b'] } });
}

async function callBackups(stage: Stage, { main, sharded, flex }: Clusters): Promise<void> {
  const { call, group, world, project, sandbox } = stage;
  const ofMain = { ...group, clusterName: 'main' };
  const exportBucketId = 'b'.repeat(24);
  world.backups.exportBuckets.add(exportBucketId);
  await call('updateGroupClusterBackupSchedule', ofMain, {
    body: { useOrgAndGroupNamesInExportPrefix: true, restoreWindowDays: 3 },
  });
  world.backups.setSchedule(main, { copySettings: [copyTo(main, 'EU_WEST_1', { frequencies: ['DAILY'] })] });
  await call('getGroupClusterBackupSchedule', ofMain);
  await call('updateGroupClusterBackupSchedule', ofMain, {
    body: {
      autoExportEnabled: true,
      export: { exportBucketId, frequencyType: 'monthly' },
      extraRetentionSettings: [{ frequencyType: 'DAILY', retentionDays: 3 }],
    },
  });
  const takenAt = new Date(sandbox.clock.now().getTime() - HOUR_MS);
  const description = 'before the release';
  world.backups.addSnapshot(main, { takenAt, type: 'onDemand', status: 'completed', description });
  for (const [nth, outcome] of (['failed', 'queued', 'inProgress', 'fallback', 'notCopied'] as const).entries()) {
    const from = new Date(takenAt.getTime() - (nth + 1) * DAY_MS);
    for (const cluster of [main, sharded]) {
      world.backups.disturb(cluster, { from, to: new Date(from.getTime() + DAY_MS), outcome });
    }
  }
  const { results } = await call('listGroupClusterBackupSnapshots', ofMain, { query: { itemsPerPage: 500 } });
  await call('getGroupClusterBackupSnapshot', { ...ofMain, snapshotId: results[0].id });
  const ofSharded = { ...group, clusterName: 'sharded' };
  const list = await call('listGroupClusterBackupSnapshotShardedClusters', ofSharded);
  const snapshotId = list.results[0].id;
  await call('getGroupClusterBackupSnapshotShardedCluster', { ...ofSharded, snapshotId });
  const legacy = { ...group, clusterName: 'legacy' };
  await call('getGroupClusterSnapshotSchedule', legacy);
  await call('updateGroupClusterSnapshotSchedule', legacy, {
    body: {
      clusterId: world.clusters.find(project.id, 'legacy')!.id,
      clusterCheckpointIntervalMin: 15,
      snapshotIntervalHours: 12,
      snapshotRetentionDays: 2,
      dailySnapshotRetentionDays: 7,
      weeklySnapshotRetentionWeeks: 4,
      monthlySnapshotRetentionMonths: 12,
      pointInTimeWindowHours: 24,
    },
  });
  world.compliance.set(project, { deletable: true });
  await call('getGroupBackupCompliancePolicy', group);
  await call('disableGroupBackupCompliancePolicy', group);
  const [snapshot] = world.flexBackups.snapshots(flex);
  const restore = world.flexBackups.addRestore(flex, snapshot!);
  world.flexBackups.addRestore(flex, snapshot!, { deliveryType: 'DOWNLOAD', requestedAt: takenAt });
  const ofFlex = { ...group, name: 'flex' };
  await call('listGroupFlexClusters', group);
  await call('getGroupFlexCluster', ofFlex);
  await call('listGroupFlexClusterBackupSnapshots', ofFlex);
  await call('getGroupFlexClusterBackupSnapshot', { ...ofFlex, snapshotId: snapshot!.id });
  await call('listGroupFlexClusterBackupRestoreJobs', ofFlex);
  await call('getGroupFlexClusterBackupRestoreJob', { ...ofFlex, restoreJobId: restore.id });
}

async function callSearchAndArchives({ call, group, world }: Stage, { main }: Clusters): Promise<void> {
  const ofMain = { ...group, clusterName: 'main' };
  const place = { database: 'shop', collectionName: 'orders' };
  world.searchIndexes.add(main, { ...place, name: 'default' });
  const vector = world.searchIndexes.add(main, { ...place, name: 'similar', type: 'vectorSearch' });
  await call('listGroupClusterSearchIndexes', ofMain);
  const index = { ...ofMain, databaseName: 'shop', collectionName: 'orders', indexName: 'default' };
  const definition = { mappings: { fields: { name: { type: 'string' } } } };
  await call('updateGroupClusterSearchIndexByName', index, { body: { definition } });
  await call('deleteGroupClusterFtsIndex', { ...ofMain, indexId: vector.id });
  const archive = world.onlineArchives.add(main, { dbName: 'shop', collName: 'orders' });
  await call('listGroupClusterOnlineArchives', ofMain);
  await call(
    'updateGroupClusterOnlineArchive',
    { ...ofMain, archiveId: archive.id },
    { body: { paused: true, dataExpirationRule: { expireAfterDays: 90 } } },
  );
}

async function callMigrations({ call, group, world, org, sandbox }: Stage): Promise<void> {
  const organization = { orgId: org.id };
  await call('createOrgLiveMigrationLinkToken', organization, { body: { accessListIps: ['192.0.2.1'] } });
  const migrationHosts = ['host.example.com'];
  const deployments = [{ name: 'source' }];
  const source = world.migrations.connect(org, { name: 'On premises', migrationHosts, deployments });
  await call('listOrgLiveMigrationAvailableProjects', organization);
  const body = {
    destination: { clusterName: 'main', ...group, hostnameSchemaType: 'PUBLIC' },
    migrationHosts,
    source: { clusterName: 'source', groupId: source.projectId, managedAuthentication: true, ssl: true },
  };
  const { _id: validationId } = await call('validateGroupLiveMigrations', group, { body });
  await call('getGroupLiveMigrationValidateStatus', { ...group, validationId });
  const { _id: liveMigrationId } = await call('createGroupLiveMigration', group, { body });
  const migration = { ...group, liveMigrationId };
  for (const minutes of [0, 30, 60]) {
    sandbox.clock.advance(minutes * 60_000);
    await call('getGroupLiveMigration', migration);
  }
  await call('cutoverGroupLiveMigration', migration);
  await call('getGroupLiveMigration', migration);
  sandbox.clock.advance(6 * DAY_MS);
  await call('deleteOrgLiveMigrationLinkTokens', organization);
}
