import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createEmbeddedAws, type EmbeddedAws } from '../../../infra/local/aws/embedded-aws.ts';
import { createEventBatches } from '../../../lib/aws/event-batches.ts';
import { systemClock } from '../../../lib/runtime/clock.ts';
import { deadlineIn } from '../../../lib/runtime/deadline.ts';

const running = new AsyncDisposableStack();
let aws: EmbeddedAws;
let client: EventBridgeClient;

beforeAll(async () => {
  aws = createEmbeddedAws();
  const { origin: endpoint } = running.use(await aws.listen());
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  client = running.adopt(new EventBridgeClient({ region: 'us-east-1', endpoint, credentials, maxAttempts: 1 }), (it) =>
    it.destroy(),
  );
});
afterAll(() => running.disposeAsync());

const events = (count: number) => Array.from({ length: count }, (_, nth) => ({ detailType: 'Test', detail: { nth } }));
const seen = (from: number) => aws.events.entries.slice(from).map(({ detail }) => detail['nth']);
const deadline = () => deadlineIn(10_000, systemClock);

it('sends ten at a time, in order', async () => {
  const [from, calls] = [aws.events.entries.length, aws.faults.journal.length];
  expect(await createEventBatches('default', client).publish(events(23), deadline())).toEqual([]);
  expect(seen(from)).toEqual(Array.from({ length: 23 }, (_, nth) => nth));
  expect(aws.faults.journal.slice(calls)).toHaveLength(3);
});

it('sends what was refused again by itself, and answers what stays refused', async () => {
  const from = aws.events.entries.length;
  aws.events.failEntries([2, 5, 7].map((nth) => ({ nth, errorCode: 'ThrottlingException' })));
  // The second and the fifth of five; of those two again the second; then none.
  expect(await createEventBatches('default', client).publish(events(5), deadline())).toHaveLength(0);
  expect(seen(from).toSorted()).toEqual([0, 1, 2, 3, 4]);
  aws.events.failEntries([1, 2, 3].map((nth) => ({ nth, errorCode: 'InternalFailure' })));
  const [left] = await createEventBatches('default', client).publish(events(1), deadline());
  expect(left?.detail).toEqual({ nth: 0 });
  aws.events.failEntries([]);
});

it('says so where the whole call fails', async () => {
  aws.faults.plan([{ operation: 'PutEvents', nth: 1, fault: { kind: 'refuse', status: 500 } }]);
  const sent = createEventBatches('default', client).publish(events(2), deadline());
  await expect(sent).rejects.toMatchObject({ code: 'AWS_CALL_FAILED', facts: { operation: 'PutEvents' } });
});
