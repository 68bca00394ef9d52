import sodium from 'libsodium-wrappers';
import * as z from 'zod';
import type { Clock } from '../../../lib/runtime/clock.ts';
import { createMovableClock } from '../clock.ts';
import { FaultPlan } from '../faults.ts';
import { type Drop, type Loopback, serveOnLoopback } from '../loopback.ts';

/** A secret as GitHub keeps it. The value is here for tests to look at; GitHub itself never shows it again. */
export interface ActionsSecret {
  readonly name: string;
  value: string;
  readonly createdAt: Date;
  updatedAt: Date;
  visibility?: string;
  selectedRepositoryIds?: readonly number[];
  /** How often it was written. */
  writes: number;
}

/** A repository, an environment of one, or an organization: it has a key pair and secrets of its own. */
export interface Place {
  readonly kind: 'repository' | 'environment' | 'organization';
  /** By upper-case name. */
  readonly secrets: Map<string, ActionsSecret>;
  keyId: string;
  keys: { readonly publicKey: Uint8Array; readonly privateKey: Uint8Array };
}

export interface GitHubSecrets {
  readonly faults: FaultPlan;
  /** Tokens that may write secrets. */
  readonly tokens: Set<string>;
  /** Adds `owner/name`, `owner/name/environment` or an organization. */
  add(kind: Place['kind'], name: string): Place;
  /** Gives a place another key pair, as GitHub does now and then. */
  renewKey(place: Place): void;
  fetch(request: Request, drop?: Drop): Promise<Response>;
  listen(port?: number): Promise<Loopback>;
}

const SecretName = z.string().regex(/^(?!GITHUB_)[A-Z_][A-Z0-9_]*$/i);
const PutSecret = z.object({
  encrypted_value: z.base64(),
  key_id: z.string(),
  visibility: z.enum(['all', 'private', 'selected']).optional(),
  selected_repository_ids: z.array(z.int()).optional(),
});
const LARGEST = 48 * 1024;

const routes = [
  { kind: 'repository', pattern: /^\/repos\/([^/]+\/[^/]+)\/actions\/secrets\/([^/]+)$/ },
  { kind: 'environment', pattern: /^\/repos\/([^/]+\/[^/]+\/environments\/[^/]+)\/secrets\/([^/]+)$/ },
  { kind: 'organization', pattern: /^\/orgs\/([^/]+)\/actions\/secrets\/([^/]+)$/ },
] as const;

const refusal = (status: number, message: string, headers: Record<string, string> = {}): Response =>
  Response.json({ message, documentation_url: 'https://docs.github.com/rest' }, { status, headers });

/**
 * The part of GitHub that keeps secrets for Actions: public keys, and secrets that only the place's own key opens. What is
 * put is really decrypted, and refused where it can't be.
 */
export async function createGitHubSecrets(options: { clock?: Clock; faults?: FaultPlan } = {}): Promise<GitHubSecrets> {
  const { clock = createMovableClock(), faults = new FaultPlan() } = options;
  await sodium.ready;
  const places = new Map<string, Place>();
  const tokens = new Set<string>();
  let issued = 0;
  const renewKey = (place: Place): void => {
    place.keyId = `${++issued}`.padStart(18, '0');
    place.keys = sodium.crypto_box_keypair();
  };

  function put(place: Place, name: string, body: unknown): Response {
    const parsed = PutSecret.safeParse(body);
    if (!SecretName.safeParse(name).success || !parsed.success) return refusal(422, 'Validation Failed');
    const { encrypted_value, key_id, visibility, selected_repository_ids } = parsed.data;
    if (key_id !== place.keyId) return refusal(422, 'The key_id is not the current one.');
    if (place.kind === 'organization' && visibility === undefined) return refusal(422, 'visibility is required.');
    if ((visibility === 'selected') !== (selected_repository_ids !== undefined))
      return refusal(422, 'selected_repository_ids belongs to the visibility "selected".');
    const value = open(place, encrypted_value);
    if (value === undefined) return refusal(422, 'Bad request - sealed box could not be opened.');
    if (Buffer.byteLength(value) > LARGEST) return refusal(422, 'Secrets are limited to 48 KB.');
    const now = new Date(Math.floor(clock.now().getTime() / 1000) * 1000);
    const known = place.secrets.get(name);
    place.secrets.set(name, {
      name,
      value,
      createdAt: known?.createdAt ?? now,
      updatedAt: now,
      writes: (known?.writes ?? 0) + 1,
      ...(visibility && { visibility }),
      ...(selected_repository_ids && { selectedRepositoryIds: selected_repository_ids }),
    });
    return known ? new Response(null, { status: 204 }) : Response.json({}, { status: 201 });
  }

  function open({ keys }: Place, sealed: string): string | undefined {
    try {
      const box = new Uint8Array(Buffer.from(sealed, 'base64'));
      return Buffer.from(sodium.crypto_box_seal_open(box, keys.publicKey, keys.privateKey)).toString();
    } catch {
      return undefined;
    }
  }

  async function carryOut(method: string, path: string, headers: Headers, text: string): Promise<Response> {
    if (!headers.get('user-agent')) return refusal(403, 'Request forbidden by administrative rules.');
    const token = /^Bearer (\S+)$/.exec(headers.get('authorization') ?? '')?.[1];
    if (token === undefined || !tokens.has(token)) return refusal(401, 'Bad credentials');
    for (const { kind, pattern } of routes) {
      const [, where = '', last = ''] = pattern.exec(path) ?? [];
      const place = places.get(`${kind} ${decodeURIComponent(where).replace('/environments/', '/').toLowerCase()}`);
      if (where === '' || !place) continue;
      if (method === 'GET' && last === 'public-key')
        return Response.json({ key_id: place.keyId, key: Buffer.from(place.keys.publicKey).toString('base64') });
      const name = decodeURIComponent(last).toUpperCase();
      if (method === 'PUT') return put(place, name, parse(text));
      const secret = place.secrets.get(name);
      if (method === 'GET' && secret) {
        const [created_at, updated_at] = [secret.createdAt, secret.updatedAt].map((at) =>
          at.toISOString().replace('.000Z', 'Z'),
        );
        return Response.json({
          name,
          created_at,
          updated_at,
          ...(secret.visibility && { visibility: secret.visibility }),
        });
      }
    }
    // GitHub says the same of what is not there and of what the token may not see.
    return refusal(404, 'Not Found');
  }

  const fetch = async (request: Request, drop: Drop = () => Response.error()): Promise<Response> => {
    const { pathname } = new URL(request.url);
    const text = await request.text();
    const operation = `github ${request.method} ${pathname.endsWith('/public-key') ? 'public-key' : 'secret'}`;
    return faults.meet({
      operation,
      apply: () => carryOut(request.method, pathname, request.headers, text),
      refuse: ({ status, retryAfterSeconds }) =>
        refusal(
          status,
          'You have exceeded a secondary rate limit.',
          retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) },
        ),
      drop,
    });
  };

  return {
    faults,
    tokens,
    renewKey,
    add(kind, name) {
      const place: Place = { kind, secrets: new Map(), keyId: '', keys: sodium.crypto_box_keypair() };
      renewKey(place);
      places.set(`${kind} ${name.toLowerCase()}`, place);
      return place;
    },
    fetch,
    listen: (port) => serveOnLoopback(fetch, port),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
