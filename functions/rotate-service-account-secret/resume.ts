import { type SecretDescription, versionAt } from '../../lib/aws/secrets-manager.ts';
import { claimed, reasonOf } from './claim.ts';
import { preview } from './create-secret.ts';
import { RotationStopped } from './errors.ts';
import { inTheWay } from './in-the-way.ts';
import { decideNext, firstView, look, type View } from './look.ts';
import { detachPending, lookFor, pendingDead } from './pending.ts';
import { openSecret, type Rotation, readRotation, type Step } from './rotation.ts';
import { takeStep } from './steps.ts';
import type { SweepStep, Swept } from './sweep.ts';

/** Secrets Manager tries a rotation again by itself; only one older than this is taken for given up. */
export const GIVEN_UP_MS = 30 * 60_000;

/** A rotation that Secrets Manager has given up, or no longer drives, is finished by the very steps it consists of. */
export async function resume(sweep: SweepStep, step: Step, secret: SecretDescription, pending: string): Promise<Swept> {
  const { dryRun, givenUp, services, deadline } = sweep;
  const managedSecret = secret.arn;
  const versions = await services.secretsManager.versions(managedSecret, deadline);
  const begunAt = (id: string | undefined): Date | undefined =>
    versions.find(({ versionId }) => versionId === id)?.createdAt;
  const begun = begunAt(pending);
  const currentBegun = begunAt(versionAt(secret, 'AWSCURRENT'));
  const rotation = await readRotation(step, secret);
  // Somebody wrote a value after this rotation began, which ended it; its label has only been left behind.
  const superseded = begun !== undefined && currentBegun !== undefined && currentBegun > begun;
  // By Atlas's clock, as every age: this machine's may be anything.
  const view = await look(step, rotation, firstView(step, rotation, { superseded }), 'account');
  const isYoung = begun !== undefined && view.now.getTime() - begun.getTime() < GIVEN_UP_MS;
  if (!givenUp && secret.rotationEnabled && isYoung) return { managedSecret, state: 'under way' };
  try {
    return await bringOn(sweep, step, rotation, view, dryRun);
  } catch (error) {
    if (error instanceof RotationStopped && error.code === 'ROTATION_TAKEN_BACK')
      return { managedSecret, state: 'restored', ...reasonOf(error) };
    return inTheWay(sweep, step, error);
  }
}

async function bringOn(sweep: SweepStep, step: Step, rotation: Rotation, view: View, dryRun: boolean): Promise<Swept> {
  const managedSecret = rotation.secret.arn;
  const { decision } = await decideNext(step, rotation, view);
  const over = decision.do === 'abandon';
  if (dryRun && decision.do === 'restore') return { managedSecret, state: 'would restore' };
  if (dryRun && decision.do === 'drop pending' && rotation.pending) {
    if (!(await lookFor(step, rotation, rotation.pending)).alive) throw pendingDead(step, rotation);
  }
  if (dryRun) {
    if (!over) await preview(step, rotation);
    return { managedSecret, state: over ? 'would abandon' : 'would finish' };
  }
  const done = await claimed(sweep, rotation.account.clientId, async (): Promise<Swept> => {
    if (!over) await finish(step);
    // Secrets Manager takes the label off a rotation it drives to its end, and no longer drives this one.
    await detachPending(step);
    return { managedSecret, state: over ? 'abandoned' : 'finished' };
  });
  return done ?? { managedSecret, state: 'under way' };
}

/** The four steps of a rotation that is under way, whoever began it. */
export async function finish(step: Step): Promise<void> {
  for (const Step of ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const) {
    const next: Step = { ...step, event: { ...step.event, Step } };
    await takeStep(next, await readRotation(next, await openSecret(next, { evenWhenOff: true })));
  }
}
