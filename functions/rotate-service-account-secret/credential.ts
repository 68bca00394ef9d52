import * as z from 'zod';
import { ClientId, GroupId, ObjectId, OrgId } from '../../lib/atlas/operations/shapes.ts';
import { parseJson } from '../../lib/runtime/json.ts';
import { problemsOf, sentenceOf } from '../../lib/runtime/problems.ts';
import { RotationStopped } from './errors.ts';

/** The organization or the project an account is managed through. */
export type Scope = { readonly orgId: string } | { readonly groupId: string };

/**
 * The value of a rotated secret: AWS's own shape for Atlas (`clientId`, `clientSecret`, `orgId`) and what exact
 * decisions need beyond it. The last three are missing in a value nobody has rotated yet. Further keys are kept as
 * they are: consumers may rely on them.
 * Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/mes-partner-MongoDBAtlasServiceAccount.html
 */
const Value = z
  .looseObject({
    clientId: ClientId,
    clientSecret: z.string().min(1),
    orgId: OrgId.optional(),
    groupId: GroupId.optional(),
    secretId: ObjectId.optional(),
    createdAt: z.iso.datetime({ offset: true }).optional(),
    expiresAt: z.iso.datetime({ offset: true }).optional(),
    adminSecretArn: z.string().min(1).optional(),
    secretExpiresAfterHours: z.int().min(8).max(8760).optional(),
  })
  .refine(
    (value) => (value.orgId === undefined) !== (value.groupId === undefined),
    'must have either orgId or groupId',
  );
export type Credential = z.output<typeof Value>;

/** Reads a stored value. Refuses with the names of the fields that are wrong, and nothing of what is in them. */
export function parseCredential(text: string, version: string): Credential {
  const parsed = Value.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const problems = problemsOf(parsed.error);
  throw new RotationStopped(
    'ROTATION_VALUE_NOT_OURS',
    `the ${version} value is not a service account's: ${sentenceOf(problems)}`,
    { version, problems },
  );
}

/** The lifetime a stored secret was made with, in hours; undefined where the value does not say. */
export const storedLifetimeHours = ({ createdAt, expiresAt }: Credential): number | undefined =>
  createdAt === undefined || expiresAt === undefined
    ? undefined
    : Math.round((Date.parse(expiresAt) - Date.parse(createdAt)) / 3_600_000);

export const scopeOf = (credential: Credential): Scope =>
  credential.orgId === undefined ? { groupId: credential.groupId ?? '' } : { orgId: credential.orgId };

/**
 * Refuses unless both versions speak of one account in one organization or project: else whoever can write one version
 * could point the rotation at someone else's account.
 */
export function requireSameAccount(current: Credential, other: Credential, version: string): void {
  const fields = (['clientId', 'orgId', 'groupId'] as const).filter((field) => current[field] !== other[field]);
  if (fields.length > 0) {
    throw new RotationStopped(
      'ROTATION_ACCOUNT_DIFFERS',
      `the ${version} version differs from AWSCURRENT in ${fields.join(', ')}: if the change was meant, take ${version} off it`,
      { version, fields },
    );
  }
}

/** What Atlas says of a secret it has just made. */
interface Minted {
  readonly id: string;
  readonly secret: string;
  readonly createdAt?: Date | undefined;
  readonly expiresAt?: Date | undefined;
}

/** The value of the next version: the current one with the new secret in it. */
export const withSecret = (current: Credential, minted: Minted): string =>
  JSON.stringify({
    ...current,
    clientSecret: minted.secret,
    secretId: minted.id,
    createdAt: minted.createdAt?.toISOString(),
    expiresAt: minted.expiresAt?.toISOString(),
  });

const AccountCredentials = z.object({ clientId: ClientId, clientSecret: z.string().min(1) });

/** The part of a managed or admin secret's value that authenticates. Refuses like parseCredential. */
export function parseAccountCredentials(
  text: string | undefined,
  managedSecret: string,
): z.output<typeof AccountCredentials> {
  const parsed = AccountCredentials.safeParse(text === undefined ? undefined : parseJson(text));
  if (parsed.success) return parsed.data;
  const problems = problemsOf(parsed.error);
  throw new RotationStopped(
    'ROTATION_VALUE_NOT_OURS',
    `${managedSecret} holds no service account's credentials: ${sentenceOf(problems)}`,
    {
      managedSecret,
      problems,
    },
  );
}
