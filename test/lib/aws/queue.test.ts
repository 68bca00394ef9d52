import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEmbeddedAws, type EmbeddedAws } from '../../../infra/local/aws/embedded-aws.ts';
import type { FifoQueue } from '../../../infra/local/aws/sqs/fifo-queue.ts';
import type { Loopback } from '../../../infra/local/loopback.ts';
import type { Place } from '../../../lib/aws/connection.ts';
import { createQueue, type Queue } from '../../../lib/aws/queue.ts';
import { systemClock } from '../../../lib/runtime/clock.ts';
import { deadlineIn } from '../../../lib/runtime/deadline.ts';

const soon = () => deadlineIn(10_000, systemClock);

let aws: EmbeddedAws;
let server: Loopback;
let held: FifoQueue;
let place: Place;
let queue: Queue;
beforeAll(async () => {
  aws = createEmbeddedAws();
  server = await aws.listen();
  held = aws.sqs.create('alerts.fifo');
  place = {
    endpoint: server.origin,
    region: 'us-east-1',
    credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
  };
  queue = createQueue(aws.sqs.urlOf('alerts.fifo'), place);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

const bodies = (): string[] => held.messages.map(({ body }) => body);

describe('a message', () => {
  it('is in the queue once it was sent, in its group', async () => {
    await queue.send({ body: '{"a":"ü"}', group: 'incident/1', deduplicationId: 'first' }, soon());
    expect(held.messages).toMatchObject([{ body: '{"a":"ü"}', group: 'incident/1', deduplicationId: 'first' }]);
  });

  it.each(['lost', 'slow'] as const)('is there once, though its answer was %s', async (kind) => {
    held.purge();
    aws.faults.plan([{ operation: 'SendMessage', nth: 1, fault: kind === 'slow' ? { kind, ms: 50 } : { kind } }]);
    await queue.send({ body: kind, group: 'g', deduplicationId: kind }, soon());
    expect(bodies()).toEqual([kind]);
  });

  it('is tried again after a refusal that passes', async () => {
    held.purge();
    aws.faults.plan([
      { operation: 'SendMessage', nth: 1, fault: { kind: 'refuse', status: 429 } },
      { operation: 'SendMessage', nth: 2, fault: { kind: 'refuse', status: 500 } },
    ]);
    await queue.send({ body: 'x', group: 'g', deduplicationId: 'refused' }, soon());
    expect(bodies()).toEqual(['x']);
  });

  it('that could not be sent says so, with its deduplication id and without its body', async () => {
    const nowhere = createQueue(aws.sqs.urlOf('none.fifo'), place);
    const error = await nowhere
      .send({ body: 'mdb_sa_sk_x', group: 'g', deduplicationId: 'none' }, soon())
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'AWS_CALL_FAILED',
      disposition: 'give-up',
      facts: { operation: 'SendMessage', deduplicationId: 'none' },
    });
    expect(JSON.stringify(error)).not.toContain('mdb_sa_sk');
  });
});
