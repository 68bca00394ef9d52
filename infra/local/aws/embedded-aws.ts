import { createMovableClock, type MovableClock } from '../clock.ts';
import { type Durable, within } from '../durable/durable.ts';
import { FaultPlan } from '../faults.ts';
import { type Drop, type Loopback, serveOnLoopback } from '../loopback.ts';
import { createDynamoDb } from './dynamodb.ts';
import { createEvents, type Events } from './event-bridge.ts';
import { AwsError, type AwsService, answer, plannedRefusal, refuse } from './json-protocol.ts';
import { createKeys, type Keys } from './kms.ts';
import type { Recorder } from './recorder.ts';
import { createS3 } from './s3.ts';
import type { InvokeRotation, RotationRetry } from './secrets-manager/rotation.ts';
import { createSecretsManager, type SecretsManager } from './secrets-manager/secrets-manager.ts';
import { createSeededIds } from './seeded-ids.ts';
import { createSqs, type Sqs } from './sqs/sqs.ts';
import { createParameters, type Parameters } from './ssm.ts';

export interface EmbeddedAwsOptions {
  readonly clock?: MovableClock;
  readonly faults?: FaultPlan;
  /** Same seed and same calls: same ARNs, tokens and event ids. */
  readonly seed?: string;
  readonly account?: string;
  readonly region?: string;
  /** Without it RotateSecret only prepares the empty pending version, and the caller plays the four steps. */
  readonly invoke?: InvokeRotation;
  readonly rotationRetry?: RotationRetry;
  /** DynamoDB tables that are there from the start, with the string keys `pk` and `sk`. */
  readonly tables?: readonly string[];
  /** S3 buckets that are there from the start. */
  readonly buckets?: readonly string[];
  /** Further services at the same endpoint, found by their target prefix. */
  readonly services?: readonly AwsService[];
  /** Is told of every call before it is carried out. */
  readonly recorder?: Recorder | undefined;
  /** Where what the services hold outlives this process; nowhere unless given. No answer leaves before it is there. */
  readonly durable?: Durable | undefined;
}

/** AWS on one machine: what an unmodified SDK talks to when `AWS_ENDPOINT_URL` points here. */
export interface EmbeddedAws {
  readonly clock: MovableClock;
  readonly faults: FaultPlan;
  readonly secretsManager: SecretsManager;
  readonly events: Events;
  readonly keys: Keys;
  readonly sqs: Sqs;
  readonly parameters: Parameters;
  /** Answers one SDK request; `drop` cuts the connection and is needed only where faults are planned. */
  fetch(request: Request, drop?: Drop): Promise<Response>;
  listen(port?: number): Promise<Loopback>;
}

export function createEmbeddedAws(options: EmbeddedAwsOptions = {}): EmbeddedAws {
  const { clock = createMovableClock(), faults = new FaultPlan(), seed = 'embedded-aws' } = options;
  const { account = '000000000000', region = 'us-east-1', invoke, rotationRetry } = options;
  const durable = options.durable && within(options.durable, 'aws');
  const ids = createSeededIds(seed, { issued: 0 });
  // Request ids have their own sequence: reading more often must not change the next ARN.
  const requestIds = createSeededIds(`${seed}:requests`, { issued: 0 });
  const events = createEvents({ clock, ids, account, region });
  const keys = createKeys({ ids, account, region, durable });
  const secretsManager = createSecretsManager({
    clock,
    ids,
    account,
    region,
    events,
    keys,
    invoke,
    rotationRetry,
    durable,
  });
  let origin = 'http://127.0.0.1';
  const messageIds = createSeededIds(`${seed}:messages`, { issued: 0 });
  const sqs = createSqs({ clock, ids: messageIds, account, region, origin: () => origin, durable });
  const parameters = createParameters({ clock, account, region, keys, durable });
  const dynamoDb = createDynamoDb({ ...options, durable });
  const s3 = createS3({ ...options, durable });
  const services = [
    secretsManager.service,
    events.service,
    keys.service,
    sqs.service,
    parameters.service,
    dynamoDb,
    ...(options.services ?? []),
  ];

  const bucketFetch = async (request: Request, drop: Drop): Promise<Response> => {
    const body = new Uint8Array(await request.arrayBuffer());
    options.recorder?.bucketCall(request);
    return faults.meet({
      operation: s3.operationOf(request),
      apply: () => s3.answer(request, body),
      refuse: s3.refuse,
      drop,
    });
  };

  const answerTo = async (request: Request, drop: Drop): Promise<Response> => {
    const target = request.headers.get('x-amz-target') ?? '';
    // Only S3 names what it is asked for in the path.
    if (target === '' && new URL(request.url).pathname !== '/') return bucketFetch(request, drop);
    const requestId = requestIds.uuid();
    const [prefix, operation = 'Unknown'] = target.split('.');
    const service = services.find(({ targetPrefix }) => targetPrefix === prefix);
    const field = service?.messageField ?? 'message';
    // Read first: a call that is carried out late must not depend on a connection that is gone.
    const body = await request.text();
    if (options.recorder) {
      const authorization = request.headers.get('authorization') ?? '';
      const call = { service: prefix ?? '', operation, body, authorization };
      options.recorder.call(call, secretsManager.secrets);
    }
    const apply = async (): Promise<Response> => {
      try {
        const carryOut =
          service && Object.hasOwn(service.operations, operation) ? service.operations[operation] : undefined;
        if (!carryOut) throw new AwsError('UnknownOperationException', `${target} is not offered here.`);
        if (!request.headers.has('authorization')) {
          throw new AwsError('MissingAuthenticationTokenException', 'Missing Authentication Token');
        }
        return answer(requestId, await carryOut(parse(body)));
      } catch (error) {
        if (error instanceof AwsError) return refuse(requestId, error, field);
        throw error;
      }
    };
    return faults.meet({
      operation,
      apply,
      refuse: ({ status }) =>
        refuse(requestId, plannedRefusal(status, service?.internalError ?? 'InternalFailure'), field),
      drop,
    });
  };

  const fetch = async (request: Request, drop: Drop = () => Response.error()): Promise<Response> => {
    const response = await answerTo(request, drop);
    await durable?.committed();
    return response;
  };

  return {
    clock,
    faults,
    secretsManager,
    events,
    keys,
    sqs,
    parameters,
    fetch,
    async listen(port) {
      const service = await serveOnLoopback(fetch, port);
      origin = service.origin;
      return service;
    },
  };
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body === '' ? '{}' : body);
  } catch {
    throw new AwsError('SerializationException', 'The body is not JSON.');
  }
}
