import { AtlasCredentialsRefused, AtlasRejected } from '../../lib/atlas/errors.ts';
import { getSystemStatus } from '../../lib/atlas/operations/system.ts';
import type { Credential } from './credential.ts';
import { RotationStopped } from './errors.ts';
import type { Step } from './rotation.ts';

/** A secret that was just made may take a moment to work everywhere: pauses between tries, in milliseconds. */
const PROPAGATION_MS = [500, 1_000, 2_000, 4_000, 8_000];

/**
 * Proves that these exact credentials work: they mint a token, and Atlas answers a call with it. The token is given
 * back. Throws when they don't; only AtlasCredentialsRefused, after every pause, speaks of the credentials themselves.
 */
export async function prove(
  { services, clock, deadline }: Pick<Step, 'services' | 'clock' | 'deadline'>,
  credential: Credential,
): Promise<void> {
  const { clientId, clientSecret } = credential;
  const atlas = services.atlasWith({ clientId, clientSecret });
  for (const pause of [...PROPAGATION_MS, undefined]) {
    try {
      await atlas.call(getSystemStatus, { params: {} }, deadline);
      return;
    } catch (error) {
      const refused =
        error instanceof AtlasCredentialsRefused || (error instanceof AtlasRejected && error.status === 401);
      if (refused && pause !== undefined && pause < deadline.remainingMs()) {
        await clock.sleep(pause, deadline.signal);
      } else if (error instanceof AtlasRejected && error.status === 403) {
        // An API access list or a role, not the secret: tokens are minted from anywhere.
        throw new RotationStopped(
          'ROTATION_PATH_REFUSED',
          `the credentials of ${clientId} mint a token, but Atlas refuses calls with it from here: check the account's API access list and roles`,
          { clientId, status: error.status, errorCode: error.errorCode },
          { cause: error },
        );
      } else {
        throw error;
      }
    } finally {
      await atlas.tokens.revoke(deadline);
    }
  }
}
