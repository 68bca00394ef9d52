import { describe, expect, it } from 'vitest';
import { basic, createScene, read, signIn, tokenRequest, withToken } from './client.ts';

describe('minting a token', () => {
  it('takes raw credentials and gives a bearer token for an hour', async () => {
    const { sandbox, world, owner } = createScene();
    const secret = world.addSecret(owner);
    const response = await sandbox.fetch(tokenRequest(basic(owner.clientId, secret.value)));
    expect(response.status).toBe(200);
    const body = await read(response);
    expect(body).toEqual({ access_token: expect.any(String), expires_in: 3600, token_type: 'Bearer' });
    const [header] = body.access_token.split('.');
    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toEqual({ alg: 'ES512', typ: 'JWT' });
    expect(body.access_token.split('.')).toHaveLength(3);
  });

  it('does not know credentials that were percent-encoded first', async () => {
    const { sandbox, world, owner } = createScene();
    const secret = world.addSecret(owner);
    const encoded = (text: string): string => text.replaceAll('_', '%5F');
    const response = await sandbox.fetch(tokenRequest(basic(encoded(owner.clientId), encoded(secret.value))));
    expect(response.status).toBe(401);
    expect(await read(response)).toMatchObject({ error: 'invalid_client' });
  });

  it.each([
    ['a wrong secret', (clientId: string) => basic(clientId, 'mdb_sa_sk_wrong')],
    ['an unknown client', () => basic(`mdb_sa_id_${'0'.repeat(24)}`, 'mdb_sa_sk_wrong')],
    ['another scheme', () => 'Bearer x'],
    ['no colon', () => `Basic ${Buffer.from('nothing').toString('base64')}`],
  ])('answers invalid_client to %s', async (_, authorization) => {
    const { sandbox, world, owner } = createScene();
    world.addSecret(owner);
    const response = await sandbox.fetch(tokenRequest(authorization(owner.clientId)));
    expect(response.status).toBe(401);
    expect(await read(response)).toEqual({ error: 'invalid_client', error_description: expect.any(String) });
  });

  it.each([
    ['invalid_request', ''],
    ['unsupported_grant_type', 'grant_type=authorization_code'],
  ])('answers %s to the form "%s"', async (error, form) => {
    const { sandbox, world, owner } = createScene();
    const secret = world.addSecret(owner);
    const response = await sandbox.fetch(tokenRequest(basic(owner.clientId, secret.value), form));
    expect(response.status).toBe(400);
    expect(await read(response)).toMatchObject({ error });
  });

  it('wants a form, not JSON', async () => {
    const { sandbox, world, owner } = createScene();
    const secret = world.addSecret(owner);
    const request = new Request('https://atlas.test/api/oauth/token', {
      method: 'POST',
      headers: { authorization: basic(owner.clientId, secret.value), 'content-type': 'application/json' },
      body: '{"grant_type":"client_credentials"}',
    });
    const response = await sandbox.fetch(request);
    expect(await read(response)).toMatchObject({ error: 'invalid_request' });
  });

  it('refuses an expired secret, and marks a good one as used', async () => {
    const { sandbox, world, owner } = createScene();
    const secret = world.addSecret(owner, { hours: 8 });
    expect(secret.lastUsedAt).toBeUndefined();
    await sandbox.fetch(tokenRequest(basic(owner.clientId, secret.value)));
    expect(secret.lastUsedAt).toEqual(world.now());
    sandbox.clock.advance(8 * 3_600_000);
    const response = await sandbox.fetch(tokenRequest(basic(owner.clientId, secret.value)));
    expect(response.status).toBe(401);
    expect(world.isUsable(owner.clientId, secret.value)).toBe(false);
  });

  it('stops at 50 requests a minute and client, and says so in the words of the API', async () => {
    const { sandbox, world, owner, orgAccount } = createScene();
    const secret = world.addSecret(owner);
    const other = world.addSecret(orgAccount);
    const mint = (): Promise<Response> => sandbox.fetch(tokenRequest(basic(owner.clientId, secret.value)));
    for (let n = 0; n < 50; n += 1) expect((await mint()).status).toBe(200);
    const refused = await mint();
    expect(refused.status).toBe(429);
    expect(await read(refused)).toEqual({
      detail: 'Resource /api/oauth/token is limited to 50 requests every 1 minutes.',
      error: 429,
      errorCode: 'RATE_LIMITED',
      parameters: ['/api/oauth/token', 50, 1],
      reason: 'Too Many Requests',
    });
    expect((await sandbox.fetch(tokenRequest(basic(orgAccount.clientId, other.value)))).status).toBe(200);
    sandbox.clock.advance(60_000);
    expect((await mint()).status).toBe(200);
  });

  it('stops at 100 live tokens until some expire or are revoked', async () => {
    const { sandbox, world, owner } = createScene({ limits: { mintsPerMinute: 1000 } });
    const authorization = basic(owner.clientId, world.addSecret(owner).value);
    const mint = (): Promise<Response> => sandbox.fetch(tokenRequest(authorization));
    const first = await read(await mint());
    for (let n = 1; n < 100; n += 1) await mint();
    const refused = await mint();
    expect(refused.status).toBe(403);
    expect(await read(refused)).toEqual({
      error: 'access_denied',
      error_description:
        'Access Token limit reached. Please use the existing Access Token or create a new Service Account.',
    });
    await sandbox.fetch(tokenRequest(authorization, `token=${first.access_token}`, 'revoke'));
    expect(world.liveTokens(owner.clientId)).toHaveLength(99);
    expect((await mint()).status).toBe(200);
    sandbox.clock.advance(3_600_000);
    expect(world.liveTokens(owner.clientId)).toHaveLength(0);
    expect((await mint()).status).toBe(200);
  });
});

describe('revoking a token', () => {
  it('answers 200 with nothing and ends the token', async () => {
    const { sandbox, owner } = createScene();
    const { token, get } = await signIn(sandbox, owner);
    expect((await get('')).status).toBe(200);
    const authorization = basic(owner.clientId, owner.secrets[0]!.value);
    const form = `token=${token}&token_type_hint=access_token`;
    const response = await sandbox.fetch(tokenRequest(authorization, form, 'revoke'));
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('');
    expect((await get('')).status).toBe(401);
  });

  it('leaves the token of another client alive, and an unknown token is no error', async () => {
    const { sandbox, world, owner, orgAccount } = createScene();
    const { token, get } = await signIn(sandbox, owner);
    const authorization = basic(orgAccount.clientId, world.addSecret(orgAccount).value);
    const revoke = (form: string): Promise<Response> => sandbox.fetch(tokenRequest(authorization, form, 'revoke'));
    expect((await revoke(`token=${token}`)).status).toBe(200);
    expect((await revoke('token=unknown')).status).toBe(200);
    expect((await get('')).status).toBe(200);
    expect((await revoke('')).status).toBe(400);
  });

  it('wants credentials', async () => {
    const { sandbox } = createScene();
    const response = await sandbox.fetch(tokenRequest(basic('a', 'b'), 'token=x', 'revoke'));
    expect(response.status).toBe(401);
  });
});

describe('using a token', () => {
  it('answers an unknown token as Atlas was recorded to', async () => {
    const { sandbox } = createScene();
    const response = await withToken(sandbox, 'unknown').get('/orgs');
    expect(response.status).toBe(401);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(response.headers.has('x-error-code')).toBe(false);
    expect(await read(response)).toEqual({
      error: 401,
      reason: 'Unauthorized',
      detail: 'You are not authorized for this resource.',
      errorCode: 'UNEXPECTED_ERROR',
    });
  });

  it('ends after an hour', async () => {
    const { sandbox, owner } = createScene();
    const { get } = await signIn(sandbox, owner);
    sandbox.clock.advance(3_599_000);
    expect((await get('')).status).toBe(200);
    sandbox.clock.advance(2_000);
    expect((await get('')).status).toBe(401);
  });

  it('ends with the secret it was minted from', async () => {
    const { sandbox, world, owner } = createScene();
    world.addSecret(owner, { expiresAt: new Date(world.now().getTime() + 60_000) });
    const { get } = await signIn(sandbox, owner);
    sandbox.clock.advance(61_000);
    expect((await get('')).status).toBe(401);
  });

  it('is refused from an address off the access list, where minting still works', async () => {
    const { sandbox, owner } = createScene();
    owner.accessList = ['203.0.113.0/24', '2001:db8::1'];
    const { get } = await signIn(sandbox, owner);
    const response = await get('');
    expect(response.status).toBe(403);
    expect(response.headers.get('x-error-code')).toBe('IP_ADDRESS_NOT_ON_WHITELIST');
    owner.accessList = ['127.0.0.0/8'];
    expect((await get('')).status).toBe(200);
    owner.accessList = ['127.0.0.1'];
    expect((await get('')).status).toBe(200);
  });
});
