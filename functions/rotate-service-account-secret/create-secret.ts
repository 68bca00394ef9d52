import { AwsCallFailed } from '../../lib/aws/errors.ts';
import { entryOf, policyOf } from './contract.ts';
import { parseCredential, storedLifetimeHours } from './credential.ts';
import { type Decision, decide, type MaskedSlot, type View } from './decide.ts';
import { RotationStopped } from './errors.ts';
import { mintAndStore, requireFeasible } from './mint.ts';
import { dropPending, requireAlive } from './pending.ts';
import { proveCurrent } from './prove.ts';
import { locate, type Rotation, requireUnchanged, type Step } from './rotation.ts';

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

/** What createSecret would do, without doing it. Throws where it would stop. */
export async function preview(step: Step, rotation: Rotation): Promise<Decision> {
  const view = await viewOf(step, rotation);
  const decision = decide(view);
  if (decision.do === 'refuse' || decision.do === 'wait') throw stopped(decision, view);
  await requireFeasible(step, rotation, view);
  return decision;
}

/** Everything there is to decide on, read now. */
export async function viewOf(step: Step, rotation: Rotation): Promise<View> {
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
export async function remove(
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
  log.info('deleted a secret that was due', { facts: { clientId: rotation.account.clientId, secretId: slot.id, why } });
}

/** A refused move may mean that the label is off already, or on another version: the look after it tells. */
const unlessRefused = (error: unknown): void => {
  if (!(error instanceof AwsCallFailed && error.refused)) throw error;
};

/** Why a slot does not become free, as the error that says so. */
export function stopped(decision: Extract<Decision, { do: 'wait' | 'refuse' }>, { now }: View): RotationStopped {
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
