import type { Deadline } from '../../lib/runtime/deadline.ts';
import type { Attempt } from './core/incident.ts';
import type { Outcome } from './core/settle.ts';
import { type Decision, type IncidentId, nameOfIncident, type Store } from './store.ts';

/** Collects what was decided and why, and writes it down at the end. */
export interface Journal {
  note(subject: IncidentId | string, entry: Omit<Decision, 'at'>): void;
  outcome(id: IncidentId, attempt: Attempt, outcome: Outcome): void;
  /** How often something happened, for metrics. */
  readonly counts: ReadonlyMap<string, number>;
  count(what: string, by?: number): void;
  /** Everything that was noted, in order. */
  readonly entries: readonly (Decision & { readonly subject: string })[];
  /** Appends what was noted to the audit trail. Safe to call again: what was written is not written twice. */
  flush(deadline: Deadline): Promise<void>;
}

/** The unit of a metric that is counted here. */
export const unitOf = (name: string): 'Seconds' | 'Count' => (name.startsWith('Seconds') ? 'Seconds' : 'Count');

/** The same decision over and over is one entry with a count. */
export function createJournal(store: Pick<Store, 'audit'>, now: () => number): Journal {
  const entries: (Decision & { readonly subject: string })[] = [];
  const counts = new Map<string, number>();
  let written = 0;
  const note: Journal['note'] = (subject, entry) => {
    const name = typeof subject === 'string' ? subject : nameOfIncident(subject);
    const last = entries.length > written ? entries.at(-1) : undefined;
    if (
      last &&
      last.subject === name &&
      last.decision === entry.decision &&
      last.reason === entry.reason &&
      last.alert === entry.alert
    )
      entries[entries.length - 1] = { ...last, count: (last.count ?? 1) + 1 };
    else entries.push({ ...entry, at: new Date(now()).toISOString(), subject: name });
  };
  const count: Journal['count'] = (what, by = 1) => {
    // Seconds do not add up: the longest wait of a run is what it tells.
    const before = counts.get(what) ?? 0;
    counts.set(what, unitOf(what) === 'Seconds' ? Math.max(before, by) : before + by);
  };
  return {
    note,
    count,
    counts,
    entries,
    outcome(id, { kind }, outcome) {
      switch (outcome.kind) {
        case 'opened':
          count('TicketsOpened');
          return note(id, { decision: `${kind}: done`, reason: `ticket ${outcome.ref.key}` });
        case 'found':
          count('TicketsRecovered');
          return note(id, {
            decision: `${kind}: found`,
            reason: `ticket ${outcome.tickets.map(({ key }) => key).join(', ')}`,
          });
        case 'failed':
          count(
            outcome.reaction === 'stop'
              ? 'DestinationsStopped'
              : outcome.reaction === 'dead-letter'
                ? 'TicketsGivenUp'
                : 'TicketRetries',
          );
          return note(id, { decision: `${kind}: failed`, reason: `${outcome.code} (${outcome.reaction})` });
        case 'acknowledged':
          if (outcome.why) count('AcknowledgementsRefused');
          return note(id, {
            decision: `${kind}: done`,
            reason: `${outcome.done.length} done, ${outcome.refused.length} left alone${outcome.why ? `; ${outcome.why}` : ''}`,
          });
        case 'people':
          return note(id, {
            decision: `${kind}: not done`,
            reason: `people were there first: it is ${outcome.state.status}`,
          });
        default:
          return note(id, { decision: `${kind}: ${outcome.kind}`, reason: '' });
      }
    },
    async flush(deadline) {
      const fresh = entries.slice(written);
      written = entries.length;
      const bySubject = new Map<string, Decision[]>();
      for (const { subject, ...entry } of fresh) bySubject.set(subject, [...(bySubject.get(subject) ?? []), entry]);
      await Promise.all([...bySubject].map(([subject, its]) => store.audit(subject, its, deadline)));
    },
  };
}
