import { AtlasRejected } from '../../lib/atlas/errors.ts';
import { listGroupEvents } from '../../lib/atlas/operations/events.ts';
import { getGroupLiveMigration } from '../../lib/atlas/operations/live-migrations.ts';
import { AutomationError } from '../../lib/errors.ts';
import type { Seen } from './course.ts';
import type { Run } from './run.ts';
import type { Context } from './services.ts';

/** Something seen, and when, by Atlas's clock. */
export interface SeenAt<What> {
  readonly what: What;
  readonly now: Date;
}

/** How the migration is, as Atlas says. Reads only. */
export async function lookAtMigration(
  { services: { atlas }, deadline }: Context,
  { request, liveMigrationId = '', createdAt }: Run,
): Promise<SeenAt<Seen>> {
  try {
    const params = { groupId: request.destination.groupId, liveMigrationId };
    const { data, at } = await atlas.callDated(getGroupLiveMigration, { params }, deadline);
    return {
      now: at,
      what: {
        status: data.status ?? null,
        ready: data.readyForCutover === true,
        lagSeconds: data.lagTimeSeconds ?? null,
      },
    };
  } catch (error) {
    if (!(error instanceof AtlasRejected && error.status === 404)) throw error;
    // An answer all the same, but one without a time of its own.
    const { now } = await importEvents({ services: { atlas }, deadline }, request.destination, new Date(createdAt));
    return { now, what: 'unknown id' };
  }
}

/** The hosts a migration uses, as Atlas says. Reads only. */
export async function hostsOf(
  { services: { atlas }, deadline }: Context,
  { request, liveMigrationId = '' }: Run,
): Promise<readonly string[]> {
  const params = { groupId: request.destination.groupId, liveMigrationId };
  return (await atlas.call(getGroupLiveMigration, { params }, deadline)).migrationHosts ?? [];
}

/** What time it is for a migration: Atlas's, and this machine's only while Atlas tells none. */
export async function atlasNow(context: Context, { request, createdAt }: Run): Promise<Date> {
  try {
    return (await importEvents(context, request.destination, new Date(createdAt))).now;
  } catch (error) {
    if (!(error instanceof AutomationError)) throw error;
    return context.clock.now();
  }
}

/** What Atlas's project feed tells of a migration; it shows what was done in the user interface, too. */
export type ImportEvent =
  | 'CLUSTER_IMPORT_STARTED'
  | 'CLUSTER_IMPORT_CANCELLED'
  | 'CLUSTER_IMPORT_EXPIRED'
  | 'CLUSTER_IMPORT_CUTOVER'
  | 'CLUSTER_IMPORT_COMPLETED'
  | 'CLUSTER_IMPORT_FAILED'
  | 'CLUSTER_IMPORT_RESTART_REQUESTED';

const IMPORT_EVENTS: readonly ImportEvent[] = [
  'CLUSTER_IMPORT_STARTED',
  'CLUSTER_IMPORT_CANCELLED',
  'CLUSTER_IMPORT_EXPIRED',
  'CLUSTER_IMPORT_CUTOVER',
  'CLUSTER_IMPORT_COMPLETED',
  'CLUSTER_IMPORT_FAILED',
  'CLUSTER_IMPORT_RESTART_REQUESTED',
];

/** A feed may round: events this much before the instant count, too. More would be another migration's. */
const SKEW_MS = 10_000;

export interface ImportTold {
  readonly type: ImportEvent;
  readonly at: Date | undefined;
}

/** The migration events of a cluster since an instant, newest first. Reads only. */
export async function importEvents(
  {
    services: { atlas },
    deadline,
  }: { readonly services: Pick<Context['services'], 'atlas'>; readonly deadline: Context['deadline'] },
  { groupId, clusterName }: { readonly groupId: string; readonly clusterName: string },
  since: Date,
): Promise<SeenAt<readonly ImportTold[]>> {
  const query = {
    eventType: [...IMPORT_EVENTS],
    clusterNames: [clusterName],
    minDate: new Date(Math.max(0, since.getTime() - SKEW_MS)).toISOString(),
    itemsPerPage: 100,
  };
  const { data, at: now } = await atlas.callDated(listGroupEvents, { params: { groupId }, query }, deadline);
  const what: readonly ImportTold[] = (data.results ?? []).flatMap(({ eventTypeName, created, clusterName: name }) => {
    const type = IMPORT_EVENTS.find((each) => each === eventTypeName);
    // A filter Atlas did not know would let other clusters' events through.
    return type === undefined || (typeof name === 'string' && name !== clusterName)
      ? []
      : [{ type, at: created ?? undefined }];
  });
  // Not left to the order of the answer: what came last decides. Equal instants keep it.
  return { what: what.toSorted((a, b) => (b.at?.getTime() ?? 0) - (a.at?.getTime() ?? 0)), now };
}
