import { Agent, type Dispatcher, request } from 'undici';
import * as z from 'zod';
import type { Clock } from '../runtime/clock.ts';
import type { Deadline } from '../runtime/deadline.ts';
import { errorCode } from '../runtime/error-code.ts';
import { parseJson } from '../runtime/json.ts';
import { problemsOf } from '../runtime/problems.ts';
import {
  TicketContractBroken,
  type TicketError,
  TicketOutcomeUnknown,
  TicketRejected,
  TicketSystemBusy,
  TicketSystemUnavailable,
} from './errors.ts';

/** Two doors: a kept-alive connection can die under a request and leave its fate unknown. */
export interface Transport {
  /** For requests that may be sent again. */
  readonly keptAlive: Dispatcher;
  /** For requests that must not: each opens its own connection. */
  readonly fresh: Dispatcher;
}

/** More than any answer here is worth, in bytes: a tracker gone wrong must not fill the memory. */
const LONGEST_ANSWER = 16 * 1024 * 1024;

const makeTransport = (): Transport => ({
  keptAlive: new Agent({ connect: { timeout: 5_000 }, maxResponseSize: LONGEST_ANSWER }),
  fresh: new Agent({ connect: { timeout: 5_000 }, maxResponseSize: LONGEST_ANSWER, pipelining: 0 }),
});

let shared: Transport | undefined;
/** One pair of connection pools for all destinations of a process. */
export const sharedTransport = (): Transport => (shared ??= makeTransport());

export interface Call {
  /** Names the call in errors and metrics. */
  readonly operation: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From the base URL on, with its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  /** Sent instead of `json`. */
  readonly form?: Readonly<Record<string, string>>;
  /** `never`: a lost answer or a 5xx is TicketOutcomeUnknown. */
  readonly repeat: 'safe' | 'never';
  /** What a 404 says is missing; the ticket unless given. */
  readonly missing?: 'place';
  /** Statuses besides 2xx that the caller reads itself. */
  readonly expects?: readonly number[];
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly json: unknown;
}

export interface HttpOptions {
  readonly system: string;
  readonly baseUrl: string;
  readonly transport: Transport;
  readonly clock: Clock;
  /** Headers that prove who we are. `again`: the last ones were refused. */
  readonly authorize: (deadline: Deadline, again: boolean) => Promise<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** The tracker's own way to refuse, also inside a 2xx; undefined where the usual reading fits. */
  readonly judge?: (reply: Reply, call: Call, facts: Readonly<Record<string, unknown>>) => TicketError | undefined;
}

export interface Http {
  /** Sends one call. Once more only with newly read credentials where the old ones were refused, or to where the tracker redirects. */
  send(call: Call, deadline: Deadline): Promise<Reply>;
  /** The same, with the answer read by `schema`. */
  read<Schema extends z.ZodType>(schema: Schema, call: Call, deadline: Deadline): Promise<z.output<Schema>>;
}

const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

export function createHttp(options: HttpOptions): Http {
  const { system, baseUrl, transport, clock, authorize, judge } = options;

  async function exchange(call: Call, deadline: Deadline, again: boolean): Promise<Reply> {
    const facts = { system, operation: call.operation };
    if (deadline.signal.aborted)
      throw new TicketSystemUnavailable(`no time was left for ${call.operation} at ${system}`, facts);
    const proof = await authorize(deadline, again);
    const body = call.form ? new URLSearchParams(call.form).toString() : JSON.stringify(call.json);
    const type = call.form ? 'application/x-www-form-urlencoded' : 'application/json; charset=utf-8';
    try {
      const answer = await request(baseUrl + call.path, {
        dispatcher: call.repeat === 'never' ? transport.fresh : transport.keptAlive,
        method: call.method,
        headers: {
          accept: 'application/json',
          'user-agent': 'atlas-automation',
          ...(body !== undefined && { 'content-type': type }),
          ...options.headers,
          ...call.headers,
          ...proof,
        },
        headersTimeout: 30_000,
        bodyTimeout: 30_000,
        signal: deadline.signal,
        ...(body !== undefined && { body }),
      });
      const headers = Object.fromEntries(
        Object.entries(answer.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
      );
      return { status: answer.statusCode, headers, json: parseJson(await answer.body.text()) };
    } catch (cause) {
      const sent = !NEVER_SENT.has(errorCode(cause) ?? '');
      throw sent && call.repeat === 'never'
        ? new TicketOutcomeUnknown(`no answer to ${call.operation} from ${system}`, facts, { cause })
        : new TicketSystemUnavailable(`no answer to ${call.operation} from ${system}`, { ...facts, sent }, { cause });
    }
  }

  const refused = (reply: Reply, call: Call): TicketError | undefined => {
    const facts = { system, operation: call.operation, status: reply.status };
    const own = judge?.(reply, call, facts);
    if (own) return own;
    if ((reply.status >= 200 && reply.status < 300) || call.expects?.includes(reply.status)) return undefined;
    return usualReading(reply, call, facts, clock.now());
  };

  async function send(call: Call, deadline: Deadline): Promise<Reply> {
    let reply = await exchange(call, deadline, false);
    if ([301, 302, 307, 308].includes(reply.status)) {
      const path = pathBelow(reply.headers['location'], baseUrl);
      // A redirect says that nothing was carried out here: the same call goes to where it leads, once.
      if (path !== undefined) reply = await exchange({ ...call, path }, deadline, false);
    }
    const error = refused(reply, call);
    if (!error) return reply;
    if (!(error instanceof TicketRejected) || error.refusal !== 'credentials') throw error;
    // Nothing was carried out, and the secret may have been rotated since it was read.
    const second = await exchange(call, deadline, true);
    const still = refused(second, call);
    if (still) throw still;
    return second;
  }

  return {
    send,
    async read(schema, call, deadline) {
      const reply = await send(call, deadline);
      const parsed = schema.safeParse(reply.json);
      if (parsed.success) return parsed.data;
      const unreadable = {
        system,
        operation: call.operation,
        fields: problemsOf(parsed.error).map(({ path }) => path),
      };
      // It was carried out, and what it made can't be read: for an open that is not knowing.
      throw call.repeat === 'never'
        ? new TicketOutcomeUnknown(`unknown answer to ${call.operation} from ${system}`, unreadable)
        : new TicketContractBroken(`unknown answer to ${call.operation} from ${system}`, unreadable);
    },
  };
}

/** What a status means wherever a tracker says nothing of its own. */
export function usualReading(
  reply: Reply,
  call: Call,
  facts: Readonly<Record<string, unknown>>,
  now: Date,
): TicketError {
  const said = `${facts['system']} answered ${call.operation} with ${reply.status}`;
  const { status } = reply;
  if (status === 429) return new TicketSystemBusy(said, facts, { retryAfterMs: askedMs(reply, now) ?? 60_000 });
  if (status >= 500 || status === 408 || status === 425) {
    if (call.repeat === 'never') return new TicketOutcomeUnknown(said, facts);
    const retryAfterMs = askedMs(reply, now);
    return retryAfterMs === undefined
      ? new TicketSystemUnavailable(said, facts)
      : new TicketSystemBusy(said, facts, { retryAfterMs });
  }
  if (status === 401) return new TicketRejected(said, facts, 'credentials');
  if (status === 403) return new TicketRejected(said, facts, 'forbidden');
  if (status === 404 || status === 410)
    return new TicketRejected(said, facts, call.missing === 'place' ? 'no-such-place' : 'gone');
  return new TicketRejected(said, facts, 'invalid');
}

/** `Retry-After` in milliseconds, in both its forms; undefined where there is none. */
export function askedMs(reply: Reply, now: Date): number | undefined {
  const text = reply.headers['retry-after']?.trim();
  if (text === undefined || text === '') return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1_000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now.getTime());
}

/** The path of a redirect, as long as it stays below the base URL: credentials go nowhere else. */
function pathBelow(location: string | undefined, baseUrl: string): string | undefined {
  const url = location === undefined ? null : URL.parse(location, `${baseUrl}/`);
  const base = new URL(baseUrl);
  const prefix = base.pathname.replace(/\/$/, '');
  if (!url || url.origin !== base.origin || !url.pathname.startsWith(`${prefix}/`)) return undefined;
  return url.pathname.slice(prefix.length) + url.search;
}

/** An id, whatever JSON type it came as. */
export const Id = z.union([z.string().min(1), z.number(), z.bigint()]).transform(String);
