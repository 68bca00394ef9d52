import { Agent, type Dispatcher, request } from 'undici';
import type { Deadline } from '../runtime/deadline.ts';
import { errorCode } from '../runtime/error-code.ts';
import { parseJson } from '../runtime/json.ts';

/** Where requests go. Two doors, because a kept-alive connection can die under a request and leave its fate unknown. */
export interface Transport {
  /** For requests that may be sent again. */
  readonly keptAlive: Dispatcher;
  /** For requests that must not: each opens its own connection. */
  readonly fresh: Dispatcher;
}

export const createTransport = (): Transport => ({
  keptAlive: new Agent({ connect: { timeout: 5_000 } }),
  fresh: new Agent({ connect: { timeout: 5_000 }, pipelining: 0 }),
});

export interface Sent {
  readonly origin: string;
  readonly path: string;
  readonly method: Dispatcher.HttpMethod;
  readonly headers: Record<string, string>;
  readonly body?: string | undefined;
}

export type Answer =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers: Readonly<Record<string, string | string[] | undefined>>;
      /** The parsed JSON, or undefined where there was none to read. */
      readonly json: unknown;
    }
  /** `sent: false` when the request certainly never reached the server. */
  | { readonly kind: 'silence'; readonly sent: boolean; readonly cause: unknown };

const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  // Refused during the handshake, before the request.
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** Sends one request once and reads its whole answer. Never throws: silence is an answer too. */
export async function exchange(dispatcher: Dispatcher, sent: Sent, deadline?: Deadline): Promise<Answer> {
  if (deadline?.signal.aborted) return { kind: 'silence', sent: false, cause: new Error('no time was left') };
  try {
    const answer = await request(sent.origin + sent.path, {
      dispatcher,
      method: sent.method,
      headers: sent.headers,
      headersTimeout: 30_000,
      bodyTimeout: 30_000,
      ...(sent.body !== undefined && { body: sent.body }),
      ...(deadline && { signal: deadline.signal }),
    });
    const text = await answer.body.text();
    return { kind: 'answer', status: answer.statusCode, headers: answer.headers, json: parseJson(text) };
  } catch (cause) {
    return { kind: 'silence', sent: !NEVER_SENT.has(errorCode(cause) ?? ''), cause };
  }
}
