import { createHash } from 'node:crypto';
import type { AtlasView, Decision, Policy, SecretsManagerView } from './decide.ts';

/** One of the account's two secrets as Atlas lists it, expired ones included. */
export interface Slot {
  readonly id: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly lastUsedAt: Date | undefined;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A secret that was replaced lives no longer than this after the mint of the one that replaced it. */
export const CLAMP_MS = 7 * DAY_MS;

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

export const alive = (slot: Slot | undefined, now: Date): slot is Slot => slot !== undefined && slot.expiresAt > now;

interface Known {
  readonly secretsManager: SecretsManagerView;
  readonly slots: readonly Slot[];
  readonly maxLifetimeHours: AtlasView['maxLifetimeHours'];
  readonly now: Date;
  readonly policy: Policy;
}

/**
 * What is due for the secrets beside the current and the pending one, whether or not a new one is to be made: what can
 * be deleted first, then what is waited for. Undefined where there are none.
 */
export function decideRest(known: Known): Decision | undefined {
  const { current, pending } = known.secretsManager;
  const options = known.slots
    .filter(({ id }) => id !== current?.secretId && id !== pending?.secretId)
    .map((slot) => decideSlot(slot, known));
  const first = (what: Decision['do']): Decision | undefined => options.find((option) => option.do === what);
  return first('look') ?? first('delete') ?? first('wait') ?? options[0];
}

/** Deletes only what can't become needed meanwhile. */
function decideSlot(slot: Slot, known: Known): Decision {
  const { secretsManager, now } = known;
  // What has leaked is not waited for: nobody is meant to go on using it.
  if (slot.id === secretsManager.leakedId) return removalOf(slot, secretsManager);
  if (!secretsManager.promotion) return { do: 'look', at: 'versions' };
  if (slot.id === secretsManager.previous?.secretId) return decideReplaced(slot, known, secretsManager.previous);
  if (!secretsManager.unlabelledIds) return { do: 'look', at: 'unlabelled versions' };
  if (secretsManager.unlabelledIds.has(slot.id)) return decideReplaced(slot, known);
  if (!isOurs(slot, known)) {
    // A secret that was asked for under the organization's limit carries that limit's mark.
    return known.maxLifetimeHours === undefined && slot.lastUsedAt === undefined
      ? { do: 'look', at: 'lifetime limit' }
      : { do: 'alert', why: 'foreign', slot };
  }
  const ageEnd = new Date(slot.createdAt.getTime() + ORPHAN_AGE_MS);
  return now < ageEnd ? { do: 'wait', slot, until: ageEnd, why: 'young' } : { do: 'delete', slot, why: 'orphan' };
}

/** A secret that a version of this managed secret holds: the one behind AWSPREVIOUS, or one that has lost its label. */
function decideReplaced(slot: Slot, known: Known, previous?: SecretsManagerView['previous']): Decision {
  const { secretsManager, now, policy } = known;
  const { promotion, waitingFor } = secretsManager;
  const current = known.slots.find(({ id }) => id === secretsManager.current?.secretId);
  const promotedAt = promotion?.at ?? now;
  const remove = removalOf(slot, secretsManager);
  if (!alive(slot, now)) return remove;
  // Whoever still uses the replaced secret is waited for, but not at the price of the one in use.
  const latest = Math.min(
    slot.expiresAt.getTime(),
    promotedAt.getTime() + CLAMP_MS,
    (alive(current, now) ? current.expiresAt.getTime() : Number.POSITIVE_INFINITY) - DAY_MS,
  );
  const wait = (until: number, why: 'grace' | 'straggler' | 'followers'): Decision | undefined => {
    const end = new Date(Math.min(until, latest));
    return now < end ? { do: 'wait', slot, until: end, why, waitingFor: waitingFor ?? [] } : undefined;
  };
  const ageEnd = new Date(slot.createdAt.getTime() + ORPHAN_AGE_MS);
  const young: Decision | undefined = now < ageEnd ? { do: 'wait', slot, until: ageEnd, why: 'young' } : undefined;
  if (policy.urgent) return (previous ? undefined : young) ?? remove;
  const grace = wait(promotedAt.getTime() + (promotion?.recorded ? policy.graceHours * HOUR_MS : CLAMP_MS), 'grace');
  if (grace) return grace;
  // A secret that was dropped before its promotion was used by nobody but our own proof of it.
  const wasInUse = previous !== undefined || (current !== undefined && slot.createdAt < current.createdAt);
  // Also where it can't be kept any longer: then it is told who was left behind.
  if (previous && waitingFor === undefined) return { do: 'look', at: 'followers' };
  const usedLate = slot.lastUsedAt !== undefined && slot.lastUsedAt.getTime() > promotedAt.getTime() + STRAGGLER_MS;
  const straggling = wasInUse && usedLate ? wait(latest, 'straggler') : undefined;
  const following = (waitingFor ?? []).length > 0 ? wait(latest, 'followers') : undefined;
  return straggling ?? following ?? young ?? remove;
}

/** Behind its label, where it still has it. */
const removalOf = (slot: Slot, { previous }: SecretsManagerView): Decision =>
  slot.id === previous?.secretId
    ? { do: 'delete', slot, why: 'previous', fence: previous.versionId }
    : { do: 'delete', slot, why: 'unlabelled' };

/** Nobody has used it, it is no older than the current one (Atlas tells seconds), and it lives as long as only ours do. */
function isOurs(slot: Slot, { secretsManager, slots, maxLifetimeHours, policy }: Known): boolean {
  const current = slots.find(({ id }) => id === secretsManager.current?.secretId);
  const hours = Math.round((slot.expiresAt.getTime() - slot.createdAt.getTime()) / HOUR_MS);
  const marks = [
    lifetimeHours(policy.secretExpiresAfterHours, secretsManager.arn),
    secretsManager.current?.lifetimeHours,
    typeof maxLifetimeHours === 'number' ? lifetimeHours(maxLifetimeHours, secretsManager.arn) : undefined,
  ];
  return (
    slot.lastUsedAt === undefined &&
    (current === undefined || slot.createdAt >= current.createdAt) &&
    marks.includes(hours)
  );
}
