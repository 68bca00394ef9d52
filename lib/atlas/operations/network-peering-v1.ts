import * as z from 'zod';
import { operation } from './define.ts';
import { Container, ContainerSettings, group, groupContainer, ProviderQuery } from './network-containers.ts';
import { groupPeer, Peer, PeerSettings } from './network-peers.ts';
import { PrivateIpMode } from './private-ip-mode.ts';
import { Nothing, PageQuery, page } from './shapes.ts';

// The network peering endpoints of API v1.0, which MongoDB has deprecated without naming a day. They behave as their
// namesakes of v2, and know no resource versions: plain JSON both ways. For callers that only hold API keys for v1.0;
// everybody else takes v2.

/** As listGroupContainers: without `providerName` those of AWS alone. Role: Project Read Only. */
export const listGroupContainersV1 = operation({
  id: 'listGroupContainersV1',
  summary: 'The network peering containers of a project at one provider (API v1.0)',
  method: 'GET',
  path: '/api/atlas/v1.0/groups/{groupId}/containers',
  repeat: 'safe',
  params: group,
  query: ProviderQuery,
  response: page(Container),
});

/** As listGroupContainerAll. Role: Project Read Only. */
export const listGroupContainerAllV1 = operation({
  id: 'listGroupContainerAllV1',
  summary: 'The network peering containers of a project at every provider (API v1.0)',
  method: 'GET',
  path: '/api/atlas/v1.0/groups/{groupId}/containers/all',
  repeat: 'safe',
  params: group,
  query: PageQuery,
  response: page(Container),
});

/** As getGroupContainer. Role: Project Read Only. */
export const getGroupContainerV1 = operation({
  id: 'getGroupContainerV1',
  summary: 'One network peering container of a project (API v1.0)',
  method: 'GET',
  path: '/api/atlas/v1.0/groups/{groupId}/containers/{containerId}',
  repeat: 'safe',
  params: groupContainer,
  response: Container,
});

/** As createGroupContainer: a repeat gets 409, never a second container. Role: Project Owner. */
export const createGroupContainerV1 = operation({
  id: 'createGroupContainerV1',
  summary: 'Makes a network peering container in a project (API v1.0)',
  method: 'POST',
  path: '/api/atlas/v1.0/groups/{groupId}/containers',
  repeat: 'safe',
  params: group,
  body: ContainerSettings,
  response: Container,
});

/** As updateGroupContainer: the block is locked once it is in use. Role: Project Owner. */
export const updateGroupContainerV1 = operation({
  id: 'updateGroupContainerV1',
  summary: 'Changes a network peering container of a project (API v1.0)',
  method: 'PATCH',
  path: '/api/atlas/v1.0/groups/{groupId}/containers/{containerId}',
  repeat: 'safe',
  params: groupContainer,
  body: ContainerSettings,
  response: Container,
});

/** As deleteGroupContainer. Role: Project Owner. */
export const deleteGroupContainerV1 = operation({
  id: 'deleteGroupContainerV1',
  summary: 'Deletes a network peering container of a project (API v1.0)',
  method: 'DELETE',
  path: '/api/atlas/v1.0/groups/{groupId}/containers/{containerId}',
  repeat: 'safe',
  destructive: true,
  params: groupContainer,
  response: Nothing,
});

/** As listGroupPeers: without `providerName` those of AWS alone. Role: Project Read Only. */
export const listGroupPeersV1 = operation({
  id: 'listGroupPeersV1',
  summary: 'The network peering connections of a project at one provider (API v1.0)',
  method: 'GET',
  path: '/api/atlas/v1.0/groups/{groupId}/peers',
  repeat: 'safe',
  params: group,
  query: ProviderQuery,
  response: page(Peer),
});

/** As getGroupPeer. Role: Project Read Only. */
export const getGroupPeerV1 = operation({
  id: 'getGroupPeerV1',
  summary: 'One network peering connection of a project (API v1.0)',
  method: 'GET',
  path: '/api/atlas/v1.0/groups/{groupId}/peers/{peerId}',
  repeat: 'safe',
  params: groupPeer,
  response: Peer,
});

/** As createGroupPeer: a repeat gets 409, never a second connection. Role: Project Owner. */
export const createGroupPeerV1 = operation({
  id: 'createGroupPeerV1',
  summary: 'Starts a network peering connection of a project (API v1.0)',
  method: 'POST',
  path: '/api/atlas/v1.0/groups/{groupId}/peers',
  repeat: 'safe',
  params: group,
  body: PeerSettings,
  response: Peer,
});

/** As updateGroupPeer. Role: Project Owner. */
export const updateGroupPeerV1 = operation({
  id: 'updateGroupPeerV1',
  summary: 'Changes a network peering connection of a project (API v1.0)',
  method: 'PATCH',
  path: '/api/atlas/v1.0/groups/{groupId}/peers/{peerId}',
  repeat: 'safe',
  params: groupPeer,
  body: PeerSettings,
  response: Peer,
});

/**
 * As deleteGroupPeer: it takes a while, and the last one takes AWS security groups off the IP access list.
 * Role: Project Owner.
 */
export const deleteGroupPeerV1 = operation({
  id: 'deleteGroupPeerV1',
  summary: 'Deletes a network peering connection of a project (API v1.0)',
  method: 'DELETE',
  path: '/api/atlas/v1.0/groups/{groupId}/peers/{peerId}',
  repeat: 'safe',
  destructive: true,
  params: groupPeer,
  response: Nothing,
});

/** Of v1.0 alone: v2 can only turn the mode off. Deprecated. Role: Project Read Only. */
export const getGroupPrivateIpModeV1 = operation({
  id: 'getGroupPrivateIpModeV1',
  summary: 'Whether a project is in the deprecated Connect via Peering Only mode (API v1.0)',
  method: 'GET',
  path: '/api/atlas/v1.0/groups/{groupId}/privateIpMode',
  repeat: 'safe',
  params: group,
  response: PrivateIpMode,
});

/** As disableGroupPrivateIpModePeering: there is no way back. Deprecated. Role: Project Owner. */
export const disableGroupPrivateIpModePeeringV1 = operation({
  id: 'disableGroupPrivateIpModePeeringV1',
  summary: 'Turns off the deprecated Connect via Peering Only mode of a project (API v1.0)',
  method: 'PATCH',
  path: '/api/atlas/v1.0/groups/{groupId}/privateIpMode',
  repeat: 'safe',
  destructive: true,
  params: group,
  body: z.strictObject({ enabled: z.literal(false) }),
  response: PrivateIpMode,
});
