import { AtlasUnavailable } from '../../../lib/atlas/errors.ts';
import type { Pace } from '../../../lib/atlas/pace.ts';
import { retryAfterMs } from '../../../lib/atlas/retry.ts';
import type { Answer } from '../../../lib/atlas/transport.ts';
import type { Clock } from '../../../lib/runtime/clock.ts';
import type { Deadline } from '../../../lib/runtime/deadline.ts';

/** What an audit has cost so far. */
export interface Cost {
  readonly calls: number;
  /** Answers that were none: silence and 5xx. */
  readonly failed: number;
  /** Answers 429. */
  readonly throttled: number;
  /** Milliseconds spent holding calls back so that others have the rest of a limit. */
  readonly waitedMs: number;
}

/**
 * How an audit shares Atlas with everybody else: so many calls at a time and no more, and of every limit the last fifth is
 * left to others. Whoever applies a change or restores a cluster comes first.
 */
export interface Budget extends Pace {
  readonly cost: Cost;
  /** How far Atlas's clock is ahead of this machine's, in milliseconds, by its latest answer. */
  readonly aheadMs: number;
}

interface Bucket {
  capacity: number;
  left: number;
  inFlight: number;
  /** Nobody goes before, in epoch milliseconds. */
  closedUntil: number;
  /** When the last call went while little was left. */
  probedAt: number;
}

const LEFT_TO_OTHERS = 0.2;
/** While little is left, one call goes after every such pause to learn whether there is more again. */
const PROBE_MS = 10_000;
/** After a 429 that does not say when to come back. */
const TURNED_AWAY_MS = 10_000;

/** Endpoints that draw on one limit, as far as a path tells. */
function bucketOf(path: string): string {
  const [, scope = '', id = '', rest = ''] = /^\/api\/atlas\/v2\/(groups|orgs)\/([^/?]+)\/?([^?]*)/.exec(path) ?? [];
  const resource = rest.startsWith('backupCompliancePolicy')
    ? 'backup'
    : rest.replace(/^(clusters|flexClusters)\/[^/]+\/backup.*/, '$1 backup').replace(/^clusters backup/, 'backup');
  return id === '' ? path.replace(/\?.*/, '') : `${scope} ${id} ${resource.replace(/\/.*/, '')}`;
}

export function createBudget(sockets: number, clock: Clock): Budget {
  const buckets = new Map<string, Bucket>();
  const waiting: (() => void)[] = [];
  const cost = { calls: 0, failed: 0, throttled: 0, waitedMs: 0 };
  let busy = 0;
  let aheadMs = 0;

  const bucketFor = (path: string): Bucket => {
    const key = bucketOf(path);
    const bucket = buckets.get(key) ?? {
      capacity: 0,
      left: Number.POSITIVE_INFINITY,
      inFlight: 0,
      closedUntil: 0,
      probedAt: 0,
    };
    buckets.set(key, bucket);
    return bucket;
  };

  /** How long this call has to be held back, in milliseconds. */
  function holdBack(bucket: Bucket, now: number): number {
    if (now < bucket.closedUntil) return bucket.closedUntil - now;
    if (bucket.left - bucket.inFlight > bucket.capacity * LEFT_TO_OTHERS) return 0;
    return Math.max(0, bucket.probedAt + PROBE_MS - now);
  }

  const release = (): void => {
    const next = waiting.shift();
    if (next) next();
    else busy--;
  };

  return {
    cost,
    get aheadMs() {
      return aheadMs;
    },
    async enter(path, deadline) {
      await yieldToOthers(path, deadline);
      if (busy < sockets) busy++;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      bucketFor(path).inFlight++;
      cost.calls++;
    },

    leave(path, answer) {
      const bucket = bucketFor(path);
      bucket.inFlight--;
      learn(bucket, answer);
      // What is empty and knows nothing is forgotten: there are as many as projects.
      if (bucket.inFlight === 0 && bucket.left > bucket.capacity * LEFT_TO_OTHERS * 2 && bucket.closedUntil === 0) {
        buckets.delete(bucketOf(path));
      }
      release();
    },
  };

  async function yieldToOthers(path: string, deadline: Deadline | undefined): Promise<void> {
    for (;;) {
      const now = clock.now().getTime();
      const bucket = bucketFor(path);
      const wait = holdBack(bucket, now);
      if (wait === 0) {
        if (bucket.left - bucket.inFlight <= bucket.capacity * LEFT_TO_OTHERS) bucket.probedAt = now;
        return;
      }
      if (deadline && wait >= deadline.remainingMs()) {
        const facts = { path: path.replace(/\?.*/, ''), status: 429 };
        throw new AtlasUnavailable('the rate limit leaves no call within the time that is left', facts);
      }
      cost.waitedMs += wait;
      await clock.sleep(wait, deadline?.signal);
    }
  }

  function learn(bucket: Bucket, answer: Answer): void {
    if (answer.kind === 'silence') {
      cost.failed++;
      return;
    }
    const now = clock.now();
    const date = Date.parse(String(answer.headers['date'] ?? ''));
    // Whole seconds: less than two apart is the same time.
    if (!Number.isNaN(date)) aheadMs = Math.abs(date - now.getTime()) < 2_000 ? 0 : date - now.getTime();
    if (answer.status >= 500) cost.failed++;
    if (answer.status === 429) {
      cost.throttled++;
      const asked = retryAfterMs(answer.headers['retry-after'], now) ?? TURNED_AWAY_MS;
      bucket.closedUntil = Math.max(bucket.closedUntil, now.getTime() + asked);
      return;
    }
    bucket.closedUntil = 0;
    const left = numberIn(answer.headers['ratelimit-remaining']);
    const capacity = numberIn(answer.headers['ratelimit-limit']);
    // Atlas may leave the headers out, and then says nothing of what is left.
    if (left === undefined || capacity === undefined) return;
    bucket.capacity = capacity;
    bucket.left = left;
  }
}

function numberIn(header: string | string[] | undefined): number | undefined {
  const value = typeof header === 'string' && header.trim() !== '' ? Number(header) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}
