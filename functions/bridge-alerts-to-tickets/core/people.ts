import type { TicketState, Update } from '../../../lib/tickets/tickets.ts';
import { type Incident, openMembers } from './incident.ts';
import { iso, owe } from './observe.ts';
import type { PlanContext } from './plan.ts';
import { lost } from './settle.ts';

const HOUR = 3_600_000;

export interface HeedContext extends Pick<PlanContext, 'policy' | 'now'> {
  /** How the ticket stands, where it was looked at. */
  readonly seen?: TicketState | undefined;
}

export type Heeded = { readonly incident: Incident; readonly changed: boolean; readonly reason: string };

/** How far the tracker's clock may be from ours, with instants in whole seconds. */
const SKEW_MS = 10_000;

/**
 * Whether news of a ticket may be from before its last change that we know of: it came late or once more. How the ticket
 * stands then says what the news is worth.
 */
export function isDoubtful({ ticket, taken, releasedAt }: Incident, { kind, at }: Update): boolean {
  const before = (known: number | undefined): boolean => known !== undefined && at.getTime() < known + SKEW_MS;
  switch (kind) {
    case 'closed':
      return before(ticket?.reopenedAt ?? ticket?.openedAt);
    case 'reopened':
      return before(ticket?.closedAt);
    // Here both instants are the tracker's own, in whole seconds at worst.
    case 'acknowledged':
    case 'assigned':
      return at.getTime() === releasedAt;
    case 'unacknowledged':
    case 'unassigned':
      return at.getTime() === taken?.at;
    default:
      return false;
  }
}

/**
 * An incident after somebody did something in the tracker. What we did ourselves comes back as news too: it changes
 * nothing, because the ticket is in that state already.
 */
export function heed(incident: Incident, update: Update, context: HeedContext): Heeded {
  const { ticket, attempt } = incident;
  const same = (reason: string): Heeded => ({ incident, changed: false, reason });
  const to = (next: Incident, reason: string): Heeded => ({ incident: next, changed: true, reason });
  if (!ticket || ticket.ref.id !== update.ref.id) return same('not the ticket of this incident');
  const at = update.at.getTime();
  switch (update.kind) {
    case 'acknowledged':
    case 'assigned':
      return taken(incident, update, context, same, to);
    case 'unacknowledged':
    case 'unassigned': {
      const { taken, ...rest } = incident;
      if (at < Math.max(taken?.at ?? 0, incident.releasedAt ?? 0)) return same('older than what is known');
      if (!taken && at === incident.releasedAt) return same('nobody had it');
      if (context.seen?.acknowledged) return same('somebody has it again');
      return to({ ...rest, releasedAt: at }, taken ? 'nobody has it any more' : 'nobody had it');
    }
    case 'closed': {
      if (ticket.state === 'closed') return same('closed already');
      if (attempt?.kind === 'close') return same('we are closing it');
      if (context.seen === undefined ? at < (ticket.reopenedAt ?? 0) : context.seen.status !== 'closed')
        return same('older than what is known');
      const open = openMembers(incident);
      const closed: Incident = {
        ...incident,
        ticket: {
          ...ticket,
          state: 'closed',
          closedAt: Math.max(at, ticket.openedAt),
          closedBy: 'people',
          saidAt: context.now,
        },
        owed: [],
      };
      if (open.length === 0 || context.policy.onPeopleClose !== 'acknowledge') return to(closed, 'people closed it');
      return to(
        { ...closed, taken: { ...(update.by && { by: update.by }), at, until: untilOf(context) } },
        'people closed it while an alert is open',
      );
    }
    case 'reopened': {
      if (ticket.state === 'open') return same('open already');
      if (attempt?.kind === 'reopen') return same('we are opening it');
      if (context.seen === undefined ? at < (ticket.closedAt ?? 0) - HOUR : context.seen.status !== 'open')
        return same('older than what is known');
      const { closedAt, closedBy, ...rest } = ticket;
      const { taken: _, ...others } = incident;
      return to(
        { ...others, ticket: { ...rest, state: 'open', reopenedAt: at, wontFix: false, kept: closedBy === 'us' } },
        closedBy === 'us' ? 'people opened it again after we closed it' : 'people opened it again',
      );
    }
    case 'deleted':
      return to(lost(incident, context), 'people deleted it');
    case 'edited':
    case 'moved':
      return same('looked at before the next change');
  }
}

function taken(
  incident: Incident,
  update: Update,
  context: HeedContext,
  same: (reason: string) => Heeded,
  to: (next: Incident, reason: string) => Heeded,
): Heeded {
  const at = update.at.getTime();
  if (incident.taken && at <= incident.taken.at) return same('heard already');
  const { releasedAt = 0 } = incident;
  if (at < releasedAt || (at === releasedAt && !context.seen?.acknowledged)) return same('it was given back since');
  if (openMembers(incident).length === 0) return same('every alert is over');
  // Word of the person alone, while the acknowledgement stands: Atlas has been told.
  if (incident.taken && incident.taken.by === update.by) return same('taken already');
  return to(
    { ...incident, taken: { ...(update.by && { by: update.by }), at, until: untilOf(context) }, unacknowledgeable: [] },
    'somebody has it',
  );
}

const untilOf = ({ policy, now }: Pick<PlanContext, 'policy' | 'now'>): number =>
  Math.round(now + policy.acknowledgeHours * HOUR);

/** What a ticket says when Atlas does not let us acknowledge. */
export const refusedLine = (status: string): string =>
  `Atlas did not let the automation acknowledge the alerts (${status}): the role Project Alerts Manager is missing, or the project is out of reach.`;

export const noteTaken = (incident: Incident, by: string, until: number): Incident =>
  owe(incident, `Acknowledged in Atlas for ${by} until ${iso(until)}.`);
