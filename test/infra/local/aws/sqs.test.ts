import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEmbeddedAws, type EmbeddedAws } from '../../../../infra/local/aws/embedded-aws.ts';
import type { Loopback } from '../../../../infra/local/loopback.ts';
import { queueConformance } from '../../../support/queue-conformance.ts';

const aws: EmbeddedAws = createEmbeddedAws();
let server: Loopback;
beforeAll(async () => {
  server = await aws.listen();
});
afterAll(() => server[Symbol.asyncDispose]());

queueConformance(
  () => server.origin,
  (ms) => aws.clock.advance(ms),
);

describe('the embedded queue', () => {
  const send = (queue: ReturnType<EmbeddedAws['sqs']['create']>, body: string, group = 'a') =>
    queue.send({ body, group, deduplicationId: body });

  it('forgets a deduplication id after five minutes', () => {
    const queue = aws.sqs.create('five-minutes.fifo');
    const { id } = send(queue, 'x');
    aws.clock.advance(299_000);
    expect(send(queue, 'x').id).toBe(id);
    aws.clock.advance(2_000);
    expect(send(queue, 'x').id).not.toBe(id);
    expect(queue.messages).toHaveLength(2);
  });

  it('tells groups apart when it compares deduplication ids, where it is told to', () => {
    const queue = aws.sqs.create('per-group.fifo', { DeduplicationScope: 'messageGroup' });
    send(queue, 'x', 'a');
    send(queue, 'x', 'b');
    send(queue, 'x', 'a');
    expect(queue.messages.map(({ group }) => group)).toEqual(['a', 'b']);
  });

  it('drops what nobody took for four days', () => {
    const queue = aws.sqs.create('four-days.fifo');
    send(queue, 'old');
    aws.clock.advance(3 * 86_400_000);
    send(queue, 'new');
    aws.clock.advance(86_400_001);
    expect(queue.receive(10).map(({ body }) => body)).toEqual(['new']);
  });

  it.each([
    ['no FIFO name', 'alerts', {}],
    ['dead letters that are not there', 'a.fifo', { RedrivePolicy: '{"deadLetterTargetArn":"x","maxReceiveCount":1}' }],
    ['a policy that is no JSON', 'a.fifo', { RedrivePolicy: 'x' }],
  ])('is not made with %s', (_, name, attributes) => {
    expect(() => aws.sqs.create(name, attributes)).toThrow();
  });
});
