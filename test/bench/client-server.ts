/**
 * A loopback Atlas for the client bench, in a process of its own so that it shares no event loop with what is measured.
 * Started by `startServer` in `client-endpoint.ts`; the settings come as the only argument, counts go out on request.
 */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { CLUSTERS_PER_PROJECT, type Counts, clusterJson, type ServerSettings } from './client-endpoint.ts';

const { latencyMs, next } = JSON.parse(process.argv[2] ?? '{}') as ServerSettings;
const counts: Counts = { mints: 0, challenges: 0, reads: 0, pages: 0 };

/** As long as those Atlas mints. */
const token = JSON.stringify({ access_token: `eyJ${'a'.repeat(890)}`, expires_in: 3600, token_type: 'Bearer' });
const DIGEST = {
  'www-authenticate': 'Digest realm="MMS Public API", domain="", nonce="bench", algorithm=MD5, qop="auth"',
};
const HEADERS = {
  'content-type': 'application/json',
  'strict-transport-security': 'max-age=31536000; includeSubdomains',
};
const clusters = new Map<string, Buffer>();

function cluster(groupId: string, name: string): Buffer {
  const key = `${groupId}/${name}`;
  const known = clusters.get(key) ?? Buffer.from(clusterJson(groupId, name));
  clusters.set(key, known);
  return known;
}

/** One page, with absolute links. Whether a full page links on is the setting: Atlas's always does, even to nothing. */
function page(url: URL, groupId: string): string {
  const size = Number(url.searchParams.get('itemsPerPage') ?? 100);
  const number = Number(url.searchParams.get('pageNum') ?? 1);
  const first = (number - 1) * size;
  const last = Math.min(number * size, CLUSTERS_PER_PROJECT);
  const results: string[] = [];
  for (let item = first; item < last; item++) results.push(cluster(groupId, `cluster-${item}`).toString());
  const link = (rel: string, to: number): string => {
    const href = new URL(url);
    href.searchParams.set('pageNum', String(to));
    return JSON.stringify({ rel, href: href.href });
  };
  const goesOn = next === 'after a full page' ? results.length === size : last < CLUSTERS_PER_PROJECT;
  const links = [link('self', number), ...(goesOn ? [link('next', number + 1)] : [])];
  return `{"links":[${links}],"results":[${results}],"totalCount":${CLUSTERS_PER_PROJECT}}`;
}

function answer(
  response: ServerResponse,
  status: number,
  headers: Record<string, string>,
  body: string | Buffer,
): void {
  response.writeHead(status, { ...HEADERS, ...headers, 'content-length': Buffer.byteLength(body) }).end(body);
}

const server = createServer(async (request, response) => {
  request.resume();
  if (latencyMs > 0) await delay(latencyMs);
  const url = new URL(request.url ?? '', `http://${request.headers.host}`);
  const [, , , , , groupId, , name] = url.pathname.split('/');
  if (url.pathname === '/api/oauth/token') {
    counts.mints++;
    answer(response, 200, {}, token);
  } else if (request.headers.authorization === undefined) {
    counts.challenges++;
    answer(response, 401, DIGEST, '{"error":401,"reason":"Unauthorized"}');
  } else if (groupId && name) {
    counts.reads++;
    answer(response, 200, {}, cluster(groupId, name));
  } else if (groupId) {
    counts.pages++;
    answer(response, 200, {}, page(url, groupId));
  } else {
    answer(response, 404, {}, '{"error":404,"errorCode":"RESOURCE_NOT_FOUND"}');
  }
});
// So that no variant finds its connections closed when its turn comes.
server.keepAliveTimeout = 300_000;
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('message', () => process.send?.(counts));
process.on('disconnect', () => process.exit());
