import { forCaller, inOrg } from '../operation.ts';
import { paginate } from '../pagination.ts';

export const orgOperations = [
  forCaller({
    operationId: 'listOrgs',
    method: 'GET',
    path: '/orgs',
    versions: ['2023-01-01'],
    endpointSet: 'organizations',
    handle({ world, url, caller }) {
      // A service account belongs to exactly one organization.
      const start = (url.searchParams.get('name') ?? '').toLowerCase();
      const orgs = [world.org(caller.orgId)].filter(({ name }) => name.toLowerCase().startsWith(start));
      return {
        status: 200,
        body: paginate(url, orgs, ({ id, name }) => ({
          id,
          isDeleted: false,
          links: [{ href: `${url.origin}/api/atlas/v2/orgs/${id}`, rel: 'self' }],
          name,
          skipDefaultAlertsSettings: false,
        })),
      };
    },
  }),
  inOrg({
    operationId: 'getOrgSettings',
    method: 'GET',
    path: '/orgs/{orgId}/settings',
    versions: ['2023-01-01'],
    endpointSet: 'orgSettings',
    role: 'Organization Member',
    handle: (_, org) => ({
      status: 200,
      body: { apiAccessListRequired: false, maxServiceAccountSecretValidityInHours: org.maxSecretValidityHours },
    }),
  }),
];
