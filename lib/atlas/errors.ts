import { AutomationError } from '../errors.ts';

/** The input does not fit the operation: every problem by path. Nothing was sent. */
export class AtlasInputInvalid extends AutomationError {
  override readonly name = 'AtlasInputInvalid';
  readonly code = 'ATLAS_INPUT';
  readonly disposition = 'give-up';
}

/** Atlas answered, and the answer was no. Nothing was carried out. */
export class AtlasRejected extends AutomationError {
  override readonly name = 'AtlasRejected';
  readonly code = 'ATLAS_REJECTED';
  readonly disposition = 'give-up';
  readonly status: number;
  /** Atlas's own code. Decide by `status` first: some refusals carry a code that says nothing. */
  readonly errorCode: string | undefined;
  readonly #detail: string | undefined;

  constructor(operation: string, status: number, errorCode?: string, detail?: string) {
    super(`Atlas refused ${operation} with ${status}${errorCode ? ` ${errorCode}` : ''}`, {
      operation,
      status,
      errorCode,
    });
    this.status = status;
    this.errorCode = errorCode;
    this.#detail = detail;
  }

  /**
   * What Atlas says to people. It may repeat what was sent: show it to whoever sent that, and to nobody else; so no log
   * finds it by itself.
   */
  get detail(): string | undefined {
    return this.#detail;
  }
}

/** Atlas was out of reach, busy or failing until the attempts or the time were spent. Nothing is left half done. */
export class AtlasUnavailable extends AutomationError {
  override readonly name = 'AtlasUnavailable';
  readonly code = 'ATLAS_UNAVAILABLE';
  readonly disposition = 'retry';
}

/**
 * The request may or may not have been carried out, and must not be sent again: the answer was lost, was a 5xx, or
 * could not be read. Recover by looking.
 */
export class AtlasOutcomeUnknown extends AutomationError {
  override readonly name = 'AtlasOutcomeUnknown';
  readonly code = 'ATLAS_OUTCOME_UNKNOWN';
  readonly disposition = 'retry';
}

/** Atlas answered 2xx with a shape this bundle does not know. Names the fields, never their values. */
export class AtlasContractBroken extends AutomationError {
  override readonly name = 'AtlasContractBroken';
  readonly code = 'ATLAS_CONTRACT';
  readonly disposition = 'give-up';
}

/** Atlas does not accept the credentials themselves: a client id and secret, or a pair of API keys. */
export class AtlasCredentialsRefused extends AutomationError {
  override readonly name = 'AtlasCredentialsRefused';
  readonly code = 'ATLAS_CREDENTIALS_REFUSED';
  readonly disposition = 'give-up';
}

/**
 * The account holds as many live tokens as Atlas allows (100). Says nothing about the credentials; passes as tokens
 * expire, an hour after they were minted, or are revoked.
 */
export class AtlasTokenLimitReached extends AutomationError {
  override readonly name = 'AtlasTokenLimitReached';
  readonly code = 'ATLAS_TOKEN_LIMIT';
  readonly disposition = 'retry';
}
