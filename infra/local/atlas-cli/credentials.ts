import * as z from 'zod';
import type { AtlasCredentials } from '../../../lib/atlas/authenticator.ts';
import { createSecretsManager } from '../../../lib/aws/secrets-manager.ts';
import { ConfigError } from '../../../lib/errors.ts';
import { systemClock } from '../../../lib/runtime/clock.ts';
import { deadlineIn } from '../../../lib/runtime/deadline.ts';
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
  readonly credentials: () => Promise<AtlasCredentials>;
}

export const NO_CREDENTIALS = `no credentials: set MONGODB_ATLAS_CLIENT_ID and MONGODB_ATLAS_CLIENT_SECRET, or
MONGODB_ATLAS_PUBLIC_API_KEY and MONGODB_ATLAS_PRIVATE_API_KEY, or ATLAS_CREDENTIALS_SECRET (a Secrets Manager name)`;

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
  if (secret) return { origin, credentials: () => stored(secret) };
  throw new ConfigError(NO_CREDENTIALS);
}

async function stored(secret: string): Promise<AtlasCredentials> {
  const text = await createSecretsManager().read(secret, { stage: 'AWSCURRENT' }, deadlineIn(15_000, systemClock));
  const parsed = Stored.safeParse(text === undefined ? undefined : parseJson(text));
  if (!parsed.success)
    throw new ConfigError(`${secret} holds neither clientId and clientSecret nor publicKey and privateKey`);
  return parsed.data;
}
