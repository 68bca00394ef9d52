import { FunctionFailed } from '../lambda/container.ts';

/** Lambda's own pauses before it tries an event for the second and the third time. */
const PAUSES_MS = [60_000, 120_000];
/** Events one function works on at a time: one machine is no region. The others wait for their turn. */
const AT_A_TIME = 2;

/** An event that failed on every try, or that a rule keeps for people to see. */
export interface StrandedEvent {
  readonly id: number;
  readonly lambda: string;
  readonly event: unknown;
  readonly why: string;
}

interface Options {
  readonly invoke: (lambda: string, event: unknown) => Promise<unknown>;
  readonly onChange: () => void;
  readonly pausesMs?: readonly number[];
}

/**
 * Asynchronous invocations, as Lambda does them for schedules and events: tried three times, then a dead letter. Nobody
 * waits for them.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 */
export class EventInvocations {
  readonly #stranded: StrandedEvent[] = [];
  readonly #stop = new AbortController();
  readonly #options: Options;
  #issued = 0;
  #waiting = 0;
  readonly #running = new Map<string, number>();
  readonly #queued = new Map<string, unknown[]>();

  constructor(options: Options) {
    this.#options = options;
  }

  /** Oldest first. */
  get stranded(): readonly StrandedEvent[] {
    return this.#stranded;
  }

  /** Events that failed and wait to be tried again, or wait for their turn. */
  get waiting(): number {
    return this.#waiting + [...this.#queued.values()].reduce((sum, { length }) => sum + length, 0);
  }

  send(lambda: string, event: unknown): void {
    const queued = this.#queued.get(lambda) ?? [];
    this.#queued.set(lambda, queued);
    queued.push(event);
    void this.#work(lambda, queued);
  }

  keep(lambda: string, event: unknown, why: string): void {
    this.#stranded.push({ id: ++this.#issued, lambda, event, why });
    this.#options.onChange();
  }

  /** Takes a dead letter out and tries its event anew. False where it is no longer there. */
  redrive(id: number): boolean {
    const letter = this.#take(id);
    if (letter) this.send(letter.lambda, letter.event);
    return letter !== undefined;
  }

  /** Takes a dead letter out for good. */
  dismiss(id: number): boolean {
    return this.#take(id) !== undefined;
  }

  /** Nothing is tried again from here on; what waited for it becomes a dead letter. */
  stop(): void {
    this.#stop.abort();
    for (const [lambda, queued] of this.#queued)
      for (const event of queued.splice(0)) this.keep(lambda, event, 'the local host was stopped before its turn');
  }

  /** Works on what is queued for one function, unless enough is worked on already. */
  async #work(lambda: string, queued: unknown[]): Promise<void> {
    const running = this.#running.get(lambda) ?? 0;
    if (running >= AT_A_TIME) return;
    this.#running.set(lambda, running + 1);
    while (queued.length > 0) await this.#try(lambda, queued.shift());
    this.#running.set(lambda, (this.#running.get(lambda) ?? 1) - 1);
  }

  #take(id: number): StrandedEvent | undefined {
    const at = this.#stranded.findIndex((letter) => letter.id === id);
    const [letter] = at < 0 ? [] : this.#stranded.splice(at, 1);
    this.#options.onChange();
    return letter;
  }

  /** A first try; the ones after it wait aside, so that one bad event does not hold up the others. */
  async #try(lambda: string, event: unknown, pauses = this.#options.pausesMs ?? PAUSES_MS): Promise<void> {
    try {
      await this.#options.invoke(lambda, event);
    } catch (error) {
      const why = error instanceof FunctionFailed ? `${error.errorType}: ${error.message}` : String(error);
      const [pause, ...later] = pauses;
      if (pause === undefined || this.#stop.signal.aborted) this.keep(lambda, event, why);
      else void this.#again(lambda, event, why, pause, later);
    }
  }

  async #again(lambda: string, event: unknown, why: string, pause: number, later: readonly number[]): Promise<void> {
    this.#waiting++;
    const goesOn = await this.#pause(pause);
    this.#waiting--;
    if (goesOn) await this.#try(lambda, event, later);
    else this.keep(lambda, event, why);
  }

  /** False where it was cut short by the stop. */
  #pause(ms: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const { signal } = this.#stop;
    const stopped = (): void => {
      clearTimeout(timer);
      resolve(false);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stopped);
      resolve(true);
    }, ms);
    signal.addEventListener('abort', stopped, { once: true });
    return promise;
  }
}
