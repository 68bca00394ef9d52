import * as z from 'zod';
import { operation } from './define.ts';
import { ClusterName, GroupId, idOf, Long, Nothing, ObjectId, OrgId, openEnum, SentId } from './shapes.ts';

/** A project of Cloud Manager or Ops Manager whose clusters can be moved here. */
export const AvailableProject = z.object({
  projectId: z.string(),
  name: z.string().nullish(),
  /** One of these has to be named in a migration. */
  migrationHosts: z.array(z.string()).nullish(),
  deployments: z
    .array(
      z.object({
        clusterId: z.string().nullish(),
        name: z.string().nullish(),
        mongoDBVersion: z.string().nullish(),
        featureCompatibilityVersion: z.string().nullish(),
        agentVersion: z.string().nullish(),
        managed: z.boolean().nullish(),
        sharded: z.boolean().nullish(),
        shardsSize: Long.nullish(),
        tlsEnabled: z.boolean().nullish(),
        dbSizeBytes: Long.nullish(),
        oplogSizeMB: Long.nullish(),
      }),
    )
    .nullish(),
});
export type AvailableProject = z.output<typeof AvailableProject>;

/** The id is `_id` here, as in the migration itself. */
export const LiveMigrationValidation = z.object({
  _id: ObjectId,
  status: openEnum('PENDING', 'SUCCESS', 'FAILED').nullish(),
  errorMessage: z.string().nullish(),
  groupId: ObjectId.nullish(),
  sourceGroupId: z.string().nullish(),
});
export type LiveMigrationValidation = z.output<typeof LiveMigrationValidation>;

/**
 * A migration that pushes one cluster into Atlas. From the first `readyForCutover` on there are 120 hours to cut over,
 * which only the Atlas user interface can extend; after that it is EXPIRED and no longer follows the source.
 */
export const LiveMigration = z.object({
  _id: ObjectId,
  status: openEnum('NEW', 'WORKING', 'FAILED', 'COMPLETE', 'EXPIRED').nullish(),
  readyForCutover: z.boolean().nullish(),
  /** Only while it runs, and before the cutover. */
  lagTimeSeconds: Long.nullish(),
  migrationHosts: z.array(z.string()).nullish(),
});
export type LiveMigration = z.output<typeof LiveMigration>;

const source = {
  /** As Cloud Manager or Ops Manager names it, which is freer than Atlas is. */
  clusterName: z.string().min(1),
  groupId: SentId,
  ssl: z.boolean(),
  caCertificatePath: z.string().min(1).nullable().optional(),
};
const destination = { clusterName: ClusterName, groupId: GroupId };

const migration = z.strictObject({
  source: z.discriminatedUnion('managedAuthentication', [
    z.strictObject({ ...source, managedAuthentication: z.literal(true) }),
    z
      .strictObject({
        ...source,
        managedAuthentication: z.literal(false),
        username: z.string().min(1).optional(),
        password: z.string().min(1).optional(),
      })
      .refine(({ username, password }) => (username === undefined) === (password === undefined), {
        path: ['username'],
        message: 'must come together with password',
      }),
  ]),
  destination: z.discriminatedUnion('hostnameSchemaType', [
    z.strictObject({ ...destination, hostnameSchemaType: z.enum(['PUBLIC', 'VPC_PEERING']) }),
    z.strictObject({
      ...destination,
      hostnameSchemaType: z.literal('PRIVATE_LINK'),
      privateLinkId: z.string().min(1).optional(),
    }),
  ]),
  migrationHosts: z.array(z.string().min(1)).length(1),
  dropDestinationData: z.boolean().optional(),
  sharding: z
    .strictObject({
      createSupportingIndexes: z.boolean(),
      shardingEntries: z.array(
        z.strictObject({
          database: z.string().min(1),
          collection: z.string().min(1),
          shardCollection: z.strictObject({
            key: z.array(z.record(z.string().min(1), z.literal([1, 'hashed']))).min(1),
          }),
        }),
      ),
    })
    .optional(),
});

const Range = z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], 'must be an IP address, or a block of them');

const org = z.strictObject({ orgId: OrgId });
const group = z.strictObject({ groupId: GroupId });
const one = group.extend({ liveMigrationId: idOf('the migration’s id') });

/**
 * Makes the token that Cloud Manager or Ops Manager takes to link itself to this organization; one organization over
 * there takes one. Every call makes another token and another API key behind it, and shows it only now, so this must
 * not be repeated. Atlas answers 201, the documentation says 200. Role: Organization Owner.
 */
export const createOrgLiveMigrationLinkToken = operation({
  id: 'createOrgLiveMigrationLinkToken',
  summary: 'Makes a token that links Cloud Manager or Ops Manager to an organization',
  method: 'POST',
  path: '/api/atlas/v2/orgs/{orgId}/liveMigrations/linkTokens',
  version: '2023-01-01',
  repeat: 'never',
  params: org,
  body: z.strictObject({ accessListIps: z.array(Range).optional() }),
  response: z.object({ linkToken: z.string().min(1) }),
});

/**
 * Ends the link and deletes the API key behind it; linking again takes a new token and somebody at the other end. 404
 * UNEXPECTED_ERROR when there is no link, so a repeat is harmless; 409 while a migration runs.
 * Role: Organization Owner.
 */
export const deleteOrgLiveMigrationLinkTokens = operation({
  id: 'deleteOrgLiveMigrationLinkTokens',
  summary: 'Ends the link of an organization to Cloud Manager or Ops Manager',
  method: 'DELETE',
  path: '/api/atlas/v2/orgs/{orgId}/liveMigrations/linkTokens',
  version: '2023-01-01',
  repeat: 'safe',
  destructive: true,
  params: org,
  response: Nothing,
});

/** A bare array: there are no pages. Role: Organization Owner. */
export const listOrgLiveMigrationAvailableProjects = operation({
  id: 'listOrgLiveMigrationAvailableProjects',
  summary: 'The projects whose clusters can be moved into an organization',
  method: 'GET',
  path: '/api/atlas/v2/orgs/{orgId}/liveMigrations/availableProjects',
  version: '2023-01-01',
  repeat: 'safe',
  params: org,
  response: z.array(AvailableProject),
});

/**
 * Starts a check of what a migration would need, and answers before it is done: ask
 * getGroupLiveMigrationValidateStatus for the outcome. Every call starts another check on the migration host, so this
 * must not be repeated. Takes what createGroupLiveMigration takes. Role: Organization Owner.
 */
export const validateGroupLiveMigrations = operation({
  id: 'validateGroupLiveMigrations',
  summary: 'Starts checking whether a cluster can be moved into Atlas',
  method: 'POST',
  path: '/api/atlas/v2/groups/{groupId}/liveMigrations/validate',
  version: '2024-05-30',
  repeat: 'never',
  params: group,
  body: migration,
  response: LiveMigrationValidation,
});

/** Role: Organization Owner. */
export const getGroupLiveMigrationValidateStatus = operation({
  id: 'getGroupLiveMigrationValidateStatus',
  summary: 'How a check of a migration went',
  method: 'GET',
  path: '/api/atlas/v2/groups/{groupId}/liveMigrations/validate/{validationId}',
  version: '2023-01-01',
  repeat: 'safe',
  params: group.extend({ validationId: idOf('the check’s id') }),
  response: LiveMigrationValidation,
});

/**
 * Starts moving a cluster into Atlas. There is no list of migrations, no cancelling, and no key that makes a repeat
 * harmless: a lost answer may leave a migration whose id nobody knows, so keep `_id` before doing anything else.
 * `dropDestinationData` drops everything in the destination first; the older version has `dropEnabled` in its place,
 * required and meaning something else, and this one refuses it. Only what Cloud Manager or Ops Manager monitors can be
 * pushed; both ends MongoDB 6.0.17 or later and of one kind (replica set, or sharded); no M0 and no Flex as
 * destination; time-series collections are skipped; and the feature compatibility version must stay as it is until the
 * end. Role: Organization Owner.
 */
export const createGroupLiveMigration = operation({
  id: 'createGroupLiveMigration',
  summary: 'Starts moving a cluster into Atlas',
  method: 'POST',
  path: '/api/atlas/v2/groups/{groupId}/liveMigrations',
  version: '2024-05-30',
  repeat: 'never',
  destructive: true,
  params: group,
  body: migration,
  response: LiveMigration,
});

/** Role: Organization Member. */
export const getGroupLiveMigration = operation({
  id: 'getGroupLiveMigration',
  summary: 'How far a migration is',
  method: 'GET',
  path: '/api/atlas/v2/groups/{groupId}/liveMigrations/{liveMigrationId}',
  version: '2023-01-01',
  repeat: 'safe',
  params: one,
  response: LiveMigration,
});

/**
 * Ends the migration: Atlas stops following the source, and nothing takes that up again. Stop the writes to the source
 * first, and only call this once `readyForCutover` is true. Answers 202 and no body; ask getGroupLiveMigration until it
 * says COMPLETE. What a second cutover does is not documented, and a refusal of it would hide that the first was taken,
 * so it is not sent twice. Role: Organization Owner.
 */
export const cutoverGroupLiveMigration = operation({
  id: 'cutoverGroupLiveMigration',
  summary: 'Cuts a migrated cluster over to Atlas',
  method: 'PUT',
  path: '/api/atlas/v2/groups/{groupId}/liveMigrations/{liveMigrationId}/cutover',
  version: '2023-01-01',
  repeat: 'never',
  destructive: true,
  shows: 'getGroupLiveMigration',
  params: one,
  response: Nothing,
});
