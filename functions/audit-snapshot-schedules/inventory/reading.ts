import type { AtlasClient } from '../../../lib/atlas/client.ts';
import {
  AtlasContractBroken,
  AtlasCredentialsRefused,
  AtlasRejected,
  AtlasTokenLimitReached,
  AtlasUnavailable,
} from '../../../lib/atlas/errors.ts';
import type { Clock } from '../../../lib/runtime/clock.ts';
import type { Deadline } from '../../../lib/runtime/deadline.ts';
import { type Cause, type Read, read } from '../facts.ts';
import type { Kept } from '../records.ts';

/** What every read needs. */
export interface Reading {
  readonly atlas: AtlasClient;
  readonly deadline: Deadline;
  /** By Atlas's clock, so that ages of what Atlas dated are true whatever the machine's clock says. */
  readonly now: number;
  readonly clock: Clock;
}

/** Why something could not be read, told apart by what somebody would do about it. */
export function causeOf(error: unknown): Cause {
  // The token endpoint says "denied" where it means "too many": nothing is wrong with anybody's rights.
  if (error instanceof AtlasTokenLimitReached) return 'auth-capacity';
  if (error instanceof AtlasRejected && error.status === 404 && error.errorCode === 'RESOURCE_NOT_FOUND')
    return 'not-offered';
  if (error instanceof AtlasRejected) return error.status === 401 || error.status === 403 ? 'forbidden' : 'contract';
  if (error instanceof AtlasUnavailable) return error.facts['status'] === 429 ? 'throttled' : 'unavailable';
  if (error instanceof AtlasContractBroken) return 'contract';
  return 'unexpected';
}

/**
 * Reads, and keeps what went wrong as a fact. What concerns everybody and not this one thing is thrown: credentials that
 * are refused, and time that has run out.
 */
export async function attempt<Value>(
  { deadline, now }: Reading,
  operation: string,
  work: () => Promise<Value>,
): Promise<Read<Value>> {
  try {
    return read(await work(), now);
  } catch (error) {
    if (error instanceof AtlasCredentialsRefused || deadline.signal.aborted) throw error;
    return {
      known: false,
      operation,
      cause: causeOf(error),
      reason: error instanceof Error ? error.message.slice(0, 300) : 'unknown',
    };
  }
}

/** Whether Atlas said no in this way. */
export const isRejected = (error: unknown, status: number, code?: RegExp): error is AtlasRejected =>
  error instanceof AtlasRejected && error.status === status && (code === undefined || code.test(error.errorCode ?? ''));

/** All of an iterable, and no more than `most`. */
export async function all<From, To>(
  items: AsyncIterable<From>,
  map: (item: From) => To,
  most = Number.POSITIVE_INFINITY,
): Promise<To[]> {
  const found: To[] = [];
  for await (const item of items) {
    found.push(map(item));
    if (found.length >= most) break;
  }
  return found;
}

/** What an earlier run read, where nothing speaks against it; else it is read again. */
export const unlessKept = async <Value>(
  kept: Kept<Value> | undefined,
  changed: boolean,
  ask: () => Promise<Read<Value>>,
): Promise<Read<Value>> => (kept && !changed ? read(kept.value, kept.at) : ask());
