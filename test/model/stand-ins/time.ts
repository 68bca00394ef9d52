/**
 * Time for the model: it stands still until somebody sleeps or moves it. The build puts these in the place of the
 * global ones (Date.now, Math.random, AbortSignal.timeout, AbortSignal.any, setImmediate).
 */

/** When every schedule begins. */
export const START = 1_893_456_000_000;

let current = START;

export const time = {
  now: (): number => current,
  reset(): void {
    current = START;
    immediates.length = 0;
  },
  advance(ms: number): void {
    current += ms;
  },
};

/** A signal that is aborted from an instant on. Nothing waits for it: a call that hangs is carried out late instead. */
export class ModelSignal {
  readonly endsAt: number;

  constructor(endsAt: number) {
    this.endsAt = endsAt;
  }

  get aborted(): boolean {
    return current >= this.endsAt;
  }

  get reason(): Error {
    return new DOMException('The operation was aborted due to timeout', 'TimeoutError');
  }

  throwIfAborted(): void {
    if (this.aborted) throw this.reason;
  }

  addEventListener(): void {}

  removeEventListener(): void {}
}

const immediates: (() => void)[] = [];

export const modelDateNow = (): number => current;
export const modelRandom = (): number => 0.5;
export const modelAbortTimeout = (ms: number): ModelSignal => new ModelSignal(current + ms);
export const modelAbortAny = (signals: readonly { readonly endsAt?: number }[]): ModelSignal =>
  new ModelSignal(Math.min(...signals.map(({ endsAt }) => endsAt ?? Number.POSITIVE_INFINITY)));
/** Work for later: it begins when the player says so, never beside what is running. */
export const modelImmediate = (work: () => void): void => {
  immediates.push(work);
};

/** Begins what was put off; says whether there was anything. */
export function beginWhatWaits(): boolean {
  const waiting = immediates.splice(0);
  for (const work of waiting) work();
  return waiting.length > 0;
}
