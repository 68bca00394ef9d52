import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  AtlasContractBroken,
  AtlasInputInvalid,
  AtlasOutcomeUnknown,
  AtlasRejected,
  AtlasUnavailable,
} from '../../../lib/atlas/errors.ts';
import {
  createOrgServiceAccountSecret,
  deleteOrgServiceAccountSecret,
  getOrgServiceAccount,
  updateOrgServiceAccount,
} from '../../../lib/atlas/operations/service-accounts.ts';
import { getSystemStatus } from '../../../lib/atlas/operations/system.ts';
import type { AutomationError } from '../../../lib/errors.ts';
import { deadlineIn } from '../../../lib/runtime/deadline.ts';
import { fakeAtlas } from '../../support/fake-atlas.ts';

const params = { orgId: 'a'.repeat(24), clientId: `mdb_sa_id_${'b'.repeat(24)}` };
const account = `/api/atlas/v2/orgs/${params.orgId}/serviceAccounts/${params.clientId}`;
const secrets = `${account}/secrets`;
const body = { secretExpiresAfterHours: 720 };
const created = {
  id: 'c'.repeat(24),
  secret: 'mdb_sa_sk_value',
  createdAt: '2030-01-01T00:00:00Z',
  expiresAt: '2030-01-31T00:00:00Z',
};
const mint = { method: 'POST', path: secrets } as const;
const read = { method: 'GET', path: account } as const;

const failureOf = (promise: Promise<unknown>): Promise<AutomationError> =>
  promise.then(
    () => expect.fail('it succeeded'),
    (e: unknown) => e as AutomationError,
  );

describe('a call', () => {
  it('sends the version of the operation as media type and a bearer token, and gives dates as dates', async () => {
    const { atlas, pool, calls, grant } = fakeAtlas();
    grant('t1');
    pool.intercept(mint).reply(201, created);

    const secret = await atlas.call(createOrgServiceAccountSecret, { params, body });

    expect(secret.expiresAt).toEqual(new Date('2030-01-31T00:00:00Z'));
    expect(calls()[1]).toMatchObject({
      body: JSON.stringify(body),
      headers: {
        accept: 'application/vnd.atlas.2024-08-05+json',
        'content-type': 'application/vnd.atlas.2024-08-05+json',
        authorization: 'Bearer t1',
      },
    });
  });

  it('takes any 2xx for success, with or without a body', async () => {
    const { atlas, pool, grant } = fakeAtlas();
    grant('t1');
    pool.intercept({ method: 'DELETE', path: `${secrets}/${created.id}` }).reply(202, '');

    await expect(
      atlas.call(deleteOrgServiceAccountSecret, { params: { ...params, secretId: created.id } }),
    ).resolves.toBeUndefined();
  });

  it('answers with the instant on Atlas’s clock', async () => {
    const { atlas, pool, grant } = fakeAtlas();
    grant('t1');
    pool
      .intercept({ method: 'GET', path: '/api/atlas/v2' })
      .reply(200, {}, { headers: { date: 'Wed, 02 Jan 2030 03:04:05 GMT' } });

    expect((await atlas.callDated(getSystemStatus, { params: {} })).at).toEqual(new Date('2030-01-02T03:04:05Z'));
  });

  it('sends nothing, and names every bad field at once, when the input does not fit', async () => {
    const { atlas, calls } = fakeAtlas();

    const error = await failureOf(
      atlas.call(createOrgServiceAccountSecret, {
        params: { orgId: 'nope', clientId: '../..' },
        body: { secretExpiresAfterHours: 7 },
      }),
    );

    expect(error).toBeInstanceOf(AtlasInputInvalid);
    expect((error.facts['problems'] as { path: string }[]).map((p) => p.path)).toEqual([
      'params.orgId',
      'params.clientId',
      'body.secretExpiresAfterHours',
    ]);
    expect(calls()).toHaveLength(0);
  });

  it('names the field Atlas got wrong, never its value', async () => {
    const { atlas, pool, grant } = fakeAtlas();
    grant('t1');
    pool.intercept(read).reply(200, { clientId: params.clientId, secrets: [{ ...created, expiresAt: 'soon' }] });

    const error = await failureOf(atlas.call(getOrgServiceAccount, { params }));

    expect(error).toBeInstanceOf(AtlasContractBroken);
    expect(error.facts).toEqual({ operation: 'getOrgServiceAccount', fields: ['secrets.0.expiresAt'] });
    expect(JSON.stringify(error) + String(error)).not.toMatch(/soon|mdb_sa_sk/);
  });

  it('does not know what happened when the answer to something unrepeatable can’t be read', async () => {
    const { atlas, pool, grant } = fakeAtlas();
    grant('t1');
    pool.intercept(mint).reply(201, '<html>');

    await expect(atlas.call(createOrgServiceAccountSecret, { params, body })).rejects.toThrow(AtlasOutcomeUnknown);
  });

  it('is typed by its operation', () => {
    const { atlas } = fakeAtlas();
    // Each line would send something Atlas can't take, so none may compile; none is run.
    () => {
      // @ts-expect-error a placeholder is missing
      atlas.call(createOrgServiceAccountSecret, { params: { orgId: params.orgId }, body });
      // @ts-expect-error the body is missing
      atlas.call(createOrgServiceAccountSecret, { params });
      // @ts-expect-error the body is of another operation
      atlas.call(createOrgServiceAccountSecret, { params, body: { name: 'x' } });
      expectTypeOf(atlas.call(createOrgServiceAccountSecret, { params, body }))
        .resolves.toHaveProperty('secret')
        .toEqualTypeOf<string>();
    };
  });
});

describe('a refusal', () => {
  it.each([400, 403, 404, 409, 410])('%i is final, and says Atlas’s own code', async (status) => {
    const { atlas, pool, clock, grant } = fakeAtlas();
    grant('t1');
    pool
      .intercept(read)
      .reply(status, { error: status, errorCode: 'SOME_CODE', detail: 'd', parameters: null, reason: 'r' });

    const error = await failureOf(atlas.call(getOrgServiceAccount, { params }));

    expect(error).toBeInstanceOf(AtlasRejected);
    expect(error).toMatchObject({ status, errorCode: 'SOME_CODE', disposition: 'give-up' });
    expect(clock.waits).toEqual([]);
  });

  it('takes the code from the header where the body has none', async () => {
    const { atlas, pool, grant } = fakeAtlas();
    grant('t1');
    pool.intercept(read).reply(404, 'gone', { headers: { 'x-error-code': 'FROM_HEADER' } });

    expect(await failureOf(atlas.call(getOrgServiceAccount, { params }))).toMatchObject({ errorCode: 'FROM_HEADER' });
  });
});

describe('what may be repeated', () => {
  const server = [500, 502, 503, 504];

  it.each(server)('a safe operation goes again after %i, with our own growing pauses', async (status) => {
    const { atlas, pool, clock, grant } = fakeAtlas();
    grant('t1');
    pool.intercept(read).reply(status, {}).times(2);
    pool.intercept(read).reply(200, { clientId: params.clientId });

    await atlas.call(getOrgServiceAccount, { params });

    expect(clock.waits).toEqual([250, 500]);
  });

  it.each(server)('an unrepeatable one does not after %i: it may have been carried out', async (status) => {
    const { atlas, pool, calls, grant } = fakeAtlas();
    grant('t1');
    pool.intercept(mint).reply(status, {});

    await expect(atlas.call(createOrgServiceAccountSecret, { params, body })).rejects.toThrow(AtlasOutcomeUnknown);
    expect(calls()).toHaveLength(2);
  });

  it('nor after a lost answer', async () => {
    const { atlas, pool, calls, grant } = fakeAtlas();
    grant('t1');
    pool.intercept(mint).replyWithError(Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' }));

    await expect(atlas.call(createOrgServiceAccountSecret, { params, body })).rejects.toThrow(AtlasOutcomeUnknown);
    expect(calls()).toHaveLength(2);
  });

  it('but does when the connection was never made', async () => {
    const { atlas, pool, grant } = fakeAtlas();
    grant('t1');
    pool.intercept(mint).replyWithError(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }));
    pool.intercept(mint).reply(201, created);

    await expect(atlas.call(createOrgServiceAccountSecret, { params, body })).resolves.toMatchObject({
      id: created.id,
    });
  });

  it.each([
    [429, 'RATE_LIMITED_TOKEN_BUCKET'],
    [405, 'WRITES_NOT_ALLOWED_DURING_APP_UPGRADES'],
  ])('even an unrepeatable one goes again after %i %s, which was not carried out', async (status, errorCode) => {
    const { atlas, pool, grant } = fakeAtlas();
    grant('t1');
    pool.intercept(mint).reply(status, { errorCode });
    pool.intercept(mint).reply(201, created);

    await expect(atlas.call(createOrgServiceAccountSecret, { params, body })).resolves.toMatchObject({
      id: created.id,
    });
  });

  it('ends after the attempts it is given, and says how the last one went', async () => {
    const { atlas, pool, clock, grant } = fakeAtlas();
    grant('t1');
    pool.intercept(read).reply(503, {}).times(4);

    const error = await failureOf(atlas.call(getOrgServiceAccount, { params }));

    expect(error).toBeInstanceOf(AtlasUnavailable);
    expect(error).toMatchObject({
      disposition: 'retry',
      facts: { operation: 'getOrgServiceAccount', attempt: 4, status: 503 },
    });
    expect(clock.waits).toEqual([250, 500, 1_000]);
  });
});

describe('Retry-After', () => {
  it.each([
    ['in seconds', '7', 7_000],
    ['as a date', 'Tue, 01 Jan 2030 00:00:30 GMT', 30_000],
    ['longer than any pause of our own', '120', 120_000],
  ])('%s is obeyed to the millisecond', async (_, header, expected) => {
    const { atlas, pool, clock, grant } = fakeAtlas({ random: () => 0.3 });
    grant('t1');
    pool.intercept(read).reply(429, {}, { headers: { 'retry-after': header } });
    pool.intercept(read).reply(200, { clientId: params.clientId });

    await atlas.call(getOrgServiceAccount, { params });

    expect(clock.waits).toEqual([expected]);
  });

  it('is not waited for when the deadline comes first', async () => {
    const { atlas, pool, clock, grant } = fakeAtlas();
    grant('t1');
    pool.intercept(read).reply(429, { errorCode: 'RATE_LIMITED' }, { headers: { 'retry-after': '30' } });

    const error = await failureOf(atlas.call(getOrgServiceAccount, { params }, deadlineIn(20_000, clock)));

    expect(error).toMatchObject({ code: 'ATLAS_UNAVAILABLE', facts: { status: 429, errorCode: 'RATE_LIMITED' } });
    expect(clock.waits).toEqual([]);
  });

  it.each([
    ['nonsense', 'soon'],
    ['zero', '0'],
    ['a date gone by', 'Mon, 31 Dec 2029 00:00:00 GMT'],
  ])('when it is %s, leaves our own pause, which alone is jittered', async (_, header) => {
    const { atlas, pool, clock, grant } = fakeAtlas({ random: () => 0 });
    grant('t1');
    pool.intercept(read).reply(429, {}, { headers: { 'retry-after': header } });
    pool.intercept(read).reply(200, { clientId: params.clientId });

    await atlas.call(getOrgServiceAccount, { params });

    expect(clock.waits).toEqual([125]);
  });
});

describe('a 401', () => {
  it('is answered with one new token, even for an unrepeatable operation', async () => {
    const { atlas, pool, calls, grant } = fakeAtlas();
    grant('old', 'new');
    pool.intercept(mint).reply(401, {});
    pool.intercept(mint).reply(201, created);

    await atlas.call(createOrgServiceAccountSecret, { params, body });

    expect(
      calls()
        .map((c) => (c.headers as Record<string, string>)['authorization'])
        .filter((h) => h?.startsWith('Bearer')),
    ).toEqual(['Bearer old', 'Bearer new']);
  });

  it('is final the second time', async () => {
    const { atlas, pool, grant } = fakeAtlas();
    grant('t1', 't2');
    pool.intercept(read).reply(401, { errorCode: 'UNEXPECTED_ERROR' }).times(2);

    expect(await failureOf(atlas.call(getOrgServiceAccount, { params }))).toMatchObject({
      status: 401,
      errorCode: 'UNEXPECTED_ERROR',
    });
  });

  it.each(['USER_UNAUTHORIZED', 'USER_CANNOT_ACCESS_GROUP', 'NOT_IN_GROUP', 'NOT_ORG_OWNER'])(
    'that says %s is final at once, and costs no token: it knows who asks',
    async (errorCode) => {
      const { atlas, pool, grant } = fakeAtlas();
      grant('t1');
      pool.intercept(read).reply(401, { errorCode });

      expect(await failureOf(atlas.call(getOrgServiceAccount, { params }))).toMatchObject({ status: 401, errorCode });
      expect(await atlas.tokens.token()).toBe('t1');
    },
  );

  it('that will not go away uses up one token a minute at the most', async () => {
    const { atlas, pool, clock, grant } = fakeAtlas();
    grant('t1', 't2', 't3');
    pool.intercept(read).reply(401, {}).times(10);

    for (let call = 0; call < 5; call++) {
      if (call === 4) clock.advance(60_000);
      await failureOf(atlas.call(getOrgServiceAccount, { params }));
    }
  });
});

describe('after a lost answer', () => {
  const gone = { method: 'DELETE', path: `${secrets}/${created.id}` } as const;
  const lost = () => Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' });

  it('a deletion that finds nothing has done its work', async () => {
    const { atlas, pool, grant } = fakeAtlas();
    grant('t1');
    pool.intercept(gone).replyWithError(lost());
    pool.intercept(gone).reply(404, { errorCode: 'RESOURCE_NOT_FOUND' });

    await expect(
      atlas.call(deleteOrgServiceAccountSecret, { params: { ...params, secretId: created.id } }),
    ).resolves.toBeUndefined();
  });

  it('a refusal says nothing of whether the first request was carried out', async () => {
    const { atlas, pool, grant } = fakeAtlas();
    grant('t1');
    pool.intercept({ method: 'PATCH', path: account }).reply(502, {});
    pool.intercept({ method: 'PATCH', path: account }).reply(409, { errorCode: 'CONFLICT' });

    const error = await failureOf(atlas.call(updateOrgServiceAccount, { params, body: { name: 'n' } }));

    expect(error).toBeInstanceOf(AtlasOutcomeUnknown);
    expect(error.facts).toMatchObject({ status: 409, errorCode: 'CONFLICT' });
  });

  it('a read is refused like any other', async () => {
    const { atlas, pool, grant } = fakeAtlas();
    grant('t1');
    pool.intercept(read).replyWithError(lost());
    pool.intercept(read).reply(404, {});

    expect(await failureOf(atlas.call(getOrgServiceAccount, { params }))).toBeInstanceOf(AtlasRejected);
  });
});

describe('a deadline', () => {
  it('that has passed lets nothing be sent, so nothing is unknown', async () => {
    const { atlas, calls, clock } = fakeAtlas();
    const passed = { ...deadlineIn(60_000, clock), signal: AbortSignal.abort() };

    const error = await failureOf(atlas.call(createOrgServiceAccountSecret, { params, body }, passed));

    expect(error).toBeInstanceOf(AtlasUnavailable);
    expect(calls()).toHaveLength(0);
  });

  it('of one caller does not end the mint that another waits for', async () => {
    const { atlas, pool, clock } = fakeAtlas();
    pool
      .intercept({ method: 'POST', path: '/api/oauth/token' })
      .reply(200, { access_token: 't1', expires_in: 3600 })
      .delay(100);
    const first = new AbortController();
    const hurried = atlas.tokens.token({ signal: first.signal, remainingMs: () => 10 });
    const patient = atlas.tokens.token(deadlineIn(60_000, clock));
    first.abort();

    await expect(hurried).rejects.toThrow(AtlasUnavailable);
    expect(await patient).toBe('t1');
  });
});

describe('a link', () => {
  it.each([
    'x:@127.0.0.1:9/steal',
    'x:.evil.test/',
    'javascript:alert(1)',
    'https://cloud.mongodb.com/elsewhere',
    '//',
  ])('%s is not followed: it would send the token elsewhere', async (href) => {
    const { atlas, calls } = fakeAtlas();
    await expect(atlas.follow(getOrgServiceAccount, href)).rejects.toThrow(AtlasContractBroken);
    expect(calls()).toHaveLength(0);
  });
});
