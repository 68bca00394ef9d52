/** DynamoDB and S3 behind the embedded endpoint: that they are there, are met by faults, and refuse what they don't do. */
import {
  DescribeTableCommand,
  DynamoDBClient,
  PutItemCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import { HeadBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEmbeddedAws, type EmbeddedAws } from '../../../../infra/local/aws/embedded-aws.ts';
import type { Loopback } from '../../../../infra/local/loopback.ts';

let aws: EmbeddedAws;
let server: Loopback;
let dynamoDb: DynamoDBClient;
let s3: S3Client;
beforeAll(async () => {
  aws = createEmbeddedAws({ tables: ['state'], buckets: ['reports'] });
  server = await aws.listen();
  const sdk = {
    endpoint: server.origin,
    region: 'us-east-1',
    credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
    maxAttempts: 1,
  };
  dynamoDb = new DynamoDBClient(sdk);
  s3 = new S3Client(sdk);
});
afterAll(async () => {
  dynamoDb.destroy();
  s3.destroy();
  await server[Symbol.asyncDispose]();
});

const last = () => aws.faults.journal.at(-1);

describe('DynamoDB', () => {
  it('has the tables it was started with', async () => {
    const { Table } = await dynamoDb.send(new DescribeTableCommand({ TableName: 'state' }));
    expect(Table).toMatchObject({
      TableStatus: 'ACTIVE',
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
    });
  });

  it('refuses by the names clients key on', async () => {
    const put = (more: object) =>
      dynamoDb.send(new PutItemCommand({ TableName: 'state', Item: { pk: { S: 'a' }, sk: { S: 'b' } }, ...more }));
    await put({});
    await expect(put({ ConditionExpression: 'attribute_not_exists(pk)' })).rejects.toMatchObject({
      name: 'ConditionalCheckFailedException',
      $metadata: { httpStatusCode: 400 },
    });
    await expect(put({ ConditionExpression: 'pk === :a' })).rejects.toMatchObject({ name: 'ValidationException' });
    expect(last()).toEqual({ operation: 'PutItem', status: 400 });
  });

  it('does not know what it does not do', async () => {
    const TimeToLiveSpecification = { AttributeName: 'expiresAt', Enabled: true };
    await expect(
      dynamoDb.send(new UpdateTimeToLiveCommand({ TableName: 'state', TimeToLiveSpecification })),
    ).rejects.toMatchObject({ name: 'UnknownOperationException' });
  });
});

describe('S3', () => {
  it('has the buckets it was started with', async () => {
    await s3.send(new HeadBucketCommand({ Bucket: 'reports' }));
    expect(last()).toEqual({ operation: 'HeadBucket', status: 200 });
    await expect(s3.send(new PutObjectCommand({ Bucket: 'none', Key: 'x', Body: 'x' }))).rejects.toMatchObject({
      name: 'NoSuchBucket',
    });
  });

  it.each([
    [429, 'SlowDown', 503],
    [403, 'AccessDenied', 403],
    [500, 'InternalError', 500],
  ])('is broken in its own words: %i', async (status, name, answered) => {
    aws.faults.plan([{ operation: 'PutObject', nth: 1, fault: { kind: 'refuse', status } }]);
    await expect(s3.send(new PutObjectCommand({ Bucket: 'reports', Key: 'x', Body: 'x' }))).rejects.toMatchObject({
      name,
      $metadata: { httpStatusCode: answered },
    });
  });

  it('answers nobody who has not signed', async () => {
    const response = await fetch(`${server.origin}/reports/x`);
    expect([response.status, await response.text()]).toEqual([403, expect.stringContaining('AccessDenied')]);
  });
});
