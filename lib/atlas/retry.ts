import type { Clock } from '../runtime/clock.ts';
import type { Deadline } from '../runtime/deadline.ts';

/** How often and how long to try again. */
export interface Backoff {
  /** Attempts in all, the first included. */
  readonly attempts: number;
  /** Our own delay before the second attempt, in milliseconds; doubles from there. */
  readonly baseMs: number;
  readonly maxMs: number;
}

export const defaultBackoff: Backoff = { attempts: 4, baseMs: 250, maxMs: 10_000 };

/** Left for the caller to say what happened, in milliseconds: no wait may eat into it. */
const RESERVE_MS = 1_000;

/** Timers hold no longer wait than this, in milliseconds; nor does anybody. */
const LONGEST_MS = 2 ** 31 - 1;

interface Wait {
  readonly attempt: number;
  readonly backoff: Backoff;
  readonly clock: Clock;
  readonly random: () => number;
  /** What the server asked for, in milliseconds: obeyed to the millisecond, without jitter. */
  readonly askedMs?: number | undefined;
  readonly deadline?: Deadline | undefined;
}

/**
 * Waits before the next attempt. Answers false, at once, when there is none: the attempts are spent, or the wait would
 * outlive the deadline.
 */
export async function waitForNextAttempt(wait: Wait): Promise<boolean> {
  const { attempt, backoff, clock, random, askedMs, deadline } = wait;
  if (attempt >= backoff.attempts) return false;
  const own = Math.min(backoff.maxMs, backoff.baseMs * 2 ** (attempt - 1)) * (0.5 + random() / 2);
  // A server that asks for no pause at all gets our own: it has just refused.
  const ms = askedMs === undefined || askedMs === 0 ? own : askedMs;
  if (ms > LONGEST_MS) return false;
  if (deadline && ms > deadline.remainingMs() - RESERVE_MS) return false;
  await clock.sleep(ms, deadline?.signal);
  return true;
}

/** `Retry-After` in milliseconds from `now`, in both its forms: seconds, and an HTTP date. */
export function retryAfterMs(header: string | string[] | undefined, now: Date): number | undefined {
  const text = Array.isArray(header) ? header[0] : header;
  if (text === undefined) return undefined;
  if (/^\s*\d+(\.\d+)?\s*$/.test(text)) return Number(text) * 1_000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now.getTime());
}
