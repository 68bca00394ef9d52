import { versionAt } from '../../lib/aws/secrets-manager.ts';
import { SECRET_ROLLED_BACK, SecretRolledBack } from '../../lib/events/rotation.ts';
import { accountWith, cannotAct } from './acting.ts';
import { claimedIfFree } from './claim.ts';
import { RotationStopped } from './errors.ts';
import { identify } from './look.ts';
import { detachPending, lookFor } from './pending.ts';
import { giveBack, prove } from './prove.ts';
import {
  type Held,
  openSecret,
  pendingOf,
  type Rotation,
  readRotation,
  requireUnchanged,
  type Step,
} from './rotation.ts';
import type { Slot } from './second-slot.ts';
import { type SweepStep, type Swept, stepAt } from './sweep.ts';
import { takeBack } from './take-back.ts';
import { requestIdsOf, rotationEvent, tell } from './tell.ts';
import { revocationVersion, rolledBackVersion } from './version-ids.ts';

/** A secret that is put back must be replaced before it ends: less time than this is too little to count on. */
const LEAST_LEFT_MS = 6 * 3_600_000;

/**
 * Puts the previous value back as a new version, once it has shown that it works. What it replaces goes on working, for
 * its grace. Safe to repeat: the same rollback is done once. Never moves a label back to an older version, because a
 * promotion that comes late could then succeed a second time.
 */
export async function rollback(sweep: SweepStep): Promise<Swept> {
  const { services, deadline, managedSecret, dryRun } = sweep;
  const described = await services.secretsManager.describe(managedSecret, deadline);
  const step = stepAt(sweep, described);
  const secret = await openSecret(step, { evenWhenOff: true });
  const pending = pendingOf(secret);
  // This very rollback may have been begun, and killed.
  if (pending !== undefined && pending !== rolledBackVersion(versionAt(secret, 'AWSCURRENT') ?? '')) {
    throw new RotationStopped(
      'ROTATION_UNDER_WAY',
      `a rotation of ${secret.name} is under way: let it end, or take AWSPENDING off version ${pending}, and roll back then`,
      { managedSecret: secret.arn, versionId: pending },
    );
  }
  const read = await readRotation(step, secret);
  const { previous, current } = read;
  if (!previous) throw nothingBehind(read, 'has no previous value');
  if (current.versionId === rolledBackVersion(previous.versionId)) return done(step, read, dryRun);
  const { rotation, slot } = await requirePrevious(step, read, previous);
  const swept = { managedSecret: secret.arn, secretId: slot.id, expiresAt: slot.expiresAt.toISOString() };
  if (dryRun) return { ...swept, state: 'would roll back' };
  await claimedIfFree(sweep, rotation.account.clientId, () => putBack(step, rotation, previous, slot));
  return { ...swept, state: 'rolled back' };
}

const nothingBehind = ({ secret }: Rotation, problem: string): RotationStopped =>
  new RotationStopped('ROTATION_PREVIOUS_DEAD', `${secret.name} ${problem}: there is nothing to roll back to`, {
    managedSecret: secret.arn,
  });

/** The previous secret, alive by Atlas's list and by its own proof, and a rotation that can act on the account. */
async function requirePrevious(
  step: Step,
  rotation: Rotation,
  previous: Held,
): Promise<{ rotation: Rotation; slot: Slot }> {
  // An account that acts for itself, with a current value that no longer works, acts with the one it goes back to.
  const list = (account: Rotation['account']) => account.secrets(step.deadline);
  let able = rotation;
  const { slots, now } = await list(rotation.account).catch((error: unknown) => {
    if (!cannotAct(error, rotation)) throw error;
    able = { ...rotation, account: accountWith(step, rotation, previous) };
    return list(able.account);
  });
  const { previousId } = identify(rotation, slots);
  const slot = slots.find(({ id }) => id === previousId);
  if (!slot) throw nothingBehind(rotation, 'has a previous secret that is no longer in Atlas');
  if (rotation.current.versionId === revocationVersion(slot.id))
    throw nothingBehind(rotation, 'had its previous secret replaced because it has leaked');
  if (slot.expiresAt <= now) throw nothingBehind(rotation, 'has a previous secret that has expired');
  if (slot.expiresAt.getTime() - now.getTime() < LEAST_LEFT_MS)
    throw nothingBehind(
      rotation,
      `has a previous secret that ends at ${slot.expiresAt.toISOString()}, too soon to rotate again`,
    );
  await prove(step, previous, { keepToken: able !== rotation });
  return { rotation: able, slot };
}

/**
 * AWSPENDING says what is coming before the labels are looked at once more: who deletes the previous secret takes its
 * label off first and then looks for AWSPENDING, so that one of the two sees the other. It stays on until everybody is
 * told: killed anywhere, the sweep goes on as with any rotation.
 */
async function putBack(step: Step, rotation: Rotation, previous: Held, slot: Slot): Promise<void> {
  const { services, event, deadline } = step;
  const { current } = rotation;
  const { SecretId } = event;
  await requireUnchanged(step, rotation);
  const versionId = rolledBackVersion(current.versionId);
  const next: Step = { ...step, event: { ...event, ClientRequestToken: versionId } };
  const stored = await services.secretsManager.store(
    SecretId,
    { token: versionId, value: previous.value, stage: 'AWSPENDING' },
    deadline,
  );
  await requireComing(next, rotation, previous);
  const moved = await services.secretsManager.moveStage(
    SecretId,
    'AWSCURRENT',
    { from: current.versionId, to: versionId },
    deadline,
  );
  const restored: Rotation = { ...rotation, current: { ...previous, versionId }, previous: current };
  // Somebody may have deleted it in the meantime: then what was replaced comes back.
  if (!(await lookFor(next, restored, restored.current)).alive) return takeBack(next, restored);
  await giveBack(step, previous);
  await tellOf(step, restored, slot, requestIdsOf(stored, moved));
  await detachPending(next);
}

/** Refuses unless the version is coming, to the place of the same one, and the previous secret is not about to go. */
async function requireComing(next: Step, { secret, current }: Rotation, previous: Held): Promise<void> {
  const { event, services, deadline } = next;
  const { SecretId, ClientRequestToken: versionId } = event;
  let now = await services.secretsManager.describe(SecretId, deadline);
  if (versionAt(now, 'AWSPENDING') === undefined) {
    // An earlier try stored it and lost the label: what is stored already is not labelled again.
    await services.secretsManager.moveStage(SecretId, 'AWSPENDING', { to: versionId }, deadline);
    now = await services.secretsManager.describe(SecretId, deadline);
  }
  const isComing =
    now.deletedAt === undefined &&
    versionAt(now, 'AWSPENDING') === versionId &&
    versionAt(now, 'AWSCURRENT') === current.versionId &&
    versionAt(now, 'AWSPREVIOUS') === previous.versionId;
  if (isComing) return;
  await detachPending(next);
  throw new RotationStopped(
    'ROTATION_CURRENT_MOVED',
    `somebody changed ${secret.name} during its rollback: nothing was put back`,
    { managedSecret: secret.arn, versionId },
  );
}

/** It was done already, and perhaps not told. */
async function done(step: Step, rotation: Rotation, dryRun: boolean): Promise<Swept> {
  const { slots } = await rotation.account.secrets(step.deadline);
  const { currentId } = identify(rotation, slots);
  const slot = slots.find(({ id }) => id === currentId);
  if (slot && !dryRun) {
    await tellOf(step, rotation, slot, []);
    if (versionAt(rotation.secret, 'AWSPENDING') === rotation.current.versionId) await detachPending(step);
  }
  return {
    managedSecret: rotation.secret.arn,
    state: 'rolled back',
    secretId: currentId,
    expiresAt: slot?.expiresAt.toISOString(),
    reason: 'this value was put back already',
  };
}

async function tellOf(step: Step, { secret, current, previous, account }: Rotation, slot: Slot, requestIds: string[]) {
  await tell(
    step,
    rotationEvent(SECRET_ROLLED_BACK, SecretRolledBack, {
      id: `rolled back:${current.versionId}`,
      secretArn: secret.arn,
      versionId: current.versionId,
      clientId: account.clientId,
      requestIds,
      secretId: slot.id,
      expiresAt: slot.expiresAt.toISOString(),
      replacedVersionId: previous?.versionId ?? '',
      replacedSecretId: previous?.credential.secretId ?? null,
    }),
  );
}
