import { inGroup, type Operation } from '../operation.ts';
import { containerOperations } from './containers.ts';
import { peerOperations } from './peers.ts';
import { privateNetworkingOperations } from './private-networking.ts';

const privateIpMode = privateNetworkingOperations.filter(({ path }) => path.endsWith('/privateIpMode'));

/** Network peering as API v1.0 has it: the same state and the same answers, without versions. */
export const networkPeeringV1Operations: Operation[] = [
  ...[...containerOperations, ...peerOperations, ...privateIpMode].map(
    (operation): Operation => ({
      ...operation,
      operationId: `${operation.operationId}V1`,
      base: '/api/atlas/v1.0',
      versions: [],
    }),
  ),
  inGroup({
    operationId: 'getGroupPrivateIpModeV1',
    method: 'GET',
    base: '/api/atlas/v1.0',
    path: '/groups/{groupId}/privateIpMode',
    versions: [],
    endpointSet: 'networkPeering',
    role: 'Project Read Only',
    handle: ({ world }, project) => ({
      status: 200,
      body: { enabled: world.networking.privateIpMode.has(project.id) },
    }),
  }),
];
