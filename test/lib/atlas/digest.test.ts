import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AtlasDigestUnsupported, digestHeader, parseChallenge } from '../../../lib/atlas/digest.ts';
import { assertProperty } from '../../support/properties.ts';

const atlas = 'Digest realm="MMS Public API", domain="", nonce="n1", algorithm=MD5, qop="auth", stale=false';

const fields = (header: string): Record<string, string> =>
  Object.fromEntries(
    [...header.matchAll(/(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^,]+))/g)].map(([, name, quoted, bare]) => [
      name,
      quoted?.replaceAll(/\\(.)/g, '$1') ?? bare,
    ]),
  );

describe('a challenge', () => {
  it('is read as Atlas writes it', () => {
    expect(parseChallenge(atlas)).toEqual({
      realm: 'MMS Public API',
      nonce: 'n1',
      opaque: undefined,
      qop: 'auth',
      stale: false,
    });
  });

  it.each([
    ['upper and lower case alike', 'DIGEST Realm="r",NONCE="n1",Algorithm=md5,QOP="AUTH-INT, Auth",stale=TRUE'],
    [
      'after another scheme',
      'Basic realm="b, Digest nonce=\\"x\\"", Digest realm="r", nonce="n1", qop=auth, stale=true',
    ],
    [
      'after one this bundle has no answer to',
      'Digest realm="r", nonce="n2", algorithm=SHA-256, qop=auth, Digest realm="r", nonce="n1", qop="auth", stale="true"',
    ],
  ])('is read %s', (_, header) => {
    expect(parseChallenge(header)).toMatchObject({ realm: 'r', nonce: 'n1', qop: 'auth', stale: true });
  });

  it('is found among several headers', () => {
    expect(parseChallenge(['Bearer', atlas])).toMatchObject({ nonce: 'n1' });
  });

  it.each([undefined, '', 'Bearer', 'Basic realm="Digest"', []])('is not found in %j', (header) => {
    expect(parseChallenge(header)).toBeUndefined();
  });

  it.each([
    ['another algorithm', 'Digest realm="r", nonce="n", algorithm=SHA-256, qop="auth"'],
    ['a session of MD5', 'Digest realm="r", nonce="n", algorithm=MD5-sess, qop="auth"'],
    ['protection of the body', 'Digest realm="r", nonce="n", qop="auth-int"'],
    ['no nonce', 'Digest realm="r", qop="auth"'],
  ])('of %s is refused in so many words', (_, header) => {
    expect(() => parseChallenge(header)).toThrow(AtlasDigestUnsupported);
  });
});

describe('an answer', () => {
  it.each([
    {
      source: 'RFC 7616, 3.9.1',
      realm: 'http-auth@example.org',
      nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
      opaque: 'FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS',
      password: 'Circle of Life',
      cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
      qop: 'auth' as const,
      response: '8ca523f5e9506fed4657c9700eebdbec',
    },
    {
      source: 'RFC 2617, 3.5',
      realm: 'testrealm@host.com',
      nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
      opaque: '5ccc069c403ebaf9f0171e9517f40e41',
      password: 'Circle Of Life',
      cnonce: '0a4f113b',
      qop: 'auth' as const,
      response: '6629fae49393a05397450978507c4ef1',
    },
    {
      source: 'RFC 2069 as corrected, with those values',
      realm: 'testrealm@host.com',
      nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
      opaque: '5ccc069c403ebaf9f0171e9517f40e41',
      password: 'Circle Of Life',
      cnonce: '0a4f113b',
      qop: undefined,
      response: '670fd8c2df070c60b045671b8b24ff02',
    },
  ])('is that of $source', ({ realm, nonce, opaque, password, cnonce, qop, response }) => {
    const header = digestHeader({
      challenge: { realm, nonce, opaque, qop, stale: false },
      username: 'Mufasa',
      password,
      method: 'GET',
      uri: '/dir/index.html',
      count: 1,
      cnonce,
    });

    expect(header).toMatch(/^Digest /);
    expect(fields(header)).toEqual({
      username: 'Mufasa',
      realm,
      nonce,
      opaque,
      uri: '/dir/index.html',
      algorithm: 'MD5',
      response,
      ...(qop && { qop, nc: '00000001', cnonce }),
    });
  });

  it('quotes what needs it, and hands everything back as it came', () => {
    const text = fc.string({ unit: fc.constantFrom('"', '\\', ',', '=', ' ', 'a', 'ü') });
    assertProperty(
      fc.property(text, text, text, (realm, nonce, opaque) => {
        const quoted = (value: string) => `"${value.replaceAll(/["\\]/g, '\\$&')}"`;
        const challenge = parseChallenge(
          `Digest realm=${quoted(realm)}, nonce=${quoted(nonce)}, opaque=${quoted(opaque)}`,
        );
        expect(challenge).toMatchObject({ realm, nonce, opaque });
        const header = digestHeader({
          challenge: challenge!,
          username: 'u',
          password: 'p',
          method: 'GET',
          uri: '/',
          count: 1,
          cnonce: 'c',
        });
        expect(fields(header)).toMatchObject({ realm, nonce, opaque });
      }),
    );
  });

  it('counts in eight hexadecimal digits, and never shows the password', () => {
    const header = digestHeader({
      challenge: parseChallenge(atlas)!,
      username: 'public',
      password: 'private-key',
      method: 'GET',
      uri: '/',
      count: 43_981,
      cnonce: 'c',
    });

    expect(fields(header)).toMatchObject({ nc: '0000abcd' });
    expect(header).not.toContain('private-key');
  });
});
