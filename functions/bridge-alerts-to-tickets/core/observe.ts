import { isNewer } from '../observation.ts';
import type { Policy } from '../settings.ts';
import { type Incident, type Member, openMembers } from './incident.ts';

/** What was heard about one alert, as its incident takes it. */
export interface Heard {
  readonly id: string;
  readonly member: Member;
  /** Found by looking, not because somebody said so. */
  readonly late: boolean;
  /** It is to have a ticket although it is over. */
  readonly missed?: boolean;
}

export type Verdict =
  | 'joined'
  | 'changed'
  | 'acknowledged'
  | 'ended'
  | 'duplicate'
  | 'older than what is known'
  | 'over already'
  | 'never heard of';

export interface Observed {
  readonly incident: Incident;
  readonly changed: boolean;
  readonly verdict: Verdict;
}

export interface ObserveContext {
  readonly policy: Policy;
  readonly now: number;
  readonly isInhibitor: (type: string) => boolean;
}

/** Most lines that wait to be said; more are counted. */
const MOST_OWED = 40;

/**
 * An incident after one alert was heard of. News counts by its version, not by when it arrives, and the end of an alert
 * is the end: nothing about that id opens anything again.
 */
export function observe(incident: Incident, { id, member, late, missed }: Heard, context: ObserveContext): Observed {
  const known = incident.members[id];
  const same = (verdict: Verdict): Observed => ({ incident, changed: false, verdict });
  if (!known) {
    if (member.state !== 'open') return same('never heard of');
    const next = joined(incident, id, member, late, context);
    return { incident: missed && !next.ticket ? { ...next, missed } : next, changed: true, verdict: 'joined' };
  }
  if (known.state !== 'open') return same('over already');
  if (!isNewer(member.version, known.version))
    return same(
      member.version.at === known.version.at && member.version.rank === known.version.rank
        ? 'duplicate'
        : 'older than what is known',
    );
  if (member.state !== 'open') {
    const ended: Incident = {
      ...incident,
      members: { ...incident.members, [id]: { ...known, ...member, type: known.type, severity: known.severity } },
    };
    return { incident: sayEnd(ended, known, member), changed: true, verdict: 'ended' };
  }
  const merged: Member = { ...known, ...member, type: known.type, severity: known.severity };
  // A word about an acknowledgement that says nothing of it does not take it back while it still runs.
  if (!member.acknowledged) delete merged.acknowledged;
  const next: Incident = { ...incident, members: { ...incident.members, [id]: merged } };
  const fresh =
    member.acknowledged && !member.acknowledged.ours && member.acknowledged.until !== known.acknowledged?.until;
  if (fresh && incident.ticket?.state === 'open' && member.acknowledged) {
    const { by, until } = member.acknowledged;
    return {
      incident: owe(next, `${nameOf(merged)} was acknowledged in Atlas${by ? ` by ${by}` : ''} until ${iso(until)}.`),
      changed: true,
      verdict: 'acknowledged',
    };
  }
  return { incident: next, changed: true, verdict: member.acknowledged ? 'acknowledged' : 'changed' };
}

/** A first look at an incident nobody has heard of. */
export function begin(
  identity: Pick<Incident, 'destination' | 'key' | 'route' | 'scope'>,
  { policy, now }: Pick<ObserveContext, 'policy' | 'now'>,
  late: boolean,
): Incident {
  return {
    ...identity,
    schema: 1,
    serial: 1,
    members: {},
    firstHeardAt: now,
    late,
    openAfter: now + (late ? 0 : policy.groupWaitSeconds * 1_000),
    without: [],
    strays: [],
    owed: [],
    step: 0,
    unsure: false,
    flaps: [],
    acknowledged: {},
    unacknowledgeable: [],
    spent: { hour: 0, writes: 0 },
    facts: {},
    enriched: 'no',
  };
}

function joined(incident: Incident, id: string, member: Member, late: boolean, context: ObserveContext): Incident {
  const { policy, now, isInhibitor } = context;
  const others = openMembers(incident);
  const next: Incident = { ...incident, members: { ...incident.members, [id]: member } };
  if (!incident.ticket) {
    // Nothing was open and nothing was made: it is as if it began now.
    if (others.length > 0 || incident.attempt || incident.opening) return next;
    return {
      ...next,
      members: { [id]: member },
      firstHeardAt: now,
      late,
      openAfter: now + (late ? 0 : policy.groupWaitSeconds * 1_000),
    };
  }
  if (incident.ticket.state === 'closed' || others.length === 0) return next;
  if (isInhibitor(member.type) && !others.some(([, other]) => isInhibitor(other.type)))
    return owe(next, `${nameOf(member)} explains ${count(others.length, 'alert')} of this incident.`);
  return next;
}

function sayEnd(incident: Incident, known: Member, { state, overAt }: Member): Incident {
  const left = openMembers(incident).length;
  if (incident.ticket?.state !== 'open' || left === 0) return incident;
  const when = overAt === undefined ? '' : ` at ${iso(overAt)}`;
  return owe(
    incident,
    state === 'cancelled'
      ? `${nameOf(known)} was cancelled${when}: its alert setting was disabled or deleted, which says nothing about the condition. ${count(left, 'alert')} still open.`
      : `${nameOf(known)} is over${when}. ${count(left, 'alert')} still open.`,
  );
}

/** Keeps a line for the next comment. */
export function owe(incident: Incident, line: string): Incident {
  const owed = incident.owed.includes(line) ? incident.owed : [...incident.owed, line];
  return { ...incident, owed: owed.slice(-MOST_OWED) };
}

/** An alert in a few words. */
export function nameOf({ type, host, metric }: Member): string {
  return `${metric ? `${type} ${metric}` : type}${host ? ` on ${host}` : ''}`;
}

export const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;
export const iso = (at: number): string => new Date(at).toISOString().replace('.000Z', 'Z');
