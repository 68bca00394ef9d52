import { AutomationError, type Disposition, type Facts } from '../errors.ts';

/**
 * What whoever holds the ticket's state should do.
 *
 * - `wait`: not carried out; send it again after `retryAfterMs`.
 * - `retry`: not carried out, or harmless to repeat; send it again with a back-off.
 * - `look`: an open that may have been carried out; `find` before opening again, never open blindly.
 * - `leave-out`: not carried out because of optional fields; open once more with them in `without`.
 * - `stop`: nothing will work at this destination until a person repairs it; hold its work and raise an alarm.
 * - `gone`: the ticket is not there any more.
 * - `unchangeable`: the ticket is there and takes no more changes of this kind; follow it with a new one if need be.
 * - `dead-letter`: this one request will never be taken; keep it with its reason.
 */
export type Reaction = 'wait' | 'retry' | 'look' | 'leave-out' | 'stop' | 'gone' | 'unchangeable' | 'dead-letter';

/** Root of what a ticket system can do to us. Facts never hold bodies, titles, headers or credentials. */
export abstract class TicketError extends AutomationError {
  abstract readonly reaction: Reaction;
}

/** Too many requests, by the tracker's own count or words. Nothing was carried out. */
export class TicketSystemBusy extends TicketError {
  override readonly name = 'TicketSystemBusy';
  readonly code = 'TICKET_SYSTEM_BUSY';
  readonly disposition = 'retry';
  readonly reaction = 'wait';
  /** What the tracker asked for, or what its documentation says to assume, in milliseconds. */
  readonly retryAfterMs: number;
  /** Whether only this ticket is at its limit (`ticket`), or everything sent with these credentials. */
  readonly scope: 'ticket' | 'destination';

  constructor(message: string, facts: Facts, wait: { retryAfterMs: number; scope?: 'ticket' | 'destination' }) {
    super(message, { ...facts, ...wait });
    this.retryAfterMs = wait.retryAfterMs;
    this.scope = wait.scope ?? 'destination';
  }
}

/** The tracker was out of reach or failing. Nothing was carried out that a repeat would do twice. */
export class TicketSystemUnavailable extends TicketError {
  override readonly name = 'TicketSystemUnavailable';
  readonly code = 'TICKET_SYSTEM_UNAVAILABLE';
  readonly disposition = 'retry';
  readonly reaction = 'retry';
}

/** The ticket may or may not have been made: the answer was lost, was a 5xx, or could not be read. */
export class TicketOutcomeUnknown extends TicketError {
  override readonly name = 'TicketOutcomeUnknown';
  readonly code = 'TICKET_OUTCOME_UNKNOWN';
  readonly disposition = 'retry';
  readonly reaction = 'look';
}

/** No ticket was made, because of fields the ticket does not need: once more without them. */
export class TicketFieldRefused extends TicketError {
  override readonly name = 'TicketFieldRefused';
  readonly code = 'TICKET_FIELD_REFUSED';
  readonly disposition = 'give-up';
  readonly reaction = 'leave-out';
  /** As `TicketDraft.without` takes them. */
  readonly fields: readonly string[];

  constructor(message: string, facts: Facts, fields: readonly string[]) {
    super(message, { ...facts, fields });
    this.fields = fields;
  }
}

export type Refusal = 'credentials' | 'forbidden' | 'no-such-place' | 'gone' | 'unchangeable' | 'invalid';

const reactions: Readonly<Record<Refusal, Reaction>> = {
  credentials: 'stop',
  forbidden: 'stop',
  'no-such-place': 'stop',
  gone: 'gone',
  unchangeable: 'unchangeable',
  invalid: 'dead-letter',
};

/** The tracker understood, and said no. Nothing was carried out. */
export class TicketRejected extends TicketError {
  override readonly name = 'TicketRejected';
  readonly code = 'TICKET_REJECTED';
  readonly disposition: Disposition = 'give-up';
  readonly refusal: Refusal;
  readonly reaction: Reaction;

  constructor(message: string, facts: Facts, refusal: Refusal) {
    super(message, { ...facts, refusal });
    this.refusal = refusal;
    this.reaction = reactions[refusal];
  }
}

/** A tracker answered 2xx with a shape this bundle does not know. Names the fields, never their values. */
export class TicketContractBroken extends TicketError {
  override readonly name = 'TicketContractBroken';
  readonly code = 'TICKET_CONTRACT';
  readonly disposition = 'give-up';
  readonly reaction = 'dead-letter';
}
