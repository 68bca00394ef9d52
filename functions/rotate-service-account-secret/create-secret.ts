import { AtlasOutcomeUnknown } from '../../lib/atlas/errors.ts';
import type { MintedSecret } from '../../lib/atlas/operations/service-accounts.ts';
import { AwsCallFailed } from '../../lib/aws/errors.ts';
import { versionAt } from '../../lib/aws/secrets-manager.ts';
import { AutomationError } from '../../lib/errors.ts';
import type { Deadline } from '../../lib/runtime/deadline.ts';
import { entryOf, policyOf, SLACK_HOURS } from './contract.ts';
import { parseCredential, storedLifetimeHours, withSecret } from './credential.ts';
import { type Decision, decide, type MaskedSlot, type View } from './decide.ts';
import { RotationStopped } from './errors.ts';
import { dropPending, requireAlive } from './pending.ts';
import { proveCurrent } from './prove.ts';
import { locate, type Rotation, requireUnchanged, type Step } from './rotation.ts';

/** Every other secret of an account ends within this of a mint. */
const CLAMP_MS = 7 * 86_400_000;

/** Kept for storing what a mint gives, in milliseconds: without as much left, nothing is minted. */
const STORE_RESERVE_MS = 10_000;

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
        return rotation.pending ? requireAlive(step, rotation, rotation.pending) : dropPending(step, rotation);
      case 'mint':
        await requireFeasible(step, rotation, view);
        await proveCurrent(step, rotation, view);
        return mintAndStore(step, rotation, decision.lifetimeHours, view);
      case 'delete':
        await remove(step, rotation, decision, view);
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
  await requireFeasible(step, rotation, view);
  return decision;
}

async function viewOf(step: Step, rotation: Rotation): Promise<View> {
  const { secret, current, previous, pending, account } = rotation;
  const { slots, now } = await account.secrets(step.deadline);
  const { currentId, previousId } = locate(rotation, slots);
  const madeAt = slots.find(({ id }) => id === currentId)?.createdAt;
  const known = new Set([currentId, previousId, pending?.credential.secretId]);
  const policy = policyOf(step.settings, entryOf(step.settings, secret));
  const { lastRotatedAt } = secret;
  // A rotation that was promoted but never reported as finished leaves the date of the one before it.
  const promotionRecorded = lastRotatedAt === undefined || madeAt === undefined || lastRotatedAt >= madeAt;
  return {
    now,
    secretArn: secret.arn,
    slots,
    currentId,
    pendingId: pending && (pending.credential.secretId ?? ''),
    previous: previous && { versionId: previous.versionId, secretId: previousId },
    unlabelledIds: slots.every(({ id }) => known.has(id)) ? new Set() : await unlabelledIds(step, rotation, slots),
    promotedAt: (promotionRecorded ? lastRotatedAt : undefined) ?? madeAt ?? now,
    promotionRecorded,
    currentLifetimeHours: storedLifetimeHours(current.credential),
    policy: {
      ...policy,
      secretExpiresAfterHours: current.credential.secretExpiresAfterHours ?? policy.secretExpiresAfterHours,
    },
  };
}

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
    const value = await services.secretsManager.read(event.SecretId, { versionId }, deadline).catch(unlessUnreadable);
    const id = value === undefined ? undefined : idIn(value, current.credential.clientId);
    if (id !== undefined && present.has(id)) found.add(id);
  }
  return found;
}

/** An old version stays under its old key, which may be gone. What it held then counts as unknown: that deletes less. */
const unlessUnreadable = (error: unknown): undefined => {
  if (!(error instanceof AwsCallFailed && error.refused && error.disposition === 'give-up')) throw error;
};

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

/**
 * Takes the label off first, and looks: from then on nobody can be sent to the secret that goes, and nobody has made it
 * current meanwhile.
 */
async function remove(
  step: Step,
  rotation: Rotation,
  { slot, why, fence }: Extract<Decision, { do: 'delete' }>,
  { currentId }: View,
): Promise<void> {
  const { event, services, deadline, log } = step;
  if (slot.id === currentId) throw new Error('a rotation must never delete the current secret');
  if (fence !== undefined) {
    await services.secretsManager
      .moveStage(event.SecretId, 'AWSPREVIOUS', { from: fence }, deadline)
      .catch(unlessRefused);
  }
  await requireUnchanged(step, rotation, fence);
  await rotation.account.remove(slot.id, deadline);
  log.info('deleted a secret to make room', { facts: { clientId: rotation.account.clientId, secretId: slot.id, why } });
}

/** A refused move may mean that the label is off already, or on another version: the look after it tells. */
const unlessRefused = (error: unknown): void => {
  if (!(error instanceof AwsCallFailed && error.refused)) throw error;
};

/** Proves what can be proven before a mint burns a slot and shortens the current secret. */
async function requireFeasible(
  { services, deadline, log }: Step,
  { secret }: Rotation,
  { policy }: View,
): Promise<void> {
  const hours = policy.secretExpiresAfterHours;
  const interval = secret.rotatesEveryHours ?? 0;
  const facts = { managedSecret: secret.arn, secretExpiresAfterHours: hours, rotatesEveryHours: interval };
  if (hours < interval) {
    throw new RotationStopped(
      'ROTATION_LIFETIME_TOO_SHORT',
      `a secret of ${hours} hours would end before the next rotation of ${secret.name}, ${interval} hours later`,
      facts,
    );
  }
  if (hours < interval + SLACK_HOURS)
    log.warn('little time is left between the next rotation and the end of this secret', { facts });
  const key = secret.kmsKeyId;
  if (key !== undefined && !key.endsWith('alias/aws/secretsmanager')) {
    await services.proveKeyEncrypts(key, secret.arn, deadline);
  }
}

async function mintAndStore(step: Step, rotation: Rotation, lifetimeHours: number, view: View): Promise<void> {
  const { event, log, deadline } = step;
  const { account, secret, current } = rotation;
  const currentEnd = view.slots.find(({ id }) => id === view.currentId)?.expiresAt ?? view.now;
  // From here on the current secret ends within seven days, whatever happens next.
  const currentEnds = new Date(Math.min(currentEnd.getTime(), view.now.getTime() + CLAMP_MS)).toISOString();
  const facts = {
    managedSecret: secret.arn,
    clientId: account.clientId,
    versionId: event.ClientRequestToken,
    currentEnds,
  };

  const minting = earlier(deadline, STORE_RESERVE_MS);
  if (minting.remainingMs() <= 0) {
    throw new RotationStopped('ROTATION_MUST_WAIT', 'too little time is left to make a secret and store it', facts);
  }
  log.info('minting', { facts: { ...facts, lifetimeHours } });
  const minted = await account.mint(lifetimeHours, minting).catch((cause: unknown) => {
    if (!(cause instanceof AtlasOutcomeUnknown)) throw cause;
    throw new RotationStopped(
      'ROTATION_MINT_UNKNOWN',
      `Atlas may have made a secret for ${secret.name} whose value nobody holds: the next try deletes it once it is twenty minutes old; the current secret may end by ${currentEnds}`,
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
  await requireStillOurs(step, rotation);
  log.info('minted and stored a new secret', { facts: { ...facts, secretId: minted.id, expiresAt: minted.expiresAt } });
}

/** A deadline `ms` milliseconds before this one. */
const earlier = ({ signal, remainingMs }: Deadline, ms: number): Deadline => ({
  signal: AbortSignal.any([signal, AbortSignal.timeout(Math.max(0, remainingMs() - ms))]),
  remainingMs: () => remainingMs() - ms,
});

/**
 * A value somebody else wrote during the mint ends the rotation, and storing ours has just attached AWSPENDING again:
 * left there, it would block every later rotation.
 */
async function requireStillOurs({ event, services, deadline }: Step, { secret, current }: Rotation): Promise<void> {
  const now = await services.secretsManager.describe(event.SecretId, deadline);
  if (versionAt(now, 'AWSCURRENT') === current.versionId) return;
  await services.secretsManager.moveStage(event.SecretId, 'AWSPENDING', { from: event.ClientRequestToken }, deadline);
  throw new RotationStopped(
    'ROTATION_NOT_STAGED',
    `somebody wrote a value to ${secret.name} during its rotation: theirs stays`,
    {
      managedSecret: secret.arn,
      versionId: event.ClientRequestToken,
    },
  );
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
  for (let attempt = 0; ; attempt++) {
    try {
      return await services.secretsManager.store(
        event.SecretId,
        { token: event.ClientRequestToken, value, stage: 'AWSPENDING', rotationToken: event.RotationToken },
        deadline,
      );
    } catch (cause) {
      const pause = STORE_AGAIN_MS[attempt];
      if (pause !== undefined && pause < deadline.remainingMs()) {
        await clock.sleep(pause, deadline.signal);
        continue;
      }
      throw new RotationStopped(
        'ROTATION_STORE_FAILED',
        `a new secret was made and could not be stored; the next try deletes it once it is twenty minutes old, and the current one ends by ${facts['currentEnds']}`,
        { ...facts, secretId: minted.id, error: cause instanceof AutomationError ? cause.facts : undefined },
        { cause },
      );
    }
  }
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
    straggler: 'is the replaced one, and somebody used it more than an hour after the promotion',
    young: 'may be on its way into storage',
  }[decision.why];
  return new RotationStopped(
    'ROTATION_MUST_WAIT',
    `secret ${slot.id} holds the account's second slot until ${until}: it ${why}`,
    { ...facts, until, why: decision.why },
  );
}
