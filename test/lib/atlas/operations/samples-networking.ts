import type { Sample } from './samples.ts';

const containerId = '0123456789abcdef01234567';
const azureId = '01234567-89ab-cdef-0123-456789abcdef';
const bodies = (...all: readonly Record<string, unknown>[]): Sample[] => all.map((body) => ({ body }));

export const containers = bodies(
  { providerName: 'AWS', regionName: 'EU_WEST_1' },
  { providerName: 'AWS', regionName: 'EU_WEST_1', atlasCidrBlock: '192.168.248.0/21' },
  { providerName: 'AZURE', region: 'EUROPE_NORTH', atlasCidrBlock: '172.16.0.0/24' },
  { providerName: 'GCP', atlasCidrBlock: '10.8.0.0/18' },
  { providerName: 'GCP', atlasCidrBlock: '10.0.0.0/8', regions: ['WESTERN_EUROPE', 'CENTRAL_US'] },
);

const awsPeer = {
  providerName: 'AWS',
  containerId,
  accepterRegionName: 'eu-west-1',
  awsAccountId: '123456789012',
  routeTableCidrBlock: '10.15.0.0/16',
  vpcId: 'vpc-0123456789abcdef0',
};

export const peers = bodies(
  awsPeer,
  {
    providerName: 'AZURE',
    containerId,
    azureDirectoryId: azureId,
    azureSubscriptionId: azureId,
    resourceGroupName: 'group_(1).a-b',
    vnetName: 'vnet',
  },
  { providerName: 'GCP', containerId, gcpProjectId: 'my-sample-project-191923', networkName: 'test1' },
);

const span = { start: new Date('2030-01-01T00:00:00Z'), end: new Date('2030-01-02T00:00:00Z') };

export const samples: Readonly<Record<string, readonly Sample[]>> = {
  createGroupContainer: containers,
  updateGroupContainer: containers,
  createGroupPeer: peers,
  updateGroupPeer: peers,
  createGroupContainerV1: containers,
  updateGroupContainerV1: containers,
  createGroupPeerV1: peers,
  updateGroupPeerV1: peers,
  addGroupUsers: bodies({ username: 'ann@example.com', roles: ['GROUP_READ_ONLY', 'GROUP_SEARCH_INDEX_EDITOR'] }),
  getGroupDbAccessHistoryCluster: [
    { query: { authResult: false, ...span, ipAddress: '192.0.2.1', nLogs: 100 } },
    { query: { ipAddress: '192.0.2.1' } },
  ],
};

/**
 * Google Cloud's regions are declared as required, and a container without them is one for all regions: so no choice
 * is left, and the document misses what each of them requires.
 */
const regions = [
  'body: must match a schema in anyOf',
  "body: must have required property 'region'",
  "body: must have required property 'regions'",
  "body: must have required property 'regionName'",
];

export const documentMistakes: Readonly<Record<string, readonly string[]>> = {
  createGroupContainer: regions,
  updateGroupContainer: regions,
};

const settings = ['enabled'];
const provider = ['providerName'];

export const needed: Readonly<Record<string, readonly string[]>> = {
  // Whose fields the rest are. It may be missing, and is worked out then.
  ...Object.fromEntries(
    ['Container', 'Peer'].flatMap((what) =>
      [`listGroup${what}s`, `listGroup${what}All`, `getGroup${what}`, `createGroup${what}`, `updateGroup${what}`].map(
        (id) => [id, provider],
      ),
    ),
  ),
  // The whole answer is one switch.
  disableGroupPrivateIpModePeering: settings,
  toggleGroupPrivateEndpointRegionalMode: settings,
  // Identities by other names.
  getGroupPrivateNetworkSettingEndpointId: ['endpointId'],
  listGroupCloudProviderAccess: ['roleId'],
  listRateLimits: ['endpointSetId'],
  getRateLimit: ['endpointSetId'],
  ...Object.fromEntries(['listGroups', 'getGroup', 'getOrgGroups'].map((id) => [id, ['orgId']])),
};
