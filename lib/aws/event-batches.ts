import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import type { Deadline } from '../runtime/deadline.ts';
import { AwsCallFailed, errorName } from './errors.ts';
import { type BundleEvent, SOURCE } from './events.ts';

/** EventBridge takes no more at a time. */
const BATCH = 10;
const ATTEMPTS = 3;

export interface EventBatches {
  /**
   * Puts events on the bus, ten to a call, and answers those it did not take. What was refused inside an accepted call is
   * sent again by itself. May put one twice when repeated: consumers tell by what the detail names. Throws AwsCallFailed
   * where a whole call fails, after which what was sent before it is on the bus.
   */
  publish(events: readonly BundleEvent[], deadline: Deadline): Promise<readonly BundleEvent[]>;
}

/** Many events at once; where there is no EventBridge at all, as at an emulator that has none, all come back. */
export function createEventBatches(bus: string, client: EventBridgeClient = new EventBridgeClient({})): EventBatches {
  async function put(events: readonly BundleEvent[], deadline: Deadline): Promise<readonly BundleEvent[]> {
    const Entries = events.map(({ detailType, detail, resources = [] }) => ({
      EventBusName: bus,
      Source: SOURCE,
      DetailType: detailType,
      Detail: JSON.stringify(detail),
      Resources: [...resources],
    }));
    try {
      const answer = await client.send(new PutEventsCommand({ Entries }), { abortSignal: deadline.signal });
      return events.filter((_, at) => answer.Entries?.[at]?.ErrorCode !== undefined);
    } catch (cause) {
      if (errorName(cause) === 'UnknownOperationException') return events;
      throw new AwsCallFailed('events', 'PutEvents', cause, { bus });
    }
  }

  return {
    async publish(events, deadline) {
      const refused: BundleEvent[] = [];
      for (let from = 0; from < events.length; from += BATCH) {
        let left: readonly BundleEvent[] = events.slice(from, from + BATCH);
        for (let attempt = 1; attempt <= ATTEMPTS && left.length > 0; attempt++) left = await put(left, deadline);
        refused.push(...left);
      }
      return refused;
    },
  };
}
