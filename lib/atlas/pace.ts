import type { Clock } from '../runtime/clock.ts';
import type { Deadline } from '../runtime/deadline.ts';
import { AtlasUnavailable } from './errors.ts';
import { retryAfterMs } from './retry.ts';
import type { Answer } from './transport.ts';

/**
 * Keeps what many clients send at once within the rate limits they share. Atlas counts calls by organization and project,
 * not by who calls: so one pace belongs to all clients of a process.
 */
export interface Pace {
  /** Waits until a call to this path may go; `leave` must follow. Throws AtlasUnavailable where that is past the deadline. */
  enter(path: string, deadline?: Deadline): Promise<void>;
  /** Learns from the answer how much is left. */
  leave(path: string, answer: Answer): void;
}

interface Bucket {
  inFlight: number;
  /** Calls left, by the last answer; undefined before the first one, infinite where Atlas does not say. */
  left: number | undefined;
  capacity: number;
  /** Nobody goes before, in epoch milliseconds. */
  closedUntil: number;
  /** When the last call went, in epoch milliseconds. */
  lastAt: number;
  changed: PromiseWithResolvers<void>;
}

/** Left for others, at most, who call the same organization: people, and rotations that are under way. */
const MOST_RESERVE = 20;

/** While little is left one call goes after every such pause, in milliseconds, to learn whether there is more again. */
const PROBE_MS = 10_000;

/** A limit refills once a minute, in milliseconds. Source: https://www.mongodb.com/docs/atlas/api/api-rate-limit/ */
const REFILL_MS = 60_000;

/** The limit a path counts against, as far as the path tells: its organization or project, and what is asked for there. */
function bucketOf(path: string): string | undefined {
  const [, scope, id, resource] = /^\/api\/atlas\/v2\/(orgs|groups)\/([a-f0-9]{24})\/([A-Za-z]+)/.exec(path) ?? [];
  // What lies below clusters counts against limits of its own.
  return resource === undefined || resource === 'clusters' ? undefined : `${scope} ${id} ${resource}`;
}

export function createPace(clock: Clock): Pace {
  const buckets = new Map<string, Bucket>();
  const find = (path: string): Bucket | undefined => {
    const key = bucketOf(path);
    if (key === undefined) return undefined;
    const bucket = buckets.get(key) ?? {
      inFlight: 0,
      left: undefined,
      capacity: 0,
      closedUntil: 0,
      lastAt: 0,
      changed: Promise.withResolvers<void>(),
    };
    buckets.set(key, bucket);
    return bucket;
  };

  /** How long until the next call may go, in milliseconds; zero for now. An answer may make it sooner. */
  function waitFor({ inFlight, left, capacity, closedUntil, lastAt }: Bucket, now: number): number {
    if (now < closedUntil) return closedUntil - now;
    // The first goes alone, and says how many may follow.
    if (left === undefined) return inFlight === 0 ? 0 : PROBE_MS;
    const reserve = Math.min(MOST_RESERVE, Math.ceil(capacity / 10));
    if (left - inFlight > reserve) return 0;
    if (inFlight > 0) return PROBE_MS;
    return left > 0 ? Math.max(0, lastAt + PROBE_MS - now) : Math.max(0, lastAt + REFILL_MS - now);
  }

  return {
    async enter(path, deadline) {
      const bucket = find(path);
      if (!bucket) return;
      for (;;) {
        const now = clock.now().getTime();
        const wait = waitFor(bucket, now);
        if (wait === 0) {
          bucket.inFlight++;
          bucket.lastAt = now;
          return;
        }
        if (deadline && wait >= deadline.remainingMs())
          throw new AtlasUnavailable('the rate limit leaves no call within the time that is left', { path });
        const woken = new AbortController();
        const signal = deadline ? AbortSignal.any([deadline.signal, woken.signal]) : woken.signal;
        const slept = clock.sleep(wait, signal).catch(() => {});
        await Promise.race([slept, bucket.changed.promise]);
        woken.abort();
      }
    },

    leave(path, answer) {
      const bucket = find(path);
      if (!bucket) return;
      bucket.inFlight--;
      if (answer.kind === 'answer') learn(bucket, answer, clock.now());
      const { resolve } = bucket.changed;
      bucket.changed = Promise.withResolvers();
      resolve();
    },
  };
}

function learn(bucket: Bucket, { status, headers }: Extract<Answer, { kind: 'answer' }>, now: Date): void {
  if (status === 429) {
    bucket.left = 0;
    bucket.closedUntil = Math.max(
      bucket.closedUntil,
      now.getTime() + (retryAfterMs(headers['retry-after'], now) ?? REFILL_MS),
    );
    return;
  }
  const left = Number(headers['ratelimit-remaining'] ?? Number.NaN);
  if (!Number.isFinite(left)) {
    // A refusal before the count may leave it out: that says nothing of the others.
    if (status < 300) bucket.left ??= Number.POSITIVE_INFINITY;
    return;
  }
  bucket.capacity = Number(headers['ratelimit-limit'] ?? 0) || bucket.capacity;
  // Answers overtake each other: a little more than was known is an older answer, much more is a refill.
  const known = bucket.left ?? left;
  bucket.left = left > known && left - known <= bucket.inFlight + 1 ? known : left;
}
