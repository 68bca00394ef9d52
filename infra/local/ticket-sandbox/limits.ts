import type { Clock } from '../../../lib/runtime/clock.ts';

/** So many calls in so many seconds. */
export interface Window {
  readonly calls: number;
  readonly seconds: number;
}

/** What a limiter says of one call. */
export interface Taken {
  readonly allowed: boolean;
  readonly remaining: number;
  /** When the window is over, in milliseconds since the epoch. */
  readonly resetAt: number;
  /** Seconds until then, at least one. */
  readonly waitSeconds: number;
}

export type Limiter = (key: string) => Taken;

/** Counts calls by key in windows that begin with the first call. No window at all allows everything. */
export function createLimiter(clock: Clock, window: Window | undefined): Limiter {
  const counts = new Map<string, { since: number; calls: number }>();
  return (key) => {
    const now = clock.now().getTime();
    if (!window) return { allowed: true, remaining: 1, resetAt: now, waitSeconds: 1 };
    const length = window.seconds * 1_000;
    const open = counts.get(key);
    const count = open && now - open.since < length ? open : { since: now, calls: 0 };
    counts.set(key, count);
    const resetAt = count.since + length;
    const waitSeconds = Math.max(1, Math.ceil((resetAt - now) / 1_000));
    if (count.calls >= window.calls) return { allowed: false, remaining: 0, resetAt, waitSeconds };
    count.calls += 1;
    return { allowed: true, remaining: window.calls - count.calls, resetAt, waitSeconds };
  };
}
