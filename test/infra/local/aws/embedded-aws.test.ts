import { expect, test } from 'vitest';
import * as z from 'zod';
import { createEmbeddedAws } from '../../../../infra/local/aws/embedded-aws.ts';
import { type AwsService, operation } from '../../../../infra/local/aws/json-protocol.ts';
import type { Fault } from '../../../../infra/local/faults.ts';
import { startEmbeddedAws, version } from './embedded-aws-clients.ts';

const call = (target: string, body: string, headers: Record<string, string> = { authorization: 'AWS4-HMAC-SHA256' }) =>
  new Request('http://aws/', { method: 'POST', headers: { 'x-amz-target': target, ...headers }, body });

const typeOf = async (response: Response) => ((await response.json()) as { __type?: string }).__type;

test.each(['secretsmanager.NoSuchThing', 'Nobody.GetSecretValue', 'secretsmanager.constructor', ''])(
  'target "%s" is an unknown operation',
  async (target) => {
    const response = await createEmbeddedAws().fetch(call(target, '{}'));
    expect([response.status, await typeOf(response)]).toEqual([400, 'UnknownOperationException']);
  },
);

test('a refusal on the wire has type, message and request id', async () => {
  const response = await createEmbeddedAws().fetch(call('secretsmanager.GetSecretValue', '{"SecretId":"none"}'));
  expect(response.headers.get('x-amzn-requestid')).toMatch(/^[\da-f-]{36}$/);
  expect(await response.json()).toEqual({
    __type: 'ResourceNotFoundException',
    Message: "Secrets Manager can't find the specified secret.",
  });
});

test.each([
  ['a body that is no JSON', call('secretsmanager.GetSecretValue', '{'), 'SerializationException'],
  ['a missing parameter', call('secretsmanager.GetSecretValue', '{}'), 'ValidationException'],
  ['no signature', call('secretsmanager.GetSecretValue', '{}', {}), 'MissingAuthenticationTokenException'],
])('%s is refused', async (_, request, type) => {
  const response = await createEmbeddedAws().fetch(request);
  expect([response.status, await typeOf(response)]).toEqual([400, type]);
});

test.each([
  ['CreateSecret', 'InvalidRequestException'],
  ['PutSecretValue', 'InvalidRequestException'],
  ['UpdateSecret', 'InvalidRequestException'],
  ['RotateSecret', 'InvalidParameterException'],
])('%s without a ClientRequestToken is %s', async (name, type) => {
  const aws = createEmbeddedAws();
  const create = { Name: 'app', SecretString: 'x', ClientRequestToken: version(1) };
  await aws.fetch(call('secretsmanager.CreateSecret', JSON.stringify(create)));
  const input = { ...(name === 'CreateSecret' ? { Name: 'other' } : { SecretId: 'app' }), SecretString: 'x' };
  const response = await aws.fetch(call(`secretsmanager.${name}`, JSON.stringify(input)));
  expect(await typeOf(response)).toBe(type);
});

test('another service joins behind the same endpoint', async () => {
  const service: AwsService = {
    targetPrefix: 'Other_20200101',
    internalError: 'InternalFailure',
    messageField: 'message',
    operations: { Echo: operation(z.object({ a: z.number() }), (input) => input) },
  };
  const response = await createEmbeddedAws({ services: [service] }).fetch(call('Other_20200101.Echo', '{"a":1}'));
  expect(await response.json()).toEqual({ a: 1 });
});

test.each([
  [429, 'ThrottlingException', 400],
  [403, 'AccessDeniedException', 400],
  [500, 'InternalServiceError', 500],
  [503, 'ServiceUnavailable', 503],
])('a planned refusal %i is %s with status %i, and nothing was done', async (status, name, httpStatusCode) => {
  await using s = await startEmbeddedAws();
  s.aws.faults.plan([{ operation: 'CreateSecret', nth: 1, fault: { kind: 'refuse', status } }]);
  await expect(s.create()).rejects.toMatchObject({ name, $metadata: { httpStatusCode } });
  expect(s.aws.secretsManager.secrets).toEqual({});
});

test.each<[string, Fault, boolean]>([
  ['killed before', { kind: 'kill', when: 'before' }, false],
  ['killed after', { kind: 'kill', when: 'after' }, true],
  ['lost', { kind: 'lost' }, true],
  ['late', { kind: 'late', ms: 60_000 }, false],
])('a call whose answer is %s fails for the caller', async (_, fault, done) => {
  await using s = await startEmbeddedAws();
  s.aws.faults.plan([{ operation: 'CreateSecret', nth: 1, fault }]);
  await expect(s.create()).rejects.toThrow();
  expect(Object.keys(s.aws.secretsManager.secrets)).toHaveLength(done ? 1 : 0);
});

test('a late call is carried out when it settles', async () => {
  await using s = await startEmbeddedAws();
  s.aws.faults.plan([{ operation: 'CreateSecret', nth: 1, fault: { kind: 'late', ms: 60_000 } }]);
  await s.create().catch(() => {});
  await s.aws.faults.settle();
  expect((await s.read()).SecretString).toBe('one');
});
