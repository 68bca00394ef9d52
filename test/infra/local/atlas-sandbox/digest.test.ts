import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { AtlasSandbox } from '../../../../infra/local/atlas-sandbox/sandbox.ts';
import type { ApiKey } from '../../../../infra/local/atlas-sandbox/state/api-keys.ts';
import { createScene, failure, ORIGIN, read, signIn, VERSIONED } from './client.ts';

const CHALLENGE =
  /^Digest realm="MMS Public API", domain="", nonce="([^"]+)", algorithm=MD5, qop="auth", stale=(true|false)$/;
const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

interface Proof {
  readonly nonce: string;
  readonly uri: string;
  readonly method?: string;
  readonly nc?: string;
  readonly realm?: string;
  readonly qop?: string;
}

/** RFC 7616, computed here on its own. */
function proof({ publicKey, privateKey }: Pick<ApiKey, 'publicKey' | 'privateKey'>, claim: Proof): string {
  const { nonce, uri, method = 'GET', nc = '00000001', realm = 'MMS Public API', qop = 'auth' } = claim;
  const ha1 = md5(`${publicKey}:${realm}:${privateKey}`);
  const ha2 = md5(`${method}:${uri}`);
  const response = md5(`${ha1}:${nonce}:${nc}:f00d:${qop}:${ha2}`);
  const quoted = { username: publicKey, realm, nonce, uri, cnonce: 'f00d', response };
  const fields = Object.entries(quoted).map(([name, value]) => `${name}="${value}"`);
  return `Digest ${[...fields, 'algorithm=MD5', `qop=${qop}`, `nc=${nc}`].join(', ')}`;
}

function ask(sandbox: AtlasSandbox, uri: string, authorization?: string, method = 'GET'): Promise<Response> {
  const headers = { accept: VERSIONED, ...(authorization !== undefined && { authorization }) };
  return sandbox.fetch(new Request(ORIGIN + uri, { method, headers }));
}

async function challenged(sandbox: AtlasSandbox, uri: string): Promise<string> {
  const challenge = (await ask(sandbox, uri)).headers.get('www-authenticate') ?? '';
  return CHALLENGE.exec(challenge)![1]!;
}

function keyScene() {
  const scene = createScene();
  const key = scene.world.addApiKey(scene.org, { roles: ['ORG_OWNER'] });
  return { ...scene, key, uri: '/api/atlas/v2/orgs' };
}

describe('a call without credentials', () => {
  it('is challenged in the words that were recorded', async () => {
    const { sandbox, uri } = keyScene();
    const response = await ask(sandbox, uri);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toMatch(CHALLENGE);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await read(response)).toEqual({
      error: 401,
      reason: 'Unauthorized',
      detail: 'You are not authorized for this resource.',
      errorCode: 'UNEXPECTED_ERROR',
    });
  });

  it('gets another nonce every time', async () => {
    const { sandbox, uri } = keyScene();
    expect(await challenged(sandbox, uri)).not.toBe(await challenged(sandbox, uri));
  });
});

describe('a call with a digest', () => {
  it.each(['/api/atlas/v2/orgs', '/api/atlas/v2/groups?itemsPerPage=1&pageNum=1', '/api/public/v1.0/groups'])(
    'is let in at %s',
    async (uri) => {
      const { sandbox, key } = keyScene();
      const nonce = await challenged(sandbox, uri);
      expect((await ask(sandbox, uri, proof(key, { nonce, uri }))).status).toBe(200);
    },
  );

  it('is let in at v1.0', async () => {
    const { sandbox, key, project } = keyScene();
    const uri = `/api/atlas/v1.0/groups/${project.id}/peers`;
    const nonce = await challenged(sandbox, uri);
    expect((await ask(sandbox, uri, proof(key, { nonce, uri }))).status).toBe(200);
  });

  it('may use a nonce again with the next count', async () => {
    const { sandbox, key, uri } = keyScene();
    const nonce = await challenged(sandbox, uri);
    for (const nc of ['00000001', '00000002', '0000000a']) {
      expect((await ask(sandbox, uri, proof(key, { nonce, uri, nc }))).status).toBe(200);
    }
  });

  it('is refused when it is sent a second time', async () => {
    const { sandbox, key, uri } = keyScene();
    const authorization = proof(key, { nonce: await challenged(sandbox, uri), uri });
    expect((await ask(sandbox, uri, authorization)).status).toBe(200);
    const replayed = await ask(sandbox, uri, authorization);
    expect(replayed.status).toBe(401);
    expect(replayed.headers.get('www-authenticate')).toContain('stale=false');
  });

  it('is told that its nonce is stale once that has expired by the clock of the sandbox', async () => {
    const { sandbox, key, uri } = keyScene();
    const nonce = await challenged(sandbox, uri);
    sandbox.clock.advance(10 * 60_000);
    const response = await ask(sandbox, uri, proof(key, { nonce, uri }));
    expect(response.status).toBe(401);
    const [, fresh, stale] = CHALLENGE.exec(response.headers.get('www-authenticate') ?? '')!;
    expect(stale).toBe('true');
    expect((await ask(sandbox, uri, proof(key, { nonce: fresh!, uri }))).status).toBe(200);
  });

  it.each<[string, (key: ApiKey) => Pick<ApiKey, 'publicKey' | 'privateKey'>, Partial<Proof>]>([
    ['another private key', ({ publicKey }) => ({ publicKey, privateKey: 'wrong' }), {}],
    ['an unknown public key', ({ privateKey }) => ({ publicKey: 'nobodyxx', privateKey }), {}],
    ['another realm', (key) => key, { realm: 'elsewhere' }],
    ['another method', (key) => key, { method: 'DELETE' }],
    ['another path', (key) => key, { uri: '/api/atlas/v2/groups' }],
    ['another protection', (key) => key, { qop: 'auth-int' }],
    ['a count that is none', (key) => key, { nc: '1' }],
  ])('is refused for %s', async (_, holder, change) => {
    const { sandbox, key, uri } = keyScene();
    const nonce = await challenged(sandbox, uri);
    const response = await ask(sandbox, uri, proof(holder(key), { nonce, uri, ...change }));
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('stale=false');
  });

  it('is signed over the query too', async () => {
    const { sandbox, key, uri } = keyScene();
    const nonce = await challenged(sandbox, uri);
    expect((await ask(sandbox, `${uri}?name=x`, proof(key, { nonce, uri }))).status).toBe(401);
  });
});

describe('an API key', () => {
  it('has the form Atlas gives it', () => {
    const { key } = keyScene();
    expect(key.publicKey).toMatch(/^[a-z]{8}$/);
    expect(key.privateKey).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  });

  it.each([
    ['203.0.113.1', 403],
    ['127.0.0.0/8', 200],
  ])('with %s on its access list is answered %d', async (address, status) => {
    const { sandbox, world, org, uri } = keyScene();
    const key = world.addApiKey(org, { roles: ['ORG_MEMBER'], accessList: [address] });
    const nonce = await challenged(sandbox, uri);
    const response = await ask(sandbox, uri, proof(key, { nonce, uri }));
    expect(response.status).toBe(status);
    if (status === 403) expect(await failure(response)).toMatchObject({ errorCode: 'IP_ADDRESS_NOT_ON_WHITELIST' });
  });

  it('is refused in a project of another organization with 401', async () => {
    const { sandbox, world, project } = keyScene();
    const key = world.addApiKey(world.addOrg({ name: 'elsewhere' }), { roles: ['ORG_OWNER'] });
    const uri = `/api/atlas/v2/groups/${project.id}`;
    const nonce = await challenged(sandbox, uri);
    const response = await ask(sandbox, uri, proof(key, { nonce, uri }));
    expect(await failure(response)).toEqual({ status: 401, errorCode: 'USER_CANNOT_ACCESS_GROUP' });
  });

  it('can do in a project what its roles there allow', async () => {
    const { sandbox, world, org, project } = keyScene();
    const key = world.addApiKey(org, { roles: ['ORG_MEMBER'] });
    world.assign(key, project, ['GROUP_READ_ONLY']);
    const uri = `/api/atlas/v2/groups/${project.id}/peers/${'0'.repeat(24)}`;
    const nonce = await challenged(sandbox, uri);
    expect((await ask(sandbox, uri, proof(key, { nonce, uri }))).status).toBe(404);
    const claim = { nonce, uri, method: 'DELETE', nc: '00000002' };
    const refused = await ask(sandbox, uri, proof(key, claim), 'DELETE');
    expect(await failure(refused)).toEqual({ status: 401, errorCode: 'USER_UNAUTHORIZED' });
  });

  it('shows its access list to members of the organization', async () => {
    const { sandbox, world, org, orgAccount } = keyScene();
    const key = world.addApiKey(org, { roles: ['ORG_MEMBER'], accessList: ['192.0.2.7', '198.51.100.0/24'] });
    const { get } = await signIn(sandbox, orgAccount);
    const { results } = await read(await get(`/orgs/${org.id}/apiKeys/${key.id}/accessList`));
    expect(results).toMatchObject([
      { cidrBlock: '192.0.2.7/32', ipAddress: '192.0.2.7', count: 0 },
      { cidrBlock: '198.51.100.0/24', count: 0 },
    ]);
    expect(results[1]).not.toHaveProperty('ipAddress');
  });

  it('is what the root of the API says the caller used', async () => {
    const { sandbox, org, key } = keyScene();
    const uri = '/api/atlas/v2';
    const body = await read(await ask(sandbox, uri, proof(key, { nonce: await challenged(sandbox, uri), uri })));
    const roles = [{ orgId: org.id, roleName: 'ORG_OWNER' }];
    expect(body.apiKey).toEqual({ accessList: [], id: key.id, publicKey: key.publicKey, roles });
  });

  it('that is unknown is answered with 400', async () => {
    const { sandbox, org, owner } = keyScene();
    const { get } = await signIn(sandbox, owner);
    const response = await get(`/orgs/${org.id}/apiKeys/${'0'.repeat(24)}/accessList`);
    expect(await failure(response)).toEqual({ status: 400, errorCode: 'API_KEY_NOT_FOUND' });
  });
});

describe('a bearer token that is worth nothing', () => {
  it('is not answered with a challenge', async () => {
    const { sandbox, uri } = keyScene();
    const response = await ask(sandbox, uri, 'Bearer unknown');
    expect(response.status).toBe(401);
    expect(response.headers.has('www-authenticate')).toBe(false);
  });
});
