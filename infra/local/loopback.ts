import type { AddressInfo } from 'node:net';
import { type Http2Bindings, type HttpBindings, serve } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';

/** A service on a free loopback port. */
export interface Loopback extends AsyncDisposable {
  /** `http://127.0.0.1:<port>` */
  readonly origin: string;
}

/** Cuts the caller's connection; what it returns is never sent. */
export type Drop = () => Response;

/**
 * Serves `handle` on 127.0.0.1, on a port the system picks unless `port` is given.
 * Disposing closes the port and every open connection.
 */
export async function serveOnLoopback(
  handle: (request: Request, drop: Drop) => Promise<Response>,
  port = 0,
): Promise<Loopback> {
  const fetch = (request: Request, { incoming }: HttpBindings | Http2Bindings): Promise<Response> =>
    handle(request, () => {
      incoming.socket.destroy();
      return RESPONSE_ALREADY_SENT;
    });
  const { promise: listening, resolve, reject } = Promise.withResolvers<AddressInfo>();
  const server = serve({ fetch, hostname: '127.0.0.1', port }, resolve);
  server.once('error', reject);
  const address = await listening;
  return {
    origin: `http://127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      if ('closeAllConnections' in server) server.closeAllConnections();
      await closed.promise;
    },
  };
}
