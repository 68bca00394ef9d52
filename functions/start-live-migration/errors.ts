import { AutomationError } from '../../lib/errors.ts';

/** A command that is not carried out as things are. Nothing was sent to Atlas; `facts.problems` has every reason at once. */
export class MigrationRefused extends AutomationError {
  override readonly name = 'MigrationRefused';
  readonly code: 'MIGRATION_REFUSED' | 'MIGRATION_UNKNOWN_RUN' | 'MIGRATION_SECRET_UNUSABLE';
  readonly disposition = 'give-up';
  readonly problems: readonly string[];

  constructor(
    code: MigrationRefused['code'],
    message: string,
    problems: readonly string[] = [],
    options?: ErrorOptions,
  ) {
    super(problems.length > 0 ? `${message}: ${problems.join('; ')}` : message, { problems }, options);
    this.code = code;
    this.problems = problems;
  }
}

/** Some migrations could not be looked after; the others were. */
export class WatchIncomplete extends AutomationError {
  override readonly name = 'WatchIncomplete';
  readonly code = 'MIGRATION_WATCH_INCOMPLETE';
  readonly disposition = 'retry';
}
