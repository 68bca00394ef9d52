import { createHash } from 'node:crypto';
import type { Clock } from '../../../lib/runtime/clock.ts';
import type { Generator } from './generator.ts';
import type { Received } from './received.ts';
import type { ApiKey } from './state/api-keys.ts';
import type { World } from './world.ts';

const REALM = 'MMS Public API';
const NONCE_LIFETIME_MS = 5 * 60_000;

interface Nonce {
  readonly issuedAt: number;
  /** The counts it was used with: each is good for one request. */
  readonly counts: Set<number>;
}

/** HTTP Digest as Atlas does it (RFC 7616 with MD5 and `qop=auth`). */
export interface Digest {
  /** The key whose holder made this request, once. */
  authenticate(method: string, received: Received): ApiKey | undefined;
  /** The header that invites a caller to prove itself; none for one who came with a bearer token. */
  challenge(method: string, received: Received): Record<string, string>;
}

export function createDigest(world: World, clock: Clock, generator: Generator): Digest {
  const nonces = new Map<string, Nonce>();
  const live = (value: string): Nonce | undefined => {
    const nonce = nonces.get(value);
    return nonce && clock.now().getTime() - nonce.issuedAt < NONCE_LIFETIME_MS ? nonce : undefined;
  };
  const issue = (): string => {
    for (const value of nonces.keys()) if (!live(value)) nonces.delete(value);
    const value = generator.token(43);
    nonces.set(value, { issuedAt: clock.now().getTime(), counts: new Set() });
    return value;
  };
  /** The key whose private half the request was computed with, whatever its nonce is worth. */
  const provenKey = (method: string, { headers, url }: Received): { key: ApiKey; claim: Claim } | undefined => {
    const claim = claimOf(headers);
    const key = claim && world.apiKeys.byPublicKey(claim.username);
    if (!key || claim.realm !== REALM || claim.uri !== url.pathname + url.search) return undefined;
    const secret = md5(`${claim.username}:${REALM}:${key.privateKey}`);
    const request = md5(`${method}:${claim.uri}`);
    const expected = md5(`${secret}:${claim.nonce}:${claim.nc}:${claim.cnonce}:auth:${request}`);
    return claim.response === expected ? { key, claim } : undefined;
  };

  return {
    authenticate(method, received) {
      const proven = provenKey(method, received);
      const nonce = proven && live(proven.claim.nonce);
      if (!nonce) return undefined;
      const count = Number.parseInt(proven.claim.nc, 16);
      if (nonce.counts.has(count)) return undefined;
      nonce.counts.add(count);
      return proven.key;
    },
    challenge(method, received) {
      if (/^Bearer /i.test(received.headers.get('authorization') ?? '')) return {};
      const proven = provenKey(method, received);
      const stale = proven !== undefined && !live(proven.claim.nonce);
      return {
        'WWW-Authenticate': `Digest realm="${REALM}", domain="", nonce="${issue()}", algorithm=MD5, qop="auth", stale=${stale}`,
      };
    },
  };
}

interface Claim {
  readonly username: string;
  readonly realm: string;
  readonly nonce: string;
  readonly uri: string;
  readonly nc: string;
  readonly cnonce: string;
  readonly response: string;
}

function claimOf(headers: Headers): Claim | undefined {
  const authorization = headers.get('authorization') ?? '';
  if (!/^Digest /i.test(authorization)) return undefined;
  const fields = new Map(
    [...authorization.slice('Digest '.length).matchAll(/(\w+)\s*=\s*(?:"([^"]*)"|([^\s,]+))/g)].map(
      ([, name = '', quoted, bare = '']) => [name.toLowerCase(), quoted ?? bare] as const,
    ),
  );
  const field = (name: string): string => fields.get(name) ?? '';
  const nc = field('nc');
  if (field('qop') !== 'auth' || !/^[0-9a-f]{8}$/i.test(nc) || field('cnonce') === '') return undefined;
  if ((fields.get('algorithm') ?? 'MD5').toUpperCase() !== 'MD5') return undefined;
  return {
    username: field('username'),
    realm: field('realm'),
    nonce: field('nonce'),
    uri: field('uri'),
    nc,
    cnonce: field('cnonce'),
    response: field('response').toLowerCase(),
  };
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
