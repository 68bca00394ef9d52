/**
 * Lambda, for the real code: warm environments that keep their services between runs, runs that are killed, and a log that
 * is read for secrets. The code is what the deployed functions run; what the handlers add around it is not modelled.
 */
import type { Logger } from '@aws-lambda-powertools/logger';
import { RotationSettings, SweepConfig } from '../../functions/rotate-service-account-secret/contract.ts';
import {
  createSweepServices,
  type SweepServices,
} from '../../functions/rotate-service-account-secret/fleet-services.ts';
import { sweepAll } from '../../functions/rotate-service-account-secret/fleet-sweep.ts';
import { revokeNow } from '../../functions/rotate-service-account-secret/revoke-now.ts';
import { rollback } from '../../functions/rotate-service-account-secret/rollback.ts';
import type { Services, Step } from '../../functions/rotate-service-account-secret/rotation.ts';
import { createServices } from '../../functions/rotate-service-account-secret/services.ts';
import { runStep } from '../../functions/rotate-service-account-secret/steps.ts';
import type { Swept } from '../../functions/rotate-service-account-secret/sweep.ts';
import type { RotationEvent } from '../../infra/local/aws/secrets-manager/rotation.ts';
import type { Deadline } from '../../lib/runtime/deadline.ts';
import { ATLAS_ORIGIN } from './model-world.ts';
import { COPY, POLICY, type Subject } from './scenes.ts';
import { systemClock } from './stand-ins/clock.ts';
import { ModelSignal, time } from './stand-ins/time.ts';
import type { Watch } from './watch.ts';
import { Invocation, type Wire } from './wire.ts';

/** The functions' timeouts, in milliseconds, and what their handlers keep back. */
const LIFETIME_MS = { rotate: 300_000, sweep: 900_000 };
const RESERVE_MS = 3_500;

/** One run, and what it works with. */
type Context = Omit<Step, 'event' | 'services'>;

const CONFIG = { MONGODB_ATLAS_BASE_URL: ATLAS_ORIGIN, EVENT_BUS: 'default' };

export class Host {
  /** A function that does not answer at all: what the past of some scenes needs. */
  isDown = true;
  #runs = 0;
  /** Idle environments: each runs one invocation at a time. */
  readonly #idle: { rotate: Services[]; sweep: SweepServices[] } = { rotate: [], sweep: [] };
  readonly #wire: () => Wire;
  readonly #watch: () => Watch;

  constructor(wire: () => Wire, watch: () => Watch) {
    this.#wire = wire;
    this.#watch = watch;
  }

  /** One step of a rotation, as Secrets Manager invokes it. */
  async rotate({ Step, SecretId, ClientRequestToken, RotationToken }: RotationEvent): Promise<void> {
    if (this.isDown) throw new Error('the function does not answer');
    const event = { Step, SecretId, ClientRequestToken, RotationToken };
    const services = this.#idle.rotate.pop() ?? createServices(CONFIG);
    const who = new Invocation(`${Step}#${++this.#runs}`, LIFETIME_MS.rotate, ClientRequestToken, false);
    const idle = (): unknown => this.#idle.rotate.push(services);
    await this.#run(who, undefined, idle, (context) => runStep({ ...context, services, event }));
  }

  /** The sweep of one secret; undefined where it failed. */
  async sweep(subject: Subject, options: { dryRun?: boolean; givenUp?: boolean } = {}): Promise<Swept | undefined> {
    const { dryRun = false, givenUp = false } = options;
    const label = dryRun ? 'dry sweep' : givenUp ? 'sweep on failure' : 'sweep';
    return this.#sweeping(label, subject, dryRun, async (services, context) => {
      const { swept } = await sweepAll({ secrets: [subject.name], dryRun, givenUp }, { ...context, services });
      return swept[0];
    });
  }

  /** The two verbs people have beside the sweep. */
  async byHand(subject: Subject, verb: 'roll back' | 'revoke', secretId = ''): Promise<Swept | undefined> {
    return this.#sweeping(verb, subject, false, (services, context) => {
      const sweep = {
        ...context,
        services: services.rotation,
        managedSecret: subject.name,
        dryRun: false,
        givenUp: false,
      };
      return verb === 'roll back' ? rollback(sweep) : revokeNow(sweep, { secretId, reason: 'it has leaked' });
    });
  }

  async #sweeping(
    label: string,
    subject: Subject,
    isDry: boolean,
    work: (services: SweepServices, context: Context) => Promise<Swept | undefined>,
  ): Promise<Swept | undefined> {
    const { labels } = subject.managed;
    const services = this.#idle.sweep.pop() ?? (await createSweepServices(SweepConfig.parse(CONFIG)));
    const token = labels['AWSPENDING'] ?? labels['AWSCURRENT'];
    const who = new Invocation(`${label}#${++this.#runs}`, LIFETIME_MS.sweep, token, isDry);
    const idle = (): unknown => this.#idle.sweep.push(services);
    try {
      return await this.#run(who, subject, idle, (context) => work(services, context));
    } catch {
      // What it was is in the trace, and the next sweep is the answer.
      return undefined;
    }
  }

  async #run<Result>(
    who: Invocation,
    subject: Subject | undefined,
    idle: () => unknown,
    work: (context: Context) => Promise<Result>,
  ): Promise<Result> {
    const end = who.endsAt - RESERVE_MS;
    const deadline: Deadline = {
      signal: new ModelSignal(end) as unknown as AbortSignal,
      remainingMs: () => end - time.now(),
    };
    const settings = settingsFor(subject ?? this.#watch().subject);
    const running = this.#wire().runs.run(who, () =>
      work({ settings, log: this.#log(), clock: systemClock, deadline }),
    );
    // Whatever is killed takes its environment with it, and what goes on keeps its own.
    who.finished = running.then(idle, (error: unknown) => {
      idle();
      this.#read(error);
    });
    return Promise.race([running, who.given]);
  }

  #log(): Logger {
    const hear = (message: string, extra?: object): void => {
      this.#watch().heard(extra === undefined ? message : `${message} ${JSON.stringify(extra)}`);
      if (extra && 'error' in extra) this.#read(extra.error);
    };
    const log = { debug: hear, info: hear, warn: hear, error: hear, createChild: () => log } as unknown as Logger;
    return log;
  }

  #read(error: unknown): void {
    for (let each: unknown = error; each instanceof Error; each = each.cause) {
      const facts = 'facts' in each ? JSON.stringify(each.facts) : '';
      this.#watch().heard(`${each.name} ${each.message} ${facts}`);
    }
    // A rotation stops by saying why; anything else is a mistake in the code, unless a fault stands behind it.
    if (error instanceof TypeError || error instanceof ReferenceError || error instanceof RangeError)
      this.#watch().say('I0', `the code broke: ${error.message} ${error.stack?.split('\n')[1]?.trim() ?? ''}`);
  }
}

const settingsOf = (fanOut: object[]): RotationSettings =>
  RotationSettings.parse({ ...POLICY, secrets: [{ secret: 'subject', adminSecret: 'administrator', fanOut }] });
const plain = settingsOf([]);
const copied = settingsOf([{ type: 'secrets-manager', secret: COPY }]);

const settingsFor = ({ copy }: Subject): RotationSettings => (copy ? copied : plain);
