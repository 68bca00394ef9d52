import { type Durable, forgetful, type Shelf } from '../durable/durable.ts';
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

/** An event that was accepted for a function and is not done. */
interface Invocation {
  readonly id: number;
  readonly lambda: string;
  readonly event: unknown;
  /** How often it was tried to the end. */
  tries: number;
  /** Not before then, in milliseconds since 1970. */
  dueAt: number;
}

interface Options {
  readonly invoke: (lambda: string, event: unknown) => Promise<unknown>;
  readonly onChange: () => void;
  readonly pausesMs?: readonly number[];
  readonly now?: () => number;
  /** Where accepted events outlive this process. Without it the stop makes dead letters of those that wait. */
  readonly durable?: Durable | undefined;
}

/** Sorts as the ids do. */
const keyOf = ({ id }: { readonly id: number }): string => String(id).padStart(16, '0');

/**
 * Asynchronous invocations, as Lambda does them for schedules and events: tried three times, then a dead letter. Nobody
 * waits for them. What was accepted is kept before it is tried, so an event is tried at least once whatever ends this
 * process; one whose try was cut short is tried again, and that try is not counted.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 */
export class EventInvocations {
  readonly #stranded: StrandedEvent[];
  readonly #stop = new AbortController();
  readonly #options: Options;
  readonly #durable: Durable;
  readonly #accepted: Shelf<Invocation>;
  readonly #letters: Shelf<StrandedEvent>;
  readonly #before: readonly Invocation[];
  #issued: number;
  #waiting = 0;
  readonly #running = new Map<string, number>();
  readonly #queued = new Map<string, Invocation[]>();

  constructor(options: Options) {
    this.#options = options;
    this.#durable = options.durable ?? forgetful;
    this.#accepted = this.#durable.shelf('accepted events');
    this.#letters = this.#durable.shelf('dead letters');
    this.#before = [...this.#accepted.kept()].map(([, invocation]) => invocation);
    this.#stranded = [...this.#letters.kept()].map(([, letter]) => letter);
    this.#issued = Math.max(0, ...[...this.#before, ...this.#stranded].map(({ id }) => id));
  }

  /** Oldest first. */
  get stranded(): readonly StrandedEvent[] {
    return this.#stranded;
  }

  /** Events that failed and wait to be tried again, or wait for their turn. */
  get waiting(): number {
    return this.#waiting + [...this.#queued.values()].reduce((sum, { length }) => sum + length, 0);
  }

  /** Goes on with what was accepted before this process began. To be called once. */
  resume(): void {
    for (const invocation of this.#before) {
      const pause = invocation.dueAt - this.#now();
      if (pause > 0) void this.#again(invocation, pause, 'it failed before the last start');
      else this.#queue(invocation);
    }
  }

  /** Accepts an event: it is on the disk, with all that was changed before, when this returns. */
  send(lambda: string, event: unknown): void {
    const invocation = { id: ++this.#issued, lambda, event, tries: 0, dueAt: 0 };
    this.#accepted.put(keyOf(invocation), invocation);
    this.#durable.commit();
    this.#queue(invocation);
  }

  keep(lambda: string, event: unknown, why: string): void {
    const letter = { id: ++this.#issued, lambda, event, why };
    this.#stranded.push(letter);
    this.#letters.put(keyOf(letter), letter);
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

  /** Nothing is tried from here on. What waited goes on at the next start, or becomes a dead letter where nothing is kept. */
  stop(): void {
    this.#stop.abort();
    for (const queued of this.#queued.values())
      for (const invocation of queued.splice(0)) this.#leave(invocation, 'the local host was stopped before its turn');
  }

  #now(): number {
    return this.#options.now?.() ?? Date.now();
  }

  #queue(invocation: Invocation): void {
    const queued = this.#queued.get(invocation.lambda) ?? [];
    this.#queued.set(invocation.lambda, queued);
    queued.push(invocation);
    void this.#work(invocation.lambda, queued);
  }

  /** Works on what is queued for one function, unless enough is worked on already. */
  async #work(lambda: string, queued: Invocation[]): Promise<void> {
    const running = this.#running.get(lambda) ?? 0;
    if (running >= AT_A_TIME) return;
    this.#running.set(lambda, running + 1);
    for (let next = queued.shift(); next; next = queued.shift()) await this.#try(next);
    this.#running.set(lambda, (this.#running.get(lambda) ?? 1) - 1);
  }

  #take(id: number): StrandedEvent | undefined {
    const at = this.#stranded.findIndex((letter) => letter.id === id);
    const [letter] = at < 0 ? [] : this.#stranded.splice(at, 1);
    if (letter) this.#letters.remove(keyOf(letter));
    this.#options.onChange();
    return letter;
  }

  /** A first try; the ones after it wait aside, so that one bad event does not hold up the others. */
  async #try(invocation: Invocation): Promise<void> {
    const { lambda, event } = invocation;
    try {
      await this.#options.invoke(lambda, event);
      this.#accepted.remove(keyOf(invocation));
    } catch (error) {
      const why = error instanceof FunctionFailed ? `${error.errorType}: ${error.message}` : String(error);
      const pause = (this.#options.pausesMs ?? PAUSES_MS)[invocation.tries++];
      if (pause === undefined) {
        this.#accepted.remove(keyOf(invocation));
        this.keep(lambda, event, why);
      } else {
        invocation.dueAt = this.#now() + pause;
        this.#accepted.put(keyOf(invocation), invocation);
        if (this.#stop.signal.aborted) this.#leave(invocation, why);
        else void this.#again(invocation, pause, why);
      }
    }
    this.#durable.commit();
  }

  async #again(invocation: Invocation, pause: number, why: string): Promise<void> {
    this.#waiting++;
    const goesOn = await this.#pause(pause);
    this.#waiting--;
    if (goesOn) await this.#try(invocation);
    else this.#leave(invocation, why);
  }

  /** What is kept goes on at the next start. */
  #leave({ lambda, event }: Invocation, why: string): void {
    if (!this.#options.durable) this.keep(lambda, event, why);
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
