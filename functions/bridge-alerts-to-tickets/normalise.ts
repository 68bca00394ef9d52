import * as z from 'zod';
import { type Observation, RANK, type Subject, type Version } from './observation.ts';

/** A date as text of any shape JavaScript reads, or epoch milliseconds or seconds; anything else counts as missing. */
const Moment = z
  .unknown()
  .transform((given) => {
    const ms = typeof given === 'number' ? msOf(given) : textAt(given);
    return Number.isFinite(ms) ? ms : undefined;
  })
  .optional();

const msOf = (given: number): number => (given < 1e11 ? given * 1_000 : given);
const textAt = (given: unknown): number =>
  typeof given === 'string' && given.length <= 64 ? Date.parse(given) : Number.NaN;

/** A text, cut between characters; anything else counts as missing. */
const most = (length: number) =>
  z
    .unknown()
    .transform((given) => {
      if (typeof given !== 'string') return undefined;
      return given.length <= length ? given : [...given].slice(0, length).join('');
    })
    .optional();

/**
 * An alert as a webhook tells it. A team may have written its own body, so only the id has to be there; whatever else
 * does not fit counts as missing, never as a reason to lose the alert.
 */
const Body = z.object({
  id: z.string().min(1).max(200),
  groupId: most(64),
  orgId: most(64),
  alertConfigId: most(64),
  eventTypeName: most(120),
  status: most(40),
  created: Moment,
  updated: Moment,
  resolved: Moment,
  lastNotified: Moment,
  acknowledgedUntil: Moment,
  acknowledgingUsername: most(320),
  acknowledgementComment: most(400),
  clusterName: most(120),
  clusterId: most(64),
  replicaSetName: most(120),
  hostnameAndPort: most(255),
  userAlias: most(255),
  metricName: most(120),
  currentValue: z
    .object({ number: z.number().nullish().catch(undefined), units: most(40) })
    .nullish()
    .catch(undefined),
  humanReadable: most(2_000),
});
type Body = z.output<typeof Body>;

/** What the header `X-MMS-Event` says. It is not signed, so it only ever raises doubt. */
export type Announced = string | undefined;

/** Event types that report one moment and never end. */
const POINT_IN_TIME = new Set([
  'PRIMARY_ELECTED',
  'CLUSTER_MONGOS_IS_PRESENT',
  'HOST_RESTARTED',
  'HOST_RECOVERED',
  'HOST_NOW_PRIMARY',
  'HOST_NOW_SECONDARY',
  'HOST_NOW_STANDALONE',
  'HOST_UPGRADED',
  'HOST_DOWNGRADED',
]);

export interface NormaliseOptions {
  readonly announced?: Announced;
  readonly now: number;
  readonly digest: string;
  readonly via: Observation['via'];
  /** Older than this, in milliseconds, an alert has to be confirmed by Atlas. */
  readonly staleMs: number;
}

/** The observation in a parsed body, or undefined where it does not even name an alert. */
export function normalise(value: unknown, options: NormaliseOptions): Observation | undefined {
  const parsed = Body.safeParse(value);
  if (!parsed.success) return undefined;
  const body = parsed.data;
  const { now, announced, digest, via, staleMs } = options;
  const state = stateOf(body);
  const acknowledged =
    state === 'open' && body.acknowledgedUntil != null && body.acknowledgedUntil > now
      ? {
          until: body.acknowledgedUntil,
          ...(body.acknowledgingUsername && { by: body.acknowledgingUsername }),
          ...(body.acknowledgementComment && { comment: body.acknowledgementComment }),
        }
      : undefined;
  const version = versionOf(body, state, acknowledged !== undefined, now);
  const doubt = via === 'webhook' ? doubtOf(body, state, announced, now - staleMs) : undefined;
  return {
    schema: 1,
    id: body.id,
    state: state === 'open' && POINT_IN_TIME.has(body.eventTypeName ?? '') ? 'inform' : state,
    version,
    subject: subjectOf(body),
    ...(body.created != null && { createdAt: body.created }),
    ...(acknowledged && { acknowledged }),
    via,
    heardAt: now,
    digest,
    ...(doubt && { doubt }),
  };
}

/** What the signed body itself says. */
function stateOf({ status, resolved }: Body): Observation['state'] {
  switch (status?.toUpperCase()) {
    case 'CLOSED':
    case 'RESOLVED':
      return 'closed';
    case 'CANCELLED':
    case 'CANCELED':
      return 'cancelled';
    case 'OPEN':
      return 'open';
    case 'TRACKING':
    case 'INFORMATIONAL':
    case 'INFORM':
      return 'inform';
  }
  return resolved == null ? 'unclear' : 'closed';
}

/**
 * The body's own instant. Where `updated` is missing the latest other one stands in, and the present where there is
 * none, so that a poor body is never older than what it follows.
 */
function versionOf(body: Body, state: Observation['state'], acknowledged: boolean, now: number): Version {
  const { updated, resolved, lastNotified, created } = body;
  const others = [resolved, lastNotified, created].filter((at) => at != null);
  const at = updated ?? (others.length > 0 ? Math.max(...others) : now);
  if (state === 'closed' || state === 'cancelled') return { at, rank: RANK.over };
  if (acknowledged) return { at, rank: RANK.acknowledged };
  return { at, rank: created != null && at > created ? RANK.update : RANK.open };
}

function doubtOf(body: Body, state: Observation['state'], announced: Announced, oldest: number): Observation['doubt'] {
  // `created` says when the condition began, which may be days ago; alone it proves nothing about this delivery.
  const dated = [body.updated, body.lastNotified, body.resolved].filter((at) => at != null);
  if (dated.length > 0 ? Math.max(...dated) < oldest : (body.created ?? oldest) < oldest) return 'stale';
  const over = state === 'closed' || state === 'cancelled';
  const saysOver = announced === 'alert.close' || announced === 'alert.cancel';
  if (state === 'unclear') return saysOver ? 'contradicted' : announced === 'alert.inform' ? 'inform' : 'unclear';
  if (announced === 'alert.inform' && !over) return 'inform';
  const saysRuns = announced === 'alert.open' || announced === 'alert.update';
  return (state === 'open' && saysOver) || (over && saysRuns) ? 'contradicted' : undefined;
}

function subjectOf(body: Body): Subject {
  const { groupId, orgId, clusterName, clusterId, replicaSetName, hostnameAndPort, userAlias, metricName } = body;
  const { currentValue, alertConfigId, humanReadable, eventTypeName } = body;
  return {
    type: eventTypeName || 'UNKNOWN',
    ...(groupId && { projectId: groupId }),
    ...(orgId && { orgId }),
    ...(clusterName && { clusterName }),
    ...(clusterId && { clusterId }),
    ...(replicaSetName && { replicaSet: replicaSetName }),
    ...(hostnameAndPort && { host: hostnameAndPort }),
    ...(userAlias && { hostAlias: userAlias }),
    ...(metricName && { metric: metricName }),
    ...(currentValue?.number != null && { value: currentValue.number }),
    ...(currentValue?.units && { units: currentValue.units }),
    ...(alertConfigId && { alertConfigId }),
    ...(humanReadable && { sentence: humanReadable }),
  };
}
