import { BlockList, isIPv6 } from 'node:net';
import type { Digest } from './digest.ts';
import { deprecationHeaders, refuseForeignBody, versionedMediaType, versionServed } from './media-types.ts';
import type { Answer, Call, Operation } from './operation.ts';
import { withinPageSize } from './pagination.ts';
import {
  bucketEmpty,
  type EndpointSetName,
  endpointSets,
  type Limits,
  type Rate,
  type RateLimiter,
} from './rate-limits.ts';
import type { Received, Route } from './received.ts';
import { AtlasRefusal, refusalResponse, unauthenticatedResponse } from './refusal.ts';
import { parseBody } from './request-body.ts';
import { addressesOf, type Caller } from './state/api-keys.ts';
import type { World } from './world.ts';

const V2 = '/api/atlas/v2';
const CALLER_ADDRESS = '127.0.0.1';
/** What a path ends with when it does something to what it names, such as `/clusters/{clusterName}:verb`. */
const VERB = /:\w+$/;

interface Dependencies {
  readonly world: World;
  readonly digest: Digest;
  readonly takeFromBucket: RateLimiter;
  readonly rates: Limits['rates'];
  readonly maxItemsPerPage: number;
}

/** The route of one operation, with everything Atlas does before and after the operation itself. */
export function adminRoute(
  operation: Operation,
  { world, digest, takeFromBucket, rates, maxItemsPerPage }: Dependencies,
): Route {
  const rateOf = (set: EndpointSetName): Rate => ({ ...endpointSets[set], ...rates[set] });
  return {
    operation: operation.operationId,
    method: operation.method,
    path: (operation.base ?? V2) + routed(operation.path),
    async apply(received) {
      // Recorded answers carry rate headers only once caller and scope are known; so do these.
      let rateHeaders: Record<string, string> = {};
      try {
        const isVersioned = operation.versions.length > 0;
        const version = isVersioned ? versionServed(received.headers.get('accept'), operation.versions) : '';
        const caller = bearer(world, received.headers) ?? digest.authenticate(operation.method, received);
        if (!caller) return withHeaders(unauthenticatedResponse(), digest.challenge(operation.method, received));
        refuseForeignAddress(caller);
        const paged = { ...received, url: withinPageSize(received.url, maxItemsPerPage) };
        const { subject, run } = operation.locate(toCall(world, caller, paged, operation, version, rateOf));
        if (isVersioned) rateHeaders = takeFromBucket(operation.endpointSet, subject, received.url.pathname);
        rateHeaders = { ...rateHeaders, ...deprecationHeaders(version, operation.versions) };
        return answerResponse(await run(), version, rateHeaders);
      } catch (error) {
        if (!(error instanceof AtlasRefusal)) throw error;
        return withHeaders(refusalResponse(error), rateHeaders);
      }
    },
    refuse(status, { url }, retryAfterSeconds) {
      const rate = rateOf(operation.endpointSet);
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

/** A path as Hono writes it. */
function routed(path: string): string {
  return path.replaceAll(/\{(\w+)\}(:\w+)?/g, (_, name: string, verb?: string) =>
    verb === undefined ? `:${name}` : `:${name}{[^/]+${verb}}`,
  );
}

function bearer(world: World, headers: Headers): Caller | undefined {
  const token = /^Bearer (\S+)$/i.exec(headers.get('authorization') ?? '')?.[1];
  return token === undefined ? undefined : world.bearer(token);
}

/** The access list guards the API only; tokens are minted and revoked from anywhere. */
function refuseForeignAddress(caller: Caller): void {
  const accessList = addressesOf(caller);
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
  caller: Caller,
  { url, headers, params, body }: Received,
  { operationId, path, versions }: Operation,
  version: string,
  rateOf: Call['rateOf'],
): Call {
  return {
    world,
    url,
    caller,
    version,
    rateOf,
    param(name) {
      const value = path.includes(`{${name}}:`) ? params[name]?.replace(VERB, '') : params[name];
      if (value === undefined) throw new Error(`the path of ${operationId} has no ${name}`);
      return value;
    },
    hasBody: body !== '',
    body(schema) {
      refuseForeignBody(headers.get('content-type'), version, versions);
      return parseBody(body, schema);
    },
  };
}

function answerResponse({ status, body }: Answer, version: string, headers: Record<string, string>): Response {
  if (body === undefined) return new Response(null, { status, headers });
  const contentType = version === '' ? 'application/json' : versionedMediaType(version);
  return Response.json(body, { status, headers: { ...headers, 'Content-Type': contentType } });
}

function withHeaders(response: Response, headers: Record<string, string>): Response {
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
  return response;
}
