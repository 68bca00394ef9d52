import { describe, expect, it } from 'vitest';
import { createScene, DAY_MS, failure, read, signIn } from './client.ts';

const MONTH = { secretExpiresAfterHours: 720 };

describe('creating a secret', () => {
  it('shows the value once, and a mask ever after', async () => {
    const { sandbox, owner, orgAccount, world, accountPath } = createScene();
    const { get, send } = await signIn(sandbox, owner);
    const response = await send('POST', `${accountPath(orgAccount)}/secrets`, MONTH);
    expect(response.status).toBe(201);
    const created = await read(response);
    expect(Object.keys(created).sort()).toEqual(['createdAt', 'expiresAt', 'id', 'secret']);
    expect(created.secret).toMatch(/^mdb_sa_sk_[\w-]{40}$/);
    expect(created.createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(Date.parse(created.expiresAt) - Date.parse(created.createdAt)).toBe(30 * DAY_MS);
    expect(world.isUsable(orgAccount.clientId, created.secret)).toBe(true);
    const account = await read(await get(accountPath(orgAccount)));
    expect(account.secrets).toEqual([
      {
        id: created.id,
        createdAt: created.createdAt,
        expiresAt: created.expiresAt,
        maskedSecretValue: `mdb_sa_sk_...${created.secret.slice(-4)}`,
      },
    ]);
  });

  it('tells when a secret was last used once it was', async () => {
    const { sandbox, owner, accountPath } = createScene();
    const account = await read(await (await signIn(sandbox, owner)).get(accountPath(owner)));
    expect(account.secrets[0].lastUsedAt).toBe(account.secrets[0].createdAt);
  });

  it('refuses a third secret even when one of the two has expired', async () => {
    const { sandbox, world, owner, orgAccount, accountPath } = createScene();
    world.addSecret(orgAccount, { createdAt: new Date(0), expiresAt: new Date(1000) });
    world.addSecret(orgAccount);
    const { send } = await signIn(sandbox, owner);
    const response = await send('POST', `${accountPath(orgAccount)}/secrets`, MONTH);
    const errorCode = 'MAX_SECRETS_PER_SERVICE_ACCOUNT_EXCEEDED';
    expect(await failure(response)).toEqual({ status: 400, errorCode });
    expect(orgAccount.secrets).toHaveLength(2);
  });

  it('leaves an older secret seven days at most, and never more than it had', async () => {
    const { sandbox, world, owner, orgAccount, projectAccount, accountPath } = createScene();
    const long = world.addSecret(orgAccount);
    const short = world.addSecret(projectAccount, { hours: 24 });
    const shortEnd = short.expiresAt;
    const { send } = await signIn(sandbox, owner);
    const created = await read(await send('POST', `${accountPath(orgAccount)}/secrets`, MONTH));
    expect(long.expiresAt.getTime() - Date.parse(created.createdAt)).toBe(7 * DAY_MS);
    await send('POST', `${accountPath(projectAccount)}/secrets`, MONTH);
    expect(short.expiresAt).toEqual(shortEnd);
    expect(Date.parse(created.expiresAt) - Date.parse(created.createdAt)).toBe(30 * DAY_MS);
  });

  it('refuses the second of two that run at once, and takes one again afterwards', async () => {
    const { sandbox, owner, orgAccount, accountPath } = createScene();
    const { send } = await signIn(sandbox, owner);
    const create = (): Promise<Response> => send('POST', `${accountPath(orgAccount)}/secrets`, MONTH);
    const [first, second] = await Promise.all([create(), create()]);
    expect(first.status).toBe(201);
    expect(await failure(second)).toEqual({ status: 409, errorCode: 'DATA_CONCURRENCY_ERROR' });
    expect(orgAccount.secrets).toHaveLength(1);
    expect((await create()).status).toBe(201);
  });

  it.each([
    [8, 201],
    [7, 400],
    [0, 400],
    [100, 201],
    [101, 400],
    [8.5, 400],
    ['8', 400],
  ])(
    'answers an asked lifetime of %s hours, where the organization allows 8 to 100, with %d',
    async (hours, status) => {
      const { sandbox, org, owner, orgAccount, accountPath } = createScene();
      org.maxSecretValidityHours = 100;
      const { send } = await signIn(sandbox, owner);
      const response = await send('POST', `${accountPath(orgAccount)}/secrets`, { secretExpiresAfterHours: hours });
      expect(response.status).toBe(status);
      if (status === 400) {
        const expected = { errorCode: 'INVALID_ATTRIBUTE', parameters: ['secretExpiresAfterHours'] };
        expect(await read(response)).toMatchObject(expected);
      }
    },
  );

  it.each([
    ['{}', 'MISSING_ATTRIBUTE', ['secretExpiresAfterHours']],
    ['{"secretExpiresAfterHours":8,"label":"x"}', 'INVALID_ATTRIBUTE', ['label']],
    ['{', 'MALFORMED_JSON', []],
    ['[]', 'INVALID_JSON', []],
  ])('answers the body %s with %s', async (body, errorCode, parameters) => {
    const { sandbox, owner, orgAccount, accountPath } = createScene();
    const { send } = await signIn(sandbox, owner);
    const response = await send('POST', `${accountPath(orgAccount)}/secrets`, body);
    expect(response.status).toBe(400);
    expect(await read(response)).toMatchObject({ errorCode, parameters });
    expect(orgAccount.secrets).toHaveLength(0);
  });
});

describe('deleting a secret', () => {
  it('ends the tokens minted from it at once, and no others', async () => {
    const { sandbox, world, owner, orgAccount, accountPath } = createScene();
    const secret = world.addSecret(orgAccount);
    const other = world.addSecret(orgAccount);
    const admin = await signIn(sandbox, owner);
    const doomed = await signIn(sandbox, orgAccount);
    const spared = world.addToken(orgAccount, other);
    const response = await admin.send('DELETE', `${accountPath(orgAccount)}/secrets/${secret.id}`);
    expect(response.status).toBe(204);
    expect(await response.text()).toBe('');
    expect((await doomed.get('')).status).toBe(401);
    expect(world.liveTokens(orgAccount.clientId)).toEqual([spared]);
    expect(world.isUsable(orgAccount.clientId, secret.value)).toBe(false);
  });

  it('answers 404 to a secret that is not there, or that is another account’s', async () => {
    const { sandbox, world, owner, orgAccount, accountPath } = createScene();
    const { send } = await signIn(sandbox, owner);
    const foreign = world.addSecret(orgAccount);
    for (const id of ['0'.repeat(24), foreign.id]) {
      const response = await send('DELETE', `${accountPath(owner)}/secrets/${id}`);
      expect(await failure(response)).toEqual({ status: 404, errorCode: 'RESOURCE_NOT_FOUND' });
    }
    expect(orgAccount.secrets).toEqual([foreign]);
  });

  it('makes room for another', async () => {
    const { sandbox, world, owner, orgAccount, accountPath } = createScene();
    const expired = world.addSecret(orgAccount, { createdAt: new Date(0), expiresAt: new Date(1000) });
    world.addSecret(orgAccount);
    const { send } = await signIn(sandbox, owner);
    await send('DELETE', `${accountPath(orgAccount)}/secrets/${expired.id}`);
    expect((await send('POST', `${accountPath(orgAccount)}/secrets`, MONTH)).status).toBe(201);
  });
});

describe('reading accounts', () => {
  it('lists everyone in the organization, and those with roles in a project', async () => {
    const { sandbox, org, project, owner, orgAccount, projectAccount } = createScene();
    const { get } = await signIn(sandbox, owner);
    const inOrg = await read(await get(`/orgs/${org.id}/serviceAccounts`));
    const everyone = [owner, orgAccount, projectAccount].map(({ clientId }) => clientId);
    expect(inOrg.results.map(({ clientId }: { clientId: string }) => clientId)).toEqual(everyone);
    expect(inOrg.results[2].roles).toEqual(['ORG_MEMBER']);
    const inProject = await read(await get(`/groups/${project.id}/serviceAccounts`));
    expect(inProject.results).toMatchObject([{ clientId: projectAccount.clientId, roles: ['GROUP_OWNER'] }]);
  });

  it('is allowed to readers, and writing is not', async () => {
    const { sandbox, world, project, orgAccount, projectAccount, accountPath, groupPath } = createScene();
    const reader = world.addProjectAccount(project, { name: 'reader', roles: ['GROUP_READ_ONLY'] });
    const orgReader = await signIn(sandbox, orgAccount);
    const projectReader = await signIn(sandbox, reader);
    expect((await orgReader.get(accountPath(projectAccount))).status).toBe(200);
    expect((await orgReader.get(groupPath(projectAccount))).status).toBe(200);
    expect((await projectReader.get(groupPath(projectAccount))).status).toBe(200);
    for (const [calls, path] of [
      [orgReader, accountPath(projectAccount)],
      [orgReader, groupPath(projectAccount)],
      [projectReader, groupPath(projectAccount)],
    ] as const) {
      for (const attempt of [
        calls.send('PATCH', path, { name: 'x' }),
        calls.send('POST', `${path}/secrets`, MONTH),
        calls.send('DELETE', `${path}/secrets/${'0'.repeat(24)}`),
      ]) {
        expect(await failure(await attempt)).toEqual({ status: 401, errorCode: 'USER_UNAUTHORIZED' });
      }
    }
  });

  it('is not allowed to a mere member of the organization', async () => {
    const { sandbox, org, projectAccount } = createScene();
    const { get } = await signIn(sandbox, projectAccount);
    const response = await get(`/orgs/${org.id}/serviceAccounts`);
    expect(await failure(response)).toEqual({ status: 401, errorCode: 'USER_UNAUTHORIZED' });
  });

  it('answers 401 to an account of another organization or project', async () => {
    const { sandbox, world, org, project } = createScene();
    const foreignOrg = world.addOrg({ name: 'Other' });
    const foreigner = await signIn(sandbox, world.addOrgAccount(foreignOrg, { name: 'x', roles: ['ORG_OWNER'] }));
    const refused = async (path: string): Promise<unknown> => failure(await foreigner.get(path));
    const inOrg = await refused(`/orgs/${org.id}/serviceAccounts`);
    expect(inOrg).toEqual({ status: 401, errorCode: 'USER_CANNOT_ACCESS_ORG' });
    const inProject = await refused(`/groups/${project.id}/serviceAccounts`);
    expect(inProject).toEqual({ status: 401, errorCode: 'USER_CANNOT_ACCESS_GROUP' });
    const neighbour = world.addProject(org, { name: 'neighbour' });
    const account = world.addProjectAccount(neighbour, { name: 'y', roles: ['GROUP_OWNER'] });
    const response = await (await signIn(sandbox, account)).get(`/groups/${project.id}/serviceAccounts`);
    expect(response.status).toBe(401);
  });
});

describe('project owners', () => {
  it('rotate the accounts of their project, themselves included', async () => {
    const { sandbox, projectAccount, groupPath } = createScene();
    const { send } = await signIn(sandbox, projectAccount);
    expect((await send('POST', `${groupPath(projectAccount)}/secrets`, MONTH)).status).toBe(201);
    const old = projectAccount.secrets[0]!;
    expect((await send('DELETE', `${groupPath(projectAccount)}/secrets/${old.id}`)).status).toBe(204);
  });

  it('may not touch an account that reaches further; owners of the organization may', async () => {
    const { sandbox, world, org, project, owner, projectAccount, groupPath } = createScene();
    const shared = world.addProjectAccount(project, { name: 'shared', roles: ['GROUP_READ_ONLY'] });
    const elevated = world.addProjectAccount(project, { name: 'elevated', roles: ['GROUP_READ_ONLY'] });
    world.assign(shared, world.addProject(org, { name: 'second' }), ['GROUP_READ_ONLY']);
    elevated.orgRoles.push('ORG_READ_ONLY');
    const projectOwner = await signIn(sandbox, projectAccount);
    const orgOwner = await signIn(sandbox, owner);
    for (const account of [shared, elevated]) {
      const secret = world.addSecret(account);
      const path = `${groupPath(account)}/secrets`;
      const notOwner = { status: 401, errorCode: 'NOT_ORG_OWNER' };
      expect(await failure(await projectOwner.send('POST', path, MONTH))).toEqual(notOwner);
      expect(await failure(await projectOwner.send('DELETE', `${path}/${secret.id}`))).toEqual(notOwner);
      expect((await orgOwner.send('POST', path, MONTH)).status).toBe(201);
      expect((await orgOwner.send('DELETE', `${path}/${secret.id}`)).status).toBe(204);
    }
  });
});

describe('updating an account', () => {
  it('changes what is sent and leaves the rest', async () => {
    const { sandbox, owner, orgAccount, projectAccount, accountPath, groupPath } = createScene();
    const { send } = await signIn(sandbox, owner);
    const renamed = await read(await send('PATCH', accountPath(orgAccount), { description: 'reads, only' }));
    expect(renamed).toMatchObject({ name: 'reporter', description: 'reads, only', roles: ['ORG_READ_ONLY'] });
    const promoted = await read(await send('PATCH', accountPath(orgAccount), { name: 'boss', roles: ['ORG_OWNER'] }));
    expect(promoted).toMatchObject({ name: 'boss', roles: ['ORG_OWNER'] });
    const worker = await read(await send('PATCH', groupPath(projectAccount), { roles: ['GROUP_READ_ONLY'] }));
    expect(worker).toMatchObject({ name: 'worker', roles: ['GROUP_READ_ONLY'] });
    expect(projectAccount.orgRoles).toEqual(['ORG_MEMBER']);
  });

  it.each([
    [{ name: '' }, 'INVALID_ATTRIBUTE', 'name'],
    [{ name: 'no/slash' }, 'INVALID_ATTRIBUTE', 'name'],
    [{ name: 'x'.repeat(65) }, 'INVALID_ATTRIBUTE', 'name'],
    [{ description: 'x'.repeat(251) }, 'INVALID_ATTRIBUTE', 'description'],
    [{ roles: ['GROUP_OWNER'] }, 'INVALID_ENUM_VALUE', 'roles.0'],
    [{ clientId: 'x' }, 'INVALID_ATTRIBUTE', 'clientId'],
  ])('refuses %j and names the attribute', async (body, errorCode, attribute) => {
    const { sandbox, owner, orgAccount, accountPath } = createScene();
    const { send } = await signIn(sandbox, owner);
    const response = await send('PATCH', accountPath(orgAccount), body);
    expect(response.status).toBe(400);
    expect(await read(response)).toMatchObject({ errorCode, parameters: [attribute] });
  });
});
