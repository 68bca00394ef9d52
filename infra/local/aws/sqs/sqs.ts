import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { Clock } from '../../../../lib/runtime/clock.ts';
import { parseJson } from '../../../../lib/runtime/json.ts';
import type { Durable } from '../../durable/durable.ts';
import { AwsError, type AwsService, operation } from '../json-protocol.ts';
import type { SeededIds } from '../seeded-ids.ts';
import { FifoQueue, type Message } from './fifo-queue.ts';

/** SQS with FIFO queues alone, by the movable clock: time out of sight passes when that clock is moved. */
export interface Sqs {
  readonly queues: ReadonlyMap<string, FifoQueue>;
  create(name: string, attributes?: Readonly<Record<string, string>>): FifoQueue;
  urlOf(name: string): string;
  readonly service: AwsService;
}

interface Environment {
  readonly clock: Pick<Clock, 'now'>;
  readonly ids: SeededIds;
  readonly account: string;
  readonly region: string;
  /** Where the queues can be reached. */
  readonly origin: () => string;
  readonly durable?: Durable | undefined;
}

/** Names of Amazon's that clients key on. */
const refusal = (name: string, message: string): AwsError => new AwsError(`com.amazonaws.sqs#${name}`, message);
const invalid = (message: string): AwsError => refusal('InvalidParameterValue', message);

/** SQS's own limit for one message, body and all. */
const MESSAGE_BYTES = 1_048_576;
/** Letters, digits and punctuation; what AWS takes as a group and as a deduplication id. */
const Id = z.string().regex(/^[!-~]{1,128}$/);
const Seconds = z.int().min(0).max(43_200);
const QueueUrl = z.string().min(1);

const Send = z.strictObject({
  QueueUrl,
  MessageBody: z.string().min(1),
  MessageGroupId: Id,
  MessageDeduplicationId: Id.optional(),
});
const Receive = z.strictObject({
  QueueUrl,
  MaxNumberOfMessages: z.int().min(1).max(10).default(1),
  VisibilityTimeout: Seconds.optional(),
  // Taken and not waited for: an empty answer comes at once.
  WaitTimeSeconds: z.int().min(0).max(20).optional(),
  AttributeNames: z.array(z.string()).optional(),
  MessageSystemAttributeNames: z.array(z.string()).optional(),
});
const Handle = z.strictObject({ QueueUrl, ReceiptHandle: z.string().min(1) });
const Redrive = z.strictObject({
  deadLetterTargetArn: z.string(),
  maxReceiveCount: z.coerce.number().int().min(1).max(1000),
});

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

export function createSqs({ clock, ids, account, region, origin, durable }: Environment): Sqs {
  const queues = new Map<string, FifoQueue>();
  const arnOf = (name: string): string => `arn:aws:sqs:${region}:${account}:${name}`;
  const urlOf = (name: string): string => `${origin()}/${account}/${name}`;

  const create = (name: string, attributes: Readonly<Record<string, string>> = {}): FifoQueue => {
    if (!/^[\w-]{1,75}\.fifo$/.test(name) || attributes['FifoQueue'] === 'false')
      throw refusal('UnsupportedOperation', 'Only FIFO queues are offered here.');
    const wanted = attributes['RedrivePolicy'];
    const redrive = wanted === undefined ? undefined : Redrive.safeParse(parseJson(wanted));
    if (redrive && !redrive.success) throw invalid('Value for parameter RedrivePolicy is invalid.');
    const to = redrive && [...queues.values()].find(({ arn }) => arn === redrive.data.deadLetterTargetArn);
    if (redrive && !to)
      throw invalid('Value for parameter RedrivePolicy is invalid. Reason: Dead letter target does not exist.');
    const settings = {
      visibilityMs: Number(attributes['VisibilityTimeout'] ?? 30) * 1_000,
      contentBased: attributes['ContentBasedDeduplication'] === 'true',
      deduplicatePerGroup: attributes['DeduplicationScope'] === 'messageGroup',
      ...(redrive && to && { redrive: { to, maxReceives: redrive.data.maxReceiveCount } }),
    };
    const queue = queues.get(name) ?? new FifoQueue(name, arnOf(name), settings, { clock, ids, durable });
    queue.settings = settings;
    queues.set(name, queue);
    return queue;
  };

  const named = (url: string): FifoQueue => {
    const queue = queues.get(url.split('/').at(-1) ?? '');
    if (!queue) throw refusal('QueueDoesNotExist', 'The specified queue does not exist.');
    return queue;
  };
  const inHand = (known: boolean): object => {
    if (!known) throw invalid('Value for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.');
    return {};
  };

  return {
    queues,
    create,
    urlOf,
    service: {
      targetPrefix: 'AmazonSQS',
      internalError: 'InternalFailure',
      messageField: 'message',
      operations: {
        CreateQueue: operation(
          z.strictObject({ QueueName: z.string(), Attributes: z.record(z.string(), z.string()).default({}) }),
          ({ QueueName, Attributes }) => ({ QueueUrl: urlOf(create(QueueName, Attributes).name) }),
        ),
        DeleteQueue: operation(z.strictObject({ QueueUrl }), (input) => {
          queues.delete(named(input.QueueUrl).name);
          return {};
        }),
        GetQueueUrl: operation(z.strictObject({ QueueName: z.string() }), ({ QueueName }) => ({
          QueueUrl: urlOf(named(QueueName).name),
        })),
        GetQueueAttributes: operation(z.looseObject({ QueueUrl }), (input) => ({
          Attributes: attributesOf(named(input.QueueUrl)),
        })),
        PurgeQueue: operation(z.strictObject({ QueueUrl }), (input) => {
          named(input.QueueUrl).purge();
          return {};
        }),
        SendMessage: operation(Send, ({ QueueUrl: url, MessageBody, MessageGroupId, MessageDeduplicationId }) => {
          const queue = named(url);
          if (Buffer.byteLength(MessageBody) > MESSAGE_BYTES)
            throw invalid(
              `One or more parameters are invalid. Reason: Message must be shorter than ${MESSAGE_BYTES} bytes.`,
            );
          if (MessageDeduplicationId === undefined && !queue.settings.contentBased)
            throw invalid(
              'The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly',
            );
          const { id, sequence } = queue.send({
            body: MessageBody,
            group: MessageGroupId,
            deduplicationId: MessageDeduplicationId,
          });
          return { MessageId: id, MD5OfMessageBody: md5(MessageBody), SequenceNumber: sequenceNumber(sequence) };
        }),
        ReceiveMessage: operation(Receive, ({ QueueUrl: url, MaxNumberOfMessages, VisibilityTimeout, ...wanted }) => {
          const visibilityMs = VisibilityTimeout === undefined ? undefined : VisibilityTimeout * 1_000;
          const names = [...(wanted.AttributeNames ?? []), ...(wanted.MessageSystemAttributeNames ?? [])];
          const Messages = named(url)
            .receive(MaxNumberOfMessages, visibilityMs)
            .map((message) => ({
              MessageId: message.id,
              ReceiptHandle: message.receipt,
              Body: message.body,
              MD5OfBody: md5(message.body),
              ...(names.length > 0 && {
                Attributes: Object.fromEntries(
                  Object.entries(systemAttributes(message, account)).filter(
                    ([name]) => names.includes('All') || names.includes(name),
                  ),
                ),
              }),
            }));
          return Messages.length > 0 ? { Messages } : {};
        }),
        DeleteMessage: operation(Handle, ({ QueueUrl: url, ReceiptHandle }) =>
          inHand(named(url).remove(ReceiptHandle)),
        ),
        ChangeMessageVisibility: operation(
          Handle.extend({ VisibilityTimeout: Seconds }),
          ({ QueueUrl: url, ReceiptHandle, VisibilityTimeout }) =>
            inHand(named(url).changeVisibility(ReceiptHandle, VisibilityTimeout * 1_000)),
        ),
      },
    },
  };
}

const sequenceNumber = (sequence: number): string => String(sequence).padStart(20, '0');

/** What SQS says of a message beside its body, and Lambda passes on. */
export const systemAttributes = (message: Message, account: string): Record<string, string> => ({
  ApproximateReceiveCount: String(message.receives),
  SentTimestamp: String(message.sentAt),
  ApproximateFirstReceiveTimestamp: String(message.firstReceivedAt ?? message.sentAt),
  SequenceNumber: sequenceNumber(message.sequence),
  MessageGroupId: message.group,
  MessageDeduplicationId: message.deduplicationId,
  SenderId: account,
});

function attributesOf(queue: FifoQueue): Record<string, string> {
  const { settings, messages } = queue;
  const out = messages.filter(queue.isOut).length;
  return {
    QueueArn: queue.arn,
    FifoQueue: 'true',
    VisibilityTimeout: String(settings.visibilityMs / 1_000),
    ContentBasedDeduplication: String(settings.contentBased ?? false),
    DeduplicationScope: settings.deduplicatePerGroup ? 'messageGroup' : 'queue',
    ApproximateNumberOfMessages: String(messages.length - out),
    ApproximateNumberOfMessagesNotVisible: String(out),
    ApproximateNumberOfMessagesDelayed: '0',
    ...(settings.redrive && {
      RedrivePolicy: JSON.stringify({
        deadLetterTargetArn: settings.redrive.to.arn,
        maxReceiveCount: settings.redrive.maxReceives,
      }),
    }),
  };
}
