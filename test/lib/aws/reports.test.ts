import { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createEmbeddedAws, type EmbeddedAws } from '../../../infra/local/aws/embedded-aws.ts';
import type { Loopback } from '../../../infra/local/loopback.ts';
import { createReports } from '../../../lib/aws/reports.ts';
import { systemClock } from '../../../lib/runtime/clock.ts';
import { deadlineIn } from '../../../lib/runtime/deadline.ts';
import { reportsContract } from '../../support/reports-contract.ts';

const soon = () => deadlineIn(10_000, systemClock);

let aws: EmbeddedAws;
let server: Loopback;
let client: S3Client;
beforeAll(async () => {
  aws = createEmbeddedAws({ buckets: ['reports'] });
  server = await aws.listen();
  client = new S3Client({
    endpoint: server.origin,
    region: 'us-east-1',
    credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
  });
});
afterAll(async () => {
  client.destroy();
  await server[Symbol.asyncDispose]();
});

describe('reports in S3', () => {
  reportsContract(() => createReports('reports', client));
});

describe('a call', () => {
  it('is repeated after a lost answer and after a refusal that passes', async () => {
    const reports = createReports('reports', client);
    aws.faults.plan([
      { operation: 'PutObject', nth: 1, fault: { kind: 'lost' } },
      { operation: 'GetObject', nth: 1, fault: { kind: 'refuse', status: 503 } },
    ]);
    await reports.put('faults', 'x', 'text/plain', soon());
    expect(new TextDecoder().decode(await reports.get('faults', soon()))).toBe('x');
  });

  it.each([
    ['put', 'PutObject'],
    ['get', 'GetObject'],
    ['list', 'ListObjectsV2'],
  ])('that AWS refuses is told by its name: %s', async (_, operation) => {
    const reports = createReports('reports', client);
    aws.faults.plan([{ operation, nth: 1, fault: { kind: 'refuse', status: 403 } }]);
    const call =
      operation === 'PutObject'
        ? reports.put('x', 'x', 'text/plain', soon())
        : operation === 'GetObject'
          ? reports.get('x', soon())
          : reports.list('x', soon())[Symbol.asyncIterator]().next();
    await expect(call).rejects.toMatchObject({
      code: 'AWS_CALL_FAILED',
      error: 'AccessDenied',
      disposition: 'give-up',
      facts: { operation, bucket: 'reports', key: 'x' },
    });
  });

  it('goes by path to an endpoint of somebody’s own, whatever that is called', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL', server.origin.replace('127.0.0.1', 'localhost'));
    vi.stubEnv('AWS_REGION', 'us-east-1');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'x');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'x');
    const reports = createReports('reports');
    await reports.put('by-path', 'x', 'text/plain', soon());
    expect(new TextDecoder().decode(await reports.get('by-path', soon()))).toBe('x');
  });
});
