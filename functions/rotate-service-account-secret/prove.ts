import type { AtlasClient } from '../../lib/atlas/client.ts';
import { AtlasCredentialsRefused, AtlasRejected } from '../../lib/atlas/errors.ts';
import { getSystemStatus } from '../../lib/atlas/operations/system.ts';
import { RotationStopped } from './errors.ts';
import type { View } from './look.ts';
import type { Held, Rotation, Step } from './rotation.ts';

/** A secret that was just made may take a moment to work everywhere: pauses between tries, in milliseconds. */
const PROPAGATION_MS = [500, 1_000, 2_000, 4_000, 8_000];

export interface Proof {
  /** Whether the secret is so new that a refusal may pass. */
  readonly isNew?: boolean;
  /** Keeps the token for the next proof of the same version instead of giving it back. */
  readonly keepToken?: boolean;
  /** Asks for a token alone: that proves the secret, and not the way from here to the API. */
  readonly tokenOnly?: boolean;
}

/** When this execution environment last saw the credentials of a client work, while it still holds the token. */
const provenAt = new WeakMap<AtlasClient, Date>();

/** Whether these stored credentials were seen to work within the last `ms` milliseconds, by a token still in hand. */
export function isProven({ services, clock }: Pick<Step, 'services' | 'clock'>, held: Held, ms: number): boolean {
  const at = provenAt.get(services.atlasTrying(held));
  return at !== undefined && clock.now().getTime() - at.getTime() < ms;
}

/** Gives a tried version's token back: says whether Atlas still takes its credentials, where that can be told. */
export async function giveBack(
  { services, deadline }: Pick<Step, 'services' | 'deadline'>,
  held: Held,
): Promise<boolean | undefined> {
  const atlas = services.atlasTrying(held);
  provenAt.delete(atlas);
  return atlas.tokens.revoke(deadline);
}

/**
 * Proves that these exact stored credentials work: they mint a token, and Atlas answers a call with it. Throws when they
 * don't; only AtlasCredentialsRefused speaks of the credentials themselves.
 */
export async function prove(
  step: Pick<Step, 'services' | 'clock' | 'deadline'>,
  held: Held,
  { isNew = false, keepToken = false, tokenOnly = false }: Proof = {},
): Promise<void> {
  const { services, clock, deadline } = step;
  const { clientId } = held.credential;
  const atlas = services.atlasTrying(held);
  let proven = false;
  try {
    for (const pause of [...(isNew ? PROPAGATION_MS : []), undefined]) {
      try {
        await (tokenOnly ? atlas.tokens.token(deadline) : atlas.call(getSystemStatus, { params: {} }, deadline));
        proven = true;
        if (!tokenOnly) provenAt.set(atlas, clock.now());
        return;
      } catch (error) {
        if (isRefused(error) && pause !== undefined && pause < deadline.remainingMs()) {
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
    if (!(proven && keepToken)) await giveBack(step, held);
  }
}

/** What a secret that is gone, or is not known everywhere yet, is answered with. */
export const isRefused = (error: unknown): boolean =>
  error instanceof AtlasCredentialsRefused || (error instanceof AtlasRejected && error.status === 401);

/**
 * Before an administrator acts for an account, the value must show that it knows the account: else whoever can write
 * this secret could have one made for any account the administrator reaches. A value that has expired can't show it,
 * and is taken at its word only where Atlas lists that very secret as expired.
 */
export async function proveCurrent(
  step: Step,
  { mode, current }: Rotation,
  { atlas, now, ...view }: View,
): Promise<void> {
  // An account that rotates itself has shown it with its first call.
  if (mode === 'self') return;
  const slot = atlas.slots?.find(({ id }) => id === view.secretsManager.current?.secretId);
  if (slot && slot.expiresAt <= now) return;
  // A token is proof enough: whether Atlas takes calls with it from here is not the question.
  await prove(step, current, { tokenOnly: true });
}
