import { createHash } from 'node:crypto';
import { AutomationError } from '../errors.ts';

/** The server wants a kind of HTTP Digest this bundle can't do, or none at all. Nothing was carried out. */
export class AtlasDigestUnsupported extends AutomationError {
  override readonly name = 'AtlasDigestUnsupported';
  readonly code = 'ATLAS_DIGEST_UNSUPPORTED';
  readonly disposition = 'give-up';
}

/** What a server asks a client to answer with its password. */
export interface DigestChallenge {
  readonly realm: string;
  readonly nonce: string;
  /** Handed back as it came, where it came. */
  readonly opaque: string | undefined;
  /** Absent with servers older than RFC 2617, which count no requests. */
  readonly qop: 'auth' | undefined;
  /** The nonce was too old; the password may well be right. */
  readonly stale: boolean;
}

interface Offered {
  readonly scheme: string;
  readonly params: Map<string, string>;
}

/** A scheme, or a parameter of the scheme before it: both stand in one list, with commas between. */
const ITEM = /[\s,]*([\w!#$%&'*+.^`|~-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([\w!#$%&'*+.^`|~-]+)))?/gy;

function offersIn(header: string): Offered[] {
  const offers: Offered[] = [];
  for (const [, name = '', quoted, token] of header.matchAll(ITEM)) {
    const value = quoted?.replaceAll(/\\(.)/g, '$1') ?? token;
    if (value === undefined) offers.push({ scheme: name.toLowerCase(), params: new Map() });
    else offers.at(-1)?.params.set(name.toLowerCase(), value);
  }
  return offers;
}

const listOf = (text: string | undefined): string[] | undefined =>
  text?.split(',').map((item) => item.trim().toLowerCase());

/**
 * The Digest challenge of a 401's `WWW-Authenticate`, the first there is an answer to; undefined when the server asks
 * for no Digest. Throws when all it offers is an algorithm or protection this bundle doesn't know.
 * Source: https://www.rfc-editor.org/rfc/rfc7616
 */
export function parseChallenge(header: string | string[] | undefined): DigestChallenge | undefined {
  const offers = [header ?? []]
    .flat()
    .flatMap(offersIn)
    .filter(({ scheme }) => scheme === 'digest')
    .map(({ params }) => params);
  for (const params of offers) {
    const realm = params.get('realm');
    const nonce = params.get('nonce');
    const qops = listOf(params.get('qop'));
    const md5 = (params.get('algorithm') ?? 'MD5').toUpperCase() === 'MD5';
    if (realm === undefined || nonce === undefined || !md5 || (qops && !qops.includes('auth'))) continue;
    return {
      realm,
      nonce,
      opaque: params.get('opaque'),
      qop: qops && 'auth',
      stale: params.get('stale')?.toLowerCase() === 'true',
    };
  }
  if (offers.length === 0) return undefined;
  throw new AtlasDigestUnsupported('the server asks for a kind of HTTP Digest this bundle does not know', {
    algorithms: offers.map((params) => params.get('algorithm')),
    qops: offers.map((params) => params.get('qop')),
  });
}

export interface DigestRequest {
  readonly challenge: DigestChallenge;
  readonly username: string;
  readonly password: string;
  readonly method: string;
  /** Path and query, exactly as they go over the wire. */
  readonly uri: string;
  /** How many requests this nonce has answered, this one included. */
  readonly count: number;
  /** The client's own nonce: never the same twice. */
  readonly cnonce: string;
}

const md5 = (text: string): string => createHash('md5').update(text, 'utf8').digest('hex');
const quote = (text: string): string => `"${text.replaceAll(/["\\]/g, '\\$&')}"`;

/** The `Authorization` header that answers a challenge for one request. */
export function digestHeader(request: DigestRequest): string {
  const { challenge, username, password, method, uri, count, cnonce } = request;
  const { realm, nonce, opaque, qop } = challenge;
  const nc = count.toString(16).padStart(8, '0');
  const secret = md5(`${username}:${realm}:${password}`);
  const asked = md5(`${method}:${uri}`);
  const response = md5(qop ? `${secret}:${nonce}:${nc}:${cnonce}:${qop}:${asked}` : `${secret}:${nonce}:${asked}`);
  const parts = [
    `username=${quote(username)}`,
    `realm=${quote(realm)}`,
    `nonce=${quote(nonce)}`,
    `uri=${quote(uri)}`,
    `response="${response}"`,
    'algorithm=MD5',
    ...(opaque === undefined ? [] : [`opaque=${quote(opaque)}`]),
    ...(qop ? [`qop=${qop}`, `nc=${nc}`, `cnonce=${quote(cnonce)}`] : []),
  ];
  return `Digest ${parts.join(', ')}`;
}
