import { PutEventsCommand, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { expect, test } from 'vitest';
import type { BusEvent } from '../../../../infra/local/aws/event-bridge.ts';
import { startEmbeddedAws } from './embedded-aws-clients.ts';

const good: PutEventsRequestEntry = { Source: 'atlas-automation', DetailType: 'Rotated', Detail: '{"a":1}' };
const put = (Entries: PutEventsRequestEntry[]) => new PutEventsCommand({ Entries });

test('an accepted entry reads as a target would receive it', async () => {
  await using s = await startEmbeddedAws();
  const Time = new Date('2026-03-01T10:00:00Z');
  const { Entries } = await s.events.send(put([{ ...good, Time, Resources: ['arn:x'] }]));
  expect(s.aws.events.entries).toEqual([
    {
      version: '0',
      id: Entries?.[0]?.EventId,
      'detail-type': 'Rotated',
      source: 'atlas-automation',
      account: '000000000000',
      time: '2026-03-01T10:00:00Z',
      region: 'us-east-1',
      resources: ['arn:x'],
      detail: { a: 1 },
      bus: 'default',
    },
  ]);
});

test.each([
  ['no source', { Source: '' }, 'InvalidArgument'],
  ['no detail type', { DetailType: '' }, 'InvalidArgument'],
  ['no detail', { Detail: '' }, 'InvalidArgument'],
  ['too long a detail type', { DetailType: 'x'.repeat(129) }, 'InvalidArgument'],
  ['broken detail', { Detail: '{' }, 'MalformedDetail'],
  ['a detail that is no object', { Detail: '[1]' }, 'MalformedDetail'],
  ['the source of an AWS service', { Source: 'aws.ec2' }, 'NotAuthorizedForSourceException'],
])('an entry with %s fails alone', async (_, wrong, ErrorCode) => {
  await using s = await startEmbeddedAws();
  const { FailedEntryCount, Entries = [] } = await s.events.send(put([{ ...good, ...wrong }, good]));
  expect([FailedEntryCount, Entries[0]?.ErrorCode, typeof Entries[1]?.EventId]).toEqual([1, ErrorCode, 'string']);
  expect(s.aws.events.entries).toHaveLength(1);
});

test.each([
  ['no entry at all', []],
  ['no complete entry', [{ Source: 'x' }]],
  ['eleven entries', Array.from({ length: 11 }, () => good)],
  ['more than 1 MiB', [{ ...good, Detail: JSON.stringify({ a: 'x'.repeat(2 ** 20) }) }]],
])('a request with %s is refused as a whole', async (_, entries) => {
  await using s = await startEmbeddedAws();
  await expect(s.events.send(put(entries))).rejects.toMatchObject({ name: 'ValidationException' });
  expect(s.aws.events.entries).toEqual([]);
});

test('planned entries fail by their number over all requests', async () => {
  await using s = await startEmbeddedAws();
  s.aws.events.failEntries([{ nth: 3, errorCode: 'ThrottlingException' }]);
  await s.events.send(put([good, good]));
  const { Entries } = await s.events.send(put([good, good]));
  expect(Entries?.map(({ ErrorCode }) => ErrorCode)).toEqual(['ThrottlingException', undefined]);
});

test('a custom bus is reached by name and by ARN once it exists', async () => {
  await using s = await startEmbeddedAws();
  s.aws.events.buses.add('ops');
  const EventBusName = 'arn:aws:events:us-east-1:000000000000:event-bus/ops';
  await s.events.send(
    put([
      { ...good, EventBusName: 'ops' },
      { ...good, EventBusName },
    ]),
  );
  expect(s.aws.events.entries.map(({ bus }) => bus)).toEqual(['ops', 'ops']);
});

test('events for a bus that does not exist are accepted and vanish', async () => {
  await using s = await startEmbeddedAws();
  const { FailedEntryCount } = await s.events.send(put([{ ...good, EventBusName: 'nowhere' }]));
  expect([FailedEntryCount, s.aws.events.entries]).toEqual([0, []]);
});

test('subscribers get events until they leave', async () => {
  await using s = await startEmbeddedAws();
  const seen: BusEvent[] = [];
  const leave = s.aws.events.subscribe(async (event) => void seen.push(event));
  await s.events.send(put([good]));
  leave();
  await s.events.send(put([good]));
  await s.aws.events.delivered();
  expect(seen).toHaveLength(1);
});

test('delivered reports what a subscriber threw', async () => {
  await using s = await startEmbeddedAws();
  s.aws.events.subscribe(() => Promise.reject(new Error('target failed')));
  await s.events.send(put([good]));
  await expect(s.aws.events.delivered()).rejects.toThrow('target failed');
});
