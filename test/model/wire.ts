/**
 * The wire between the real code and the modelled services. Every request over it is an effect with a number; a schedule
 * says what befalls which. Whatever is carried out is looked at by the invariants at once.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { type Move, nameOf } from './schedule.ts';
import { time } from './stand-ins/time.ts';

export interface AwsAnswer {
  readonly body?: object;
  readonly error?: { readonly type: string; readonly message: string; readonly status: number };
}

export interface AtlasAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

export type Outcome<Answer> = { readonly kind: 'answer'; readonly value: Answer } | { readonly kind: 'silence' };

/** One request, not yet sent. */
export interface Request<Answer> {
  readonly service: 'aws' | 'atlas';
  readonly operation: string;
  readonly isWrite: boolean;
  /** What it is about, for the trace: never a value. */
  readonly about: string;
  /** For whoever watches: the SDK's input, or the headers of an Atlas request. */
  readonly input: object;
  apply(): Answer | Promise<Answer>;
  refuse(status: number): Answer;
  /** The answer a lagging replica would give. */
  stale(): Answer | Promise<Answer>;
  statusOf(answer: Answer): number;
}

/** One run of a function, alive until it returns, is killed, or its time is up. */
export class Invocation {
  readonly label: string;
  /** The version the run is about, where it is a rotation's. */
  readonly token: string | undefined;
  readonly isDry: boolean;
  readonly endsAt: number;
  isDead = false;
  /** What its next requests to the same operation meet, until it asks for something else. */
  persistent: { readonly operation: string; readonly code: string } | undefined;
  /** Rejects when the run dies, or when its caller stops waiting for it. */
  readonly given: Promise<never>;
  /** Settles when the run is dead. */
  readonly died: Promise<void>;
  /** Settles when the run itself is over, whoever still waits. */
  finished: Promise<unknown> = Promise.resolve();
  /** Tells whoever lets the run go on that it waits once more. */
  waitsAgain: () => void = () => {};
  #giveUp: (reason: Error) => void;
  #end: () => void;

  constructor(label: string, lifetimeMs: number, token: string | undefined, isDry: boolean) {
    this.label = label;
    this.token = token;
    this.isDry = isDry;
    this.endsAt = time.now() + lifetimeMs;
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => {});
    this.given = promise;
    this.#giveUp = reject;
    const death = Promise.withResolvers<void>();
    this.died = death.promise;
    this.#end = death.resolve;
  }

  die(why: string): void {
    this.isDead = true;
    this.#end();
    this.#giveUp(new Error(why));
  }

  abandon(): void {
    this.#giveUp(new Error('the caller gave up'));
  }
}

export interface Entry {
  readonly at: number;
  readonly who: string;
  readonly operation: string;
  readonly about: string;
  readonly isWrite: boolean;
  readonly move: string | undefined;
  status: number | undefined;
}

export interface Watcher {
  before(request: Request<unknown>, who: Invocation | undefined): void;
  after(request: Request<unknown>, answer: unknown, who: Invocation | undefined): void;
  /** A fault met this request. */
  met(request: Request<unknown>, code: string, who: Invocation): void;
  /** A run came to the end of its time. */
  timedOut(who: Invocation): void;
}

const never = (): Promise<never> => new Promise(() => {});

export class Wire {
  readonly runs = new AsyncLocalStorage<Invocation>();
  readonly entries: Entry[] = [];
  /** Effects so far. */
  count = 0;
  /** Moves that have found their effect. */
  met = 0;
  /** Whether more than one run was alive at some time, or a request late: then what was listed may be outdated. */
  wasConcurrent = false;
  #ids = 0;
  readonly #plan: ReadonlyMap<number | string, string>;
  readonly #nths = new Map<string, number>();
  readonly #late: { due: number; land: () => Promise<void> }[] = [];
  readonly #watcher: () => Watcher;
  readonly #act: (code: string) => Promise<void>;
  readonly aws: (operation: string, input: object) => Request<AwsAnswer>;
  readonly atlas: (
    method: string,
    url: URL,
    headers: Readonly<Record<string, string>>,
    body: string,
  ) => Request<AtlasAnswer>;
  /** Holds a request, or a wait, until its turn: only where runs are interleaved one by one. */
  gate: ((who: Invocation, what: string) => Promise<void>) | undefined;

  constructor(options: {
    moves: readonly Move[];
    watcher: () => Watcher;
    act: (code: string) => Promise<void>;
    aws: Wire['aws'];
    atlas: Wire['atlas'];
  }) {
    this.#plan = new Map(options.moves.map(({ at, on, code }) => [on ?? at, code]));
    this.#watcher = options.watcher;
    this.#act = options.act;
    this.aws = options.aws;
    this.atlas = options.atlas;
  }

  isDisturbedAfter(at: number): boolean {
    return this.entries.some((entry) => entry.move !== undefined && entry.at > at);
  }

  /** Whether anything was changed: to ask for a token, or to give it back, changes nothing. */
  hasWrittenAfter(at: number): boolean {
    return this.entries.some(
      (entry) => entry.at > at && entry.isWrite && !entry.operation.endsWith('Token') && (entry.status ?? 500) < 300,
    );
  }

  /** An id nobody else has. */
  uuid(): string {
    this.#ids += 1;
    return `000002${String(this.#ids).padStart(2, '0')}-0000-4000-8000-000000000000`;
  }

  /** Time passes for whoever asks; beside others, they may go first. */
  async sleep(ms: number): Promise<void> {
    const who = this.runs.getStore();
    const until = time.now() + ms;
    if (who && this.gate) await this.gate(who, 'sleep');
    time.advance(Math.max(0, until - time.now()));
  }

  /** Sends a request. Never settles for a run that is dead. */
  async meet<Answer>(request: Request<Answer>): Promise<Outcome<Answer>> {
    const who = this.runs.getStore();
    if (!who) return { kind: 'answer', value: await this.carryOut(request, undefined) };
    if (this.gate) await this.gate(who, request.operation);
    if (this.#isOver(who)) return never();
    this.count += 1;
    const at = this.count;
    await this.#landDue(at);
    const planned = this.#plan.get(at) ?? this.#plan.get(this.#nthOf(request.operation));
    if (planned !== undefined) this.met += 1;
    if (planned?.startsWith('!')) {
      this.#note(at, 'somebody', planned, '', false, planned);
      this.wasConcurrent = true;
      await this.runs.exit(() => this.#act(planned));
      // An action may have taken long, or may have been the end of this very run.
      if (this.#isOver(who)) return never();
    }
    const code = planned && !planned.startsWith('!') ? planned : this.#persisting(who, request);
    const { operation, about, isWrite } = request;
    const entry = this.#note(at, who.label, operation, about, isWrite, code);
    if (code === undefined) return this.#answered(entry, request, await this.carryOut(request, who));
    return this.#suffer(request, who, entry, code);
  }

  #nthOf(operation: string): string {
    const name = nameOf(operation);
    const nth = (this.#nths.get(name) ?? 0) + 1;
    this.#nths.set(name, nth);
    return `${name}.${nth}`;
  }

  async #suffer<Answer>(
    request: Request<Answer>,
    who: Invocation,
    entry: Entry,
    code: string,
  ): Promise<Outcome<Answer>> {
    this.#watcher().met(request, code, who);
    const number = Number(code.slice(1));
    const kind = code.charAt(0);
    if (/[LDX]/.test(kind) && !who.persistent) {
      who.persistent = { operation: request.operation, code: kind === 'X' ? code : 'u' };
    }
    switch (kind) {
      case 'k':
      case 'K':
        if (kind === 'K') await this.carryOut(request, who);
        who.die('killed');
        return never();
      case 'l':
      case 'L':
        entry.status = request.statusOf(await this.carryOut(request, who));
        return { kind: 'silence' };
      case 'd':
      case 'D':
        this.wasConcurrent = true;
        this.#late.push({
          due: entry.at + number,
          land: async () => {
            const landed = this.#note(
              this.count,
              `${who.label}, late`,
              request.operation,
              request.about,
              true,
              undefined,
            );
            landed.status = request.statusOf(await this.carryOut(request, who));
          },
        });
        return { kind: 'silence' };
      case 'u':
        return { kind: 'silence' };
      case 'x':
      case 'X':
        return this.#answered(entry, request, request.refuse(number));
      case 'f':
        await this.carryOut(request, who);
        return this.#answered(entry, request, request.refuse(500));
      case 's':
        return this.#answered(entry, request, await request.stale());
      case 'z':
        await this.#freeze(who, entry.at + number);
        if (this.#isOver(who)) return never();
        return this.#answered(entry, request, await this.carryOut(request, who));
      default:
        throw new Error(`${code} is no fault`);
    }
  }

  /** The caller stops waiting, and the run goes on later. */
  async #freeze(who: Invocation, due: number): Promise<void> {
    this.wasConcurrent = true;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#late.push({
      due,
      land: async () => {
        const again = new Promise<void>((wake) => {
          who.waitsAgain = wake;
        });
        resolve();
        await Promise.race([who.finished, who.died, again]);
      },
    });
    who.abandon();
    who.waitsAgain();
    await promise;
  }

  /** Carries out what is late, and lets go on what was given up, as far as its time has come. */
  async #landDue(at: number): Promise<void> {
    for (;;) {
      const next = this.#late.findIndex(({ due }) => due <= at);
      if (next === -1) return;
      await this.#late.splice(next, 1)[0]?.land();
    }
  }

  /** The same for everything there is: before time goes on by more than any request or run lives. */
  settle = (): Promise<void> => this.#landDue(Number.POSITIVE_INFINITY);

  async carryOut<Answer>(request: Request<Answer>, who: Invocation | undefined): Promise<Answer> {
    const watcher = this.#watcher();
    watcher.before(request, who);
    const answer = await request.apply();
    watcher.after(request, answer, who);
    return answer;
  }

  #answered<Answer>(entry: Entry, request: Request<Answer>, value: Answer): Outcome<Answer> {
    entry.status = request.statusOf(value);
    return { kind: 'answer', value };
  }

  #isOver(who: Invocation): boolean {
    if (!who.isDead && time.now() >= who.endsAt) {
      this.#watcher().timedOut(who);
      who.die('its time was up');
    }
    return who.isDead;
  }

  #persisting(who: Invocation, { operation }: Request<unknown>): string | undefined {
    const { persistent } = who;
    if (!persistent) return undefined;
    if (persistent.operation === operation) return persistent.code;
    who.persistent = undefined;
    return undefined;
  }

  #note(at: number, who: string, operation: string, about: string, isWrite: boolean, move: string | undefined): Entry {
    const entry: Entry = { at, who, operation, about, isWrite, move, status: undefined };
    this.entries.push(entry);
    return entry;
  }
}

let wire: Wire | undefined;

/** The wire of the schedule that is being played: one at a time in a thread. */
export function theWire(): Wire {
  if (!wire) throw new Error('no schedule is being played');
  return wire;
}

export const useWire = (next: Wire): void => {
  wire = next;
};
