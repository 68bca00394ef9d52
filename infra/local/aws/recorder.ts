import { randomUUID } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import * as z from 'zod';
import type { Secret } from './secrets-manager/secret.ts';

/**
 * One line of a record: what IAM would be asked before a call is carried out, or what there was to ask about. Nothing of
 * a secret's value is in it.
 */
export type Recorded =
  | {
      readonly kind: 'deployment';
      readonly deployment: string;
      readonly settings: unknown;
      readonly environment: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'made'; readonly deployment: string; readonly secret: string }
  | {
      /** Rotation was set up for this secret. */
      readonly kind: 'managed';
      readonly deployment: string;
      readonly secret: string;
      readonly adminSecret?: string;
      readonly kmsKey?: string;
    }
  | ({ readonly kind: 'call'; readonly deployment: string; readonly caller: string } & Asked);

/** `context` holds the condition keys that our policies look at. */
export interface Asked {
  readonly action: string;
  readonly resource: string;
  readonly context: Readonly<Record<string, string | readonly string[]>>;
}

/** One request of an SDK to a service that is told by its target. */
export interface SdkCall {
  readonly service: string;
  readonly operation: string;
  readonly body: string;
  readonly authorization: string;
}

export interface Recorder {
  deployed(settings: unknown, environment: Readonly<Record<string, string>>): void;
  /** Whoever deploys made a secret of this name. */
  made(secret: string): void;
  call(call: SdkCall, secrets: Readonly<Record<string, Secret>>): void;
  bucketCall(request: Request): void;
}

/** Names the file the calls of all functions are appended to, one JSON text a line; nothing is recorded without it. */
export const RECORD_FILE = 'RECORD_AWS_CALLS';

/** A recorder for one account and region, where `RECORD_AWS_CALLS` names a file. */
export function recorder(account: string, region: string): Recorder | undefined {
  const file = process.env[RECORD_FILE];
  if (file === undefined || file === '') return undefined;
  const deployment = randomUUID();
  const write = (line: Recorded): void => appendFileSync(file, `${JSON.stringify(line)}\n`);
  const place = { account, region };
  return {
    made: (secret) => write({ kind: 'made', deployment, secret }),
    deployed: (settings, environment) => write({ kind: 'deployment', deployment, settings, environment }),
    call({ authorization, ...call }, secrets) {
      const managed = rotationSetUp(call, secrets);
      if (managed) write({ kind: 'managed', deployment, ...managed });
      const caller = callerOf(authorization);
      for (const asked of askedFor(call, secrets, place)) write({ kind: 'call', deployment, caller, ...asked });
    },
    bucketCall(request) {
      const caller = callerOf(request.headers.get('authorization') ?? '');
      write({ kind: 'call', deployment, caller, ...askedOfBucket(request) });
    },
  };
}

/** The access key id in a signature: every function has its own, which is its name. */
const callerOf = (authorization: string): string => /Credential=([^/,\s]+)\//.exec(authorization)?.[1] ?? '';

interface Place {
  readonly account: string;
  readonly region: string;
}

const text = z.string().optional().catch(undefined);
const Input = z
  .object({
    SecretId: text,
    RotationLambdaARN: text,
    TableName: text,
    Key: z
      .object({ pk: z.object({ S: z.string() }) })
      .optional()
      .catch(undefined),
    Item: z
      .object({ pk: z.object({ S: z.string() }) })
      .optional()
      .catch(undefined),
    RequestItems: z
      .record(z.string(), z.object({ Keys: z.array(z.object({ pk: z.object({ S: z.string() }) })) }))
      .optional()
      .catch(undefined),
    ExpressionAttributeValues: z
      .record(z.string(), z.object({ S: text }))
      .optional()
      .catch(undefined),
    QueueUrl: text,
    Entries: z
      .array(z.object({ EventBusName: text, Source: text, DetailType: text }))
      .optional()
      .catch(undefined),
    KeyId: text,
    EncryptionContext: z.record(z.string(), z.string()).optional().catch(undefined),
    Name: text,
    Tags: z
      .array(z.object({ Key: z.string() }))
      .optional()
      .catch(undefined),
    TagKeys: z.array(z.string()).optional().catch(undefined),
  })
  .catch({});

function askedFor(
  { service, operation, body }: Omit<SdkCall, 'authorization'>,
  secrets: Readonly<Record<string, Secret>>,
  { account, region }: Place,
): Asked[] {
  const given = Input.parse(parse(body));
  const arn = (kind: string, resource: string): string => `arn:aws:${kind}:${region}:${account}:${resource}`;
  switch (service) {
    case 'secretsmanager':
      return askedOfSecret(operation, given, secrets, arn);
    case 'DynamoDB_20120810': {
      const asked = (table: string, keys: readonly (string | undefined)[]): Asked => ({
        action: `dynamodb:${operation}`,
        resource: arn('dynamodb', `table/${table}`),
        context: { 'dynamodb:LeadingKeys': keys.flatMap((key) => key ?? []) },
      });
      const batches = Object.entries(given.RequestItems ?? {});
      if (batches.length > 0)
        return batches.map(([table, { Keys }]) =>
          asked(
            table,
            Keys.map(({ pk }) => pk.S),
          ),
        );
      const keys = [given.Key?.pk.S, given.Item?.pk.S, given.ExpressionAttributeValues?.[':pk']?.S];
      return [asked(given.TableName ?? '', keys)];
    }
    case 'AmazonSQS': {
      const resource = arn('sqs', given.QueueUrl?.split('/').at(-1) ?? '');
      // A batch asks for the permission of its single call.
      return [{ action: `sqs:${operation.replace(/Batch$/, '')}`, resource, context: {} }];
    }
    case 'AWSEvents':
      return (given.Entries ?? []).map(({ EventBusName = 'default' }) => ({
        action: `events:${operation}`,
        resource: EventBusName.startsWith('arn:') ? EventBusName : arn('events', `event-bus/${EventBusName}`),
        context: {},
      }));
    case 'TrentService':
      return [
        {
          action: `kms:${operation}`,
          resource: keyArn(given.KeyId ?? '', arn),
          context: contextOf(given.EncryptionContext),
        },
      ];
    case 'AmazonSSM': {
      const resource = arn('ssm', `parameter/${(given.Name ?? '').replace(/^\//, '')}`);
      const key = given.KeyId;
      const context = { 'kms:EncryptionContext:PARAMETER_ARN': resource };
      return [
        { action: `ssm:${operation}`, resource, context: {} },
        ...(key?.includes('alias/aws/') === false
          ? [{ action: 'kms:Encrypt', resource: keyArn(key, arn), context }]
          : []),
      ];
    }
    default:
      return [{ action: `${service}:${operation}`, resource: '*', context: {} }];
  }
}

type ArnOf = (kind: string, resource: string) => string;

const keyArn = (key: string, arn: ArnOf): string => (key.startsWith('arn:') ? key : arn('kms', `key/${key}`));
const contextOf = (pairs: Readonly<Record<string, string>> = {}): Asked['context'] =>
  Object.fromEntries(Object.entries(pairs).map(([key, value]) => [`kms:EncryptionContext:${key}`, value]));

const secretNamed = (secrets: Readonly<Record<string, Secret>>, id: string | undefined): Secret | undefined =>
  Object.values(secrets).find(({ arn, name }) => id === arn || id === name);

/**
 * A call of Secrets Manager, and what it asks of others in the caller's name: the key a value lies under, and the
 * function a rotation starts.
 * Sources: https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html and, of RotateSecret,
 * https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html
 */
function askedOfSecret(
  operation: string,
  { Name, SecretId = Name, Tags, TagKeys }: z.output<typeof Input>,
  secrets: Readonly<Record<string, Secret>>,
  arn: ArnOf,
): Asked[] {
  const secret = secretNamed(secrets, SecretId);
  // One that is not there is judged by the pattern its ARN would fit.
  const missing = SecretId?.startsWith('arn:') ? SecretId : arn('secretsmanager', `secret:${SecretId ?? ''}-000000`);
  const resource = secret?.arn ?? missing;
  const tags = TagKeys ?? Tags?.map(({ Key }) => Key);
  const asked: Asked[] = [
    { action: `secretsmanager:${operation}`, resource, context: { ...(tags && { 'aws:TagKeys': tags }) } },
  ];
  const kmsKey = secret?.kmsKeyId;
  const kms =
    operation === 'GetSecretValue' ? ['Decrypt'] : operation === 'PutSecretValue' ? ['GenerateDataKey', 'Decrypt'] : [];
  if (kmsKey !== undefined)
    for (const action of kms)
      asked.push({
        action: `kms:${action}`,
        resource: keyArn(kmsKey, arn),
        context: { 'kms:EncryptionContext:SecretARN': resource },
      });
  const lambda = secret?.rotation?.lambdaArn;
  if (operation === 'RotateSecret' && lambda !== undefined)
    asked.push({ action: 'lambda:InvokeFunction', resource: lambda, context: {} });
  return asked;
}

const Value = z.looseObject({ adminSecretArn: z.string() });

/**
 * Who sets a rotation up says which secret is managed, as the settings file does, and its value says by whom. Told again
 * once the secret lies under another key.
 */
function rotationSetUp(
  { service, operation, body }: Omit<SdkCall, 'authorization'>,
  secrets: Readonly<Record<string, Secret>>,
): { secret: string; adminSecret?: string; kmsKey?: string } | undefined {
  if (service !== 'secretsmanager') return undefined;
  const { SecretId, RotationLambdaARN } = Input.parse(parse(body));
  const secret = secretNamed(secrets, SecretId);
  const isSetUp = operation === 'RotateSecret' && RotationLambdaARN !== undefined;
  if (!secret || !(isSetUp || (secret.rotation && secret.kmsKeyId !== undefined))) return undefined;
  const admins = secret.versions.flatMap((version) => {
    const value = Value.safeParse(parse(version.text ?? ''));
    return value.success ? [value.data.adminSecretArn] : [];
  });
  const adminSecret = admins.at(-1);
  return {
    secret: secret.arn,
    ...(adminSecret !== undefined && { adminSecret }),
    ...(secret.kmsKeyId !== undefined && { kmsKey: secret.kmsKeyId }),
  };
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/**
 * Every piece of a file that is sent in pieces asks for the right to put the file.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
 */
function askedOfBucket({ method, url }: Request): Asked {
  const { pathname, searchParams } = new URL(url);
  const [bucket = '', ...rest] = decodeURIComponent(pathname).slice(1).split('/');
  const key = rest.join('/');
  if (key === '') {
    const action = method === 'GET' || method === 'HEAD' ? 's3:ListBucket' : 's3:CreateBucket';
    return { action, resource: `arn:aws:s3:::${bucket}`, context: { 's3:prefix': searchParams.get('prefix') ?? '' } };
  }
  const deleted = searchParams.has('uploadId') ? 's3:AbortMultipartUpload' : 's3:DeleteObject';
  const action =
    method === 'DELETE' ? deleted : method === 'GET' || method === 'HEAD' ? 's3:GetObject' : 's3:PutObject';
  return { action, resource: `arn:aws:s3:::${bucket}/${key}`, context: {} };
}
