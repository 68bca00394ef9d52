import type { AtlasClient } from '../../lib/atlas/client.ts';
import type { State } from '../../lib/aws/state.ts';
import type { Clock } from '../../lib/runtime/clock.ts';
import type { Deadline } from '../../lib/runtime/deadline.ts';
import type { Tickets } from '../../lib/tickets/tickets.ts';
import { assemble, type Bridge } from './bridge.ts';
import { drain } from './drain.ts';
import { drive } from './drive.ts';
import { hear } from './hear.ts';
import { createJournal } from './journal.ts';
import { normalise } from './normalise.ts';
import { overlay } from './overlay.ts';

/** A body as Atlas sent it, and when. */
export interface Recorded {
  readonly body: Record<string, unknown>;
  readonly event?: string | undefined;
  readonly at?: string | undefined;
}

export interface Rehearsal {
  readonly dryRun: true;
  readonly tickets: readonly {
    destination: string;
    key: string;
    title: string;
    state: 'open' | 'closed';
    writes: readonly string[];
  }[];
  /** Every decision with its reason, in order. */
  readonly decisions: readonly {
    at: string;
    subject: string;
    decision: string;
    reason: string;
    alert?: string | undefined;
  }[];
}

/** Quiet time at the end, so that what waits happens. */
const AFTERWARDS_MS = 24 * 3_600_000;

/**
 * What would come of these alerts, by the code that does it: the state is read and never written, the trackers are asked
 * nothing and written nothing, Atlas is asked and told nothing, and the clock is that of the recording.
 */
export async function rehearse(alerts: readonly Recorded[], real: Bridge, deadline: Deadline): Promise<Rehearsal> {
  let now = Math.min(
    real.clock.now().getTime(),
    ...alerts.map(({ at }) => (at === undefined ? Number.POSITIVE_INFINITY : Date.parse(at))),
  );
  const clock: Clock = {
    now: () => new Date(now),
    async sleep(ms) {
      now += ms;
    },
  };
  let number = 0;
  const made: Rehearsal['tickets'][number][] = [];
  const players = new Map<string, Tickets>();
  const actor = async (destination: string): Promise<Tickets> => {
    const known = players.get(destination) ?? play(destination, await real.tickets(destination), made, () => ++number);
    players.set(destination, known);
    return known;
  };
  const state: State = overlay(real.store.state);
  const bridge = assemble({
    settings: real.settings,
    clock,
    state,
    atlas: real.atlas && readOnly(real.atlas.client),
    tickets: actor,
    newToken: () => `dry-${++number}`,
    pacer: { take: async () => undefined, pause: async () => {} },
  });
  const journal = createJournal({ audit: async () => {} }, () => now);
  const settle = async (until: number): Promise<void> => {
    for (; now < until; ) {
      const next = Math.min(until, now + 60_000);
      now = next;
      await drain({ bridge, journal, deadline, most: 1_000, onTrouble: () => {} });
    }
  };
  const ordered = alerts
    .map((alert, index) => ({ ...alert, when: alert.at === undefined ? now : Date.parse(alert.at), index }))
    .toSorted((a, b) => a.when - b.when || a.index - b.index);
  for (const { body, event, when, index } of ordered) {
    if (when > now) await settle(Math.min(when, now + AFTERWARDS_MS));
    now = Math.max(now, when);
    const observation = normalise(body, {
      announced: event,
      now,
      digest: `recorded ${index}`,
      via: 'webhook',
      staleMs: real.settings.policy.staleAfterSeconds * 1_000,
    });
    if (!observation) {
      journal.note('unassigned', { decision: 'nothing', reason: 'not an alert' });
      continue;
    }
    for (const id of await hear([observation], { bridge, journal, deadline }))
      await drive(id, { bridge, journal, deadline, patienceMs: 0 });
  }
  await settle(now + 2 * 3_600_000);
  return {
    dryRun: true,
    tickets: made,
    decisions: journal.entries.map(({ at, subject, decision, reason, alert }) => ({
      at,
      subject,
      decision,
      reason,
      alert,
    })),
  };
}

/** Atlas without the one verb that changes something. */
const readOnly = (client: Pick<AtlasClient, 'call' | 'follow'>): Pick<AtlasClient, 'call' | 'follow'> => ({
  follow: client.follow,
  async call(operation, input, deadline) {
    if (operation.method === 'GET') return client.call(operation, input, deadline);
    throw new Error(`a rehearsal does not call ${operation.id}`);
  },
});

/** A tracker that only remembers what it was asked to do. */
function play(
  destination: string,
  { traits, written }: Tickets,
  made: Rehearsal['tickets'][number][],
  next: () => number,
): Tickets {
  const entries = new Map<string, { state: 'open' | 'closed'; writes: string[] }>();
  const write = (id: string, what: string, state?: 'open' | 'closed'): void => {
    const entry = entries.get(id);
    entry?.writes.push(what);
    if (entry && state) entry.state = state;
  };
  return {
    traits: { ...traits, indexLagMs: 0, reads: false },
    written,
    async open({ title, incident }) {
      const id = `dry-run-${next()}`;
      const entry = { destination, key: incident, title, state: 'open' as const, writes: ['open'] };
      made.push(entry);
      entries.set(id, entry);
      return { id, key: id, url: '' };
    },
    find: async () => ({ kind: 'absent' }),
    read: async (ref) => ({
      ref,
      status: entries.get(ref.id)?.state ?? 'open',
      moved: false,
      resolution: undefined,
      wontFix: false,
      reopenable: true,
      acknowledged: false,
      assignee: undefined,
      edited: { title: false, body: false, severity: false },
      version: '',
    }),
    comment: async (ref) => write(ref.id, 'comment'),
    update: async (ref) => write(ref.id, 'edit'),
    close: async (ref) => write(ref.id, 'close', 'closed'),
    reopen: async (ref) => write(ref.id, 'reopen', 'open'),
    link: async (ref) => write(ref.id, 'link'),
  };
}
