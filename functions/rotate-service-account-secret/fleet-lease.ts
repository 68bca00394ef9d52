import * as z from 'zod';
import type { State } from '../../lib/aws/state.ts';
import type { Clock } from '../../lib/runtime/clock.ts';
import type { Deadline } from '../../lib/runtime/deadline.ts';

/**
 * How long a lease stands whose holder has died, in milliseconds: longer than any run of the function, so that nobody
 * writes beside one who is still at work.
 */
const LEASE_MS = 16 * 60_000;

/** The partition of the state with one item for each account somebody writes to. */
const WRITERS = 'service-account-writer';

const Lease = z.object({ since: z.iso.datetime() });

/** One writer per account at any time: among the runs of one process, and among all of them where there is a state. */
export interface Leases {
  /** Undefined where somebody else writes to the account. Disposing gives it back. */
  claim(clientId: string, deadline: Deadline): Promise<AsyncDisposable | undefined>;
}

export function createLeases(state: State | undefined, clock: Clock): Leases {
  const held = new Set<string>();

  async function take(clientId: string, deadline: Deadline) {
    const now = clock.now();
    const expiresAt = new Date(now.getTime() + LEASE_MS);
    const lease: z.output<typeof Lease> = { since: now.toISOString() };
    return state?.create({ pk: WRITERS, sk: clientId }, lease, deadline, { expiresAt });
  }

  return {
    async claim(clientId, deadline) {
      if (held.has(clientId)) return undefined;
      held.add(clientId);
      try {
        const stored = await take(clientId, deadline);
        if (state && !stored) {
          held.delete(clientId);
          return undefined;
        }
        return {
          async [Symbol.asyncDispose]() {
            held.delete(clientId);
            // One that can't be given back ends by itself; the work it was for is done.
            if (state && stored) await state.remove(stored, deadline).catch(() => false);
          },
        };
      } catch (error) {
        held.delete(clientId);
        throw error;
      }
    },
  };
}
