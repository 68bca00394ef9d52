import { versionAt, type Written } from '../../lib/aws/secrets-manager.ts';
import { SECRET_ROTATED, SecretRotated } from '../../lib/events/rotation.ts';
import { accountWith } from './acting.ts';
import { RotationStopped } from './errors.ts';
import { identify } from './look.ts';
import { detachPending, lookFor, requirePromotable } from './pending.ts';
import { BY_HAND_MS } from './promotion.ts';
import { giveBack, isProven, isRefused } from './prove.ts';
import type { Held, Rotation, Step } from './rotation.ts';
import { CLAMP_MS } from './second-slot.ts';
import { takeBack } from './take-back.ts';
import { requestIdsOf, rotationEvent, tell } from './tell.ts';

/** A proof this young, with its token still in hand, is as good as another one, in milliseconds. */
const STILL_PROVEN_MS = 60_000;

/**
 * finishSecret: makes sure of the new value once more, moves AWSCURRENT to it by compare-and-swap, and makes sure that it
 * still works afterwards. The replaced secret stays: the sweep, or the next rotation, deletes it when its grace is over.
 */
export async function finishSecret(step: Step, rotation: Rotation, pending: Held): Promise<void> {
  // An administrator's rotation has spent a call on the current value, and one on the organization's limit: here the
  // last proof has to do, and what dies meanwhile is found right after the promotion, and taken back.
  const spent = rotation.mode === 'admin' && 'orgId' in rotation.account.scope;
  const proven = spent && isProven(step, pending, STILL_PROVEN_MS);
  if (!proven) await requirePromotable(step, rotation, pending, { keepToken: true });
  const moved = await promote(step, rotation);
  const promoted = { ...rotation, current: pending, previous: rotation.current, pending: undefined };
  if (rotation.mode === 'admin') {
    // With a secret that was deleted meanwhile, Atlas no longer takes its token back.
    const works = await giveBack(step, pending);
    const known = works ? knownOf(promoted) : undefined;
    return known ? announce(step, promoted, known, moved) : confirm(step, promoted, moved);
  }
  // The new credentials look for themselves: whatever they find, they work.
  try {
    await confirm(step, { ...promoted, account: accountWith(step, rotation, pending) }, moved);
  } finally {
    await giveBack(step, pending);
  }
}

async function promote(step: Step, { secret, current }: Rotation): Promise<Written> {
  const { event, services, deadline, log } = step;
  const to = event.ClientRequestToken;
  let moved: Written = { requestId: undefined };
  try {
    moved = await services.secretsManager.moveStage(
      event.SecretId,
      'AWSCURRENT',
      { from: current.versionId, to },
      deadline,
    );
  } catch (cause) {
    // The move may have been carried out and its answer lost: the label itself is what tells.
    const at = versionAt(await services.secretsManager.describe(event.SecretId, deadline), 'AWSCURRENT');
    if (at === current.versionId) throw cause;
    if (at !== to) {
      // Else the next try of this rotation would take their value for the one to replace.
      await detachPending(step);
      throw new RotationStopped(
        'ROTATION_CURRENT_MOVED',
        `somebody changed ${secret.name} during its rotation: their value stays`,
        { managedSecret: secret.arn, versionId: to },
        { cause },
      );
    }
  }
  log.info('promoted the new secret', { facts: { managedSecret: secret.arn, versionId: to } });
  return moved;
}

/**
 * What follows a promotion: the new secret is still there, and everybody is told. Runs right after it, and again
 * whenever a step or the sweep finds the version current and unconfirmed, so that a process that died in between leaves
 * nothing undone.
 */
export async function confirm(step: Step, rotation: Rotation, moved?: Written): Promise<void> {
  const { current } = rotation;
  try {
    const look = await lookFor(step, rotation, current);
    if (look.alive) return await announce(step, rotation, seenBy(rotation, look.slots), moved);
  } catch (error) {
    // An account that rotates itself asks with the very credentials in question.
    if (!(isRefused(error) && rotation.mode === 'self' && rotation.previous)) throw error;
    const asPrevious = accountWith(step, rotation, rotation.previous);
    if ((await lookFor(step, { ...rotation, account: asPrevious }, current)).alive) throw error;
    return takeBack(step, { ...rotation, account: asPrevious });
  }
  return takeBack(step, rotation);
}

/**
 * Tells of the current version where nobody may have been told of its promotion: a rotation that Secrets Manager never
 * saw to its end, and the label that said so has gone to the next one. Repeats are harmless.
 */
export async function tellIfUntold(step: Step, rotation: Rotation): Promise<void> {
  const { secret, current, previous } = rotation;
  const { createdAt } = current.credential;
  if (!previous || createdAt === undefined) return;
  const madeAt = Date.parse(createdAt);
  if (secret.lastRotatedAt && secret.lastRotatedAt.getTime() >= madeAt) return;
  const versions = await step.services.secretsManager.versions(secret.arn, step.deadline);
  const begun = versions.find(({ versionId }) => versionId === current.versionId)?.createdAt;
  // A version much younger than the secret in it was written by hand, and is nobody's promotion.
  if (!begun || begun.getTime() - madeAt > BY_HAND_MS) return;
  const { slots } = await rotation.account.secrets(step.deadline);
  await announce(step, rotation, seenBy(rotation, slots), undefined);
}

type Known = Pick<SecretRotated, 'secretId' | 'expiresAt' | 'previousSecretId' | 'overlapUntil'>;

/** What the event says, as Atlas lists it. */
function seenBy(rotation: Rotation, slots: Parameters<typeof identify>[1]): Known {
  const { currentId, previousId } = identify(rotation, slots);
  const endOf = (secretId: string | undefined): string | null =>
    slots.find(({ id }) => id === secretId)?.expiresAt.toISOString() ?? null;
  return {
    secretId: currentId ?? '',
    expiresAt: endOf(currentId),
    previousSecretId: previousId ?? null,
    overlapUntil: endOf(previousId),
  };
}

/** The same from the stored values alone; undefined where they leave too much out. */
function knownOf({ current, previous }: Rotation): Known | undefined {
  const { secretId, createdAt, expiresAt } = current.credential;
  if (secretId === undefined || createdAt === undefined || expiresAt === undefined) return undefined;
  const previousEnd = previous?.credential.expiresAt;
  const clamped = Date.parse(createdAt) + CLAMP_MS;
  return {
    secretId,
    expiresAt,
    previousSecretId: previous?.credential.secretId ?? null,
    overlapUntil: previousEnd ? new Date(Math.min(Date.parse(previousEnd), clamped)).toISOString() : null,
  };
}

async function announce(
  step: Step,
  { secret, current, account }: Rotation,
  known: Known,
  moved: Written | undefined,
): Promise<void> {
  await tell(
    step,
    rotationEvent(SECRET_ROTATED, SecretRotated, {
      id: `rotated:${current.versionId}`,
      secretArn: secret.arn,
      versionId: current.versionId,
      clientId: account.clientId,
      requestIds: requestIdsOf(moved),
      ...known,
    }),
  );
}
