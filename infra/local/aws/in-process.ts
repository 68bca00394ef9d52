import type { Server } from 'node:http';
import { Readable } from 'node:stream';

/** What a server answered: the status and the text. */
export interface Answered {
  readonly status: number;
  readonly text: string;
}

/**
 * Puts one request to a server that listens nowhere. For servers that read the body as a stream and answer with one
 * `end`, as request handlers of Node's own http module do.
 */
export function askInProcess(
  server: Server,
  { headers, body }: { readonly headers: Readonly<Record<string, string>>; readonly body: string },
): Promise<Answered> {
  const { promise, resolve } = Promise.withResolvers<Answered>();
  const request = Object.assign(Readable.from([Buffer.from(body)]), { method: 'POST', url: '/', headers });
  const response = {
    statusCode: 200,
    setHeader: () => {},
    end(text = '') {
      resolve({ status: response.statusCode, text });
    },
  };
  server.emit('request', request, response);
  return promise;
}
