import { AtlasCredentialsRefused } from '../../lib/atlas/errors.ts';
import { type Account, accountOf } from './account.ts';
import { scopeOf } from './credential.ts';
import type { Held, Rotation, Step } from './rotation.ts';

/** The same account, acting with what this version holds. */
export const accountWith = ({ services }: Pick<Step, 'services'>, { account }: Rotation, held: Held): Account =>
  accountOf(services.atlasTrying(held), scopeOf(held.credential), account.clientId);

/** Whether what failed speaks of the credentials an account acts for itself with. */
export const cannotAct = (error: unknown, { mode }: Rotation): boolean =>
  mode === 'self' && error instanceof AtlasCredentialsRefused;

/**
 * The account's secrets. An account that acts for itself, and whose current secret has ended half way through its
 * rotation, can still look with the one that is stored.
 */
export async function secretsOf(step: Step, rotation: Rotation): ReturnType<Account['secrets']> {
  try {
    return await rotation.account.secrets(step.deadline);
  } catch (error) {
    if (!cannotAct(error, rotation) || !rotation.pending) throw error;
    return accountWith(step, rotation, rotation.pending).secrets(step.deadline);
  }
}
