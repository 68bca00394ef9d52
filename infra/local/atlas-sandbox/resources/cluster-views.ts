import { timestamp } from '../date.ts';
import {
  type Cluster,
  configServerType,
  isPaused,
  isSharded,
  majorOf,
  type Provider,
  type Region,
  type Zone,
  zoneId,
} from '../state/clusters.ts';
import { derivedId } from '../state/derived-id.ts';
import type { World } from '../world.ts';

const autoScaling = { compute: { enabled: false, scaleDownEnabled: false }, diskGB: { enabled: false } };

interface Viewer {
  readonly world: World;
  readonly url: URL;
}

/** A cluster the way a version of the API shows it. */
export function clusterView({ world, url }: Viewer, version: string, cluster: Cluster): object {
  if (version >= '2024-08-05') return currentView(world, url, cluster);
  if (version >= '2023-02-01') return earlierView(world, url, cluster);
  return firstView(world, url, cluster);
}

/** One replication spec per shard. */
function currentView(world: World, url: URL, cluster: Cluster): object {
  const specs = (isEffective: boolean): object[] =>
    cluster.zones.flatMap((zone, zoneNumber) =>
      Array.from({ length: zone.shards }, (_, shard) => ({
        id: derivedId(cluster.id, 'shard', zoneNumber, shard),
        regionConfigs: regionConfigs(cluster, zone, isEffective ? 'plain' : 'effective'),
        zoneId: zoneId(cluster, zoneNumber),
        zoneName: zone.name,
      })),
    );
  return {
    ...commonView(world, url, cluster),
    adaptiveCapacity: null,
    effectiveDatabaseEdition: 'CORE',
    effectiveReplicationSpecs: specs(true),
    internalClusterRole: cluster.internalClusterRole,
    redactClientLogData: false,
    replicationSpecs: specs(false),
  };
}

/** One replication spec per zone, and one disk size. */
function earlierView(world: World, url: URL, cluster: Cluster): object {
  return {
    ...commonView(world, url, cluster),
    diskSizeGB: cluster.diskSizeGB,
    replicationSpecs: cluster.zones.map((zone, zoneNumber) => ({
      id: derivedId(cluster.id, 'spec', zoneNumber),
      numShards: zone.shards,
      regionConfigs: regionConfigs(cluster, zone, 'diskless'),
      zoneId: zoneId(cluster, zoneNumber),
      zoneName: zone.name,
    })),
  };
}

/** Hardware said once for all regions. */
function firstView(world: World, url: URL, cluster: Cluster): object {
  const provider = cluster.zones[0]?.regions[0]?.provider ?? 'AWS';
  const region = cluster.zones[0]?.regions[0]?.name;
  const { clusterType: _, ...common } = commonView(world, url, cluster);
  return {
    ...common,
    autoScaling: { compute: { enabled: false, scaleDownEnabled: false }, diskGBEnabled: false },
    clusterType: clusterType(cluster),
    ...(cluster.kind !== 'free' && { diskSizeGB: cluster.diskSizeGB }),
    numShards: cluster.zones[0]?.shards ?? 1,
    providerBackupEnabled: cluster.backupEnabled && !cluster.legacyBackup,
    providerSettings:
      cluster.kind === 'free'
        ? { providerName: 'TENANT', backingProviderName: provider, instanceSizeName: 'M0', regionName: region }
        : { providerName: provider, instanceSizeName: cluster.tier, regionName: region },
    replicationFactor: 3,
    replicationSpecs: cluster.zones.map((zone, zoneNumber) => ({
      id: derivedId(cluster.id, 'spec', zoneNumber),
      numShards: zone.shards,
      regionsConfig: Object.fromEntries(
        zone.regions.map(({ name, nodes = 3, readOnly = 0, analytics = 0 }, nth) => [
          name,
          { analyticsNodes: analytics, electableNodes: nodes, priority: priority(nth), readOnlyNodes: readOnly },
        ]),
      ),
      zoneName: zone.name,
    })),
  };
}

function commonView(world: World, url: URL, cluster: Cluster) {
  const self = `${url.origin}/api/atlas/v2/groups/${cluster.groupId}/clusters/${cluster.name}`;
  const pin = world.clusters.pinOf(cluster);
  return {
    advancedConfiguration: {
      customOpensslCipherConfigTls12: [],
      customOpensslCipherConfigTls13: [],
      minimumEnabledTlsProtocol: 'TLS1_2',
      tlsCipherConfigMode: 'DEFAULT',
    },
    backupEnabled: cluster.backupEnabled,
    biConnector: { enabled: cluster.biConnectorEnabled, readPreference: 'secondary' },
    clusterType: clusterType(cluster),
    ...(isSharded(cluster) && {
      configServerManagementMode: 'ATLAS_MANAGED',
      configServerType: configServerType(cluster),
    }),
    connectionStrings: connectionStrings(cluster),
    createDate: timestamp(cluster.createdAt),
    diskWarmingMode: 'FULLY_WARMED',
    encryptionAtRestProvider: cluster.encryptionAtRestProvider,
    featureCompatibilityVersion: world.clusters.featureCompatibilityVersion(cluster),
    ...(pin && { featureCompatibilityVersionExpirationDate: timestamp(pin.expiresAt) }),
    globalClusterSelfManagedSharding: false,
    groupId: cluster.groupId,
    id: cluster.id,
    labels: [],
    links: [
      { href: self, rel: 'self' },
      { href: `${self}/backup/restoreJobs`, rel: 'https://cloud.mongodb.com/restoreJobs' },
      { href: `${self}/backup/snapshots`, rel: 'https://cloud.mongodb.com/snapshots' },
    ],
    mongoDBMajorVersion: majorOf(cluster),
    mongoDBVersion: cluster.mongoDBVersion,
    name: cluster.name,
    paused: isPaused(cluster),
    pitEnabled: cluster.pitEnabled,
    retainBackups: cluster.retainBackups,
    rootCertType: 'ISRGROOTX1',
    stateName: cluster.deleted ? 'DELETING' : cluster.stateName,
    tags: cluster.tags,
    terminationProtectionEnabled: cluster.terminationProtectionEnabled,
    versionReleaseSystem: cluster.versionReleaseSystem,
  };
}

function clusterType({ kind }: Cluster): 'REPLICASET' | 'SHARDED' | 'GEOSHARDED' {
  return kind === 'global' ? 'GEOSHARDED' : kind === 'sharded' ? 'SHARDED' : 'REPLICASET';
}

/** None while the cluster is being made. */
export function connectionStrings(cluster: Cluster): object {
  if (cluster.stateName === 'CREATING') return {};
  const code = derivedId(cluster.groupId).slice(0, 7);
  const host = `${cluster.name.toLowerCase()}.${code}.mongodb.net`;
  const hosts = [0, 1, 2].map((n) => `${cluster.name.toLowerCase()}-shard-00-0${n}.${code}.mongodb.net`);
  const ports = isSharded(cluster) ? '27016' : '27017';
  const set = isSharded(cluster) ? '' : `&replicaSet=atlas-${cluster.id.slice(-6)}-shard-0`;
  return {
    standard: `mongodb://${hosts.map((each) => `${each}:${ports}`).join(',')}/?ssl=true&authSource=admin${set}`,
    standardSrv: `mongodb+srv://${host}`,
  };
}

type Detail = 'effective' | 'plain' | 'diskless';

function regionConfigs(cluster: Cluster, { regions }: Zone, detail: Detail): object[] {
  return regions.map((region, nth) => {
    const place = { priority: priority(nth), regionName: region.name };
    if (cluster.kind === 'free') {
      const size = { instanceSize: cluster.tier, ...(detail !== 'diskless' && { diskSizeGB: 0.5 }) };
      return { ...place, backingProviderName: region.provider, providerName: 'TENANT', electableSpecs: size };
    }
    const hardware = (nodeCount: number): object => hardwareSpec(cluster, region.provider, nodeCount, detail);
    const [electable, analytics, readOnly] = nodeCounts(region).map(hardware);
    return {
      ...place,
      analyticsSpecs: analytics,
      autoScaling,
      ...(detail === 'effective' && {
        effectiveAnalyticsSpecs: analytics,
        effectiveElectableSpecs: electable,
        effectiveReadOnlySpecs: readOnly,
      }),
      electableSpecs: electable,
      providerName: region.provider,
      readOnlySpecs: readOnly,
    };
  });
}

function nodeCounts({ nodes = 3, analytics = 0, readOnly = 0 }: Region): number[] {
  return [nodes, analytics, readOnly];
}

function hardwareSpec(cluster: Cluster, provider: Provider, nodeCount: number, detail: Detail): object {
  return {
    instanceSize: cluster.tier,
    ...(provider !== 'GCP' && { diskIOPS: 3000 }),
    ...(detail !== 'diskless' && { diskSizeGB: cluster.diskSizeGB }),
    ...(provider === 'AWS' && { ebsVolumeType: 'STANDARD' }),
    nodeCount,
  };
}

/** The first region is preferred, and every further one a little less. */
function priority(nth: number): number {
  return Math.max(0, 7 - nth);
}
