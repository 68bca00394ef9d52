import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REDACTED, redact } from '../../../lib/runtime/redact.ts';
import { assertProperty } from '../../support/properties.ts';

const print = (value: unknown): string => JSON.stringify(value, redact);

describe('redaction', () => {
  it.each([
    'clientSecret',
    'client_secret',
    'SecretString',
    'password',
    'access_token',
    'Authorization',
    'privateKey',
    'apiKey',
    'secret',
    'RotationToken',
  ])('drops the value of %s whatever it is', (key) => {
    expect(print({ a: { [key]: 'plain' } })).toBe(`{"a":{"${key}":"${REDACTED}"}}`);
    expect(print({ [key]: { nested: 'plain' } })).toBe(`{"${key}":"${REDACTED}"}`);
  });

  it.each(['secretId', 'clientId', 'managedSecret', 'versionId', 'secretExpiresAfterHours'])(
    'leaves %s, which names and does not tell',
    (key) => {
      expect(print({ [key]: 'plain' })).toBe(`{"${key}":"plain"}`);
    },
  );

  it.each([
    ['an Atlas secret', 'mdb_sa_sk_AbC-_123'],
    ['a bearer token', 'Bearer abcdefghijk'],
    ['a basic header', 'Basic bWRiX3NhX2lk'],
    ['a JWT', 'eyJhbGciOi.eyJzdWIiOi.sig-_1'],
    ['credentials in a URL', 'someone:hunter22'],
  ])('takes %s out of any text around it', (_, hidden) => {
    assertProperty(
      fc.property(
        fc.constantFrom('', 'x ', '{"', 'https://h/?q=', '\n'),
        fc.constantFrom('', ' y', '"}', '\n'),
        (before, after) => {
          const text = hidden.includes('hunter')
            ? `${before}mongodb+srv://${hidden}@host${after}`
            : `${before}${hidden}${after}`;
          expect(print({ note: text })).not.toContain(hidden.replace(/^(Bearer|Basic) /, ''));
        },
      ),
    );
  });
});
