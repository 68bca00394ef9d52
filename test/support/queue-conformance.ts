import { randomUUID } from 'node:crypto';
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { expect, test } from 'vitest';
import type { Place } from '../../lib/aws/connection.ts';
import { createQueue, type Message as Sent } from '../../lib/aws/queue.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import { deadlineIn } from '../../lib/runtime/deadline.ts';
import type { Difference } from './secrets-manager-conformance.ts';

interface World {
  readonly client: SQSClient;
  readonly place: Place;
  readonly url: string;
  /** The queue's dead letters: it hands out twice. */
  readonly deadUrl: string;
}

interface Behaviour {
  readonly behaviour: string;
  readonly documented: unknown;
  readonly observe: (world: World) => Promise<unknown>;
}

/** The shortest time out of sight SQS knows, beside none. */
const VISIBILITY_SECONDS = 1;

/**
 * Defines one test per behaviour of SQS FIFO queues that delivery relies on, sent to by the bundle's own queue, against
 * nothing but an endpoint. `pass` lets time go by for whatever stands there.
 */
export function queueConformance(
  endpoint: () => string,
  pass: (ms: number) => Promise<void> | void,
  differences: readonly Difference[] = [],
): void {
  test('every stated difference is about a behaviour below and is one', () => {
    const wrong = differences.filter(({ behaviour, shows }) => {
      const known = behaviours(pass).find((b) => b.behaviour === behaviour);
      return !known || JSON.stringify(known.documented) === JSON.stringify(shows);
    });
    expect(wrong).toEqual([]);
  });
  test.each(behaviours(pass))('$behaviour', async ({ behaviour, documented, observe }) => {
    const place = {
      endpoint: endpoint(),
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    };
    const client = new SQSClient({ ...place, maxAttempts: 1 });
    try {
      const difference = differences.find((d) => d.behaviour === behaviour);
      expect(await observe(await prepare(client, place)), difference?.why ?? '').toEqual(
        difference ? difference.shows : documented,
      );
    } finally {
      client.destroy();
    }
  });
}

async function prepare(client: SQSClient, place: Place): Promise<World> {
  const name = randomUUID().slice(0, 8);
  const create = async (suffix: string, more: Record<string, string> = {}): Promise<string> => {
    const Attributes = { FifoQueue: 'true', VisibilityTimeout: String(VISIBILITY_SECONDS), ...more };
    const { QueueUrl = '' } = await client.send(
      new CreateQueueCommand({ QueueName: `${name}${suffix}.fifo`, Attributes }),
    );
    return QueueUrl;
  };
  const deadUrl = await create('-dead');
  const { Attributes } = await client.send(
    new GetQueueAttributesCommand({ QueueUrl: deadUrl, AttributeNames: ['QueueArn'] }),
  );
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: Attributes?.['QueueArn'], maxReceiveCount: 2 });
  return { client, place, deadUrl, url: await create('', { RedrivePolicy }) };
}

const outcome = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'accepted',
    (error: unknown) => (error instanceof Error ? error.name : String(error)),
  );

const send = ({ place, url }: World, body: string, more: Partial<Sent> = {}): Promise<void> =>
  createQueue(url, place).send(
    { body, group: 'a', deduplicationId: randomUUID(), ...more },
    deadlineIn(10_000, systemClock),
  );

async function receive({ client, url }: Pick<World, 'client' | 'url'>, most = 10): Promise<Message[]> {
  const { Messages = [] } = await client.send(
    new ReceiveMessageCommand({
      QueueUrl: url,
      MaxNumberOfMessages: most,
      MessageSystemAttributeNames: ['All'],
    }),
  );
  return Messages;
}
const bodies = async (world: Pick<World, 'client' | 'url'>, most?: number): Promise<string[]> =>
  (await receive(world, most)).map(({ Body = '' }) => Body);
const remove = ({ client, url }: World, { ReceiptHandle }: Message) =>
  client.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle }));

const behaviours = (pass: (ms: number) => Promise<void> | void): readonly Behaviour[] => {
  const passVisibility = () => pass(VISIBILITY_SECONDS * 1_000 + 100);
  return [
    {
      behaviour: 'messages of a group come in order, and as many at once as are asked for',
      documented: [['1', '2', '3'], ['4']],
      observe: async (world) => {
        for (const body of ['1', '2', '3', '4']) await send(world, body);
        const first = await receive(world, 3);
        for (const message of first) await remove(world, message);
        return [first.map(({ Body }) => Body), await bodies(world)];
      },
    },
    {
      behaviour: 'a message says how often it came, of which group it is and when it was sent',
      documented: ['1', 'group/7', 'id-7', true],
      observe: async (world) => {
        await send(world, 'x', { group: 'group/7', deduplicationId: 'id-7' });
        const [{ Attributes: told = {} } = {}] = await receive(world);
        const { ApproximateReceiveCount, MessageGroupId, MessageDeduplicationId, SentTimestamp } = told;
        return [ApproximateReceiveCount, MessageGroupId, MessageDeduplicationId, /^\d{13}$/.test(SentTimestamp ?? '')];
      },
    },
    {
      behaviour: 'a message with a deduplication id that was used is taken and not delivered',
      documented: ['first'],
      observe: async (world) => {
        await send(world, 'first', { deduplicationId: 'same' });
        await send(world, 'second', { deduplicationId: 'same' });
        return bodies(world);
      },
    },
    {
      behaviour: 'a deduplication id counts even after its message was deleted',
      documented: [],
      observe: async (world) => {
        await send(world, 'first', { deduplicationId: 'same' });
        for (const message of await receive(world)) await remove(world, message);
        await send(world, 'second', { deduplicationId: 'same' });
        return bodies(world);
      },
    },
    {
      behaviour: 'a group waits while one of its messages is out, and no other group does',
      documented: [['1'], ['other'], []],
      observe: async (world) => {
        await send(world, '1');
        await send(world, '2');
        const first = await bodies(world, 1);
        await send(world, 'other', { group: 'b' });
        return [first, await bodies(world), await bodies(world)];
      },
    },
    {
      behaviour: 'what was not deleted in time comes again, in its old place',
      documented: [['1'], ['1', '2']],
      observe: async (world) => {
        await send(world, '1');
        await send(world, '2');
        const first = await bodies(world, 1);
        await passVisibility();
        return [first, await bodies(world)];
      },
    },
    {
      behaviour: 'one message of a batch that stays holds back the rest of its group',
      documented: [[], ['2', '3']],
      observe: async (world) => {
        for (const body of ['1', '2', '3']) await send(world, body);
        const [one] = await receive(world, 2);
        if (one) await remove(world, one);
        const meanwhile = await bodies(world);
        await passVisibility();
        return [meanwhile, await bodies(world)];
      },
    },
    {
      behaviour: 'a message made visible comes again at once',
      documented: ['1', '2'],
      observe: async (world) => {
        await send(world, '1');
        await send(world, '2');
        const { client, url } = world;
        for (const { ReceiptHandle } of await receive(world, 1))
          await client.send(new ChangeMessageVisibilityCommand({ QueueUrl: url, ReceiptHandle, VisibilityTimeout: 0 }));
        return bodies(world);
      },
    },
    {
      behaviour: 'a receipt is no good once its time is over',
      documented: ['InvalidParameterValue', ['1']],
      observe: async (world) => {
        await send(world, '1');
        const [message] = await receive(world);
        await passVisibility();
        const late = message ? await outcome(remove(world, message)) : 'nothing came';
        return [late, await bodies(world)];
      },
    },
    {
      behaviour: 'a message deleted twice is deleted',
      documented: 'accepted',
      observe: async (world) => {
        await send(world, '1');
        const [message] = await receive(world);
        if (!message) return 'nothing came';
        await remove(world, message);
        return outcome(remove(world, message));
      },
    },
    {
      behaviour: 'a message that came too often goes to the dead letters, and its group goes on',
      documented: [['1'], ['1'], ['2'], ['1']],
      observe: async (world) => {
        await send(world, '1');
        const first = await bodies(world);
        await passVisibility();
        const second = await bodies(world);
        await send(world, '2');
        await passVisibility();
        const third = await bodies(world);
        return [first, second, third, await bodies({ client: world.client, url: world.deadUrl })];
      },
    },
    {
      behaviour: 'a message without a deduplication id is refused where the body is not to make one',
      documented: 'InvalidParameterValue',
      observe: async ({ client, url }) => {
        const { SendMessageCommand } = await import('@aws-sdk/client-sqs');
        return outcome(client.send(new SendMessageCommand({ QueueUrl: url, MessageBody: '1', MessageGroupId: 'a' })));
      },
    },
    {
      behaviour: 'a queue that is not there is told by name',
      documented: 'QueueDoesNotExist',
      observe: async ({ client, url }) =>
        outcome(client.send(new ReceiveMessageCommand({ QueueUrl: url.replace('.fifo', '-none.fifo') }))),
    },
  ];
};
