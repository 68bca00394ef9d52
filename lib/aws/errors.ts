import { AutomationError, type Disposition, type Facts } from '../errors.ts';

/** An AWS call failed after the SDK's own retries. `error` in its facts is AWS's name for it. */
export class AwsCallFailed extends AutomationError {
  override readonly name = 'AwsCallFailed';
  readonly code = 'AWS_CALL_FAILED';
  readonly disposition: Disposition;
  /** AWS's own name for the failure, for example AccessDeniedException. */
  readonly error: string;
  /** Whether AWS certainly did not carry the call out: it answered, and the answer was a refusal. */
  readonly refused: boolean;

  constructor(service: string, operation: string, cause: unknown, facts: Facts = {}) {
    const error = errorName(cause);
    const status = statusOf(cause);
    // What AWS itself says is safe to show; what a parser or a socket says may quote the bytes it choked on.
    const said = cause instanceof Error && '$fault' in cause;
    super(
      `${service} ${operation} failed: ${error}`,
      { service, operation, error, status, ...facts },
      said ? { cause } : undefined,
    );
    this.error = error;
    this.refused = status !== undefined && status >= 400 && status < 500;
    this.disposition = this.refused && !/Throttl|TooManyRequests|LimitExceeded/.test(error) ? 'give-up' : 'retry';
  }
}

/** The name AWS gave a failure, or the name of whatever else went wrong on the way. */
export const errorName = (error: unknown): string => (error instanceof Error ? error.name : 'UnknownError');

function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('$metadata' in error)) return undefined;
  const metadata = error.$metadata;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}
