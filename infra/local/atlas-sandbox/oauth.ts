import type { Clock } from '../../../lib/runtime/clock.ts';
import { createMintLimiter, type Limits } from './rate-limits.ts';
import type { Received, Route } from './received.ts';
import { AtlasRefusal, refusalResponse } from './refusal.ts';
import type { Secret, ServiceAccount, World } from './world.ts';

const TOKEN_PATH = '/api/oauth/token';

type OAuthError = 'invalid_request' | 'invalid_client' | 'unsupported_grant_type' | 'access_denied' | 'server_error';

interface Dependencies {
  readonly world: World;
  readonly clock: Clock;
  readonly limits: Limits;
}

/** `mintToken` and `revokeToken`: unversioned, outside the access lists, and with errors in OAuth's own shape. */
export function oauthRoutes({ world, clock, limits }: Dependencies): Route[] {
  const isWithinMintLimit = createMintLimiter(clock, limits.mintsPerMinute);
  const tooManyMints = (): Response => {
    const { mintsPerMinute } = limits;
    const detail = `Resource ${TOKEN_PATH} is limited to ${mintsPerMinute} requests every 1 minutes.`;
    return refusalResponse(new AtlasRefusal(429, 'RATE_LIMITED', detail, [TOKEN_PATH, mintsPerMinute, 1]));
  };

  async function mint(received: Received): Promise<Response> {
    const credentials = basicCredentials(received.headers);
    if (!credentials) return unknownClient();
    if (!isWithinMintLimit(credentials.clientId)) return tooManyMints();
    const form = formOf(received);
    const grantType = form?.get('grant_type');
    if (!grantType) return oauthError(400, 'invalid_request', 'The grant_type parameter is missing.');
    if (grantType !== 'client_credentials') {
      return oauthError(400, 'unsupported_grant_type', 'Only client_credentials is supported.');
    }
    const client = authenticate(world, credentials);
    if (!client) return unknownClient();
    if (world.liveTokens(credentials.clientId).length >= limits.liveTokens) return tooManyTokens();
    const token = world.addToken(client.account, client.secret);
    return uncached({ access_token: token.value, expires_in: 3600, token_type: 'Bearer' });
  }

  async function revoke(received: Received): Promise<Response> {
    const credentials = basicCredentials(received.headers);
    if (!credentials || !authenticate(world, credentials)) return unknownClient();
    const token = formOf(received)?.get('token');
    if (!token) return oauthError(400, 'invalid_request', 'The token parameter is missing.');
    world.revokeToken(credentials.clientId, token);
    return new Response(null, { status: 200 });
  }

  const refuse = (status: number): Response => {
    if (status === 429) return tooManyMints();
    if (status === 401) return unknownClient();
    if (status === 403) return tooManyTokens();
    return oauthError(status, status < 500 ? 'invalid_request' : 'server_error', 'The request was not carried out.');
  };

  return [
    { operation: 'mintToken', method: 'POST', path: TOKEN_PATH, apply: mint, refuse },
    { operation: 'revokeToken', method: 'POST', path: '/api/oauth/revoke', apply: revoke, refuse },
  ];
}

interface Credentials {
  readonly clientId: string;
  readonly secret: string;
}

/** Atlas takes both halves as they are: a client that percent-encodes them first is not recognized. */
function basicCredentials(headers: Headers): Credentials | undefined {
  const encoded = /^Basic (\S+)$/i.exec(headers.get('authorization') ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const [clientId, ...rest] = Buffer.from(encoded, 'base64').toString().split(':');
  return clientId && rest.length > 0 ? { clientId, secret: rest.join(':') } : undefined;
}

function authenticate(
  world: World,
  { clientId, secret: value }: Credentials,
): { account: ServiceAccount; secret: Secret } | undefined {
  const secret = world.usableSecret(clientId, value);
  return secret && { account: world.account(clientId), secret };
}

function formOf({ headers, body }: Received): URLSearchParams | undefined {
  const mediaType = headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  return mediaType === 'application/x-www-form-urlencoded' ? new URLSearchParams(body) : undefined;
}

function unknownClient(): Response {
  return oauthError(401, 'invalid_client', 'Client authentication failed.');
}

function tooManyTokens(): Response {
  const advice = 'Please use the existing Access Token or create a new Service Account.';
  return oauthError(403, 'access_denied', `Access Token limit reached. ${advice}`);
}

function oauthError(status: number, error: OAuthError, description: string): Response {
  return uncached({ error, error_description: description }, status);
}

function uncached(body: unknown, status = 200): Response {
  return Response.json(body, { status, headers: { 'Cache-Control': 'no-store' } });
}
