import { describe, expect, it } from 'vitest';
import { acknowledgeGroupAlert } from '../../../../lib/atlas/operations/alerts.ts';
import { updateGroupClusterBackupSchedule } from '../../../../lib/atlas/operations/backup-schedules.ts';
import { listGroupClusterBackupSnapshots } from '../../../../lib/atlas/operations/backup-snapshots.ts';
import {
  getGroupCluster,
  pinGroupClusterFeatureCompatibilityVersion,
  unpinGroupClusterCollStatUnpinNamespaces,
} from '../../../../lib/atlas/operations/clusters.ts';
import { listGroupEvents } from '../../../../lib/atlas/operations/events.ts';
import { updateGroupClusterSnapshotSchedule } from '../../../../lib/atlas/operations/legacy-backup.ts';
import {
  createGroupLiveMigration,
  createOrgLiveMigrationLinkToken,
} from '../../../../lib/atlas/operations/live-migrations.ts';
import { updateGroupClusterOnlineArchive } from '../../../../lib/atlas/operations/online-archives.ts';
import { updateGroupClusterSearchIndexByName } from '../../../../lib/atlas/operations/search-indexes.ts';
import { fakeAtlas } from '../../../support/fake-atlas.ts';

const id = '0123456789abcdef01234567';
const until = new Date('2126-01-02T03:04:05Z');
const item = { frequencyType: 'daily', frequencyInterval: 1, retentionUnit: 'days', retentionValue: 7 };
const policy = (changes: object) => ({ policies: [{ policyItems: [{ ...item, ...changes }] }] });
const source = { clusterName: 'shop (old)', groupId: id, ssl: true, managedAuthentication: true };
const destination = { clusterName: 'shop', groupId: id, hostnameSchemaType: 'PUBLIC' };
const migration = { source, destination, migrationHosts: ['agent.example.com'] };
const own = { ...source, managedAuthentication: false };
const legacy = {
  clusterId: id,
  clusterCheckpointIntervalMin: 15,
  snapshotIntervalHours: 6,
  snapshotRetentionDays: 2,
  dailySnapshotRetentionDays: 0,
  weeklySnapshotRetentionWeeks: 0,
  monthlySnapshotRetentionMonths: 0,
  pointInTimeWindowHours: 24,
};
const copied = { zoneId: id, frequencies: ['DAILY'] };
const kept = { zoneId: id, copyPolicyItems: [{ frequencyType: 'daily' }] };

describe('the body of', () => {
  const schedule = updateGroupClusterBackupSchedule.body;
  const archive = updateGroupClusterOnlineArchive.body;
  const index = updateGroupClusterSearchIndexByName.body;

  it.each([
    ['an acknowledgement', acknowledgeGroupAlert.body, { acknowledgedUntil: until, acknowledgementComment: 'seen' }],
    ['a taken back one', acknowledgeGroupAlert.body, { unacknowledgeAlert: true }],
    ['a schedule: monthly, last day', schedule, policy({ frequencyType: 'monthly', frequencyInterval: 40 })],
    ['a schedule: both halves of the time', schedule, { referenceHourOfDay: 0, referenceMinuteOfHour: 59 }],
    ['a schedule: copied by frequency', schedule, { copySettings: [copied] }],
    ['a schedule: copied by policy', schedule, { copyPolicyItemsEnabled: true, copySettings: [kept] }],
    ['a pin without a date', pinGroupClusterFeatureCompatibilityVersion.body, {}],
    ['a migration', createGroupLiveMigration.body, migration],
    [
      'a migration with credentials',
      createGroupLiveMigration.body,
      { ...migration, source: { ...own, username: 'u', password: 'p' } },
    ],
    ['a link token', createOrgLiveMigrationLinkToken.body, { accessListIps: ['203.0.113.7', '2001:db8::/32'] }],
    ['a legacy schedule', updateGroupClusterSnapshotSchedule.body, legacy],
    ['an archive to pause', archive, { paused: true }],
    ['a text index', index, { definition: { mappings: { dynamic: true }, storedSource: true } }],
    ['a vector index', index, { definition: { fields: [{ type: 'vector', path: 'p', numDimensions: 3 }] } }],
  ])('%s is taken', (_, schema, body) => {
    expect(schema.safeParse(body).error?.issues).toBeUndefined();
  });

  it.each([
    ['an acknowledgement of nothing', acknowledgeGroupAlert.body, {}],
    ['one with a comment alone, which once took it back', acknowledgeGroupAlert.body, { acknowledgementComment: 'x' }],
    ['one that does both', acknowledgeGroupAlert.body, { acknowledgedUntil: until, unacknowledgeAlert: true }],
    [
      'one with a long comment',
      acknowledgeGroupAlert.body,
      { acknowledgedUntil: until, acknowledgementComment: 'x'.repeat(201) },
    ],
    ['a schedule that changes nothing', schedule, {}],
    ['a schedule: half a time', schedule, { referenceHourOfDay: 3 }],
    ['a schedule: hour 24', schedule, { referenceHourOfDay: 24, referenceMinuteOfHour: 0 }],
    ['a schedule: two policies', schedule, { policies: [{ policyItems: [] }, { policyItems: [] }] }],
    ['a schedule: every second day', schedule, policy({ frequencyInterval: 2 })],
    ['a schedule: every fifth hour', schedule, policy({ frequencyType: 'hourly', frequencyInterval: 5 })],
    ['a schedule: an eighth day', schedule, policy({ frequencyType: 'weekly', frequencyInterval: 8 })],
    ['a schedule: the 29th', schedule, policy({ frequencyType: 'monthly', frequencyInterval: 29 })],
    ['a schedule: a thirteenth month', schedule, policy({ frequencyType: 'yearly', frequencyInterval: 13 })],
    ['a schedule: kept for no time', schedule, policy({ retentionValue: 0 })],
    ['a schedule: upper case', schedule, policy({ frequencyType: 'DAILY' })],
    ['a schedule: copies in lower case', schedule, { copySettings: [{ ...copied, frequencies: ['daily'] }] }],
    ['a schedule: no restore window', schedule, { restoreWindowDays: 0 }],
    ['a schedule: copy policies not switched on', schedule, { copySettings: [kept] }],
    ['a schedule: frequencies, switched off', schedule, { copyPolicyItemsEnabled: true, copySettings: [copied] }],
    ['a schedule: copies chosen twice', schedule, { copySettings: [{ ...copied, lastNumberOfSnapshots: 1 }] }],
    ['a schedule: copies without a zone', schedule, { copySettings: [{ frequencies: ['DAILY'] }] }],
    ['a schedule of the older version', schedule, { copySettings: [{ ...copied, replicationSpecId: id }] }],
    ['a schedule: copies deleted, not switched on', schedule, { deleteCopySnapshots: true }],
    [
      'a pin by a text that is no instant',
      pinGroupClusterFeatureCompatibilityVersion.body,
      { expirationDate: '2030-01-01' },
    ],
    ['a namespace without a collection', unpinGroupClusterCollStatUnpinNamespaces.body, { namespaces: ['shop'] }],
    ['a namespace twice', unpinGroupClusterCollStatUnpinNamespaces.body, { namespaces: ['a.b', 'a.b'] }],
    ['a migration of the older version', createGroupLiveMigration.body, { ...migration, dropEnabled: true }],
    [
      'a managed one with credentials',
      createGroupLiveMigration.body,
      { ...migration, source: { ...source, username: 'u', password: 'p' } },
    ],
    ['one with half of them', createGroupLiveMigration.body, { ...migration, source: { ...own, username: 'u' } }],
    ['one over two hosts', createGroupLiveMigration.body, { ...migration, migrationHosts: ['a', 'b'] }],
    ['one over none', createGroupLiveMigration.body, { ...migration, migrationHosts: [] }],
    [
      'a public one with a private link',
      createGroupLiveMigration.body,
      { ...migration, destination: { ...destination, privateLinkId: 'x' } },
    ],
    ['a link token for a name', createOrgLiveMigrationLinkToken.body, { accessListIps: ['example.com'] }],
    ['part of a legacy schedule', updateGroupClusterSnapshotSchedule.body, { clusterId: id, snapshotIntervalHours: 6 }],
    [
      'a legacy schedule off its list',
      updateGroupClusterSnapshotSchedule.body,
      { ...legacy, snapshotRetentionDays: 6 },
    ],
    ['an archive to leave alone', archive, {}],
    ['an archive: kept six days', archive, { dataExpirationRule: { expireAfterDays: 6 } }],
    ['an archive: daily, on a day', archive, { schedule: { type: 'DAILY', dayOfWeek: 1 } }],
    ['an archive: by an empty query', archive, { criteria: { type: 'CUSTOM' } }],
    [
      'a vector index that stores everything',
      index,
      { definition: { fields: [{ type: 'vector', path: 'p' }], storedSource: true } },
    ],
    ['an index in three parts', index, { definition: { mappings: { dynamic: true }, numPartitions: 3 } }],
    ['an index of both kinds', index, { definition: { mappings: {}, fields: [{ type: 'vector', path: 'p' }] } }],
  ])('%s is refused', (_, schema, body) => {
    expect(schema.safeParse(body).success).toBe(false);
  });
});

describe('the query of', () => {
  it.each([
    ['half an oplog place', { oplogTs: 1 }],
    ['two points in time', { oplogTs: 1, oplogInc: 1, pointInTimeUtcSeconds: 1 }],
    ['a page too large', { itemsPerPage: 501 }],
  ])('%s is refused', (_, query) => {
    expect(listGroupClusterBackupSnapshots.query.safeParse(query).success).toBe(false);
  });
});

describe('the path', () => {
  const { params } = updateGroupClusterSearchIndexByName;
  const names = { groupId: id, clusterName: 'shop', databaseName: 'd', collectionName: 'c', indexName: 'i' };

  it.each(['', '.', '..'])('has no room for "%s"', (indexName) => {
    expect(params.safeParse({ ...names, indexName }).success).toBe(false);
  });

  it.each(['', '-shop', 'shop.eu', 'a/b', 'a'.repeat(65)])('has no cluster "%s"', (clusterName) => {
    expect(params.safeParse({ ...names, clusterName }).success).toBe(false);
  });

  it('keeps the colon of a verb, and quotes what a name may hold', async () => {
    const { atlas, pool, grant, calls } = fakeAtlas();
    grant('token');
    pool.intercept({ method: 'POST', path: () => true }).reply(204);
    pool.intercept({ method: 'PATCH', path: () => true }).reply(200, { indexID: id });
    pool.intercept({ method: 'GET', path: () => true }).reply(200, { results: [] });
    const cluster = { groupId: id, clusterName: 'shop' };
    const expirationDate = new Date('2030-01-02T03:04:05Z');
    await atlas.call(pinGroupClusterFeatureCompatibilityVersion, { params: cluster, body: { expirationDate } });
    await atlas.call(updateGroupClusterSearchIndexByName, {
      params: { ...names, collectionName: 'a/b?c#d e' },
      body: { definition: { mappings: { dynamic: true } } },
    });
    await atlas.call(listGroupEvents, { params: { groupId: id }, query: { minDate: expirationDate } });
    const [pin, index, events] = calls().slice(1);
    expect(pin?.path).toBe(`/api/atlas/v2/groups/${id}/clusters/shop:pinFeatureCompatibilityVersion`);
    expect(pin?.body).toBe('{"expirationDate":"2030-01-02T03:04:05.000Z"}');
    expect(index?.path).toMatch(/\/d\/a%2Fb%3Fc%23d%20e\/i$/);
    expect(events?.fullUrl).toMatch(/\?minDate=2030-01-02T03%3A04%3A05\.000Z$/);
  });
});

describe('an answer', () => {
  it('has its dates as dates, its unknown values as they are, and nothing it is not asked for', () => {
    const answer = { name: 'shop', createDate: '2030-01-02T03:04:05Z', stateName: 'DREAMING', adaptiveCapacity: null };
    expect(getGroupCluster.response.parse(answer)).toEqual({
      name: 'shop',
      createDate: new Date('2030-01-02T03:04:05Z'),
      stateName: 'DREAMING',
    });
  });
});
