import type { Cluster } from '../../../../infra/local/atlas-sandbox/state/clusters.ts';
import { copyTo } from '../../../../infra/local/atlas-sandbox/state/schedule.ts';
import { type Calls, type createScene, DAY_MS, read, signIn } from './client.ts';

type Scene = ReturnType<typeof createScene>;

const version = (date: string): Record<string, string> => ({
  accept: `application/vnd.atlas.${date}+json`,
  'content-type': 'application/json',
});
const LATEST = version('2025-03-12');
const VERSIONS = ['2023-01-01', '2023-02-01', '2024-08-05'].map(version);
const NOWHERE = '0'.repeat(24);

/** Clusters of every kind, some of them months old. */
export function addClusters({ world, project, sandbox }: Scene) {
  const createdAt = new Date(sandbox.clock.now().getTime() - 100 * DAY_MS);
  const add = (name: string, options: object = {}): Cluster =>
    world.clusters.add(project, { name, createdAt, ...options });
  const azure = { provider: 'AZURE', name: 'EUROPE_NORTH' } as const;
  const gcp = { provider: 'GCP', name: 'CENTRAL_US' } as const;
  return {
    main: add('main', { pitEnabled: true, tags: [{ key: 'env', value: 'prod' }], pinnedNamespaces: ['a.b', 'a.c'] }),
    sharded: add('sharded', { kind: 'sharded', tier: 'M30', mongoDBVersion: '7.0.26', regions: [azure] }),
    global: add('global', {
      kind: 'global',
      tier: 'M30',
      zones: [
        { name: 'Zone 1', shards: 1, regions: [gcp] },
        { name: 'Zone 2', shards: 2, regions: [{ provider: 'AWS', name: 'EU_WEST_1', readOnly: 1, analytics: 1 }] },
      ],
    }),
    multi: add('multi', {
      regions: [
        { provider: 'AWS', name: 'US_EAST_1', nodes: 2 },
        { ...azure, nodes: 1 },
      ],
    }),
    free: add('free', { kind: 'free' }),
    flex: add('flex', { kind: 'flex', versionReleaseSystem: 'CONTINUOUS' }),
    paused: add('paused', { paused: true }),
    young: add('young', { createdAt: sandbox.clock.now(), stateName: 'CREATING' }),
    legacy: add('legacy', { legacyBackup: true }),
    bare: add('bare', { backupEnabled: false }),
    rapid: add('rapid', { versionReleaseSystem: 'CONTINUOUS' }),
  };
}

/** Calls every operation about clusters, their backups and their migrations so that it succeeds. */
export async function exerciseClusters(scene: Scene, calls: Calls): Promise<void> {
  const { world, project } = scene;
  const group = `/groups/${project.id}`;
  const clusters = addClusters(scene);
  const { get, send } = calls;
  await get('/clusters');
  for (const headers of VERSIONS) {
    await get(`${group}/clusters?includeDeletedWithRetainedBackups=true`, headers);
    for (const name of ['main', 'sharded', 'global', 'multi', 'free', 'young']) {
      await get(`${group}/clusters/${name}`, headers);
    }
  }
  const main = `${group}/clusters/main`;
  await send('POST', `${main}:pinFeatureCompatibilityVersion`);
  await get(main);
  await send('POST', `${main}:unpinFeatureCompatibilityVersion`);
  await send('PATCH', `${main}/collStats/unpin`, { namespaces: ['a.b'] });
  await exerciseBackups(scene, calls, clusters);
  world.searchIndexes.add(clusters.main, { database: 'shop', collectionName: 'orders', name: 'default' });
  const vector = world.searchIndexes.add(clusters.main, {
    database: 'shop',
    collectionName: 'orders',
    name: 'similar',
    type: 'vectorSearch',
  });
  await get(`${main}/search/indexes`);
  const definition = { mappings: { dynamic: false, fields: { name: { type: 'string' } } } };
  await send('PATCH', `${main}/search/indexes/shop/orders/default`, { definition });
  await send('DELETE', `${main}/fts/indexes/${vector.id}`);
  const archive = world.onlineArchives.add(clusters.main, { dbName: 'shop', collName: 'orders' });
  const change = { paused: true, dataExpirationRule: { expireAfterDays: 90 }, criteria: { expireAfterDays: 5 } };
  await send('PATCH', `${main}/onlineArchives/${archive.id}`, change);
  await get(`${main}/onlineArchives`);
  await exerciseMigrations(scene, calls);
}

async function exerciseBackups(
  { world, project, sandbox }: Scene,
  { get, send }: Calls,
  { main, sharded, flex }: ReturnType<typeof addClusters>,
): Promise<void> {
  const group = `/groups/${project.id}`;
  const schedule = `${group}/clusters/main/backup/schedule`;
  const exportBucketId = 'b'.repeat(24);
  world.backups.exportBuckets.add(exportBucketId);
  for (const headers of [version('2023-01-01'), LATEST]) {
    await send('PATCH', schedule, { useOrgAndGroupNamesInExportPrefix: true, restoreWindowDays: 3 }, headers);
    world.backups.setSchedule(main, { copySettings: [copyTo(main, 'EU_WEST_1', { frequencies: ['DAILY'] })] });
    await get(schedule, headers);
  }
  const more = {
    autoExportEnabled: true,
    export: { exportBucketId, frequencyType: 'monthly' },
    extraRetentionSettings: [{ frequencyType: 'DAILY', retentionDays: 3 }],
  };
  await send('PATCH', schedule, more);
  const takenAt = new Date(sandbox.clock.now().getTime() - 3_600_000);
  world.backups.addSnapshot(main, {
    takenAt,
    type: 'onDemand',
    status: 'completed',
    description: 'before the release',
  });
  const hour = 3_600_000;
  for (const [nth, outcome] of (['failed', 'queued', 'inProgress', 'fallback', 'notCopied'] as const).entries()) {
    const from = new Date(takenAt.getTime() - (nth + 1) * 24 * hour);
    for (const cluster of [main, sharded]) {
      world.backups.disturb(cluster, { from, to: new Date(from.getTime() + 24 * hour), outcome });
    }
  }
  const snapshots = `${group}/clusters/main/backup/snapshots`;
  const { results } = await read(await get(`${snapshots}?itemsPerPage=500`));
  await get(`${snapshots}/${results[0].id}`);
  const shardedSnapshots = `${group}/clusters/sharded/backup/snapshots`;
  const list = await read(await get(`${shardedSnapshots}/shardedClusters`));
  await get(`${shardedSnapshots}/shardedCluster/${list.results[0].id}`);
  await get(`${group}/clusters/legacy/snapshotSchedule`);
  await send(
    'PATCH',
    `${group}/clusters/legacy/snapshotSchedule`,
    { snapshotIntervalHours: 12 },
    version('2023-01-01'),
  );
  world.compliance.set(project, { deletable: true });
  for (const headers of [version('2023-01-01'), LATEST]) await get(`${group}/backupCompliancePolicy`, headers);
  await send('DELETE', `${group}/backupCompliancePolicy`, undefined, LATEST);
  const flexBackup = `${group}/flexClusters/flex/backup`;
  const [snapshot] = world.flexBackups.snapshots(flex);
  const restore = world.flexBackups.addRestore(flex, snapshot!);
  world.flexBackups.addRestore(flex, snapshot!, { deliveryType: 'DOWNLOAD', requestedAt: takenAt });
  for (const path of ['', '/flex']) await get(`${group}/flexClusters${path}`, LATEST);
  for (const path of ['snapshots', `snapshots/${snapshot!.id}`, 'restoreJobs', `restoreJobs/${restore.id}`]) {
    await get(`${flexBackup}/${path}`, LATEST);
  }
}

export const migrationOf = ({ project }: Scene, sourceId: string, clusterName: string, host: string) => ({
  destination: { clusterName, groupId: project.id, hostnameSchemaType: 'PUBLIC' },
  migrationHosts: [host],
  source: { clusterName: 'source', groupId: sourceId, managedAuthentication: true, ssl: true },
});

async function exerciseMigrations(scene: Scene, { get, send }: Calls): Promise<void> {
  const { world, org, project, sandbox } = scene;
  const links = `/orgs/${org.id}/liveMigrations`;
  const migrations = `/groups/${project.id}/liveMigrations`;
  await send('POST', `${links}/linkTokens`, { accessListIps: ['192.0.2.1'] });
  const migrationHosts = ['host-1.example.com', 'host-2.example.com'];
  const source = world.migrations.connect(org, {
    name: 'On premises',
    migrationHosts,
    deployments: [{ name: 'source' }],
  });
  await get(`${links}/availableProjects`);
  const first = migrationOf(scene, source.projectId, 'main', 'host-1.example.com');
  const validation = await read(await send('POST', `${migrations}/validate`, first));
  await get(`${migrations}/validate/${validation._id}`);
  const second = { ...migrationOf(scene, source.projectId, 'rapid', 'host-2.example.com'), dropEnabled: false };
  await send('POST', migrations, second, version('2023-01-01'));
  const { _id: id } = await read(await send('POST', migrations, first));
  for (const minutes of [0, 30, 60]) {
    sandbox.clock.advance(minutes * 60_000);
    const { get: later } = await signIn(sandbox, scene.owner);
    await later(`${migrations}/${id}`);
  }
  const { send: sendLater, get: getLater } = await signIn(sandbox, scene.owner);
  await sendLater('PUT', `${migrations}/${id}/cutover`);
  await getLater(`${migrations}/${id}`);
  sandbox.clock.advance(6 * DAY_MS);
  const { send: sendAtLast } = await signIn(sandbox, scene.owner);
  await sendAtLast('DELETE', `${links}/linkTokens`);
}

/** Calls the same operations so that each is refused the way it mainly is; answers the refusals to expect. */
export async function refuseClusters(scene: Scene, { get, send }: Calls): Promise<string[]> {
  const { world, org, project } = scene;
  const { main, legacy } = addClusters(scene);
  const group = `/groups/${project.id}`;
  const path = `${group}/clusters`;
  const archive = world.onlineArchives.add(main, { dbName: 'a', collName: 'b', state: 'PENDING' });
  const rejected: [operation: string, response: Promise<Response>][] = [
    ['getGroupCluster 404', get(`${path}/none`)],
    ['getGroupCluster 400', get(`${path}/flex`)],
    ['pinGroupClusterFeatureCompatibilityVersion 400', send('POST', `${path}/rapid:pinFeatureCompatibilityVersion`)],
    ['unpinGroupClusterFeatureCompatibilityVersion 404', send('POST', `${path}/none:unpinFeatureCompatibilityVersion`)],
    ['unpinGroupClusterCollStatUnpinNamespaces 400', send('PATCH', `${path}/free/collStats/unpin`, {})],
    ['getGroupClusterBackupSchedule 404', get(`${path}/bare/backup/schedule`)],
    ['updateGroupClusterBackupSchedule 400', send('PATCH', `${path}/main/backup/schedule`, { restoreWindowDays: 0 })],
    ['listGroupClusterBackupSnapshots 404', get(`${path}/none/backup/snapshots`)],
    ['getGroupClusterBackupSnapshot 404', get(`${path}/main/backup/snapshots/${NOWHERE}`)],
    ['listGroupClusterBackupSnapshotShardedClusters 400', get(`${path}/flex/backup/snapshots/shardedClusters`)],
    [
      'getGroupClusterBackupSnapshotShardedCluster 404',
      get(`${path}/sharded/backup/snapshots/shardedCluster/${NOWHERE}`),
    ],
    ['getGroupClusterSnapshotSchedule 400', get(`${path}/main/snapshotSchedule`)],
    ['updateGroupClusterSnapshotSchedule 400', send('PATCH', `${path}/${legacy.name}/snapshotSchedule`, { x: 1 })],
    ['getGroupBackupCompliancePolicy 404', get(`${group}/backupCompliancePolicy`)],
    ['disableGroupBackupCompliancePolicy 404', send('DELETE', `${group}/backupCompliancePolicy`, undefined, LATEST)],
    ['getGroupFlexCluster 400', get(`${group}/flexClusters/main`, LATEST)],
    ['listGroupFlexClusterBackupSnapshots 400', get(`${group}/flexClusters/main/backup/snapshots`, LATEST)],
    ['getGroupFlexClusterBackupSnapshot 404', get(`${group}/flexClusters/flex/backup/snapshots/${NOWHERE}`, LATEST)],
    ['listGroupFlexClusterBackupRestoreJobs 400', get(`${group}/flexClusters/main/backup/restoreJobs`, LATEST)],
    [
      'getGroupFlexClusterBackupRestoreJob 404',
      get(`${group}/flexClusters/flex/backup/restoreJobs/${NOWHERE}`, LATEST),
    ],
    ['listGroupClusterSearchIndexes 404', get(`${path}/none/search/indexes`)],
    [
      'updateGroupClusterSearchIndexByName 404',
      send('PATCH', `${path}/main/search/indexes/a/b/c`, { definition: { mappings: {} } }),
    ],
    ['deleteGroupClusterFtsIndex 404', send('DELETE', `${path}/main/fts/indexes/${NOWHERE}`)],
    [
      'updateGroupClusterOnlineArchive 409',
      send('PATCH', `${path}/main/onlineArchives/${archive.id}`, { paused: true }),
    ],
    ['listGroupClusters 400', get(`${path}?itemsPerPage=501`)],
    ['listClusterDetails 400', get('/clusters?pageNum=0')],
    ['listGroupFlexClusters 400', get(`${group}/flexClusters?pageNum=0`, LATEST)],
    ['createOrgLiveMigrationLinkToken 400', send('POST', `/orgs/${org.id}/liveMigrations/linkTokens`, { x: 1 })],
    ['deleteOrgLiveMigrationLinkTokens 404', send('DELETE', `/orgs/${org.id}/liveMigrations/linkTokens`)],
    [
      'validateGroupLiveMigrations 404',
      send('POST', `${group}/liveMigrations/validate`, migrationOf(scene, NOWHERE, 'none', 'host')),
    ],
    ['getGroupLiveMigrationValidateStatus 404', get(`${group}/liveMigrations/validate/${NOWHERE}`)],
    [
      'createGroupLiveMigration 400',
      send('POST', `${group}/liveMigrations`, migrationOf(scene, NOWHERE, 'main', 'host')),
    ],
    ['getGroupLiveMigration 404', get(`${group}/liveMigrations/${NOWHERE}`)],
    ['cutoverGroupLiveMigration 404', send('PUT', `${group}/liveMigrations/${NOWHERE}/cutover`)],
  ];
  for (const [, response] of rejected) await response;
  return rejected.map(([operation]) => operation).sort();
}
