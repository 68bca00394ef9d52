import type { Logger } from '@aws-lambda-powertools/logger';
import type { AtlasClient } from '../../lib/atlas/client.ts';
import type { ServiceAccountCredentials } from '../../lib/atlas/token-source.ts';
import type { Events } from '../../lib/aws/events.ts';
import { type SecretDescription, type SecretsManager, type Stage, versionAt } from '../../lib/aws/secrets-manager.ts';
import type { Clock } from '../../lib/runtime/clock.ts';
import type { Deadline } from '../../lib/runtime/deadline.ts';
import { type Account, accountOf } from './account.ts';
import { type Event, entryOf, type RotationSettings } from './contract.ts';
import { type Credential, parseCredential, requireSameAccount, scopeOf } from './credential.ts';
import { RotationStopped } from './errors.ts';
import type { MaskedSlot } from './identify.ts';
import type { MaxLifetimeHours } from './lifetime-limit.ts';
import type { MayRetire } from './retirement.ts';

/** The outside world of a rotation, built once per execution environment. */
export interface Services {
  readonly secretsManager: SecretsManager;
  readonly events: Events;
  /** The service account whose credentials are in this secret's AWSCURRENT. */
  readonly credentialsIn: (secretId: string, deadline?: Deadline) => Promise<ServiceAccountCredentials>;
  /** The client that acts as account `clientId` with what is in this secret; the same one, and one token, for the same two. */
  readonly atlasAs: (secretId: string, clientId: string) => AtlasClient;
  /** A client for a version's own credentials, to try them out; the same one for every version tried lately. */
  readonly atlasTrying: (held: Held) => AtlasClient;
  /** Proves that the secret's own key can encrypt a value; throws when it can't. */
  readonly proveKeyEncrypts: (kmsKeyId: string, secretArn: string, deadline: Deadline) => Promise<void>;
  /** The longest life an organization allows a new secret. */
  readonly maxLifetimeHours: MaxLifetimeHours;
  /** Asked before a replaced secret loses its label and is deleted. */
  readonly mayRetire: MayRetire;
  /** What a list has just shown of an account's secrets: good enough to see that nothing is to be done. Never for a write. */
  readonly glance?: (clientId: string) => { readonly slots: MaskedSlot[]; readonly now: Date } | undefined;
}

/** One invocation's context. */
export interface Step {
  readonly event: Event;
  readonly services: Services;
  readonly settings: RotationSettings;
  readonly log: Logger;
  readonly clock: Clock;
  readonly deadline: Deadline;
}

/** A version and what is in it. */
export interface Held {
  readonly versionId: string;
  readonly credential: Credential;
  /** The stored bytes themselves: what is proven and republished is these, not a rendering of them. */
  readonly value: string;
}

/** A rotation as its secret shows it: every version read, checked, and found to speak of one account. */
export interface Rotation {
  readonly secret: SecretDescription;
  readonly current: Held;
  readonly previous: Held | undefined;
  /** The new version, where its value is stored already. */
  readonly pending: Held | undefined;
  readonly account: Account;
  /** Whether the account acts with its own secrets, or an administrator's account acts for it. */
  readonly mode: 'self' | 'admin';
}

/** A write may take a moment to be seen: pauses between looks for a version that must be there. */
const LOOK_AGAIN_MS = [250, 1_000, 2_000];

interface Opening {
  /** Also a secret that Secrets Manager no longer rotates: what was begun is brought to its end. */
  readonly evenWhenOff?: boolean;
}

/** Refuses a secret that can't be rotated, or not with this event. Reads only the description. */
export async function openSecret(
  { event, services, deadline }: Step,
  { evenWhenOff = false }: Opening = {},
): Promise<SecretDescription> {
  const secret = await services.secretsManager.describe(event.SecretId, deadline);
  const refuse = (problem: string): never => {
    throw new RotationStopped('ROTATION_SECRET_UNUSABLE', `${secret.name} ${problem}`, { managedSecret: secret.arn });
  };
  if (secret.deletedAt) refuse('is waiting for its deletion');
  if (secret.primaryRegion && secret.primaryRegion !== secret.arn.split(':')[3])
    refuse(`is a replica of the one in ${secret.primaryRegion}`);
  if (!secret.rotationEnabled && !evenWhenOff) refuse('has no rotation enabled');
  const stages = secret.stages.get(event.ClientRequestToken) ?? [];
  if (!stages.includes('AWSCURRENT') && !stages.includes('AWSPENDING')) {
    throw new RotationStopped(
      'ROTATION_NOT_STAGED',
      `${secret.name} has no AWSPENDING version for this rotation: it was abandoned or cancelled`,
      {
        managedSecret: secret.arn,
        versionId: event.ClientRequestToken,
      },
    );
  }
  return secret;
}

/** Reads every labelled version and the account behind them. Writes nothing. */
export async function readRotation(step: Step, secret: SecretDescription): Promise<Rotation> {
  const { event } = step;
  const currentVersion = versionAt(secret, 'AWSCURRENT');
  const current = currentVersion && (await readVersion(step, currentVersion, 'AWSCURRENT', LOOK_AGAIN_MS));
  if (!current) {
    throw new RotationStopped('ROTATION_SECRET_UNUSABLE', `${secret.name} has no AWSCURRENT value`, {
      managedSecret: secret.arn,
    });
  }
  const previousVersion = versionAt(secret, 'AWSPREVIOUS');
  const previous = previousVersion ? await readPrevious(step, previousVersion) : undefined;
  const isCurrent = currentVersion === event.ClientRequestToken;
  // Only createSecret may find it empty; the other steps look again before they believe it.
  const pending = isCurrent
    ? undefined
    : await readVersion(
        step,
        event.ClientRequestToken,
        'AWSPENDING',
        event.Step === 'createSecret' ? [] : LOOK_AGAIN_MS,
      );
  if (previous) requireSameAccount(current.credential, previous.credential, 'AWSPREVIOUS');
  if (pending) requireSameAccount(current.credential, pending.credential, 'AWSPENDING');
  return { secret, current, previous, pending, ...(await actorFor(step, secret, current)) };
}

/** What AWSPREVIOUS holds, where it is an account's value: before the first real value there was often a placeholder. */
async function readPrevious(step: Step, versionId: string): Promise<Held | undefined> {
  try {
    return await readVersion(step, versionId, 'AWSPREVIOUS');
  } catch (error) {
    if (!(error instanceof RotationStopped && error.code === 'ROTATION_VALUE_NOT_OURS')) throw error;
    step.log.warn('AWSPREVIOUS holds no account’s value, and is left out of account', { facts: { versionId } });
    return undefined;
  }
}

/**
 * The account, and who acts on it. An administrator is taken only as the settings allow: whoever may write one secret's
 * value must not be able to borrow another one's administrator.
 */
async function actorFor(
  { services, settings, deadline }: Step,
  secret: SecretDescription,
  { credential }: Held,
): Promise<Pick<Rotation, 'account' | 'mode'>> {
  const { adminSecretArn, clientId } = credential;
  const scope = scopeOf(credential);
  const refuse = (problem: string): never => {
    throw new RotationStopped('ROTATION_SECRET_UNUSABLE', `${secret.name} ${problem}`, {
      managedSecret: secret.arn,
      clientId,
    });
  };
  if (adminSecretArn === undefined) {
    return { account: accountOf(services.atlasAs(secret.arn, clientId), scope, clientId), mode: 'self' };
  }
  // A secret the settings do not list has nothing to hold it against: there the role's own permissions are the limit.
  const entry = entryOf(settings, secret);
  if (entry && !isSameSecret(entry.adminSecret, adminSecretArn)) {
    refuse('names an adminSecretArn that its settings do not: set adminSecret to it');
  }
  const administrator = await services.credentialsIn(adminSecretArn, deadline);
  // An account that administers itself by way of another secret would delete what its own token hangs on.
  if (administrator.clientId === clientId)
    refuse('names its own account as administrator: leave adminSecretArn out for self-rotation');
  return {
    account: accountOf(services.atlasAs(adminSecretArn, administrator.clientId), scope, clientId),
    mode: 'admin',
  };
}

/** Whether two ways to name a secret, by name or by ARN, mean the same one. */
const isSameSecret = (one: string | undefined, other: string): boolean =>
  one === other ||
  (one !== undefined && one.startsWith('arn:') !== other.startsWith('arn:') && nameIn(one) === nameIn(other));

/** The name in an ARN, which ends in six characters of AWS's own; a name as it is. */
const nameIn = (secret: string): string => /^arn:.*:secret:(.*)-\w{6}$/.exec(secret)?.[1] ?? secret;

/** The version a rotation is under way for: AWSPENDING, unless it is on the current version, where a finished one leaves it. */
export function pendingOf(secret: SecretDescription): string | undefined {
  const pending = versionAt(secret, 'AWSPENDING');
  return pending === versionAt(secret, 'AWSCURRENT') ? undefined : pending;
}

/**
 * Refuses unless the labels are as this step found them, with AWSPREVIOUS off `fence`: what is about to be deleted must
 * not have become anybody's value meanwhile, and what is about to be made must still be wanted.
 */
export async function requireUnchanged(
  { event, services, deadline }: Step,
  { secret, current }: Rotation,
  fence?: string,
): Promise<void> {
  const now = await services.secretsManager.describe(event.SecretId, deadline);
  const moved =
    now.deletedAt !== undefined ||
    versionAt(now, 'AWSCURRENT') !== current.versionId ||
    pendingOf(now) !== pendingOf(secret) ||
    (fence !== undefined && versionAt(now, 'AWSPREVIOUS') === fence);
  if (moved) {
    throw new RotationStopped(
      'ROTATION_CURRENT_MOVED',
      `somebody changed ${secret.name} during its rotation: nothing was made or deleted`,
      {
        managedSecret: secret.arn,
        versionId: event.ClientRequestToken,
      },
    );
  }
}

async function readVersion(
  { services, event, clock, deadline }: Step,
  versionId: string,
  stage: Stage,
  pauses: readonly number[] = [],
): Promise<Held | undefined> {
  for (const pause of [...pauses, undefined]) {
    const value = await services.secretsManager.read(event.SecretId, { versionId, stage }, deadline);
    if (value !== undefined) return { versionId, value, credential: parseCredential(value, stage) };
    if (pause !== undefined) await clock.sleep(pause, deadline.signal);
  }
  return undefined;
}
