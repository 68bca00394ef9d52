import { createHash } from 'node:crypto';

/** One of the account's two secrets as Atlas lists it, expired ones included. */
export interface Slot {
  readonly id: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly lastUsedAt: Date | undefined;
}

/** Everything createSecret decides on. */
export interface View {
  /** Atlas's clock: every other instant of Atlas is compared with it, never with ours. */
  readonly now: Date;
  readonly secretArn: string;
  readonly slots: readonly Slot[];
  /** Atlas id of the secret behind AWSCURRENT. */
  readonly currentId: string;
  /** Atlas id of the secret already stored for this rotation, if it is. */
  readonly pendingId: string | undefined;
  /** The version behind AWSPREVIOUS and the Atlas id it holds, if there is one. */
  readonly previous: { readonly versionId: string; readonly secretId: string | undefined } | undefined;
  /** Atlas ids that versions without a label hold: replaced or dropped by us earlier. */
  readonly unlabelledIds: ReadonlySet<string>;
  /** When AWSCURRENT was promoted: the start of its predecessor's grace. */
  readonly promotedAt: Date;
  /** False where `promotedAt` is only the earliest it can have been: the promotion itself was never recorded. */
  readonly promotionRecorded: boolean;
  /** The lifetime AWSCURRENT was made with, in hours, where it says so: an older setting's mark. */
  readonly currentLifetimeHours?: number | undefined;
  readonly policy: { readonly secretExpiresAfterHours: number; readonly graceHours: number };
}

export type Decision =
  /** The value is stored and its secret is alive. */
  | { readonly do: 'keep' }
  | { readonly do: 'mint'; readonly lifetimeHours: number }
  /** Delete this secret, after taking AWSPREVIOUS off `fence` where one is given; then look again. */
  | {
      readonly do: 'delete';
      readonly slot: Slot;
      readonly why: 'previous' | 'unlabelled' | 'orphan';
      readonly fence?: string;
    }
  | { readonly do: 'wait'; readonly slot: Slot; readonly until: Date; readonly why: 'grace' | 'straggler' | 'young' }
  /** The stored value can never work: it is not in Atlas any more, or has expired. */
  | { readonly do: 'drop-pending' }
  /** Somebody else's secret holds the slot. */
  | { readonly do: 'refuse'; readonly slot: Slot };

export type RestDecision = Extract<Decision, { readonly slot: Slot }>;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A secret that was replaced lives no longer than this after the mint of the one that replaced it. */
const CLAMP_MS = 7 * DAY_MS;

/**
 * How old an unreferenced secret must be before nobody can still be storing it: the longest Lambda run (15 min), and
 * five minutes for a request that outlives it and for clocks that disagree.
 */
export const ORPHAN_AGE_MS = 20 * 60_000;

/** Use of the replaced secret later than this after the promotion means that somebody has not taken the new one. */
const STRAGGLER_MS = HOUR_MS;

/**
 * The lifetime a new secret is asked for: the policy's, less 1 to 23 hours that depend on the managed secret alone.
 * Atlas lets nothing be written on a secret, so this is how one whose answer was lost is told from a secret that a
 * person made: the newest secret's lifetime is never shortened, and people ask for whole days.
 */
export function lifetimeHours(policyHours: number, secretArn: string): number {
  const digest = createHash('sha256').update(secretArn).digest();
  return Math.max(8, policyHours - 1 - (digest.readUInt32BE(0) % 23));
}

const alive = (slot: Slot, now: Date): boolean => slot.expiresAt > now;

/** What createSecret does next. Pure; asked again after every change, until it says keep or mint, or stops. */
export function decide(view: View): Decision {
  const { slots, pendingId, now } = view;
  if (pendingId !== undefined) {
    const pending = slots.find((slot) => slot.id === pendingId);
    return pending && alive(pending, now) ? { do: 'keep' } : { do: 'drop-pending' };
  }
  const lifetime = lifetimeHours(view.policy.secretExpiresAfterHours, view.secretArn);
  // Present ones count, not valid ones: Atlas keeps an expired secret's slot until somebody deletes it.
  if (slots.length < 2) return { do: 'mint', lifetimeHours: lifetime };
  return decideRest(view) ?? { do: 'mint', lifetimeHours: lifetime };
}

/**
 * What is due for the secrets beside the current one, whether or not a new one is to be made: the part of createSecret's
 * decision that the sweep carries out by itself. Undefined where there are none.
 */
export function decideRest(view: View): RestDecision | undefined {
  const lifetime = lifetimeHours(view.policy.secretExpiresAfterHours, view.secretArn);
  const options = view.slots.filter(({ id }) => id !== view.currentId).map((slot) => makeRoom(slot, view, lifetime));
  return options.find((o) => o.do === 'delete') ?? options.find((o) => o.do === 'wait') ?? options[0];
}

/** What to do about the secret in the slot the new one needs. Deletes only what can't become needed meanwhile. */
function makeRoom(slot: Slot, view: View, lifetime: number): RestDecision {
  const { now, previous, promotedAt } = view;
  const current = view.slots.find(({ id }) => id === view.currentId);
  const isPrevious = slot.id === previous?.secretId;
  const ageEnd = new Date(slot.createdAt.getTime() + ORPHAN_AGE_MS);
  if (isPrevious || view.unlabelledIds.has(slot.id)) {
    const remove: RestDecision = {
      do: 'delete',
      slot,
      why: isPrevious ? 'previous' : 'unlabelled',
      ...(isPrevious && { fence: previous.versionId }),
    };
    if (!alive(slot, now)) return remove;
    // Whoever still uses the replaced secret is waited for, but not at the price of the one in use.
    const latest = Math.min(
      slot.expiresAt.getTime(),
      promotedAt.getTime() + CLAMP_MS,
      (current?.expiresAt.getTime() ?? Number.POSITIVE_INFINITY) - DAY_MS,
    );
    const wait = (until: number, why: 'grace' | 'straggler'): RestDecision | undefined => {
      const end = new Date(Math.min(until, latest));
      return now < end ? { do: 'wait', slot, until: end, why } : undefined;
    };
    // A secret that was dropped before its promotion was used by nobody but our own proof of it.
    const wasInUse = isPrevious || (current !== undefined && slot.createdAt < current.createdAt);
    const usedLate = slot.lastUsedAt !== undefined && slot.lastUsedAt.getTime() > promotedAt.getTime() + STRAGGLER_MS;
    const waiting =
      wait(promotedAt.getTime() + (view.promotionRecorded ? view.policy.graceHours * HOUR_MS : CLAMP_MS), 'grace') ??
      (wasInUse && usedLate ? wait(latest, 'straggler') : undefined);
    return waiting ?? (now < ageEnd ? { do: 'wait', slot, until: ageEnd, why: 'young' } : remove);
  }
  const hours = Math.round((slot.expiresAt.getTime() - slot.createdAt.getTime()) / HOUR_MS);
  const ours =
    slot.lastUsedAt === undefined &&
    (current === undefined || slot.createdAt > current.createdAt) &&
    (hours === lifetime || hours === view.currentLifetimeHours);
  if (!ours) return { do: 'refuse', slot };
  return now < ageEnd ? { do: 'wait', slot, until: ageEnd, why: 'young' } : { do: 'delete', slot, why: 'orphan' };
}

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
