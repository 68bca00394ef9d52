import { createHash } from 'node:crypto';
import { AtlasCredentialsRefused } from '../../lib/atlas/errors.ts';
import { versionAt } from '../../lib/aws/secrets-manager.ts';
import { ROTATION_TAKEN_BACK, RotationTakenBack, SECRET_ROTATED, SecretRotated } from '../../lib/events/rotation.ts';
import { accountOf } from './account.ts';
import { scopeOf } from './credential.ts';
import { identifyCurrent } from './decide.ts';
import { RotationStopped } from './errors.ts';
import { detachPending, type Look, lookFor, requireProven } from './pending.ts';
import { type Held, locate, type Rotation, type Step } from './rotation.ts';
import { tell } from './tell.ts';

/**
 * finishSecret: proves the new value once more, moves AWSCURRENT to it by compare-and-swap, and makes sure that it
 * still works afterwards. The replaced secret stays: the next rotation deletes it when its grace is over.
 */
export async function finishSecret(step: Step, rotation: Rotation, pending: Held): Promise<void> {
  await requireProven(step, rotation, pending, false);
  await promote(step, rotation);
  await confirm(step, { ...rotation, current: pending, previous: rotation.current, pending: undefined });
}

async function promote(step: Step, { secret, current }: Rotation): Promise<void> {
  const { event, services, deadline, log } = step;
  const to = event.ClientRequestToken;
  try {
    await services.secretsManager.moveStage(event.SecretId, 'AWSCURRENT', { from: current.versionId, to }, deadline);
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
}

/**
 * What follows a promotion: the new secret is still there, and everybody is told. Runs right after it, and again
 * whenever a step finds its version current already, so that a process that died in between leaves nothing undone.
 */
export async function confirm(step: Step, rotation: Rotation): Promise<void> {
  const { current } = rotation;
  try {
    const look = await lookFor(step, rotation, current);
    if (look.alive) return await announce(step, rotation, look);
  } catch (error) {
    // An account that rotates itself asks with the very credentials in question.
    if (!(error instanceof AtlasCredentialsRefused && rotation.mode === 'self' && rotation.previous)) throw error;
    const { previous, account } = rotation;
    const asPrevious = accountOf(step.services.atlasTrying(previous), scopeOf(previous.credential), account.clientId);
    if ((await lookFor(step, { ...rotation, account: asPrevious }, current)).alive) throw error;
    return takeBack(step, { ...rotation, account: asPrevious });
  }
  return takeBack(step, rotation);
}

async function announce(step: Step, rotation: Rotation, { slots }: Look): Promise<void> {
  const { secret, current, account } = rotation;
  const { currentId, previousId } = locate(rotation, slots);
  const endOf = (secretId: string | undefined): string | null =>
    slots.find(({ id }) => id === secretId)?.expiresAt.toISOString() ?? null;
  const detail: SecretRotated = {
    secretArn: secret.arn,
    versionId: current.versionId,
    clientId: account.clientId,
    secretId: currentId,
    expiresAt: endOf(currentId),
    previousSecretId: previousId ?? null,
    overlapUntil: endOf(previousId),
  };
  await tell(step, { detailType: SECRET_ROTATED, detail: SecretRotated.parse(detail), resources: [secret.arn] });
}

/**
 * The new secret was deleted while it was promoted. Its predecessor's bytes become a new version: moving the label back
 * instead would let a late promotion succeed a second time.
 */
async function takeBack(step: Step, { secret, current: dead, previous, account }: Rotation): Promise<never> {
  const { event, services, deadline } = step;
  const { slots, now } = await account.secrets(deadline);
  const previousId =
    previous?.credential.secretId ?? (previous && identifyCurrent(previous.credential.clientSecret, slots));
  const restored = slots.find(({ id, expiresAt }) => id === previousId && expiresAt > now);
  const facts = { managedSecret: secret.arn, secretId: dead.credential.secretId, restoredSecretId: restored?.id };
  if (!restored || !previous) {
    throw new RotationStopped(
      'ROTATION_TAKEN_BACK',
      `the current secret of ${secret.name} was deleted in Atlas while it was promoted, and there is no previous one that works`,
      facts,
    );
  }
  // Whoever has written a value since knows better.
  const current = versionAt(await services.secretsManager.describe(event.SecretId, deadline), 'AWSCURRENT');
  if (current !== dead.versionId) {
    throw new RotationStopped(
      'ROTATION_CURRENT_MOVED',
      `somebody changed ${secret.name} meanwhile: their value stays`,
      facts,
    );
  }
  // The same version id at every try: taking back twice is taking back once.
  const token = createHash('sha256').update(`taken back: ${dead.versionId}`).digest('hex');
  await services.secretsManager.store(
    event.SecretId,
    { token, value: previous.value, stage: 'AWSCURRENT', rotationToken: event.RotationToken },
    deadline,
  );
  const detail: RotationTakenBack = {
    secretArn: secret.arn,
    versionId: dead.versionId,
    clientId: account.clientId,
    secretId: dead.credential.secretId ?? null,
    restoredVersionId: token,
    restoredSecretId: restored.id,
    deadline: restored.expiresAt.toISOString(),
  };
  await tell(step, {
    detailType: ROTATION_TAKEN_BACK,
    detail: RotationTakenBack.parse(detail),
    resources: [secret.arn],
  });
  throw new RotationStopped(
    'ROTATION_TAKEN_BACK',
    `the new secret of ${secret.name} was deleted while it was promoted: the previous value is current again and ends ${detail.deadline}`,
    facts,
  );
}
