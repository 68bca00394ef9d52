import * as z from 'zod';
import { inGroup } from '../operation.ts';
import { paginate } from '../pagination.ts';
import { invalidAttribute } from '../request-body.ts';
import type { AccessLog, Integration } from '../state/access.ts';
import type { Project } from '../world.ts';
import { dedicatedCluster } from './cluster-lookup.ts';

const MOST_LOGS = 20_000;
/** Keys of other services: reads show their last four characters. */
const SECRETS = new Set(['apiKey', 'apiToken', 'licenseKey', 'readToken', 'secret', 'serviceKey', 'writeToken']);

const instant = z
  .string()
  .regex(/^\d+$/)
  .transform((text) => new Date(Number(text)))
  .optional();
const logQuery = z.object({
  authResult: z.enum(['true', 'false']).optional(),
  ipAddress: z.string().optional(),
  nLogs: z.string().regex(/^\d+$/).transform(Number).pipe(z.number().max(MOST_LOGS)).default(MOST_LOGS),
  start: instant,
  end: instant,
});

export const projectSettingsOperations = [
  inGroup({
    operationId: 'listGroupIntegrations',
    method: 'GET',
    path: '/groups/{groupId}/integrations',
    versions: ['2023-01-01'],
    endpointSet: 'integrations',
    role: 'Project Read Only',
    handle: ({ world, url }, project) => ({
      status: 200,
      body: paginate(url, world.access.integrations.get(project.id) ?? [], masked),
    }),
  }),
  inGroup({
    operationId: 'getGroupMaintenanceWindow',
    method: 'GET',
    path: '/groups/{groupId}/maintenanceWindow',
    versions: ['2023-01-01'],
    endpointSet: 'maintenanceWindows',
    role: 'Project Read Only',
    handle({ world }, project) {
      const none = { autoDeferOnceEnabled: false, numberOfDeferrals: 0, startASAP: false };
      return { status: 200, body: world.access.maintenanceWindows.get(project.id) ?? none };
    },
  }),
  inGroup({
    operationId: 'getGroupDbAccessHistoryCluster',
    method: 'GET',
    path: '/groups/{groupId}/dbAccessHistory/clusters/{clusterName}',
    versions: ['2023-01-01'],
    endpointSet: 'databaseAccessHistory',
    role: ['Project Cluster Log Viewer', 'Project Database Access Admin'],
    handle(call, project) {
      const { world, url } = call;
      const { name } = dedicatedCluster(call, project);
      const query = logQuery.safeParse(Object.fromEntries(url.searchParams));
      if (!query.success) throw invalidAttribute(String(query.error.issues[0]?.path[0]));
      const { authResult, ipAddress, nLogs, start, end } = query.data;
      if (!start !== !end) throw invalidAttribute(start ? 'end' : 'start');
      const logs = world.access
        .accessLogs(project, name)
        .filter(
          (log) =>
            (authResult !== 'true' || log.authResult) &&
            (ipAddress === undefined || log.ipAddress === ipAddress) &&
            (!start || log.at >= start) &&
            (!end || log.at <= end),
        )
        .slice(0, nLogs);
      return { status: 200, body: { accessLogs: logs.map((log) => logView(log, project)) } };
    },
  }),
];

function masked(integration: Integration): object {
  return Object.fromEntries(
    Object.entries(integration).map(([name, value]) => {
      if (typeof value !== 'string') return [name, value];
      if (SECRETS.has(name)) return [name, value.slice(-4).padStart(value.length, '*')];
      // Of an address only the host is no secret.
      if (name === 'url') return [name, `${new URL(value).origin}/****${value.slice(-4)}`];
      return [name, value];
    }),
  );
}

function logView({ at, ...log }: AccessLog, project: Project): object {
  // Not ISO 8601: the way a shell prints a date.
  const timestamp = at.toUTCString().replace(/^(\w+), (\d+) (\w+) (\d+) ([\d:]+) GMT$/, '$1 $3 $2 $5 GMT $4');
  const hostname = log.hostname ?? 'cluster-shard-00-00.sandbox.mongodb.net';
  return { authSource: 'admin', ...log, hostname, groupId: project.id, timestamp };
}
