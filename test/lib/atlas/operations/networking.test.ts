import { describe, expect, it } from 'vitest';
import * as cloudManager from '../../../../lib/atlas/operations/cloud-manager.ts';
import { getGroupDbAccessHistoryCluster } from '../../../../lib/atlas/operations/database-access-history.ts';
import type { Operation } from '../../../../lib/atlas/operations/define.ts';
import { listGroupIntegrations } from '../../../../lib/atlas/operations/integrations.ts';
import {
  Container,
  ContainerSettings,
  createGroupContainer,
} from '../../../../lib/atlas/operations/network-containers.ts';
import * as v1 from '../../../../lib/atlas/operations/network-peering-v1.ts';
import { Peer, PeerSettings } from '../../../../lib/atlas/operations/network-peers.ts';
import { getGroupPipelineRun } from '../../../../lib/atlas/operations/pipeline-runs.ts';
import { disableGroupPrivateIpModePeering } from '../../../../lib/atlas/operations/private-ip-mode.ts';
import { addGroupUsers } from '../../../../lib/atlas/operations/project-users.ts';
import { fakeAtlas } from '../../../support/fake-atlas.ts';
import { operations } from './every-operation.ts';
import { containers, peers } from './samples-networking.ts';
import { inputSchemaOf } from './schema-samples.ts';

const id = 'b'.repeat(24);
const takes = (schema: { safeParse(value: unknown): { success: boolean } }, value: unknown): boolean =>
  schema.safeParse(value).success;

describe('a block of addresses for Atlas', () => {
  const aws = (atlasCidrBlock: string) => ({ providerName: 'AWS', regionName: 'EU_WEST_1', atlasCidrBlock });
  const azure = (atlasCidrBlock: string) => ({ providerName: 'AZURE', region: 'EUROPE_NORTH', atlasCidrBlock });
  const gcp = (atlasCidrBlock: string) => ({ providerName: 'GCP', atlasCidrBlock });

  it.each(['10.0.0.0/21', '10.255.248.0/24', '172.16.0.0/22', '172.31.255.0/24', '192.168.0.0/23'])(
    '%s is taken at AWS and Azure, and is too small for Google Cloud',
    (block) => {
      expect([aws, azure, gcp].map((settings) => takes(ContainerSettings, settings(block)))).toEqual([
        true,
        true,
        false,
      ]);
    },
  );

  it.each(['10.0.0.0/8', '10.0.0.0/18', '172.16.0.0/12', '192.168.0.0/16', '192.168.64.0/18'])(
    '%s is taken at Google Cloud, and is too large for AWS and Azure',
    (block) => {
      expect([aws, azure, gcp].map((settings) => takes(ContainerSettings, settings(block)))).toEqual([
        false,
        false,
        true,
      ]);
    },
  );

  it.each([
    ...['10.0.0.0/20', '10.0.0.0/25', '10.0.0.0/19', '10.0.0.0/7', '10.0.0.0', '10.0.0.0/x', '10.0.0/21', ''],
    ...['11.0.0.0/21', '172.15.0.0/21', '172.32.0.0/21', '192.169.0.0/21', '8.8.8.0/24', '::/21', 'fd00::/21'],
    ...['172.16.0.0/11', '192.168.0.0/15', '0.0.0.0/8', '11.0.0.0/18'],
  ])('%j is taken nowhere', (block) => {
    expect([aws, azure, gcp].filter((settings) => takes(ContainerSettings, settings(block)))).toEqual([]);
  });

  it('that is wrong is named before anything is sent', async () => {
    const { atlas, calls } = fakeAtlas();

    await expect(
      atlas.call(createGroupContainer, {
        params: { groupId: id },
        body: { providerName: 'AWS', regionName: 'EU_WEST_1', atlasCidrBlock: '10.0.0.0/16' },
      }),
    ).rejects.toMatchObject({
      code: 'ATLAS_INPUT',
      facts: { problems: [{ path: 'body.atlasCidrBlock', problem: expect.stringContaining('from /21 to /24') }] },
    });
    expect(calls()).toHaveLength(0);
  });
});

describe('settings', () => {
  it('of a container are those of its provider and no other', () => {
    const refused = [
      { providerName: 'AWS', atlasCidrBlock: '10.0.0.0/21' },
      { providerName: 'AWS', regionName: 'eu-west-1' },
      { providerName: 'AWS', regionName: 'EU_WEST_1', region: 'EUROPE_NORTH' },
      { providerName: 'AZURE', region: 'EUROPE_NORTH' },
      { providerName: 'GCP', atlasCidrBlock: '10.0.0.0/18', regions: [] },
      { providerName: 'TENANT', regionName: 'EU_WEST_1' },
      { regionName: 'EU_WEST_1' },
    ];
    expect(containers.filter(({ body }) => !takes(ContainerSettings, body))).toEqual([]);
    expect(refused.filter((settings) => takes(ContainerSettings, settings))).toEqual([]);
  });

  it('of a peering connection are those of its provider, each in its form', () => {
    expect(peers.filter(({ body }) => !takes(PeerSettings, body))).toEqual([]);
    const wrong: Record<string, readonly string[]> = {
      containerId: ['', 'x', `${id}0`],
      awsAccountId: ['12345678901', '1234567890123', 'abcdefghijkl'],
      routeTableCidrBlock: ['10.0.0.0', '10.0.0.0/33', 'fd00::/8'],
      vpcId: ['vpc-', 'vpc-0123', 'subnet-0123456789abcdef0', 'vpc-0123456789ABCDEF0'],
      accepterRegionName: ['', 'eu west 1'],
      azureDirectoryId: ['', 'x'],
      azureSubscriptionId: ['', id],
      resourceGroupName: ['', 'a/b'],
      vnetName: ['', 'a b'],
      gcpProjectId: ['short', 'Project-1', '1project', `p${'x'.repeat(30)}`, 'project-'],
      networkName: ['', 'Net', 'net-', '1net', `n${'x'.repeat(63)}`],
    };
    for (const { body = {} } of peers) {
      const fields = Object.keys(body).filter((name) => name !== 'providerName');
      for (const name of fields) {
        const { [name]: _, ...without } = body;
        expect(takes(PeerSettings, without), `without ${name}`).toBe(false);
        for (const value of wrong[name] ?? expect.fail(name)) {
          expect(takes(PeerSettings, { ...body, [name]: value }), `${name} ${value}`).toBe(false);
        }
      }
    }
  });

  it('that Atlas has for good are not sent: Connect via Peering Only can only be turned off', () => {
    for (const { body } of [disableGroupPrivateIpModePeering, v1.disableGroupPrivateIpModePeeringV1]) {
      expect([{ enabled: false }, { enabled: true }, {}].map((value) => takes(body, value))).toEqual([
        true,
        false,
        false,
      ]);
    }
  });

  it('of a project’s user name roles of projects, each once', () => {
    const roles = [['GROUP_OWNER'], [], ['ORG_OWNER'], ['GROUP_OWNER', 'GROUP_OWNER']];
    expect(roles.map((some) => takes(addGroupUsers.body, { username: 'ann@example.com', roles: some }))).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });

  it('of an access history have both ends or none, in milliseconds', () => {
    const { query } = getGroupDbAccessHistoryCluster;
    const start = new Date('2030-01-01T00:00:00Z');
    const sent = { start: start.getTime(), end: start.getTime() };
    expect(query.parse({ start, end: start })).toEqual(sent);
    expect(query.parse({ start: '2030-01-01T00:00:00Z', end: '2030-01-01T02:00:00+02:00' })).toEqual(sent);
    const first = '2008-01-01T00:00:00Z';
    const before = '2007-12-31T23:59:59Z';
    const local = '2030-01-01T00:00:00';
    const refused = [
      ...[{ start }, { end: start }, { start: local, end: start }, { start: 'today', end: start }],
      ...[
        { start: sent.start, end: sent.end },
        { start: new Date(before), end: start },
        { start: before, end: start },
      ],
    ];
    expect([{}, { start: first, end: first }].map((value) => takes(query, value))).toEqual([true, true]);
    expect(refused.filter((value) => takes(query, value))).toEqual([]);
  });

  it.each(['.', '..', 'a/b', 'a b', '', 'x'.repeat(65)])(
    'of a path never lead elsewhere: %j is no pipeline',
    (pipelineName) => {
      expect(takes(getGroupPipelineRun.params, { groupId: id, pipelineName, pipelineRunId: id })).toBe(false);
    },
  );
});

describe('an answer', () => {
  it.each([
    ['AWS', { regionName: 'EU_WEST_1', vpcId: null }],
    ['AZURE', { region: 'EUROPE_NORTH', azureSubscriptionId: id, vnetName: null }],
    ['GCP', { regions: ['WESTERN_EUROPE'], gcpProjectId: null, networkName: null }],
  ])('of a container at %s has that provider’s fields, with or without its name', (providerName, fields) => {
    const container = { id, provisioned: false, atlasCidrBlock: '10.0.0.0/21', ...fields };
    const expected = { ...container, providerName };
    for (const name of [{ providerName }, { providerName: null }, {}]) {
      expect(Container.parse({ ...container, ...name, links: [], more: 1 })).toEqual(expected);
    }
  });

  it.each([
    ['AWS', { statusName: 'PENDING_ACCEPTANCE', errorStateName: null, connectionId: null, vpcId: 'vpc-abc123abc123' }],
    ['AZURE', { status: 'DELETION_FAILED', errorState: 'why', azureSubscriptionId: 's', vnetName: 'v' }],
    ['GCP', { status: 'WAITING_FOR_USER', errorMessage: null, gcpProjectId: 'p', networkName: 'n' }],
  ])('of a peering connection at %s has that provider’s fields, with or without its name', (providerName, fields) => {
    const peer = { id, containerId: id, ...fields };
    for (const name of [{ providerName }, { providerName: null }, {}]) {
      expect(Peer.parse({ ...peer, ...name, links: [], more: 1 })).toEqual({ ...peer, providerName });
    }
  });

  it('about a state or provider that is new is read all the same', () => {
    expect(Peer.parse({ id, providerName: 'AWS', statusName: 'NAPPING' })).toMatchObject({ statusName: 'NAPPING' });
    expect(Peer.parse({ id, providerName: 'MOON', status: 'x' })).toEqual({
      id,
      providerName: 'OTHER',
      reportedProvider: 'MOON',
    });
    expect(Container.parse({ id, providerName: 'TENANT' })).toMatchObject({ reportedProvider: 'TENANT' });
  });

  it('of a known provider that is wrong is not passed off as one of another', () => {
    expect(takes(Peer, { id, providerName: 'AWS', statusName: 7 })).toBe(false);
    expect(takes(Container, { id, providerName: 'GCP', regions: 'all' })).toBe(false);
  });

  it('keeps no key of an integration or an agent', () => {
    const integrations = listGroupIntegrations.response.parse({
      results: [
        { id, type: 'DATADOG', region: 'US', apiKey: 'secret-1' },
        { id, type: 'NEW_RELIC', licenseKey: 'secret-2', writeToken: 'secret-3', readToken: 'secret-4' },
        { id, type: 'MICROSOFT_TEAMS', microsoftTeamsWebhookUrl: 'https://secret-5' },
        { id, type: 'WEBHOOK', url: 'https://secret-6', secret: 'secret-7', headersTemplate: 'secret-8' },
      ],
    });
    const project = cloudManager.getCloudManagerGroup.response.parse({ id, name: 'p', agentApiKey: 'secret-9' });
    expect(JSON.stringify({ integrations, project })).not.toContain('secret');
  });

  it('about access keeps entries whose date can’t be read', () => {
    const read = (timestamp: unknown) =>
      getGroupDbAccessHistoryCluster.response.parse({ accessLogs: [{ timestamp }] }).accessLogs?.[0]?.timestamp;
    expect(read('2030-01-01T00:00:00Z')).toEqual(new Date('2030-01-01T00:00:00Z'));
    expect(read('Tue Jan 01 00:00:00 GMT 2030')).toEqual(new Date('2030-01-01T00:00:00Z'));
    expect(read('some day')).toBeUndefined();
  });

  it('of Cloud Manager tells how agents and hosts are', () => {
    const hostCounts = { arbiter: 2, config: 1, primary: 4, secondary: 8, mongos: 2, master: 0, slave: 0 };
    const counts = { activeAgentCount: 1, replicaSetCount: 3, shardCount: 2, publicApiEnabled: true };
    expect(
      cloudManager.getCloudManagerGroup.response.parse({
        ...{ id, name: 'My Project', orgId: id, hostCounts, ...counts, links: [] },
        lastActiveAgent: '2016-08-05T07:23:34Z',
        agentApiKey: 'cbd728abd6a6d6c6b6d7826345dbcff0e',
      }),
    ).toEqual({
      ...{ id, name: 'My Project', orgId: id, hostCounts, ...counts },
      lastActiveAgent: new Date('2016-08-05T07:23:34Z'),
    });
  });
});

describe('API v1.0', () => {
  const older = Object.values(v1);
  const newer = operations.map(({ op }) => op);

  it('has the thirteen endpoints of network peering', () => {
    expect(
      older.map(({ method, path }) => `${method} ${path.replace('/api/atlas/v1.0/groups/{groupId}', '')}`).toSorted(),
    ).toEqual([
      'DELETE /containers/{containerId}',
      'DELETE /peers/{peerId}',
      'GET /containers',
      'GET /containers/all',
      'GET /containers/{containerId}',
      'GET /peers',
      'GET /peers/{peerId}',
      'GET /privateIpMode',
      'PATCH /containers/{containerId}',
      'PATCH /peers/{peerId}',
      'PATCH /privateIpMode',
      'POST /containers',
      'POST /peers',
    ]);
  });

  it.each(older.filter(({ id: name }) => name !== 'getGroupPrivateIpModeV1'))(
    '$id takes and gives what its namesake of v2 does',
    (op: Operation) => {
      const namesake = newer.find(({ id: name }) => `${name}V1` === op.id)!;
      const traits = ({ method, repeat, destructive }: Operation) => ({ method, repeat, destructive });
      const shapes = ({ params, query, body, response }: Operation) =>
        [params, query, body, response].map((schema) => schema && inputSchemaOf(schema));
      expect(op.path).toBe(namesake.path.replace('/v2/', '/v1.0/'));
      expect(traits(op)).toEqual(traits(namesake));
      expect(shapes(op)).toEqual(shapes(namesake));
    },
  );

  it('is spoken in plain JSON', async () => {
    const { atlas, pool, calls, grant } = fakeAtlas();
    grant('t1');
    const body = { providerName: 'GCP', atlasCidrBlock: '10.0.0.0/18' } as const;
    pool.intercept({ method: 'POST', path: `/api/atlas/v1.0/groups/${id}/containers` }).reply(200, { id, ...body });

    await atlas.call(v1.createGroupContainerV1, { params: { groupId: id }, body });

    expect(calls()[1]).toMatchObject({
      body: JSON.stringify(body),
      headers: { accept: 'application/json', 'content-type': 'application/json' },
    });
  });
});
