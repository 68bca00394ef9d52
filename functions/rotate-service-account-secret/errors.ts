import { AutomationError, type Disposition, type Facts } from '../../lib/errors.ts';

/** Why a rotation stopped. The runbook has an entry for each. */
export type RotationCode =
  | 'ROTATION_NOT_STAGED'
  | 'ROTATION_SECRET_UNUSABLE'
  | 'ROTATION_VALUE_NOT_OURS'
  | 'ROTATION_ACCOUNT_DIFFERS'
  | 'ROTATION_CURRENT_UNKNOWN'
  | 'ROTATION_FOREIGN_SECRET'
  | 'ROTATION_LIFETIME_TOO_SHORT'
  | 'ROTATION_MUST_WAIT'
  | 'ROTATION_PENDING_MISSING'
  | 'ROTATION_PENDING_DEAD'
  | 'ROTATION_MINT_UNKNOWN'
  | 'ROTATION_STORE_FAILED'
  | 'ROTATION_PATH_REFUSED'
  | 'ROTATION_CURRENT_MOVED'
  | 'ROTATION_TAKEN_BACK'
  | 'ROTATION_UNDER_WAY'
  | 'ROTATION_PREVIOUS_DEAD'
  | 'ROTATION_LAST_SECRET'
  | 'ROTATION_SECRET_UNKNOWN';

const worthRepeating: ReadonlySet<RotationCode> = new Set([
  'ROTATION_MUST_WAIT',
  'ROTATION_PENDING_MISSING',
  'ROTATION_MINT_UNKNOWN',
  'ROTATION_STORE_FAILED',
  'ROTATION_PATH_REFUSED',
  'ROTATION_UNDER_WAY',
]);

/** A rotation that stops here, with everything it found left as it was, unless its message says otherwise. */
export class RotationStopped extends AutomationError {
  override readonly name = 'RotationStopped';
  readonly code: RotationCode;
  readonly disposition: Disposition;

  constructor(code: RotationCode, message: string, facts: Facts = {}, options?: ErrorOptions) {
    super(message, facts, options);
    this.code = code;
    this.disposition = worthRepeating.has(code) ? 'retry' : 'give-up';
  }
}
