import { randomUUID } from 'node:crypto';
import { RotateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { type Durable, forgetful, KeptMap } from '../durable/durable.ts';
import type { Machine } from '../machine.ts';
import { EventInvocations } from './event-invocations.ts';
import type { Ledger } from './ledger.ts';
import { latestDue, type NextDue, scheduleOf } from './schedule.ts';
import type { ScheduleWiring, Wiring } from './wiring.ts';

/** How often is looked whether something is due. */
const TICK_MS = 500;
/** How often the queue is asked while it is empty. */
const POLL_MS = 250;
/** How long is waited at most where looking fails, twice as long each time. */
const MOST_PAUSE_MS = 30_000;

export interface HostOptions {
  readonly machine: Machine;
  readonly wiring: Wiring;
  readonly ledger: Ledger;
  /** Schedules ask for a dry run; events, webhooks and the queue start nothing. */
  readonly dryRun?: boolean;
  /** Pauses before a failed event is tried again; Lambda's own unless given. */
  readonly pausesMs?: readonly number[];
  /** Where accepted events and due times outlive this process; nowhere unless given. */
  readonly durable?: Durable | undefined;
  /** Runs every schedule that was never known before once at the start, too. */
  readonly firstRuns?: boolean;
}

/** What is known of a schedule over a restart, in milliseconds since 1970. */
interface Due {
  /** When it was first known: the times of a rate follow from it. */
  readonly since: number;
  /** Missing where it is never due again. */
  readonly dueAt?: number;
}

interface Timed {
  readonly key: string;
  readonly since: number;
  readonly wiring: ScheduleWiring;
  readonly next: NextDue;
  dueAt: Date | undefined;
}

/** Runs the functions of a machine as the stack's schedules, rules, queue and rotations ask for it. */
export class Host {
  readonly machine: Machine;
  readonly wiring: Wiring;
  readonly ledger: Ledger;
  readonly dryRun: boolean;
  readonly events: EventInvocations;
  readonly #firstRuns: boolean;
  readonly #durable: Durable;
  readonly #due: KeptMap<Due>;
  readonly #timed: Timed[] = [];
  readonly #stopping = new AbortController();
  readonly #loops: Promise<void>[] = [];
  readonly #troubles = new Map<string, string>();
  #unsubscribe = (): void => {};

  constructor({ machine, wiring, ledger, dryRun = false, pausesMs, firstRuns = false, durable }: HostOptions) {
    this.machine = machine;
    this.wiring = wiring;
    this.ledger = ledger;
    this.dryRun = dryRun;
    this.#firstRuns = firstRuns;
    this.#durable = durable ?? forgetful;
    this.#due = new KeptMap(this.#durable.shelf('schedules'));
    this.events = new EventInvocations({
      invoke: (lambda, event) => machine.invoke(lambda, event),
      onChange: () => ledger.changed(),
      now: () => machine.clock.now().getTime(),
      durable,
      ...(pausesMs && { pausesMs }),
    });
  }

  get stopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** What the host itself cannot do at the moment, and why. */
  get troubles(): ReadonlyMap<string, string> {
    return this.#troubles;
  }

  /** When a schedule runs a function next. */
  nextRunOf(lambda: string): Date | undefined {
    const due = this.#timed.flatMap(({ wiring, dueAt }) => (wiring.lambda === lambda && dueAt ? [dueAt] : []));
    return due.toSorted((a, b) => a.getTime() - b.getTime())[0];
  }

  async start(): Promise<void> {
    const { machine, wiring, ledger } = this;
    const now = machine.clock.now();
    for (const schedule of wiring.schedules) {
      const key = JSON.stringify(schedule);
      // A dry run begins at once, whatever is due when.
      const known = this.dryRun ? undefined : this.#due.get(key);
      const since = known?.since ?? now.getTime();
      const next = scheduleOf(schedule.expression, new Date(since), schedule.timeZone);
      const dueAt = known ? known.dueAt && new Date(known.dueAt) : this.#firstRuns ? now : next(now);
      const timed = { key, since, wiring: schedule, next, dueAt: dueAt || undefined };
      this.#timed.push(timed);
      this.#remember(timed);
    }
    this.#unsubscribe = machine.aws.events.subscribe((event) => {
      ledger.heard(event);
      const { bus: _, ...delivered } = event;
      if (this.dryRun || this.stopping) return;
      for (const { name, matches, lambdas, keptFor } of wiring.rules) {
        if (!matches(delivered)) continue;
        for (const lambda of lambdas) this.events.send(lambda, delivered);
        for (const lambda of keptFor) this.events.keep(lambda, delivered, name);
      }
    });
    await this.#scheduleRotations();
    // Whoever held messages was a process of the last host, and ended with it.
    machine.alertQueue.takeBack();
    if (!this.dryRun) {
      this.events.resume();
      machine.aws.secretsManager.resumeRotations();
    }
    this.#loops.push(this.#every('looking at what is due', TICK_MS, () => this.#tick()));
    if (wiring.queues.has('deliver-tickets') && !this.dryRun)
      this.#loops.push(this.#every('delivering alerts', POLL_MS, () => this.#deliver()));
  }

  /**
   * Starts nothing any more, and waits for what runs. Events that waited to be tried again become dead letters; safe to
   * call twice.
   */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#unsubscribe();
    this.events.stop();
    await Promise.all(this.#loops);
    await this.ledger.settled();
  }

  async #scheduleRotations(): Promise<void> {
    const client = new SecretsManagerClient(this.machine.sdk);
    const known = Object.values(this.machine.aws.secretsManager.secrets);
    for (const { secret, lambda, schedule } of this.wiring.rotations) {
      const { rotation } = known.find(({ name, arn }) => name === secret || arn === secret) ?? {};
      const { arn } = this.machine.lambda(lambda);
      const isAsWired = rotation?.lambdaArn === arn && rotation.rules?.ScheduleExpression === schedule;
      if (rotation?.enabled && isAsWired) continue;
      await client.send(
        new RotateSecretCommand({
          SecretId: secret,
          RotationLambdaARN: arn,
          RotationRules: { ScheduleExpression: schedule },
          RotateImmediately: false,
        }),
      );
    }
    client.destroy();
  }

  async #tick(): Promise<void> {
    const now = this.machine.clock.now();
    for (const timed of this.#timed) {
      if (!timed.dueAt || timed.dueAt > now) continue;
      // What fell due meanwhile, while the machine slept or nothing ran, is one run: that of the latest time.
      const dueAt = latestDue(timed.next, timed.dueAt, now);
      timed.dueAt = timed.next(now);
      // In one commit with the event: a due time that is past has its event, and only one.
      this.#remember(timed);
      this.events.send(timed.wiring.lambda, this.#scheduledEvent(timed.wiring, dueAt));
    }
    if (!this.dryRun) this.machine.aws.secretsManager.rotateDue();
    // What was delivered is let go of.
    await this.machine.aws.events.delivered();
  }

  #remember({ key, since, dueAt }: Timed): void {
    this.#due.set(key, { since, ...(dueAt && { dueAt: dueAt.getTime() }) });
  }

  async #deliver(): Promise<void> {
    await this.machine.deliver();
    this.#durable.commit();
  }

  #scheduledEvent({ name, input }: ScheduleWiring, dueAt: Date): object {
    if (this.dryRun) return { ...input, dryRun: true };
    if (input) return input;
    return {
      version: '0',
      id: randomUUID(),
      'detail-type': 'Scheduled Event',
      source: 'aws.scheduler',
      account: '000000000000',
      time: dueAt.toISOString().replace(/\.\d{3}/, ''),
      region: 'us-east-1',
      resources: [name],
      detail: {},
    };
  }

  /** Does something again and again until the host stops. One that fails is said, does not end it, and is tried less often. */
  async #every(what: string, ms: number, work: () => Promise<void>): Promise<void> {
    const { signal } = this.#stopping;
    let pauseMs = ms;
    while (!signal.aborted) {
      try {
        await work();
        pauseMs = ms;
        if (this.#troubles.delete(what)) this.ledger.changed();
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        if (this.#troubles.get(what) !== message) {
          this.#troubles.set(what, message);
          this.ledger.printed(`${what}: ${message}\n`, 'host');
          this.ledger.changed();
        }
        pauseMs = Math.min(2 * pauseMs, MOST_PAUSE_MS);
      }
      await pause(pauseMs, signal);
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = (): void => {
    clearTimeout(timer);
    signal.removeEventListener('abort', done);
    resolve();
  };
  const timer = setTimeout(done, ms);
  signal.addEventListener('abort', done, { once: true });
  return promise;
}
