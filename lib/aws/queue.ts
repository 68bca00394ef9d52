import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Deadline } from '../runtime/deadline.ts';
import { connect, sendWithin } from './connection.ts';
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
   * Throws AwsCallFailed once the SDK's own retries or the deadline are spent; the message may be in the queue even so.
   */
  send(message: Message, deadline: Deadline): Promise<void>;
}

/** The body's digest is part of what is signed, so SQS takes no other body, and need not say which one it took. */
const lean = { md5: false } as const;

export function createQueue(
  url: string,
  client: SQSClient = connect((config) => new SQSClient({ ...lean, ...config })),
): Queue {
  return {
    async send({ body, group, deduplicationId }, deadline) {
      const command = new SendMessageCommand({
        QueueUrl: url,
        MessageBody: body,
        MessageGroupId: group,
        MessageDeduplicationId: deduplicationId,
      });
      await sendWithin(client, deadline, (options) => client.send(command, options)).catch((cause: unknown) => {
        throw new AwsCallFailed('sqs', 'SendMessage', cause, { queue: url, deduplicationId });
      });
    },
  };
}
