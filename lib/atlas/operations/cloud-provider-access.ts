import * as z from 'zod';
import { operation } from './define.ts';
import { GroupId, Instant, ObjectId, openEnum } from './shapes.ts';

/** What uses a role. Which fields `featureId` has depends on the feature; it is null for encryption at rest. */
const FeatureUsage = z.object({
  featureType: openEnum(
    'ATLAS_DATA_LAKE',
    'ENCRYPTION_AT_REST',
    'EXPORT_SNAPSHOT',
    'PUSH_BASED_LOG_EXPORT',
    'ATLAS_LOG_INTEGRATION',
  ).nullish(),
  featureId: z
    .object({
      groupId: z.string().nullish(),
      /** Of ATLAS_DATA_LAKE. */
      name: z.string().nullish(),
      /** Of EXPORT_SNAPSHOT. */
      exportBucketId: z.string().nullish(),
      /** Of PUSH_BASED_LOG_EXPORT. */
      bucketName: z.string().nullish(),
      /** Of ATLAS_LOG_INTEGRATION. */
      configId: z.string().nullish(),
      sinkName: z.string().nullish(),
    })
    .nullish(),
});

const common = z.object({ createdDate: Instant.nullish(), featureUsages: z.array(FeatureUsage).nullish() });

/** `authorizedDate` and `iamAssumedRoleArn` are null until somebody finishes the set-up. */
export const AwsAccessRole = common.extend({
  roleId: ObjectId,
  atlasAWSAccountArn: z.string().nullish(),
  atlasAssumedRoleExternalId: z.string().nullish(),
  authorizedDate: Instant.nullish(),
  iamAssumedRoleArn: z.string().nullish(),
});

/** The only kind whose id is `_id`. */
export const AzureAccessPrincipal = common.extend({
  _id: ObjectId,
  atlasAzureAppId: z.string().nullish(),
  servicePrincipalId: z.string().nullish(),
  tenantId: z.string().nullish(),
  lastUpdatedDate: Instant.nullish(),
});

export const GcpAccessAccount = common.extend({
  roleId: ObjectId,
  gcpServiceAccountForAtlas: z.string().nullish(),
  status: openEnum('IN_PROGRESS', 'COMPLETE', 'FAILED', 'NOT_INITIATED').nullish(),
});

/** One list per provider, and no pages: everything at once. Role: Project Read Only. */
export const listGroupCloudProviderAccess = operation({
  id: 'listGroupCloudProviderAccess',
  summary: 'The roles by which Atlas reaches into cloud accounts for a project',
  method: 'GET',
  path: '/api/atlas/v2/groups/{groupId}/cloudProviderAccess',
  version: '2023-01-01',
  repeat: 'safe',
  params: z.strictObject({ groupId: GroupId }),
  response: z.object({
    awsIamRoles: z.array(AwsAccessRole).nullish(),
    azureServicePrincipals: z.array(AzureAccessPrincipal).nullish(),
    gcpServiceAccounts: z.array(GcpAccessAccount).nullish(),
  }),
});
