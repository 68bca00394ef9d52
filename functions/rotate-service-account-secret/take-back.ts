import { versionAt } from '../../lib/aws/secrets-manager.ts';
import { ROTATION_TAKEN_BACK, RotationTakenBack } from '../../lib/events/rotation.ts';
import { RotationStopped } from './errors.ts';
import { identifyCurrent } from './identify.ts';
import type { Rotation, Step } from './rotation.ts';
import { requestIdsOf, rotationEvent, tell } from './tell.ts';
import { takenBackVersion } from './version-ids.ts';

/**
 * The new secret was deleted while it was promoted, or since. Its predecessor's bytes become a new version: moving the
 * label back instead would let a late promotion succeed a second time. Always throws: the rotation has come to nothing.
 */
export async function takeBack(step: Step, { secret, current: dead, previous, account }: Rotation): Promise<never> {
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
  const token = takenBackVersion(dead.versionId);
  const stored = await services.secretsManager.store(
    event.SecretId,
    { token, value: previous.value, stage: 'AWSCURRENT', rotationToken: event.RotationToken },
    deadline,
  );
  const endsAt = restored.expiresAt.toISOString();
  await tell(
    step,
    rotationEvent(ROTATION_TAKEN_BACK, RotationTakenBack, {
      id: `taken back:${dead.versionId}`,
      secretArn: secret.arn,
      versionId: dead.versionId,
      clientId: account.clientId,
      requestIds: requestIdsOf(stored),
      secretId: dead.credential.secretId ?? null,
      restoredVersionId: token,
      restoredSecretId: restored.id,
      deadline: endsAt,
    }),
  );
  throw new RotationStopped(
    'ROTATION_TAKEN_BACK',
    `the new secret of ${secret.name} was deleted while it was promoted: the previous value is current again and ends ${endsAt}`,
    facts,
  );
}
