import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Connection, connect, endpointOf, type Place } from '../../../lib/aws/connection.ts';
import { AwsCallFailed } from '../../../lib/aws/errors.ts';
import { systemClock } from '../../../lib/runtime/clock.ts';
import { deadlineIn } from '../../../lib/runtime/deadline.ts';

interface Offered {
  readonly Do: readonly [object, object];
}

interface Asked {
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

const KEYS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
const soon = (ms = 10_000) => deadlineIn(ms, systemClock);
let running = new AsyncDisposableStack();
afterEach(async () => {
  vi.unstubAllEnvs();
  await running.disposeAsync();
  running = new AsyncDisposableStack();
});

/** A service that gives these answers, one to each request, and the last of them again and again. */
async function serviceThat(
  ...answers: readonly ((response: ServerResponse) => void)[]
): Promise<{ asked: Asked[]; endpoint: string; to(place?: Place): Connection<Offered> }> {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const answer = answers[Math.min(asked.length, answers.length - 1)];
    asked.push({ headers: request.headers, body: await text(request) });
    answer?.(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  running.defer(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(() => resolve()));
  });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    asked,
    endpoint,
    to: (place) => connect<Offered>('dynamodb', { endpoint, region: 'eu-west-1', credentials: KEYS, ...place }),
  };
}

const says =
  (status: number, body: unknown, headers: Record<string, string> = {}) =>
  (response: ServerResponse): void =>
    void response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));

const fails = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'nothing',
    (error: unknown) => error,
  );

/** The signature of a request, worked out by the words of AWS alone. Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
function signatureOf({ headers, body }: Asked, region: string, service: string): string {
  const digest = (data: string): string => createHash('sha256').update(data).digest('hex');
  const hmac = (key: string | Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest();
  const signed = /SignedHeaders=([^,]+)/.exec(headers.authorization ?? '')?.[1] ?? '';
  const canonical = signed.split(';').map((name) => `${name}:${String(headers[name]).trim()}\n`);
  const request = ['POST', '/', '', canonical.join(''), signed, digest(body)].join('\n');
  const date = String(headers['x-amz-date']);
  const scope = [date.slice(0, 8), region, service, 'aws4_request'];
  const key = scope.reduce<string | Buffer>((made, part) => hmac(made, part), `AWS4${KEYS.secretAccessKey}`);
  return hmac(key, ['AWS4-HMAC-SHA256', date, scope.join('/'), digest(request)].join('\n')).toString('hex');
}

describe('a request', () => {
  it('names the operation, and is signed as AWS says', async () => {
    const service = await serviceThat(says(200, { Done: 'ü' }));
    expect(await service.to().call('Do', { Text: 'ü\u2028"' }, soon())).toEqual({ Done: 'ü' });
    const [asked] = service.asked;
    expect(asked?.headers).toMatchObject({
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'DynamoDB_20120810.Do',
      host: new URL(service.endpoint).host,
    });
    expect(JSON.parse(asked?.body ?? '')).toEqual({ Text: 'ü\u2028"' });
    expect(asked?.headers.authorization).toContain('content-type;host;x-amz-content-sha256;x-amz-date;x-amz-target,');
    expect(asked?.headers.authorization).toContain(`Signature=${asked && signatureOf(asked, 'eu-west-1', 'dynamodb')}`);
  });

  it('carries the session of a role, and signs it', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', KEYS.accessKeyId);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', KEYS.secretAccessKey);
    vi.stubEnv('AWS_SESSION_TOKEN', 'the-session');
    vi.stubEnv('AWS_REGION', 'eu-central-1');
    const service = await serviceThat(says(200, {}));
    await connect<Offered>('sqs', { endpoint: service.endpoint }).call('Do', {}, soon());
    const [asked] = service.asked;
    expect(asked?.headers).toMatchObject({
      'x-amz-security-token': 'the-session',
      'x-amz-target': 'AmazonSQS.Do',
    });
    expect(asked?.headers.authorization).toMatch(/SignedHeaders=[^,]*x-amz-security-token/);
    expect(asked?.headers.authorization).toContain(`Signature=${asked && signatureOf(asked, 'eu-central-1', 'sqs')}`);
  });

  it.each([
    [{}, 'https://sqs.eu-west-1.amazonaws.com'],
    [{ AWS_ENDPOINT_URL: '', AWS_ENDPOINT_URL_SQS: '' }, 'https://sqs.eu-west-1.amazonaws.com'],
    [{ AWS_ENDPOINT_URL: 'http://all' }, 'http://all'],
    [{ AWS_ENDPOINT_URL: 'http://all', AWS_ENDPOINT_URL_SQS: 'http://one' }, 'http://one'],
    [{ AWS_ENDPOINT_URL_DYNAMODB: 'http://other' }, 'https://sqs.eu-west-1.amazonaws.com'],
  ])('goes where the environment %j says', (environment, expected) => {
    expect(endpointOf('sqs', 'eu-west-1', environment)).toBe(expected);
  });

  it('goes to the other partition in China', () => {
    expect(endpointOf('dynamodb', 'cn-north-1', {})).toBe('https://dynamodb.cn-north-1.amazonaws.com.cn');
  });
});

describe('a refusal', () => {
  it.each([
    [{ __type: 'com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException', message: 'no' }, 400],
    [{ __type: 'ConditionalCheckFailedException', Message: 'no' }, 400],
  ])('%j has AWS’s own name, and is not tried again', async (body, status) => {
    const service = await serviceThat(says(status, body));
    const error = await fails(service.to().call('Do', {}, soon()));
    expect(error).toMatchObject({
      name: 'ConditionalCheckFailedException',
      message: 'no',
      $metadata: { httpStatusCode: status },
    });
    expect(service.asked).toHaveLength(1);
  });

  it.each([
    ['in HTML', '<html>mdb_sa_sk_secret'],
    ['that is no object', 'null'],
    ['without a name', '{"message":"later"}'],
    ['of another shape', '{"__type":7}'],
    ['of nothing', ''],
  ])('%s is one of the status alone', async (_, body) => {
    const service = await serviceThat(says(418, body));
    const error = new AwsCallFailed('dynamodb', 'Do', await fails(service.to().call('Do', {}, soon())));
    expect(error).toMatchObject({ error: 'UnknownError', refused: true, facts: { status: 418 } });
    expect(JSON.stringify(error) + String(error.cause)).not.toContain('mdb_sa_sk');
  });

  it.each([
    ['throttled', says(400, { __type: 'ThrottlingException' })],
    ['in trouble', says(503, 'no server here')],
    ['gone', (response: ServerResponse): void => void response.destroy()],
    [
      'cut off',
      (response: ServerResponse): void => {
        response.writeHead(200, { 'content-length': '100' }).write('{"half":');
        setTimeout(() => response.destroy(), 20);
      },
    ],
  ])('that may pass, %s, is tried again', async (_, answer) => {
    const service = await serviceThat(answer, says(200, { Done: 2 }));
    expect(await service.to().call('Do', {}, soon())).toEqual({ Done: 2 });
    expect(service.asked).toHaveLength(2);
    // Each attempt is signed for itself.
    for (const asked of service.asked)
      expect(asked.headers.authorization).toContain(signatureOf(asked, 'eu-west-1', 'dynamodb'));
  });

  it.each([
    [undefined, 4],
    [1, 1],
    [2, 2],
  ])('that does not pass is tried as often as is asked for: %s', async (maxAttempts, times) => {
    const service = await serviceThat(says(500, { __type: 'InternalFailure' }));
    const place = maxAttempts === undefined ? {} : { maxAttempts };
    expect(await fails(service.to(place).call('Do', {}, soon()))).toMatchObject({ name: 'InternalFailure' });
    expect(service.asked).toHaveLength(times);
  });
});

describe('the name of a refusal', () => {
  it.each([
    [{ __type: 'a#ThrottlingException:http://internal/' }, {}],
    [{ code: 'ThrottlingException' }, {}],
    ['', { 'x-amzn-errortype': 'ThrottlingException:http://internal/' }],
    [{ __type: 'Other' }, { 'x-amzn-errortype': 'ThrottlingException, more' }],
  ])('is found in %j with the headers %j', async (body, headers: Record<string, string>) => {
    const service = await serviceThat(says(400, body, headers), says(200, {}));
    await service.to().call('Do', {}, soon());
    expect(service.asked).toHaveLength(2);
  });
});

describe('a clock that is wrong', () => {
  const skewed = { __type: 'InvalidSignatureException', message: 'Signature not yet current' };
  const dateIn = (ms: number) => new Date(Date.now() + ms).toUTCString();

  it('is put right by what AWS says the time is, for this call and the next', async () => {
    const service = await serviceThat(says(400, skewed, { date: dateIn(3_600_000) }), says(200, {}));
    const connection = service.to();
    await connection.call('Do', {}, soon());
    await connection.call('Do', {}, soon());
    const signedAt = service.asked.map(({ headers }) =>
      Date.parse(String(headers['x-amz-date']).replace(/^(....)(..)(..T..)(..)(..Z)$/, '$1-$2-$3:$4:$5')),
    );
    const hoursOff = signedAt.map((at) => Math.round((at - Date.now()) / 3_600_000) + 0);
    expect(hoursOff).toEqual([0, 1, 1]);
  });

  it('is not what a refusal is for where AWS has the same time', async () => {
    const service = await serviceThat(says(400, skewed, { date: dateIn(1_000) }), says(200, {}));
    expect(await fails(service.to().call('Do', {}, soon()))).toMatchObject({ name: 'InvalidSignatureException' });
    expect(service.asked).toHaveLength(1);
  });
});

describe('a success', () => {
  it('that is no JSON is an error, and its bytes are nobody’s', async () => {
    const service = await serviceThat(says(200, 'mdb_sa_sk_secret'));
    const error = new AwsCallFailed('dynamodb', 'Do', await fails(service.to().call('Do', {}, soon())));
    expect(error).toMatchObject({ refused: false, disposition: 'retry' });
    expect(JSON.stringify(error) + String(error.cause)).not.toContain('mdb_sa_sk');
  });
});

describe('the deadline', () => {
  it.each([
    ['an answer', (): void => {}],
    ['the next attempt', says(503, '', { 'retry-after': '4' })],
  ])('ends the wait for %s', async (_, answer) => {
    const service = await serviceThat(answer);
    const start = performance.now();
    expect(await fails(service.to().call('Do', {}, soon(300)))).toMatchObject({ name: 'AbortError' });
    expect(performance.now() - start).toBeLessThan(1_500);
    expect(service.asked).toHaveLength(1);
  });

  it('that is past already lets nothing go out', async () => {
    const service = await serviceThat(says(200, {}));
    const past = { signal: AbortSignal.abort(), remainingMs: () => 0 };
    expect(await fails(service.to().call('Do', {}, past))).toBeInstanceOf(Error);
    expect(service.asked).toEqual([]);
  });
});
