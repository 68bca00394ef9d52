import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import type * as z from 'zod';
import { AutomationError, ConfigError, EventError } from '../errors.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Deadline } from './deadline.ts';
import { once } from './once.ts';
import { problemsOf, sentenceOf } from './problems.ts';
import { redact } from './redact.ts';
import { readDeployedSettings } from './settings.ts';

/** What one invocation works with. */
export interface Invocation<Config, Settings, Services> {
  readonly config: Config;
  readonly settings: Settings;
  readonly services: Services;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Ends seconds before Lambda would end the process, so that there is time to say why. */
  readonly deadline: Deadline;
  readonly clock: Clock;
}

interface Definition<Config extends z.ZodType, Settings extends z.ZodType, Event extends z.ZodType, Services, Result> {
  /** The Lambda's name, as in `dist/<name>`. */
  readonly name: string;
  readonly config: Config;
  /** The part of the settings file this function reads. */
  readonly settings: Settings;
  readonly event: Event;
  /** Built once per execution environment, and again only if it failed. */
  readonly services: (config: z.output<Config>, settings: z.output<Settings>) => Services | Promise<Services>;
  /** The work. What it throws reaches Lambda, whose Errors metric, retries and dead-letter queue depend on it. */
  readonly run: (
    event: z.output<Event>,
    invocation: Invocation<z.output<Config>, z.output<Settings>, Services>,
  ) => Promise<Result>;
}

/** Kept back from Lambda's timeout, in milliseconds: to log and flush metrics. */
const RESERVE_MS = 2_000;

/** Kept back before that: what was in flight is aborted first, so that it is what failed that is told, not the clock. */
const ABORT_MS = RESERVE_MS + 1_500;

/** The invocation came too close to its timeout and was stopped; what it was doing may or may not have been carried out. */
export class TimeRanOut extends AutomationError {
  override readonly name = 'TimeRanOut';
  readonly code = 'TIME_RAN_OUT';
  readonly disposition = 'retry';
}

/**
 * A Lambda handler: environment, settings and event are checked before anything is called, logs are JSON with secrets
 * redacted, metrics are in CloudWatch's embedded format, and every failure is logged once and thrown again.
 */
export function defineHandler<
  Config extends z.ZodType,
  Settings extends z.ZodType,
  Event extends z.ZodType,
  Services,
  Result,
>(definition: Definition<Config, Settings, Event, Services, Result>) {
  const { name } = definition;
  const log = new Logger({ serviceName: name, jsonReplacerFn: redact });
  const metrics = new Metrics({ namespace: 'AtlasAutomation', serviceName: name });

  const boot = once(async () => {
    const config = definition.config.safeParse(process.env);
    const settings = definition.settings.safeParse(await readDeployedSettings(process.env['AUTOMATION_SETTINGS']));
    if (!config.success || !settings.success) {
      const problems = [...problemsOf(config.error), ...problemsOf(settings.error)];
      throw new ConfigError(`${name}: the environment or the settings are wrong: ${sentenceOf(problems)}`, problems);
    }
    return {
      config: config.data,
      settings: settings.data,
      services: await definition.services(config.data, settings.data),
    };
  });

  const handle = async (raw: unknown, context: Context, { signal }: { signal: AbortSignal }): Promise<Result> => {
    log.addContext(context);
    metrics.captureColdStartMetric();
    const event = definition.event.safeParse(raw);
    if (!event.success) {
      const problems = problemsOf(event.error);
      throw new EventError(`${name}: the event is wrong: ${sentenceOf(problems)}`, problems);
    }
    const remainingMs = (): number => context.getRemainingTimeInMillis() - ABORT_MS;
    // By hand: AbortSignal.any of AbortSignal.timeout costs ten times as much, and leaves a timer behind every invocation.
    const end = new AbortController();
    const timer = setTimeout(
      () => end.abort(new DOMException('the time is up', 'TimeoutError')),
      Math.max(0, remainingMs()),
    );
    signal.addEventListener('abort', () => end.abort(signal.reason), { once: true });
    const deadline: Deadline = { signal: end.signal, remainingMs };
    try {
      return await definition.run(event.data, { ...(await boot()), log, metrics, deadline, clock: systemClock });
    } finally {
      clearTimeout(timer);
    }
  };

  return middy<unknown, Result>({
    timeoutEarlyInMillis: RESERVE_MS,
    timeoutEarlyResponse: () => {
      throw new TimeRanOut(`${name}: stopped ${RESERVE_MS} ms before Lambda's timeout`);
    },
  })
    .handler(handle)
    .after(() => {
      // In braces: whatever a middleware returns would become the function's result.
      if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
    })
    .onError(({ error }) => {
      const known = error instanceof AutomationError;
      log.error(
        'invocation failed',
        known
          ? { code: error.code, disposition: error.disposition, facts: error.facts, error }
          : { code: 'UNEXPECTED', error: error ?? undefined },
      );
      metrics.addMetric('Failures', MetricUnit.Count, 1);
      metrics.publishStoredMetrics();
    });
}
