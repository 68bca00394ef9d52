import { getGroupDbAccessHistoryCluster } from '../../lib/atlas/operations/database-access-history.ts';
import { listGroupEvents } from '../../lib/atlas/operations/events.ts';
import type { Clock } from '../../lib/runtime/clock.ts';
import { type Deadline, deadlineIn } from '../../lib/runtime/deadline.ts';
import type { AtlasView } from './atlas-view.ts';
import type { Incident } from './core/incident.ts';
import { iso } from './core/observe.ts';

const HOUR = 3_600_000;
const EVENTS = 5;
const SIGN_INS = 100;

/**
 * What Atlas knows that helps whoever gets the ticket: what happened in the project lately, and who failed to sign in.
 * Undefined where nothing came within `ms`. A part that can't be read is left out.
 */
export async function enrich(
  atlas: AtlasView,
  { scope, firstHeardAt }: Incident,
  clock: Clock,
  deadline: Deadline,
  ms: number,
): Promise<Record<string, string> | undefined> {
  const { projectId, cluster } = scope;
  if (ms <= 0 || !projectId || !/^[0-9a-f]{24}$/.test(projectId)) return undefined;
  const own = deadlineIn(Math.max(0, Math.min(ms, deadline.remainingMs())), clock);
  const within: Deadline = { signal: AbortSignal.any([own.signal, deadline.signal]), remainingMs: own.remainingMs };
  // Asked once for all incidents of a storm: Atlas allows few of these calls. Whoever waits gives up after `ms`; the
  // question goes on, and its answer is there for who asks next.
  const [events, signIns] = await Promise.all([
    atlas.facts(`events ${projectId}`, () => recentEvents(atlas, projectId, firstHeardAt, deadline), within),
    cluster === undefined
      ? undefined
      : atlas.facts(
          `sign-ins ${projectId} ${cluster}`,
          () => failedSignIns(atlas, projectId, cluster, deadline),
          within,
        ),
  ]);
  return events === undefined && signIns === undefined ? undefined : { ...events, ...signIns };
}

async function recentEvents(
  { client }: AtlasView,
  groupId: string,
  at: number,
  deadline: Deadline,
): Promise<Record<string, string>> {
  const { results } = await client.call(
    listGroupEvents,
    { params: { groupId }, query: { itemsPerPage: EVENTS, minDate: new Date(at - HOUR) } },
    deadline,
  );
  const lines = results.map(
    ({ eventTypeName, created, username, publicKey, clusterName }) =>
      `${created ? iso(created.getTime()) : ''} ${eventTypeName ?? '?'}${clusterName ? ` ${clusterName}` : ''}${(username ?? publicKey) ? ` by ${username ?? publicKey}` : ''}`,
  );
  return lines.length > 0 ? { 'Events of the last hour': lines.join('; ') } : {};
}

async function failedSignIns(
  { client }: AtlasView,
  groupId: string,
  clusterName: string,
  deadline: Deadline,
): Promise<Record<string, string>> {
  const { accessLogs } = await client.call(
    getGroupDbAccessHistoryCluster,
    { params: { groupId, clusterName }, query: { nLogs: SIGN_INS } },
    deadline,
  );
  const entries = accessLogs ?? [];
  const failed = entries.filter(({ authResult }) => authResult === false);
  const last = entries.find(({ authResult }) => authResult === true);
  return {
    ...(failed.length > 0 && {
      'Failed sign-ins': `${failed.length} of the last ${entries.length}: ${[...new Set(failed.map(({ username }) => username ?? '?'))].slice(0, 5).join(', ')}`,
    }),
    ...(last?.timestamp && { 'Last sign-in': `${iso(last.timestamp.getTime())} by ${last.username ?? '?'}` }),
  };
}
