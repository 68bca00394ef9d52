import { versionAt } from '../../lib/aws/secrets-manager.ts';
import { createSecret, preview } from './create-secret.ts';
import { RotationStopped } from './errors.ts';
import { confirm, finishSecret } from './finish-secret.ts';
import { requireAlive, requireProven } from './pending.ts';
import { prove } from './prove.ts';
import { openSecret, type Rotation, readRotation, type Step } from './rotation.ts';

/**
 * One step of a rotation. Every step reads the world anew, refuses what does not fit before it writes anything, and may
 * be run again at any point.
 * Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
 */
export async function runStep(step: Step): Promise<void> {
  const { event } = step;
  const secret = await openSecret(step);
  const rotation = await readRotation(step, secret);
  step.log.info('step started', {
    facts: { step: event.Step, managedSecret: secret.arn, versionId: event.ClientRequestToken, mode: rotation.mode },
  });
  if (versionAt(secret, 'AWSCURRENT') === event.ClientRequestToken) return confirm(step, rotation);

  if (event.Step === 'createSecret') return createSecret(step, rotation);
  const { pending } = rotation;
  if (!pending) {
    // Secrets Manager tests a rotation's settings by this step alone, on a version that never gets a value.
    if (event.Step === 'testSecret') return rehearse(step, rotation);
    throw new RotationStopped('ROTATION_PENDING_MISSING', `${secret.name} has no AWSPENDING value yet`, {
      managedSecret: secret.arn,
      versionId: event.ClientRequestToken,
    });
  }
  if (event.Step === 'setSecret') return requireAlive(step, rotation, pending);
  if (event.Step === 'testSecret') return requireProven(step, rotation, pending, true);
  return finishSecret(step, rotation, pending);
}

/** Checks all that a rotation needs, and changes nothing: the current credentials work, and the way ahead is clear. */
async function rehearse(step: Step, rotation: Rotation): Promise<void> {
  await prove(step, rotation.current);
  const next = await preview(step, rotation).then(
    ({ do: decision }) => decision,
    (error: unknown) => {
      // What only takes time is no fault of the settings.
      if (error instanceof RotationStopped && error.code === 'ROTATION_MUST_WAIT') return error.message;
      throw error;
    },
  );
  step.log.info('the settings are good for a rotation', { facts: { next } });
}
