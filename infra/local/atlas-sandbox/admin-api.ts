import { BlockList, isIPv6 } from 'node:net';
import { refuseForeignBody, versionedMediaType, versionServed } from './media-types.ts';
import type { Answer, Call, Operation } from './operation.ts';
import { bucketEmpty, endpointSets, type Limits, type RateLimiter } from './rate-limits.ts';
import type { Received, Route } from './received.ts';
import { AtlasRefusal, refusalResponse, unauthenticatedResponse } from './refusal.ts';
import { parseBody } from './request-body.ts';
import type { ServiceAccount, World } from './world.ts';

const BASE_PATH = '/api/atlas/v2';
const CALLER_ADDRESS = '127.0.0.1';

interface Dependencies {
  readonly world: World;
  readonly takeFromBucket: RateLimiter;
  readonly rates: Limits['rates'];
}

/** The route of one operation, with everything Atlas does before and after the operation itself. */
export function adminRoute(operation: Operation, { world, takeFromBucket, rates }: Dependencies): Route {
  return {
    operation: operation.operationId,
    method: operation.method,
    path: BASE_PATH + operation.path.replaceAll(/\{(\w+)\}/g, ':$1'),
    async apply(received) {
      // Recorded answers carry rate headers only once caller and scope are known; so do these.
      let rateHeaders: Record<string, string> = {};
      try {
        const version = versionServed(received.headers.get('accept'), operation.versions);
        const caller = bearer(world, received.headers);
        if (!caller) return unauthenticatedResponse();
        refuseForeignAddress(caller);
        const { subject, run } = operation.locate(toCall(world, caller, received, operation, version));
        rateHeaders = takeFromBucket(operation.endpointSet, subject, received.url.pathname);
        return answerResponse(await run(), version, rateHeaders);
      } catch (error) {
        if (!(error instanceof AtlasRefusal)) throw error;
        return withHeaders(refusalResponse(error), rateHeaders);
      }
    },
    refuse(status, { url }, retryAfterSeconds) {
      const rate = { ...endpointSets[operation.endpointSet], ...rates[operation.endpointSet] };
      const response =
        status === 429
          ? refusalResponse(bucketEmpty(url.pathname, retryAfterSeconds ?? rate.seconds, rate))
          : status === 401
            ? unauthenticatedResponse()
            : refusalResponse(new AtlasRefusal(status, 'UNEXPECTED_ERROR', 'Unexpected error.'));
      response.headers.delete('Retry-After');
      return response;
    },
  };
}

/** The answer to a path Atlas does not have. */
export function unknownPath({ url }: Received): Response {
  const detail = `Cannot find resource ${url.pathname}.`;
  return refusalResponse(new AtlasRefusal(404, 'RESOURCE_NOT_FOUND', detail, [url.pathname]));
}

function bearer(world: World, headers: Headers): ServiceAccount | undefined {
  const token = /^Bearer (\S+)$/i.exec(headers.get('authorization') ?? '')?.[1];
  return token === undefined ? undefined : world.bearer(token);
}

/** The access list guards the API only; tokens are minted and revoked from anywhere. */
function refuseForeignAddress({ accessList }: ServiceAccount): void {
  if (accessList.length === 0) return;
  const allowed = new BlockList();
  for (const entry of accessList) {
    const [address = '', prefix] = entry.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (prefix === undefined) allowed.addAddress(address, family);
    else allowed.addSubnet(address, Number(prefix), family);
  }
  if (allowed.check(CALLER_ADDRESS)) return;
  const detail = `IP address ${CALLER_ADDRESS} is not allowed to access this resource.`;
  throw new AtlasRefusal(403, 'IP_ADDRESS_NOT_ON_WHITELIST', detail, [CALLER_ADDRESS]);
}

function toCall(
  world: World,
  caller: ServiceAccount,
  { url, headers, params, body }: Received,
  { operationId, versions }: Operation,
  version: string,
): Call {
  return {
    world,
    url,
    caller,
    param(name) {
      const value = params[name];
      if (value === undefined) throw new Error(`the path of ${operationId} has no ${name}`);
      return value;
    },
    body(schema) {
      refuseForeignBody(headers.get('content-type'), version, versions);
      return parseBody(body, schema);
    },
  };
}

function answerResponse({ status, body }: Answer, version: string, headers: Record<string, string>): Response {
  if (body === undefined) return new Response(null, { status, headers });
  return Response.json(body, { status, headers: { ...headers, 'Content-Type': versionedMediaType(version) } });
}

function withHeaders(response: Response, headers: Record<string, string>): Response {
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
  return response;
}
