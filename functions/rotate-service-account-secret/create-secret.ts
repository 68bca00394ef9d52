import { AtlasOutcomeUnknown } from '../../lib/atlas/errors.ts';
import type { MintedSecret } from '../../lib/atlas/operations/service-accounts.ts';
import { AwsCallFailed } from '../../lib/aws/errors.ts';
import { AutomationError } from '../../lib/errors.ts';
import { parseCredential, withSecret } from './credential.ts';
import { type Decision, decide, type MaskedSlot, type View } from './decide.ts';
import { RotationStopped } from './errors.ts';
import { locate, type Rotation, type Step } from './rotation.ts';

/** Every other secret of an account ends within this of a mint. */
const CLAMP_MS = 7 * 86_400_000;

/** Pauses between tries to store a new value, in milliseconds: it exists nowhere else. */
const STORE_AGAIN_MS = [500, 1_000, 2_000, 4_000, 8_000, 16_000];

/**
 * createSecret: makes room where a predecessor is due, mints, and stores the value as AWSPENDING. Safe to repeat at any
 * point: a stored value is kept, and nothing is minted while the account has two secrets, whoever made them.
 */
export async function createSecret(step: Step, rotation: Rotation): Promise<void> {
  // At most a deletion, a fresh look, and the mint; a third look means that somebody else is writing.
  for (let look = 0; look < 3; look++) {
    const view = await viewOf(step, rotation);
    const decision = decide(view);
    switch (decision.do) {
      case 'keep':
        step.log.info('the new value is stored already');
        return;
      case 'drop-pending':
        return dropPending(step, rotation);
      case 'mint':
        await proveStorable(step, rotation);
        return mintAndStore(step, rotation, decision.lifetimeHours, view);
      case 'delete':
        await remove(step, rotation, decision);
        break;
      default:
        throw stopped(decision, view);
    }
  }
  throw new RotationStopped('ROTATION_MUST_WAIT', 'somebody else is changing the secrets of this account', {
    clientId: rotation.account.clientId,
  });
}

/** What createSecret would do, without doing it. Throws where it would stop for good. */
export async function preview(step: Step, rotation: Rotation): Promise<Decision> {
  const view = await viewOf(step, rotation);
  const decision = decide(view);
  if (decision.do === 'refuse') throw stopped(decision, view);
  return decision;
}

async function viewOf(step: Step, rotation: Rotation): Promise<View> {
  const { secret, previous, pending, account } = rotation;
  const { slots, now } = await account.secrets(step.deadline);
  const { currentId, previousId } = locate(rotation, slots);
  const current = slots.find(({ id }) => id === currentId);
  const known = new Set([currentId, previousId, pending?.credential.secretId]);
  return {
    now,
    secretArn: secret.arn,
    slots,
    currentId,
    // What this bundle stored always says which secret it is; a value that doesn't can't be promoted.
    pendingId: pending && (pending.credential.secretId ?? ''),
    previous: previous && { versionId: previous.versionId, secretId: previousId },
    unlabelledIds: slots.every(({ id }) => known.has(id)) ? new Set() : await unlabelledIds(step, rotation, slots),
    promotedAt: latest(secret.lastRotatedAt, current?.createdAt) ?? now,
    policy: { ...step.policyFor(secret), ...hoursOf(rotation) },
  };
}

/** The secret's own word on the lifetime goes before the settings. */
const hoursOf = ({ current }: Rotation): { secretExpiresAfterHours?: number } => {
  const hours = current.credential.secretExpiresAfterHours;
  return hours === undefined ? {} : { secretExpiresAfterHours: hours };
};

const latest = (...dates: (Date | undefined)[]): Date | undefined =>
  dates.filter((date) => date !== undefined).reduce<Date | undefined>((a, b) => (a && a > b ? a : b), undefined);

/** Looks through the versions without a label for secrets that are ours all the same: only when one is unexplained. */
async function unlabelledIds(
  { event, services, deadline }: Step,
  { current }: Rotation,
  slots: readonly MaskedSlot[],
): Promise<Set<string>> {
  const present = new Set(slots.map(({ id }) => id));
  const found = new Set<string>();
  for (const { versionId, stages } of await services.secretsManager.versions(event.SecretId, deadline)) {
    if (stages.length > 0) continue;
    const value = await services.secretsManager.read(event.SecretId, { versionId }, deadline);
    const id = value === undefined ? undefined : idIn(value, current.credential.clientId);
    if (id !== undefined && present.has(id)) found.add(id);
  }
  return found;
}

/** An old version may hold anything, another account's value too: then it says nothing about this one. */
function idIn(value: string, clientId: string): string | undefined {
  try {
    const credential = parseCredential(value, 'old');
    return credential.clientId === clientId ? credential.secretId : undefined;
  } catch (error) {
    if (error instanceof RotationStopped) return undefined;
    throw error;
  }
}

/** Takes the label off first: from then on nobody can be sent to the secret that goes. */
async function remove(
  { event, services, deadline, log }: Step,
  { current, account }: Rotation,
  { slot, why, fence }: Extract<Decision, { do: 'delete' }>,
): Promise<void> {
  if (slot.id === current.credential.secretId) throw new Error('a rotation must never delete the current secret');
  if (fence !== undefined)
    await services.secretsManager.moveStage(event.SecretId, 'AWSPREVIOUS', { from: fence }, deadline).catch(unlessGone);
  await account.remove(slot.id, deadline);
  log.info('deleted a secret to make room', { facts: { clientId: account.clientId, secretId: slot.id, why } });
}

/** A repeat finds the label gone already: that is what it wanted. Anything else stops the deletion. */
const unlessGone = (error: unknown): void => {
  if (!(error instanceof AwsCallFailed && /^Invalid(Parameter|Request)Exception$/.test(error.error))) throw error;
};

/** A value whose secret is gone or expired can never be promoted, and blocks every later rotation until it is dropped. */
export async function dropPending({ event, services, deadline }: Step, { secret, pending }: Rotation): Promise<never> {
  await services.secretsManager.moveStage(event.SecretId, 'AWSPENDING', { from: event.ClientRequestToken }, deadline);
  throw new RotationStopped(
    'ROTATION_PENDING_DEAD',
    `the new secret of ${secret.name} is no longer in Atlas or has expired: dropped it, rotate again`,
    {
      managedSecret: secret.arn,
      versionId: event.ClientRequestToken,
      secretId: pending?.credential.secretId,
    },
  );
}

/** Proves what can be proven before a mint burns a slot and shortens the current secret. */
async function proveStorable({ services, deadline }: Step, { secret }: Rotation): Promise<void> {
  const key = secret.kmsKeyId;
  if (key !== undefined && !key.endsWith('alias/aws/secretsmanager'))
    await services.proveKeyEncrypts(key, secret.arn, deadline);
}

async function mintAndStore(
  step: Step,
  rotation: Rotation,
  lifetimeHours: number,
  { now, currentId, slots }: View,
): Promise<void> {
  const { event, log } = step;
  const { account, secret, current } = rotation;
  const currentEnd = slots.find(({ id }) => id === currentId)?.expiresAt;
  // From here on the current secret ends within seven days, whatever happens next.
  const currentEnds = new Date(
    Math.min(currentEnd?.getTime() ?? now.getTime(), now.getTime() + CLAMP_MS),
  ).toISOString();
  const facts = { managedSecret: secret.arn, clientId: account.clientId, currentEnds };

  const minted = await account.mint(lifetimeHours, step.deadline).catch((cause: unknown) => {
    if (!(cause instanceof AtlasOutcomeUnknown)) throw cause;
    throw new RotationStopped(
      'ROTATION_MINT_UNKNOWN',
      `Atlas may have made a secret for ${secret.name} whose value nobody holds: it is deleted when it is twenty minutes old; the current secret may end by ${currentEnds}`,
      facts,
      { cause },
    );
  });
  const outcome = await storeUntilKnown(step, withSecret(current.credential, minted), minted, facts);
  if (outcome === 'taken') {
    // Another run of this rotation stored its own. Ours may not be deleted here: only a later look can tell what is unused.
    log.warn('another run stored its value first; this one is left for a later rotation to sweep', {
      facts: { ...facts, secretId: minted.id },
    });
    return;
  }
  log.info('minted and stored a new secret', {
    facts: { ...facts, secretId: minted.id, expiresAt: minted.expiresAt, versionId: event.ClientRequestToken },
  });
}

/**
 * The same bytes under the same token until the outcome is known. Never a deletion on failure: a store that was given
 * up can still be carried out later, and then the deleted secret would be the one that gets promoted.
 */
async function storeUntilKnown(
  step: Step,
  value: string,
  minted: MintedSecret,
  facts: Record<string, unknown>,
): Promise<'stored' | 'taken'> {
  const { event, services, clock, deadline } = step;
  for (const pause of [...STORE_AGAIN_MS, undefined]) {
    try {
      return await services.secretsManager.store(
        event.SecretId,
        { token: event.ClientRequestToken, value, stage: 'AWSPENDING', rotationToken: event.RotationToken },
        deadline,
      );
    } catch (cause) {
      if (pause !== undefined && pause < deadline.remainingMs()) {
        await clock.sleep(pause, deadline.signal);
        continue;
      }
      throw new RotationStopped(
        'ROTATION_STORE_FAILED',
        `a new secret was made and could not be stored; it is deleted when it is twenty minutes old, and the current one ends by ${facts['currentEnds']}`,
        { ...facts, secretId: minted.id, error: cause instanceof AutomationError ? cause.facts : undefined },
        { cause },
      );
    }
  }
  throw new Error('unreachable');
}

function stopped(decision: Extract<Decision, { do: 'wait' | 'refuse' }>, { now }: View): RotationStopped {
  const { slot } = decision;
  const ageHours = Math.floor((now.getTime() - slot.createdAt.getTime()) / 3_600_000);
  const facts = { secretId: slot.id, ageHours, expiresAt: slot.expiresAt, lastUsedAt: slot.lastUsedAt };
  if (decision.do === 'refuse') {
    return new RotationStopped(
      'ROTATION_FOREIGN_SECRET',
      `secret ${slot.id}, ${ageHours} hours old, holds the account's second slot and is not ours: nothing was changed; delete it in Atlas if nobody needs it`,
      facts,
    );
  }
  const until = decision.until.toISOString();
  const why = {
    grace: 'is the replaced one, in its grace',
    straggler: 'is the replaced one, and somebody still uses it',
    young: 'may be on its way into storage',
  }[decision.why];
  return new RotationStopped(
    'ROTATION_MUST_WAIT',
    `secret ${slot.id} holds the account's second slot until ${until}: it ${why}`,
    { ...facts, until, why: decision.why },
  );
}
