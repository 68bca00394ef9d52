import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { ServiceException } from '@smithy/core/client';
import { HttpRequest, type HttpResponse } from '@smithy/core/protocols';
import { isClockSkewError, retryMiddleware, StandardRetryStrategy } from '@smithy/core/retry';
import { NodeHttpHandler, streamCollector } from '@smithy/node-http-handler';
import { SignatureV4 } from '@smithy/signature-v4';
import * as z from 'zod';
import type { Deadline } from '../runtime/deadline.ts';
import { Sha256 } from './sha256.ts';

/** The operations of a service that are called: what each takes, and what it answers. */
type Operations<Offers> = { readonly [Name in keyof Offers]: readonly [input: object, output: object] };

/** A service of AWS that is called for every message. */
export interface Connection<Offers extends Operations<Offers>> {
  /**
   * Tried again with the SDK's pauses, or the one AWS asks for; whether an operation may be carried out twice, the caller knows. Throws what
   * the SDK throws: a ServiceException where AWS refuses, and the error of the connection where it does not answer in time.
   */
  call<Name extends keyof Offers & string>(
    operation: Name,
    input: Offers[Name][0],
    deadline: Deadline,
  ): Promise<Offers[Name][1]>;
}

export interface Place {
  readonly region?: string;
  readonly endpoint?: string;
  readonly credentials?: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
  /** How often a call is tried at most; as often as the SDK's client does unless given. */
  readonly maxAttempts?: number;
}

/** What operations of a service are called on the wire, and how its client in the SDK tries again. */
const SERVICES = {
  dynamodb: { target: 'DynamoDB_20120810', attempts: 4, baseDelay: 25 },
  sqs: { target: 'AmazonSQS', attempts: 3, baseDelay: 50 },
} as const;
type Service = keyof typeof SERVICES;

/** A clock further off than this is what a refusal may be for: AWS takes five minutes. */
const SKEW_MS = 4 * 60_000;

/**
 * Where a service is: what these variables name, or the endpoint of the region. FIPS and dual-stack ones have to be named.
 * Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
 */
export const endpointOf = (service: Service, region: string, environment: NodeJS.ProcessEnv): string =>
  environment[`AWS_ENDPOINT_URL_${service.toUpperCase()}`] ||
  environment['AWS_ENDPOINT_URL'] ||
  `https://${service}.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;

const Refusal = z.looseObject({
  __type: z.string().optional(),
  code: z.string().optional(),
  message: z.string().optional(),
  Message: z.string().optional(),
});

/** AWS's own name for a refusal stands among others, as in `com.amazonaws.sqs#QueueDoesNotExist:http://…`. */
function refusalOf(response: HttpResponse, text: string): ServiceException {
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch {
    // What stands before a service, and refuses in its place, may say so in another language.
  }
  const { __type, code, message, Message } = Refusal.catch({}).parse(said);
  const { statusCode, headers } = response;
  const name = headers['x-amzn-errortype'] ?? __type ?? code ?? 'UnknownError';
  const refusal = new ServiceException({
    name: name.replace(/[,:].*$/s, '').replace(/^.*#/, ''),
    message: message ?? Message ?? 'UnknownError',
    $fault: statusCode < 500 ? 'client' : 'server',
    $metadata: { httpStatusCode: statusCode },
  });
  // For the pause it may ask for. Not enumerable: what a service answers is not for a log.
  Object.defineProperty(refusal, '$response', { value: response, enumerable: false });
  return refusal;
}

/**
 * A connection made of the SDK's own parts, its signature, its HTTP and its retries, without its clients: those find out
 * endpoint, schema and a dozen layers for every call, and took half of what a webhook costs (test/bench/README.md). What
 * is not given comes from the environment.
 * Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html
 */
export function connect<Offers extends Operations<Offers>>(service: Service, place: Place = {}): Connection<Offers> {
  const { region = process.env['AWS_REGION'] ?? 'us-east-1', credentials = defaultProvider() } = place;
  const { target, attempts, baseDelay } = SERVICES[service];
  const { endpoint = endpointOf(service, region, process.env), maxAttempts = attempts } = place;
  const { protocol, hostname, port, host, pathname } = new URL(endpoint);
  const signer = new SignatureV4({ service, region, credentials, sha256: Sha256 });
  // One hung request must not use up the run; what is called like this answers in milliseconds.
  const http = new NodeHttpHandler({ connectionTimeout: 2_000, requestTimeout: 5_000, throwOnRequestTimeout: true });
  const strategy = new StandardRetryStrategy({ maxAttempts, baseDelay });
  const retried = retryMiddleware({ maxAttempts: async () => maxAttempts, retryStrategy: async () => strategy });

  /** How far AWS's clock is ahead of this one, in milliseconds, once it has refused for that. */
  let ahead = 0;

  return {
    async call(operation, input, { signal: abortSignal }) {
      const request = new HttpRequest({
        method: 'POST',
        protocol,
        hostname,
        path: pathname,
        ...(port !== '' && { port: Number(port) }),
        headers: {
          host,
          'content-type': 'application/x-amz-json-1.0',
          'user-agent': 'atlas-automation',
          'x-amz-target': `${target}.${operation}`,
        },
        body: JSON.stringify(input),
      });
      const once = async () => {
        const signed = await signer.sign(request, { signingDate: new Date(Date.now() + ahead) });
        const { response } = await http.handle(new HttpRequest(signed), { abortSignal });
        const text = Buffer.from(await streamCollector(response.body)).toString();
        if (response.statusCode !== 200) {
          const refusal = refusalOf(response, text);
          const off = Date.parse(response.headers['date'] ?? '') - Date.now();
          if (isClockSkewError({ name: refusal.name, message: refusal.message }) && Math.abs(off - ahead) > SKEW_MS) {
            ahead = off;
            refusal.$retryable = {};
          }
          throw refusal;
        }
        return { response, output: { said: JSON.parse(text), $metadata: {} } };
      };
      const { output } = await retried(once, { __smithy_context: { abortSignal } })({ request, input });
      return output.said;
    },
  };
}
