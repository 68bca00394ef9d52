import { randomBytes } from 'node:crypto';
import type { AutomationError } from '../errors.ts';
import type { Deadline } from '../runtime/deadline.ts';
import { AtlasDigestUnsupported, type DigestChallenge, digestHeader, parseChallenge } from './digest.ts';
import { AtlasCredentialsRefused, AtlasInputInvalid, AtlasUnavailable } from './errors.ts';
import {
  createTokenEndpoint,
  type ServiceAccountCredentials,
  type Token,
  type TokenEndpointOptions,
  type TokenSource,
} from './token-source.ts';
import type { Answer } from './transport.ts';

type Answered = Extract<Answer, { kind: 'answer' }>;

/** A pair of API keys, used by HTTP Digest. */
export interface ApiKeyCredentials {
  readonly publicKey: string;
  readonly privateKey: string;
}

export type AtlasCredentials = ServiceAccountCredentials | ApiKeyCredentials;

export interface AuthenticatorOptions extends TokenEndpointOptions {
  /**
   * Asked before every token, and again when API keys are refused, so that a rotated credential is picked up without a
   * restart.
   */
  readonly credentials: (deadline?: Deadline) => Promise<AtlasCredentials>;
  readonly cnonce?: () => string;
}

/** What shows Atlas, for one request, who asks. */
export interface Proof {
  /** The `Authorization` header. Undefined while Atlas has yet to give a challenge: then its 401 is that, and no refusal. */
  readonly header: string | undefined;
  /** Learns from the 401 this proof got, so that the next one may do better. Throws where none can. */
  learn(refusal: Answered): void;
  /** What a 401 that stayed says about the credentials themselves, if it says anything. */
  verdict(refusal: Answered, errorCode: string | undefined): AutomationError | undefined;
}

export interface Authenticator {
  prove(request: { readonly method: string; readonly uri: string }, deadline?: Deadline): Promise<Proof>;
  readonly tokens: TokenSource;
}

/** Proves who asks, as a service account by its token or by API keys, whichever `credentials` gives. */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { credentials, clock, cnonce = () => randomBytes(16).toString('hex') } = options;
  const endpoint = createTokenEndpoint(options);
  let held: Token | ApiKeyCredentials | undefined;
  let opening: Promise<Token | ApiKeyCredentials> | undefined;
  /** One for all API keys: a nonce is Atlas's, whoever answers it. `used` counts every request, as Atlas does. */
  let nonce: { readonly challenge: DigestChallenge; used: number } | undefined;

  async function open(deadline?: Deadline): Promise<Token | ApiKeyCredentials> {
    const given = await credentials(deadline);
    held = 'publicKey' in given ? given : await endpoint.mint(given, deadline);
    return held;
  }

  /** What is in hand, or something new. Callers that ask together share one. */
  async function current(deadline?: Deadline): Promise<Token | ApiKeyCredentials> {
    if (held && ('publicKey' in held || clock.now().getTime() < held.freshUntil)) return held;
    opening ??= open(deadline).finally(() => {
      opening = undefined;
    });
    return opening;
  }

  const drop = (refused: Token | ApiKeyCredentials): void => {
    if (held === refused) held = undefined;
  };

  const byToken = (token: Token): Proof => ({
    header: `Bearer ${token.token}`,
    // A token may have ended early, or its account's secret was rotated.
    learn: () => drop(token),
    verdict: () => undefined,
  });

  function byKeys(keys: ApiKeyCredentials, method: string, uri: string): Proof {
    const answered = nonce;
    const header =
      answered &&
      digestHeader({
        challenge: answered.challenge,
        username: keys.publicKey,
        password: keys.privateKey,
        method,
        uri,
        count: ++answered.used,
        cnonce: cnonce(),
      });
    return {
      header,
      learn(refusal) {
        const challenge = parseChallenge(refusal.headers['www-authenticate']);
        if (!challenge && !answered) {
          const facts = { status: refusal.status };
          throw new AtlasDigestUnsupported('Atlas asks for no HTTP Digest, which API keys need', facts);
        }
        // Unless a request beside this one has a newer nonce already.
        if (challenge && nonce === answered) nonce = { challenge, used: 0 };
        if (answered && !challenge?.stale) drop(keys);
      },
      verdict(refusal, errorCode) {
        const facts = { publicKey: keys.publicKey, status: refusal.status, errorCode };
        if (parseChallenge(refusal.headers['www-authenticate'])?.stale) {
          return new AtlasUnavailable('Atlas outdates its nonces faster than they can be answered', facts);
        }
        // A 401 that gives a reason of its own knows who asks: it speaks of roles or membership, not of the keys.
        return errorCode === undefined || errorCode === 'UNEXPECTED_ERROR'
          ? new AtlasCredentialsRefused('Atlas does not accept these API keys', facts)
          : undefined;
      },
    };
  }

  return {
    async prove({ method, uri }, deadline) {
      const present = await current(deadline);
      return 'publicKey' in present ? byKeys(present, method, uri) : byToken(present);
    },
    tokens: {
      async token(deadline) {
        const present = await current(deadline);
        if ('token' in present) return present.token;
        throw new AtlasInputInvalid('API keys have no token', { operation: 'mintToken' });
      },
      forget(token) {
        if (held && 'token' in held && held.token === token) held = undefined;
      },
      async revoke(deadline) {
        if (!held || !('token' in held)) return;
        const given = held;
        held = undefined;
        await endpoint.revoke(given, deadline);
      },
    },
  };
}
