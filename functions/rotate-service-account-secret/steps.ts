import { versionAt } from '../../lib/aws/secrets-manager.ts';
import { AutomationError } from '../../lib/errors.ts';
import { ROTATION_FAILED, RotationFailed } from '../../lib/events/rotation.ts';
import { createSecret, preview } from './create-secret.ts';
import { RotationStopped } from './errors.ts';
import { confirm, finishSecret, tellIfUntold } from './finish-secret.ts';
import { requirePromotable } from './pending.ts';
import { prove } from './prove.ts';
import { openSecret, type Rotation, readRotation, type Step } from './rotation.ts';
import { mention, rotationEvent } from './tell.ts';

/**
 * One step of a rotation. Every step reads the world anew, refuses what does not fit before it writes anything, and may
 * be run again at any point.
 * Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
 */
export async function runStep(step: Step): Promise<void> {
  return takeStep(step, await readRotation(step, await openSecret(step)));
}

/** The same on a rotation that was read already. A failure is told, and thrown on. */
export async function takeStep(step: Step, rotation: Rotation): Promise<void> {
  const { event, log } = step;
  const { secret, mode } = rotation;
  const facts = { step: event.Step, managedSecret: secret.arn, versionId: event.ClientRequestToken, mode };
  log.info('step started', { facts });
  // Secrets Manager tests a rotation's settings by this step alone, on a version that never gets a value.
  const isCurrent = versionAt(secret, 'AWSCURRENT') === event.ClientRequestToken;
  if (event.Step === 'testSecret' && !rotation.pending && !isCurrent) return rehearse(step, rotation);
  try {
    await (isCurrent ? confirm(step, rotation) : carryOut(step, rotation));
  } catch (error) {
    await tellFailure(step, rotation, error);
    throw error;
  }
}

async function carryOut(step: Step, rotation: Rotation): Promise<void> {
  const { event } = step;
  const { secret, pending } = rotation;
  if (event.Step === 'createSecret') {
    if (!pending) await tellIfUntold(step, rotation);
    return createSecret(step, rotation);
  }
  if (!pending) {
    throw new RotationStopped('ROTATION_PENDING_MISSING', `${secret.name} has no AWSPENDING value yet`, {
      managedSecret: secret.arn,
      versionId: event.ClientRequestToken,
    });
  }
  // A token from the stored bytes proves that the secret is there; the next step calls Atlas with it.
  if (event.Step === 'setSecret')
    return requirePromotable(step, rotation, pending, { tokenOnly: true, keepToken: true, isNew: false });
  if (event.Step === 'testSecret') return requirePromotable(step, rotation, pending, { keepToken: true });
  return finishSecret(step, rotation, pending);
}

/** A stranger in the slot has been told of already. */
async function tellFailure(step: Step, { secret, account }: Rotation, error: unknown): Promise<void> {
  const { event } = step;
  const code = error instanceof AutomationError ? error.code : 'UNEXPECTED';
  if (code === 'ROTATION_FOREIGN_SECRET') return;
  await mention(
    step,
    rotationEvent(ROTATION_FAILED, RotationFailed, {
      id: `failed:${event.ClientRequestToken}:${event.Step}:${code}`,
      secretArn: secret.arn,
      versionId: event.ClientRequestToken,
      clientId: account.clientId,
      requestIds: [],
      step: event.Step,
      code,
      reason: error instanceof AutomationError ? error.message : 'an error nobody foresaw: see the log',
      mayPass: error instanceof AutomationError && error.disposition === 'retry',
    }),
  );
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
