import * as z from 'zod';
import { operation } from './define.ts';
import { GroupId, idOf, Nothing, ObjectId, PageQuery, page } from './shapes.ts';

/** The providers that have peering, each asked for by its own query: there is no query for all of them. */
export const PEERING_PROVIDERS = ['AWS', 'AZURE', 'GCP'] as const;
export const PeeringProvider = z.enum(PEERING_PROVIDERS);
export type PeeringProvider = z.output<typeof PeeringProvider>;

const PRIVATE_RANGES: readonly { readonly prefix: number; readonly holds: (a: number, b: number) => boolean }[] = [
  { prefix: 8, holds: (a) => a === 10 },
  { prefix: 12, holds: (a, b) => a === 172 && b >= 16 && b <= 31 },
  { prefix: 16, holds: (a, b) => a === 192 && b === 168 },
];

/** A block of private addresses (RFC 1918) whose prefix is between `smallest` and `largest`, as Atlas wants them. */
const atlasCidr = (smallest: number, largest: number) =>
  z.cidrv4().refine((block) => {
    const [a = 0, b = 0] = block.split('.').map(Number);
    const prefix = Number(block.split('/')[1]);
    return (
      prefix >= smallest &&
      prefix <= largest &&
      PRIVATE_RANGES.some((range) => prefix >= range.prefix && range.holds(a, b))
    );
  }, `must be a private block (10/8, 172.16/12, 192.168/16) from /${smallest} to /${largest}`);

/** A region as Atlas writes it, not as the provider does: `EU_WEST_1`, `EUROPE_NORTH`, `WESTERN_EUROPE`. */
const AtlasRegion = z.string().regex(/^[A-Z][A-Z0-9_]*$/, 'must be a region as Atlas writes it, like EU_WEST_1');

/**
 * What makes, or changes, a container. AWS and Azure take one container per region and blocks of /24 to /21, GCP one
 * per project and blocks of /18 or larger.
 */
export const ContainerSettings = z.discriminatedUnion('providerName', [
  z.strictObject({
    providerName: z.literal('AWS'),
    regionName: AtlasRegion,
    atlasCidrBlock: atlasCidr(21, 24).optional(),
  }),
  z.strictObject({ providerName: z.literal('AZURE'), region: AtlasRegion, atlasCidrBlock: atlasCidr(21, 24) }),
  z.strictObject({
    providerName: z.literal('GCP'),
    atlasCidrBlock: atlasCidr(8, 18),
    regions: z.array(AtlasRegion).min(1).optional(),
  }),
]);

const common = z.object({
  id: ObjectId,
  /** Whether clusters live in it: its block is locked then. */
  provisioned: z.boolean().nullish(),
  atlasCidrBlock: z.string().nullish(),
});

/** `vpcId` is absent until a cluster lives in it. */
const awsContainer = common.extend({
  providerName: z.literal('AWS'),
  regionName: z.string().nullish(),
  vpcId: z.string().nullish(),
});
/** `vnetName` is absent until a cluster lives in it. */
const azureContainer = common.extend({
  providerName: z.literal('AZURE'),
  region: z.string().nullish(),
  azureSubscriptionId: z.string().nullish(),
  vnetName: z.string().nullish(),
});
/** `gcpProjectId` and `networkName` are absent until a cluster lives in it. */
const gcpContainer = common.extend({
  providerName: z.literal('GCP'),
  regions: z.array(z.string()).nullish(),
  gcpProjectId: z.string().nullish(),
  networkName: z.string().nullish(),
});
/** A provider's name, where it is none of the three that have peering. */
export const OtherProvider = z.string().refine((name) => !PeeringProvider.safeParse(name).success);
/** A provider without peering (`TENANT`, `SERVERLESS`), or one this bundle has not heard of. */
const otherContainer = common.extend({ providerName: OtherProvider }).transform(({ providerName, ...rest }) => ({
  ...rest,
  providerName: 'OTHER' as const,
  reportedProvider: providerName,
}));

/** Older answers leave `providerName` out: then the fields only one provider has say which it is, and none means AWS. */
const withProvider = (raw: unknown): unknown => {
  if (typeof raw !== 'object' || raw === null || ('providerName' in raw && raw.providerName !== null)) return raw;
  if ('gcpProjectId' in raw || 'regions' in raw) return { ...raw, providerName: 'GCP' };
  if ('azureSubscriptionId' in raw || 'vnetName' in raw || 'region' in raw) return { ...raw, providerName: 'AZURE' };
  return { ...raw, providerName: 'AWS' };
};

/** A container by its provider; `OTHER`, with the name Atlas gave, where that is none of the three. */
export const Container = z.preprocess(
  withProvider,
  z.union([z.discriminatedUnion('providerName', [awsContainer, azureContainer, gcpContainer]), otherContainer]),
);
export type Container = z.output<typeof Container>;

export const group = z.strictObject({ groupId: GroupId });
export const groupContainer = group.extend({ containerId: idOf('the container’s id') });
/** Without `providerName` Atlas answers for AWS alone, and says nothing of the rest. */
export const ProviderQuery = PageQuery.extend({
  providerName: PeeringProvider.describe('the provider; AWS alone unless said').optional(),
});

/**
 * Containers of one provider. Trap: without `providerName` those of AWS alone, silently. For all of them use
 * listGroupContainerAll. Role: Project Read Only.
 */
export const listGroupContainers = operation({
  id: 'listGroupContainers',
  summary: 'The network peering containers of a project at one provider',
  method: 'GET',
  path: '/api/atlas/v2/groups/{groupId}/containers',
  version: '2023-01-01',
  repeat: 'safe',
  params: group,
  query: ProviderQuery,
  response: page(Container),
});

/** Role: Project Read Only. */
export const listGroupContainerAll = operation({
  id: 'listGroupContainerAll',
  summary: 'The network peering containers of a project at every provider',
  method: 'GET',
  path: '/api/atlas/v2/groups/{groupId}/containers/all',
  version: '2023-01-01',
  repeat: 'safe',
  params: group,
  query: PageQuery,
  response: page(Container),
});

/** 404 CLOUD_PROVIDER_CONTAINER_NOT_FOUND when there is none. Role: Project Read Only. */
export const getGroupContainer = operation({
  id: 'getGroupContainer',
  summary: 'One network peering container of a project',
  method: 'GET',
  path: '/api/atlas/v2/groups/{groupId}/containers/{containerId}',
  version: '2023-01-01',
  repeat: 'safe',
  params: groupContainer,
  response: Container,
});

/**
 * Makes a container: one per region at AWS and Azure, one per project at GCP. So a second delivery makes no second
 * one: it gets 409 CONTAINER_ALREADY_EXISTS, which after a lost answer may speak of one's own. 409
 * OVERLAPPING_ATLAS_CIDR_BLOCK when the block is taken. Role: Project Owner.
 */
export const createGroupContainer = operation({
  id: 'createGroupContainer',
  summary: 'Makes a network peering container in a project',
  method: 'POST',
  path: '/api/atlas/v2/groups/{groupId}/containers',
  version: '2023-01-01',
  repeat: 'safe',
  params: group,
  body: ContainerSettings,
  response: Container,
});

/**
 * Changes the block or, at GCP, the regions. The block is locked from the first dedicated cluster (M10 or larger) or
 * peering connection on: 409 CONTAINERS_IN_USE. The region can't change. A repeat sets the same values again.
 * Role: Project Owner.
 */
export const updateGroupContainer = operation({
  id: 'updateGroupContainer',
  summary: 'Changes a network peering container of a project',
  method: 'PATCH',
  path: '/api/atlas/v2/groups/{groupId}/containers/{containerId}',
  version: '2023-01-01',
  repeat: 'safe',
  params: groupContainer,
  body: ContainerSettings,
  response: Container,
});

/**
 * Deletes a container that holds no cluster and no peering connection; 409 CONTAINERS_IN_USE otherwise. 404 when it is
 * already gone, so a repeat is harmless. Role: Project Owner.
 */
export const deleteGroupContainer = operation({
  id: 'deleteGroupContainer',
  summary: 'Deletes a network peering container of a project',
  method: 'DELETE',
  path: '/api/atlas/v2/groups/{groupId}/containers/{containerId}',
  version: '2023-01-01',
  repeat: 'safe',
  destructive: true,
  params: groupContainer,
  response: Nothing,
});
