import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AtlasCredentials } from '../../../lib/atlas/authenticator.ts';
import { AtlasDigestUnsupported } from '../../../lib/atlas/digest.ts';
import {
  AtlasCredentialsRefused,
  AtlasInputInvalid,
  AtlasOutcomeUnknown,
  AtlasRejected,
  AtlasUnavailable,
} from '../../../lib/atlas/errors.ts';
import { getCloudManagerGroup } from '../../../lib/atlas/operations/cloud-manager.ts';
import { createOrgServiceAccountSecret } from '../../../lib/atlas/operations/service-accounts.ts';
import { getSystemStatus } from '../../../lib/atlas/operations/system.ts';
import { fakeAtlas } from '../../support/fake-atlas.ts';
import { assertProperty } from '../../support/properties.ts';

const keys = { publicKey: 'ABCDEFGH', privateKey: '01234567-89ab-cdef-0123-456789abcdef' };
const account = { clientId: 'mdb_sa_id_0123456789abcdef01234567', clientSecret: 'mdb_sa_sk_a_b-c' };
const root = { method: 'GET', path: '/api/atlas/v2' } as const;
const params = { orgId: 'a'.repeat(24), clientId: `mdb_sa_id_${'b'.repeat(24)}` };
const secrets = `/api/atlas/v2/orgs/${params.orgId}/serviceAccounts/${params.clientId}/secrets`;
const mint = { method: 'POST', path: secrets } as const;
const body = { secretExpiresAfterHours: 720 };
const created = {
  id: 'c'.repeat(24),
  secret: 'mdb_sa_sk_value',
  createdAt: '2030-01-01T00:00:00Z',
  expiresAt: '2030-01-31T00:00:00Z',
};
const refusal = { error: 401, reason: 'Unauthorized', errorCode: 'UNEXPECTED_ERROR', detail: 'd' };

const md5 = (text: string) => createHash('md5').update(text).digest('hex');
const field = (header: string, name: string) => new RegExp(`\\b${name}="?([^",]*)`).exec(header)?.[1] ?? '';
const challenge = (nonce: string, stale = false) => ({
  'www-authenticate': `Digest realm="MMS Public API", domain="", nonce="${nonce}", algorithm=MD5, qop="auth", stale=${stale}`,
});
const authorization = (headers: unknown): string | undefined =>
  Object.entries(headers as Record<string, string>).find(([name]) => name.toLowerCase() === 'authorization')?.[1];

interface Reply {
  readonly statusCode: number;
  readonly data: object;
  readonly responseOptions: { readonly headers: Record<string, string> };
}

/**
 * A server of HTTP Digest: takes the answers of `privateKey`, one for each count of each nonce, `uses` times a nonce,
 * and remembers whom it let in.
 */
function digestServer({ privateKey = keys.privateKey, uses = Number.POSITIVE_INFINITY } = {}) {
  const admitted: string[] = [];
  const answers: string[] = [];
  const nonces = new Map<string, number>();
  const issue = (stale: boolean): Reply => {
    const nonce = `nonce-${nonces.size + 1}`;
    nonces.set(nonce, 0);
    return { statusCode: 401, data: refusal, responseOptions: { headers: challenge(nonce, stale) } };
  };
  return {
    admitted,
    answers,
    retire: () => nonces.clear(),
    changeKey: (key: string) => {
      privateKey = key;
    },
    answer: ({ path, method, headers }: { path: string; method: string; headers?: unknown }): Reply => {
      const header = authorization(headers);
      answers.push(header === undefined ? 'none' : `${field(header, 'nonce')} ${field(header, 'nc')}`);
      if (header === undefined) return issue(false);
      const [nonce, nc, cnonce] = [field(header, 'nonce'), field(header, 'nc'), field(header, 'cnonce')];
      const used = nonces.get(nonce);
      const secret = md5(`${keys.publicKey}:MMS Public API:${privateKey}`);
      const expected = md5(`${secret}:${nonce}:${nc}:${cnonce}:auth:${md5(`${method}:${path}`)}`);
      if (field(header, 'uri') !== path || field(header, 'response') !== expected) return issue(false);
      if (used === undefined || used >= uses) return issue(true);
      nonces.set(nonce, used + 1);
      admitted.push(`${nonce} ${nc}`);
      return { statusCode: 200, data: {}, responseOptions: { headers: {} } };
    },
  };
}

const withKeys = (credentials: () => Promise<AtlasCredentials> = async () => keys) => fakeAtlas({ credentials });

describe('API keys', () => {
  it('answer a challenge, then go ahead with the next count of the same nonce', async () => {
    const { atlas, pool } = withKeys();
    const server = digestServer();
    pool.intercept(root).reply(server.answer).persist();

    await atlas.call(getSystemStatus, { params: {} });
    await atlas.call(getSystemStatus, { params: {} });

    expect(server.answers).toEqual(['none', 'nonce-1 00000001', 'nonce-1 00000002']);
  });

  it('sign the path and query exactly as they are sent', async () => {
    const { atlas, pool } = withKeys();
    const server = digestServer();
    const path = `/api/atlas/v2?name=${encodeURIComponent("a b'c*")}`;
    pool
      .intercept({ method: 'GET', path: () => true })
      .reply(server.answer)
      .persist();

    await atlas.follow(getSystemStatus, `https://elsewhere.test${path}`);

    expect(server.admitted).toEqual(['nonce-1 00000001']);
  });

  it('take a nonce that has become too old for what it is, without asking for the keys again', async () => {
    let asked = 0;
    const { atlas, pool, clock } = withKeys(async () => {
      asked++;
      return keys;
    });
    const server = digestServer();
    pool.intercept(root).reply(server.answer).persist();

    await atlas.call(getSystemStatus, { params: {} });
    server.retire();
    await atlas.call(getSystemStatus, { params: {} });

    expect(server.answers).toEqual(['none', 'nonce-1 00000001', 'nonce-1 00000002', 'nonce-1 00000001']);
    expect(asked).toBe(1);
    expect(clock.waits).toEqual([]);
  });

  it('are asked for again when they are refused, as they may have been rotated', async () => {
    const rotated = { ...keys, privateKey: 'new' };
    const pairs = [keys, rotated];
    const { atlas, pool } = withKeys(async () => pairs.shift() ?? rotated);
    const server = digestServer();
    pool.intercept(root).reply(server.answer).persist();

    await atlas.call(getSystemStatus, { params: {} });
    server.changeKey('new');
    await atlas.call(getSystemStatus, { params: {} });

    expect(server.admitted).toEqual(['nonce-1 00000001', 'nonce-2 00000001']);
  });

  it('refused twice are refused, and say nothing of their private half', async () => {
    const { atlas, pool, calls } = withKeys();
    const server = digestServer({ privateKey: 'another' });
    pool.intercept(root).reply(server.answer).persist();

    const error = await atlas.call(getSystemStatus, { params: {} }).catch((e: unknown) => e);

    expect(error).toBeInstanceOf(AtlasCredentialsRefused);
    expect(error).toMatchObject({ facts: { publicKey: keys.publicKey, status: 401 } });
    expect(String(error) + JSON.stringify(error) + (error as Error).stack).not.toContain(keys.privateKey);
    expect(calls()).toHaveLength(3);
  });

  it('are not blamed for a 401 that gives a reason of its own', async () => {
    const { atlas, pool } = withKeys();
    pool.intercept(root).reply(401, refusal, { headers: challenge('n1') });
    pool.intercept(root).reply(401, { errorCode: 'USER_CANNOT_ACCESS_GROUP' });

    const error = await atlas.call(getSystemStatus, { params: {} }).catch((e: unknown) => e);

    expect(error).toBeInstanceOf(AtlasRejected);
    expect(error).toMatchObject({ status: 401, errorCode: 'USER_CANNOT_ACCESS_GROUP' });
  });

  it('nor for nonces that are too old at once', async () => {
    const { atlas, pool, calls } = withKeys();
    const server = digestServer({ uses: 0 });
    pool.intercept(root).reply(server.answer).persist();

    await expect(atlas.call(getSystemStatus, { params: {} })).rejects.toThrow(AtlasUnavailable);
    expect(calls()).toHaveLength(3);
  });

  it.each([
    ['no Digest at all', undefined],
    ['an algorithm this bundle does not know', 'Digest realm="r", nonce="n", algorithm=SHA-256, qop="auth"'],
  ])('say so where the server asks for %s', async (_, header) => {
    const { atlas, pool } = withKeys();
    pool.intercept(root).reply(401, refusal, { headers: header === undefined ? {} : { 'www-authenticate': header } });

    await expect(atlas.call(getSystemStatus, { params: {} })).rejects.toThrow(AtlasDigestUnsupported);
  });

  it('send an unrepeatable request again after a challenge, body and all: it was not carried out', async () => {
    const { atlas, pool, calls } = withKeys();
    pool.intercept(mint).reply(401, refusal, { headers: challenge('n1') });
    pool.intercept(mint).reply(201, created);

    await expect(atlas.call(createOrgServiceAccountSecret, { params, body })).resolves.toMatchObject({
      id: created.id,
    });

    expect(calls().map((call) => call.body)).toEqual([JSON.stringify(body), JSON.stringify(body)]);
  });

  it('but not after a lost answer or a 5xx to the proof', async () => {
    const { atlas, pool, calls } = withKeys();
    pool.intercept(mint).reply(401, refusal, { headers: challenge('n1') });
    pool.intercept(mint).reply(502, {});

    await expect(atlas.call(createOrgServiceAccountSecret, { params, body })).rejects.toThrow(AtlasOutcomeUnknown);
    expect(calls()).toHaveLength(2);
  });

  it('prove themselves anew, with the next count, on every further attempt', async () => {
    const { atlas, pool, calls, clock } = withKeys();
    pool.intercept(root).reply(401, refusal, { headers: challenge('n1') });
    pool.intercept(root).reply(503, {}).times(3);
    pool.intercept(root).reply(200, {});

    await atlas.call(getSystemStatus, { params: {} });

    const proofs = calls().flatMap((call) => authorization(call.headers) ?? []);
    expect(proofs.map((proof) => Number(field(proof, 'nc')))).toEqual([1, 2, 3, 4]);
    expect(new Set(proofs.map((proof) => field(proof, 'cnonce'))).size).toBe(4);
    expect(clock.waits).toHaveLength(3);
  });

  it('reach the older APIs as well, in plain JSON', async () => {
    const { atlas, pool, calls } = withKeys();
    const server = digestServer();
    const groupId = '1'.repeat(24);
    pool
      .intercept({ method: 'GET', path: `/api/public/v1.0/groups/${groupId}` })
      .reply((request) => {
        const answer = server.answer(request);
        return answer.statusCode === 200 ? { ...answer, data: { id: groupId, name: 'p', agentApiKey: 'k' } } : answer;
      })
      .persist();

    const project = await atlas.call(getCloudManagerGroup, { params: { groupId } });

    expect(project).toEqual({ id: groupId, name: 'p' });
    expect(calls()[1]?.headers).toMatchObject({ accept: 'application/json' });
  });

  it('have no token, and nothing to revoke', async () => {
    const { atlas, calls } = withKeys();

    await expect(atlas.tokens.token()).rejects.toThrow(AtlasInputInvalid);
    await atlas.tokens.revoke();
    atlas.tokens.forget('t1');

    expect(calls()).toHaveLength(0);
  });

  it('never use a count of a nonce twice, however many calls go at once and however soon nonces are too old', async () => {
    await assertProperty(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 20 }),
        async (waves, uses) => {
          const { atlas, pool } = withKeys();
          const server = digestServer({ uses });
          pool.intercept(root).reply(server.answer).persist();

          for (const calls of waves) {
            const ends = await Promise.allSettled(
              Array.from({ length: calls }, () => atlas.call(getSystemStatus, { params: {} })),
            );
            for (const end of ends) if (end.status === 'rejected') expect(end.reason).toBeInstanceOf(AtlasUnavailable);
          }

          const proofs = server.answers.filter((answer) => answer !== 'none');
          expect(new Set(proofs).size).toBe(proofs.length);
          for (const nonce of new Set(proofs.map((proof) => proof.split(' ')[0]))) {
            const counts = proofs
              .filter((proof) => proof.startsWith(`${nonce} `))
              .map((proof) => Number.parseInt(proof.split(' ')[1]!, 16));
            expect(counts.toSorted((a, b) => a - b)).toEqual(counts.map((_, at) => at + 1));
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('all get in when there are many at once and nonces last', async () => {
    const { atlas, pool } = withKeys();
    const server = digestServer();
    pool.intercept(root).reply(server.answer).persist();

    await Promise.all(Array.from({ length: 25 }, () => atlas.call(getSystemStatus, { params: {} })));
    const before = server.answers.length;
    await Promise.all(Array.from({ length: 25 }, () => atlas.call(getSystemStatus, { params: {} })));

    expect(server.admitted).toHaveLength(50);
    // The first challenge does for all, though each got one.
    expect(new Set(server.admitted.map((proof) => proof.split(' ')[0]))).toEqual(new Set(['nonce-1']));
    expect(server.answers.length - before).toBe(25);
  });
});

describe('credentials that change kind', () => {
  it('from API keys to a service account are picked up when the keys are refused', async () => {
    const given: AtlasCredentials[] = [keys, account];
    const { atlas, pool, calls, grant } = withKeys(async () => given.shift() ?? account);
    grant('t1');
    pool.intercept(root).reply(401, refusal, { headers: challenge('n1') });
    pool.intercept(root).reply(401, refusal, { headers: challenge('n2') });
    pool.intercept(root).reply(200, {});

    await atlas.call(getSystemStatus, { params: {} });

    expect(authorization(calls().at(-1)?.headers)).toBe('Bearer t1');
    expect(await atlas.tokens.token()).toBe('t1');
  });

  it('from a service account to API keys likewise: the challenge that follows is no second refusal', async () => {
    const given: AtlasCredentials[] = [account, keys];
    const { atlas, pool, grant } = withKeys(async () => given.shift() ?? keys);
    const server = digestServer();
    grant('t1');
    pool.intercept(root).reply(401, refusal);
    pool.intercept(root).reply(server.answer).times(2);

    await atlas.call(getSystemStatus, { params: {} });

    expect(server.admitted).toEqual(['nonce-1 00000001']);
  });
});

describe('a token that was given back', () => {
  it('is not used again, nor given back again', async () => {
    const { atlas, pool, calls, grant } = fakeAtlas();
    grant('t1', 't2');
    pool.intercept({ method: 'POST', path: '/api/oauth/revoke' }).reply(200, '');

    await atlas.tokens.token();
    await atlas.tokens.revoke();
    await atlas.tokens.revoke();

    expect(await atlas.tokens.token()).toBe('t2');
    expect(calls()).toHaveLength(3);
  });
});
