import { timestamp } from '../date.ts';
import { forCaller, type Operation, outsider } from '../operation.ts';
import { paginate } from '../pagination.ts';
import { AtlasRefusal } from '../refusal.ts';
import type { CloudManagerProject } from '../state/cloud-manager.ts';

const common = { base: '/api/public/v1.0', versions: [], endpointSet: 'projects' } as const;

/** Cloud Manager's own API, which knows nothing of Atlas projects. */
export const cloudManagerOperations: Operation[] = [
  forCaller({
    ...common,
    operationId: 'listCloudManagerGroups',
    method: 'GET',
    path: '/groups',
    handle({ world, url, caller }) {
      const projects = [...world.cloudManager.projects.values()].filter(({ orgId }) => orgId === caller.orgId);
      return { status: 200, body: paginate(url, projects, (project) => view(project, url)) };
    },
  }),
  forCaller({
    ...common,
    operationId: 'getCloudManagerGroup',
    method: 'GET',
    path: '/groups/{groupId}',
    handle({ world, url, caller, param }) {
      const id = param('groupId');
      if (world.projects.has(id)) {
        const detail = `Group ${id} is an Atlas group; use the Atlas Public API at /api/atlas/v1.0 to access it.`;
        throw new AtlasRefusal(404, 'ATLAS_GROUP', detail, [id]);
      }
      const project = world.cloudManager.projects.get(id);
      if (!project) throw new AtlasRefusal(404, 'GROUP_NOT_FOUND', `No group with ID ${id} exists.`, [id]);
      if (project.orgId !== caller.orgId) throw outsider('GROUP', id);
      return { status: 200, body: view(project, url) };
    },
  }),
];

function view({ lastActiveAgent, ...project }: CloudManagerProject, url: URL): object {
  return {
    ...project,
    lastActiveAgent: timestamp(lastActiveAgent),
    links: [{ href: `${url.origin}/api/public/v1.0/groups/${project.id}`, rel: 'self' }],
    publicApiEnabled: true,
  };
}
