import { AtlasCredentialsRefused } from '../../lib/atlas/errors.ts';
import { AwsCallFailed } from '../../lib/aws/errors.ts';
import { versionAt } from '../../lib/aws/secrets-manager.ts';
import type { MaskedSlot } from './decide.ts';
import { RotationStopped } from './errors.ts';
import { prove } from './prove.ts';
import type { Held, Rotation, Step } from './rotation.ts';

/** A list may lag behind a write: pauses between looks for a secret that must be in it, in milliseconds. */
const LOOK_AGAIN_MS = [1_000, 3_000];

/** What a look at the account showed of the secret behind one version. */
export interface Look {
  readonly alive: boolean;
  readonly slots: readonly MaskedSlot[];
}

/**
 * Looks whether the secret behind a version can still be used. Atlas's list says so; that it is not listed is believed
 * only after looks some seconds apart, and when Atlas does not take the credentials themselves either.
 */
export async function lookFor(step: Step, { account }: Rotation, held: Held): Promise<Look> {
  let slots: readonly MaskedSlot[] = [];
  for (const pause of [...LOOK_AGAIN_MS, undefined]) {
    const seen = await account.secrets(step.deadline);
    slots = seen.slots;
    const slot = slots.find(({ id }) => id === held.credential.secretId);
    if (slot) return { alive: slot.expiresAt > seen.now, slots };
    if (pause !== undefined) await step.clock.sleep(pause, step.deadline.signal);
  }
  try {
    await prove(step, held);
    return { alive: true, slots };
  } catch (error) {
    if (error instanceof AtlasCredentialsRefused) return { alive: false, slots };
    throw error;
  }
}

/** Stops, and drops the stored value, where its secret is gone or has expired. */
export async function requireAlive(step: Step, rotation: Rotation, pending: Held): Promise<void> {
  const { alive } = await lookFor(step, rotation, pending);
  if (!alive) await dropPending(step, rotation);
}

/**
 * Proves the stored value: what works is there, so nothing is listed. Where Atlas refuses the credentials it is looked
 * up whether the secret is gone for good, and the value dropped; else the refusal stands, and may pass.
 */
export async function requireProven(step: Step, rotation: Rotation, pending: Held, keepToken: boolean): Promise<void> {
  try {
    await prove(step, pending, { isNew: true, keepToken });
  } catch (error) {
    if (error instanceof AtlasCredentialsRefused) await requireAlive(step, rotation, pending);
    throw error;
  }
}

/** A value whose secret is gone or expired can never be promoted, and blocks every later rotation until it is dropped. */
export async function dropPending(step: Step, { secret, pending }: Rotation): Promise<never> {
  await detachPending(step);
  throw new RotationStopped(
    'ROTATION_PENDING_DEAD',
    `the new secret of ${secret.name} is no longer in Atlas or has expired: dropped it, rotate again`,
    { managedSecret: secret.arn, versionId: step.event.ClientRequestToken, secretId: pending?.credential.secretId },
  );
}

/** Takes AWSPENDING off this rotation's version. Fine when it is off already. */
export async function detachPending({ event, services, deadline }: Step): Promise<void> {
  const { SecretId, ClientRequestToken: from } = event;
  try {
    await services.secretsManager.moveStage(SecretId, 'AWSPENDING', { from }, deadline);
  } catch (error) {
    if (!(error instanceof AwsCallFailed && error.refused)) throw error;
    if (versionAt(await services.secretsManager.describe(SecretId, deadline), 'AWSPENDING') === from) throw error;
  }
}
