import * as z from 'zod';
import type { Clock } from '../../../lib/runtime/clock.ts';
import { AwsError, type AwsService, operation } from './json-protocol.ts';
import type { SeededIds } from './seeded-ids.ts';

/** An event as a rule's target receives it, and the bus it went over. */
export interface BusEvent {
  readonly version: '0';
  readonly id: string;
  readonly 'detail-type': string;
  readonly source: string;
  readonly account: string;
  /** ISO 8601, whole seconds. */
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: Readonly<Record<string, unknown>>;
  readonly bus: string;
}

/** Makes the `nth` entry (1-based, counted over all PutEvents since the plan was set) fail on its own. */
export interface PlannedEntryFailure {
  readonly nth: number;
  /** `InternalFailure` and `ThrottlingException` are the ones worth a retry. */
  readonly errorCode: string;
}

export interface Events {
  /** Every event that was accepted, oldest first, those of AWS services included. */
  readonly entries: readonly BusEvent[];
  /** Buses that exist. Events for any other bus are accepted and vanish, as in AWS. */
  readonly buses: Set<string>;
  /** Replaces the plan and starts counting entries from one again. */
  failEntries(planned: readonly PlannedEntryFailure[]): void;
  /** Hands every later event to `listener`; what it returns takes it off again. */
  subscribe(listener: (event: BusEvent) => void | Promise<void>): () => void;
  /** Resolves when every listener is done with every event so far; rejects with the first failure of one. */
  delivered(): Promise<void>;
  /** What AWS services put on the default bus themselves. */
  putServiceEvent(source: string, detailType: string, detail: Readonly<Record<string, unknown>>): void;
  readonly service: AwsService;
}

interface Environment {
  readonly clock: Clock;
  readonly ids: SeededIds;
  readonly account: string;
  readonly region: string;
}

const entry = z.object({
  Time: z.number().optional(),
  Source: z.string().optional(),
  DetailType: z.string().optional(),
  Detail: z.string().optional(),
  EventBusName: z.string().min(1).optional(),
  Resources: z.array(z.string()).optional(),
  TraceHeader: z.string().max(500).optional(),
});
type Entry = z.infer<typeof entry>;

const putEvents = z.object({ Entries: z.array(entry).min(1).max(10), EndpointId: z.string().optional() });
const detailObject = z.record(z.string(), z.unknown());
const largestRequest = 1024 * 1024;

const required: readonly ('Source' | 'DetailType' | 'Detail')[] = ['Source', 'DetailType', 'Detail'];

export function createEvents({ clock, ids, account, region }: Environment): Events {
  const entries: BusEvent[] = [];
  const buses = new Set(['default']);
  const listeners = new Set<(event: BusEvent) => void | Promise<void>>();
  let deliveries: Promise<void>[] = [];
  let planned: readonly PlannedEntryFailure[] = [];
  let seen = 0;

  const publish = (event: BusEvent): void => {
    entries.push(event);
    for (const listener of listeners) {
      const delivery = (async () => listener(event))();
      // Reported by delivered(); without this an early failure would end the process first.
      delivery.catch(() => {});
      deliveries.push(delivery);
    }
  };
  const eventOf = (
    id: string,
    bus: string,
    { Time, Source, DetailType, Resources }: Entry,
    detail: object,
  ): BusEvent => ({
    version: '0',
    id,
    'detail-type': DetailType ?? '',
    source: Source ?? '',
    account,
    time: (Time === undefined ? clock.now() : new Date(Time * 1000)).toISOString().replace(/\.\d{3}/, ''),
    region,
    resources: Resources ?? [],
    detail: { ...detail },
    bus,
  });
  const put = (input: Entry): object => {
    const failure = planned.find(({ nth }) => nth === seen + 1);
    seen += 1;
    if (failure) return { ErrorCode: failure.errorCode, ErrorMessage: 'This entry was not put.' };
    const missing = required.find((field) => !input[field]);
    if (missing)
      return invalidArgument(`Parameter ${missing} is not valid. Reason: ${missing} is a required argument.`);
    if ((input.DetailType ?? '').length > 128)
      return invalidArgument('Parameter DetailType is not valid. Reason: too long.');
    if (input.Source?.startsWith('aws.')) {
      return { ErrorCode: 'NotAuthorizedForSourceException', ErrorMessage: 'Not authorized for the source.' };
    }
    const detail = detailObject.safeParse(parseJson(input.Detail ?? ''));
    if (!detail.success) return { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
    const bus = busName(input.EventBusName);
    const id = ids.uuid();
    if (buses.has(bus)) publish(eventOf(id, bus, input, detail.data));
    return { EventId: id };
  };

  return {
    entries,
    buses,
    failEntries(failures) {
      planned = failures;
      seen = 0;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async delivered() {
      while (deliveries.length > 0) {
        const underWay = deliveries;
        deliveries = [];
        await Promise.all(underWay);
      }
    },
    putServiceEvent: (source, detailType, detail) =>
      publish(eventOf(ids.uuid(), 'default', { Source: source, DetailType: detailType }, detail)),
    service: {
      targetPrefix: 'AWSEvents',
      internalError: 'InternalException',
      messageField: 'message',
      operations: {
        PutEvents: operation(putEvents, ({ Entries }) => {
          if (Entries.reduce((total, input) => total + sizeOf(input), 0) > largestRequest) {
            throw new AwsError('ValidationException', 'Total size of the entries in the request is over the limit.');
          }
          if (!Entries.some((input) => required.every((field) => input[field]))) {
            throw new AwsError('ValidationException', 'No entry has a Source, a DetailType and a Detail.');
          }
          const results = Entries.map(put);
          return { FailedEntryCount: results.filter((result) => 'ErrorCode' in result).length, Entries: results };
        }),
      },
    },
  };
}

function invalidArgument(message: string): object {
  return { ErrorCode: 'InvalidArgument', ErrorMessage: message };
}

function busName(nameOrArn = 'default'): string {
  return nameOrArn.startsWith('arn:')
    ? nameOrArn.slice(nameOrArn.indexOf(':event-bus/') + ':event-bus/'.length)
    : nameOrArn;
}

/** The size the service bills and limits: 14 bytes for a time, the rest as UTF-8. */
function sizeOf({ Time, Source = '', DetailType = '', Detail = '', Resources = [] }: Entry): number {
  const texts = [Source, DetailType, Detail, ...Resources];
  return texts.reduce((total, text) => total + Buffer.byteLength(text), Time === undefined ? 0 : 14);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
