import { type Clock, systemClock } from '../../runtime/clock.ts';
import type { TicketServices } from '../create-tickets.ts';
import { TicketRejected, TicketSystemUnavailable } from '../errors.ts';
import { sharedTransport, type Transport } from '../http.ts';
import type { Block, Text } from '../text.ts';
import type { Found, TicketDraft, TicketRef, TicketState } from '../tickets.ts';

export const withDefaults = ({
  credentials,
  transport = sharedTransport(),
  clock = systemClock,
}: TicketServices): { credentials: TicketServices['credentials']; transport: Transport; clock: Clock } => ({
  credentials,
  transport,
  clock,
});

/** A request whose answer was lost may still be carried out this much later, in milliseconds. */
export const SETTLE_MS = 30_000;

/** What a look-up says: the tickets oldest first; or, while it is too early to be sure, when to ask again. */
export function foundOr(tickets: readonly TicketRef[], attemptedAt: Date, now: Date, lagMs: number): Found {
  const [oldest, ...younger] = tickets;
  if (oldest) return { kind: 'found', tickets: [oldest, ...younger] };
  const askAgainInMs = attemptedAt.getTime() + lagMs - now.getTime();
  return askAgainInMs > 0 ? { kind: 'not-yet', askAgainInMs } : { kind: 'absent' };
}

/** A list that does not end says nothing about what is not in it. */
export const tooMany = (system: string, operation: string): TicketSystemUnavailable =>
  new TicketSystemUnavailable(`${operation} at ${system} does not come to an end`, { system, operation });

/** What `read` says of a ticket that is not there. */
export const gone = (ref: TicketRef): TicketState => ({
  ref,
  status: 'gone',
  moved: false,
  resolution: undefined,
  wontFix: false,
  reopenable: false,
  acknowledged: false,
  assignee: undefined,
  edited: { title: false, body: false, severity: false },
  version: 'gone',
});

/** What `read` says where nothing can be read. */
export const unread = (ref: TicketRef, reopenable: boolean): TicketState => ({
  ...gone(ref),
  status: 'open',
  reopenable,
  version: 'unread',
});

/** Runs a call; answers undefined where the ticket is not there. */
export async function unlessGone<Value>(call: () => Promise<Value>): Promise<Value | undefined> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof TicketRejected && error.refusal === 'gone') return undefined;
    throw error;
  }
}

/** A draft's body with its links at the end. */
export const bodyOf = (draft: TicketDraft): Text => {
  const { links = [] } = draft;
  if (links.length === 0) return draft.body;
  const block: Block = { kind: 'list', items: links.map(({ title, url }) => [{ text: title, href: url }]) };
  return [...draft.body, block];
};

export const isLeftOut = (draft: TicketDraft, field: string): boolean => draft.without?.includes(field) === true;

export const unchangeable = (system: string, operation: string, why: string): TicketRejected =>
  new TicketRejected(`${system} can't ${operation}: ${why}`, { system, operation }, 'unchangeable');
