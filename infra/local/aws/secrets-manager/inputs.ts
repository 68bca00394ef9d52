import * as z from 'zod';

const secretId = z.string().min(1).max(2048);
const label = z.string().min(1).max(256);
/** Its length is checked by `tokenOf`: the service has its own error for that. */
const token = z.string().optional();
const value = { SecretString: z.string().max(65_536).optional(), SecretBinary: z.base64().max(87_384).optional() };
const tags = z.array(z.object({ Key: z.string().min(1).max(128), Value: z.string().max(256) })).max(50);
const paging = { MaxResults: z.int().min(1).max(100).optional(), NextToken: z.string().max(4096).optional() };
const description = z.string().max(2048).optional();
const kmsKeyId = z.string().max(2048).optional();

export const createSecret = z.object({
  Name: z
    .string()
    .max(512)
    .regex(/^[\w/+=.@-]+$/),
  ClientRequestToken: token,
  Description: description,
  KmsKeyId: kmsKeyId,
  Tags: tags.optional(),
  ...value,
});
export const describeSecret = z.object({ SecretId: secretId });
export const getSecretValue = z.object({
  SecretId: secretId,
  VersionId: z.string().min(32).max(64).optional(),
  VersionStage: label.optional(),
});
export const putSecretValue = z.object({
  SecretId: secretId,
  ClientRequestToken: token,
  VersionStages: z.array(label).min(1).max(20).optional(),
  RotationToken: z.string().min(36).max(256).optional(),
  ...value,
});
export const updateSecret = z.object({
  SecretId: secretId,
  ClientRequestToken: token,
  Description: description,
  KmsKeyId: kmsKeyId,
  ...value,
});
export const updateSecretVersionStage = z.object({
  SecretId: secretId,
  VersionStage: label,
  RemoveFromVersionId: z.string().min(32).max(64).optional(),
  MoveToVersionId: z.string().min(32).max(64).optional(),
});
export const listSecretVersionIds = z.object({
  SecretId: secretId,
  IncludeDeprecated: z.boolean().optional(),
  ...paging,
});
export const listSecrets = z.object({
  IncludePlannedDeletion: z.boolean().optional(),
  Filters: z
    .array(
      z.object({
        Key: z.enum(['description', 'name', 'tag-key', 'tag-value', 'primary-region', 'owning-service', 'all']),
        Values: z.array(z.string().max(512)).min(1).max(10),
      }),
    )
    .max(10)
    .optional(),
  SortOrder: z.enum(['asc', 'desc']).optional(),
  ...paging,
});
export type SecretFilter = NonNullable<z.infer<typeof listSecrets>['Filters']>[number];
export const rotateSecret = z.object({
  SecretId: secretId,
  ClientRequestToken: token,
  RotationLambdaARN: z.string().max(2048).optional(),
  RotationRules: z
    .object({
      AutomaticallyAfterDays: z.int().optional(),
      ScheduleExpression: z.string().max(256).optional(),
      Duration: z.string().optional(),
    })
    .optional(),
  RotateImmediately: z.boolean().optional(),
});
export const tagResource = z.object({ SecretId: secretId, Tags: tags });
export const untagResource = z.object({ SecretId: secretId, TagKeys: z.array(z.string().min(1).max(128)).max(50) });
export const deleteSecret = z.object({
  SecretId: secretId,
  RecoveryWindowInDays: z.int().optional(),
  ForceDeleteWithoutRecovery: z.boolean().optional(),
});
