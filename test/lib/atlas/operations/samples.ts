/** What is said here by hand because no schema says it. A sibling `samples-*.ts` may say more, by the same names. */

/** A query or a body that an operation takes, beyond those made from its schemas. */
export interface Sample {
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: Readonly<Record<string, unknown>>;
}

const id = '0123456789abcdef01234567';
const copies = { cloudProvider: 'AWS', regionName: 'US_EAST_1', zoneId: id, shouldCopyOplogs: true };

export const samples: Readonly<Record<string, readonly Sample[]>> = {
  listGroupClusterBackupSnapshots: [{ query: { oplogTs: 1, oplogInc: 1 } }],
  updateGroupClusterBackupSchedule: [
    { body: { policies: [{ policyItems: [] }], referenceHourOfDay: 3, referenceMinuteOfHour: 0 } },
    {
      body: {
        policies: [{ id, policyItems: [] }],
        copyPolicyItemsEnabled: true,
        copySettings: [
          { ...copies, copyPolicyItems: [{ id, frequencyType: 'daily', retentionUnit: 'days', retentionValue: 7 }] },
        ],
        deleteCopySnapshots: true,
      },
    },
    { body: { policies: [{ policyItems: [] }], copySettings: [{ ...copies, frequencies: ['DAILY'] }] } },
    { body: { policies: [{ policyItems: [] }], copySettings: [{ ...copies, lastNumberOfSnapshots: 500 }] } },
  ],
};

/** Requests that are right and that the document refuses, by operation: the violation, and why it is a mistake. */
export const documentMistakes: Readonly<Record<string, readonly string[]>> = {
  // One schema serves reading and changing; changing takes what is to change.
  updateGroupClusterBackupSchedule: ["body: must have required property 'policies'"],
  // Shard keys are 1 or "hashed"; booleans turn everything on or off. All of them are declared as objects.
  createGroupLiveMigration: ['body/sharding/shardingEntries/0/shardCollection/key/0/key: must be object'],
  validateGroupLiveMigrations: ['body/sharding/shardingEntries/0/shardCollection/key/0/key: must be object'],
  updateGroupClusterSearchIndexByName: [
    'body/definition/storedSource: must be object',
    'body/definition/mappings/dynamic: must be object',
    'body/definition/mappings/fields/key: must be object',
    'body/definition/analyzers/0/tokenizer/key: must be object',
    'body/definition/typeSets/0/types/0/key: must be object',
    'body/definition/fields/0/type: must be object',
    'body/definition/fields/0/path: must be object',
    // An analyzer defined in the same index goes by its own name.
    'body/definition/analyzer: must be equal to one of the allowed values',
    'body/definition/searchAnalyzer: must be equal to one of the allowed values',
    'body/definition/synonyms/0/analyzer: must be equal to one of the allowed values',
  ],
};

/** Attributes that Atlas sends, and neither the document nor a recording shows. */
export const undocumented: Readonly<Record<string, readonly string[]>> = {
  // In the recorded lists, and so in one event of them.
  getGroupEvent: ['clusterName'],
};

const secret = ['createdAt', 'expiresAt'];
const project = ['orgId', 'created'];

/** Attributes beyond an identity without which an answer is no answer. */
export const needed: Readonly<Record<string, readonly string[]>> = {
  // A rotation decides by them.
  listOrgServiceAccounts: secret,
  getOrgServiceAccount: secret,
  updateOrgServiceAccount: secret,
  createOrgServiceAccountSecret: [...secret, 'secret'],
  listGroupServiceAccounts: secret,
  getGroupServiceAccount: secret,
  updateGroupServiceAccount: secret,
  createGroupServiceAccountSecret: [...secret, 'secret'],
  // The whole point of the call.
  addGroupUsers: ['username', 'orgMembershipStatus'],
  getGroupDbAccessHistoryCluster: ['timestamp'],
  createOrgLiveMigrationLinkToken: ['linkToken'],
  // Whose fields the rest are.
  listGroupIntegrations: ['type'],
  // What every function asks of a project.
  listGroups: project,
  getGroup: project,
  getOrgGroups: project,
};
