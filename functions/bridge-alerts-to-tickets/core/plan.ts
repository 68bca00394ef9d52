import type { Traits } from '../../../lib/tickets/tickets.ts';
import { digestOf } from '../grouping.ts';
import type { Policy } from '../settings.ts';
import { type ActionKind, type Incident, type Member, openMembers } from './incident.ts';
import { count, iso, owe } from './observe.ts';

/** What an incident needs next. */
export type Step =
  | { readonly kind: 'do'; readonly action: ActionKind; readonly why: string }
  /** Nothing before that instant. */
  | { readonly kind: 'wait'; readonly until: number; readonly why: string }
  /** It is to be this from now on, before anything else. */
  | { readonly kind: 'become'; readonly incident: Incident; readonly why: string }
  | { readonly kind: 'rest'; readonly why: string };

export interface PlanContext {
  readonly policy: Policy;
  readonly traits: Pick<Traits, 'reopens' | 'comments' | 'updates' | 'reads'>;
  readonly now: number;
  /** Until when a silence or a maintenance window covers an alert; undefined where none does. */
  readonly coveredUntil: (member: Member, incident: Incident, now: number) => number | undefined;
  readonly isInhibitor: (type: string) => boolean;
  readonly isInhibited: (type: string) => boolean;
  /** Whether alerts can be acknowledged in Atlas at all. */
  readonly acknowledges: boolean;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const wait = (until: number, why: string): Step => ({ kind: 'wait', until, why });
const rest = (why: string): Step => ({ kind: 'rest', why });
const doing = (action: ActionKind, why: string): Step => ({ kind: 'do', action, why });
const become = (incident: Incident, why: string): Step => ({ kind: 'become', incident, why });

/**
 * The next step of an incident, from what is known alone: no step depends on which delivery brought it about, so losing
 * one, repeating one or changing their order comes to the same ticket.
 */
export function plan(incident: Incident, context: PlanContext): Step {
  const { now } = context;
  const { attempt, trouble, opening, ticket, dead } = incident;
  if (attempt) {
    if (now < attempt.until) return wait(attempt.until, `somebody else is at it: ${attempt.kind}`);
    return become(takenOver(incident), `an attempt was never finished: ${attempt.kind}`);
  }
  if (trouble && now < trouble.notBefore) return wait(trouble.notBefore, `waiting after ${trouble.code}`);
  if (opening) {
    if (now < opening.askAt) return wait(opening.askAt, 'too early to know whether a ticket was made');
    return doing('find', 'an open was sent and nobody knows what came of it');
  }
  if (incident.strays.length > 0) return doing('discard', 'a ticket was made twice');
  if (incident.verifyAt !== undefined && now >= incident.verifyAt && !dead)
    return doing('find', 'a lost open may have come to light');
  if (dead) return rest(`given up: ${dead.code}`);
  const withdrawal = acknowledging(incident, context);
  if (withdrawal) return withdrawal;
  const step = !ticket
    ? withoutTicket(incident, context)
    : ticket.state === 'open'
      ? whileOpen(incident, context)
      : whileClosed(incident, context);
  return sooner(step, incident);
}

/** Nothing is waited for past the moment something else falls due. */
function sooner(step: Step, { verifyAt, taken, ticket }: Incident): Step {
  const next = Math.min(verifyAt ?? Number.POSITIVE_INFINITY, (ticket && taken?.until) ?? Number.POSITIVE_INFINITY);
  if (!Number.isFinite(next)) return step;
  if (step.kind === 'rest') return wait(next, step.why);
  return step.kind === 'wait' && step.until > next ? { ...step, until: next } : step;
}

/** The holder is presumed dead. Its open may still be on its way; anything else may be done again. */
function takenOver(incident: Incident): Incident {
  const { attempt, ...others } = incident;
  if (!attempt) return incident;
  if (attempt.kind === 'open') return { ...others, opening: { sentAt: attempt.until, askAt: attempt.until } };
  return { ...others, unsure: true };
}

function withoutTicket(incident: Incident, context: PlanContext): Step {
  const { policy, now, coveredUntil, isInhibited } = context;
  const open = openMembers(incident);
  if (open.length === 0)
    return incident.missed
      ? doing('open', 'it began and ended unseen')
      : rest('every alert was over before it had a ticket');
  if (incident.mutedUntil !== undefined && now < incident.mutedUntil)
    return wait(incident.mutedUntil, 'people closed its ticket as not to be done');
  const covers = open.map(([, member]) => coveredUntil(member, incident, now));
  const audible = open.filter((_, index) => covers[index] === undefined);
  if (audible.length === 0) {
    const until = Math.min(...covers.filter((cover) => cover !== undefined));
    return wait(until, 'silenced');
  }
  const { explainedBy } = incident;
  if (explainedBy && now < explainedBy.until && audible.every(([, { type }]) => isInhibited(type)))
    return wait(explainedBy.until, `${explainedBy.ticket} explains it`);
  if (now < incident.openAfter)
    return wait(incident.openAfter, `waiting for more alerts (${policy.groupWaitSeconds} s)`);
  return doing('open', incident.late ? 'found by looking' : 'an alert is open');
}

function whileOpen(incident: Incident, context: PlanContext): Step {
  const { policy, traits, now, coveredUntil } = context;
  const { ticket, owed } = incident;
  if (!ticket) return rest('');
  const open = openMembers(incident);
  if (open.length === 0) {
    if (ticket.kept) return owed.length > 0 ? say(incident, context) : rest('people keep the ticket open');
    if (policy.onResolve === 'comment') {
      const line = endOf(incident);
      if (!incident.owed.includes(line) && ticket.shows !== 'over')
        return become(
          { ...owe(incident, line), ticket: { ...ticket, shows: 'over' } },
          'over, and the ticket stays open',
        );
      return owed.length > 0 ? say(incident, context) : rest('over, and the ticket stays open');
    }
    const quiet = holdMs(incident, context);
    // A sender whose clock is ahead does not keep a ticket open.
    const due = Math.min(now, overAt(incident)) + quiet;
    if (now < due)
      return wait(due, traits.reopens ? 'flapping: waiting for quiet' : 'cannot be opened again: waiting for quiet');
    return limited(incident, context) ?? doing('close', 'every alert is over');
  }
  const covers = open.map(([, member]) => coveredUntil(member, incident, now));
  if (covers.every((cover) => cover !== undefined)) return wait(Math.min(...covers), 'silenced');
  const expired = open.filter(
    ([, { acknowledged }]) => acknowledged && !acknowledged.ours && acknowledged.until <= now,
  );
  if (expired.length > 0) return become(reraised(incident, expired), 'an acknowledgement in Atlas ran out');
  return say(incident, context);
}

/** What is to be added to an open ticket, if the time has come. */
function say(incident: Incident, context: PlanContext): Step {
  const { policy, traits, now } = context;
  const { ticket, owed } = incident;
  if (!ticket) return rest('');
  const stale =
    traits.updates && !ticket.edited && openMembers(incident).length > 0 && ticket.shows !== showing(incident);
  const speak = traits.comments && owed.length > 0;
  if (!stale && !speak) {
    const expiries = openMembers(incident).flatMap(([, { acknowledged }]) =>
      acknowledged && !acknowledged.ours ? [acknowledged.until] : [],
    );
    return expiries.length > 0 ? wait(Math.min(...expiries), 'acknowledged in Atlas') : rest('the ticket says it all');
  }
  const due = ticket.saidAt + policy.groupIntervalSeconds * 1_000;
  if (now < due) return wait(due, 'collecting what else there is to say');
  return (
    limited(incident, context) ??
    doing(stale ? 'edit' : 'comment', stale ? 'the ticket is out of date' : 'something happened')
  );
}

function whileClosed(incident: Incident, context: PlanContext): Step {
  const { policy, traits, now } = context;
  const { ticket } = incident;
  if (!ticket) return rest('');
  const open = openMembers(incident);
  if (open.length === 0) return rest('over');
  const closedAt = ticket.closedAt ?? now;
  const since = overAt(incident) || closedAt;
  if (ticket.closedBy === 'people') {
    const newer = open.filter(([, { createdAt }]) => createdAt > closedAt);
    const muted = closedAt + policy.muteHours * HOUR;
    if (ticket.wontFix) {
      if (now < muted) return wait(muted, 'people closed it as not to be done');
      return become(renewed(incident, context), 'still open after people closed it as not to be done');
    }
    if (newer.length === 0) {
      if (policy.onPeopleClose === 'reopen-once' && !ticket.insisted && ticket.state === 'closed')
        return traits.reopens
          ? (limited(incident, context) ?? doing('reopen', 'the alert goes on'))
          : become(renewed(incident, context), 'the alert goes on');
      return rest('people closed it; the alert goes on');
    }
    if (ticket.insisted) return become(renewed(incident, context), 'a new alert after people closed the ticket twice');
  }
  const back = Math.min(...open.map(([, { createdAt }]) => createdAt));
  const inWindow = back - since <= policy.flapWindowSeconds * 1_000;
  if (inWindow && traits.reopens && !ticket.wontFix)
    return limited(incident, context) ?? doing('reopen', 'the condition came back');
  return become(
    renewed(incident, context),
    inWindow ? 'came back, and the ticket stays closed' : 'came back after a while',
  );
}

/** The same incident with a new ticket to come, which carries on from the last one. */
export function renewed(incident: Incident, { policy, now }: Pick<PlanContext, 'policy' | 'now'>): Incident {
  const { ticket, taken, mutedUntil, opening, verifyAt, ...others } = incident;
  return {
    ...others,
    serial: incident.serial + 1,
    step: 0,
    unsure: false,
    members: Object.fromEntries(openMembers(incident)),
    ...(ticket && { follows: ticket.ref }),
    openAfter: Math.max(incident.openAfter, now + (incident.late ? 0 : policy.groupWaitSeconds * 1_000)),
    owed: [],
    without: [],
    flaps: [],
    enriched: 'no',
    facts: {},
  };
}

/** Acknowledgements in Atlas that follow from who has the ticket. */
function acknowledging(incident: Incident, { now, acknowledges }: PlanContext): Step | undefined {
  const { taken, acknowledged, unacknowledgeable } = incident;
  if (!acknowledges) return undefined;
  if (taken && now >= taken.until) {
    const { taken: _, ...others } = incident;
    const open = openMembers(incident).length;
    const line = `The acknowledgement ran out at ${iso(taken.until)}; ${count(open, 'alert')} still open.`;
    const quiet = { ...others, acknowledged: {}, unacknowledgeable: [] };
    return become(open > 0 ? owe(quiet, line) : quiet, 'our acknowledgement ran out');
  }
  if (taken) {
    const wanted = openMembers(incident).filter(
      ([id]) => acknowledged[id] === undefined && !unacknowledgeable.includes(id),
    );
    return wanted.length > 0 ? doing('acknowledge', 'somebody has the ticket') : undefined;
  }
  return Object.keys(acknowledged).length > 0 ? doing('withdraw', 'nobody has the ticket any more') : undefined;
}

function reraised(incident: Incident, expired: readonly [string, Member][]): Incident {
  const members = { ...incident.members };
  for (const [id, member] of expired) {
    const { acknowledged: _, ...others } = member;
    members[id] = others;
  }
  const line = `An acknowledgement in Atlas ran out; ${count(expired.length, 'alert')} it covered still open.`;
  return owe({ ...incident, members }, line);
}

/** The tracker's patience with one ticket, and people's. */
function limited({ spent }: Incident, { policy, now }: PlanContext): Step | undefined {
  const end = spent.hour + HOUR;
  return now < end && spent.writes >= policy.writesPerHour
    ? wait(end, `more than ${policy.writesPerHour} changes an hour`)
    : undefined;
}

/** When the last alert was over, by the sender's clock. */
export const overAt = ({ members }: Incident): number =>
  Math.max(
    0,
    ...Object.values(members).map((member) => (member.state === 'open' ? 0 : (member.overAt ?? member.version.at))),
  );

export function isFlapping({ flaps }: Incident, { policy, now }: Pick<PlanContext, 'policy' | 'now'>): boolean {
  return flaps.filter((at) => at > now - HOUR).length >= policy.flappingAfter;
}

/** How long a ticket outlives its last alert. */
function holdMs(incident: Incident, context: PlanContext): number {
  const { policy, traits } = context;
  if (!traits.reopens) return policy.flapWindowSeconds * 1_000;
  return isFlapping(incident, context) ? policy.flappingQuietSeconds * 1_000 : 0;
}

/** The end of an incident in one line. */
export function endOf(incident: Incident): string {
  const members = Object.values(incident.members);
  const cancelled = members.filter(({ state }) => state === 'cancelled').length;
  const at = iso(overAt(incident));
  if (cancelled === members.length)
    return `Cancelled at ${at}: the alert setting was disabled or deleted. Whether the condition is over is not known.`;
  return cancelled > 0
    ? `Over at ${at}; of ${count(members.length, 'alert')} ${cancelled} cancelled because the alert setting was disabled or deleted.`
    : `Over at ${at}: ${count(members.length, 'alert')} resolved.`;
}

/** What a ticket of this incident lists, in short: alerts, their states, who explains them, and what Atlas added. */
export const showing = ({ members, facts, flaps }: Incident): string =>
  digestOf(
    ...Object.entries(members)
      .map(([id, { state, severity }]) => `${id} ${state} ${severity}`)
      .toSorted(),
    JSON.stringify(facts),
    `${flaps.length}`,
  ).slice(0, 16);
