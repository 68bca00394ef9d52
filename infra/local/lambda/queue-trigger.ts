import * as z from 'zod';
import type { FifoQueue, Message } from '../aws/sqs/fifo-queue.ts';
import { systemAttributes } from '../aws/sqs/sqs.ts';
import { FunctionFailed } from './container.ts';
import type { LocalFunction } from './function.ts';

export interface QueueTriggerOptions {
  readonly queue: FifoQueue;
  readonly fn: Pick<LocalFunction, 'invoke'>;
  /** Messages in one batch, at most 10. */
  readonly batchSize: number;
  readonly account: string;
  readonly region: string;
}

/** One batch, and what became of it. */
export interface Delivery {
  readonly messages: readonly Message[];
  /** Ids of the messages that stay in the queue. */
  readonly failed: readonly string[];
  /** What the function as a whole failed with. Then all of the batch stays. */
  readonly error?: string;
}

/** What a function says of the messages it could not handle; nothing said means that all were. */
const Response = z
  .looseObject({ batchItemFailures: z.array(z.looseObject({ itemIdentifier: z.string() })).nullish() })
  .nullish();

/**
 * Lambda's trigger for one FIFO queue: hands a batch to the function, and takes out of the queue what the function does
 * not report as failed. All of the batch stays where the function throws, answers something else, or names a message
 * that is not in the batch. What stays is handed out again when its time out of sight has passed.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 */
export async function deliverBatch({
  queue,
  fn,
  batchSize,
  account,
  region,
}: QueueTriggerOptions): Promise<Delivery | undefined> {
  const messages = queue.receive(batchSize);
  if (messages.length === 0) return undefined;
  // As they were handed out: a message that comes back meanwhile gets another receipt.
  const batch = messages.map(({ id, receipt = '' }) => ({ id, receipt }));
  const Records = messages.map((message) => ({
    messageId: message.id,
    receiptHandle: message.receipt,
    body: message.body,
    attributes: systemAttributes(message, account),
    messageAttributes: {},
    eventSource: 'aws:sqs',
    eventSourceARN: queue.arn,
    awsRegion: region,
  }));
  const { failed, error } = await failedOf(fn, Records, batch);
  for (const { id, receipt } of batch) if (!failed.includes(id)) queue.remove(receipt);
  return { messages, failed, ...(error !== undefined && { error }) };
}

/** Runs the function on a batch. Answers the ids of the messages that have to stay, and why where it is all of them. */
export async function failedOf(
  fn: Pick<LocalFunction, 'invoke'>,
  Records: readonly object[],
  batch: readonly { readonly id: string }[],
): Promise<Pick<Delivery, 'failed' | 'error'>> {
  const all = batch.map(({ id }) => id);
  try {
    const response = Response.safeParse(await fn.invoke({ Records }));
    if (!response.success) return { failed: all, error: 'the function answered with something else' };
    const failed = (response.data?.batchItemFailures ?? []).map(({ itemIdentifier }) => itemIdentifier);
    if (failed.some((id) => !all.includes(id)))
      return { failed: all, error: 'the function named a message that is not in the batch' };
    return { failed };
  } catch (error) {
    if (!(error instanceof FunctionFailed)) throw error;
    return { failed: all, error: `${error.errorType}: ${error.message}` };
  }
}
