import { describe, expect, it } from 'vitest';
import {
  AtlasContractBroken,
  AtlasCredentialsRefused,
  AtlasTokenLimitReached,
  AtlasUnavailable,
} from '../../../lib/atlas/errors.ts';
import { fakeAtlas } from '../../support/fake-atlas.ts';

const mint = { method: 'POST', path: '/api/oauth/token' } as const;

describe('a token', () => {
  it('is asked for with the raw pair: Atlas refuses percent-encoded credentials', async () => {
    const { atlas, calls, grant } = fakeAtlas();
    grant('t1');

    await atlas.tokens.token();

    expect(calls()[0]).toMatchObject({
      body: 'grant_type=client_credentials',
      headers: {
        authorization: `Basic ${Buffer.from('mdb_sa_id_0123456789abcdef01234567:mdb_sa_sk_a_b-c').toString('base64')}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
    });
  });

  it('is shared by everybody who asks while it is being minted, and after', async () => {
    const { atlas, calls, grant } = fakeAtlas();
    grant('t1');

    const tokens = await Promise.all([atlas.tokens.token(), atlas.tokens.token(), atlas.tokens.token()]);

    expect([...tokens, await atlas.tokens.token()]).toEqual(['t1', 't1', 't1', 't1']);
    expect(calls()).toHaveLength(1);
  });

  it('is replaced a minute before it ends', async () => {
    const { atlas, clock, grant } = fakeAtlas();
    grant('t1', 't2');

    await atlas.tokens.token();
    clock.advance(3_539_000);
    expect(await atlas.tokens.token()).toBe('t1');
    clock.advance(1_000);
    expect(await atlas.tokens.token()).toBe('t2');
  });

  it('is minted with the credentials of that moment', async () => {
    let clientSecret = 'old';
    const { atlas, calls, grant } = fakeAtlas({ credentials: async () => ({ clientId: 'id', clientSecret }) });
    grant('t1', 't2');

    atlas.tokens.forget(await atlas.tokens.token());
    clientSecret = 'new';
    await atlas.tokens.token();

    expect(calls()[1]?.headers).toMatchObject({
      authorization: `Basic ${Buffer.from('id:new').toString('base64')}`,
    });
  });

  it('is forgotten only by its own name: one that was replaced meanwhile stays', async () => {
    const { atlas, grant } = fakeAtlas();
    grant('t1');

    await atlas.tokens.token();
    atlas.tokens.forget('some older one');

    expect(await atlas.tokens.token()).toBe('t1');
  });

  it('is given back by revoking, once', async () => {
    const { atlas, pool, calls, grant } = fakeAtlas();
    grant('t1');
    pool.intercept({ method: 'POST', path: '/api/oauth/revoke' }).reply(200, '');

    await atlas.tokens.token();
    await atlas.tokens.revoke();
    await atlas.tokens.revoke();

    expect(calls()[1]?.body).toBe('token=t1&token_type_hint=access_token');
  });
});

describe('a mint that fails', () => {
  it.each([
    ['401 invalid_client', 401, { error: 'invalid_client' }, AtlasCredentialsRefused],
    [
      '403 access_denied is too many tokens, not a bad credential',
      403,
      { error: 'access_denied' },
      AtlasTokenLimitReached,
    ],
    ['2xx without a token', 200, { token: 'x' }, AtlasContractBroken],
  ])('%s', async (_, status, answer, expected) => {
    const { atlas, pool, clock } = fakeAtlas();
    pool.intercept(mint).reply(status, answer);

    await expect(atlas.tokens.token()).rejects.toThrow(expected);
    expect(clock.waits).toEqual([]);
  });

  it('waits as long as it is told when there were too many', async () => {
    const { atlas, pool, clock, grant } = fakeAtlas();
    pool.intercept(mint).reply(429, { error: 429, errorCode: 'RATE_LIMITED' }, { headers: { 'retry-after': '12' } });
    grant('t1');

    expect(await atlas.tokens.token()).toBe('t1');
    expect(clock.waits).toEqual([12_000]);
  });

  it('tries a few times when the endpoint fails or is out of reach, then says so', async () => {
    const { atlas, pool } = fakeAtlas();
    pool.intercept(mint).reply(500, {}).times(3);
    pool.intercept(mint).replyWithError(new Error('socket'));

    await expect(atlas.tokens.token()).rejects.toThrow(AtlasUnavailable);
  });

  it('is forgotten: the next one who asks gets a new try', async () => {
    const { atlas, pool, grant } = fakeAtlas();
    pool.intercept(mint).reply(401, { error: 'invalid_client' });
    grant('t1');

    await expect(atlas.tokens.token()).rejects.toThrow(AtlasCredentialsRefused);
    expect(await atlas.tokens.token()).toBe('t1');
  });

  it('says nothing of the secret it was tried with', async () => {
    const { atlas, pool } = fakeAtlas();
    pool.intercept(mint).reply(401, { error: 'invalid_client', error_description: 'mdb_sa_sk_a_b-c is wrong' });

    const error = await atlas.tokens.token().catch((e: unknown) => e);

    expect(String(error) + JSON.stringify(error) + (error as Error).stack).not.toContain('mdb_sa_sk');
  });
});
