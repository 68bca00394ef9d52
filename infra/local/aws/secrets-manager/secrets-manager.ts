import type { Durable } from '../../durable/durable.ts';
import { AwsError, type AwsService, type Operation, operation } from '../json-protocol.ts';
import type { Keys } from '../kms.ts';
import { describe, listEntry, listedVersion, matches } from './description.ts';
import * as inputs from './inputs.ts';
import { createRotations, type RotationEnvironment } from './rotation.ts';
import { CURRENT, PENDING, type Secret, stagesOf, versionOf } from './secret.ts';
import {
  checkValue,
  hasInput,
  moveLabel,
  readVersion,
  sameValue,
  staged,
  tokenInUse,
  tokenOf,
  type ValueInput,
  writeValue,
} from './values.ts';
import { createVault, invalidParameter, invalidRequest } from './vault.ts';

export interface SecretsManager {
  /** Every secret by ARN, as plain data. Reading and changing it are both fine in tests and demos. */
  readonly secrets: Record<string, Secret>;
  /** Resolves when no rotation is being driven any more. */
  rotationsSettled(): Promise<void>;
  /** What the schedule does by itself in AWS: rotates every secret that is due, or tries a stuck rotation again. */
  rotateDue(): readonly string[];
  /** Drives on what was under way when the process that kept these secrets ended. */
  resumeRotations(): void;
  /** The next `count` reads by stage see their secret as it was before its last write. */
  staleReads(count: number): void;
  /** Reads by stage less than `ms` after a write see the secret as it was before. */
  readLag(ms: number): void;
  readonly service: AwsService;
}

const dayMs = 86_400_000;

/** Operations that change nothing worth keeping: when a value was read last may be lost. */
const READS = new Set(['DescribeSecret', 'GetSecretValue', 'ListSecretVersionIds', 'ListSecrets']);

export function createSecretsManager(
  environment: Omit<RotationEnvironment, 'changed'> & { readonly keys: Keys; readonly durable?: Durable | undefined },
): SecretsManager {
  const { clock, ids, account, region, keys, durable } = environment;
  const vault = createVault(clock, keys, durable);
  const rotations = createRotations({ ...environment, changed: vault.keep });
  let stale = 0;
  let lag = 0;

  const named = ({ arn, name }: Secret): { ARN: string; Name: string } => ({ ARN: arn, Name: name });
  const store = (secret: Secret, token: string, value: ValueInput, stages: readonly string[]): void => {
    const current = secret.labels[CURRENT];
    const { abandoned } = writeValue(secret, vault, token, value, stages, clock.now());
    if (abandoned !== undefined) rotations.abandoned(secret, abandoned);
    if (secret.labels[CURRENT] !== current) rotations.reschedule(secret);
  };
  const changed = (secret: Secret): void => {
    secret.changedAt = clock.now().getTime();
  };
  const readsStale = (secret: Secret): boolean => {
    if (secret.before && clock.now().getTime() < secret.before.at + lag) return true;
    if (stale === 0) return false;
    stale -= 1;
    return true;
  };
  const page = <T>(all: readonly T[], size: number, token: string | undefined): { items: T[]; NextToken?: string } => {
    const start = Number(token ?? 0);
    if (!Number.isInteger(start)) throw invalidParameter('NextToken is not valid.');
    const items = all.slice(start, start + size);
    return start + size < all.length ? { items, NextToken: String(start + size) } : { items };
  };

  /** What an operation changed is kept, whatever it answers. All secrets: there are few, and the last write of each counts. */
  const keeping =
    (carryOut: Operation): Operation =>
    (input) => {
      try {
        return carryOut(input);
      } finally {
        for (const secret of vault.all()) vault.keep(secret);
      }
    };

  const operations: AwsService['operations'] = {
    CreateSecret: operation(
      inputs.createSecret,
      ({ Name, ClientRequestToken, Description, KmsKeyId, Tags, ...value }) => {
        checkValue(value);
        const token = hasInput(value) ? tokenOf(ClientRequestToken) : undefined;
        const existing = vault.named(Name);
        if (existing?.deleteAt !== undefined) {
          throw invalidRequest(
            "You can't create this secret because a secret with this name is already scheduled for deletion.",
          );
        }
        if (existing) {
          const version = versionOf(existing, token);
          if (version && sameValue(version, value)) return { ...named(existing), VersionId: version.id };
          throw new AwsError(
            'ResourceExistsException',
            `The operation failed because the secret ${Name} already exists.`,
          );
        }
        const now = clock.now().getTime();
        const secret: Secret = {
          arn: `arn:aws:secretsmanager:${region}:${account}:secret:${Name}-${ids.suffix()}`,
          name: Name,
          createdAt: now,
          changedAt: now,
          ...(Description && { description: Description }),
          ...(KmsKeyId && { kmsKeyId: KmsKeyId }),
          tags: Object.fromEntries((Tags ?? []).map(({ Key, Value }) => [Key, Value])),
          versions: [],
          labels: {},
        };
        if (token !== undefined) store(secret, token, value, [CURRENT]);
        vault.secrets[secret.arn] = secret;
        return token === undefined ? named(secret) : { ...named(secret), VersionId: token };
      },
    ),

    DescribeSecret: operation(inputs.describeSecret, ({ SecretId }) => describe(vault.find(SecretId))),

    GetSecretValue: operation(inputs.getSecretValue, ({ SecretId, ...wanted }) => {
      const secret = vault.alive(SecretId);
      const byStage = wanted.VersionStage !== undefined || wanted.VersionId === undefined;
      const version = readVersion(secret, wanted, byStage && readsStale(secret));
      vault.decrypt(version.kmsKeyId);
      version.accessedAt = clock.now().getTime();
      secret.accessedAt = version.accessedAt;
      return {
        ...named(secret),
        VersionId: version.id,
        SecretString: version.text,
        SecretBinary: version.binary,
        VersionStages: stagesOf(secret, version.id),
        CreatedDate: version.createdAt / 1000,
      };
    }),

    PutSecretValue: operation(inputs.putSecretValue, ({ SecretId, ClientRequestToken, VersionStages, ...value }) => {
      checkValue(value);
      if (!hasInput(value)) throw invalidRequest('You must provide either SecretString or SecretBinary.');
      const token = tokenOf(ClientRequestToken);
      const secret = vault.alive(SecretId);
      store(secret, token, value, VersionStages ?? [CURRENT]);
      return staged(secret, token);
    }),

    UpdateSecret: operation(
      inputs.updateSecret,
      ({ SecretId, ClientRequestToken, Description, KmsKeyId, ...value }) => {
        checkValue(value);
        const secret = vault.alive(SecretId);
        const token = hasInput(value) ? tokenOf(ClientRequestToken) : undefined;
        // Stricter than PutSecretValue: even the same value is refused for a version that exists.
        if (token !== undefined && versionOf(secret, token)) throw tokenInUse(secret, token);
        if (KmsKeyId !== undefined) {
          vault.encrypt(KmsKeyId || undefined);
          if (KmsKeyId) secret.kmsKeyId = KmsKeyId;
          else delete secret.kmsKeyId;
          // Versions that carry a label are encrypted anew, the others stay as they are.
          for (const version of secret.versions) {
            if (stagesOf(secret, version.id).length === 0) continue;
            if (KmsKeyId) version.kmsKeyId = KmsKeyId;
            else delete version.kmsKeyId;
          }
        }
        if (Description !== undefined) secret.description = Description;
        changed(secret);
        if (token === undefined) return named(secret);
        store(secret, token, value, [CURRENT]);
        return { ...named(secret), VersionId: token };
      },
    ),

    UpdateSecretVersionStage: operation(inputs.updateSecretVersionStage, ({ SecretId, ...move }) => {
      const secret = vault.alive(SecretId);
      moveLabel(secret, move, clock.now());
      return named(secret);
    }),

    ListSecretVersionIds: operation(inputs.listSecretVersionIds, (input) => {
      const secret = vault.find(input.SecretId);
      const labelled = new Set(Object.values(secret.labels));
      const versions = secret.versions.filter(({ id }) => input.IncludeDeprecated || labelled.has(id));
      const { items, ...next } = page(versions, input.MaxResults ?? 100, input.NextToken);
      return { ...named(secret), Versions: items.map((version) => listedVersion(secret, version)), ...next };
    }),

    ListSecrets: operation(inputs.listSecrets, (input) => {
      const found = vault
        .all()
        .filter(
          (secret) =>
            (input.IncludePlannedDeletion || secret.deleteAt === undefined) && matches(secret, input.Filters ?? []),
        );
      const ordered = input.SortOrder === 'desc' ? found.reverse() : found;
      const { items, ...next } = page(ordered, input.MaxResults ?? 100, input.NextToken);
      return { SecretList: items.map(listEntry), ...next };
    }),

    RotateSecret: operation(inputs.rotateSecret, ({ SecretId, ...input }) => {
      const secret = vault.alive(SecretId);
      return { ...named(secret), VersionId: rotations.rotate(secret, input) };
    }),

    CancelRotateSecret: operation(inputs.describeSecret, ({ SecretId }) => {
      const secret = vault.alive(SecretId);
      if (!secret.rotation) throw invalidRequest('Rotation was never configured for this secret.');
      secret.rotation.enabled = false;
      if (secret.run) secret.run.cancelled = true;
      changed(secret);
      const pending = secret.labels[PENDING];
      return pending === undefined ? named(secret) : { ...named(secret), VersionId: pending };
    }),

    TagResource: operation(inputs.tagResource, ({ SecretId, Tags }) => {
      const secret = vault.alive(SecretId);
      for (const { Key, Value } of Tags) secret.tags[Key] = Value;
      changed(secret);
      return {};
    }),

    UntagResource: operation(inputs.untagResource, ({ SecretId, TagKeys }) => {
      const secret = vault.alive(SecretId);
      for (const key of TagKeys) delete secret.tags[key];
      changed(secret);
      return {};
    }),

    DeleteSecret: operation(inputs.deleteSecret, (input) => {
      const { SecretId, RecoveryWindowInDays: days, ForceDeleteWithoutRecovery: force } = input;
      if (days !== undefined && force) {
        throw invalidParameter("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.");
      }
      if (days !== undefined && (days < 7 || days > 30)) {
        throw invalidParameter('RecoveryWindowInDays value must be between 7 and 30 days (inclusive).');
      }
      if (force && !vault.has(SecretId)) {
        // Forcing it on a secret that isn't there is no error.
        return { ARN: SecretId, Name: SecretId, DeletionDate: clock.now().getTime() / 1000 };
      }
      const secret = vault.find(SecretId);
      if (!force && secret.deleteAt !== undefined) {
        throw invalidRequest(
          "You can't perform this operation on the secret because it was already scheduled for deletion.",
        );
      }
      secret.deleteAt = clock.now().getTime() + (force ? 0 : (days ?? 30) * dayMs);
      return { ...named(secret), DeletionDate: secret.deleteAt / 1000 };
    }),

    RestoreSecret: operation(inputs.describeSecret, ({ SecretId }) => {
      const secret = vault.find(SecretId);
      delete secret.deleteAt;
      changed(secret);
      return named(secret);
    }),
  };

  return {
    secrets: vault.secrets,
    rotationsSettled: rotations.settled,
    resumeRotations: () => {
      for (const secret of vault.all()) rotations.resume(secret);
    },
    rotateDue: () =>
      Object.values(vault.secrets).flatMap((secret) => (rotations.rotateIfDue(secret) === undefined ? [] : secret.arn)),
    staleReads(count) {
      stale = count;
    },
    readLag(ms) {
      lag = ms;
    },
    service: {
      targetPrefix: 'secretsmanager',
      internalError: 'InternalServiceError',
      messageField: 'Message',
      operations: Object.fromEntries(
        Object.entries(operations).map(([name, carryOut]) => [name, READS.has(name) ? carryOut : keeping(carryOut)]),
      ),
    },
  };
}
