import * as z from 'zod';
import type { AtlasCredentials } from '../atlas/authenticator.ts';
import { type AtlasClient, type AtlasClientOptions, createAtlasClient } from '../atlas/client.ts';
import { AtlasCredentialsRefused } from '../atlas/errors.ts';
import { AutomationError } from '../errors.ts';
import { systemClock } from '../runtime/clock.ts';
import { type Deadline, deadlineIn } from '../runtime/deadline.ts';
import { parseJson } from '../runtime/json.ts';
import { problemsOf, sentenceOf } from '../runtime/problems.ts';
import { createSecretsManager, type SecretsManager } from './secrets-manager.ts';

const ServiceAccount = z.object({ clientId: z.string().min(1), clientSecret: z.string().min(1) });
const ApiKeys = z.object({ publicKey: z.string().min(1), privateKey: z.string().min(1) });
/** Either pair; further keys are somebody else's. */
const Credentials = z.union([ServiceAccount, ApiKeys]);

/** How long reading the secret may take when the caller sets no limit. */
const READ_MS = 10_000;

/** The secret of the automation's own credentials is not there, or holds something else. Names fields, never values. */
export class AtlasCredentialsUnreadable extends AutomationError {
  override readonly name = 'AtlasCredentialsUnreadable';
  readonly code = 'ATLAS_CREDENTIALS_UNREADABLE';
  readonly disposition = 'give-up';
}

export interface AtlasAccessOptions extends Omit<AtlasClientOptions, 'credentials'> {
  /** Name or ARN of the secret that holds `{clientId, clientSecret}` or `{publicKey, privateKey}`. */
  readonly credentialsSecret: string;
  readonly secretsManager?: SecretsManager;
}

/**
 * Atlas as the automation itself. The secret is read before every token, and once more when Atlas refuses what it held:
 * it may have been rotated just then. Throws AtlasCredentialsUnreadable, and what the Atlas client throws.
 */
export function createAtlas({
  credentialsSecret,
  secretsManager = createSecretsManager(),
  ...options
}: AtlasAccessOptions): AtlasClient {
  const read = (deadline: Deadline = deadlineIn(READ_MS, systemClock)): Promise<string | undefined> =>
    secretsManager.read(credentialsSecret, { stage: 'AWSCURRENT' }, deadline);

  let given: string | undefined;
  const atlas = createAtlasClient({
    ...options,
    async credentials(deadline) {
      given = await read(deadline);
      return parseCredentials(given, credentialsSecret);
    },
  });

  /** Whatever is refused for its credentials was not carried out, so all of it may be done again. */
  async function again<Result>(work: () => Promise<Result>, deadline?: Deadline): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof AtlasCredentialsRefused) || (await read(deadline)) === given) throw error;
      return work();
    }
  }

  return {
    tokens: atlas.tokens,
    call: (operation, input, deadline) => again(() => atlas.call(operation, input, deadline), deadline),
    callDated: (operation, input, deadline) => again(() => atlas.callDated(operation, input, deadline), deadline),
    follow: (operation, href, deadline) => again(() => atlas.follow(operation, href, deadline), deadline),
  };
}

function parseCredentials(text: string | undefined, credentialsSecret: string): AtlasCredentials {
  if (text === undefined)
    throw new AtlasCredentialsUnreadable(`${credentialsSecret} has no value to read`, { credentialsSecret });
  const parsed = Credentials.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const problems = problemsOf(parsed.error);
  throw new AtlasCredentialsUnreadable(
    `${credentialsSecret} holds neither a service account's clientId and clientSecret nor an API key's publicKey and privateKey: ${sentenceOf(problems)}`,
    { credentialsSecret, problems },
  );
}
