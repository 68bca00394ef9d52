import * as z from 'zod';
import { isPrivate, overlap, parseCidr } from '../cidr.ts';
import { type Answer, type Call, inGroup } from '../operation.ts';
import { paginate } from '../pagination.ts';
import { AtlasRefusal } from '../refusal.ts';
import { invalidAttribute } from '../request-body.ts';
import { isDedicated, type Provider } from '../state/clusters.ts';
import type { Container } from '../state/networking.ts';
import type { Project, World } from '../world.ts';

const providers = z.enum(['AWS', 'AZURE', 'GCP']);
const region = z.string().regex(/^[A-Z][A-Z0-9_]*$/);
const block = z.string();

const creation = z.discriminatedUnion('providerName', [
  z.object({ providerName: z.literal('AWS'), atlasCidrBlock: block, regionName: region }),
  z.object({ providerName: z.literal('AZURE'), atlasCidrBlock: block, region }),
  z.object({ providerName: z.literal('GCP'), atlasCidrBlock: block, regions: z.array(region).default([]) }),
]);
const change = z.object({
  providerName: providers.optional(),
  atlasCidrBlock: block.optional(),
  regionName: region.optional(),
  region: region.optional(),
  regions: z.array(region).optional(),
});

const common = { versions: ['2023-01-01'], endpointSet: 'networkPeering' } as const;

/** `containers/all` stands before `containers/{containerId}`: the first path that fits serves a request. */
export const containerOperations = [
  inGroup({
    ...common,
    operationId: 'listGroupContainerAll',
    method: 'GET',
    path: '/groups/{groupId}/containers/all',
    role: 'Project Read Only',
    handle: (call, project) => listed(call, call.world.networking.containersOf(project)),
  }),
  inGroup({
    ...common,
    operationId: 'listGroupContainers',
    method: 'GET',
    path: '/groups/{groupId}/containers',
    role: 'Project Read Only',
    handle(call, project) {
      const provider = providerAsked(call.url);
      const containers = call.world.networking.containersOf(project);
      return listed(
        call,
        containers.filter(({ providerName }) => providerName === provider),
      );
    },
  }),
  inGroup({
    ...common,
    operationId: 'createGroupContainer',
    method: 'POST',
    path: '/groups/{groupId}/containers',
    role: 'Project Owner',
    handle: create,
  }),
  inGroup({
    ...common,
    operationId: 'getGroupContainer',
    method: 'GET',
    path: '/groups/{groupId}/containers/{containerId}',
    role: 'Project Read Only',
    handle: (call, project) => answer(call, containerOf(call, project, call.param('containerId'))),
  }),
  inGroup({
    ...common,
    operationId: 'updateGroupContainer',
    method: 'PATCH',
    path: '/groups/{groupId}/containers/{containerId}',
    role: 'Project Owner',
    handle: update,
  }),
  inGroup({
    ...common,
    operationId: 'deleteGroupContainer',
    method: 'DELETE',
    path: '/groups/{groupId}/containers/{containerId}',
    role: 'Project Owner',
    handle(call, project) {
      const { world, caller } = call;
      const container = containerOf(call, project, call.param('containerId'));
      refuseInUse(call, container);
      world.networking.containers.delete(container.id);
      world.events.record({ eventTypeName: 'CONTAINER_DELETED', groupId: project.id, by: caller });
      return { status: 204 };
    },
  }),
];

/** The provider a list is asked for. AWS is silently meant where none is named. */
export function providerAsked(url: URL): Provider {
  const asked = providers.safeParse(url.searchParams.get('providerName') ?? 'AWS');
  if (!asked.success) throw invalidAttribute('providerName');
  return asked.data;
}

/** A container of the project, or the refusal of an unknown one. */
export function containerOf({ world }: Call, project: Project, id: string): Container {
  const container = world.networking.containers.get(id);
  if (container?.groupId === project.id) return container;
  const detail = `An invalid cloud provider container ID ${id} was specified.`;
  throw new AtlasRefusal(404, 'CLOUD_PROVIDER_CONTAINER_NOT_FOUND', detail, [id]);
}

function create(call: Call, project: Project): Answer {
  const body = call.body(creation);
  const { providerName, atlasCidrBlock } = body;
  const regions = providerName === 'AWS' ? [body.regionName] : providerName === 'AZURE' ? [body.region] : body.regions;
  refuseUnfitBlock(atlasCidrBlock, providerName, regions);
  const existing = call.world.networking.containersOf(project);
  const taken = existing.some(
    (other) => other.providerName === providerName && (providerName === 'GCP' || other.regions[0] === regions[0]),
  );
  if (taken) {
    const detail = `A container already exists for group ${project.id}.`;
    throw new AtlasRefusal(409, 'CONTAINER_ALREADY_EXISTS', detail, [project.id]);
  }
  refuseOverlap(atlasCidrBlock, existing);
  return answer(call, call.world.networking.addContainer(project, { providerName, atlasCidrBlock, regions }));
}

function update(call: Call, project: Project): Answer {
  const container = containerOf(call, project, call.param('containerId'));
  const { providerName, atlasCidrBlock, regionName, region: azureRegion, regions } = call.body(change);
  if (providerName !== undefined && providerName !== container.providerName) throw invalidAttribute('providerName');
  const moved = regionName ?? azureRegion;
  if (moved !== undefined && moved !== container.regions[0]) {
    throw new AtlasRefusal(400, 'CANNOT_CHANGE_CONTAINER_REGION', 'The region of a container cannot be changed.');
  }
  refuseInUse(call, container);
  if (atlasCidrBlock !== undefined) {
    const others = call.world.networking.containersOf(project).filter((other) => other !== container);
    refuseUnfitBlock(atlasCidrBlock, container.providerName, regions ?? container.regions);
    refuseOverlap(atlasCidrBlock, others);
    container.atlasCidrBlock = atlasCidrBlock;
  }
  if (regions !== undefined && container.providerName === 'GCP') container.regions = regions;
  return answer(call, container);
}

/** Dedicated clusters or peering connections depend on it: a network exists, and its block is locked. */
function isInUse({ networking, clusters }: World, container: Container): boolean {
  const { groupId, providerName, regions: covered } = container;
  const hosts = clusters.of(groupId).filter(isDedicated);
  const regions = hosts.flatMap(({ zones }) => zones.flatMap((zone) => zone.regions));
  const isHosting = regions.some(
    ({ provider, name }) => provider === providerName && (provider === 'GCP' || covered.includes(name)),
  );
  return isHosting || networking.hasPeers(container);
}

function refuseInUse({ world }: Call, container: Container): void {
  if (!isInUse(world, container)) return;
  throw new AtlasRefusal(409, 'CONTAINERS_IN_USE', `Cannot modify in use containers. ${container.id}.`, [container.id]);
}

function refuseUnfitBlock(text: string, provider: Provider, regions: readonly string[]): void {
  const cidr = parseCidr(text);
  if (!cidr) throw invalidAttribute('atlasCidrBlock');
  if (!isPrivate(cidr)) {
    throw new AtlasRefusal(400, 'ATLAS_INVALID_CIDR_RANGE', `Atlas CIDR ${text} must be in private range.`, [text]);
  }
  const isSmall = cidr.prefix >= 21 && cidr.prefix <= 24;
  if (provider === 'GCP' && cidr.prefix > 18 && !(isSmall && regions.length > 0)) throw unfitSize(text, '18', provider);
  if (provider !== 'GCP' && !isSmall) throw unfitSize(text, '24 to /21', provider);
}

/** Refuses a block that reaches into one of Atlas's own. */
export function refuseOverlap(block: string, containers: Container[]): void {
  if (!containers.some(({ atlasCidrBlock }) => overlap(atlasCidrBlock, block))) return;
  const detail = `The CIDR block ${block} overlaps with an Atlas CIDR block.`;
  throw new AtlasRefusal(409, 'OVERLAPPING_ATLAS_CIDR_BLOCK', detail, [block]);
}

function unfitSize(text: string, allowed: string, provider: Provider): AtlasRefusal {
  const detail = `Atlas CIDR ${text} must be a /${allowed} block for ${provider}.`;
  return new AtlasRefusal(400, 'ATLAS_INVALID_CIDR_BLOCK', detail, [text, allowed, provider]);
}

function listed(call: Call, containers: Container[]): Answer {
  return { status: 200, body: paginate(call.url, containers, (container) => view(call, container)) };
}

function answer(call: Call, container: Container): Answer {
  return { status: 200, body: view(call, container) };
}

function view({ world }: Call, container: Container): object {
  const { id, providerName, atlasCidrBlock, regions, network } = container;
  const provisioned = isInUse(world, container);
  const name = (text: string): string | null => (provisioned ? text : null);
  const common = { atlasCidrBlock, id, providerName, provisioned };
  if (providerName === 'AWS') return { ...common, regionName: regions[0], vpcId: name(`vpc-${network.slice(0, 17)}`) };
  if (providerName === 'AZURE') {
    return { ...common, azureSubscriptionId: name(network), region: regions[0], vnetName: name(`vnet_${network}`) };
  }
  const names = { gcpProjectId: name(`p-${network}`), networkName: name(`nt-${network}-${network.slice(0, 8)}`) };
  return { ...common, ...names, regions };
}
