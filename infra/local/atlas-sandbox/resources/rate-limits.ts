import { type Call, forCaller, type Operation, outsider } from '../operation.ts';
import { paginate } from '../pagination.ts';
import { type EndpointSet, type EndpointSetName, endpointSets } from '../rate-limits.ts';
import { AtlasRefusal, resourceNotFound } from '../refusal.ts';
import { meetsInOrg } from '../roles.ts';
import { usernameOf } from '../state/api-keys.ts';

const common = { versions: ['2025-03-12'], endpointSet: 'rateLimits' } as const;

/** The operations that tell the rate limits of all operations, their own included. */
export function rateLimitOperations(others: readonly Operation[]): Operation[] {
  const own = [
    forCaller({
      ...common,
      operationId: 'listRateLimits',
      method: 'GET',
      path: '/rateLimits',
      handle(call) {
        const { searchParams } = call.url;
        const scope = scopeAsked(call);
        const names = searchParams.getAll('name');
        const paths = searchParams.getAll('endpointPath');
        const found = setNames().filter(
          (name) =>
            (!scope || endpointSets[name].scope === scope) &&
            (names.length === 0 || names.includes(titleOf(name))) &&
            (paths.length === 0 || endpointsOf(name).some(({ path }) => paths.includes(path))),
        );
        return { status: 200, body: paginate(call.url, found, (name) => view(call, name)) };
      },
    }),
    forCaller({
      ...common,
      operationId: 'getRateLimit',
      method: 'GET',
      path: '/rateLimits/{endpointSetId}',
      handle(call) {
        scopeAsked(call);
        const name = setNames().find((candidate) => candidate === call.param('endpointSetId'));
        if (!name) throw resourceNotFound(call.param('endpointSetId'));
        return { status: 200, body: view(call, name) };
      },
    }),
  ];

  function endpointsOf(name: EndpointSetName): { method: string; path: string }[] {
    return [...others, ...own]
      .filter(({ endpointSet }) => endpointSet === name)
      .map(({ method, path }) => ({ method, path: `/api/atlas/v2${path}` }));
  }

  function view({ rateOf }: Call, name: EndpointSetName): object {
    const { scope, ...defaults } = endpointSets[name];
    const { capacity, refill, seconds } = rateOf(name);
    return {
      capacity: { defaultValue: defaults.capacity, value: capacity },
      endpointSetId: name,
      endpointSetName: titleOf(name),
      endpoints: endpointsOf(name),
      refillDurationSeconds: { defaultValue: defaults.seconds, value: seconds },
      refillRate: { defaultValue: defaults.refill, value: refill },
      scope,
    };
  }

  return own;
}

function setNames(): EndpointSetName[] {
  const isName = (text: string): text is EndpointSetName => text in endpointSets;
  return Object.keys(endpointSets).filter(isName);
}

/** `groupServiceAccounts` is titled "Group Service Accounts". */
function titleOf(name: string): string {
  return name
    .replace(/^./, (letter) => letter.toUpperCase())
    .replaceAll(/[A-Z]/g, ' $&')
    .trim();
}

/** Whose limits are asked for, where the caller may know them. */
function scopeAsked({ world, caller, url }: Call): EndpointSet['scope'] | undefined {
  const groupId = url.searchParams.get('groupId');
  const orgId = url.searchParams.get('orgId');
  const userId = url.searchParams.get('userId');
  if (groupId !== null) {
    if (!world.projectsSeenBy(caller).some(({ id }) => id === groupId)) throw outsider('GROUP', groupId);
    return 'GROUP';
  }
  if (orgId !== null) {
    if (caller.orgId !== orgId || !meetsInOrg('Organization Read Only', caller.orgRoles)) throw outsider('ORG', orgId);
    return 'ORGANIZATION';
  }
  if (userId === null) return undefined;
  if (userId !== usernameOf(caller)) {
    throw new AtlasRefusal(403, 'ACCESS_FORBIDDEN', 'The rate limits of another user cannot be read.');
  }
  return 'USER';
}
