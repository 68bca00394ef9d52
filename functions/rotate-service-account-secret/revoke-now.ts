import { SECRET_REVOKED, SecretRevoked } from '../../lib/events/rotation.ts';
import { claimedIfFree } from './claim.ts';
import { createSecret, preview } from './create-secret.ts';
import { RotationStopped } from './errors.ts';
import { firstView, look, type View } from './look.ts';
import { detachPending } from './pending.ts';
import { prove } from './prove.ts';
import { type Removal, remove } from './remove.ts';
import { finish } from './resume.ts';
import { openSecret, pendingOf, type Rotation, readRotation, type Step } from './rotation.ts';
import { alive } from './second-slot.ts';
import { type SweepStep, type Swept, stepAt } from './sweep.ts';
import { rotationEvent, tell } from './tell.ts';
import { revocationVersion } from './version-ids.ts';

export interface Leak {
  /** The id in Atlas of the secret that has leaked. */
  readonly secretId: string;
  readonly reason: string;
}

const TOKENS_TOO = 'deleted in Atlas; every token minted from it is dead, too';

/**
 * Deletes one secret of the account at once, whichever it is: without grace, and by its id alone. The current one is
 * replaced first, by a whole rotation that makes room without grace, so that there is a value that works at every
 * moment. Safe to repeat; killed after it has stored a new value, the sweep goes on with it.
 */
export async function revokeNow(sweep: SweepStep, leak: Leak): Promise<Swept> {
  const seen = await see(sweep);
  const { secret, account } = seen.rotation;
  const swept: Swept = { managedSecret: secret.arn, state: 'revoked', secretId: leak.secretId, reason: TOKENS_TOO };
  if (sweep.dryRun) return dry(seen, leak, swept);
  return claimedIfFree(sweep, account.clientId, async () => {
    const next = isCurrent(seen, leak)
      ? await replaceFirst(sweep, seen, leak)
      : await clearOfPending(sweep, seen, leak);
    const requestIds = await removeLeaked(next, leak);
    await tellOf(next, leak, requestIds);
    return swept;
  });
}

interface Seen {
  readonly step: Step;
  readonly rotation: Rotation;
  readonly view: View;
}

/** The managed secret and the account as they are now. */
async function see(sweep: SweepStep): Promise<Seen> {
  const { services, deadline, managedSecret } = sweep;
  const step = stepAt(sweep, await services.secretsManager.describe(managedSecret, deadline));
  const secret = await openSecret(step, { evenWhenOff: true });
  const rotation = await readRotation(step, secret);
  const listed = await look(step, rotation, firstView(step, rotation), 'account');
  return { step, rotation, view: await look(step, rotation, listed, 'versions') };
}

const isCurrent = ({ view }: Seen, { secretId }: Leak): boolean => view.secretsManager.current?.secretId === secretId;

async function dry(seen: Seen, leak: Leak, swept: Swept): Promise<Swept> {
  if (isCurrent(seen, leak)) await preview(...takeover(seen, leak), { urgent: true });
  else await removalOf(seen, leak);
  return { ...swept, state: 'would revoke' };
}

/** The rotation that takes the place of the leaked value: the one under way, or one whose version says what it is for. */
function takeover({ step, rotation }: Seen, { secretId }: Leak): [Step, Rotation] {
  const ClientRequestToken = pendingOf(rotation.secret) ?? revocationVersion(secretId);
  return [{ ...step, event: { ...step.event, ClientRequestToken, Step: 'createSecret' } }, rotation];
}

async function replaceFirst(sweep: SweepStep, seen: Seen, leak: Leak): Promise<Seen> {
  const [step] = takeover(seen, leak);
  await createSecret(step, await readRotation(step, seen.rotation.secret), { urgent: true });
  await finish(step);
  // Secrets Manager knows nothing of a rotation it did not begin, and leaves its label where it is.
  await detachPending(step);
  return see(sweep);
}

/** A secret on its way to becoming current is stopped there first: without its label nothing can promote it. */
async function clearOfPending(sweep: SweepStep, seen: Seen, { secretId }: Leak): Promise<Seen> {
  const { current, previous, pending } = seen.view.secretsManager;
  const slotOf = (id: string | undefined) => seen.view.atlas.slots?.find((slot) => slot.id === id);
  const leaked = slotOf(secretId);
  const currentSlot = slotOf(current?.secretId);
  const mayBecomeCurrent =
    secretId !== previous?.secretId && !(leaked && currentSlot && leaked.createdAt < currentSlot.createdAt);
  if (!pending || !mayBecomeCurrent) return seen;
  await detachPending(seen.step);
  return see(sweep);
}

async function removeLeaked(seen: Seen, leak: Leak): Promise<string[]> {
  const removal = await removalOf(seen, leak);
  return removal ? remove(seen.step, seen.rotation, removal, seen.view, { quiet: true }) : [];
}

/**
 * The deletion itself; undefined where it is gone already. Refuses an id the account does not have, and where the
 * current value does not work: the leaked secret may be the last one that does.
 */
async function removalOf({ step, rotation, view }: Seen, { secretId }: Leak): Promise<Removal | undefined> {
  const { current, previous } = view.secretsManager;
  const slots = view.atlas.slots ?? [];
  const facts = { managedSecret: rotation.secret.arn, clientId: rotation.account.clientId, secretId };
  const slot = slots.find(({ id }) => id === secretId);
  if (!slot) {
    const wasOurs = secretId === previous?.secretId || current?.versionId === revocationVersion(secretId);
    if (wasOurs) return undefined;
    throw new RotationStopped(
      'ROTATION_SECRET_UNKNOWN',
      `account ${rotation.account.clientId} has no secret ${secretId}: it is gone already, or it is another account's`,
      facts,
    );
  }
  const currentSlot = slots.find(({ id }) => id === current?.secretId);
  if (!alive(currentSlot, view.now)) {
    throw new RotationStopped(
      'ROTATION_LAST_SECRET',
      `the current secret of ${rotation.secret.name} does not work, and ${secretId} may be the last that does: put a value that works first`,
      facts,
    );
  }
  await prove(step, rotation.current, { tokenOnly: true });
  return secretId === previous?.secretId
    ? { do: 'delete', slot, why: 'previous', fence: previous.versionId }
    : { do: 'delete', slot, why: 'orphan' };
}

async function tellOf({ step, rotation }: Seen, { secretId, reason }: Leak, requestIds: string[]): Promise<void> {
  const { secret, current, account } = rotation;
  await tell(
    step,
    rotationEvent(SECRET_REVOKED, SecretRevoked, {
      id: `revoked:${secretId}`,
      secretArn: secret.arn,
      versionId: current.versionId,
      clientId: account.clientId,
      requestIds,
      secretId,
      reason,
    }),
  );
}
