import { AtlasCredentialsRefused, AtlasRejected } from '../../lib/atlas/errors.ts';
import { getSystemStatus } from '../../lib/atlas/operations/system.ts';
import type { View } from './decide.ts';
import { RotationStopped } from './errors.ts';
import type { Held, Rotation, Step } from './rotation.ts';

/** A secret that was just made may take a moment to work everywhere: pauses between tries, in milliseconds. */
const PROPAGATION_MS = [500, 1_000, 2_000, 4_000, 8_000];

interface Patience {
  /** Whether the secret is so new that a refusal may pass. */
  readonly isNew?: boolean;
  /** Keeps the token for the next proof of the same version instead of giving it back. */
  readonly keepToken?: boolean;
}

/**
 * Proves that these exact stored credentials work: they mint a token, and Atlas answers a call with it. Throws when they
 * don't; only AtlasCredentialsRefused speaks of the credentials themselves.
 */
export async function prove(
  { services, clock, deadline }: Pick<Step, 'services' | 'clock' | 'deadline'>,
  held: Held,
  { isNew = false, keepToken = false }: Patience = {},
): Promise<void> {
  const { clientId } = held.credential;
  const atlas = services.atlasTrying(held);
  let proven = false;
  try {
    for (const pause of [...(isNew ? PROPAGATION_MS : []), undefined]) {
      try {
        await atlas.call(getSystemStatus, { params: {} }, deadline);
        proven = true;
        return;
      } catch (error) {
        const refused =
          error instanceof AtlasCredentialsRefused || (error instanceof AtlasRejected && error.status === 401);
        if (refused && pause !== undefined && pause < deadline.remainingMs()) {
          await clock.sleep(pause, deadline.signal);
          continue;
        }
        if (!(error instanceof AtlasRejected && error.status === 403)) throw error;
        // An API access list or a role, not the secret: tokens are minted from anywhere.
        throw new RotationStopped(
          'ROTATION_PATH_REFUSED',
          `the credentials of ${clientId} mint a token, but Atlas refuses calls with it from here: check the account's API access list and roles`,
          { clientId, status: error.status, errorCode: error.errorCode },
          { cause: error },
        );
      }
    }
  } finally {
    if (!(proven && keepToken)) await atlas.tokens.revoke(deadline);
  }
}

/**
 * Before an administrator acts for an account, the value must show that it knows the account: else whoever can write
 * this secret could have one made for any account the administrator reaches. A value that has expired can't show it,
 * and is taken at its word only where Atlas lists that very secret as expired.
 */
export async function proveCurrent(
  step: Step,
  { mode, current }: Rotation,
  { slots, currentId, now }: View,
): Promise<void> {
  // An account that rotates itself has shown it with its first call.
  if (mode === 'self') return;
  const slot = slots.find(({ id }) => id === currentId);
  if (slot && slot.expiresAt <= now) return;
  // A token is proof enough: whether Atlas takes calls with it from here is not the question.
  const { tokens } = step.services.atlasTrying(current);
  await tokens.token(step.deadline);
  await tokens.revoke(step.deadline);
}
