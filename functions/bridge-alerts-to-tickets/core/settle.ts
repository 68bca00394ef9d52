import type { Reaction } from '../../../lib/tickets/errors.ts';
import type { TicketRef, TicketState, Written } from '../../../lib/tickets/tickets.ts';
import type { Incident, Ticket } from './incident.ts';
import { openMembers } from './incident.ts';
import { iso, owe } from './observe.ts';
import { overAt, type PlanContext, renewed, showing } from './plan.ts';

/** How an action went. */
export type Outcome =
  | {
      readonly kind: 'opened';
      readonly ref: TicketRef;
      readonly written: Written;
      readonly shows: string;
      readonly enriched: boolean;
    }
  | { readonly kind: 'found'; readonly tickets: readonly TicketRef[]; readonly written: Written }
  | { readonly kind: 'absent' }
  | { readonly kind: 'not yet'; readonly askAgainInMs: number }
  /** Done as asked. `state`: what the ticket was just before, where that was looked at. */
  | {
      readonly kind: 'done';
      readonly state?: TicketState;
      readonly written?: Written;
      readonly shows?: string;
      readonly said?: number;
    }
  /** Not done, because people were there first. */
  | { readonly kind: 'people'; readonly state: TicketState }
  /** Which alerts were acknowledged, or given back, which were refused, and which are over. */
  | {
      readonly kind: 'acknowledged';
      readonly done: readonly string[];
      readonly refused: readonly string[];
      readonly why?: string;
    }
  | {
      readonly kind: 'failed';
      readonly code: string;
      readonly reaction: Reaction;
      readonly retryAfterMs?: number;
      readonly fields?: readonly string[];
      /** When the request went out. */
      readonly sentAt: number;
      /** Nothing was carried out, for certain. */
      readonly refused: boolean;
    };

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** A first pause of seconds that doubles up to a quarter of an hour. */
const backoffMs = (count: number): number => Math.min(15 * MINUTE, 2 * SECOND * 2 ** Math.min(count, 10));

/** How long to leave a destination alone that needs a person. */
export const STOPPED_MS = 5 * MINUTE;

/** When a second ticket that came of a lost open must have become visible. */
const VERIFY_LAGS = 2;

/** The incident after its attempt, which the caller has made sure is still its own. Pure. */
export function settle(
  incident: Incident,
  outcome: Outcome,
  context: PlanContext & { readonly indexLagMs: number },
): Incident {
  const { attempt, ...rest } = incident;
  if (!attempt) return incident;
  const { now } = context;
  switch (outcome.kind) {
    case 'opened':
      return opened(rest, outcome, now);
    case 'found':
      return found(rest, outcome, context);
    case 'absent':
      return absent(rest, context);
    case 'not yet': {
      const askAt = now + Math.max(SECOND, outcome.askAgainInMs);
      return rest.opening ? { ...rest, opening: { ...rest.opening, askAt } } : { ...rest, verifyAt: askAt };
    }
    case 'acknowledged':
      return acknowledged(quiet(rest), attempt.kind, outcome);
    case 'people':
      return byPeople(finished(rest), outcome.state, context);
    case 'failed':
      return failed(rest, attempt, outcome, context);
    case 'done':
      return done(rest, attempt.kind, outcome, context);
  }
}

const quiet = ({ trouble, ...incident }: Incident): Incident => incident;
const finished = (incident: Incident): Incident => ({ ...quiet(incident), step: incident.step + 1, unsure: false });

/** Counts a change of the ticket against its hour. */
function spend(incident: Incident, now: number): Incident {
  const { spent } = incident;
  return {
    ...incident,
    spent: now < spent.hour + HOUR ? { hour: spent.hour, writes: spent.writes + 1 } : { hour: now, writes: 1 },
  };
}

const ticketOf = (ref: TicketRef, written: Written, shows: string, now: number): Ticket => ({
  ref,
  written,
  state: 'open',
  openedAt: now,
  wontFix: false,
  kept: false,
  insisted: false,
  shows,
  saidAt: now,
  edited: false,
});

function opened(
  incident: Incident,
  { ref, written, shows, enriched }: Extract<Outcome, { kind: 'opened' }>,
  now: number,
): Incident {
  const { opening, missed, ...rest } = finished(incident);
  return { ...rest, ticket: ticketOf(ref, written, shows, now), enriched: enriched ? 'yes' : rest.enriched };
}

function found(
  incident: Incident,
  { tickets, written }: Extract<Outcome, { kind: 'found' }>,
  { now }: PlanContext,
): Incident {
  const { opening, verifyAt, ...rest } = quiet(incident);
  const own = rest.ticket?.ref;
  const [first, ...younger] = tickets;
  if (!first) return rest;
  if (own) {
    // Ours stays unless an older one came to light: then ours is the duplicate.
    return {
      ...rest,
      strays: merge(
        rest.strays,
        tickets.filter(({ id }) => id !== own.id),
      ),
    };
  }
  return {
    ...rest,
    ticket: ticketOf(first, written, '', now),
    strays: merge(rest.strays, younger),
    unsure: false,
    step: rest.step + 1,
  };
}

const merge = (known: readonly TicketRef[], more: readonly TicketRef[]): TicketRef[] => [
  ...known,
  ...more.filter(({ id }) => !known.some((stray) => stray.id === id)),
];

/** The way is free for another open. What was sent first may still come to light, so somebody looks once more. */
function absent(incident: Incident, { now, indexLagMs }: PlanContext & { readonly indexLagMs: number }): Incident {
  const { opening, verifyAt, ...rest } = quiet(incident);
  return opening ? { ...rest, unsure: true, verifyAt: now + VERIFY_LAGS * indexLagMs + MINUTE } : rest;
}

function acknowledged(
  incident: Incident,
  kind: 'acknowledge' | 'withdraw' | string,
  { done, refused, why }: Extract<Outcome, { kind: 'acknowledged' }>,
): Incident {
  const until = incident.taken?.until;
  if (kind === 'withdraw' || until === undefined) {
    const left = Object.entries(incident.acknowledged).filter(([id]) => !done.includes(id) && !refused.includes(id));
    return { ...incident, acknowledged: Object.fromEntries(left), unacknowledgeable: [] };
  }
  const next: Incident = {
    ...incident,
    acknowledged: { ...incident.acknowledged, ...Object.fromEntries(done.map((id) => [id, until])) },
    unacknowledgeable: [...new Set([...incident.unacknowledgeable, ...refused])],
  };
  return why ? owe(next, why) : next;
}

/** People closed, deleted, moved or reopened the ticket before we could do what we meant to. */
export function byPeople(
  incident: Incident,
  state: TicketState,
  context: Pick<PlanContext, 'policy' | 'now'>,
): Incident {
  const { ticket } = incident;
  if (!ticket) return incident;
  const { now } = context;
  if (state.status === 'gone') return lost(incident, context);
  const seen: Ticket = {
    ...ticket,
    ref: state.ref,
    wontFix: state.wontFix,
    edited: ticket.edited || state.edited.body || state.edited.title,
  };
  if (state.status === 'closed' && ticket.state === 'open')
    return { ...incident, ticket: { ...seen, state: 'closed', closedAt: now, closedBy: 'people' }, owed: [] };
  if (state.status === 'open' && ticket.state === 'closed') return { ...incident, ticket: reopenedByPeople(seen) };
  return { ...incident, ticket: seen };
}

const reopenedByPeople = ({ closedAt, closedBy, ...ticket }: Ticket): Ticket => ({
  ...ticket,
  state: 'open',
  kept: closedBy === 'us' || ticket.kept,
  wontFix: false,
});

/** The ticket is not there any more: made once more where an alert is still open, else forgotten. */
export function lost(incident: Incident, context: Pick<PlanContext, 'policy' | 'now'>): Incident {
  if (openMembers(incident).length === 0) {
    const { ticket, ...rest } = incident;
    return { ...rest, owed: [], serial: rest.serial + 1, step: 0 };
  }
  const { follows, ...rest } = renewed(incident, context);
  return { ...rest, openAfter: context.now };
}

function done(
  incident: Incident,
  kind: string,
  { state, written, shows, said = 0 }: Extract<Outcome, { kind: 'done' }>,
  context: PlanContext & { readonly indexLagMs: number },
): Incident {
  const { now } = context;
  const next = spend(finished(incident), now);
  const { ticket } = next;
  if (kind === 'discard') return { ...next, strays: next.strays.slice(1) };
  if (!ticket) return next;
  const seen: Ticket = {
    ...ticket,
    ...(state && { ref: state.ref }),
    edited: ticket.edited || (state?.edited.body ?? false),
  };
  switch (kind) {
    case 'close':
      return { ...next, ticket: { ...seen, state: 'closed', closedAt: now, closedBy: 'us', saidAt: now }, owed: [] };
    case 'reopen': {
      const { closedAt, closedBy, ...kept } = seen;
      const over = Object.entries(next.members).filter(([, member]) => member.state === 'open');
      return {
        ...next,
        ticket: {
          ...kept,
          state: 'open',
          reopenedAt: now,
          saidAt: now,
          shows: '',
          insisted: kept.insisted || closedBy === 'people',
        },
        members: Object.fromEntries(over),
        flaps: [...next.flaps, now].slice(-100),
        owed: [],
      };
    }
    case 'comment':
      return { ...next, owed: next.owed.slice(said), ticket: { ...seen, saidAt: now } };
    case 'edit':
      return {
        ...next,
        ticket: {
          ...seen,
          saidAt: now,
          ...(written && { written: { ...seen.written, ...written } }),
          shows: shows ?? showing(next),
        },
      };
    default:
      return { ...next, ticket: seen };
  }
}

function failed(
  incident: Incident,
  attempt: NonNullable<Incident['attempt']>,
  outcome: Extract<Outcome, { kind: 'failed' }>,
  context: PlanContext & { readonly indexLagMs: number },
): Incident {
  const { now, policy } = context;
  const { code, reaction, retryAfterMs, sentAt, refused } = outcome;
  const count = (incident.trouble?.count ?? 0) + 1;
  const troubled = (notBefore: number): Incident => ({
    ...incident,
    trouble: { code, count, notBefore },
    unsure: incident.unsure || !refused,
  });
  switch (reaction) {
    case 'wait':
      return troubled(now + (retryAfterMs ?? 30 * SECOND));
    case 'stop':
      return troubled(now + STOPPED_MS);
    case 'look': {
      if (attempt.kind !== 'open') return troubled(now + backoffMs(count));
      return { ...quiet(incident), opening: { sentAt, askAt: now } };
    }
    case 'leave-out': {
      const without = [...new Set([...incident.without, ...(outcome.fields ?? [])])];
      // Refused again although it was left out: that is no optional field.
      if (without.length === incident.without.length) return buried(incident, attempt.kind, code, now);
      return owe({ ...incident, without }, `The ticket system refused ${(outcome.fields ?? []).join(', ')}: left out.`);
    }
    case 'gone':
      if (attempt.kind === 'discard') return { ...incident, strays: incident.strays.slice(1) };
      return incident.ticket ? lost(incident, { policy, now }) : troubled(now + backoffMs(count));
    case 'unchangeable': {
      const { ticket } = incident;
      if (attempt.kind === 'discard') return { ...incident, strays: incident.strays.slice(1) };
      if (attempt.kind === 'reopen') return renewed(finished(incident), { policy, now });
      if (ticket && attempt.kind === 'close')
        return {
          ...finished(incident),
          ticket: { ...ticket, state: 'closed', closedAt: now, closedBy: 'people' },
          owed: [],
        };
      if (ticket) return { ...finished(incident), owed: [], ticket: { ...ticket, edited: true } };
      return buried(incident, attempt.kind, code, now);
    }
    case 'dead-letter':
      return buried(incident, attempt.kind, code, now);
    case 'retry':
      return troubled(now + backoffMs(count));
  }
}

/** Given up until somebody says so again. What only adds to a ticket is dropped instead, for the ticket goes on. */
function buried(
  incident: Incident,
  kind: NonNullable<Incident['attempt']>['kind'],
  code: string,
  now: number,
): Incident {
  const { ticket } = incident;
  if (ticket && (kind === 'comment' || kind === 'edit'))
    return {
      ...finished(incident),
      owed: kind === 'comment' ? [] : incident.owed,
      ticket: { ...ticket, edited: ticket.edited || kind === 'edit', saidAt: now },
    };
  return { ...quiet(incident), dead: { kind, code, at: now } };
}

/** What was given up is tried again: nothing is known to have happened, so an open is looked for first. */
export function redriven(incident: Incident, now: number): Incident {
  const { dead, trouble, ...rest } = incident;
  return dead?.kind === 'open' && !rest.ticket ? { ...rest, opening: { sentAt: dead.at, askAt: now } } : rest;
}

/** A ticket that was made by somebody who no longer held the incident. */
export function orphaned(incident: Incident, ref: TicketRef, written: Written, now: number): Incident {
  const own = incident.ticket?.ref.id;
  if (own === ref.id) return incident;
  if (own === undefined && !incident.attempt) {
    const { opening, ...rest } = incident;
    return { ...rest, ticket: ticketOf(ref, written, '', now) };
  }
  return { ...incident, strays: merge(incident.strays, [ref]) };
}

/** When an incident that is at rest may be forgotten. */
export const forgetAt = (incident: Incident, { policy, now }: Pick<PlanContext, 'policy' | 'now'>): Date | undefined =>
  openMembers(incident).length === 0 && incident.ticket?.state !== 'open' && !incident.attempt && !incident.opening
    ? new Date(Math.max(now, overAt(incident)) + policy.tombstoneDays * 24 * HOUR)
    : undefined;

export const untilText = (at: number): string => iso(at);
