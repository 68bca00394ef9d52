import { timestamp } from '../date.ts';
import { forCaller } from '../operation.ts';
import { paginate } from '../pagination.ts';

export const groupOperations = [
  forCaller({
    operationId: 'listGroups',
    method: 'GET',
    path: '/groups',
    versions: ['2023-01-01'],
    endpointSet: 'projects',
    handle: ({ world, url, caller }) => ({
      status: 200,
      body: paginate(url, world.projectsSeenBy(caller), ({ id, name, orgId, createdAt }) => ({
        clusterCount: 0,
        created: timestamp(createdAt),
        id,
        links: [{ href: `${url.origin}/api/atlas/v2/groups/${id}`, rel: 'self' }],
        name,
        orgId,
        tags: [],
        withDefaultAlertsSettings: true,
      })),
    }),
  }),
];
