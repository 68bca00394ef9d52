import * as z from 'zod';
import type { Deadline } from '../runtime/deadline.ts';
import type { Text } from './text.ts';

export const severities = ['critical', 'error', 'warning', 'info'] as const;
export type Severity = (typeof severities)[number];

/** Marks a ticket as the one of an incident, or a comment as that of an action. Opaque, and never reused. */
export const Marker = z.string().regex(/^[a-z0-9-]{8,40}$/, 'must be 8 to 40 of a-z, 0-9 and -');

/** A ticket as the tracker knows it. Plain data: whoever opened it keeps it. */
export const TicketRef = z.object({
  /** The tracker's own stable id: survives a move to another project where the tracker lets it. */
  id: z.string().min(1),
  /** What people call it: `OPS-24`, `octo/ops#42`, `INC0010002`. */
  key: z.string().min(1),
  /** Where people see it; empty where the tracker does not say. */
  url: z.string(),
  /** Where it was opened, in the adapter's own words: what follows goes there though settings changed. */
  place: z.string().optional(),
});
export type TicketRef = z.output<typeof TicketRef>;

export interface TicketDraft {
  /** The ticket's marker: unique per incident and generation. */
  readonly incident: string;
  /** Untrusted; cut to the tracker's limit, on one line. */
  readonly title: string;
  readonly body: Text;
  readonly severity: Severity;
  /** Besides those of the destination; made to fit what the tracker allows in a label. */
  readonly labels: readonly string[];
  readonly links?: readonly { readonly title: string; readonly url: string }[];
  /** The ticket this one carries on from, where that one cannot be opened again. */
  readonly follows?: TicketRef;
  /** Optional fields to leave out, because the tracker refused them (`TicketFieldRefused.fields`). */
  readonly without?: readonly string[];
}

/** What a comment, a closing or a reopening says. */
export interface Note {
  /** Of this one action: a repeat carries the same marker. */
  readonly marker: string;
  readonly text: Text;
  /** True where this action may have been carried out before: the adapter then looks for its marker first. */
  readonly repeated: boolean;
}

/** Digests of what we wrote, to tell people's edits from our own words. Plain data; keep it beside the reference. */
export const Written = z.object({
  title: z.string().optional(),
  body: z.string().optional(),
  severity: z.string().optional(),
});
export type Written = z.output<typeof Written>;

export type Found =
  /** The tickets that carry the marker, oldest first; more than one only if the tracker made more than one. */
  | { readonly kind: 'found'; readonly tickets: readonly [TicketRef, ...TicketRef[]] }
  /** There is none; or this tracker makes no second one of the same draft. Opening (again) is safe. */
  | { readonly kind: 'absent' }
  /** None is visible, and it is too early to say that there is none. Ask again after this many milliseconds. */
  | { readonly kind: 'not-yet'; readonly askAgainInMs: number };

export interface TicketState {
  /** As it is now: key, url and place are new ones where people moved it. */
  readonly ref: TicketRef;
  /** `gone`: deleted, or out of our sight; nothing else here means anything then. */
  readonly status: 'open' | 'closed' | 'gone';
  /** Other project, other repository, or merged into `ref`. */
  readonly moved: boolean;
  /** Why it is closed, in the tracker's own words. */
  readonly resolution: string | undefined;
  /** Closed as not to be done, or locked: people do not want it open again. */
  readonly wontFix: boolean;
  /** Whether `reopen` can work at all now. */
  readonly reopenable: boolean;
  /** Somebody has it: assigned, or acknowledged in the tracker's own way. */
  readonly acknowledged: boolean;
  /** Who, as people know them; undefined where nobody has it or the tracker does not say. */
  readonly assignee: string | undefined;
  /** What people changed since `written`. */
  readonly edited: { readonly title: boolean; readonly body: boolean; readonly severity: boolean };
  /** Changes whenever the ticket changes. */
  readonly version: string;
}

/** What a tracker can and can't do, and how much of it. */
export interface Traits {
  /** Whether a closed ticket can be opened again. Where not, hold a close back while the incident may flap. */
  readonly reopens: boolean;
  /** Whether `open` with the same incident makes no second ticket, as long as the first one is open. */
  readonly repeatable: boolean;
  /** Whether `comment` is shown anywhere. Where not, it does nothing. */
  readonly comments: boolean;
  /** Whether `update` changes the ticket people see. Where not, it does nothing. */
  readonly updates: boolean;
  /** Whether `read` says what people did. Where not, it answers what was last known: open, untouched. */
  readonly reads: boolean;
  /** How long a ticket may stay invisible to `find`, in milliseconds. */
  readonly indexLagMs: number;
  /** Longest title, in UTF-16 units. */
  readonly titleLimit: number;
  readonly bodyLimit: number;
  /** Writes to plan for, all tickets together: the tracker's documented limits with a margin. */
  readonly budget: {
    readonly writesPerMinute: number;
    readonly writesPerHour?: number;
    /** Least time between two writes, in milliseconds. */
    readonly gapMs?: number;
    /** Of one ticket. */
    readonly perTicket?: { readonly writes: number; readonly perMs: number };
  };
}

/**
 * One destination for tickets. Nothing here retries: every failure is a TicketError whose `reaction` says what to do
 * next. Everything but `open` may be repeated; `comment`, `close` and `reopen` with the same marker and `repeated: true`.
 */
export interface Tickets {
  readonly traits: Traits;
  /** The digests of what `open` or `update` would write. Pure: take them before writing. */
  written(content: { readonly title?: string; readonly body?: Text; readonly severity?: Severity }): Written;
  /** One request that makes the ticket, never sent twice in here. A lost answer is TicketOutcomeUnknown. */
  open(draft: TicketDraft, deadline: Deadline): Promise<TicketRef>;
  /** Looks for tickets with the marker; never answers one that does not carry it. `attemptedAt`: when `open` was last sent. */
  find(incident: string, attemptedAt: Date, deadline: Deadline): Promise<Found>;
  read(ref: TicketRef, written: Written, deadline: Deadline): Promise<TicketState>;
  comment(ref: TicketRef, note: Note, deadline: Deadline): Promise<void>;
  /** Overwrites what is given. Whoever calls has made sure that no person edited it. */
  update(ref: TicketRef, change: TicketChange, deadline: Deadline): Promise<void>;
  /** Says why and closes. A ticket that is closed already stays as it is. */
  close(ref: TicketRef, closing: Note & { readonly resolution: Resolution }, deadline: Deadline): Promise<void>;
  /** Opens a closed ticket again and says why. `unchangeable` where that can't be done. */
  reopen(ref: TicketRef, note: Note, deadline: Deadline): Promise<void>;
  /** Takes the ticket on behalf of whoever acknowledged the incident elsewhere, or says so. Undefined where there is no such thing. */
  acknowledge?(ref: TicketRef, note: Note, deadline: Deadline): Promise<void>;
  /** Links the younger ticket to the older one, in the tracker's way. Safe to repeat. */
  link(
    from: TicketRef,
    to: TicketRef,
    relation: 'duplicates' | 'follows' | 'relates',
    note: Note,
    deadline: Deadline,
  ): Promise<void>;
}

/** `resolved`: the condition is over. `cancelled`: it is no longer looked at. `duplicate`: of another ticket. */
export type Resolution = 'resolved' | 'cancelled' | 'duplicate';

export interface TicketChange {
  readonly incident: string;
  readonly title?: string;
  readonly body?: Text;
  readonly severity?: Severity;
  /** Added to those the ticket has; none is taken off. */
  readonly addLabels?: readonly string[];
}

/** What people did in the tracker, as its webhook tells it. */
export interface Update {
  readonly ref: Pick<TicketRef, 'id' | 'key'>;
  /** The ticket's marker, where the webhook carries it. */
  readonly incident: string | undefined;
  readonly kind:
    | 'acknowledged'
    | 'unacknowledged'
    | 'assigned'
    | 'unassigned'
    | 'closed'
    | 'reopened'
    | 'edited'
    | 'deleted'
    | 'moved';
  /** Who, as people know them; undefined for machines and where the tracker does not say. */
  readonly by: string | undefined;
  /** The tracker's id of whoever did it: tells our own doing from people's. */
  readonly actor: string | undefined;
  readonly at: Date;
  /** Same for every delivery of one webhook. */
  readonly deliveryId: string;
}

export type ParsedUpdate =
  | { readonly kind: 'updates'; readonly updates: readonly Update[] }
  /** Genuine, and of no interest. */
  | { readonly kind: 'ignored'; readonly reason: string }
  /** The tracker wants this text back as text/plain, to see that we are there. */
  | { readonly kind: 'challenge'; readonly answer: string }
  /** Not signed as it must be, or not understood: to be answered without detail. */
  | { readonly kind: 'refused'; readonly status: 400 | 401; readonly reason: string };

export interface UpdateRequest {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly rawBody: Uint8Array;
}
