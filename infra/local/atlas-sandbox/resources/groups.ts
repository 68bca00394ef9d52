import { timestamp } from '../date.ts';
import { forCaller, inGroup, inOrg } from '../operation.ts';
import { paginate } from '../pagination.ts';
import type { Project, World } from '../world.ts';

/** What a project alone says about where to go on from it; some of it has another name there. */
const RELATED = ['containers', 'clusters', 'databaseUsers', 'peers', 'processes', 'whitelist'];

export const groupOperations = [
  forCaller({
    operationId: 'listGroups',
    method: 'GET',
    path: '/groups',
    versions: ['2023-01-01'],
    endpointSet: 'projects',
    handle: ({ world, url, caller }) => ({
      status: 200,
      body: paginate(url, world.projectsSeenBy(caller), (project) => view(project, world, url)),
    }),
  }),
  inGroup({
    operationId: 'getGroup',
    method: 'GET',
    path: '/groups/{groupId}',
    versions: ['2023-01-01'],
    endpointSet: 'group',
    role: 'Project Read Only',
    handle({ world, url }, project) {
      const self = `${url.origin}/api/atlas/v2/groups/${project.id}`;
      const related = RELATED.map((name) => ({ href: `${self}/${name}`, rel: `https://cloud.mongodb.com/${name}` }));
      return { status: 200, body: { ...view(project, world, url), links: [{ href: self, rel: 'self' }, ...related] } };
    },
  }),
  inOrg({
    operationId: 'getOrgGroups',
    method: 'GET',
    path: '/orgs/{orgId}/groups',
    versions: ['2023-01-01'],
    endpointSet: 'orgGroups',
    role: 'Organization Member',
    handle({ world, url, caller }) {
      const start = (url.searchParams.get('name') ?? '').toLowerCase();
      const seen = world.projectsSeenBy(caller);
      const projects = seen.filter(({ name }) => name.toLowerCase().startsWith(start));
      return { status: 200, body: paginate(url, projects, (project) => view(project, world, url)) };
    },
  }),
];

function view({ id, name, orgId, createdAt, tags = [] }: Project, { clusters }: World, url: URL): object {
  return {
    clusterCount: clusters.of(id).length,
    created: timestamp(createdAt),
    id,
    links: [{ href: `${url.origin}/api/atlas/v2/groups/${id}`, rel: 'self' }],
    name,
    orgId,
    tags,
    withDefaultAlertsSettings: true,
  };
}
