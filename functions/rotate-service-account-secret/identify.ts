import type { Slot } from './second-slot.ts';

/** A secret of the account as Atlas shows it, with the mask it shows instead of the value. */
export interface MaskedSlot extends Slot {
  readonly mask: string | undefined;
}

/**
 * Which of the account's secrets a value is that does not say so itself, because nobody has rotated it yet: the only
 * one whose mask fits. Undefined where none or more than one fits.
 */
export function identifyCurrent(clientSecret: string, slots: readonly MaskedSlot[]): string | undefined {
  const fitting = slots.filter(({ mask }) => fits(clientSecret, mask));
  return fitting.length === 1 ? fitting[0]?.id : undefined;
}

/**
 * The same for such a value once it has been replaced. A secret is minted only while its predecessor is the account's
 * only other one, so whatever is older than the current secret is that predecessor, unless its mask says no.
 */
export function identifyPrevious(
  clientSecret: string,
  currentId: string,
  slots: readonly MaskedSlot[],
): string | undefined {
  const current = slots.find(({ id }) => id === currentId);
  return current && slots.find(({ createdAt, mask }) => createdAt < current.createdAt && fits(clientSecret, mask))?.id;
}

/** The format of the mask is Atlas's own business: whatever it shows before and after the hidden part must agree. */
function fits(clientSecret: string, mask: string | undefined): boolean {
  if (mask === undefined) return true;
  const [, head, tail] = /^([\w-]*?)[^\w-]+([\w-]*)$/.exec(mask) ?? [];
  return head !== undefined && tail !== undefined && clientSecret.startsWith(head) && clientSecret.endsWith(tail);
}
