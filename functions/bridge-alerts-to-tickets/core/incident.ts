import * as z from 'zod';
import { severities, TicketRef, Written } from '../../../lib/tickets/tickets.ts';
import { Version } from '../observation.ts';

const instant = z.number();

/** One alert of an incident, as far as it is known. */
export const Member = z.object({
  version: Version,
  state: z.enum(['open', 'closed', 'cancelled']),
  type: z.string(),
  severity: z.enum(severities),
  createdAt: instant,
  /** When the condition was over, by the sender's clock. */
  overAt: instant.optional(),
  host: z.string().optional(),
  metric: z.string().optional(),
  value: z.number().optional(),
  units: z.string().optional(),
  sentence: z.string().optional(),
  acknowledged: z.object({ until: instant, by: z.string().optional(), ours: z.boolean() }).optional(),
});
export type Member = z.output<typeof Member>;

/** What is done at a tracker or in Atlas; one at a time per incident. */
export const ActionKind = z.enum([
  'find',
  'open',
  'reopen',
  'close',
  'comment',
  'edit',
  'discard',
  'acknowledge',
  'withdraw',
]);
export type ActionKind = z.output<typeof ActionKind>;

/** An action that was begun. Written before it is carried out; whoever finds it later knows that it may have been. */
export const Attempt = z.object({
  /** The fencing token: only who holds it may say how it went. */
  token: z.string(),
  kind: ActionKind,
  at: instant,
  /** Not before then may anybody else take over, and not after may the holder still begin. */
  until: instant,
  marker: z.string(),
});
export type Attempt = z.output<typeof Attempt>;

export const Ticket = z.object({
  ref: TicketRef,
  /** Digests of what we wrote, to tell people's edits from it. */
  written: Written,
  state: z.enum(['open', 'closed']),
  openedAt: instant,
  /** When it was last opened again, by us or by people. */
  reopenedAt: instant.optional(),
  closedAt: instant.optional(),
  closedBy: z.enum(['us', 'people']).optional(),
  /** People do not want it open again. */
  wontFix: z.boolean().default(false),
  /** People opened it again after we closed it: it is theirs to close. */
  kept: z.boolean().default(false),
  /** We opened it again after people closed it; that is done once. */
  insisted: z.boolean().default(false),
  /** What it lists, in short: another value here means it is out of date. */
  shows: z.string(),
  /** The last time anything was added. */
  saidAt: instant,
  /** The body or the title is people's now. */
  edited: z.boolean().default(false),
});
export type Ticket = z.output<typeof Ticket>;

/** One incident at one destination: all that is known and all that was done. */
export const Incident = z.object({
  schema: z.literal(1),
  destination: z.string(),
  key: z.string(),
  /** The route that made it, for people. */
  route: z.string(),
  scope: z.object({
    source: z.enum(['atlas', 'bundle']),
    projectId: z.string().optional(),
    cluster: z.string().optional(),
    tags: z.record(z.string(), z.string()).optional(),
    /** Whether the cluster may have other incidents, because alerts are grouped by more than it. */
    apart: z.boolean().optional(),
    title: z.string().optional(),
    link: z.string().optional(),
  }),
  /** Counts tickets: each has its own marker. */
  serial: z.int(),
  members: z.record(z.string(), Member),
  firstHeardAt: instant,
  /** Found by looking, not because somebody said so. */
  late: z.boolean().default(false),
  /** To have a ticket although every alert is over, because nobody saw it. */
  missed: z.boolean().optional(),
  /** When the wait for more alerts is over. */
  openAfter: instant,
  ticket: Ticket.optional(),
  /** The ticket before this one. */
  follows: TicketRef.optional(),
  attempt: Attempt.optional(),
  /** An open that nobody knows the outcome of: when it was last sent, and when to ask (again) whether it was. */
  opening: z.object({ sentAt: instant, askAt: instant }).optional(),
  /** Optional fields the tracker refused. */
  without: z.array(z.string()).default([]),
  /** Tickets that were made twice, to be closed as duplicates. */
  strays: z.array(TicketRef).default([]),
  /** When to look whether a second ticket came to light. */
  verifyAt: instant.optional(),
  /** What the next comment has to say. */
  owed: z.array(z.string()).default([]),
  /** Counts finished actions: with the serial it makes each one's marker. */
  step: z.int().default(0),
  /** The action of this step may have been carried out before. */
  unsure: z.boolean().default(false),
  /** When this condition came back. */
  flaps: z.array(instant).default([]),
  /** Somebody took the ticket: the alerts are to be acknowledged until then. */
  taken: z.object({ by: z.string().optional(), at: instant, until: instant }).optional(),
  /** When it was last given back, by the tracker's clock: nobody took it before then. */
  releasedAt: instant.optional(),
  /** Alerts we acknowledged in Atlas, and until when. */
  acknowledged: z.record(z.string(), instant).default({}),
  /** Alerts that Atlas would not let us acknowledge. */
  unacknowledgeable: z.array(z.string()).default([]),
  mutedUntil: instant.optional(),
  /** Another incident that explains this one. */
  explainedBy: z.object({ key: z.string(), ticket: z.string(), url: z.string(), until: instant }).optional(),
  trouble: z.object({ code: z.string(), count: z.int(), notBefore: instant }).optional(),
  /** Given up, with the reason; until somebody says so again. */
  dead: z.object({ kind: ActionKind, code: z.string(), at: instant }).optional(),
  /** Changes of the ticket in this hour. */
  spent: z.object({ hour: instant, writes: z.int() }).default({ hour: 0, writes: 0 }),
  /** What Atlas could add, once it answered. */
  facts: z.record(z.string(), z.string()).default({}),
  enriched: z.enum(['no', 'yes', 'failed']).default('no'),
  /** Where it lies in the list of what is due. */
  dueKey: z.string().optional(),
});
export type Incident = z.output<typeof Incident>;

const ranks = { critical: 3, error: 2, warning: 1, info: 0 } as const;

export const openMembers = ({ members }: Pick<Incident, 'members'>): [string, Member][] =>
  Object.entries(members).filter(([, member]) => member.state === 'open');

/** The most severe alert that is open, or else of all; the one people call the incident by. */
export function leadOf(incident: Incident, isInhibitor: (type: string) => boolean): [string, Member] | undefined {
  const open = openMembers(incident);
  const candidates = open.length > 0 ? open : Object.entries(incident.members);
  const weight = ([, { type, severity }]: [string, Member]): number => ranks[severity] + (isInhibitor(type) ? 10 : 0);
  return candidates.reduce<[string, Member] | undefined>(
    (best, each) =>
      best === undefined ||
      weight(each) > weight(best) ||
      (weight(each) === weight(best) && each[1].createdAt < best[1].createdAt)
        ? each
        : best,
    undefined,
  );
}
