import { AwsCallFailed } from '../../lib/aws/errors.ts';
import type { Written } from '../../lib/aws/secrets-manager.ts';
import { ORPHAN_SWEPT, OrphanSwept, PREVIOUS_RETIRED, PreviousRetired } from '../../lib/events/rotation.ts';
import { type Account, accountOf } from './account.ts';
import { scopeOf } from './credential.ts';
import type { Decision } from './decide.ts';
import type { View } from './look.ts';
import { type Rotation, requireUnchanged, type Step } from './rotation.ts';
import { mention, requestIdsOf, rotationEvent } from './tell.ts';

export type Removal = Extract<Decision, { do: 'delete' }>;

/** A token lives as long, and may be kept as long, after the secret it was minted from was replaced. */
const TOKEN_MS = 3_600_000;

/**
 * Takes the label off first, and looks: from then on nobody can be sent to the secret that goes, and nobody has made it
 * current meanwhile. Safe to repeat; answers the requests that did it. `quiet` where the caller tells.
 */
export async function remove(
  step: Step,
  rotation: Rotation,
  removal: Removal,
  view: View,
  { quiet = false }: { readonly quiet?: boolean } = {},
): Promise<string[]> {
  const { event, services, deadline, log } = step;
  const { slot, why, fence } = removal;
  const { current, pending } = view.secretsManager;
  if (slot.id === current?.secretId || slot.id === pending?.secretId)
    throw new Error('a rotation must never delete the current or the pending secret');
  const fenced =
    fence === undefined
      ? undefined
      : await services.secretsManager
          .moveStage(event.SecretId, 'AWSPREVIOUS', { from: fence }, deadline)
          .catch(unlessRefused);
  await requireUnchanged(step, rotation, fence);
  const { account, done } = actorOn(step, rotation, view);
  const deleted = await account.remove(slot.id, deadline).finally(done);
  log.info('deleted a secret that was due', { facts: { clientId: account.clientId, secretId: slot.id, why } });
  const requestIds = requestIdsOf(fenced, deleted);
  if (!quiet) await mention(step, removalEvent(rotation, removal, view, requestIds));
  return requestIds;
}

/** A refused move may mean that the label is off already, or on another version: the look after it tells. */
const unlessRefused = (error: unknown): Written | undefined => {
  if (error instanceof AwsCallFailed && error.refused) return undefined;
  throw error;
};

/**
 * Who deletes. An account that acts for itself may still hold a token of the very secret that goes, where that was
 * replaced within the hour: the deletion would cut off its own branch. Then it acts with the current value itself.
 */
function actorOn(
  { services, deadline }: Step,
  { account, mode, current }: Rotation,
  { now, secretsManager }: View,
): { account: Account; done: () => Promise<unknown> } {
  const { promotion } = secretsManager;
  // Where nothing records the promotion it may have been a moment ago, however old the secret is.
  const isLongAgo = promotion?.recorded === true && now.getTime() - promotion.at.getTime() > TOKEN_MS;
  if (mode === 'admin' || isLongAgo) return { account, done: async () => undefined };
  const atlas = services.atlasTrying(current);
  return {
    account: accountOf(atlas, scopeOf(current.credential), account.clientId),
    done: () => atlas.tokens.revoke(deadline),
  };
}

function removalEvent(
  { secret, current, account }: Rotation,
  { slot, why }: Removal,
  view: View,
  requestIds: string[],
) {
  const currentSlot = view.atlas.slots?.find(({ id }) => id === view.secretsManager.current?.secretId);
  const wasInUse =
    why === 'previous' || (why === 'unlabelled' && currentSlot && slot.createdAt < currentSlot.createdAt);
  const about = {
    secretArn: secret.arn,
    versionId: current.versionId,
    clientId: account.clientId,
    requestIds,
    secretId: slot.id,
  };
  return wasInUse
    ? rotationEvent(PREVIOUS_RETIRED, PreviousRetired, {
        ...about,
        id: `retired:${slot.id}`,
        lastUsedAt: slot.lastUsedAt?.toISOString() ?? null,
        waitingFor: [...(view.secretsManager.waitingFor ?? [])],
      })
    : rotationEvent(ORPHAN_SWEPT, OrphanSwept, {
        ...about,
        id: `swept:${slot.id}`,
        createdAt: slot.createdAt.toISOString(),
      });
}
