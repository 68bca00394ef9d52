import { AtlasRejected } from '../../lib/atlas/errors.ts';
import { AutomationError } from '../../lib/errors.ts';
import type { Clock } from '../../lib/runtime/clock.ts';
import type { Deadline } from '../../lib/runtime/deadline.ts';
import { TicketError, TicketFieldRefused, TicketRejected, TicketSystemBusy } from '../../lib/tickets/errors.ts';
import type { Note, Tickets } from '../../lib/tickets/tickets.ts';
import { OURS } from './atlas-view.ts';
import type { Bridge } from './bridge.ts';
import { type Attempt, type Incident, openMembers } from './core/incident.ts';
import { refusedLine } from './core/people.ts';
import { endOf, showing } from './core/plan.ts';
import type { Outcome } from './core/settle.ts';
import { digestOf } from './grouping.ts';
import { bodyOf, commentOf, type RenderContext, severityOf, titleOf } from './render.ts';

/** The marker of the ticket an incident has or is to have. */
export const ticketMarker = ({ destination, key, serial }: Incident): string =>
  `atlas-${digestOf(destination, key, `${serial}`).slice(0, 24)}`;

/** The marker of the incident's next action: a repeat of it has the same one. */
export const actionMarker = ({ destination, key, serial, step }: Incident, kind: string): string =>
  `act-${digestOf(destination, key, `${serial}`, `${step}`, kind).slice(0, 24)}`;

/** Less than this before its lease ends nothing is begun any more: somebody else may begin then. */
export const LAST_START_MS = 18_000;
/** How long one attempt is its holder's alone. */
export const LEASE_MS = 30_000;

export interface Work {
  readonly bridge: Bridge;
  readonly incident: Incident;
  readonly attempt: Attempt;
  readonly tickets: Tickets;
  readonly render: RenderContext;
  readonly deadline: Deadline;
}

/**
 * Carries out one action and says how it went. Never throws for what a tracker or Atlas does: that is an outcome, too.
 */
export async function perform(work: Work): Promise<Outcome> {
  const { attempt, bridge } = work;
  const sentAt = bridge.clock.now().getTime();
  try {
    return await actions[attempt.kind](work);
  } catch (error) {
    return failureOf(error, bridge.clock, sentAt);
  }
}

function failureOf(error: unknown, clock: Clock, began: number): Outcome {
  const sentAt = Math.max(began, clock.now().getTime());
  if (error instanceof TicketError) {
    return {
      kind: 'failed',
      code: error instanceof TicketRejected ? `${error.code} ${error.refusal}` : error.code,
      reaction: error.reaction,
      sentAt,
      refused:
        error instanceof TicketSystemBusy || error instanceof TicketFieldRefused || error instanceof TicketRejected,
      ...(error instanceof TicketSystemBusy && { retryAfterMs: error.retryAfterMs }),
      ...(error instanceof TicketFieldRefused && { fields: error.fields }),
    };
  }
  const known = error instanceof AutomationError;
  return {
    kind: 'failed',
    code: known ? error.code : 'UNEXPECTED',
    reaction: known && error.disposition === 'give-up' ? 'stop' : 'retry',
    sentAt,
    refused: false,
  };
}

const note = ({ incident, attempt }: Work, text: string | readonly string[]): Note => ({
  marker: attempt.marker,
  text: commentOf(typeof text === 'string' ? [text] : text),
  repeated: incident.unsure,
});

/** Not begun, because the lease has too little left. Another may begin soon. */
const tooLate = ({ bridge, attempt }: Work): Outcome | undefined => {
  const now = bridge.clock.now().getTime();
  return now > attempt.until - LAST_START_MS
    ? { kind: 'failed', code: 'TICKET_LEASE_SPENT', reaction: 'retry', sentAt: now, refused: true }
    : undefined;
};

const actions: Record<Attempt['kind'], (work: Work) => Promise<Outcome>> = {
  async open(work) {
    const { incident, tickets, render, deadline } = work;
    const title = titleOf(incident, render);
    const body = bodyOf(incident, render);
    const severity = severityOf(incident, render);
    const written = tickets.written({ title, body, severity });
    const late = tooLate(work);
    if (late) return late;
    const ref = await tickets.open(
      {
        incident: ticketMarker(incident),
        title,
        body,
        severity,
        labels: ['atlas-alert'],
        without: incident.without,
        ...(incident.follows && { follows: incident.follows }),
      },
      deadline,
    );
    return { kind: 'opened', ref, written, shows: showing(incident), enriched: incident.enriched === 'yes' };
  },

  async find({ incident, tickets, render, deadline, bridge }) {
    const sentAt = incident.opening?.sentAt ?? incident.ticket?.openedAt ?? bridge.clock.now().getTime();
    const found = await tickets.find(ticketMarker(incident), new Date(sentAt), deadline);
    switch (found.kind) {
      case 'found':
        return {
          kind: 'found',
          tickets: found.tickets,
          written: tickets.written({
            title: titleOf(incident, render),
            body: bodyOf(incident, render),
            severity: severityOf(incident, render),
          }),
        };
      case 'absent':
        return { kind: 'absent' };
      case 'not-yet':
        return { kind: 'not yet', askAgainInMs: found.askAgainInMs };
    }
  },

  async close(work) {
    const { incident, tickets, deadline } = work;
    const { ticket } = incident;
    if (!ticket) return { kind: 'done' };
    const state = tickets.traits.reads ? await tickets.read(ticket.ref, ticket.written, deadline) : undefined;
    if (state && state.status !== 'open') return { kind: 'people', state };
    const cancelled = Object.values(incident.members).every((member) => member.state === 'cancelled');
    await tickets.close(
      state?.ref ?? ticket.ref,
      { ...note(work, [...incident.owed, endOf(incident)]), resolution: cancelled ? 'cancelled' : 'resolved' },
      deadline,
    );
    return { kind: 'done', ...(state && { state }) };
  },

  async reopen(work) {
    const { incident, tickets, deadline } = work;
    const { ticket } = incident;
    if (!ticket) return { kind: 'done' };
    const state = tickets.traits.reads ? await tickets.read(ticket.ref, ticket.written, deadline) : undefined;
    if (state && (state.status !== 'closed' || (state.wontFix && !ticket.wontFix))) return { kind: 'people', state };
    const back = openMembers(incident).map(([, { type, host }]) => (host ? `${type} on ${host}` : type));
    await tickets.reopen(
      state?.ref ?? ticket.ref,
      note(work, `It came back (${incident.flaps.length + 1}): ${[...new Set(back)].slice(0, 10).join(', ')}.`),
      deadline,
    );
    return { kind: 'done', ...(state && { state }) };
  },

  async comment(work) {
    const { incident, tickets, deadline } = work;
    const { ticket, owed } = incident;
    if (!ticket || owed.length === 0) return { kind: 'done' };
    await tickets.comment(ticket.ref, note(work, owed), deadline);
    return { kind: 'done', said: owed.length };
  },

  async edit({ incident, tickets, render, deadline }) {
    const { ticket } = incident;
    if (!ticket) return { kind: 'done' };
    const state = tickets.traits.reads ? await tickets.read(ticket.ref, ticket.written, deadline) : undefined;
    if (state && state.status !== 'open') return { kind: 'people', state };
    const title = titleOf(incident, render);
    const body = bodyOf(incident, render);
    const change = {
      ...(!state?.edited.title && { title }),
      ...(!state?.edited.body && { body }),
    };
    if (state?.edited.body) return { kind: 'done', state };
    const flapping = incident.flaps.length >= render.settings.policy.flappingAfter;
    await tickets.update(
      state?.ref ?? ticket.ref,
      { incident: ticketMarker(incident), ...change, ...(flapping && { addLabels: ['flapping'] }) },
      deadline,
    );
    return { kind: 'done', written: tickets.written(change), shows: showing(incident), ...(state && { state }) };
  },

  async discard(work) {
    const { incident, tickets, deadline } = work;
    const [stray] = incident.strays;
    const own = incident.ticket?.ref;
    if (!stray) return { kind: 'done' };
    const text = own ? `A duplicate of ${own.key}: it was made twice.` : 'It was made twice.';
    if (own) await tickets.link(stray, own, 'duplicates', note(work, text), deadline);
    await tickets.close(stray, { ...note(work, text), resolution: 'duplicate' }, deadline);
    return { kind: 'done' };
  },

  async acknowledge({ incident, bridge, deadline }) {
    const { taken, scope, ticket } = incident;
    const { atlas } = bridge;
    const done: string[] = [];
    const refused: string[] = [];
    let why: string | undefined;
    if (!taken || !atlas || !scope.projectId)
      return { kind: 'acknowledged', done, refused: openMembers(incident).map(([id]) => id) };
    const comment = `${ticket?.ref.key ?? 'The ticket'} taken${taken.by ? ` by ${taken.by}` : ''}`;
    const ours = `[bridge:${incident.key.slice(0, 8)}]`;
    for (const [id] of openMembers(incident)) {
      if (incident.acknowledged[id] !== undefined || incident.unacknowledgeable.includes(id)) continue;
      try {
        const alert = await atlas.alert(scope.projectId, id, deadline);
        const theirs =
          (alert?.acknowledgedUntil?.getTime() ?? 0) > bridge.clock.now().getTime() &&
          !OURS.test(alert?.acknowledgementComment ?? '');
        // Somebody's own word in Atlas stands, and what is over needs none.
        if (alert?.status !== 'OPEN' || theirs) {
          refused.push(id);
          continue;
        }
        await atlas.acknowledge(
          scope.projectId,
          id,
          new Date(taken.until),
          `${comment.slice(0, 160)} ${ours}`,
          deadline,
        );
        done.push(id);
      } catch (error) {
        if (!(error instanceof AtlasRejected)) throw error;
        refused.push(id);
        why ??= refusedLine(`${error.status}`);
      }
    }
    return { kind: 'acknowledged', done, refused, ...(why && { why }) };
  },

  async withdraw({ incident, bridge, deadline }) {
    const { scope } = incident;
    const { atlas } = bridge;
    const done: string[] = [];
    const refused: string[] = [];
    for (const id of Object.keys(incident.acknowledged)) {
      try {
        const alert = scope.projectId ? await atlas?.alert(scope.projectId, id, deadline) : undefined;
        const stands =
          alert?.status === 'OPEN' && alert.acknowledgedUntil && OURS.test(alert.acknowledgementComment ?? '');
        if (stands && scope.projectId) await atlas?.unacknowledge(scope.projectId, id, deadline);
        done.push(id);
      } catch (error) {
        if (!(error instanceof AtlasRejected)) throw error;
        refused.push(id);
      }
    }
    return { kind: 'acknowledged', done, refused };
  },
};
