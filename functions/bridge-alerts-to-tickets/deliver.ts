import type { Deadline } from '../../lib/runtime/deadline.ts';
import { parseJson } from '../../lib/runtime/json.ts';
import type { Bridge } from './bridge.ts';
import type { QueueRecord } from './contract.ts';
import { drive } from './drive.ts';
import { hear } from './hear.ts';
import { createJournal, type Journal } from './journal.ts';
import { Observation } from './observation.ts';
import type { IncidentId } from './store.ts';

export interface DeliverOptions {
  readonly bridge: Bridge;
  readonly deadline: Deadline;
  readonly onTrouble: (what: string, facts: object, error: unknown) => void;
}

export interface Delivered {
  /** Messages the queue is to deliver again. */
  readonly failed: readonly string[];
  readonly journal: Journal;
}

/** How long a ticket may be waited for within one delivery, in milliseconds; what takes longer is due later. */
export const PATIENCE_MS = 6_000;

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
  await Promise.all(
    [...groups.values()].map(async (messages) => {
      const { good, bad } = readable(messages);
      for (const { messageId, reason } of bad) {
        onTrouble('a message cannot be read', { messageId, reason }, undefined);
        journal.count('MessagesPoisoned');
        journal.note('poison', { decision: 'message refused', reason, alert: messageId });
      }
      failed.push(...bad.map(({ messageId }) => messageId));
      try {
        const heard = await hear(
          good.map(({ observation }) => observation),
          { bridge, journal, deadline },
        );
        const repeated = good.filter(({ record }) => record.attributes.ApproximateReceiveCount > 1);
        for (const id of [
          ...heard,
          ...(await unfinished(
            repeated.map(({ observation }) => observation),
            options,
          )),
        ])
          touched.set(`${id.destination}#${id.key}`, id);
      } catch (error) {
        // All of the incident's come again, and nobody else's.
        onTrouble('messages were not taken in', { messages: good.length }, error);
        failed.push(...good.map(({ record }) => record.messageId));
      }
    }),
  );
  await bringOn([...touched.values()], options, journal);
  await journal.flush(deadline).catch((error: unknown) => onTrouble('the audit trail could not be written', {}, error));
  return { failed: records.map(({ messageId }) => messageId).filter((id) => failed.includes(id)), journal };
}

/** Brings incidents on, each destination's by themselves; one that fails is due later and holds up no other. */
export async function bringOn(
  ids: readonly IncidentId[],
  options: DeliverOptions,
  journal: Journal,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const { bridge, deadline, onTrouble } = options;
  await Promise.all(
    ids.map((id) =>
      drive(id, { bridge, journal, deadline, patienceMs }).catch((error: unknown) =>
        onTrouble('an incident could not be brought on', { ...id }, error),
      ),
    ),
  );
}

/**
 * The messages that are one. What is behind one that is none goes on all the same: news counts by its version, so order is
 * nothing to hold anybody up for.
 */
function readable(messages: readonly QueueRecord[]): {
  good: { record: QueueRecord; observation: Observation }[];
  bad: { messageId: string; reason: string }[];
} {
  const good: { record: QueueRecord; observation: Observation }[] = [];
  const bad: { messageId: string; reason: string }[] = [];
  for (const record of messages) {
    const parsed = Observation.safeParse(parseJson(record.body));
    if (parsed.success) good.push({ record, observation: parsed.data });
    else {
      const where = parsed.error.issues[0]?.path.join('.') || 'no JSON';
      bad.push({ messageId: record.messageId, reason: `not an observation: ${where}` });
    }
  }
  return { good, bad };
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
