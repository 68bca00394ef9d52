import { setTimeout as delay } from 'node:timers/promises';

/**
 * What can go wrong with one call to a service, seen from the caller.
 *
 * - `kill`: the caller's process dies, before or after the service carried the call out; no answer arrives.
 * - `lost`: carried out, and the answer is lost.
 * - `late`: the connection drops at once, and the call is carried out `ms` milliseconds later (or at `settle()`).
 * - `slow`: carried out and answered `ms` milliseconds late.
 * - `refuse`: not carried out; answered with this status, and with `Retry-After` when given (seconds).
 */
export type Fault =
  | { readonly kind: 'kill'; readonly when: 'before' | 'after' }
  | { readonly kind: 'lost' }
  | { readonly kind: 'late'; readonly ms: number }
  | { readonly kind: 'slow'; readonly ms: number }
  | { readonly kind: 'refuse'; readonly status: number; readonly retryAfterSeconds?: number };

export type Refusal = Extract<Fault, { kind: 'refuse' }>;

/** The fault that meets the `nth` call (1-based) of `operation`; `*` counts calls of any operation. */
export interface PlannedFault {
  readonly operation: string;
  readonly nth: number;
  readonly fault: Fault;
}

/** One call as the service saw it. `status` is missing when no answer was sent. */
export interface JournalEntry {
  readonly operation: string;
  readonly status?: number;
  readonly fault?: Fault['kind'];
}

interface Attempt {
  readonly operation: string;
  /** Carries the call out. */
  readonly apply: () => Promise<Response>;
  /** The service's own words for a refusal. */
  readonly refuse: (refusal: Refusal) => Response;
  /** Cuts the connection without an answer; what it returns is never sent. */
  readonly drop: () => Response;
}

/** Meets calls with planned faults, counts them, and keeps a journal of all of them. */
export class FaultPlan {
  /** Kills the process that is calling; set by whoever runs that process. */
  kill: () => Promise<void> | void = () => {};
  readonly journal: JournalEntry[] = [];
  /** Told of every call once it is over for the service: carried out, refused, or still to come late. */
  observe: (entry: JournalEntry) => void = () => {};
  #planned: PlannedFault[] = [];
  readonly #counts = new Map<string, number>();
  readonly #late = new Set<() => Promise<void>>();

  /** Replaces the plan and starts counting calls from one again. The journal stays. */
  plan(faults: readonly PlannedFault[]): void {
    this.#planned = [...faults];
    this.#counts.clear();
  }

  /** Carries out every call that is still late, and resolves when all of them have been. */
  async settle(): Promise<void> {
    await Promise.all([...this.#late].map((carryOut) => carryOut()));
  }

  /** Runs one call under the plan and journals it. */
  async meet({ operation, apply, refuse, drop }: Attempt): Promise<Response> {
    const fault = this.#next(operation);
    const answer = async (response: Response | Promise<Response>): Promise<Response> => {
      const { status } = await response;
      this.#record({ operation, status, ...(fault && { fault: fault.kind }) });
      return response;
    };
    const silence = (): Response => {
      this.#record({ operation, ...(fault && { fault: fault.kind }) });
      return drop();
    };
    switch (fault?.kind) {
      case undefined:
        return answer(apply());
      case 'kill':
        if (fault.when === 'after') await apply();
        await this.kill();
        return silence();
      case 'lost':
        await apply();
        return silence();
      case 'late':
        this.#carryOutLater(apply, fault.ms);
        return silence();
      case 'slow':
        await delay(fault.ms);
        return answer(apply());
      case 'refuse':
        return answer(refuse(fault));
    }
  }

  #record(entry: JournalEntry): void {
    this.journal.push(entry);
    this.observe(entry);
  }

  #next(operation: string): Fault | undefined {
    const count = (name: string): number => {
      const nth = (this.#counts.get(name) ?? 0) + 1;
      this.#counts.set(name, nth);
      return nth;
    };
    const own = count(operation);
    const any = count('*');
    return this.#planned.find((p) => p.nth === (p.operation === '*' ? any : p.operation === operation ? own : 0))
      ?.fault;
  }

  #carryOutLater(apply: () => Promise<Response>, ms: number): void {
    let done: Promise<void> | undefined;
    const carryOut = (): Promise<void> =>
      (done ??= apply().then(() => {
        this.#late.delete(carryOut);
      }));
    this.#late.add(carryOut);
    setTimeout(carryOut, ms).unref();
  }
}
