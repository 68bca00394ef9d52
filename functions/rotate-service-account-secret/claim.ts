import type { AutomationError } from '../../lib/errors.ts';
import type { SweepStep } from './sweep.ts';

export const reasonOf = ({ code, message }: AutomationError): { code: string; reason: string } => ({
  code,
  reason: message,
});

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
