/** What is known of the moment AWSCURRENT became what it is. */
export interface Traces {
  /** When Secrets Manager last saw a rotation to its end. */
  readonly lastRotatedAt: Date | undefined;
  /** When anything of the managed secret was changed last: never before the promotion. */
  readonly lastChangedAt: Date | undefined;
  /** When the current secret was made in Atlas. */
  readonly currentMadeAt: Date | undefined;
  /** When the versions behind the labels were begun. */
  readonly currentVersionAt: Date | undefined;
  readonly previousVersionAt: Date | undefined;
  /** When the secret behind AWSPREVIOUS was made in Atlas. */
  readonly previousMadeAt: Date | undefined;
  readonly now: Date;
}

/** A version that is this much younger than the secret in it was written by hand: a rotation begins its version first. */
export const BY_HAND_MS = 5 * 60_000;

/**
 * When AWSCURRENT was promoted: the start of its predecessor's grace. Nothing records it as such, so it is read from
 * what there is; not `recorded` where that is only the earliest it can have been. Pure.
 */
export function promotionOf(traces: Traces): { readonly at: Date; readonly recorded: boolean } {
  const { lastRotatedAt, lastChangedAt, currentMadeAt, currentVersionAt, previousMadeAt, previousVersionAt, now } =
    traces;
  // The label was moved back to an older version, and no date tells when.
  if (currentVersionAt && previousVersionAt && previousVersionAt > currentVersionAt)
    return { at: previousVersionAt, recorded: false };
  // A new version with a secret from before what it replaces, or from before the last rotation: an older value was put
  // back, by the verb or by hand, and that was its promotion.
  const isOlder =
    currentMadeAt !== undefined &&
    ((previousMadeAt !== undefined && currentMadeAt < previousMadeAt) ||
      (lastRotatedAt !== undefined && currentMadeAt <= lastRotatedAt));
  if (isOlder && currentVersionAt && !(lastRotatedAt && lastRotatedAt >= currentVersionAt))
    return { at: currentVersionAt, recorded: true };
  if (currentMadeAt === undefined) return { at: lastRotatedAt ?? currentVersionAt ?? now, recorded: true };
  if (lastRotatedAt === undefined) {
    const byHand = currentVersionAt === undefined || currentVersionAt.getTime() - currentMadeAt.getTime() > BY_HAND_MS;
    if (byHand) return { at: currentVersionAt ?? currentMadeAt, recorded: true };
    // The first rotation, and nobody saw its end: it may have been promoted days after the mint.
    if (lastChangedAt === undefined) return { at: currentMadeAt, recorded: false };
    return { at: lastChangedAt > currentMadeAt ? lastChangedAt : currentMadeAt, recorded: true };
  }
  // A rotation that was promoted but never reported as finished leaves the date of the one before it.
  return lastRotatedAt >= currentMadeAt
    ? { at: lastRotatedAt, recorded: true }
    : { at: currentMadeAt, recorded: false };
}
