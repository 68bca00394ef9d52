import type { SecretFilter } from './inputs.ts';
import { hasValue, type Secret, type SecretVersion, stagesOf } from './secret.ts';

const seconds = (at: number | undefined): number | undefined => (at === undefined ? undefined : at / 1000);
/** Access dates are kept to the day. */
const dayOf = (at: number | undefined): number | undefined =>
  at === undefined ? undefined : Math.floor(at / 86_400_000) * 86_400;

/** What DescribeSecret and ListSecrets say alike; JSON leaves out what is undefined. */
function common(secret: Secret) {
  const { rotation } = secret;
  const tags = Object.entries(secret.tags).map(([Key, Value]) => ({ Key, Value }));
  return {
    ARN: secret.arn,
    Name: secret.name,
    Description: secret.description,
    KmsKeyId: secret.kmsKeyId,
    // Absent, not false, for a secret that was never configured for rotation.
    RotationEnabled: rotation?.enabled,
    RotationLambdaARN: rotation?.lambdaArn,
    RotationRules: rotation?.rules,
    LastRotatedDate: seconds(rotation?.lastAt),
    LastChangedDate: seconds(secret.changedAt),
    LastAccessedDate: dayOf(secret.accessedAt),
    DeletedDate: seconds(secret.deleteAt),
    NextRotationDate: rotation?.enabled ? seconds(rotation.nextAt) : undefined,
    Tags: tags.length > 0 ? tags : undefined,
    CreatedDate: seconds(secret.createdAt),
  };
}

function labelled(secret: Secret): Record<string, string[]> | undefined {
  const ids = [...new Set(Object.values(secret.labels))];
  return ids.length > 0 ? Object.fromEntries(ids.map((id) => [id, stagesOf(secret, id)])) : undefined;
}

export function describe(secret: Secret): object {
  return { ...common(secret), ReplicationStatus: secret.replicas, VersionIdsToStages: labelled(secret) };
}

export function listEntry(secret: Secret): object {
  return { ...common(secret), SecretVersionsToStages: labelled(secret) };
}

export function listedVersion(secret: Secret, version: SecretVersion): object {
  const stages = stagesOf(secret, version.id);
  return {
    VersionId: version.id,
    VersionStages: stages.length > 0 ? stages : undefined,
    CreatedDate: seconds(version.createdAt),
    LastAccessedDate: dayOf(version.accessedAt),
    KmsKeyIds: hasValue(version) ? [version.kmsKeyId ?? 'DefaultEncryptionKey'] : undefined,
  };
}

/** Filters are joined by AND, a filter's values by OR; `!` in front of a value turns it round. */
export function matches({ name, description = '', tags }: Secret, filters: readonly SecretFilter[]): boolean {
  const keys = Object.keys(tags);
  const values = Object.values(tags);
  const one = (key: SecretFilter['Key'], wanted: string): boolean => {
    const starts = (text: string): boolean => text.startsWith(wanted);
    switch (key) {
      case 'name':
        return starts(name);
      case 'tag-key':
        return keys.some(starts);
      case 'tag-value':
        return values.some(starts);
      case 'description':
        return description.toLowerCase().startsWith(wanted.toLowerCase());
      case 'all': {
        const text = [name, description, ...keys, ...values].join(' ').toLowerCase();
        return wanted
          .toLowerCase()
          .split(/\W+/)
          .some((word) => text.includes(word));
      }
      case 'primary-region':
      case 'owning-service':
        return false;
    }
  };
  return filters.every(({ Key, Values }) =>
    Values.some((value) => (value.startsWith('!') ? !one(Key, value.slice(1)) : one(Key, value))),
  );
}
