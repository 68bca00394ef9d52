import { createHash, randomBytes } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEmbeddedAws, type EmbeddedAws } from '../../../infra/local/aws/embedded-aws.ts';
import { createReportStreams } from '../../../lib/aws/report-streams.ts';
import { systemClock } from '../../../lib/runtime/clock.ts';
import { deadlineIn } from '../../../lib/runtime/deadline.ts';

const BUCKET = 'reports';
const MEGABYTE = 2 ** 20;
const running = new AsyncDisposableStack();
let aws: EmbeddedAws;
let client: S3Client;

beforeAll(async () => {
  aws = createEmbeddedAws({ buckets: [BUCKET] });
  const { origin: endpoint } = running.use(await aws.listen());
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  client = running.adopt(
    new S3Client({ region: 'us-east-1', endpoint, credentials, forcePathStyle: true, maxAttempts: 1 }),
    (it) => it.destroy(),
  );
});
afterAll(() => running.disposeAsync());

const deadline = () => deadlineIn(30_000, systemClock);
async function* pieces(count: number, size: number): AsyncGenerator<string> {
  for (let nth = 0; nth < count; nth++) yield `${nth} é`.padEnd(size, 'x');
}
const all = async (values: AsyncIterable<string>): Promise<string[]> => {
  const list: string[] = [];
  for await (const value of values) list.push(value);
  return list;
};
const stored = async (Key: string): Promise<Buffer> => {
  const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
};
const names = async (): Promise<string[]> => {
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: BUCKET }));
  return Contents.map(({ Key = '' }) => Key);
};

it.each([
  ['nothing', 0, 0],
  ['a little', 3, 10],
  ['more than goes in one piece', 21, MEGABYTE],
])('stores %s, and answers its length and hash', async (name, count, size) => {
  const streams = createReportStreams(BUCKET, client);
  const { bytes, sha256 } = await streams.put(name, pieces(count, size), 'text/plain', deadline());
  const body = await stored(name);
  expect(bytes).toBe(body.byteLength);
  expect(sha256).toBe(createHash('sha256').update(body).digest('hex'));
});

describe('a file that may be compressed', () => {
  it('is left as it is while it fits into one piece', async () => {
    const streams = createReportStreams(BUCKET, client);
    const put = await streams.put('small.json', pieces(3, 10), 'text/plain', deadline(), { compressLarge: true });
    expect(put.key).toBe('small.json');
    expect((await stored('small.json')).toString()).toBe((await all(pieces(3, 10))).join(''));
  });

  it.each([
    ['once compressed, fits into one piece', 21, (nth: number) => `${nth} é`.padEnd(MEGABYTE, 'x')],
    ['does not even then', 14, () => randomBytes(MEGABYTE).toString('base64')],
  ])('is compressed under another name where it is larger, and %s', async (what, count, text) => {
    const texts = Array.from({ length: count }, (_, nth) => text(nth));
    async function* body(): AsyncGenerator<string> {
      yield* texts;
    }
    const streams = createReportStreams(BUCKET, client);
    const put = await streams.put(`${what}.json`, body(), 'text/plain', deadline(), { compressLarge: true });
    expect(put.key).toBe(`${what}.json.gz`);
    const bytes = await stored(put.key);
    expect(put).toMatchObject({ bytes: bytes.byteLength, sha256: createHash('sha256').update(bytes).digest('hex') });
    expect(gunzipSync(bytes).toString() === texts.join('')).toBe(true);
    expect(await names()).not.toContain(`${what}.json`);
  });

  it('that breaks off is taken back', async () => {
    async function* breaking(): AsyncGenerator<string> {
      for (let nth = 0; nth < 14; nth++) yield randomBytes(MEGABYTE).toString('base64');
      throw new Error('broke off');
    }
    const streams = createReportStreams(BUCKET, client);
    const put = streams.put('half.json', breaking(), 'text/plain', deadline(), { compressLarge: true });
    await expect(put).rejects.toThrow('broke off');
    expect((await names()).filter((name) => name.startsWith('half'))).toEqual([]);
  });
});

it('shows nobody a file that broke off', async () => {
  async function* breaking(): AsyncGenerator<string> {
    yield* pieces(20, MEGABYTE);
    throw new Error('broke off');
  }
  const streams = createReportStreams(BUCKET, client);
  await expect(streams.put('half', breaking(), 'text/plain', deadline())).rejects.toThrow('broke off');
  expect(await names()).not.toContain('half');
});

it('says which call failed', async () => {
  aws.faults.plan([{ operation: 'PutObject', nth: 1, fault: { kind: 'refuse', status: 403 } }]);
  const streams = createReportStreams(BUCKET, client);
  await expect(streams.put('refused', pieces(1, 10), 'text/plain', deadline())).rejects.toMatchObject({
    code: 'AWS_CALL_FAILED',
    facts: { operation: 'PutObject', key: 'refused' },
  });
});
