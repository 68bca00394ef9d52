import { type Backoff, retryAfterMs, waitForNextAttempt } from '../atlas/retry.ts';
import { type Answer, exchange, type Transport } from '../atlas/transport.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Deadline } from '../runtime/deadline.ts';
import { FanOutFailed } from './target.ts';

type Answered = Extract<Answer, { readonly kind: 'answer' }>;

export interface GitHubRequest {
  readonly method: 'GET' | 'PUT';
  /** Behind the base URL, encoded. */
  readonly path: string;
  readonly body?: object;
  readonly token: string;
}

export interface GitHubClient {
  /**
   * One call, repeated while GitHub is busy or out of reach: every call made here may be. Answers any status below 500
   * but 401, 403 and 429; throws FanOutFailed for those, without anything of the request in it.
   */
  send(request: GitHubRequest, deadline: Deadline): Promise<Answered>;
}

const backoff: Backoff = { attempts: 4, baseMs: 500, maxMs: 10_000 };

interface Surroundings {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random?: () => number;
}

/**
 * GitHub at one base URL. Calls go one after the other, as GitHub asks of whoever writes, and none before the instant
 * that GitHub named when it last refused one.
 * Source: https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
 */
export function createGitHubClient(
  baseUrl: string,
  { transport, clock, random = Math.random }: Surroundings,
): GitHubClient {
  const { origin, pathname } = new URL(baseUrl);
  const prefix = pathname.replace(/\/$/, '');
  let last: Promise<unknown> = Promise.resolve();
  let notBefore = 0;

  async function once({ method, path, body, token }: GitHubRequest, deadline: Deadline): Promise<Answer> {
    const wait = notBefore - clock.now().getTime();
    if (wait > 0) {
      if (wait > deadline.remainingMs()) throw busy(path, 429);
      await clock.sleep(wait, deadline.signal);
    }
    return exchange(
      transport.keptAlive,
      {
        origin,
        path: prefix + path,
        method,
        headers: {
          accept: 'application/vnd.github+json',
          authorization: `Bearer ${token}`,
          // GitHub refuses whoever does not say who they are.
          'user-agent': 'atlas-automation',
          'x-github-api-version': '2022-11-28',
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        body: body === undefined ? undefined : JSON.stringify(body),
      },
      deadline,
    );
  }

  async function send(request: GitHubRequest, deadline: Deadline): Promise<Answered> {
    for (let attempt = 1; ; attempt++) {
      const answer = await once(request, deadline);
      const now = clock.now();
      const askedMs = answer.kind === 'answer' ? pauseOf(answer, now) : undefined;
      if (askedMs !== undefined) notBefore = Math.max(notBefore, now.getTime() + askedMs);
      const isBusy = answer.kind === 'silence' || answer.status >= 500 || askedMs !== undefined;
      if (!isBusy) {
        if (answer.status !== 401 && answer.status !== 403) return answer;
        throw refused(request.path, answer.status);
      }
      if (!(await waitForNextAttempt({ attempt, backoff, clock, random, askedMs, deadline })))
        throw busy(request.path, answer.kind === 'answer' ? answer.status : undefined);
    }
  }

  return {
    send(request, deadline) {
      const next = last.then(() => send(request, deadline));
      last = next.catch(() => {});
      return next;
    },
  };
}

const busy = (path: string, status: number | undefined): FanOutFailed =>
  new FanOutFailed('FAN_OUT_UNAVAILABLE', 'GitHub is out of reach or busy', { path, status });

const refused = (path: string, status: number): FanOutFailed =>
  new FanOutFailed('FAN_OUT_REFUSED', `GitHub refused with ${status}: look at the token's permissions and its end`, {
    path,
    status,
  });

/** How long GitHub wants to be left alone, in milliseconds; undefined where it refused nothing for being asked too often. */
function pauseOf({ status, headers }: Answered, now: Date): number | undefined {
  if (status !== 403 && status !== 429) return undefined;
  const asked = retryAfterMs(headers['retry-after'], now);
  if (asked !== undefined) return asked;
  const reset = Number(headers['x-ratelimit-reset']);
  if (headers['x-ratelimit-remaining'] === '0' && Number.isFinite(reset))
    return Math.max(1_000, reset * 1_000 - now.getTime());
  return status === 429 ? 60_000 : undefined;
}
