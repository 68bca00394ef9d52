import type * as z from 'zod';
import type { BundleEvent } from '../../lib/aws/events.ts';
import { AutomationError } from '../../lib/errors.ts';
import { within } from '../../lib/runtime/deadline.ts';
import type { Step } from './rotation.ts';

type Teller = Pick<Step, 'services' | 'log' | 'deadline' | 'clock'>;

/** A bus that hangs must not use up the time of what is told in passing, in milliseconds. */
const PATIENCE_MS = 5_000;

/**
 * Tells the bus, and writes the same down in the log as an audit record. Throws where the bus fails, so that whoever
 * retries tells it then: a promotion is never kept quiet. Repeats are harmless, by the ids in the detail.
 */
export async function tell(
  { services, log, deadline }: Pick<Step, 'log' | 'deadline'> & { readonly services: Pick<Step['services'], 'events'> },
  event: BundleEvent,
): Promise<void> {
  log.info('audit', { facts: { event: event.detailType, ...event.detail } });
  const told = await services.events.publish(event, deadline);
  if (!told) log.warn('there is no EventBridge here: nobody was told', { facts: { detailType: event.detailType } });
}

/** An event of lib/events/rotation.ts, checked against its schema. */
export const rotationEvent = <Schema extends z.ZodType<{ readonly secretArn: string }>>(
  detailType: string,
  schema: Schema,
  detail: z.output<Schema>,
): BundleEvent => ({ detailType, detail: { ...schema.parse(detail) }, resources: [detail.secretArn] });

/** Tells what it would be wrong to stop for: a bus that fails is written down, and the work goes on. */
export async function mention(teller: Teller, event: BundleEvent): Promise<void> {
  try {
    await tell({ ...teller, deadline: within(teller.deadline, PATIENCE_MS, teller.clock) }, event);
  } catch (error) {
    if (!(error instanceof AutomationError)) throw error;
    const { code, facts } = error;
    teller.log.warn('nobody was told', { facts: { ...facts, code, detailType: event.detailType } });
  }
}

/** The request ids there are. */
export const requestIdsOf = (...done: readonly ({ readonly requestId?: string | undefined } | undefined)[]): string[] =>
  done.flatMap((one) => one?.requestId ?? []);
