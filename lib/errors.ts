import type { Problem } from './runtime/problems.ts';

/** What the platform should do with the event that failed: deliver it again, or keep it for a person. */
export type Disposition = 'retry' | 'give-up';

/** Values that may stand in a log line, an event or a ticket. Never a secret, token, header or raw body. */
export type Facts = Readonly<Record<string, unknown>>;

/** Root of every failure this bundle raises on purpose. Anything else is a bug. */
export abstract class AutomationError extends Error {
  /** Stable and greppable: alarms, runbooks and tests key on this, never on `message`. */
  abstract readonly code: string;
  abstract readonly disposition: Disposition;
  readonly facts: Facts;

  constructor(message: string, facts: Facts = {}, options?: ErrorOptions) {
    super(message, options);
    this.facts = facts;
  }
}

/** The environment or the settings are wrong: every problem at once, by path. Nothing was called. */
export class ConfigError extends AutomationError {
  override readonly name = 'ConfigError';
  readonly code = 'CONFIG_INVALID';
  readonly disposition = 'give-up';
  readonly problems: readonly Problem[];

  constructor(message: string, problems: readonly Problem[] = []) {
    super(message, { problems });
    this.problems = problems;
  }
}

/** The event is not one this function understands: every problem at once, by path. Nothing was called. */
export class EventError extends AutomationError {
  override readonly name = 'EventError';
  readonly code = 'EVENT_INVALID';
  readonly disposition = 'give-up';

  constructor(message: string, problems: readonly Problem[]) {
    super(message, { problems });
  }
}
