import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe } from 'vitest';
import { createReports } from '../../lib/aws/reports.ts';
import { createState } from '../../lib/aws/state.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import { queueConformance } from '../support/queue-conformance.ts';
import { reportsContract } from '../support/reports-contract.ts';
import type { Difference } from '../support/secrets-manager-conformance.ts';
import { stateContract } from '../support/state-contract.ts';

const endpoint = (): string => {
  const origin = process.env['AWS_ENDPOINT_URL'];
  if (!origin) throw new Error("AWS_ENDPOINT_URL must be the origin of moto's server, e.g. http://127.0.0.1:5055");
  return origin;
};

const name = `contract-${randomUUID()}`;
const sdk = { region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
let dynamoDb: DynamoDBClient;
let s3: S3Client;
beforeAll(async () => {
  dynamoDb = new DynamoDBClient({ ...sdk, endpoint: endpoint() });
  s3 = new S3Client({ ...sdk, endpoint: endpoint() });
  await dynamoDb.send(
    new CreateTableCommand({
      TableName: name,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'S' },
      ],
    }),
  );
  await s3.send(new CreateBucketCommand({ Bucket: name }));
});
afterAll(() => {
  dynamoDb.destroy();
  s3.destroy();
});

/** Where moto 5.2.5 departs from the documented service. */
const differences: readonly Difference[] = [
  {
    behaviour: 'a deduplication id counts even after its message was deleted',
    why: 'moto compares with the messages that are still in the queue, not with the ids of the last five minutes',
    shows: ['second'],
  },
  {
    behaviour: 'a receipt is no good once its time is over',
    why: 'moto deletes by any receipt the message ever had',
    shows: ['accepted', []],
  },
];

describe('the state in DynamoDB', () => {
  stateContract((clock) => createState(name, { ...sdk, endpoint: endpoint() }, { ...systemClock, ...clock }));
});

describe('reports in S3', () => {
  reportsContract(() => createReports(name, s3));
});

describe('a FIFO queue', () => {
  queueConformance(endpoint, (ms) => sleep(ms), differences);
});
