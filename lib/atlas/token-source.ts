import * as z from 'zod';
import type { Clock } from '../runtime/clock.ts';
import type { Deadline } from '../runtime/deadline.ts';
import {
  AtlasContractBroken,
  AtlasCredentialsRefused,
  AtlasRejected,
  AtlasTokenLimitReached,
  AtlasUnavailable,
} from './errors.ts';
import { type Backoff, retryAfterMs, waitForNextAttempt } from './retry.ts';
import { type Answer, exchange, type Transport } from './transport.ts';

/** A service account's two halves. */
export interface ServiceAccountCredentials {
  readonly clientId: string;
  readonly clientSecret: string;
}

export interface TokenEndpointOptions {
  readonly origin: string;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: () => number;
  readonly backoff: Backoff;
}

export interface TokenSource {
  /** The token in hand, or a new one. Callers that ask together share one mint. */
  token(deadline?: Deadline): Promise<string>;
  /** Forgets `token` if it is the one in hand: Atlas no longer takes it. */
  forget(token: string): void;
  /**
   * Gives the token in hand back to Atlas, which counts live tokens. Best effort: a token that stays expires within the
   * hour. Says whether Atlas took the credentials it was given back with, which ends with the secret they are; undefined
   * where there was no token in hand, or no answer that tells.
   */
  revoke(deadline?: Deadline): Promise<boolean | undefined>;
}

/** A token in hand. */
export interface Token {
  readonly token: string;
  /** When to ask for another, in milliseconds since 1970. */
  readonly freshUntil: number;
  /** The header it was minted with, for giving it back. */
  readonly authorization: string;
}

const MintedToken = z.object({ access_token: z.string().min(1), expires_in: z.number().positive() });
const OAuthError = z.object({ error: z.union([z.string(), z.number()]), errorCode: z.string().optional() });

/** A token this close to its end may end on the way. */
const MARGIN_MS = 60_000;

/**
 * Tokens by OAuth 2 client credentials. One lives an hour, an account may hold 100 of them and mint few a minute: so
 * whoever mints one keeps and shares it until a minute before its end.
 * Source: https://www.mongodb.com/docs/atlas/api/service-accounts/generate-oauth2-token/
 */
export function createTokenEndpoint({ origin, transport, clock, random, backoff }: TokenEndpointOptions) {
  const post = (
    path: string,
    authorization: string,
    form: Record<string, string>,
    deadline?: Deadline,
  ): Promise<Answer> =>
    exchange(
      transport.keptAlive,
      {
        origin,
        path,
        method: 'POST',
        headers: { accept: 'application/json', authorization, 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(form).toString(),
      },
      deadline,
    );

  return {
    async mint({ clientId, clientSecret }: ServiceAccountCredentials, deadline?: Deadline): Promise<Token> {
      // The pair goes in as it is: Atlas refuses the percent-encoded form that RFC 6749 asks for.
      const authorization = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`;
      for (let attempt = 1; ; attempt++) {
        const asked = clock.now().getTime();
        const answer = await post('/api/oauth/token', authorization, { grant_type: 'client_credentials' }, deadline);
        if (answer.kind === 'answer' && answer.status < 300) {
          const parsed = MintedToken.safeParse(answer.json);
          if (!parsed.success) {
            throw new AtlasContractBroken('unknown answer to mintToken', {
              operation: 'mintToken',
              fields: parsed.error.issues.map((i) => i.path.join('.')),
            });
          }
          const { access_token: token, expires_in: seconds } = parsed.data;
          return { token, freshUntil: asked + seconds * 1_000 - MARGIN_MS, authorization };
        }
        const { error, retry, askedMs } = refusal(answer, clientId, clock.now());
        if (!retry || !(await waitForNextAttempt({ attempt, backoff, clock, random, askedMs, deadline }))) throw error;
      }
    },
    async revoke({ token, authorization }: Token, deadline?: Deadline): Promise<boolean | undefined> {
      const form = { token, token_type_hint: 'access_token' };
      const answer = await post('/api/oauth/revoke', authorization, form, deadline);
      if (answer.kind === 'silence') return undefined;
      if (answer.status < 300) return true;
      return answer.status === 401 ? false : undefined;
    },
  };
}

/** What a mint that gave no token means, and whether asking again may help. */
function refusal(
  answer: Answer,
  clientId: string,
  now: Date,
): { error: Error; retry: boolean; askedMs?: number | undefined } {
  const facts = { operation: 'mintToken', clientId };
  if (answer.kind === 'silence') {
    return {
      error: new AtlasUnavailable('no answer from the Atlas token endpoint', facts, { cause: answer.cause }),
      retry: true,
    };
  }
  const { status } = answer;
  const body = OAuthError.safeParse(answer.json);
  const error = body.success ? String(body.data.error) : undefined;
  if (status === 429 || status >= 500) {
    return {
      error: new AtlasUnavailable(`the Atlas token endpoint answered ${status}`, { ...facts, status }),
      retry: true,
      askedMs: retryAfterMs(answer.headers['retry-after'], now),
    };
  }
  // OAuth's word for "no" is Atlas's word for "too many": https://www.mongodb.com/docs/manual/reference/limits/
  if (status === 403 && error === 'access_denied') {
    return {
      error: new AtlasTokenLimitReached('the service account holds as many live tokens as Atlas allows', {
        ...facts,
        status,
      }),
      retry: false,
    };
  }
  if (status === 401 || error === 'invalid_client') {
    return {
      error: new AtlasCredentialsRefused('Atlas does not accept this client id and secret', { ...facts, status }),
      retry: false,
    };
  }
  return { error: new AtlasRejected('mintToken', status, error), retry: false };
}
