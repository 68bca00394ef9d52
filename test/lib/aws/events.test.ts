import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createEmbeddedAws, type EmbeddedAws } from '../../../infra/local/aws/embedded-aws.ts';
import { AwsError } from '../../../infra/local/aws/json-protocol.ts';
import { type Loopback, serveOnLoopback } from '../../../infra/local/loopback.ts';
import { AwsCallFailed } from '../../../lib/aws/errors.ts';
import { createEvents } from '../../../lib/aws/events.ts';
import { systemClock } from '../../../lib/runtime/clock.ts';
import { deadlineIn } from '../../../lib/runtime/deadline.ts';

const event = { detailType: 'Something Happened', detail: { id: 1 }, resources: ['arn:aws:x:::y'] };
const soon = () => deadlineIn(5_000, systemClock);

let aws: EmbeddedAws;
let server: Loopback;
const eventsAt = (endpoint: string) =>
  createEvents(
    'default',
    new EventBridgeClient({
      endpoint,
      region: 'us-east-1',
      maxAttempts: 1,
      credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
    }),
  );

beforeEach(async () => {
  aws = createEmbeddedAws();
  server = await aws.listen();
});
afterEach(() => server[Symbol.asyncDispose]());

describe('an event', () => {
  it('goes to the bus under the bundle’s own name', async () => {
    expect(await eventsAt(server.origin).publish(event, soon())).toBe(true);
    expect(aws.events.entries).toMatchObject([
      {
        source: 'atlas-automation',
        'detail-type': 'Something Happened',
        detail: { id: 1 },
        resources: event.resources,
      },
    ]);
  });

  it('that is refused inside a success is a failure', async () => {
    aws.events.failEntries([{ nth: 1, errorCode: 'InternalFailure' }]);
    await expect(eventsAt(server.origin).publish(event, soon())).rejects.toMatchObject({
      error: 'InternalFailure',
      disposition: 'retry',
    });
  });

  it.each([400, 403, 500, 503])('that is refused with %i is one too', async (status) => {
    aws.faults.plan([{ operation: 'PutEvents', nth: 1, fault: { kind: 'refuse', status } }]);
    await expect(eventsAt(server.origin).publish(event, soon())).rejects.toThrow(AwsCallFailed);
  });

  it('reaches nobody, and says so, where there is no EventBridge', async () => {
    const { type, message } = new AwsError('UnknownOperationException', 'not here');
    await using bare = await serveOnLoopback(async () => Response.json({ __type: type, message }, { status: 400 }));
    expect(await eventsAt(bare.origin).publish(event, soon())).toBe(false);
  });
});
