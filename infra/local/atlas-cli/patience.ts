import { AutomationError } from '../../../lib/errors.ts';
import { systemClock } from '../../../lib/runtime/clock.ts';
import { type Deadline, deadlineIn } from '../../../lib/runtime/deadline.ts';

/** What a shell expects of whoever a signal ended: 128 and the signal's number. */
const statuses = { SIGINT: 130, SIGTERM: 143 } as const;

/** A signal asked us to stop. What was under way may have been carried out. */
export class Interrupted extends AutomationError {
  override readonly name = 'Interrupted';
  readonly code = 'INTERRUPTED';
  readonly disposition = 'give-up';
  readonly status: number;

  constructor(signal: keyof typeof statuses) {
    super(`interrupted by ${signal}`, { signal });
    this.status = statuses[signal];
  }
}

export interface Patience extends Disposable {
  /** Ends with the time given, or with the first SIGINT or SIGTERM. */
  readonly deadline: Deadline;
  readonly interrupted: () => Interrupted | undefined;
}

/**
 * Turns the first SIGINT or SIGTERM into the end of a deadline, so that there is time to clean up. A second one ends the
 * process as usual, and so does the first one after disposal.
 */
export function patienceFor(seconds: number): Patience {
  const { signal, remainingMs } = deadlineIn(seconds * 1_000, systemClock);
  const controller = new AbortController();
  let interrupted: Interrupted | undefined;
  const stop = (name: NodeJS.Signals): void => {
    if (name !== 'SIGINT' && name !== 'SIGTERM') return;
    interrupted ??= new Interrupted(name);
    controller.abort(interrupted);
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  return {
    deadline: {
      signal: AbortSignal.any([signal, controller.signal]),
      remainingMs: () => (interrupted ? 0 : remainingMs()),
    },
    interrupted: () => interrupted,
    [Symbol.dispose]() {
      process.off('SIGINT', stop).off('SIGTERM', stop);
    },
  };
}
