import { createHash } from 'node:crypto';
import { versionAt } from '../../lib/aws/secrets-manager.ts';
import { ROTATION_TAKEN_BACK, RotationTakenBack, SECRET_ROTATED, SecretRotated } from '../../lib/events/rotation.ts';
import { RotationStopped } from './errors.ts';
import { prove } from './prove.ts';
import { type Held, locate, type Rotation, type Step } from './rotation.ts';

/**
 * finishSecret: proves the new value once more, moves AWSCURRENT to it by compare-and-swap, and makes sure that it
 * still works afterwards. The replaced secret stays: the next rotation deletes it when its grace is over.
 */
export async function finishSecret(step: Step, rotation: Rotation, pending: Held): Promise<void> {
  await prove(step, pending.credential);
  await promote(step, rotation);
  const { slots, now } = await rotation.account.secrets(step.deadline);
  const alive = slots.some(({ id, expiresAt }) => id === pending.credential.secretId && expiresAt > now);
  if (!alive) return takeBack(step, rotation, pending);
  await announce(step, { ...rotation, current: pending, previous: rotation.current });
}

async function promote({ event, services, deadline, log }: Step, { secret, current }: Rotation): Promise<void> {
  const to = event.ClientRequestToken;
  try {
    await services.secretsManager.moveStage(event.SecretId, 'AWSCURRENT', { from: current.versionId, to }, deadline);
  } catch (cause) {
    // The move may have been carried out and its answer lost: the label itself is what tells.
    const at = versionAt(await services.secretsManager.describe(event.SecretId, deadline), 'AWSCURRENT');
    if (at === current.versionId) throw cause;
    if (at !== to) {
      throw new RotationStopped(
        'ROTATION_CURRENT_MOVED',
        `somebody changed ${secret.name} during its rotation: their value stays`,
        { managedSecret: secret.arn, versionId: to },
        { cause },
      );
    }
  }
  log.info('promoted the new secret', { facts: { managedSecret: secret.arn, versionId: to } });
}

/**
 * Says that the new secret is in use. Runs right after the promotion, and again whenever a step finds its version
 * current already: a process that died in between leaves nothing unsaid.
 */
export async function announce(step: Step, rotation: Rotation): Promise<void> {
  const { secret, current, account } = rotation;
  const { slots } = await account.secrets(step.deadline);
  const { currentId, previousId } = locate(rotation, slots);
  const detail: SecretRotated = {
    secretArn: secret.arn,
    versionId: current.versionId,
    clientId: account.clientId,
    secretId: currentId,
    expiresAt: slots.find(({ id }) => id === currentId)?.expiresAt.toISOString() ?? null,
    previousSecretId: previousId ?? null,
    overlapUntil: slots.find(({ id }) => id === previousId)?.expiresAt.toISOString() ?? null,
  };
  await step.services.events.publish(
    { detailType: SECRET_ROTATED, detail: SecretRotated.parse(detail), resources: [secret.arn] },
    step.deadline,
  );
}

/**
 * The new secret was deleted between the proof and the promotion. Its predecessor's bytes become a new version: moving
 * the label back instead would let a late promotion succeed a second time.
 */
async function takeBack(step: Step, { secret, current, account }: Rotation, dead: Held): Promise<never> {
  const { event, services, deadline } = step;
  const token = createHash('sha256').update(`taken back: ${event.ClientRequestToken}`).digest('hex');
  const { slots, now } = await account.secrets(deadline);
  const restored = slots.find(({ id, expiresAt }) => id === current.credential.secretId && expiresAt > now);
  if (restored) {
    await services.secretsManager.store(
      event.SecretId,
      { token, value: current.value, stage: 'AWSCURRENT', rotationToken: event.RotationToken },
      deadline,
    );
    const detail: RotationTakenBack = {
      secretArn: secret.arn,
      versionId: dead.versionId,
      clientId: account.clientId,
      secretId: dead.credential.secretId ?? '',
      restoredVersionId: token,
      restoredSecretId: restored.id,
      deadline: restored.expiresAt.toISOString(),
    };
    await services.events.publish(
      { detailType: ROTATION_TAKEN_BACK, detail: RotationTakenBack.parse(detail), resources: [secret.arn] },
      deadline,
    );
  }
  throw new RotationStopped(
    'ROTATION_TAKEN_BACK',
    restored
      ? `the new secret of ${secret.name} was deleted while it was promoted: the previous value is current again and ends ${restored.expiresAt.toISOString()}`
      : `the new secret of ${secret.name} was deleted while it was promoted, and there is no previous one that works`,
    { managedSecret: secret.arn, secretId: dead.credential.secretId, restoredSecretId: restored?.id },
  );
}
