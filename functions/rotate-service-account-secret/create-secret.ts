import { ROTATION_BLOCKED, RotationBlocked } from '../../lib/events/rotation.ts';
import type { Alert } from './decide.ts';
import { RotationStopped } from './errors.ts';
import { confirm } from './finish-secret.ts';
import { decideNext, firstView, type View } from './look.ts';
import { mintAndStore, requireFeasible } from './mint.ts';
import { dropIfDead, dropPending } from './pending.ts';
import { proveCurrent } from './prove.ts';
import { remove } from './remove.ts';
import type { Rotation, Step } from './rotation.ts';
import { stopped } from './stopped.ts';
import { mention, rotationEvent } from './tell.ts';

interface Haste {
  /** Room is made without grace. */
  readonly urgent?: boolean;
}

const viewWith = (step: Step, rotation: Rotation, { urgent = false }: Haste): View => {
  // What has leaked is replaced whether or not Secrets Manager rotates the secret.
  const view = firstView(step, rotation, urgent ? { rotationEnabled: true } : {});
  return { ...view, policy: { ...view.policy, urgent } };
};

/**
 * createSecret: makes room where a predecessor is due, mints, and stores the value as AWSPENDING. Safe to repeat at any
 * point: a stored value is kept, and nothing is minted while the account has two secrets, whoever made them.
 */
export async function createSecret(step: Step, rotation: Rotation, haste: Haste = {}): Promise<void> {
  // At most a deletion, a fresh look, and the mint; a third look means that somebody else is writing.
  for (let round = 0; round < 3; round++) {
    const { decision, view } = await decideNext(step, rotation, viewWith(step, rotation, haste));
    switch (decision.do) {
      case 'promote':
        step.log.info('the new value is stored already');
        return;
      case 'drop pending':
        return rotation.pending ? dropIfDead(step, rotation, rotation.pending) : dropPending(step, rotation);
      case 'mint':
        await requireFeasible(step, rotation, view);
        await proveCurrent(step, rotation, view);
        return mintAndStore(step, rotation, decision.lifetimeHours, view);
      case 'restore':
        return confirm(step, rotation);
      case 'delete':
        await remove(step, rotation, decision, view);
        break;
      case 'wait':
        throw stopped(decision, view, rotation);
      case 'alert':
        await warnOf(step, rotation, decision);
        throw stopped(decision, view, rotation);
      default:
        throw new Error(`createSecret has no part in "${decision.do}"`);
    }
  }
  throw new RotationStopped('ROTATION_MUST_WAIT', 'somebody else is changing the secrets of this account', {
    clientId: rotation.account.clientId,
  });
}

/** What createSecret would do, without doing it: at most a token is tried. Throws where it would stop. */
export async function preview(step: Step, rotation: Rotation, haste: Haste = {}): Promise<{ do: string }> {
  const { decision, view } = await decideNext(step, rotation, viewWith(step, rotation, haste));
  if (decision.do === 'alert' || decision.do === 'wait') throw stopped(decision, view, rotation);
  if (decision.do === 'mint') {
    await requireFeasible(step, rotation, view);
    await proveCurrent(step, rotation, view);
  }
  return decision;
}

/** A stranger in the second slot is told of: only a person can tell whose it is. */
export async function warnOf(step: Step, { secret, current, account }: Rotation, alert: Alert): Promise<void> {
  if (alert.why !== 'foreign') return;
  const { slot } = alert;
  await mention(
    step,
    rotationEvent(ROTATION_BLOCKED, RotationBlocked, {
      id: `blocked:${current.versionId}:${slot.id}`,
      secretArn: secret.arn,
      versionId: current.versionId,
      clientId: account.clientId,
      requestIds: [],
      secretId: slot.id,
      createdAt: slot.createdAt.toISOString(),
      expiresAt: slot.expiresAt.toISOString(),
      lastUsedAt: slot.lastUsedAt?.toISOString() ?? null,
    }),
  );
}
