import type { Clock } from '../../../lib/runtime/clock.ts';
import type { BusEvent } from '../aws/event-bridge.ts';
import { FunctionFailed } from '../lambda/container.ts';
import type { LocalFunction } from '../lambda/function.ts';

/** What is kept of each function, and of the bus. */
const RUNS = 50;
const LINES = 200;
const EVENTS = 200;
/** What one line may take, and one result. */
const LONGEST = 4_000;
const LONGEST_RESULT = 50_000;

/** One invocation. */
export interface Run {
  readonly id: number;
  readonly lambda: string;
  /** Who or what asked for it. */
  readonly trigger: string;
  readonly startedAt: Date;
  /** Missing while it runs. */
  durationMs?: number;
  /** As Lambda reports it. */
  error?: string;
  /** What it answered, as JSON; cut where it is long. */
  result?: string;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** What an event was caused by, as people say it. */
export function triggerOf(event: unknown): string {
  if (!isObject(event)) return 'by hand';
  if ('Records' in event) return 'queue';
  if ('Step' in event) return 'rotation';
  if ('rawPath' in event) return 'webhook';
  if (event['detail-type'] === 'Scheduled Event' || 'task' in event) return 'schedule';
  if ('source' in event) return 'event';
  return 'by hand';
}

const cut = (text: string, most = LONGEST): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

const keep = <Item>(list: Item[], item: Item, most: number): void => {
  list.push(item);
  if (list.length > most) list.shift();
};

/** What happened lately on this machine: kept in memory, and only so much of it. */
export class Ledger {
  readonly #runs = new Map<string, Run[]>();
  readonly #lines = new Map<string, string[]>();
  readonly #rest = new Map<string, string>();
  readonly #events: BusEvent[] = [];
  readonly #listeners = new Set<() => void>();
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #clock: Clock;
  #issued = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Newest first. */
  runs(lambda: string): readonly Run[] {
    return (this.#runs.get(lambda) ?? []).toReversed();
  }

  /** The last lines it printed, oldest first. */
  lines(lambda: string): readonly string[] {
    return this.#lines.get(lambda) ?? [];
  }

  /** Newest first. */
  get events(): readonly BusEvent[] {
    return this.#events.toReversed();
  }

  /** How many invocations run at this moment. */
  get running(): number {
    return this.#underWay.size;
  }

  /** Tells `listener` of every change from now on, until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  changed(): void {
    for (const listener of this.#listeners) listener();
  }

  heard(event: BusEvent): void {
    keep(this.#events, event, EVENTS);
    this.changed();
  }

  printed(text: string, lambda: string): void {
    const [last = '', ...earlier] = `${this.#rest.get(lambda) ?? ''}${text}`.split('\n').toReversed();
    // A line without an end goes on with the next piece.
    this.#rest.set(lambda, last.slice(0, LONGEST));
    const lines = this.#lines.get(lambda) ?? [];
    this.#lines.set(lambda, lines);
    for (const line of earlier.toReversed()) if (line !== '') keep(lines, cut(line), LINES);
  }

  /** Resolves when nothing runs any more. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
  }

  /** The function, with every invocation written down. */
  watch = (placed: LocalFunction): LocalFunction => {
    const invoke = (event: unknown): Promise<unknown> => {
      const run = this.#record(placed.name, event, placed.invoke(event));
      this.#underWay.add(run);
      const done = (): void => {
        this.#underWay.delete(run);
        this.changed();
      };
      run.then(done, done);
      return run;
    };
    return {
      name: placed.name,
      arn: placed.arn,
      deadLetters: placed.deadLetters,
      get coldStarts() {
        return placed.coldStarts;
      },
      invoke,
      invokeAsync: (event) => placed.invokeAsync(event),
      kill: () => placed.kill(),
      [Symbol.asyncDispose]: () => placed[Symbol.asyncDispose](),
    };
  };

  async #record(lambda: string, event: unknown, invocation: Promise<unknown>): Promise<unknown> {
    const runs = this.#runs.get(lambda) ?? [];
    this.#runs.set(lambda, runs);
    const run: Run = { id: ++this.#issued, lambda, trigger: triggerOf(event), startedAt: this.#clock.now() };
    keep(runs, run, RUNS);
    this.changed();
    const start = performance.now();
    try {
      const result = await invocation;
      run.result = cut(JSON.stringify(result ?? null), LONGEST_RESULT);
      return result;
    } catch (error) {
      run.error = cut(error instanceof FunctionFailed ? `${error.errorType}: ${error.message}` : String(error));
      throw error;
    } finally {
      run.durationMs = performance.now() - start;
    }
  }
}
