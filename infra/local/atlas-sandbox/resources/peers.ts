import * as z from 'zod';
import { overlap, parseCidr } from '../cidr.ts';
import { type Answer, type Call, inGroup } from '../operation.ts';
import { paginate } from '../pagination.ts';
import { AtlasRefusal } from '../refusal.ts';
import { invalidAttribute } from '../request-body.ts';
import type { Provider } from '../state/clusters.ts';
import type { Peer, PeerState, PeerTarget } from '../state/networking.ts';
import type { Project } from '../world.ts';
import { containerOf, providerAsked, refuseOverlap } from './containers.ts';

const PENDING_PEERS = 25;

const containerId = z.string().regex(/^[a-f0-9]{24}$/);
const name = z.string().regex(/^[-\w._()]+$/);
const aws = z.object({
  providerName: z.literal('AWS'),
  containerId,
  accepterRegionName: z.string().min(1),
  awsAccountId: z.string().regex(/^\d{12}$/),
  routeTableCidrBlock: z.string().refine((text) => parseCidr(text) !== undefined),
  vpcId: z.string().regex(/^vpc-[0-9a-f]{8,17}$/),
});
const azure = z.object({
  providerName: z.literal('AZURE'),
  containerId,
  azureDirectoryId: z.guid(),
  azureSubscriptionId: z.guid(),
  resourceGroupName: name,
  vnetName: name,
});
const gcp = z.object({
  providerName: z.literal('GCP'),
  containerId,
  gcpProjectId: z.string().regex(/^[a-z][0-9a-z-]{4,28}[0-9a-z]$/),
  networkName: z.string().regex(/^[a-z][-a-z0-9]{0,62}$/),
});

/** Requests may leave the provider out: AWS is meant then. */
const assumingAws = (body: unknown): unknown =>
  typeof body === 'object' && body !== null && !('providerName' in body) ? { ...body, providerName: 'AWS' } : body;
const creation = z.preprocess(assumingAws, z.discriminatedUnion('providerName', [aws, azure, gcp]));
const change = z.preprocess(
  assumingAws,
  z.discriminatedUnion('providerName', [
    aws.partial().required({ providerName: true }),
    azure.partial().required({ providerName: true }),
    gcp.partial().required({ providerName: true }),
  ]),
);

const common = { versions: ['2023-01-01'], endpointSet: 'networkPeering' } as const;

export const peerOperations = [
  inGroup({
    ...common,
    operationId: 'listGroupPeers',
    method: 'GET',
    path: '/groups/{groupId}/peers',
    role: 'Project Read Only',
    handle(call, project) {
      const provider = providerAsked(call.url);
      const peers = call.world.networking.peersOf(project).filter(({ target }) => target.providerName === provider);
      return { status: 200, body: paginate(call.url, peers, (peer) => view(call, peer)) };
    },
  }),
  inGroup({
    ...common,
    operationId: 'createGroupPeer',
    method: 'POST',
    path: '/groups/{groupId}/peers',
    role: 'Project Network Access Manager',
    handle: create,
  }),
  inGroup({
    ...common,
    operationId: 'getGroupPeer',
    method: 'GET',
    path: '/groups/{groupId}/peers/{peerId}',
    role: 'Project Read Only',
    handle: (call, project) => ({ status: 200, body: view(call, peerOf(call, project)) }),
  }),
  inGroup({
    ...common,
    operationId: 'updateGroupPeer',
    method: 'PATCH',
    path: '/groups/{groupId}/peers/{peerId}',
    role: 'Project Network Access Manager',
    handle: update,
  }),
  inGroup({
    ...common,
    operationId: 'deleteGroupPeer',
    method: 'DELETE',
    path: '/groups/{groupId}/peers/{peerId}',
    role: 'Project Network Access Manager',
    handle(call, project) {
      const peer = peerOf(call, project);
      if (peer.deletedAt) {
        const detail = `The peer with ID ${peer.id} has already been requested for deletion.`;
        throw new AtlasRefusal(409, 'PEER_ALREADY_REQUESTED_DELETION', detail, [peer.id]);
      }
      call.world.networking.terminate(peer);
      record(call, project, peer.target.providerName, 'DELETED');
      return { status: 202, body: {} };
    },
  }),
];

function create(call: Call, project: Project): Answer {
  const { world } = call;
  const { containerId: id, ...target } = call.body(creation);
  const container = containerOf(call, project, id);
  if (container.providerName !== target.providerName) throw invalidAttribute('containerId');
  const peers = world.networking.peersOf(project);
  refuseConflict(call, project, target, peers);
  const pending = peers.filter((peer) => ['requesting', 'waiting'].includes(world.networking.stateOf(peer)));
  if (pending.length >= PENDING_PEERS) {
    const detail = `The maximum number of peering connections (${PENDING_PEERS}) has been reached.`;
    throw new AtlasRefusal(409, 'PEER_MAXIMUM_REACHED', detail, [PENDING_PEERS]);
  }
  const peer = world.networking.addPeer(container, target);
  record(call, project, target.providerName, 'CREATED');
  return { status: 200, body: view(call, peer) };
}

function update(call: Call, project: Project): Answer {
  const { networking } = call.world;
  const peer = peerOf(call, project);
  const { containerId: id = peer.containerId, ...changes } = call.body(change);
  if (id !== peer.containerId) throw invalidAttribute('containerId');
  if (changes.providerName !== peer.target.providerName) throw invalidAttribute('providerName');
  if (['requesting', 'terminating'].includes(networking.stateOf(peer))) {
    const detail = `The peer with ID ${peer.id} in group ${project.id} cannot be updated in its current state.`;
    throw new AtlasRefusal(409, 'PEER_INVALID_STATE', detail, [peer.id, project.id]);
  }
  const target = targetOf({ ...peer.target, ...changes, containerId: id });
  const others = networking.peersOf(project).filter((other) => other !== peer);
  refuseConflict(call, project, target, others);
  networking.requestAgain(peer, target);
  record(call, project, target.providerName, 'UPDATED');
  return { status: 200, body: view(call, peer) };
}

/** A changed connection is still one of its provider. */
function targetOf(merged: unknown): PeerTarget {
  const { containerId: _, ...target } = creation.parse(merged);
  return target;
}

function refuseConflict({ world }: Call, project: Project, target: PeerTarget, others: Peer[]): void {
  if (others.some((other) => sideOf(other.target) === sideOf(target))) throw exists(target);
  if (target.providerName !== 'AWS') return;
  const { routeTableCidrBlock: block } = target;
  if (others.some((other) => 'vpcId' in other.target && overlap(other.target.routeTableCidrBlock, block))) {
    const detail = `The CIDR block ${block} overlaps with another peer's CIDR block.`;
    throw new AtlasRefusal(409, 'OVERLAPPING_CIDR_BLOCK', detail, [block]);
  }
  const own = world.networking.containersOf(project);
  refuseOverlap(block, own);
}

/** What tells one network from another at the provider. */
function sideOf(target: PeerTarget): string {
  if (target.providerName === 'AWS') return `${target.awsAccountId}/${target.vpcId}`;
  if (target.providerName === 'AZURE') return `${target.azureSubscriptionId}/${target.vnetName}`;
  return `${target.gcpProjectId}/${target.networkName}`;
}

function exists(target: PeerTarget): AtlasRefusal {
  const [account = '', network = ''] = sideOf(target).split('/');
  const { code, owner, place } = {
    AWS: { code: 'PEER_ALREADY_EXISTS', owner: 'AWS Account ID', place: 'VPC ID' },
    AZURE: { code: 'PEER_ALREADY_EXISTS_AZURE', owner: 'Azure Subscription ID', place: 'Virtual Network name' },
    GCP: { code: 'PEER_ALREADY_EXISTS_GCP', owner: 'GCP Project ID', place: 'network name' },
  }[target.providerName];
  const detail = `The peer with ${owner} ${account} and ${place} ${network} already exists.`;
  return new AtlasRefusal(409, code, detail, [account, network]);
}

function peerOf({ world, param }: Call, project: Project): Peer {
  const id = param('peerId');
  const peer = world.networking.peersOf(project).find((found) => found.id === id);
  if (peer) return peer;
  const detail = `No peer with ID ${id} exists in project ${project.id}.`;
  throw new AtlasRefusal(404, 'PEER_NOT_FOUND', detail, [id, project.id]);
}

function record({ world, caller }: Call, project: Project, provider: Provider, what: string): void {
  const prefix = provider === 'AWS' ? '' : `${provider}_`;
  world.events.record({ eventTypeName: `${prefix}PEER_${what}`, groupId: project.id, by: caller });
}

const awsStatus: Record<PeerState, string> = {
  requesting: 'INITIATING',
  waiting: 'PENDING_ACCEPTANCE',
  available: 'AVAILABLE',
  rejected: 'FAILED',
  expired: 'FAILED',
  terminating: 'TERMINATING',
  gone: 'TERMINATING',
};
const otherStatus: Record<PeerState, string> = {
  requesting: 'ADDING_PEER',
  waiting: 'WAITING_FOR_USER',
  available: 'AVAILABLE',
  rejected: 'FAILED',
  expired: 'FAILED',
  terminating: 'DELETING',
  gone: 'DELETING',
};

function view({ world }: Call, peer: Peer): object {
  const { id, containerId: container, target, connectionId } = peer;
  const state = world.networking.stateOf(peer);
  const common = { containerId: container, id, ...target };
  const error = state === 'rejected' ? 'REJECTED' : state === 'expired' ? 'EXPIRED' : null;
  if (target.providerName === 'AZURE') return { ...common, errorState: error, status: otherStatus[state] };
  if (target.providerName === 'GCP') return { ...common, errorMessage: error, status: otherStatus[state] };
  // Atlas writes the region of its own side with underscores and capitals, and leaves it out where both are the same.
  const ownRegion = world.networking.containers.get(container)?.regions[0]?.toLowerCase().replaceAll('_', '-');
  return {
    ...common,
    accepterRegionName: target.accepterRegionName === ownRegion ? null : target.accepterRegionName,
    connectionId: state === 'requesting' ? null : connectionId,
    errorStateName: error,
    statusName: awsStatus[state],
  };
}
