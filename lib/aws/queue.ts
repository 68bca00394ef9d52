import type { SendMessageCommandInput, SendMessageCommandOutput } from '@aws-sdk/client-sqs';
import type { Deadline } from '../runtime/deadline.ts';
import { connect, type Place } from './connection.ts';
import { AwsCallFailed } from './errors.ts';

export interface Message {
  readonly body: string;
  /** Messages of a group are delivered one after the other, in the order they were sent. */
  readonly group: string;
  /** A second message with this id within five minutes is taken and not delivered. At most 128 letters, digits, punctuation. */
  readonly deduplicationId: string;
}

/** A FIFO queue, seen from the side that fills it. */
export interface Queue {
  /**
   * Resolves once the queue holds the message. Safe to repeat with the same deduplication id within five minutes.
   * Throws AwsCallFailed once the retries or the deadline are spent; the message may be in the queue even so.
   */
  send(message: Message, deadline: Deadline): Promise<void>;
}

interface Sqs {
  readonly SendMessage: readonly [SendMessageCommandInput, SendMessageCommandOutput];
}

export function createQueue(url: string, place?: Place): Queue {
  const sqs = connect<Sqs>('sqs', place);
  return {
    async send({ body, group, deduplicationId }, deadline) {
      const message = {
        QueueUrl: url,
        MessageBody: body,
        MessageGroupId: group,
        MessageDeduplicationId: deduplicationId,
      };
      await sqs.call('SendMessage', message, deadline).catch((cause: unknown) => {
        throw new AwsCallFailed('sqs', 'SendMessage', cause, { queue: url, deduplicationId });
      });
    },
  };
}
