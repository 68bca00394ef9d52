import type { Clock } from '../../../lib/runtime/clock.ts';
import type { BusEvent } from '../aws/event-bridge.ts';
import { type Durable, forgetful, type Shelf } from '../durable/durable.ts';
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

/** Answers what had to go for it. */
const keep = <Item>(list: Item[], item: Item, most: number): Item | undefined => {
  list.push(item);
  return list.length > most ? list.shift() : undefined;
};

/** Sorts as the numbers do. */
const keyOf = (nth: number): string => String(nth).padStart(16, '0');

/** What happened lately on this machine, and only so much of it. Runs and events outlive the process; lines do not. */
export class Ledger {
  readonly #runs = new Map<string, Run[]>();
  readonly #lines = new Map<string, string[]>();
  readonly #rest = new Map<string, string>();
  readonly #events: { readonly nth: number; readonly event: BusEvent }[] = [];
  readonly #listeners = new Set<() => void>();
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #clock: Clock;
  readonly #keptRuns: Shelf<Run>;
  readonly #keptEvents: Shelf<BusEvent>;
  #issued = 0;
  #heard = 0;

  constructor(clock: Clock, durable: Durable = forgetful) {
    this.#clock = clock;
    this.#keptRuns = durable.shelf('runs');
    this.#keptEvents = durable.shelf('events');
    for (const [, run] of this.#keptRuns.kept()) {
      this.#issued = run.id;
      // Nobody knows how long it ran: until the process ended, at most.
      if (run.durationMs === undefined) {
        run.durationMs = 0;
        run.error = 'the local host ended before it did';
      }
      this.#add(run);
    }
    for (const [key, event] of this.#keptEvents.kept()) {
      this.#heard = Number(key);
      this.#events.push({ nth: this.#heard, event });
    }
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
    return this.#events.map(({ event }) => event).toReversed();
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
    const nth = ++this.#heard;
    this.#keptEvents.put(keyOf(nth), event);
    const gone = keep(this.#events, { nth, event }, EVENTS);
    if (gone) this.#keptEvents.remove(keyOf(gone.nth));
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
    const run: Run = { id: ++this.#issued, lambda, trigger: triggerOf(event), startedAt: this.#clock.now() };
    this.#add(run);
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
      // Where it is still among those that are shown.
      if (this.#runs.get(lambda)?.includes(run)) this.#keptRuns.put(keyOf(run.id), run);
    }
  }

  #add(run: Run): void {
    const runs = this.#runs.get(run.lambda) ?? [];
    this.#runs.set(run.lambda, runs);
    this.#keptRuns.put(keyOf(run.id), run);
    const gone = keep(runs, run, RUNS);
    if (gone) this.#keptRuns.remove(keyOf(gone.id));
  }
}
