import { forCaller } from '../operation.ts';
import type { ApiKey } from '../state/api-keys.ts';

export const rootOperations = [
  forCaller({
    operationId: 'getSystemStatus',
    method: 'GET',
    path: '',
    versions: ['2023-01-01'],
    endpointSet: 'root',
    handle: ({ url, caller }) => ({
      status: 200,
      body: {
        // Service accounts have no API key to show.
        apiKey: 'publicKey' in caller ? keyView(caller) : null,
        appName: 'MongoDB Atlas',
        build: '0000000000000000000000000000000000000000',
        links: [{ href: url.href, rel: 'self' }],
        throttling: false,
      },
    }),
  }),
];

function keyView({ id, orgId, publicKey, orgRoles, groupRoles, accessList }: ApiKey): object {
  const inOrg = orgRoles.map((roleName) => ({ orgId, roleName }));
  const inGroups = [...groupRoles].flatMap(([groupId, roles]) => roles.map((roleName) => ({ groupId, roleName })));
  return {
    accessList: accessList.map(({ address }) =>
      address.includes('/') ? { cidrBlock: address } : { cidrBlock: `${address}/32`, ipAddress: address },
    ),
    id,
    publicKey,
    roles: [...inOrg, ...inGroups],
  };
}
