import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  RotateSecretCommand,
  type RotationRulesType,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import type { Deadline } from '../runtime/deadline.ts';
import { AwsCallFailed, errorName } from './errors.ts';

export type Stage = 'AWSCURRENT' | 'AWSPENDING' | 'AWSPREVIOUS';

/** A copy of the secret in another region, as Secrets Manager says it is: InSync, InProgress or Failed. */
export interface Replica {
  readonly region: string;
  readonly status: string;
}

/** A secret without its values. */
export interface SecretDescription {
  readonly arn: string;
  readonly name: string;
  /** False, too, for a secret whose rotation was never configured. */
  readonly rotationEnabled: boolean;
  readonly kmsKeyId: string | undefined;
  /** Hours between two rotations, where the schedule says so in days or as a rate. */
  readonly rotatesEveryHours: number | undefined;
  /** When the last rotation finished, by Secrets Manager's clock. */
  readonly lastRotatedAt: Date | undefined;
  /** When anything of it was changed last, a label or its rotation included. */
  readonly lastChangedAt: Date | undefined;
  /** Set while the secret waits for its deletion: nothing can be read, and it may still be restored. */
  readonly deletedAt: Date | undefined;
  /** Set where the secret is a copy of one in this region. */
  readonly primaryRegion: string | undefined;
  /** Its copies in other regions. */
  readonly replicas: readonly Replica[];
  /** Labels by version id; versions without a label are not listed here. */
  readonly stages: ReadonlyMap<string, readonly string[]>;
}

export interface SecretVersion {
  readonly versionId: string;
  readonly stages: readonly string[];
  readonly createdAt: Date | undefined;
}

/** What AWS calls the request that did it, for whoever follows it up in CloudTrail. */
export interface Written {
  readonly requestId: string | undefined;
}

/** Secrets Manager in this bundle's own words. Values pass through and are kept nowhere. */
export interface SecretsManager {
  describe(secretId: string, deadline: Deadline): Promise<SecretDescription>;
  /** The value of one version, or undefined where that version has none (yet). With `stage`, only while it has that label. */
  read(
    secretId: string,
    version: { versionId?: string; stage?: Stage },
    deadline: Deadline,
  ): Promise<string | undefined>;
  /** Every version there is, those without a label included. */
  versions(secretId: string, deadline: Deadline): Promise<SecretVersion[]>;
  /**
   * Stores a value as version `token`. Safe to repeat with the same value; answers `taken` when that version already
   * holds another one.
   */
  store(
    secretId: string,
    version: { token: string; value: string; stage: Stage; rotationToken?: string | undefined },
    deadline: Deadline,
  ): Promise<Written & { readonly outcome: 'stored' | 'taken' }>;
  /** Asks for a rotation, which then goes on by itself. Refused while one is under way. */
  rotate(secretId: string, deadline: Deadline): Promise<Written>;
  /**
   * Moves a label by compare-and-swap: refused unless it is on `from`, or nowhere where there is no `from`. Without `to`
   * the label is taken off.
   */
  moveStage(secretId: string, stage: Stage, move: { from?: string; to?: string }, deadline: Deadline): Promise<Written>;
}

/** Which version carries `stage`, if any does. */
export const versionAt = (secret: SecretDescription, stage: Stage): string | undefined =>
  secret.stages.entries().find(([, stages]) => stages.includes(stage))?.[0];

/**
 * One hung request must not use up the whole run: what was not answered in ten seconds is tried again.
 * Source: https://docs.aws.amazon.com/AWSJavaScriptSDK/v3/latest/Package/-smithy-node-http-handler/
 */
const patience = { connectionTimeout: 3_000, requestTimeout: 10_000, throwOnRequestTimeout: true };

function intervalOf(rules: RotationRulesType | undefined): number | undefined {
  if (rules?.AutomaticallyAfterDays !== undefined) return rules.AutomaticallyAfterDays * 24;
  const [, count, unit] = /^rate\((\d+) (hour|day)s?\)$/.exec(rules?.ScheduleExpression ?? '') ?? [];
  return count === undefined ? undefined : Number(count) * (unit === 'day' ? 24 : 1);
}

export function createSecretsManager(
  client: SecretsManagerClient = new SecretsManagerClient({ requestHandler: patience }),
): SecretsManager {
  const failed = (operation: string, secretId: string) => (cause: unknown) => {
    throw new AwsCallFailed('secretsmanager', operation, cause, { managedSecret: secretId });
  };
  const within = (deadline: Deadline) => ({ abortSignal: deadline.signal });

  return {
    async describe(secretId, deadline) {
      const secret = await client
        .send(new DescribeSecretCommand({ SecretId: secretId }), within(deadline))
        .catch(failed('DescribeSecret', secretId));
      return {
        arn: secret.ARN ?? secretId,
        name: secret.Name ?? secretId,
        rotationEnabled: secret.RotationEnabled ?? false,
        kmsKeyId: secret.KmsKeyId,
        rotatesEveryHours: intervalOf(secret.RotationRules),
        lastRotatedAt: secret.LastRotatedDate,
        lastChangedAt: secret.LastChangedDate,
        deletedAt: secret.DeletedDate,
        primaryRegion: secret.PrimaryRegion,
        replicas: (secret.ReplicationStatus ?? []).map(({ Region = 'unknown', Status = 'unknown' }) => ({
          region: Region,
          status: Status,
        })),
        stages: new Map(Object.entries(secret.VersionIdsToStages ?? {})),
      };
    },

    async read(secretId, { versionId, stage }, deadline) {
      const secret = await client
        .send(
          new GetSecretValueCommand({ SecretId: secretId, VersionId: versionId, VersionStage: stage }),
          within(deadline),
        )
        .catch((cause: unknown) => {
          if (errorName(cause) === 'ResourceNotFoundException') return undefined;
          return failed('GetSecretValue', secretId)(cause);
        });
      return secret?.SecretString;
    },

    async versions(secretId, deadline) {
      const found: SecretVersion[] = [];
      let NextToken: string | undefined;
      do {
        const page = await client
          .send(
            new ListSecretVersionIdsCommand({
              SecretId: secretId,
              IncludeDeprecated: true,
              MaxResults: 100,
              NextToken,
            }),
            within(deadline),
          )
          .catch(failed('ListSecretVersionIds', secretId));
        for (const version of page.Versions ?? []) {
          if (version.VersionId)
            found.push({
              versionId: version.VersionId,
              stages: version.VersionStages ?? [],
              createdAt: version.CreatedDate,
            });
        }
        NextToken = page.NextToken;
      } while (NextToken);
      return found;
    },

    async store(secretId, { token, value, stage, rotationToken }, deadline) {
      try {
        const { $metadata } = await client.send(
          new PutSecretValueCommand({
            SecretId: secretId,
            ClientRequestToken: token,
            SecretString: value,
            VersionStages: [stage],
            RotationToken: rotationToken,
          }),
          within(deadline),
        );
        return { outcome: 'stored', requestId: $metadata.requestId };
      } catch (cause) {
        if (errorName(cause) === 'ResourceExistsException') return { outcome: 'taken', requestId: undefined };
        throw new AwsCallFailed('secretsmanager', 'PutSecretValue', cause, { managedSecret: secretId });
      }
    },

    async rotate(secretId, deadline) {
      const { $metadata } = await client
        .send(new RotateSecretCommand({ SecretId: secretId }), within(deadline))
        .catch(failed('RotateSecret', secretId));
      return { requestId: $metadata.requestId };
    },

    async moveStage(secretId, stage, { from, to }, deadline) {
      const { $metadata } = await client
        .send(
          new UpdateSecretVersionStageCommand({
            SecretId: secretId,
            VersionStage: stage,
            RemoveFromVersionId: from,
            MoveToVersionId: to,
          }),
          within(deadline),
        )
        .catch(failed('UpdateSecretVersionStage', secretId));
      return { requestId: $metadata.requestId };
    },
  };
}
