import type { Clock } from '../../../lib/runtime/clock.ts';
import {
  TicketFieldRefused,
  TicketOutcomeUnknown,
  TicketRejected,
  TicketSystemBusy,
  TicketSystemUnavailable,
} from '../../../lib/tickets/errors.ts';
import type { TicketRef, Tickets, Traits } from '../../../lib/tickets/tickets.ts';

/** A ticket as the tracker itself knows it. */
export interface Row {
  readonly ref: TicketRef;
  readonly marker: string;
  readonly openedAt: number;
  readonly follows: string | undefined;
  status: 'open' | 'closed' | 'gone';
  wontFix: boolean;
  resolution: string | undefined;
  title: string;
  body: string;
  assignee: string | undefined;
  comments: { marker: string; text: string }[];
  writes: number;
  /** Order of the last look at it, and of what people did. */
  readAt: number;
  editedAt: number | undefined;
  wontFixAt: number | undefined;
  /** People opened it again. */
  reopened: boolean;
}

/** What becomes of one call. `lost`: carried out, and the answer does not arrive. */
export type Fate = 'fine' | 'lost' | 'refused' | 'busy' | 'field' | 'stop';

/** A tracker in memory, with a search index that lags behind, and a memory of what nobody should have done. */
export class MemoryTracker {
  readonly rows: Row[] = [];
  readonly violations: string[] = [];
  readonly traits: Traits;
  fate: (operation: string) => Fate = () => 'fine';
  /** Awaited around every call: whoever runs the world decides when it goes on. */
  pass: (operation: string) => Promise<void> = async () => {};
  writes = 0;
  readonly #clock: Pick<Clock, 'now'>;
  #order = 0;

  constructor(clock: Pick<Clock, 'now'>, traits: Partial<Traits> = {}) {
    this.#clock = clock;
    this.traits = {
      reopens: true,
      repeatable: false,
      comments: true,
      updates: true,
      reads: true,
      indexLagMs: 60_000,
      titleLimit: 255,
      bodyLimit: 30_000,
      budget: { writesPerMinute: 100_000 },
      ...traits,
    };
  }

  live(): Row[] {
    return this.rows.filter((row) => row.status === 'open');
  }

  people(row: Row, what: 'close' | "won't fix" | 'reopen' | 'edit' | 'delete' | 'assign' | 'unassign'): void {
    this.#order++;
    if (row.status === 'gone') return;
    switch (what) {
      case 'close':
      case "won't fix":
        row.status = 'closed';
        row.wontFix = what === "won't fix";
        row.wontFixAt = row.wontFix ? this.#order : undefined;
        row.resolution = 'people';
        return;
      case 'reopen':
        row.status = 'open';
        row.wontFix = false;
        row.reopened = true;
        return;
      case 'edit':
        row.body = `${row.body} (people)`;
        row.editedAt = this.#order;
        return;
      case 'delete':
        row.status = 'gone';
        return;
      case 'assign':
        row.assignee = 'ada';
        return;
      case 'unassign':
        row.assignee = undefined;
    }
  }

  /** The tracker for one process: `pass` stands between that process and its every call. */
  for(pass: (operation: string) => Promise<void>): Tickets {
    const call = async <T>(operation: string, apply: () => T): Promise<T> => {
      await pass(operation);
      const fate = this.fate(operation);
      const facts = { operation };
      if (fate === 'refused') throw new TicketSystemUnavailable('503', facts);
      if (fate === 'busy') throw new TicketSystemBusy('429', facts, { retryAfterMs: 20_000 });
      if (fate === 'stop') throw new TicketRejected('401', facts, 'credentials');
      if (fate === 'field' && operation === 'open') throw new TicketFieldRefused('400', facts, ['priority']);
      const result = apply();
      if (fate === 'lost') {
        await pass(`${operation} lost`);
        throw operation === 'open'
          ? new TicketOutcomeUnknown('silence', facts)
          : new TicketSystemUnavailable('silence', facts);
      }
      await pass(`${operation} answered`);
      return result;
    };
    const row = (ref: TicketRef): Row => {
      const found = this.rows.find((each) => each.ref.id === ref.id);
      if (!found || found.status === 'gone') throw new TicketRejected('404', {}, 'gone');
      return found;
    };
    const write = (ref: TicketRef): Row => {
      const found = row(ref);
      found.writes++;
      this.writes++;
      return found;
    };
    return {
      traits: this.traits,
      written: ({ title, body }) => ({
        ...(title !== undefined && { title }),
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
      open: (draft) =>
        call('open', () => {
          const id = `${this.rows.length + 1}`;
          const made: Row = {
            ref: { id, key: `OPS-${id}`, url: '' },
            marker: draft.incident,
            openedAt: this.#clock.now().getTime(),
            follows: draft.follows?.id,
            status: 'open',
            wontFix: false,
            resolution: undefined,
            title: draft.title,
            body: JSON.stringify(draft.body),
            assignee: undefined,
            comments: [],
            writes: 1,
            readAt: 0,
            editedAt: undefined,
            wontFixAt: undefined,
            reopened: false,
          };
          this.rows.push(made);
          this.writes++;
          return made.ref;
        }),
      find: (marker, attemptedAt) =>
        call('find', () => {
          const now = this.#clock.now().getTime();
          const lag = this.traits.indexLagMs;
          const seen = this.rows.filter(
            (each) => each.marker === marker && each.status !== 'gone' && now >= each.openedAt + lag,
          );
          const [first, ...younger] = seen.map(({ ref }) => ref);
          if (first) return { kind: 'found', tickets: [first, ...younger] } as const;
          const wait = attemptedAt.getTime() + lag - now;
          return wait > 0 ? ({ kind: 'not-yet', askAgainInMs: wait } as const) : ({ kind: 'absent' } as const);
        }),
      read: (ref, written) =>
        call('read', () => {
          const found = this.rows.find((each) => each.ref.id === ref.id);
          if (found) found.readAt = ++this.#order;
          return {
            ref,
            status: found?.status ?? 'gone',
            moved: false,
            resolution: found?.resolution,
            wontFix: found?.wontFix ?? false,
            reopenable: true,
            acknowledged: found?.assignee !== undefined,
            assignee: found?.assignee,
            edited: { title: false, body: written.body !== undefined && found?.body !== written.body, severity: false },
            version: '',
          };
        }),
      comment: (ref, note) =>
        call('comment', () => {
          const found = row(ref);
          if (note.repeated && found.comments.some(({ marker }) => marker === note.marker)) return;
          write(ref).comments.push({ marker: note.marker, text: JSON.stringify(note.text) });
        }),
      update: (ref, { body, title }) =>
        call('update', () => {
          const found = write(ref);
          if (body && found.editedAt !== undefined && found.readAt > found.editedAt)
            this.violations.push(`I6: ${ref.key} was overwritten after people edited it`);
          if (body) found.body = JSON.stringify(body);
          if (title) found.title = title;
        }),
      close: (ref, { resolution, marker }) =>
        call('close', () => {
          const found = row(ref);
          if (found.status === 'closed') {
            // Known for a second one, though people were faster.
            if (resolution === 'duplicate') found.resolution = resolution;
            return;
          }
          write(ref).comments.push({ marker, text: `closed: ${resolution}` });
          found.status = 'closed';
          found.resolution = resolution;
        }),
      reopen: (ref, note) =>
        call('reopen', () => {
          const found = row(ref);
          if (found.status === 'open') return;
          if (found.wontFix && found.wontFixAt !== undefined && found.readAt > found.wontFixAt)
            this.violations.push(`I6: ${ref.key} was opened again although people do not want it`);
          write(ref).comments.push({ marker: note.marker, text: 'reopened' });
          found.status = 'open';
          found.resolution = undefined;
        }),
      link: async () => {},
    };
  }
}
