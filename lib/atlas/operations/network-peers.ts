import * as z from 'zod';
import { operation } from './define.ts';
import { group, OtherProvider, ProviderQuery } from './network-containers.ts';
import { idOf, Nothing, ObjectId, openEnum, page, SentId } from './shapes.ts';

const AzureName = z.string().regex(/^[-\w._()]+$/, 'must be letters, digits and - . _ ( )');

/**
 * What makes, or changes, a peering connection: the other side's network, in its provider's own terms. At AWS
 * `accepterRegionName` is written as AWS does (`eu-west-1`), unlike the region of a container (`EU_WEST_1`).
 */
export const PeerSettings = z.discriminatedUnion('providerName', [
  z.strictObject({
    providerName: z.literal('AWS'),
    containerId: SentId,
    accepterRegionName: z.string().regex(/^[\w-]+$/, 'must be the name of a region'),
    awsAccountId: z.string().regex(/^\d{12}$/, 'must be 12 digits'),
    routeTableCidrBlock: z.cidrv4(),
    vpcId: z.string().regex(/^vpc-([0-9a-f]{8}|[0-9a-f]{17})$/, 'must be vpc- and 8 or 17 hexadecimal digits'),
  }),
  z.strictObject({
    providerName: z.literal('AZURE'),
    containerId: SentId,
    azureDirectoryId: z.guid(),
    azureSubscriptionId: z.guid(),
    resourceGroupName: AzureName,
    vnetName: AzureName,
  }),
  z.strictObject({
    providerName: z.literal('GCP'),
    containerId: SentId,
    gcpProjectId: z
      .string()
      .regex(/^([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$/, 'must be the id of a project at Google Cloud'),
    networkName: z.string().regex(/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/, 'must be the name of a network at Google Cloud'),
  }),
]);

const common = z.object({ id: ObjectId, containerId: z.string().nullish() });

/** At PENDING_ACCEPTANCE somebody has to accept `connectionId` (`pcx-…`) at AWS. `accepterRegionName` is null within one region. */
const awsPeer = common.extend({
  providerName: z.literal('AWS'),
  statusName: openEnum(
    'INITIATING',
    'PENDING_ACCEPTANCE',
    'FAILED',
    'FINALIZING',
    'AVAILABLE',
    'TERMINATING',
  ).nullish(),
  /** Null unless it failed. */
  errorStateName: openEnum('REJECTED', 'EXPIRED', 'INVALID_ARGUMENT').nullish(),
  connectionId: z.string().nullish(),
  accepterRegionName: z.string().nullish(),
  awsAccountId: z.string().nullish(),
  routeTableCidrBlock: z.string().nullish(),
  vpcId: z.string().nullish(),
});
const azurePeer = common.extend({
  providerName: z.literal('AZURE'),
  status: openEnum('ADDING_PEER', 'AVAILABLE', 'FAILED', 'DELETION_FAILED', 'DELETING').nullish(),
  /** Null unless it failed. */
  errorState: z.string().nullish(),
  azureDirectoryId: z.string().nullish(),
  azureSubscriptionId: z.string().nullish(),
  resourceGroupName: z.string().nullish(),
  vnetName: z.string().nullish(),
});
/** At WAITING_FOR_USER the other side has to make its half of the peering at Google Cloud. */
const gcpPeer = common.extend({
  providerName: z.literal('GCP'),
  status: openEnum('ADDING_PEER', 'WAITING_FOR_USER', 'AVAILABLE', 'FAILED', 'DELETING').nullish(),
  /** Null unless it failed. */
  errorMessage: z.string().nullish(),
  gcpProjectId: z.string().nullish(),
  networkName: z.string().nullish(),
});
const otherPeer = common.extend({ providerName: OtherProvider }).transform(({ providerName, ...rest }) => ({
  ...rest,
  providerName: 'OTHER' as const,
  reportedProvider: providerName,
}));

/** Older answers leave `providerName` out: then the fields only one provider has say which it is, and none means AWS. */
const withProvider = (raw: unknown): unknown => {
  if (typeof raw !== 'object' || raw === null || ('providerName' in raw && raw.providerName !== null)) return raw;
  if ('gcpProjectId' in raw) return { ...raw, providerName: 'GCP' };
  if ('azureSubscriptionId' in raw) return { ...raw, providerName: 'AZURE' };
  return { ...raw, providerName: 'AWS' };
};

/**
 * A peering connection by its provider, each with its own names for status and error; `OTHER`, with the name Atlas
 * gave, where that is none of the three.
 */
export const Peer = z.preprocess(
  withProvider,
  z.union([z.discriminatedUnion('providerName', [awsPeer, azurePeer, gcpPeer]), otherPeer]),
);
export type Peer = z.output<typeof Peer>;

export const groupPeer = group.extend({ peerId: idOf('the peering connection’s id') });

/**
 * Peering connections of one provider. Trap: without `providerName` those of AWS alone, silently, and there is no
 * query for all of them: see listPeersOfEveryProvider. Role: Project Read Only.
 */
export const listGroupPeers = operation({
  id: 'listGroupPeers',
  summary: 'The network peering connections of a project at one provider',
  method: 'GET',
  path: '/api/atlas/v2/groups/{groupId}/peers',
  version: '2023-01-01',
  repeat: 'safe',
  params: group,
  query: ProviderQuery,
  response: page(Peer),
});

/** 404 PEER_NOT_FOUND when there is none. Role: Project Read Only. */
export const getGroupPeer = operation({
  id: 'getGroupPeer',
  summary: 'One network peering connection of a project',
  method: 'GET',
  path: '/api/atlas/v2/groups/{groupId}/peers/{peerId}',
  version: '2023-01-01',
  repeat: 'safe',
  params: groupPeer,
  response: Peer,
});

/**
 * Starts a peering connection; it is usable once the other side has accepted it, too. A second delivery makes no
 * second one: it gets 409 PEER_ALREADY_EXISTS, which after a lost answer may speak of one's own. 409
 * OVERLAPPING_CIDR_BLOCK when both sides' addresses overlap. From then on the container's block is locked.
 * Role: Project Network Access Manager.
 */
export const createGroupPeer = operation({
  id: 'createGroupPeer',
  summary: 'Starts a network peering connection of a project',
  method: 'POST',
  path: '/api/atlas/v2/groups/{groupId}/peers',
  version: '2023-01-01',
  repeat: 'safe',
  params: group,
  body: PeerSettings,
  response: Peer,
});

/**
 * Changes a peering connection, and starts it anew where it had failed. 409 PEER_INVALID_STATE while it is on its way
 * elsewhere. A repeat sets the same values again. Role: Project Network Access Manager.
 */
export const updateGroupPeer = operation({
  id: 'updateGroupPeer',
  summary: 'Changes a network peering connection of a project',
  method: 'PATCH',
  path: '/api/atlas/v2/groups/{groupId}/peers/{peerId}',
  version: '2023-01-01',
  repeat: 'safe',
  params: groupPeer,
  body: PeerSettings,
  response: Peer,
});

/**
 * Starts to take a peering connection down: 202, and it stays in the list for a while. Deleting the last one of a
 * project also removes AWS security groups from the project's IP access list. A repeat gets 404 or 409
 * PEER_ALREADY_REQUESTED_DELETION, so it is harmless. Role: Project Network Access Manager.
 */
export const deleteGroupPeer = operation({
  id: 'deleteGroupPeer',
  summary: 'Deletes a network peering connection of a project',
  method: 'DELETE',
  path: '/api/atlas/v2/groups/{groupId}/peers/{peerId}',
  version: '2023-01-01',
  repeat: 'safe',
  destructive: true,
  params: groupPeer,
  response: Nothing,
});
