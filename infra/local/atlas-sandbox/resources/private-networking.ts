import * as z from 'zod';
import { inGroup } from '../operation.ts';
import { paginate } from '../pagination.ts';
import { AtlasRefusal, resourceNotFound } from '../refusal.ts';
import { invalidAttribute } from '../request-body.ts';
import { isDedicated } from '../state/clusters.ts';
import type { Networking, PrivateEndpoint } from '../state/networking.ts';
import type { Project } from '../world.ts';

const toggle = z.strictObject({ enabled: z.boolean() });

const versions = ['2023-01-01'];

export const privateNetworkingOperations = [
  inGroup({
    operationId: 'disableGroupPrivateIpModePeering',
    method: 'PATCH',
    path: '/groups/{groupId}/privateIpMode',
    versions,
    endpointSet: 'networkPeering',
    role: 'Project Owner',
    handle({ world, body }, project) {
      const { enabled } = body(toggle);
      const { privateIpMode } = world.networking;
      // The mode is deprecated: a project that is not in it cannot enter it any more.
      if (enabled && !privateIpMode.has(project.id)) throw invalidAttribute('enabled');
      if (enabled !== privateIpMode.has(project.id) && world.clusters.of(project.id).some(isDedicated)) {
        const detail = `Group ${project.id} has dedicated clusters, so private IP mode cannot be updated.`;
        throw new AtlasRefusal(400, 'CANNOT_UPDATE_PRIVATE_IP_MODE', detail, [project.id]);
      }
      if (!enabled) privateIpMode.delete(project.id);
      return { status: 200, body: { enabled } };
    },
  }),
  inGroup({
    operationId: 'listGroupAccessListEntries',
    method: 'GET',
    path: '/groups/{groupId}/accessList',
    versions,
    endpointSet: 'group',
    role: 'Project Read Only',
    handle: ({ world, url }, project) => ({
      status: 200,
      body: paginate(url, world.networking.accessLists.get(project.id) ?? [], (entry) => ({
        ...entry,
        groupId: project.id,
      })),
    }),
  }),
  inGroup({
    operationId: 'listGroupPrivateEndpointEndpointService',
    method: 'GET',
    path: '/groups/{groupId}/privateEndpoint/{cloudProvider}/endpointService',
    versions,
    endpointSet: 'privateEndpoints',
    role: 'Project Read Only',
    handle({ world, param }, project) {
      const provider = z.enum(['AWS', 'AZURE', 'GCP']).safeParse(param('cloudProvider'));
      if (!provider.success) throw invalidAttribute('cloudProvider');
      const services = world.networking.endpointServices.get(project.id) ?? [];
      return { status: 200, body: services.filter(({ cloudProvider }) => cloudProvider === provider.data) };
    },
  }),
  inGroup({
    operationId: 'toggleGroupPrivateEndpointRegionalMode',
    method: 'PATCH',
    path: '/groups/{groupId}/privateEndpoint/regionalMode',
    versions,
    endpointSet: 'privateEndpoints',
    role: 'Project Owner',
    handle({ world, body }, project) {
      const { enabled } = body(toggle);
      if (enabled) world.networking.regionalMode.add(project.id);
      else world.networking.regionalMode.delete(project.id);
      return { status: 202, body: { enabled } };
    },
  }),
  inGroup({
    operationId: 'getGroupPrivateNetworkSettingEndpointId',
    method: 'GET',
    path: '/groups/{groupId}/privateNetworkSettings/endpointIds/{endpointId}',
    versions,
    endpointSet: 'dataFederationPrivateEndpoints',
    role: 'Project Read Only',
    handle({ world, param }, project) {
      const { provider = 'AWS', status = 'OK', ...rest } = endpointOf(world.networking, project, param('endpointId'));
      return { status: 200, body: { ...rest, provider, status, type: 'DATA_LAKE' } };
    },
  }),
  inGroup({
    operationId: 'deleteGroupPrivateNetworkSettingEndpointId',
    method: 'DELETE',
    path: '/groups/{groupId}/privateNetworkSettings/endpointIds/{endpointId}',
    versions,
    endpointSet: 'dataFederationPrivateEndpoints',
    role: 'Project Owner',
    handle({ world, param }, project) {
      const endpoint = endpointOf(world.networking, project, param('endpointId'));
      const left = (world.networking.endpoints.get(project.id) ?? []).filter((other) => other !== endpoint);
      world.networking.endpoints.set(project.id, left);
      return { status: 204 };
    },
  }),
  inGroup({
    operationId: 'getGroupPipelineRun',
    method: 'GET',
    path: '/groups/{groupId}/pipelines/{pipelineName}/runs/{pipelineRunId}',
    versions,
    endpointSet: 'dataLakePipelines',
    role: 'Project Read Only',
    handle() {
      // Data Lake pipelines ended on 2025-09-30, with everything that ran in them.
      throw new AtlasRefusal(410, 'VERSION_GONE', 'The requested version of this resource is no longer available.');
    },
  }),
];

function endpointOf({ endpoints }: Networking, project: Project, id: string): PrivateEndpoint {
  const endpoint = endpoints.get(project.id)?.find(({ endpointId }) => endpointId === id);
  if (!endpoint) throw resourceNotFound(id);
  return endpoint;
}
