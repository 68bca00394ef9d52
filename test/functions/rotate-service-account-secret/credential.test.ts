import { describe, expect, it } from 'vitest';
import {
  parseAccountCredentials,
  parseCredential,
  requireSameAccount,
  withSecret,
} from '../../../functions/rotate-service-account-secret/credential.ts';
import type { RotationStopped } from '../../../functions/rotate-service-account-secret/errors.ts';

const value = { clientId: `mdb_sa_id_${'b'.repeat(24)}`, clientSecret: 'mdb_sa_sk_hush', orgId: 'a'.repeat(24) };
const stoppedBy = (act: () => unknown): RotationStopped => {
  try {
    act();
  } catch (error) {
    return error as RotationStopped;
  }
  return expect.fail('it went through');
};

describe('a stored value', () => {
  it('may be AWS’s own shape, with nothing else', () => {
    expect(parseCredential(JSON.stringify(value), 'AWSCURRENT')).toEqual(value);
  });

  it('keeps what it does not know, for its consumers', () => {
    const next = JSON.parse(
      withSecret(parseCredential(JSON.stringify({ ...value, base_url: 'x' }), 'AWSCURRENT'), {
        id: 'c'.repeat(24),
        secret: 'mdb_sa_sk_new',
        createdAt: new Date('2030-01-01T00:00:00Z'),
        expiresAt: new Date('2030-02-01T00:00:00Z'),
      }),
    );
    expect(next).toEqual({
      ...value,
      base_url: 'x',
      clientSecret: 'mdb_sa_sk_new',
      secretId: 'c'.repeat(24),
      createdAt: '2030-01-01T00:00:00.000Z',
      expiresAt: '2030-02-01T00:00:00.000Z',
    });
  });

  it.each([
    ['is not JSON', 'mdb_sa_sk_hush', ['(the whole)']],
    ['is no object', '"mdb_sa_sk_hush"', ['(the whole)']],
    ['lacks everything', '{}', ['clientId', 'clientSecret']],
    ['has a client id of another kind', JSON.stringify({ ...value, clientId: 'mdb_sa_sk_hush' }), ['clientId']],
    ['has neither scope', JSON.stringify({ ...value, orgId: undefined }), ['(the whole)']],
    ['has both scopes', JSON.stringify({ ...value, groupId: 'a'.repeat(24) }), ['(the whole)']],
    [
      'has a lifetime Atlas refuses',
      JSON.stringify({ ...value, secretExpiresAfterHours: 7 }),
      ['secretExpiresAfterHours'],
    ],
  ])('that %s is refused by field, without a word of what is in it', (_, text, fields) => {
    const error = stoppedBy(() => parseCredential(text, 'AWSCURRENT'));
    expect(error.code).toBe('ROTATION_VALUE_NOT_OURS');
    expect((error.facts['problems'] as { path: string }[]).map((p) => p.path)).toEqual(fields);
    expect(String(error) + JSON.stringify(error) + error.stack + String(error.cause)).not.toContain('hush');
  });

  it.each(['clientId', 'orgId'] as const)('that differs from the current one in %s is refused', (field) => {
    const other = { ...value, [field]: value[field].replace(/.$/, 'c') };
    expect(stoppedBy(() => requireSameAccount(value, other, 'AWSPENDING'))).toMatchObject({
      code: 'ROTATION_ACCOUNT_DIFFERS',
      facts: { fields: [field] },
    });
  });
});

describe('an administrator’s value', () => {
  it('needs the two halves of the credentials and nothing more', () => {
    expect(
      parseAccountCredentials(JSON.stringify({ clientId: value.clientId, clientSecret: 's', x: 1 }), 'admin'),
    ).toEqual({ clientId: value.clientId, clientSecret: 's' });
  });

  it('is refused like any other', () => {
    expect(
      stoppedBy(() => parseAccountCredentials('{"publicKey":"p","privateKey":"hush"}', 'admin')).message,
    ).not.toContain('hush');
    expect(stoppedBy(() => parseAccountCredentials(undefined, 'admin')).code).toBe('ROTATION_VALUE_NOT_OURS');
  });
});
