import { randomBytes } from 'node:crypto';
import type { AutomationError } from '../errors.ts';
import { type Deadline, deadlineIn } from '../runtime/deadline.ts';
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

/** How long getting a token, or reading the credentials for it, may take, whoever asked first. */
const OPENING_MS = 30_000;

const DROP_PAUSE_MS = 60_000;

const outOfTime = (): AtlasUnavailable =>
  new AtlasUnavailable('no time was left to get a token', { operation: 'mintToken' });

/** What everybody waits for, for as long as this caller has. */
function inTime<Result>(shared: Promise<Result>, { signal }: Deadline): Promise<Result> {
  const { promise: over, reject } = Promise.withResolvers<never>();
  const giveUp = (): void => reject(outOfTime());
  signal.addEventListener('abort', giveUp, { once: true });
  return Promise.race([shared, over]).finally(() => signal.removeEventListener('abort', giveUp));
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
    if (deadline?.signal.aborted) throw outOfTime();
    opening ??= open(ownTime(deadline)).finally(() => {
      opening = undefined;
    });
    return deadline ? inTime(opening, deadline) : opening;
  }

  /** Shared by all who wait: so it ends when the work is hopeless, not when the first who asked has given up. */
  const ownTime = (deadline?: Deadline): Deadline =>
    deadlineIn(Math.max(OPENING_MS, deadline?.remainingMs() ?? 0), clock);

  /** At most once a minute: a 401 that will not go away must not use up the tokens an account may hold. */
  let droppedAt = Number.NEGATIVE_INFINITY;
  const drop = (refused: Token | ApiKeyCredentials, { headers }: Answered): void => {
    // By Atlas's clock where it tells the time: it is Atlas's hour that tokens live.
    const told = Date.parse(String(headers['date']));
    const now = Number.isNaN(told) ? clock.now().getTime() : told;
    if (held !== refused || now - droppedAt < DROP_PAUSE_MS) return;
    held = undefined;
    droppedAt = now;
  };

  const byToken = (token: Token): Proof => ({
    header: `Bearer ${token.token}`,
    // A token may have ended early, or its account's secret was rotated.
    learn: (refusal) => drop(token, refusal),
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
        if (answered && !challenge?.stale) drop(keys, refusal);
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
        if (!held || !('token' in held)) return undefined;
        const given = held;
        held = undefined;
        return endpoint.revoke(given, deadline);
      },
    },
  };
}
