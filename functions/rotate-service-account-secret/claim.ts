import type { AutomationError } from '../../lib/errors.ts';
import type { SweepStep } from './sweep.ts';

export const reasonOf = ({ code, message }: AutomationError): { code: string; reason: string } => ({
  code,
  reason: message,
});

/**
 * Does what a person asked for, as the account's only writer where that can be had. Who died holding the account must
 * not keep a leaked secret alive: every step bears somebody beside it, the one who comes second only meets refusals.
 */
export async function claimedIfFree<Result>(
  { claim, log }: Pick<SweepStep, 'claim' | 'log'>,
  clientId: string,
  act: () => Promise<Result>,
): Promise<Result> {
  await using held = await claim?.(clientId);
  if (claim && !held)
    log.warn('somebody else may be writing to this account: going on beside them', { facts: { clientId } });
  return await act();
}

/** Does it as the account's only writer; undefined where somebody else is that. */
export async function claimed<Result>(
  { claim }: Pick<SweepStep, 'claim'>,
  clientId: string,
  act: () => Promise<Result>,
): Promise<Result | undefined> {
  if (!claim) return act();
  const held = await claim(clientId);
  if (!held) return undefined;
  try {
    return await act();
  } finally {
    await held[Symbol.asyncDispose]();
  }
}
