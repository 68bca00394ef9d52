import { versionAt } from '../../lib/aws/secrets-manager.ts';
import { AutomationError } from '../../lib/errors.ts';
import { SECRET_IN_DANGER, SecretInDanger } from '../../lib/events/rotation.ts';
import { reasonOf } from './claim.ts';
import { endsSoon } from './decide.ts';
import { RotationStopped } from './errors.ts';
import { firstView, look, type View } from './look.ts';
import { type Rotation, readRotation, type Step } from './rotation.ts';
import type { SweepStep, Swept } from './sweep.ts';
import { rotationEvent, tell } from './tell.ts';

const HOUR_MS = 3_600_000;

export interface Known {
  readonly rotation: Rotation;
  readonly view: View;
}

/** Says what stands in the way of a rotation, and warns of the end of the current secret where that is near. */
export async function inTheWay({ dryRun }: SweepStep, step: Step, error: unknown, known?: Known): Promise<Swept> {
  if (!(error instanceof AutomationError)) throw error;
  const { rotation, view } = known ?? (await lookAgain(step));
  const { secret, current, account } = rotation;
  const slot = view.atlas.slots?.find(({ id }) => id === view.secretsManager.current?.secretId);
  const end = slot?.expiresAt ?? view.now;
  const threshold = thresholdOf(view);
  const waits =
    error instanceof RotationStopped && error.code === 'ROTATION_MUST_WAIT' && !endsSoon(slot, view.now, view.policy);
  const swept: Swept = {
    managedSecret: secret.arn,
    state: waits ? 'waiting' : 'blocked',
    expiresAt: end.toISOString(),
    ...reasonOf(error),
  };
  step.log.warn('a rotation does not go on', { facts: { ...swept, ...error.facts } });
  if (threshold === undefined || dryRun) return swept;
  const detail: SecretInDanger = {
    id: `danger:${current.versionId}:${threshold}`,
    secretArn: secret.arn,
    versionId: current.versionId,
    clientId: account.clientId,
    requestIds: [],
    secretId: view.secretsManager.current?.secretId ?? null,
    deadline: end.toISOString(),
    hoursLeft: Math.floor((end.getTime() - view.now.getTime()) / HOUR_MS),
    threshold,
    code: error.code,
    reason: error.message,
  };
  await tell(step, rotationEvent(SECRET_IN_DANGER, SecretInDanger, detail));
  return swept;
}

/** As it is now, with no rotation in it: what was pending may just have been dropped. */
async function lookAgain(step: Step): Promise<Known> {
  const secret = await step.services.secretsManager.describe(step.event.SecretId, step.deadline);
  const ClientRequestToken = versionAt(secret, 'AWSCURRENT') ?? '';
  const idle: Step = { ...step, event: { ...step.event, ClientRequestToken } };
  const rotation = await readRotation(idle, secret);
  return { rotation, view: await look(idle, rotation, firstView(idle, rotation), 'account') };
}

/** Which warning is due. A mint shortened the current secret; unless it is replaced within a day, that is told. Pure. */
export function thresholdOf({ secretsManager, atlas, now, policy }: View): SecretInDanger['threshold'] | undefined {
  const { current, previous } = secretsManager;
  const slot = atlas.slots?.find(({ id }) => id === current?.secretId);
  const hoursLeft = ((slot?.expiresAt.getTime() ?? 0) - now.getTime()) / HOUR_MS;
  if (endsSoon(slot, now, policy))
    return hoursLeft < 6 ? '6 hours left' : hoursLeft < 24 ? '24 hours left' : '72 hours left';
  const stuck = atlas.slots?.some(
    ({ id, createdAt }) =>
      slot !== undefined &&
      id !== previous?.secretId &&
      createdAt > slot.createdAt &&
      now.getTime() - createdAt.getTime() >= 24 * HOUR_MS,
  );
  return stuck ? '24 hours after the mint' : undefined;
}
