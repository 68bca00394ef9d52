import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { FunctionFailed } from '../lambda/container.ts';
import type { Host } from './host.ts';

/** What a function URL takes: 6 MB. */
const MOST_BYTES = 6 * 1024 * 1024;

const AS_TEXT =
  /^(text\/|application\/(json|javascript|xml|x-www-form-urlencoded)\b|application\/[\w.-]+\+(json|xml)\b)/i;

const Answer = z.object({
  statusCode: z.int().min(200).max(599),
  headers: z.record(z.string(), z.coerce.string()).default({}),
  body: z.string().default(''),
  isBase64Encoded: z.boolean().default(false),
});

/** The body as text where it is text, and in base64 otherwise: either way byte by byte what was sent. */
function bodyOf(bytes: Uint8Array, contentType: string): { body: string; isBase64Encoded: boolean } {
  if (AS_TEXT.test(contentType)) {
    try {
      return { body: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes), isBase64Encoded: false };
    } catch {
      // Said to be text, and is not.
    }
  }
  return { body: Buffer.from(bytes).toString('base64'), isBase64Encoded: true };
}

/** The bytes of a request; undefined where there are too many. */
async function bytesOf(request: Request): Promise<Uint8Array | undefined> {
  const length = request.headers.get('content-length');
  if (Number(length ?? 0) > MOST_BYTES) return undefined;
  // Whoever says how much it is sends no more.
  if (length !== null) return new Uint8Array(await request.arrayBuffer());
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.length;
    if (size > MOST_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * A request as a function URL hands it on. `rawPath` is what follows the function's name.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
 */
export function urlEvent(request: Request, rawPath: string, bytes: Uint8Array, now: Date): object {
  const { host, search, searchParams } = new URL(request.url);
  const headers = Object.fromEntries(request.headers);
  const query = Object.fromEntries(searchParams);
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath,
    rawQueryString: search.slice(1),
    headers,
    ...(Object.keys(query).length > 0 && { queryStringParameters: query }),
    requestContext: {
      accountId: 'anonymous',
      apiId: 'local',
      domainName: host,
      domainPrefix: 'local',
      http: {
        method: request.method,
        path: rawPath,
        protocol: 'HTTP/1.1',
        sourceIp: '127.0.0.1',
        userAgent: headers['user-agent'] ?? '',
      },
      requestId: randomUUID(),
      routeKey: '$default',
      stage: '$default',
      time: now.toUTCString(),
      timeEpoch: now.getTime(),
    },
    ...(bytes.length > 0 && bodyOf(bytes, headers['content-type'] ?? '')),
    ...(bytes.length === 0 && { isBase64Encoded: false }),
  };
}

/** The function URLs of the stack, each at `/hooks/<lambda>/`. Needs no token: the functions check signatures. */
export function createHooks(host: Host): (request: Request) => Promise<Response> {
  const plain = (status: number, message: string): Response => Response.json({ message }, { status });
  return async (request) => {
    const { pathname } = new URL(request.url);
    const [, lambda = '', rest = ''] = /^\/hooks\/([a-z0-9-]+)(\/.*)?$/.exec(pathname) ?? [];
    if (!host.wiring.urls.has(lambda)) return plain(404, 'Not Found');
    if (host.dryRun) return plain(503, 'A dry run takes nothing in.');
    if (host.stopping) return plain(503, 'Stopping: send it again later.');
    const bytes = await bytesOf(request);
    if (!bytes) return plain(413, 'Request Entity Too Large');
    const event = urlEvent(request, rest === '' ? '/' : rest, bytes, host.machine.clock.now());
    try {
      const returned = await host.machine.invoke(lambda, event);
      const answer = Answer.safeParse(returned);
      if (!answer.success) return Response.json(returned ?? null);
      const { statusCode: status, headers, body, isBase64Encoded } = answer.data;
      // These know no body, and Response takes none with them.
      const content = status === 204 || status === 304 ? null : isBase64Encoded ? Buffer.from(body, 'base64') : body;
      return new Response(content, { status, headers });
    } catch (error) {
      if (error instanceof FunctionFailed) return plain(502, 'Internal Server Error');
      throw error;
    }
  };
}
