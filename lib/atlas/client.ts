import * as z from 'zod';
import { type Clock, systemClock } from '../runtime/clock.ts';
import type { Deadline } from '../runtime/deadline.ts';
import { type Problem, problemsOf, sentenceOf } from '../runtime/problems.ts';
import { type AtlasCredentials, createAuthenticator } from './authenticator.ts';
import {
  AtlasContractBroken,
  AtlasInputInvalid,
  AtlasOutcomeUnknown,
  AtlasRejected,
  AtlasUnavailable,
} from './errors.ts';
import type { Operation } from './operations/define.ts';
import type { Pace } from './pace.ts';
import { type Backoff, defaultBackoff, retryAfterMs, waitForNextAttempt } from './retry.ts';
import type { TokenSource } from './token-source.ts';
import { type Answer, createTransport, exchange, type Transport } from './transport.ts';

/** What an operation takes: its params, and its query and body where it has them. */
export type Input<Op extends Operation> = { readonly params: z.input<Op['params']> } & (Op extends {
  readonly query: infer Query extends z.ZodType;
}
  ? { readonly query?: z.input<Query> }
  : unknown) &
  (Op extends { readonly body: infer Body extends z.ZodType } ? { readonly body: z.input<Body> } : unknown);

export type Result<Op extends Operation> = z.output<Op['response']>;

/** An answer with the instant Atlas gave it, by Atlas's own clock: ages of what Atlas dated are measured against it. */
export interface Dated<Data> {
  readonly data: Data;
  readonly at: Date;
  /** Atlas's own name for the request, where it gave one: what its support asks for. */
  readonly requestId?: string | undefined;
}

export interface AtlasClientOptions {
  /** Origin of the API; the token URL is derived from it. */
  readonly origin: string;
  /**
   * A service account's or a pair of API keys. Asked before every token, and again when API keys are refused, so that a
   * rotated credential is picked up without a restart.
   */
  readonly credentials: (deadline?: Deadline) => Promise<AtlasCredentials>;
  readonly transport?: Transport;
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly backoff?: Backoff;
  /** Shared with every other client of the same organizations; without one, calls go as they come. */
  readonly pace?: Pace;
}

export interface AtlasClient {
  /**
   * Calls one operation and answers its parsed result. Retries by itself what may be repeated: 429 always (honouring
   * Retry-After), lost answers and 5xx where the operation is safe to repeat; never past the deadline.
   */
  call<Op extends Operation>(operation: Op, input: Input<Op>, deadline?: Deadline): Promise<Result<Op>>;
  /** Like `call`, with the instant of the answer. */
  callDated<Op extends Operation>(operation: Op, input: Input<Op>, deadline?: Deadline): Promise<Dated<Result<Op>>>;
  /** Gets the page a `next` link leads to: only its path and query count, never its host. */
  follow<Op extends Operation>(operation: Op, href: string, deadline?: Deadline): Promise<Result<Op>>;
  /** Of a service account; API keys have none, and nothing to revoke. */
  readonly tokens: TokenSource;
}

/** A client of Atlas as one service account or one pair of API keys. Safe to share between concurrent callers. */
export function createAtlasClient(options: AtlasClientOptions): AtlasClient {
  const {
    origin,
    transport = createTransport(),
    clock = systemClock,
    random = Math.random,
    backoff = defaultBackoff,
    credentials,
    pace,
  } = options;
  const authenticator = createAuthenticator({ origin, credentials, transport, clock, random, backoff });

  async function send(op: Operation, path: string, body: unknown, deadline?: Deadline): Promise<Dated<unknown>> {
    const mediaType = op.version === undefined ? 'application/json' : `application/vnd.atlas.${op.version}+json`;
    let refreshed = false;
    // An answer was lost on the way: what comes next may be about our own work.
    let lost = false;
    for (let attempt = 1; ; attempt++) {
      const proof = await authenticator.prove({ method: op.method, uri: path }, deadline);
      await pace?.enter(path, deadline);
      const answer = await exchange(
        op.repeat === 'never' ? transport.fresh : transport.keptAlive,
        {
          origin,
          path,
          method: op.method,
          headers: {
            accept: mediaType,
            'user-agent': 'atlas-automation',
            ...(proof.header !== undefined && { authorization: proof.header }),
            ...(body !== undefined && { 'content-type': mediaType }),
          },
          body: body === undefined ? undefined : JSON.stringify(body),
        },
        deadline,
      );
      pace?.leave(path, answer);
      if (answer.kind === 'answer' && answer.status < 300)
        return { data: answer.json, at: dateOf(answer, clock), requestId: requestIdOf(answer) };
      // A 401 was not carried out: it is a challenge to prove who asks or, once, a proof that has had its day.
      if (answer.kind === 'answer' && answer.status === 401) {
        const knowsWho = proof.header !== undefined && speaksOfRights(errorCodeOf(answer));
        if (proof.header === undefined || !(refreshed || knowsWho)) {
          refreshed ||= proof.header !== undefined;
          proof.learn(answer);
          attempt--;
          continue;
        }
        const verdict = proof.verdict(answer, errorCodeOf(answer));
        if (verdict) throw verdict;
      }
      if (lost && answer.kind === 'answer' && answer.status >= 400 && answer.status < 429) {
        if (op.method === 'DELETE' && answer.status === 404) return { data: undefined, at: dateOf(answer, clock) };
        if (op.method !== 'GET') throw afterLoss(op, answer);
      }
      lost ||= answer.kind === 'silence' ? answer.sent : answer.status >= 500;
      const { error, retry, askedMs } = failure(op, answer, attempt, clock.now());
      if (!retry || !(await waitForNextAttempt({ attempt, backoff, clock, random, askedMs, deadline }))) throw error;
    }
  }

  async function callDated<Op extends Operation>(
    op: Op,
    input: Input<Op>,
    deadline?: Deadline,
  ): Promise<Dated<Result<Op>>> {
    const { path, body } = prepare(op, input);
    const { data, ...dated } = await send(op, path, body, deadline);
    return { ...dated, data: read(op, data) };
  }

  return {
    tokens: authenticator.tokens,
    callDated,
    call: async (op, input, deadline) => (await callDated(op, input, deadline)).data,
    async follow(op, href, deadline) {
      return read(op, (await send(op, pathIn(op, href, origin), undefined, deadline)).data);
    },
  };
}

/** The request an operation becomes. Checks everything the caller gave, sends nothing, and reports every problem at once. */
export function prepare(
  op: Operation,
  input: { params: unknown; query?: unknown; body?: unknown },
): { path: string; body: unknown } {
  const problems: Problem[] = [];
  const check = <Schema extends z.ZodType>(
    part: string,
    schema: Schema,
    value: unknown,
  ): z.output<Schema> | undefined => {
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    problems.push(...problemsOf(parsed.error, [part]));
    return undefined;
  };
  const params = check('params', op.params, input.params);
  const query = op.query && check('query', op.query, input.query ?? {});
  const body = op.body && check('body', op.body, input.body);
  if (problems.length > 0 || !params) {
    throw new AtlasInputInvalid(`${op.id} cannot be sent: ${sentenceOf(problems)}`, { operation: op.id, problems });
  }
  const path = op.path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {})) {
    // Atlas reads a list as its key once per item.
    for (const item of Array.isArray(value) ? value : [value]) if (item !== undefined) search.append(key, String(item));
  }
  return { path: search.size > 0 ? `${path}?${search}` : path, body };
}

/** The one typed boundary: past this point an answer is what the operation says it is. */
function read<Op extends Operation>(op: Op, json: unknown): Result<Op> {
  const parsed = op.response.safeParse(json);
  if (!parsed.success) {
    const fields = parsed.error.issues.map((issue) => issue.path.join('.'));
    const facts = { operation: op.id, fields };
    // The request was carried out, and what it did can't be read: for what must not be repeated that is not knowing.
    throw op.repeat === 'never'
      ? new AtlasOutcomeUnknown(`unknown answer to ${op.id}`, facts)
      : new AtlasContractBroken(`unknown answer to ${op.id}`, facts);
  }
  return parsed.data as Result<Op>;
}

/** What an answer other than success means for this operation, and whether to try again. */
function failure(
  op: Operation,
  answer: Answer,
  attempt: number,
  now: Date,
): { error: Error; retry: boolean; askedMs?: number | undefined } {
  const facts = { operation: op.id, attempt };
  if (answer.kind === 'silence') {
    const known = op.repeat === 'safe' || !answer.sent;
    const cause = { cause: answer.cause };
    return known
      ? { error: new AtlasUnavailable(`no answer to ${op.id}`, facts, cause), retry: true }
      : {
          error: new AtlasOutcomeUnknown(`no answer to ${op.id}, which may have been carried out`, facts, cause),
          retry: false,
        };
  }
  const { status } = answer;
  const errorCode = errorCodeOf(answer);
  // Neither was carried out, so both may be repeated whatever the operation.
  const turnedAway = status === 429 || (status === 405 && errorCode === 'WRITES_NOT_ALLOWED_DURING_APP_UPGRADES');
  if (turnedAway || (status >= 500 && op.repeat === 'safe')) {
    return {
      error: new AtlasUnavailable(`${op.id} still ${status} after ${attempt} attempts`, {
        ...facts,
        status,
        errorCode,
      }),
      retry: true,
      askedMs: retryAfterMs(answer.headers['retry-after'], now),
    };
  }
  if (status >= 500) {
    return {
      error: new AtlasOutcomeUnknown(`${op.id} failed inside Atlas with ${status} and may have been carried out`, {
        ...facts,
        status,
        errorCode,
      }),
      retry: false,
    };
  }
  return { error: new AtlasRejected(op.id, status, errorCode, detailOf(answer)), retry: false };
}

/**
 * The path and query of a link. Whatever is not a web address below /api has no path that could be put behind our own
 * origin without becoming part of the host.
 */
export function pathIn(op: Operation, href: string, origin: string): string {
  const url = URL.parse(href, origin);
  if (!url || !/^https?:$/.test(url.protocol) || !url.pathname.startsWith('/api/')) {
    throw new AtlasContractBroken(`${op.id} gave a link that leads nowhere in Atlas`, { operation: op.id });
  }
  return url.pathname + url.search;
}

/** Codes of a 401 that knows who asks, and says what they may not do: a new token would change nothing. */
const speaksOfRights = (errorCode: string | undefined): boolean =>
  errorCode !== undefined && /^(USER_UNAUTHORIZED|USER_CANNOT_ACCESS_|NOT_)/.test(errorCode);

/** A refusal after a lost answer: it may only say that the first request was carried out. */
function afterLoss(op: Operation, answer: Extract<Answer, { kind: 'answer' }>): AtlasOutcomeUnknown {
  const { status } = answer;
  const facts = { operation: op.id, status, errorCode: errorCodeOf(answer) };
  return new AtlasOutcomeUnknown(`${op.id} was refused with ${status} after its first answer was lost`, facts);
}

const ErrorBody = z.object({
  errorCode: z
    .string()
    .regex(/^\w{1,100}$/)
    .optional(),
  detail: z.string().optional(),
});

function errorCodeOf(answer: Extract<Answer, { kind: 'answer' }>): string | undefined {
  const { data } = ErrorBody.safeParse(answer.json);
  const header = answer.headers['x-error-code'];
  return data?.errorCode ?? (typeof header === 'string' && /^\w{1,100}$/.test(header) ? header : undefined);
}

const detailOf = ({ json }: Extract<Answer, { kind: 'answer' }>): string | undefined =>
  ErrorBody.safeParse(json).data?.detail;

/** The header is Atlas's own and is in no document: taken only where it looks like an id. */
function requestIdOf({ headers }: Extract<Answer, { kind: 'answer' }>): string | undefined {
  const id = headers['x-request-id'];
  return typeof id === 'string' && /^[\w-]{1,100}$/.test(id) ? id : undefined;
}

function dateOf(answer: Extract<Answer, { kind: 'answer' }>, clock: Clock): Date {
  const header = answer.headers['date'];
  const date = new Date(typeof header === 'string' ? header : Number.NaN);
  return Number.isNaN(date.getTime()) ? clock.now() : date;
}
