import { listGroupClusterBackupSnapshots } from '../../lib/atlas/operations/backup-snapshots.ts';
import { type CloudManagerProject, getCloudManagerGroup } from '../../lib/atlas/operations/cloud-manager.ts';
import { type Cluster, getGroupCluster } from '../../lib/atlas/operations/clusters.ts';
import {
  type AvailableProject,
  listOrgLiveMigrationAvailableProjects,
} from '../../lib/atlas/operations/live-migrations.ts';
import { getGroupMaintenanceWindow } from '../../lib/atlas/operations/maintenance-window.ts';
import { PEERING_PROVIDERS } from '../../lib/atlas/operations/network-containers.ts';
import { listGroupPeers, type Peer } from '../../lib/atlas/operations/network-peers.ts';
import { listGroupClusterOnlineArchives, type OnlineArchive } from '../../lib/atlas/operations/online-archives.ts';
import {
  listGroupPrivateEndpointEndpointService,
  type PrivateEndpointService,
} from '../../lib/atlas/operations/private-endpoints.ts';
import { type AccessListEntry, listGroupAccessListEntries } from '../../lib/atlas/operations/project-access-lists.ts';
import { listGroupClusterSearchIndexes } from '../../lib/atlas/operations/search-indexes.ts';
import { pages } from '../../lib/atlas/pages.ts';
import { AutomationError } from '../../lib/errors.ts';
import type { MigrationRequest } from './contract.ts';
import { auditedSnapshot, type Snapshot } from './first-snapshot.ts';
import { holderOf, unsureStart } from './holds.ts';
import { type ImportTold, importEvents } from './look.ts';
import { keys } from './run.ts';
import { type Context, sourceCredentials } from './services.ts';
import { inspectSource, type SourceFacts } from './source.ts';

/** Something that was read, or why it could not be: what could not be read is never taken for absent. */
export type Read<What> = { readonly known: What } | { readonly problem: string };

/** Everything the checks judge by. `now` is Atlas's. */
export interface World {
  readonly now: Date;
  readonly available: Read<readonly AvailableProject[]>;
  readonly destination: Read<Cluster | undefined>;
  readonly snapshot: Snapshot | undefined;
  readonly peers: Read<readonly Peer[]>;
  /** Undefined where the way to the destination does not go by it. */
  readonly accessList: Read<readonly AccessListEntry[]> | undefined;
  readonly endpointServices: Read<readonly PrivateEndpointService[]> | undefined;
  readonly archives: Read<readonly OnlineArchive[]>;
  readonly searchIndexes: Read<readonly string[]>;
  readonly maintenance: Read<string | undefined>;
  readonly imports: Read<readonly ImportTold[]>;
  /** Which migration of ours has the host, and which the destination. */
  readonly hostHeldBy: string | undefined;
  readonly destinationHeldBy: string | undefined;
  /** The run whose start into the destination may have been carried out without anybody seeing it. */
  readonly unsureStart: string | undefined;
  /** The source's project over there; undefined where nobody configured to ask. */
  readonly agents: Read<CloudManagerProject> | undefined;
  /** The source as a driver sees it; undefined where no URI was given. */
  readonly source: Read<SourceFacts> | undefined;
  /** What would change the source's credentials meanwhile; undefined where nothing does. */
  readonly secret: Read<string | undefined>;
  readonly notMigrated: string[];
  readonly destinationHoldsData: boolean | undefined;
  readonly oplogWindowSeconds: number | undefined;
}

/** Organization-level lists share one small rate limit: an answer this young is used again, in milliseconds. */
const AVAILABLE_MS = 60_000;
const DAYS_BACK = 30;

/** Reads all of it side by side; what can't be read is named, and fails no other read. Writes nothing. */
export async function survey(context: Context, request: MigrationRequest): Promise<World> {
  const { services, deadline } = context;
  const { atlas, cloudManager } = services;
  const { groupId, clusterName } = request.destination;
  // First, for the time: everything after it is judged by Atlas's clock.
  const since = new Date(context.clock.now().getTime() - DAYS_BACK * 86_400_000);
  const feed = await read(() => importEvents(context, request.destination, since));
  const now = 'known' in feed ? feed.known.now : context.clock.now();
  const params = { groupId };
  const [
    available,
    destination,
    listed,
    audited,
    peers,
    accessList,
    endpointServices,
    archives,
    searchIndexes,
    maintenance,
    hostHeldBy,
    destinationHeldBy,
    unsure,
    agents,
    source,
    secret,
  ] = await Promise.all([
    read(() => availableProjects(context, request, now)),
    read(() => atlas.call(getGroupCluster, { params: { groupId, clusterName } }, deadline), 404),
    read(() => newestListed(context, request)),
    auditedSnapshot(context, request.destination),
    read(async () => {
      const pages = await Promise.all(
        PEERING_PROVIDERS.map((providerName) =>
          atlas.call(listGroupPeers, { params, query: { providerName, itemsPerPage: 500 } }, deadline),
        ),
      );
      return pages.flatMap(({ results }) => results ?? []);
    }),
    request.destination.hostnameSchemaType === 'PUBLIC'
      ? read(() => everyOne(pages(atlas, listGroupAccessListEntries, { params }, deadline)))
      : undefined,
    request.destination.hostnameSchemaType === 'PRIVATE_LINK'
      ? read(async () => {
          const services = PEERING_PROVIDERS.map((cloudProvider) =>
            atlas.call(listGroupPrivateEndpointEndpointService, { params: { groupId, cloudProvider } }, deadline),
          );
          return (await Promise.all(services)).flat();
        })
      : undefined,
    read(() => everyOne(pages(atlas, listGroupClusterOnlineArchives, { params: { groupId, clusterName } }, deadline))),
    read(async () =>
      (await atlas.call(listGroupClusterSearchIndexes, { params: { groupId, clusterName } }, deadline)).map(
        ({ name, database, collectionName }) => `${database ?? '?'}.${collectionName ?? '?'} ${name ?? '?'}`,
      ),
    ),
    read(async () => {
      const window = await atlas.call(getGroupMaintenanceWindow, { params }, deadline);
      return window.dayOfWeek == null || window.dayOfWeek === 0
        ? undefined
        : `weekday ${window.dayOfWeek} (1 is Sunday), ${window.hourOfDay ?? '?'}:00 ${window.timeZoneId ?? ''}`.trim();
    }),
    holderOf(context, keys.host(request.migrationHost), now),
    holderOf(context, keys.destination(groupId, clusterName), now),
    unsureStart(context, request.destination),
    cloudManager &&
      read(() => cloudManager.call(getCloudManagerGroup, { params: { groupId: request.source.groupId } }, deadline)),
    request.source.uriSecret === undefined ? undefined : read(() => inspectSource(context, request)),
    read(() => changeOfSecret(context, request, now)),
  ]);
  const facts = source && 'known' in source ? source.known : undefined;
  const ownListed = 'known' in listed ? listed.known : undefined;
  return {
    now,
    available,
    destination,
    snapshot: newer(audited, ownListed),
    peers,
    accessList,
    endpointServices,
    archives,
    searchIndexes,
    maintenance,
    imports: 'known' in feed ? { known: feed.known.what } : feed,
    hostHeldBy,
    destinationHeldBy,
    unsureStart: unsure,
    agents,
    source,
    secret,
    notMigrated: [
      'database users and custom roles',
      'Atlas Search and Vector Search indexes',
      'persistent query settings',
      ...(facts?.searchIndexes.map((name) => `search index ${name}`) ?? []),
    ],
    destinationHoldsData: facts?.destinationHoldsData,
    oplogWindowSeconds: facts?.oplogWindowSeconds,
  };
}

const newer = (one: Snapshot | undefined, other: Snapshot | undefined): Snapshot | undefined =>
  one && other ? (one.createdAt >= other.createdAt ? one : other) : (one ?? other);

/** `absent` is the refusal that means that there is no such thing. */
async function read<What>(work: () => Promise<What>, absent: number): Promise<Read<What | undefined>>;
async function read<What>(work: () => Promise<What>): Promise<Read<What>>;
async function read<What>(work: () => Promise<What>, absent?: number): Promise<Read<What | undefined>> {
  try {
    return { known: await work() };
  } catch (error) {
    if (!(error instanceof AutomationError)) throw error;
    if (absent !== undefined && 'status' in error && error.status === absent) return { known: undefined };
    return { problem: `${error.code}: ${error.message}` };
  }
}

async function everyOne<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** A list from a moment ago does where it has the source; what is missing may have been linked since. */
async function availableProjects(
  { services: { atlas, availableProjects: kept }, deadline }: Context,
  { orgId, source }: MigrationRequest,
  now: Date,
): Promise<readonly AvailableProject[]> {
  const last = kept.get(orgId);
  const isFresh = last && Math.abs(now.getTime() - last.at.getTime()) < AVAILABLE_MS;
  if (isFresh && last.projects.some(({ projectId }) => projectId === source.groupId)) return last.projects;
  const { data, at } = await atlas.callDated(listOrgLiveMigrationAvailableProjects, { params: { orgId } }, deadline);
  kept.set(orgId, { at, projects: data });
  return data;
}

async function newestListed(
  { services: { atlas }, deadline }: Context,
  { destination: { groupId, clusterName } }: MigrationRequest,
): Promise<Snapshot | undefined> {
  const input = { params: { groupId, clusterName }, query: { itemsPerPage: 500 } };
  const { results } = await atlas.call(listGroupClusterBackupSnapshots, input, deadline);
  return (results ?? [])
    .flatMap(({ id, status, snapshotType, createdAt }) =>
      id && createdAt && status === 'completed' && snapshotType !== 'fallback' ? [{ id, createdAt }] : [],
    )
    .reduce<Snapshot | undefined>((a, b) => newer(a, b), undefined);
}

/** Whether the secret of the source's credentials is readable, and rotates while the migration may run. */
async function changeOfSecret(context: Context, request: MigrationRequest, now: Date): Promise<string | undefined> {
  const {
    services: { secretsManager },
    settings,
    deadline,
  } = context;
  const { credentialsSecret } = request.source;
  if (credentialsSecret === undefined) return undefined;
  await sourceCredentials(context, request);
  const secret = await secretsManager.describe(credentialsSecret, deadline);
  if (secret.deletedAt) return 'the secret waits for its deletion';
  if (secret.stages.size === 0) return 'the secret has no value';
  if ([...secret.stages.values()].some((stages) => stages.length === 1 && stages[0] === 'AWSPENDING'))
    return 'the secret is being rotated';
  if (!secret.rotationEnabled) return undefined;
  const { lastRotatedAt, rotatesEveryHours } = secret;
  if (lastRotatedAt === undefined || rotatesEveryHours === undefined)
    return 'the secret rotates, and when is not known';
  const next = lastRotatedAt.getTime() + rotatesEveryHours * 3_600_000;
  const end = now.getTime() + (settings.cutoverWindowHours + 48) * 3_600_000;
  return next < end ? `the secret rotates at about ${new Date(next).toISOString()}` : undefined;
}
