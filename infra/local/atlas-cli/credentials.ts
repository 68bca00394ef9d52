import * as z from 'zod';
import type { AtlasCredentials } from '../../../lib/atlas/authenticator.ts';
import { AwsCallFailed } from '../../../lib/aws/errors.ts';
import { createSecretsManager } from '../../../lib/aws/secrets-manager.ts';
import { AutomationError, ConfigError } from '../../../lib/errors.ts';
import { systemClock } from '../../../lib/runtime/clock.ts';
import { type Deadline, deadlineIn } from '../../../lib/runtime/deadline.ts';
import { BaseUrl } from '../../../lib/runtime/environment.ts';
import { parseJson } from '../../../lib/runtime/json.ts';
import { problemsOf } from '../../../lib/runtime/problems.ts';

/** The variables MongoDB's own tools read, and ours. Empty ones count as not set. */
const Environment = z.object({
  MONGODB_ATLAS_BASE_URL: BaseUrl,
  MONGODB_ATLAS_CLIENT_ID: z.string().optional(),
  MONGODB_ATLAS_CLIENT_SECRET: z.string().optional(),
  MONGODB_ATLAS_PUBLIC_API_KEY: z.string().optional(),
  MONGODB_ATLAS_PRIVATE_API_KEY: z.string().optional(),
  ATLAS_CREDENTIALS_SECRET: z.string().optional(),
});

const Stored = z.union([
  z.object({ clientId: z.string(), clientSecret: z.string() }),
  z.object({ publicKey: z.string(), privateKey: z.string() }),
]);

export interface Access {
  readonly origin: string;
  readonly credentials: (deadline?: Deadline) => Promise<AtlasCredentials>;
}

/** Secrets Manager gave no answer, so nobody knows the credentials. Nothing was sent to Atlas. */
export class CredentialsOutOfReach extends AutomationError {
  override readonly name = 'CredentialsOutOfReach';
  readonly code = 'CREDENTIALS_OUT_OF_REACH';
  readonly disposition = 'retry';
}

export const NO_CREDENTIALS = `no credentials: set MONGODB_ATLAS_CLIENT_ID and MONGODB_ATLAS_CLIENT_SECRET, or
MONGODB_ATLAS_PUBLIC_API_KEY and MONGODB_ATLAS_PRIVATE_API_KEY, or ATLAS_CREDENTIALS_SECRET (a Secrets Manager name)`;

/** Whether the environment names credentials at all. */
export const hasAccess = (variables: Readonly<Record<string, string | undefined>>): boolean =>
  Object.entries(variables).some(([name, value]) => NAMING.test(name) && value !== undefined && value !== '');
const NAMING = /^MONGODB_ATLAS_(CLIENT_ID|CLIENT_SECRET|PUBLIC_API_KEY|PRIVATE_API_KEY)$|^ATLAS_CREDENTIALS_SECRET$/;

/** Whom to ask, without the credentials. Throws ConfigError where the environment is wrong. */
export function originFrom(variables: Readonly<Record<string, string | undefined>>): string {
  const parsed = BaseUrl.safeParse(variables['MONGODB_ATLAS_BASE_URL'] || undefined);
  if (parsed.success) return parsed.data;
  throw new ConfigError('the environment is wrong', problemsOf(parsed.error));
}

/** Whom to ask, and as whom, by the environment. Throws ConfigError where it does not say. */
export function accessFrom(variables: Readonly<Record<string, string | undefined>>): Access {
  const set = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ''));
  const parsed = Environment.safeParse(set);
  if (!parsed.success) throw new ConfigError('the environment is wrong', problemsOf(parsed.error));
  const { MONGODB_ATLAS_BASE_URL: origin, ...env } = parsed.data;
  const { MONGODB_ATLAS_CLIENT_ID: clientId, MONGODB_ATLAS_CLIENT_SECRET: clientSecret } = env;
  const { MONGODB_ATLAS_PUBLIC_API_KEY: publicKey, MONGODB_ATLAS_PRIVATE_API_KEY: privateKey } = env;
  if (clientId && clientSecret) return { origin, credentials: async () => ({ clientId, clientSecret }) };
  if (publicKey && privateKey) return { origin, credentials: async () => ({ publicKey, privateKey }) };
  const secret = env.ATLAS_CREDENTIALS_SECRET;
  if (secret) return { origin, credentials: (deadline) => stored(secret, deadline) };
  throw new ConfigError(NO_CREDENTIALS);
}

async function stored(secret: string, deadline = deadlineIn(15_000, systemClock)): Promise<AtlasCredentials> {
  const text = await createSecretsManager()
    .read(secret, { stage: 'AWSCURRENT' }, deadline)
    .catch((cause: unknown) => {
      throw cause instanceof AwsCallFailed ? unread(secret, cause) : cause;
    });
  if (text === undefined)
    throw new ConfigError(`Secrets Manager has no secret ${secret} in this account and region, or it holds no text`);
  const parsed = Stored.safeParse(parseJson(text));
  if (!parsed.success)
    throw new ConfigError(`${secret} holds neither clientId and clientSecret nor publicKey and privateKey`);
  return parsed.data;
}

function unread(secret: string, cause: AwsCallFailed): AutomationError {
  const { error, refused, disposition } = cause;
  if (error === 'CredentialsProviderError')
    return new ConfigError(`Secrets Manager cannot be asked for ${secret}: there are no AWS credentials`);
  if (refused && disposition === 'give-up')
    return new ConfigError(`Secrets Manager does not give ${secret} to this AWS account or role: ${error}`);
  const facts = { managedSecret: secret, error };
  const message = `no answer from Secrets Manager about ${secret}: is AWS_REGION set, and AWS within reach?`;
  return new CredentialsOutOfReach(message, facts, { cause });
}
