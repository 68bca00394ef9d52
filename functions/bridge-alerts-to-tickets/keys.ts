import type { SecretsManager } from '../../lib/aws/secrets-manager.ts';
import type { Clock } from '../../lib/runtime/clock.ts';
import type { Deadline } from '../../lib/runtime/deadline.ts';
import { type Keyring, keyringOf } from './signature.ts';

/** How long keys are used without being read again. */
const FRESH_MS = 5 * 60_000;
/** Not oftener than this, whatever strangers send: a new key may be in use already. */
const LOOK_AGAIN_MS = 10_000;

export interface Keys {
  /** The keys of a secret; none where it holds no usable value. Throws where it can't be read and never was. */
  current(deadline: Deadline): Promise<Keyring>;
  /** The same after something was not signed by any of them: read again, unless that was just done. */
  afterRefusal(deadline: Deadline): Promise<Keyring>;
}

/** The keys webhooks are signed with, read from a secret now and then. */
export function createKeys(
  secret: string,
  { secretsManager, clock }: { secretsManager: Pick<SecretsManager, 'read'>; clock: Clock },
): Keys {
  let held: { keyring: Keyring; readAt: number } | undefined;
  let reading: Promise<Keyring> | undefined;

  const read = (deadline: Deadline): Promise<Keyring> => {
    reading ??= (async () => {
      try {
        const keyring = keyringOf(await secretsManager.read(secret, { stage: 'AWSCURRENT' }, deadline));
        held = { keyring, readAt: clock.now().getTime() };
        return keyring;
      } catch (error) {
        // Keys that were good a while ago are better than turning Atlas away.
        if (held) return held.keyring;
        throw error;
      } finally {
        reading = undefined;
      }
    })();
    return reading;
  };
  const age = (): number => (held ? clock.now().getTime() - held.readAt : Number.POSITIVE_INFINITY);

  return {
    current: async (deadline) => (held && age() < FRESH_MS ? held.keyring : read(deadline)),
    afterRefusal: async (deadline) => (held && age() < LOOK_AGAIN_MS ? held.keyring : read(deadline)),
  };
}
