import type { Received } from '../atlas-sandbox/received.ts';
import type { MovableClock } from '../clock.ts';
import type { Durable, Shelf } from '../durable/durable.ts';
import type { Window } from './limits.ts';
import type { TrackerRefusal } from './refusal.ts';
import type { Webhooks } from './webhooks.ts';

export interface Comment {
  readonly id: string;
  readonly author: string;
  readonly body: unknown;
  readonly at: number;
  /** What else the tracker keeps with it: properties, metadata. */
  readonly extra: Readonly<Record<string, unknown>>;
}

/** One ticket as its tracker holds it. Words like `status` are the tracker's own. */
export interface Ticket {
  readonly id: string;
  key: string;
  title: string;
  body: unknown;
  status: string;
  resolution: string | null;
  severity: string | null;
  labels: string[];
  assignee: string | null;
  /** What the bundle marked it with, as the tracker can see it. */
  incident: string | null;
  author: string;
  readonly comments: Comment[];
  readonly links: { to: string; type: string }[];
  readonly createdAt: number;
  updatedAt: number;
  changes: number;
  deleted: boolean;
  locked: boolean;
  readonly extra: Record<string, unknown>;
}

export type Doing =
  | 'assigned'
  | 'unassigned'
  | 'acknowledged'
  | 'unacknowledged'
  | 'edited'
  | 'closed'
  | 'reopened'
  | 'deleted'
  | 'moved'
  | 'commented';

/** Who does something: a person, or the bundle's own account. */
export interface Actor {
  readonly id: string;
  readonly name: string;
  readonly person: boolean;
}

export const person = (name: string): Actor => ({ id: `user-${name}`, name, person: true });
export const BOT: Actor = { id: 'user-atlas-bot', name: 'atlas-bot', person: false };

export interface Before {
  readonly status: string;
  readonly assignee: string | null;
  readonly key: string;
}

/** What people do in a tracker's pages. All take the ticket's id, and the name of who does it. */
export interface People {
  assign(id: string, who?: string): void;
  unassign(id: string, who?: string): void;
  /** The tracker's own way to say "I have it"; where there is none, that is to assign. */
  acknowledge(id: string, who?: string): void;
  unacknowledge(id: string, who?: string): void;
  edit(
    id: string,
    change: { title?: string; body?: unknown; severity?: string; labels?: string[] },
    who?: string,
  ): void;
  close(id: string, how?: { wontFix?: boolean }, who?: string): void;
  reopen(id: string, who?: string): void;
  comment(id: string, body: unknown, who?: string): void;
  remove(id: string, who?: string): void;
  /** To another project, repository or team, where the tracker has such a thing. */
  move(id: string, who?: string): void;
  merge(id: string, into: string, who?: string): void;
  lock(id: string, who?: string): void;
}

export interface Route {
  /** For the fault plan: `jira.createIssue`. */
  readonly operation: string;
  readonly method: string;
  /** Below the tracker's prefix, as Hono writes it. */
  readonly path: string;
  handle(received: Received): Response | Promise<Response>;
}

export interface Context {
  readonly seed: string;
  readonly clock: MovableClock;
  readonly webhooks: Webhooks;
  /** Where the tracker is served, once it is; for links in its answers. */
  readonly origin: () => string;
  /** Other limits than the documented ones; `false` has none. */
  readonly limits: Readonly<Record<string, Window | false | undefined>>;
  /** What this tracker keeps over a restart. */
  readonly durable: Durable;
}

/** One ticket system on this machine. */
export interface Tracker {
  readonly name: string;
  readonly routes: readonly Route[];
  /** How this tracker words a refusal with a status it was told to give. */
  refuse(status: number): Response;
  readonly tickets: Tickets;
  readonly people: People;
  /** Values of the secrets that its destination names. */
  readonly secrets: Readonly<Record<string, string>>;
  /** A destination of the settings that leads here. */
  destination(origin: string): Readonly<Record<string, unknown>>;
}

/** The tickets of one tracker. */
export class Tickets {
  readonly all: Ticket[] = [];
  readonly #clock: MovableClock;
  readonly #byId = new Map<string, Ticket>();
  readonly #places = new Map<Ticket, string>();
  readonly #shelf: Shelf<Ticket>;

  constructor(clock: MovableClock, durable: Durable) {
    this.#clock = clock;
    this.#shelf = durable.shelf('tickets');
    for (const [, ticket] of this.#shelf.kept()) this.#hold(ticket);
  }

  /** Those that are not deleted, oldest first. */
  get present(): Ticket[] {
    return this.all.filter(({ deleted }) => !deleted);
  }

  add(made: Pick<Ticket, 'id' | 'key' | 'title' | 'body' | 'status'> & Partial<Ticket>): Ticket {
    const now = this.#clock.now().getTime();
    const ticket: Ticket = {
      resolution: null,
      severity: null,
      labels: [],
      assignee: null,
      incident: null,
      author: BOT.name,
      comments: [],
      links: [],
      createdAt: now,
      updatedAt: now,
      changes: 0,
      deleted: false,
      locked: false,
      extra: {},
      ...made,
    };
    this.#hold(ticket);
    this.keep(ticket);
    return ticket;
  }

  /** Keeps what was changed without being touched. */
  keep(ticket: Ticket): void {
    this.#shelf.put(this.#places.get(ticket) ?? '', ticket);
  }

  find(id: string): Ticket | undefined {
    return this.#byId.get(id);
  }

  /** For tests: a ticket that must be there. */
  get(id: string): Ticket {
    const ticket = this.find(id);
    if (!ticket) throw new TypeError(`the sandbox has no ticket ${id}`);
    return ticket;
  }

  withIncident(incident: string): Ticket[] {
    return this.present.filter((ticket) => ticket.incident === incident);
  }

  touch(ticket: Ticket): void {
    ticket.changes += 1;
    ticket.updatedAt = Math.max(ticket.updatedAt + 1, this.#clock.now().getTime());
    this.keep(ticket);
  }

  #hold(ticket: Ticket): void {
    // Sorts as they were made.
    this.#places.set(ticket, String(this.all.length).padStart(10, '0'));
    this.all.push(ticket);
    this.#byId.set(ticket.id, ticket);
  }
}

/** How a tracker's states are called, and what it does beside changing a ticket. */
export interface Rules {
  readonly open: string;
  readonly closed: string;
  readonly wontFix?: { readonly status: string; readonly resolution: string };
  readonly resolution?: string;
  readonly acknowledged?: string;
  move?(ticket: Ticket): void;
  merge?(ticket: Ticket, into: Ticket): void;
  lock?(ticket: Ticket): void;
  /** After every change: webhooks, indexes. */
  changed(ticket: Ticket, doing: Doing, before: Before, actor: Actor): void;
}

export function createPeople(tickets: Tickets, rules: Rules): People {
  const change = (id: string, doing: Doing, who: string, mutate: (ticket: Ticket) => void): void => {
    const ticket = tickets.get(id);
    const before = { status: ticket.status, assignee: ticket.assignee, key: ticket.key };
    mutate(ticket);
    tickets.touch(ticket);
    rules.changed(ticket, doing, before, person(who));
  };
  const people: People = {
    assign: (id, who = 'ada') =>
      change(id, 'assigned', who, (ticket) => {
        ticket.assignee = who;
      }),
    unassign: (id, who = 'ada') =>
      change(id, 'unassigned', who, (ticket) => {
        ticket.assignee = null;
      }),
    acknowledge: (id, who = 'ada') =>
      rules.acknowledged === undefined
        ? people.assign(id, who)
        : change(id, 'acknowledged', who, (ticket) => {
            ticket.status = rules.acknowledged ?? ticket.status;
            ticket.assignee = who;
          }),
    unacknowledge: (id, who = 'ada') =>
      rules.acknowledged === undefined
        ? people.unassign(id, who)
        : change(id, 'unacknowledged', who, (ticket) => {
            ticket.status = rules.open;
            ticket.assignee = null;
          }),
    edit: (id, { title, body, severity, labels }, who = 'ada') =>
      change(id, 'edited', who, (ticket) => {
        if (title !== undefined) ticket.title = title;
        if (body !== undefined) ticket.body = body;
        if (severity !== undefined) ticket.severity = severity;
        if (labels !== undefined) ticket.labels = labels;
      }),
    close: (id, { wontFix = false } = {}, who = 'ada') =>
      change(id, 'closed', who, (ticket) => {
        ticket.status = wontFix && rules.wontFix ? rules.wontFix.status : rules.closed;
        ticket.resolution = wontFix && rules.wontFix ? rules.wontFix.resolution : (rules.resolution ?? null);
      }),
    reopen: (id, who = 'ada') =>
      change(id, 'reopened', who, (ticket) => {
        ticket.status = rules.open;
        ticket.resolution = null;
      }),
    comment: (id, body, who = 'ada') =>
      change(id, 'commented', who, (ticket) => {
        ticket.comments.push({
          id: `c${ticket.comments.length + 1}`,
          author: who,
          body,
          at: ticket.updatedAt,
          extra: {},
        });
      }),
    remove: (id, who = 'ada') =>
      change(id, 'deleted', who, (ticket) => {
        ticket.deleted = true;
      }),
    move: (id, who = 'ada') => change(id, 'moved', who, (ticket) => rules.move?.(ticket)),
    merge: (id, into, who = 'ada') => change(id, 'closed', who, (ticket) => rules.merge?.(ticket, tickets.get(into))),
    lock: (id, who = 'ada') =>
      change(id, 'edited', who, (ticket) => {
        ticket.locked = true;
        rules.lock?.(ticket);
      }),
  };
  return people;
}

/** The JSON object a request brought, with the media type it must have; refused in the tracker's words otherwise. */
export function jsonOf(received: Received, refuse: (status: 400 | 415) => TrackerRefusal): Record<string, unknown> {
  if (!/^application\/json\b/i.test(received.headers.get('content-type') ?? '')) throw refuse(415);
  try {
    const json: unknown = JSON.parse(received.body);
    if (isObject(json)) return json;
  } catch {
    // Refused below, like JSON of another kind.
  }
  throw refuse(400);
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const objectAt = (value: Record<string, unknown>, key: string): Record<string, unknown> => {
  const inner = value[key];
  return isObject(inner) ? inner : {};
};

export const textAt = (value: Record<string, unknown>, key: string): string | undefined => {
  const inner = value[key];
  return typeof inner === 'string' ? inner : undefined;
};

export const textsAt = (value: Record<string, unknown>, key: string): string[] => {
  const inner = value[key];
  return Array.isArray(inner) ? inner.filter((item): item is string => typeof item === 'string') : [];
};

export const isoOf = (ms: number): string => new Date(ms).toISOString();
