import type { Clock } from './clock.ts';

/** How long the caller will wait: nothing sleeps past it, and everything in flight ends when its signal aborts. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Milliseconds left; zero or less once it has passed. */
  remainingMs(): number;
}

/** A deadline `ms` milliseconds from now, for callers outside Lambda. */
export const deadlineIn = (ms: number, clock: Clock): Deadline => {
  const end = clock.now().getTime() + ms;
  return { signal: AbortSignal.timeout(ms), remainingMs: () => end - clock.now().getTime() };
};

/** The same deadline, or `ms` milliseconds from now where that is earlier. */
export const within = (deadline: Deadline, ms: number, clock: Clock): Deadline => {
  const end = clock.now().getTime() + ms;
  return {
    signal: AbortSignal.any([deadline.signal, AbortSignal.timeout(Math.max(0, ms))]),
    remainingMs: () => Math.min(deadline.remainingMs(), end - clock.now().getTime()),
  };
};
