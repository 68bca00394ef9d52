import { type SecretDescription, versionAt } from '../../lib/aws/secrets-manager.ts';
import { AutomationError } from '../../lib/errors.ts';
import { SECRET_IN_DANGER, SecretInDanger } from '../../lib/events/rotation.ts';
import { SLACK_HOURS } from './contract.ts';
import { preview, remove, stopped, viewOf } from './create-secret.ts';
import { decideRest, type View } from './decide.ts';
import { RotationStopped } from './errors.ts';
import { detachPending } from './pending.ts';
import { openSecret, pendingOf, type Rotation, readRotation, type Step } from './rotation.ts';
import { runStep } from './steps.ts';
import { tell } from './tell.ts';

const HOUR_MS = 3_600_000;
const LEAST_SLACK_HOURS = 6;

/** Secrets Manager tries a rotation again by itself; only one older than this is taken for given up. */
const GIVEN_UP_MS = 30 * 60_000;

/** What became of one secret in a sweep. `would` stands before what a dry run left undone. */
export interface Swept {
  readonly managedSecret: string;
  readonly state:
    | 'in order'
    | 'under way'
    | 'finished'
    | 'deleted'
    | 'started'
    | 'abandoned'
    | 'waiting'
    | 'blocked'
    | 'would finish'
    | 'would abandon'
    | 'would delete'
    | 'would start';
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
};

/**
 * Brings one managed secret on: finishes a rotation that was given up, deletes what is due, and starts a rotation where
 * the current secret ends sooner than the schedule would replace it. Decides as the rotation itself does, and may run
 * beside it and at any time.
 */
export async function sweepSecret(sweep: SweepStep): Promise<Swept> {
  const { services, deadline, managedSecret } = sweep;
  const secret = await services.secretsManager.describe(managedSecret, deadline);
  const pending = pendingOf(secret);
  const step: Step = {
    ...sweep,
    event: {
      SecretId: secret.arn,
      ClientRequestToken: pending ?? versionAt(secret, 'AWSCURRENT') ?? '',
      Step: 'createSecret',
    },
  };
  await openSecret(step);
  return pending === undefined ? settle(sweep, step, secret) : resume(sweep, step, secret, pending);
}

/** A rotation that Secrets Manager has given up is finished by the very steps it consists of. */
async function resume(sweep: SweepStep, step: Step, secret: SecretDescription, pending: string): Promise<Swept> {
  const { dryRun, givenUp, services, deadline } = sweep;
  const managedSecret = secret.arn;
  const versions = await services.secretsManager.versions(managedSecret, deadline);
  const madeAt = (id: string | undefined): Date | undefined =>
    versions.find(({ versionId }) => versionId === id)?.createdAt;
  const begun = madeAt(pending);
  const currentMadeAt = madeAt(versionAt(secret, 'AWSCURRENT'));
  // By Atlas's clock, as every age: this machine's may be anything.
  const rotation = await readRotation(step, secret);
  const { now } = await rotation.account.secrets(deadline);
  if (!givenUp && begun && now.getTime() - begun.getTime() < GIVEN_UP_MS) return { managedSecret, state: 'under way' };
  try {
    // Somebody wrote a value after this rotation began, which ended it; its label has only been left behind.
    if (begun && currentMadeAt && currentMadeAt > begun) {
      if (!dryRun) await detachPending(step);
      return { managedSecret, state: dryRun ? 'would abandon' : 'abandoned' };
    }
    if (dryRun) {
      await preview(step, rotation);
      return { managedSecret, state: 'would finish' };
    }
    for (const Step of ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const) {
      await runStep({ ...step, event: { ...step.event, Step } });
    }
    return { managedSecret, state: 'finished' };
  } catch (error) {
    return inTheWay(sweep, step, error);
  }
}

async function settle(sweep: SweepStep, step: Step, secret: SecretDescription): Promise<Swept> {
  const { dryRun, services, deadline } = sweep;
  const rotation = await readRotation(step, secret);
  const view = await viewOf(step, rotation);
  const current = view.slots.find(({ id }) => id === view.currentId);
  const known = { managedSecret: secret.arn, expiresAt: current?.expiresAt.toISOString() };
  // Without a current secret that lives, any other may be the account's last: only a rotation makes room then.
  const isAlive = current !== undefined && current.expiresAt > view.now;
  const rest = isAlive ? decideRest(view) : undefined;
  if (rest?.do === 'delete') {
    if (!dryRun) await remove(step, rotation, rest, view);
    return { ...known, state: dryRun ? 'would delete' : 'deleted', secretId: rest.slot.id };
  }
  // By the real end of the secret, which a mint, or a person, may have brought nearer than the schedule knows.
  const endsSoon = (current?.expiresAt.getTime() ?? 0) - view.now.getTime() < slackMs(secret, view);
  if (rest && (rest.do === 'refuse' || endsSoon)) return inTheWay(sweep, step, stopped(rest, view), rotation);
  if (rest) return { ...known, state: 'waiting', ...reasonOf(stopped(rest, view)), secretId: rest.slot.id };
  if (!endsSoon) return { ...known, state: 'in order' };
  if (!dryRun) await services.secretsManager.rotate(secret.arn, deadline);
  return { ...known, state: dryRun ? 'would start' : 'started' };
}

/**
 * How much of a secret's life is left when something must happen: what its schedule leaves of it, at most three days and
 * at least six hours. A secret of a day that is rotated every few hours is not always near its end.
 */
function slackMs({ rotatesEveryHours = 0 }: SecretDescription, { policy }: View): number {
  const left = policy.secretExpiresAfterHours - rotatesEveryHours;
  return Math.min(SLACK_HOURS, Math.max(LEAST_SLACK_HOURS, left)) * HOUR_MS;
}

const reasonOf = ({ code, message }: AutomationError): { code: string; reason: string } => ({ code, reason: message });

/** Says what stands in the way of a rotation, and warns of the end of the current secret where that is near. */
async function inTheWay({ dryRun }: SweepStep, step: Step, error: unknown, known?: Rotation): Promise<Swept> {
  if (!(error instanceof AutomationError)) throw error;
  const { services, deadline, event, log } = step;
  const secret = await services.secretsManager.describe(event.SecretId, deadline);
  // As it is now, with no rotation in it: what was pending may just have been dropped.
  const idle: Step = { ...step, event: { ...event, ClientRequestToken: versionAt(secret, 'AWSCURRENT') ?? '' } };
  const rotation = known ?? (await readRotation(idle, secret));
  const view = await viewOf(idle, { ...rotation, pending: undefined });
  const end = view.slots.find(({ id }) => id === view.currentId)?.expiresAt ?? view.now;
  const hoursLeft = Math.floor((end.getTime() - view.now.getTime()) / HOUR_MS);
  const endsSoon = end.getTime() - view.now.getTime() < slackMs(secret, view);
  const waits = error instanceof RotationStopped && error.code === 'ROTATION_MUST_WAIT' && !endsSoon;
  const swept: Swept = {
    managedSecret: secret.arn,
    state: waits ? 'waiting' : 'blocked',
    expiresAt: end.toISOString(),
    ...reasonOf(error),
  };
  log.warn('a rotation does not go on', { facts: { ...swept, ...error.facts } });
  if (endsSoon && !dryRun) {
    const detail: SecretInDanger = {
      secretArn: secret.arn,
      versionId: rotation.current.versionId,
      clientId: rotation.account.clientId,
      deadline: end.toISOString(),
      hoursLeft,
      code: error.code,
      reason: error.message,
    };
    await tell(step, { detailType: SECRET_IN_DANGER, detail: SecretInDanger.parse(detail), resources: [secret.arn] });
  }
  return swept;
}
