import { AutomationError, type Disposition, type Facts } from '../errors.ts';
import type { Deadline } from '../runtime/deadline.ts';

/** One version of a managed secret, with what the target is to hold of it. Kept nowhere else. */
export interface Copy {
  readonly secretArn: string;
  readonly versionId: string;
  /** The whole value, or the one field the target asks for. */
  readonly value: string;
}

/**
 * A place that must hold the value of a managed secret. Both calls are safe to repeat, beside themselves too, and throw
 * AutomationErrors without anything of the value in them; the sweep tries again within the hour.
 */
export interface Target {
  /** As the settings' targetName has it. */
  readonly name: string;
  /** Whether the target is known to hold this very version now. Reads only. */
  holds(copy: Copy, deadline: Deadline): Promise<boolean>;
  /**
   * Brings the version there, once: `acknowledged` when it was seen there afterwards, `requested` when somebody else
   * has to bring it and will say so. Call it where `holds` said no.
   */
  deliver(copy: Copy, deadline: Deadline): Promise<'acknowledged' | 'requested'>;
}

/** Why a target does not hold a version. The runbook has an entry for each. */
export type FanOutCode =
  | 'FAN_OUT_FIELD_MISSING'
  | 'FAN_OUT_NEEDS_STATE'
  | 'FAN_OUT_NOT_ACKNOWLEDGED'
  | 'FAN_OUT_NOT_READ_BACK'
  | 'FAN_OUT_REFUSED'
  | 'FAN_OUT_REPLICA_BEHIND'
  | 'FAN_OUT_TOKEN_UNREADABLE'
  | 'FAN_OUT_UNAVAILABLE'
  | 'FAN_OUT_UNKNOWN_TARGET'
  | 'FAN_OUT_UNKNOWN_VERSION';

const worthRepeating: ReadonlySet<FanOutCode> = new Set([
  'FAN_OUT_NOT_ACKNOWLEDGED',
  'FAN_OUT_NOT_READ_BACK',
  'FAN_OUT_REPLICA_BEHIND',
  'FAN_OUT_UNAVAILABLE',
]);

/** A target does not hold what it must. Nothing of the value is in here, nor what a service said about it. */
export class FanOutFailed extends AutomationError {
  override readonly name = 'FanOutFailed';
  readonly code: FanOutCode;
  readonly disposition: Disposition;

  constructor(code: FanOutCode, message: string, facts: Facts = {}, options?: ErrorOptions) {
    super(message, facts, options);
    this.code = code;
    this.disposition = worthRepeating.has(code) ? 'retry' : 'give-up';
  }
}
