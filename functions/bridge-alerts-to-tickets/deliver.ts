import * as z from 'zod';
import type { Queue } from '../../lib/aws/queue.ts';
import type { Stored } from '../../lib/aws/state.ts';
import type { Deadline } from '../../lib/runtime/deadline.ts';
import { parseJson } from '../../lib/runtime/json.ts';
import type { Bridge } from './bridge.ts';
import type { QueueRecord } from './contract.ts';
import type { Incident } from './core/incident.ts';
import { type Driven, drive } from './drive.ts';
import { type Hearing, hear, placeOf } from './hear.ts';
import { createJournal, type Journal } from './journal.ts';
import { Observation } from './observation.ts';
import { type IncidentId, nameOfIncident } from './store.ts';

export interface DeliverOptions {
  readonly bridge: Bridge;
  readonly deadline: Deadline;
  readonly onTrouble: (what: string, facts: object, error: unknown) => void;
  /** Where an incident that has to wait a moment is put, so that nothing else waits with it. Missing: it is waited for here. */
  readonly queue?: Queue | undefined;
}

export interface Delivered {
  /** Messages the queue is to deliver again. */
  readonly failed: readonly string[];
  readonly journal: Journal;
}

/** How long a ticket may be waited for within one delivery, in milliseconds; what takes longer is due later. */
export const PATIENCE_MS = 6_000;
/** With more messages than this there are others behind them: then nothing is waited for beside them. */
const FEW = 3;

/**
 * An incident that goes on in a moment, as a message of a group of its own: whoever gets it waits out the rest, and the
 * alerts of the incident do not wait behind it. Should it be lost, the incident is in the list of what is due all the same.
 */
const Reminder = z.object({ schema: z.literal(1), remind: z.object({ destination: z.string(), key: z.string() }) });

/**
 * Takes a batch of the queue in: what it says goes into the state, incident by incident, and then the incidents are brought
 * on. A message that was taken in is done with, whatever the trackers say: what is left to do is in the state.
 */
export async function deliverBatch(records: readonly QueueRecord[], options: DeliverOptions): Promise<Delivered> {
  const { bridge, deadline, onTrouble } = options;
  const journal = createJournal(bridge.store, () => bridge.clock.now().getTime());
  const groups = Map.groupBy(records, (record) => record.attributes.MessageGroupId || record.messageId);
  const failed: string[] = [];
  const touched = new Map<string, IncidentId>();
  const fresh = new Map<string, Stored<Incident>>();
  const taken = [...groups.values()].map(readable);
  const read = await readAlerts(
    taken.flatMap(({ good }) => good.map(({ observation }) => observation)),
    options,
  );
  await Promise.all(
    taken.map(async ({ good, bad, reminders }) => {
      for (const id of reminders) touched.set(nameOfIncident(id), id);
      for (const { messageId, reason } of bad) {
        onTrouble('a message cannot be read', { messageId, reason }, undefined);
        journal.count('MessagesPoisoned');
        journal.note('poison', { decision: 'message refused', reason, alert: messageId });
      }
      failed.push(...bad.map(({ messageId }) => messageId));
      try {
        const heard = await hear(
          good.map(({ observation }) => observation),
          { bridge, journal, deadline, fresh, read },
        );
        const repeated = good.filter(({ record }) => record.attributes.ApproximateReceiveCount > 1);
        for (const id of [
          ...heard,
          ...(await unfinished(
            repeated.map(({ observation }) => observation),
            options,
          )),
        ])
          touched.set(nameOfIncident(id), id);
      } catch (error) {
        // All of the incident's come again, and nobody else's.
        onTrouble('messages were not taken in', { messages: good.length }, error);
        failed.push(...good.map(({ record }) => record.messageId));
      }
    }),
  );
  const reminded = new Set(taken.flatMap(({ reminders }) => reminders.map(nameOfIncident)));
  const { own = [], others = [] } = Object.groupBy(touched, ([name]) => (reminded.has(name) ? 'own' : 'others'));
  const ids = (entries: typeof own): IncidentId[] => entries.map(([, id]) => id);
  await goOn({ own: ids(own), others: ids(others), crowded: records.length > FEW }, fresh, options, journal);
  await journal.flush(deadline).catch((error: unknown) => onTrouble('the audit trail could not be written', {}, error));
  return { failed: records.map(({ messageId }) => messageId).filter((id) => failed.includes(id)), journal };
}

/**
 * Brings on `own`, which this delivery reminded of, and `others`: with many messages at hand, those of them that have to wait a
 * moment wait in the queue.
 */
async function goOn(
  { own, others, crowded }: { own: readonly IncidentId[]; others: readonly IncidentId[]; crowded: boolean },
  fresh: Map<string, Stored<Incident>>,
  options: DeliverOptions,
  journal: Journal,
): Promise<void> {
  const { queue, bridge, deadline } = options;
  const reminds = queue !== undefined && crowded;
  await Promise.all([
    bringOn(own, options, journal, PATIENCE_MS, fresh),
    (async () => {
      const now = bridge.clock.now().getTime();
      const waiting = await bringOn(others, options, journal, reminds ? 0 : PATIENCE_MS, fresh);
      const soon = waiting.filter(({ until }) => until !== undefined && until - now <= PATIENCE_MS);
      if (!reminds || soon.length === 0) return;
      try {
        await Promise.all(
          soon.map(({ incident: { destination, key }, until }) =>
            queue.send(
              {
                body: JSON.stringify({ schema: 1, remind: { destination, key } }),
                group: `remind-${key}`,
                deduplicationId: `${key}-${until}`,
              },
              deadline,
            ),
          ),
        );
      } catch {
        // Nobody to remind us: then it is waited for here.
        await bringOn(
          soon.map(({ incident: { destination, key } }) => ({ destination, key })),
          options,
          journal,
        );
      }
    })(),
  ]);
}

/** Brings incidents on, each destination's by themselves; one that fails is due later and holds up no other. */
export async function bringOn(
  ids: readonly IncidentId[],
  options: DeliverOptions,
  journal: Journal,
  patienceMs = PATIENCE_MS,
  fresh = new Map<string, Stored<Incident>>(),
): Promise<Driven[]> {
  const { bridge, deadline, onTrouble } = options;
  const driven = await Promise.all(
    ids.map((id) =>
      drive(id, { bridge, journal, deadline, patienceMs, fresh, unhurried: patienceMs > 0 && ids.length <= FEW }).catch(
        (error: unknown): undefined => {
          onTrouble('an incident could not be brought on', { ...id }, error);
        },
      ),
    ),
  );
  return driven.filter((each) => each !== undefined);
}

/**
 * The messages that are one. What is behind one that is none goes on all the same: news counts by its version, so order is
 * nothing to hold anybody up for.
 */
function readable(messages: readonly QueueRecord[]): {
  good: { record: QueueRecord; observation: Observation }[];
  bad: { messageId: string; reason: string }[];
  reminders: IncidentId[];
} {
  const reminders: IncidentId[] = [];
  const good: { record: QueueRecord; observation: Observation }[] = [];
  const bad: { messageId: string; reason: string }[] = [];
  for (const record of messages) {
    const body = parseJson(record.body);
    const parsed = Observation.safeParse(body);
    const reminder = parsed.success ? undefined : Reminder.safeParse(body).data;
    if (reminder) reminders.push(reminder.remind);
    else if (parsed.success) good.push({ record, observation: parsed.data });
    else {
      const where = parsed.error.issues[0]?.path.join('.') || 'no JSON';
      bad.push({ messageId: record.messageId, reason: `not an observation: ${where}` });
    }
  }
  return { good, bad, reminders };
}

/** What is known of all these alerts, in one call. Where that fails, each is read by itself, so that none fails with another. */
async function readAlerts(
  observations: readonly Observation[],
  { bridge, deadline, onTrouble }: DeliverOptions,
): Promise<Hearing['read']> {
  const places = new Map(
    observations.map((each) => [placeOf(each), { projectId: each.subject.projectId, id: each.id }]),
  );
  if (places.size < 2) return undefined;
  const found = await bridge.store.readAlerts([...places.values()], deadline).catch((error: unknown) => {
    onTrouble('alerts could not be read at once', { alerts: places.size }, error);
    return undefined;
  });
  return found && new Map([...places.keys()].map((place, nth) => [place, found[nth]]));
}

/** Incidents of messages that were delivered before: whoever had them then may have ended half-way. */
async function unfinished(
  observations: readonly Observation[],
  { bridge, deadline }: DeliverOptions,
): Promise<IncidentId[]> {
  const ids: IncidentId[] = [];
  for (const { id, subject } of observations)
    ids.push(...((await bridge.store.readAlert(subject.projectId, id, deadline))?.value.incidents ?? []));
  return ids;
}
