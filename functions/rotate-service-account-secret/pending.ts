import { AtlasCredentialsRefused } from '../../lib/atlas/errors.ts';
import { AwsCallFailed } from '../../lib/aws/errors.ts';
import { versionAt } from '../../lib/aws/secrets-manager.ts';
import { RotationStopped } from './errors.ts';
import type { MaskedSlot } from './identify.ts';
import { decideNext, firstView } from './look.ts';
import { isRefused, type Proof, prove } from './prove.ts';
import type { Held, Rotation, Step } from './rotation.ts';
import { stopped } from './stopped.ts';

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

/** Stops, and drops the stored value, where its secret is gone or has expired for certain. */
export async function dropIfDead(step: Step, rotation: Rotation, pending: Held): Promise<void> {
  const { alive } = await lookFor(step, rotation, pending);
  if (!alive) await dropPending(step, rotation);
}

/**
 * Proves the stored value: what works is there, so nothing is listed. Where Atlas refuses the credentials, the account is
 * looked at: a secret that is gone for good has its value dropped, one that is there has only to become known everywhere.
 */
export async function requirePromotable(step: Step, rotation: Rotation, pending: Held, proof: Proof): Promise<void> {
  const view = firstView(step, rotation);
  const refused = await prove(step, pending, proof).then(
    () => false,
    (error: unknown) => {
      if (isRefused(error)) return true;
      throw error;
    },
  );
  const atlas = refused ? view.atlas : { ...view.atlas, provenVersionId: pending.versionId };
  const { decision, view: seen } = await decideNext(step, rotation, { ...view, atlas });
  if (decision.do === 'wait' || decision.do === 'alert') throw stopped(decision, seen, rotation);
  if (decision.do === 'drop pending') await dropIfDead(step, rotation, pending);
  if (refused) await prove(step, pending, { ...proof, isNew: true });
}

/** A value whose secret is gone or expired can never be promoted, and blocks every later rotation until it is dropped. */
export async function dropPending(step: Step, rotation: Rotation): Promise<never> {
  await detachPending(step);
  throw pendingDead(step, rotation);
}

export const pendingDead = (step: Step, { secret, pending }: Rotation): RotationStopped =>
  new RotationStopped(
    'ROTATION_PENDING_DEAD',
    `the new secret of ${secret.name} is no longer in Atlas or has expired: dropped it, rotate again`,
    { managedSecret: secret.arn, versionId: step.event.ClientRequestToken, secretId: pending?.credential.secretId },
  );

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
