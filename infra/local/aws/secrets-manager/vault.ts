import type { Clock } from '../../../../lib/runtime/clock.ts';
import { type Durable, forgetful } from '../../durable/durable.ts';
import { AwsError } from '../json-protocol.ts';
import type { Keys } from '../kms.ts';
import type { Secret } from './secret.ts';

/** Where the secrets are: finding them, and the KMS key that stands between a caller and a value. */
export interface Vault {
  /** Every secret by ARN, those scheduled for deletion included. */
  readonly secrets: Record<string, Secret>;
  /** Every secret that is not gone for good, in the order of creation. */
  all(): Secret[];
  has(secretId: string): boolean;
  /** Finds by name, ARN, or ARN without its last seven characters. */
  find(secretId: string): Secret;
  /** Like `find`, and refuses a secret that is scheduled for deletion. */
  alive(secretId: string): Secret;
  named(name: string): Secret | undefined;
  /** Keeps what became of a secret. */
  keep(secret: Secret): void;
  encrypt(kmsKeyId: string | undefined): void;
  decrypt(kmsKeyId: string | undefined): void;
}

export function createVault(clock: Clock, keys: Keys, durable: Durable = forgetful): Vault {
  const shelf = durable.shelf<Secret>('secrets');
  const secrets: Record<string, Secret> = Object.fromEntries(
    [...shelf.kept()].toSorted(([, a], [, b]) => a.createdAt - b.createdAt),
  );

  const existing = (): Secret[] => {
    const now = clock.now().getTime();
    for (const { arn, deleteAt } of Object.values(secrets)) {
      if (deleteAt === undefined || deleteAt > now) continue;
      delete secrets[arn];
      shelf.remove(arn);
    }
    return Object.values(secrets);
  };
  const lookUp = (secretId: string): Secret | undefined => {
    const all = existing();
    return secretId.startsWith('arn:')
      ? (all.find(({ arn }) => arn === secretId) ?? all.find(({ arn }) => arn.slice(0, -7) === secretId))
      : all.find(({ name }) => name === secretId);
  };
  const find = (secretId: string): Secret => {
    const found = lookUp(secretId);
    if (!found) throw notFound("Secrets Manager can't find the specified secret.");
    return found;
  };
  const cryptography = (type: string, verb: string) => (kmsKeyId: string | undefined) => {
    if (kmsKeyId === undefined || kmsKeyId.endsWith('alias/aws/secretsmanager')) return;
    try {
      keys.usable(kmsKeyId);
    } catch {
      throw new AwsError(type, `Secrets Manager can't ${verb} the protected secret text using the provided KMS key.`);
    }
  };

  return {
    secrets,
    all: existing,
    has: (secretId) => lookUp(secretId) !== undefined,
    find,
    alive(secretId) {
      const secret = find(secretId);
      if (secret.deleteAt === undefined) return secret;
      throw invalidRequest("You can't perform this operation on the secret because it was marked for deletion.");
    },
    keep: (secret) => shelf.put(secret.arn, secret),
    named: (name) => existing().find((secret) => secret.name === name),
    encrypt: cryptography('EncryptionFailure', 'encrypt'),
    decrypt: cryptography('DecryptionFailure', 'decrypt'),
  };
}

export function notFound(message: string): AwsError {
  return new AwsError('ResourceNotFoundException', message);
}

export function invalidRequest(message: string): AwsError {
  return new AwsError('InvalidRequestException', message);
}

export function invalidParameter(message: string): AwsError {
  return new AwsError('InvalidParameterException', message);
}
