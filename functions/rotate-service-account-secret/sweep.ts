import { type SecretDescription, versionAt } from '../../lib/aws/secrets-manager.ts';
import { STRAGGLER_SEEN, StragglerSeen } from '../../lib/events/rotation.ts';
import { accountWith, cannotAct } from './acting.ts';
import { claimed, reasonOf } from './claim.ts';
import { warnOf } from './create-secret.ts';
import { endsSoon, type Wait } from './decide.ts';
import { RotationStopped } from './errors.ts';
import { confirm } from './finish-secret.ts';
import { inTheWay, type Known } from './in-the-way.ts';
import { decideNext, firstView, look } from './look.ts';
import { detachPending } from './pending.ts';
import { giveBack } from './prove.ts';
import { remove } from './remove.ts';
import { GIVEN_UP_MS, resume } from './resume.ts';
import { openSecret, pendingOf, type Rotation, readRotation, type Step } from './rotation.ts';
import { stopped } from './stopped.ts';
import { mention, rotationEvent } from './tell.ts';

/** What became of one secret. `would` stands before what a dry run left undone. */
export interface Swept {
  readonly managedSecret: string;
  readonly state:
    | 'in order'
    | 'under way'
    | 'finished'
    | 'deleted'
    | 'started'
    | 'abandoned'
    | 'restored'
    | 'rolled back'
    | 'revoked'
    | 'waiting'
    | 'blocked'
    | 'would finish'
    | 'would abandon'
    | 'would delete'
    | 'would start'
    | 'would restore'
    | 'would roll back'
    | 'would revoke';
  /** When the current secret ends, by Atlas. */
  readonly expiresAt?: string | undefined;
  /** The Atlas id of what was, or would be, deleted, or of what stands in the way. */
  readonly secretId?: string | undefined;
  /** Why it waits or is blocked. */
  readonly code?: string | undefined;
  readonly reason?: string | undefined;
}

/** What a sweep needs besides one invocation's context: which secret, and whether to write. */
export type SweepStep = Omit<Step, 'event'> & {
  readonly managedSecret: string;
  readonly dryRun: boolean;
  /** Secrets Manager said so: then nobody waits for it to try again. */
  readonly givenUp: boolean;
  /** Asked before the first write, where several sweeps may run: undefined means that somebody else writes. */
  readonly claim?: (clientId: string) => Promise<AsyncDisposable | undefined>;
  /** Asked before a rotation is begun, where many may be due: false puts it off. Told when the current secret ends, and Atlas's now. */
  readonly mayStart?: (end: Date | undefined, now: Date) => boolean;
};

/** What becomes of a rotation that is put off. */
const DEFERRED = {
  state: 'waiting',
  code: 'ROTATION_DEFERRED',
  reason: 'as many rotations as may run at once were begun in this sweep: the next one goes on',
} as const;

/** The step a sweep takes things up with: at the version a rotation is under way for, or else at the current one. */
export const stepAt = (sweep: SweepStep, secret: SecretDescription): Step => ({
  ...sweep,
  event: {
    SecretId: secret.arn,
    ClientRequestToken: pendingOf(secret) ?? versionAt(secret, 'AWSCURRENT') ?? '',
    Step: 'createSecret',
  },
});

/**
 * Brings one managed secret on: finishes a rotation that was given up, deletes what is due, and starts a rotation where
 * the current secret ends sooner than the schedule would replace it. Decides as the rotation itself does, and may run
 * beside it and at any time.
 */
export async function sweepSecret(sweep: SweepStep): Promise<Swept> {
  const { services, deadline, managedSecret } = sweep;
  const secret = await services.secretsManager.describe(managedSecret, deadline);
  const step = stepAt(sweep, secret);
  try {
    await openSecret(step, { evenWhenOff: true });
  } catch (error) {
    // It may come back from its deletion, and a replica has its own primary: nothing is touched meanwhile.
    if (!(error instanceof RotationStopped && error.code === 'ROTATION_SECRET_UNUSABLE')) throw error;
    return { managedSecret: secret.arn, state: 'blocked', ...reasonOf(error) };
  }
  const pending = pendingOf(secret);
  return pending === undefined ? settle(sweep, step, secret) : resume(sweep, step, secret, pending);
}

async function settle(sweep: SweepStep, step: Step, secret: SecretDescription): Promise<Swept> {
  const rotation = await readRotation(step, secret);
  try {
    const seen = await look(step, rotation, firstView(step, rotation), 'account');
    const unconfirmed = await isUnconfirmed(sweep, secret, seen.now);
    const secretsManager = { ...seen.secretsManager, unconfirmed };
    const { decision, view } = await decideNext(step, rotation, { ...seen, secretsManager });
    return await act(sweep, step, { rotation, view }, decision);
  } catch (error) {
    if (!cannotAct(error, rotation) || !rotation.previous) throw error;
    if (!sweep.dryRun) return restore(sweep, step, rotation);
    const asPrevious = { ...rotation, account: accountWith(step, rotation, rotation.previous) };
    const { decision } = await decideNext(step, asPrevious, firstView(step, asPrevious));
    await giveBack(step, rotation.previous);
    if (decision.do !== 'restore') throw error;
    return { managedSecret: secret.arn, state: 'would restore' };
  }
}

async function act(
  sweep: SweepStep,
  step: Step,
  known: Known,
  decision: Awaited<ReturnType<typeof decideNext>>['decision'],
): Promise<Swept> {
  const { services, deadline, dryRun } = sweep;
  const { rotation, view } = known;
  const { secret, account } = rotation;
  const slot = view.atlas.slots?.find(({ id }) => id === view.secretsManager.current?.secretId);
  const swept = { managedSecret: secret.arn, expiresAt: slot?.expiresAt.toISOString() };
  const either = async (would: Swept['state'], did: Swept['state'], write: () => Promise<unknown>): Promise<Swept> => {
    if (dryRun) return { ...swept, state: would };
    const done = await claimed(sweep, account.clientId, async (): Promise<Swept> => {
      await write();
      return { ...swept, state: did };
    });
    return done ?? { ...swept, state: 'under way' };
  };
  switch (decision.do) {
    case 'delete': {
      const { id } = decision.slot;
      const deleted = await either('would delete', 'deleted', () => remove(step, rotation, decision, view));
      return { ...deleted, secretId: id };
    }
    case 'confirm':
      return either('would finish', 'finished', async () => {
        await confirm(step, rotation);
        await detachPending(step);
      });
    case 'restore':
      return dryRun ? { ...swept, state: 'would restore' } : restore(sweep, step, rotation);
    case 'start':
      if (!dryRun && sweep.mayStart?.(slot?.expiresAt, view.now) === false) return { ...swept, ...DEFERRED };
      return either('would start', 'started', () => services.secretsManager.rotate(secret.arn, deadline));
    case 'wait': {
      if (!dryRun) await nameStraggler(step, known, decision);
      const error = stopped(decision, view, rotation);
      if (endsSoon(slot, view.now, view.policy)) return inTheWay(sweep, step, error, known);
      return { ...swept, state: 'waiting', ...reasonOf(error), secretId: decision.slot.id };
    }
    case 'alert':
      if (!dryRun) await warnOf(step, rotation, decision);
      return inTheWay(sweep, step, stopped(decision, view, rotation), known);
    case 'nothing':
      return { ...swept, state: 'in order' };
    default:
      throw new Error(`nothing is under way, and yet "${decision.do}" is next`);
  }
}

/** The version that was current is looked at with care, and its predecessor put back only when it is gone for good. */
async function restore(sweep: SweepStep, step: Step, rotation: Rotation): Promise<Swept> {
  const managedSecret = rotation.secret.arn;
  try {
    const done = await claimed(sweep, rotation.account.clientId, async (): Promise<Swept> => {
      await confirm(step, rotation);
      return { managedSecret, state: 'in order' };
    });
    return done ?? { managedSecret, state: 'under way' };
  } catch (error) {
    if (!(error instanceof RotationStopped && error.code === 'ROTATION_TAKEN_BACK')) throw error;
    return { managedSecret, state: 'restored', ...reasonOf(error) };
  }
}

/**
 * AWSPENDING on the current version is what a rotation leaves that was promoted and not seen to its end: Secrets Manager
 * takes it off after the last step. It is given as long as a rotation to do so.
 */
async function isUnconfirmed(
  { services, deadline, givenUp }: SweepStep,
  secret: SecretDescription,
  now: Date,
): Promise<boolean> {
  const current = versionAt(secret, 'AWSCURRENT');
  if (current === undefined || versionAt(secret, 'AWSPENDING') !== current) return false;
  if (givenUp) return true;
  const versions = await services.secretsManager.versions(secret.arn, deadline);
  const begun = versions.find(({ versionId }) => versionId === current)?.createdAt;
  return begun === undefined || now.getTime() - begun.getTime() >= GIVEN_UP_MS;
}

/** Names who still needs a secret whose grace is over. */
async function nameStraggler(step: Step, { rotation, view }: Known, { slot, why, until, waitingFor }: Wait) {
  if (why !== 'straggler' && why !== 'followers') return;
  await mention(
    step,
    rotationEvent(STRAGGLER_SEEN, StragglerSeen, {
      id: `straggler:${slot.id}`,
      secretArn: rotation.secret.arn,
      versionId: rotation.current.versionId,
      clientId: rotation.account.clientId,
      requestIds: [],
      secretId: slot.id,
      lastUsedAt: slot.lastUsedAt?.toISOString() ?? null,
      waitingFor: [...(waitingFor ?? [])],
      until: until.toISOString(),
    }),
  );
  step.log.warn('a replaced secret is still needed', {
    facts: { secretId: slot.id, lastUsedAt: slot.lastUsedAt, waitingFor, now: view.now },
  });
}
