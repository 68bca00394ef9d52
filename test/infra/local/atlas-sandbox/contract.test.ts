import { beforeEach, describe, expect, it } from 'vitest';
import { type AtlasSandbox, operations } from '../../../../infra/local/atlas-sandbox/sandbox.ts';
import { type AtlasSpec, loadAtlasSpec, specPath } from '../../../support/atlas-spec.ts';
import { basic, createScene, read, signIn, tokenRequest, V2, withToken } from './client.ts';
import { exerciseClusters, refuseClusters } from './contract-clusters.ts';
import { exerciseOrganization, provokeOrganization } from './contract-organization.ts';

const spec = loadAtlasSpec();
const MONTH = { secretExpiresAfterHours: 720 };

if (spec) describe('the published document', () => contract(spec));
else {
  it(`is not at ${specPath}: SKIPPED, the sandbox was not held against the published document`, () => {
    expect(spec).toBeUndefined();
  });
}

function contract({ validateRequest, validateResponse, operation }: AtlasSpec): void {
  let scene: ReturnType<typeof createScene>;
  let seen: Set<string>;

  beforeEach(() => {
    scene = createScene({ limits: { liveTokens: 3, mintsPerMinute: 8, rates: { root: { capacity: 1 } } } });
    seen = new Set();
    judge(scene.sandbox);
  });

  /** Holds everything the sandbox says from now on against the document. */
  function judge(sandbox: AtlasSandbox): void {
    const { fetch } = sandbox;
    sandbox.fetch = async (request, drop) => {
      const response = await fetch(request, drop);
      const { method, url } = request;
      const { status } = response;
      const contentType = response.headers.get('content-type');
      const body = await response.clone().text();
      const name = operation(method, url)?.operationId;
      seen.add(`${name} ${status}`);
      expect(validateResponse({ method, url, status, contentType, body }), `${name} ${status}`).toEqual([]);
      return response;
    };
  }

  it('has every operation of the sandbox, with the same versions and roles', () => {
    const id = '0'.repeat(24);
    for (const { operationId, method, path, versions, role } of operations) {
      const filled = path.replace('{clientId}', `mdb_sa_id_${id}`).replaceAll(/\{\w+\}/g, id);
      const { versions: published = [], ...rest } = operation(method, V2 + filled) ?? {};
      const stable = published.filter((version) => version !== 'preview');
      expect({ ...rest, versions: stable }).toEqual({ operationId, versions, roles: [role ?? []].flat() });
    }
  });

  it('is kept by every success', async () => {
    const { sandbox, world, owner, orgAccount, projectAccount, accountPath, groupPath, org, project } = scene;
    const { get, send, token } = await signIn(sandbox, owner);
    world.addProjectAccount(project, { name: 'described', description: 'and unused', roles: ['GROUP_OWNER'] });
    for (const path of ['', '/orgs', '/groups?itemsPerPage=1&pageNum=2', '/groups?includeCount=false']) await get(path);
    for (const scope of [`/orgs/${org.id}`, `/groups/${project.id}`]) await get(`${scope}/serviceAccounts`);
    for (const path of [accountPath(orgAccount), groupPath(projectAccount)]) {
      const created = await read(await send('POST', `${path}/secrets`, MONTH));
      await get(path);
      await send('PATCH', path, { name: 'renamed', description: 'changed' });
      await send('DELETE', `${path}/secrets/${created.id}`);
    }
    await exerciseOrganization(scene, { token, get, send });
    await exerciseClusters(scene, { token, get, send });
    const authorization = basic(owner.clientId, owner.secrets[0]!.value);
    await sandbox.fetch(tokenRequest(authorization, `token=${token}`, 'revoke'));
    const succeeded = [...seen].flatMap((entry) => (/^(\w+) 2\d\d$/.exec(entry)?.[1] ?? []) as string);
    // What is gone succeeds no more.
    const living = operations.filter(({ operationId }) => operationId !== 'getGroupPipelineRun');
    const expected = [...living.map(({ operationId }) => operationId), 'mintToken', 'revokeToken'];
    expect([...new Set(succeeded)].sort()).toEqual(expected.sort());
  });

  it('is kept by every refusal', async () => {
    const { sandbox, world, owner, orgAccount, projectAccount, accountPath } = scene;
    const { get, send } = await signIn(sandbox, owner);
    const weak = await signIn(sandbox, projectAccount);
    const secrets = `${accountPath(orgAccount)}/secrets`;
    await withToken(sandbox, 'unknown').get('/orgs');
    await weak.get(accountPath(orgAccount));
    await get('/orgs', { accept: 'application/json' });
    await get('/groups?itemsPerPage=501');
    await get(accountPath(owner).replace(/\w{24}$/, '0'.repeat(24)));
    for (let n = 0; n < 2; n += 1) await get('');
    await send('POST', secrets, MONTH, { 'content-type': 'text/plain' });
    await send('POST', secrets, {});
    await Promise.all([send('POST', secrets, MONTH), send('POST', secrets, MONTH)]);
    world.addSecret(orgAccount);
    await send('POST', secrets, MONTH);
    projectAccount.accessList = ['203.0.113.1'];
    await weak.get('/orgs');
    sandbox.faults.plan([{ operation: 'listOrgs', nth: 1, fault: { kind: 'refuse', status: 500 } }]);
    await get('/orgs');
    const authorization = basic(owner.clientId, owner.secrets[0]!.value);
    await sandbox.fetch(tokenRequest(authorization, ''));
    await sandbox.fetch(tokenRequest('Basic x'));
    for (let n = 0; n < 8; n += 1) await sandbox.fetch(tokenRequest(authorization));
    const refusals = [...seen].filter((entry) => !/ 2\d\d$/.test(entry)).sort();
    expect(refusals).toEqual([
      'createOrgServiceAccountSecret 400',
      'createOrgServiceAccountSecret 409',
      'createOrgServiceAccountSecret 415',
      'getOrgServiceAccount 401',
      'getOrgServiceAccount 404',
      'getSystemStatus 429',
      'listGroups 400',
      'listOrgs 401',
      'listOrgs 403',
      'listOrgs 406',
      'listOrgs 500',
      'mintToken 400',
      'mintToken 401',
      'mintToken 403',
      'mintToken 429',
    ]);
  });

  it('is kept by every refusal about alerts, networking and access', async () => {
    const { sandbox, owner } = scene;
    await provokeOrganization(scene, await signIn(sandbox, owner));
    const refusals = [...seen].filter((entry) => !/ 2\d\d$/.test(entry));
    expect(refusals.sort()).toEqual([
      'acknowledgeGroupAlert 400',
      'acknowledgeGroupAlert 401',
      'acknowledgeGroupAlert 404',
      'addGroupUsers 400',
      'addGroupUsers 409',
      'createGroupContainer 400',
      'createGroupContainer 409',
      'createGroupPeer 400',
      'createGroupPeer 401',
      'createGroupPeer 409',
      'deleteFederationSettingConnectedOrgConfigRoleMapping 404',
      'deleteGroupContainer 409',
      'deleteGroupPeer 409',
      'deleteGroupPrivateNetworkSettingEndpointId 404',
      'disableGroupPrivateIpModePeering 400',
      'getGroup 401',
      'getGroupAlert 404',
      'getGroupAlertAlertConfigs 404',
      'getGroupAlertConfig 404',
      'getGroupContainer 404',
      'getGroupDbAccessHistoryCluster 404',
      'getGroupEvent 404',
      'getGroupPeer 404',
      'getGroupPipelineRun 410',
      'getGroupPrivateNetworkSettingEndpointId 404',
      'getRateLimit 404',
      'listGroupAlerts 400',
      'listGroupEvents 400',
      'listGroupPeers 400',
      'listOrgApiKeyAccessListEntries 400',
      'listRateLimits 403',
      'toggleGroupPrivateEndpointRegionalMode 400',
      'updateGroupContainer 400',
      'updateGroupContainer 409',
      'updateGroupPeer 409',
    ]);
  });

  it('is kept by every refusal about clusters', async () => {
    const { sandbox, owner } = scene;
    const expected = await refuseClusters(scene, await signIn(sandbox, owner));
    const refusals = [...seen].filter((entry) => !/ 2\d\d$/.test(entry));
    expect(refusals.sort()).toEqual(expected);
  });

  describe('finds fault with requests', () => {
    const id = 'a'.repeat(24);
    const secrets = `${V2}/orgs/${id}/serviceAccounts/mdb_sa_id_${id}/secrets`;
    const versioned = 'application/vnd.atlas.2024-08-05+json';
    const headers = { accept: versioned, 'content-type': versioned };
    const good = { method: 'POST', url: secrets, headers, body: JSON.stringify(MONTH) };

    it.each([
      ['nothing', {}, []],
      ['plain JSON', { headers: { ...headers, 'content-type': 'application/json' } }, []],
      [
        'an unlisted operation',
        { method: 'PUT' },
        ['PUT /api/atlas/v2/orgs/…/serviceAccounts/…/secrets: no such operation'],
      ],
      [
        'an unlisted version',
        { headers: { ...headers, accept: 'application/vnd.atlas.2023-01-01+json' } },
        ['headers/accept: is not offered for a success'],
      ],
      [
        'a foreign body type',
        { headers: { ...headers, 'content-type': 'text/plain' } },
        ['headers/content-type: is not a media type of this operation'],
      ],
      ['a missing body', { body: '' }, ['body: is required']],
      ['a broken body', { body: '{' }, ['body: is not JSON']],
      ['a missing attribute', { body: '{}' }, ["body: must have required property 'secretExpiresAfterHours'"]],
      [
        'a value out of range',
        { body: '{"secretExpiresAfterHours":0}' },
        ['body/secretExpiresAfterHours: must be > 0'],
      ],
      [
        'a misspelled attribute',
        { body: '{"secretExpiresAfterHours":8,"lable":"x"}' },
        ['body: must NOT have additional properties (lable)'],
      ],
      ['a malformed id', { url: secrets.replace(id, 'short') }, ['path/orgId: must match pattern "^([a-f0-9]{24})$"']],
      ['an unknown parameter', { url: `${secrets}?dryRun=true` }, ['query/dryRun: no such parameter']],
    ])('%s', (_, change, violations) => {
      expect(validateRequest({ ...good, ...change })).toEqual(violations);
    });

    it('such as a page too large, or none at all', () => {
      const list = { method: 'GET', headers };
      const accept = { accept: 'application/vnd.atlas.2023-01-01+json' };
      const page = { ...list, url: `${V2}/groups?itemsPerPage=501&pageNum=x&includeCount=false`, headers: accept };
      expect(validateRequest(page)).toEqual(['query/itemsPerPage: must be <= 500', 'query/pageNum: must be integer']);
    });

    it('such as credentials in the form of a token request', () => {
      const url = 'https://cloud.mongodb.com/api/oauth/token';
      const form = { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' };
      const mint = { method: 'POST', url, headers: form, body: 'grant_type=client_credentials' };
      expect(validateRequest(mint)).toEqual([]);
      expect(validateRequest({ ...mint, body: `${mint.body}&client_secret=x` })).toEqual([
        'body: must NOT have additional properties (client_secret)',
      ]);
    });
  });

  describe('finds fault with answers', () => {
    const url = `${V2}/orgs/${'a'.repeat(24)}/serviceAccounts/mdb_sa_id_${'a'.repeat(24)}/secrets`;
    const contentType = 'application/vnd.atlas.2024-08-05+json;charset=utf-8';
    const secret = { id: 'a'.repeat(24), createdAt: '2026-01-01T00:00:00Z', expiresAt: '2026-02-01T00:00:00Z' };
    const good = { method: 'POST', url, status: 201, contentType, body: JSON.stringify(secret) };

    it.each([
      ['nothing', {}, []],
      ['a null where null is allowed', { body: JSON.stringify({ ...secret, lastUsedAt: null }) }, []],
      ['another status', { status: 200 }, ['status: 200 is not a status of createOrgServiceAccountSecret']],
      [
        'another type',
        { contentType: 'application/json' },
        ['headers/content-type: is not a media type of this status'],
      ],
      [
        'a malformed date',
        { body: JSON.stringify({ ...secret, expiresAt: 'soon' }) },
        ['body/expiresAt: must match format "date-time"'],
      ],
      [
        'an error without a code',
        { status: 404, contentType: 'application/json', body: '{"error":404}' },
        ["body: must have required property 'errorCode'"],
      ],
      [
        'an error in a versioned type',
        { status: 409, body: '{}' },
        ['headers/content-type: is not a media type of this status'],
      ],
    ])('%s', (_, change, violations) => {
      expect(validateResponse({ ...good, ...change })).toEqual(violations);
    });
  });
}
