import type { Cluster } from '../../../lib/atlas/operations/clusters.ts';
import { type Check, type Evidence, fail, notApplicable, pass, unknown, type Verdict } from '../checks.ts';
import type { Read } from '../survey.ts';
import { privateLink, publicAccess } from './network.ts';
import { deploymentOf } from './place.ts';

const inCluster = ({ destination }: Evidence, judge: (cluster: Cluster) => Verdict): Verdict => {
  if ('problem' in destination) return unknown(destination.problem);
  return destination.known ? judge(destination.known) : fail('there is no such cluster');
};

const regionsOf = (cluster: Cluster) =>
  (cluster.replicationSpecs ?? []).flatMap(({ regionConfigs }) => regionConfigs ?? []);
const GIB = 1024 ** 3;

/** The cluster that takes the data. */
export const destinationChecks: readonly Check[] = [
  {
    id: 'destination-idle',
    number: 5,
    title: 'The destination is there, idle and not paused',
    severity: 'BLOCKER',
    remedy: 'Create or resume the cluster, and wait until it is idle.',
    judge: (evidence) =>
      inCluster(evidence, ({ stateName, paused }) => {
        if (paused) return fail('it is paused');
        return stateName === 'IDLE' ? pass('idle') : fail(`it is ${stateName ?? 'in an unknown state'}`);
      }),
  },
  {
    id: 'destination-dedicated',
    number: 6,
    title: 'The destination is an M10 or larger',
    severity: 'BLOCKER',
    remedy: 'Take a dedicated cluster: M0, Flex and serverless can’t be migrated into.',
    judge: (evidence) =>
      inCluster(evidence, (cluster) => {
        const regions = regionsOf(cluster);
        const size = regions[0]?.electableSpecs?.instanceSize;
        if (size == null) return unknown('its size is not told');
        const isShared = regions.some(({ providerName }) => providerName === 'TENANT') || /^M[025]$/.test(size);
        return isShared ? fail(size) : pass(size);
      }),
  },
  {
    id: 'topology',
    number: 7,
    title: 'Source and destination are of one kind',
    severity: 'BLOCKER',
    remedy:
      'Migrate a replica set into a replica set, and a sharded cluster into a sharded one; never into a global cluster.',
    judge: (evidence) =>
      inCluster(evidence, ({ clusterType }) => {
        if (clusterType === 'GEOSHARDED') return fail('the destination is a global cluster');
        const { problem, deployment } = deploymentOf(evidence);
        if (problem !== undefined || deployment?.sharded == null || clusterType == null)
          return unknown(problem ?? 'one of the kinds is not told');
        const isSharded = clusterType === 'SHARDED';
        const words = (sharded: boolean) => (sharded ? 'sharded' : 'a replica set');
        return isSharded === deployment.sharded
          ? pass(words(isSharded))
          : fail(`the source is ${words(deployment.sharded)}, the destination ${words(isSharded)}`);
      }),
  },
  {
    id: 'fcv',
    number: 9,
    title: 'No pin of the destination’s compatibility version ends during the migration',
    severity: 'BLOCKER',
    remedy: 'Let the pin end before, or pin it for longer: the version must not change while it runs.',
    judge: (evidence) =>
      inCluster(evidence, ({ featureCompatibilityVersion, featureCompatibilityVersionExpirationDate: end }) => {
        const until = evidence.now.getTime() + (evidence.settings.cutoverWindowHours + 48) * 3_600_000;
        const { pinFcvUntil } = evidence.request.around;
        if (end && pinFcvUntil !== undefined)
          return fail('it is pinned already: leave around.pinFcvUntil out, which would end somebody else’s pin');
        if (pinFcvUntil !== undefined && Date.parse(pinFcvUntil) < until)
          return fail(`around.pinFcvUntil must be ${new Date(until).toISOString()} or later`);
        if (end && end.getTime() < until) return fail(`the pin ends at ${end.toISOString()}`);
        return pass(
          `${featureCompatibilityVersion ?? 'not told'}${end ? `, pinned until ${end.toISOString()}` : ', not pinned'}`,
        );
      }),
  },
  {
    id: 'bi-connector',
    number: 10,
    title: 'The destination has no BI Connector',
    severity: 'BLOCKER',
    remedy: 'Switch the BI Connector off.',
    judge: (evidence) =>
      inCluster(evidence, ({ biConnector }) => (biConnector?.enabled ? fail('it is on') : pass('it is off'))),
  },
  {
    id: 'disk',
    number: 11,
    title: 'The destination’s disk holds the source and its oplog',
    severity: 'BLOCKER',
    remedy: 'Enlarge the disk before: a migration must not scale it.',
    judge: (evidence) =>
      inCluster(evidence, (cluster) => {
        const { problem, deployment } = deploymentOf(evidence);
        if (problem !== undefined || deployment?.dbSizeBytes == null)
          return unknown(problem ?? 'the source’s size is not told');
        const shards = cluster.replicationSpecs ?? [];
        const disks = shards.map(({ regionConfigs }) => regionConfigs?.[0]?.electableSpecs?.diskSizeGB);
        if (disks.length === 0 || disks.some((disk) => disk == null)) return unknown('the disk’s size is not told');
        const has = disks.reduce<number>((sum, disk) => sum + (disk ?? 0), 0);
        const needs = deployment.dbSizeBytes / GIB + (deployment.oplogSizeMB ?? 0) / 1024;
        const words = `${needs.toFixed(1)} GB of ${has} GB`;
        return needs < has ? pass(words) : fail(words);
      }),
  },
  {
    id: 'network',
    number: 12,
    title: 'The way from the migration host to the destination is usable',
    severity: 'BLOCKER',
    attestable: true,
    remedy:
      'PUBLIC: put the host’s address on the project’s access list, and give it as migrationHostAddress, or attest it. VPC_PEERING: wait until the peering is active. PRIVATE_LINK: only for one region of one cloud, with an endpoint that is available.',
    judge: (evidence) =>
      inCluster(evidence, (cluster) => {
        const { hostnameSchemaType, privateLinkId } = evidence.request.destination;
        const regions = regionsOf(cluster);
        if (hostnameSchemaType === 'PRIVATE_LINK') {
          const places = new Set(regions.map(({ providerName, regionName }) => `${providerName} ${regionName}`));
          if (places.size > 1) return fail(`the destination spans ${[...places].join(', ')}`);
          return privateLinkId === undefined
            ? fail('no privateLinkId is given')
            : privateLink(privateLinkId, evidence.endpointServices);
        }
        if (hostnameSchemaType === 'PUBLIC') return publicAccess(evidence);
        const { peers } = evidence;
        if ('problem' in peers) return unknown(peers.problem);
        const states = peers.known.map((peer) =>
          'statusName' in peer ? peer.statusName : 'status' in peer ? peer.status : undefined,
        );
        return states.includes('AVAILABLE')
          ? pass('a peering is active')
          : fail(`peerings: ${states.map(String).join(', ') || 'none'}`);
      }),
  },
  {
    id: 'destination-empty',
    number: 13,
    title: 'The destination is empty, or dropping its data was asked for',
    severity: 'BLOCKER',
    remedy:
      'Empty the destination, or plan with dropDestinationData: that takes its name typed again, a second person, and a fresh snapshot.',
    judge: ({ request, validation, destinationHoldsData, unsureStart }) => {
      if (request.dropDestinationData && unsureStart !== undefined)
        return fail(`${unsureStart} may run unseen in it: plan without dropDestinationData`);
      if (request.dropDestinationData) return pass('its data is to be dropped');
      if (destinationHoldsData !== undefined) return destinationHoldsData ? fail('it holds data') : pass('it is empty');
      return validation.state === 'succeeded'
        ? pass('Atlas’s validation found nothing against it')
        : unknown('Atlas’s validation has not succeeded');
    },
  },
  {
    id: 'snapshot',
    number: 26,
    title: 'The destination’s newest snapshot is fresh',
    severity: 'WARNING',
    remedy: 'Take a snapshot before: none is taken from the start to the cutover.',
    judge: ({ snapshot, now, settings: { freshSnapshotHours } }) => {
      if (!snapshot) return fail('no completed snapshot is known');
      const hours = (now.getTime() - snapshot.createdAt.getTime()) / 3_600_000;
      const words = `${snapshot.id}, ${Math.max(0, hours).toFixed(1)} h old`;
      return hours <= freshSnapshotHours ? pass(words) : fail(words);
    },
  },
  {
    id: 'maintenance',
    number: 27,
    title: 'No maintenance window or scaling falls into the migration',
    severity: 'WARNING',
    remedy: 'Defer maintenance, and switch auto-scaling of the destination off while it runs.',
    judge: (evidence) =>
      inCluster(evidence, (cluster) => {
        const { maintenance } = evidence;
        const scales = regionsOf(cluster).some(({ autoScaling }) => autoScaling?.compute?.enabled === true);
        if (scales) return fail('auto-scaling is on');
        if ('problem' in maintenance) return unknown(maintenance.problem);
        return maintenance.known === undefined ? pass('none is set') : fail(`maintenance: ${maintenance.known}`);
      }),
  },
  {
    id: 'not-migrated',
    number: 29,
    title: 'What is not migrated, or is to stand still meanwhile, is known',
    severity: 'WARNING',
    attestable: true,
    remedy: 'Create users, roles and search indexes at the destination; the approval of the cutover accepts the list.',
    judge: ({ notMigrated, searchIndexes, archives, request: { around } }) => {
      const count = (read: Read<readonly unknown[]>) => ('known' in read ? read.known.length : 'an unknown number of');
      if ('known' in archives) {
        const active = archives.known.flatMap(({ _id, state }) => (state === 'ACTIVE' ? [_id] : []));
        const unfit = around.pauseOnlineArchives.filter((id) => !active.includes(id));
        if (unfit.length > 0) return fail(`not an active online archive: ${unfit.join(', ')}`);
      }
      return notMigrated.length === 0
        ? notApplicable('nothing')
        : unknown(
            `not migrated: ${notMigrated.join(', ')}; the destination has ${count(searchIndexes)} search indexes and ${count(archives)} online archives`,
          );
    },
  },
];
