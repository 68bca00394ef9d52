import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import type { Deadline } from '../runtime/deadline.ts';
import { AwsCallFailed, errorName } from './errors.ts';

/** One fact for the bundle's bus. The detail is shown to people and other systems: never a secret in it. */
export interface BundleEvent {
  readonly detailType: string;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly resources?: readonly string[];
}

export interface Events {
  /**
   * Puts one event on the bus; false where there is no EventBridge to put it on, as at the endpoint of an emulator that
   * has none. May put it twice when repeated: consumers tell by what the detail names.
   */
  publish(event: BundleEvent, deadline: Deadline): Promise<boolean>;
}

/** The `source` of every event this bundle puts on a bus. */
export const SOURCE = 'atlas-automation';

export function createEvents(bus: string, client: EventBridgeClient = new EventBridgeClient({})): Events {
  return {
    async publish({ detailType, detail, resources = [] }, deadline) {
      const entry = {
        EventBusName: bus,
        Source: SOURCE,
        DetailType: detailType,
        Detail: JSON.stringify(detail),
        Resources: [...resources],
      };
      const answer = await client
        .send(new PutEventsCommand({ Entries: [entry] }), { abortSignal: deadline.signal })
        .catch((cause: unknown) => {
          if (errorName(cause) === 'UnknownOperationException') return undefined;
          throw new AwsCallFailed('events', 'PutEvents', cause, { bus });
        });
      if (!answer) return false;
      // A refused entry comes back inside a 200.
      const error = answer.Entries?.[0]?.ErrorCode;
      if (answer.FailedEntryCount || error)
        throw new AwsCallFailed(
          'events',
          'PutEvents',
          Object.assign(new Error('entry refused'), { name: error ?? 'EntryRefused' }),
          { bus },
        );
      return true;
    },
  };
}
