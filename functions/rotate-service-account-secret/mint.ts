import { AtlasOutcomeUnknown } from '../../lib/atlas/errors.ts';
import type { MintedSecret } from '../../lib/atlas/operations/service-accounts.ts';
import { versionAt } from '../../lib/aws/secrets-manager.ts';
import { AutomationError } from '../../lib/errors.ts';
import { ROTATION_STARTED, RotationStarted } from '../../lib/events/rotation.ts';
import type { Deadline } from '../../lib/runtime/deadline.ts';
import { SLACK_HOURS } from './contract.ts';
import { withSecret } from './credential.ts';
import { RotationStopped } from './errors.ts';
import type { View } from './look.ts';
import { type Rotation, requireUnchanged, type Services, type Step } from './rotation.ts';
import { CLAMP_MS } from './second-slot.ts';
import { mention, requestIdsOf, rotationEvent } from './tell.ts';

/** Kept for storing what a mint gives, in milliseconds: without as much left, nothing is minted. */
const STORE_RESERVE_MS = 10_000;

/** Pauses between tries to store a new value, in milliseconds: it exists nowhere else. */
const STORE_AGAIN_MS = [500, 1_000, 2_000, 4_000, 8_000, 16_000];

/** Proves what can be proven before a mint burns a slot and shortens the current secret. */
export async function requireFeasible(
  { services, deadline, log }: Step,
  { secret }: Rotation,
  { policy }: View,
): Promise<void> {
  const { secretExpiresAfterHours, rotatesEveryHours } = policy;
  if (secretExpiresAfterHours < rotatesEveryHours + SLACK_HOURS) {
    log.warn('little time is left between the next rotation and the end of this secret', {
      facts: { managedSecret: secret.arn, secretExpiresAfterHours, rotatesEveryHours },
    });
  }
  const key = secret.kmsKeyId;
  if (key !== undefined && !key.endsWith('alias/aws/secretsmanager')) {
    await services.proveKeyEncrypts(key, secret.arn, deadline);
  }
}

export async function mintAndStore(step: Step, rotation: Rotation, lifetimeHours: number, view: View): Promise<void> {
  const { event, log, deadline } = step;
  const { account, secret, current, mode } = rotation;
  const currentId = view.secretsManager.current?.secretId;
  const currentEnd = view.atlas.slots?.find(({ id }) => id === currentId)?.expiresAt ?? view.now;
  // From here on the current secret ends within seven days, whatever happens next.
  const currentEnds = new Date(Math.min(currentEnd.getTime(), view.now.getTime() + CLAMP_MS)).toISOString();
  const facts = {
    managedSecret: secret.arn,
    clientId: account.clientId,
    versionId: event.ClientRequestToken,
    currentEnds,
  };

  await mention(
    step,
    rotationEvent(ROTATION_STARTED, RotationStarted, {
      id: `started:${event.ClientRequestToken}`,
      secretArn: secret.arn,
      versionId: event.ClientRequestToken,
      clientId: account.clientId,
      requestIds: [],
      secretId: currentId ?? null,
      currentEnds,
      lifetimeHours,
      mode,
    }),
  );
  // Whoever brought this rotation to its end meanwhile has made its secret: another would only shorten that one's life.
  await requireUnchanged(step, rotation);
  const minting = earlier(deadline, STORE_RESERVE_MS);
  if (minting.remainingMs() <= 0) {
    throw new RotationStopped('ROTATION_MUST_WAIT', 'too little time is left to make a secret and store it', facts);
  }
  const { data: minted, requestId } = await account.mint(lifetimeHours, minting).catch((cause: unknown) => {
    if (!(cause instanceof AtlasOutcomeUnknown)) throw cause;
    throw new RotationStopped(
      'ROTATION_MINT_UNKNOWN',
      `Atlas may have made a secret for ${secret.name} whose value nobody holds: the next try deletes it once it is twenty minutes old; the current secret may end by ${currentEnds}`,
      facts,
      { cause },
    );
  });
  const stored = await storeUntilKnown(step, withSecret(current.credential, minted), minted, facts);
  if (stored.outcome === 'taken') {
    // Another run of this rotation stored its own. Ours may not be deleted here: only a later look can tell what is unused.
    log.warn('another run stored its value first; this one is left for a later rotation to sweep', {
      facts: { ...facts, secretId: minted.id },
    });
    return;
  }
  await requireStillOurs(step, rotation);
  log.info('minted and stored a new secret', { facts: { ...facts, secretId: minted.id, expiresAt: minted.expiresAt } });
  const requestIds = requestIdsOf({ requestId }, stored);
  log.info('audit', { facts: { ...facts, event: 'minted and stored', secretId: minted.id, requestIds } });
}

/** A deadline `ms` milliseconds before this one. */
const earlier = ({ signal, remainingMs }: Deadline, ms: number): Deadline => ({
  signal: AbortSignal.any([signal, AbortSignal.timeout(Math.max(0, remainingMs() - ms))]),
  remainingMs: () => remainingMs() - ms,
});

/**
 * A value somebody else wrote during the mint ends the rotation, and storing ours has just attached AWSPENDING again:
 * left there, it would block every later rotation.
 */
async function requireStillOurs({ event, services, deadline }: Step, { secret, current }: Rotation): Promise<void> {
  const now = await services.secretsManager.describe(event.SecretId, deadline);
  if (versionAt(now, 'AWSCURRENT') === current.versionId) return;
  await services.secretsManager.moveStage(event.SecretId, 'AWSPENDING', { from: event.ClientRequestToken }, deadline);
  throw new RotationStopped(
    'ROTATION_NOT_STAGED',
    `somebody wrote a value to ${secret.name} during its rotation: theirs stays`,
    {
      managedSecret: secret.arn,
      versionId: event.ClientRequestToken,
    },
  );
}

/**
 * The same bytes under the same token until the outcome is known. Never a deletion on failure: a store that was given
 * up can still be carried out later, and then the deleted secret would be the one that gets promoted.
 */
async function storeUntilKnown(
  step: Step,
  value: string,
  minted: MintedSecret,
  facts: Record<string, unknown>,
): ReturnType<Services['secretsManager']['store']> {
  const { event, services, clock, deadline } = step;
  for (let attempt = 0; ; attempt++) {
    try {
      return await services.secretsManager.store(
        event.SecretId,
        { token: event.ClientRequestToken, value, stage: 'AWSPENDING', rotationToken: event.RotationToken },
        deadline,
      );
    } catch (cause) {
      const pause = STORE_AGAIN_MS[attempt];
      if (pause !== undefined && pause < deadline.remainingMs()) {
        await clock.sleep(pause, deadline.signal);
        continue;
      }
      throw new RotationStopped(
        'ROTATION_STORE_FAILED',
        `a new secret was made and could not be stored; the next try deletes it once it is twenty minutes old, and the current one ends by ${facts['currentEnds']}`,
        { ...facts, secretId: minted.id, error: cause instanceof AutomationError ? cause.facts : undefined },
        { cause },
      );
    }
  }
}
