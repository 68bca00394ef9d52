import { SLACK_HOURS } from './contract.ts';
import { alive, decideRest, lifetimeHours, type Slot } from './second-slot.ts';

/** A version of the managed secret, and which of the account's secrets it holds, where that is known. */
export interface VersionView {
  readonly versionId: string;
  readonly secretId: string | undefined;
}

/** What Secrets Manager says. What has not been asked yet is undefined: the answer is then to look. */
export interface SecretsManagerView {
  readonly arn: string;
  /** Whether Secrets Manager rotates the secret at all: a rotation may have been switched off half way. */
  readonly rotationEnabled: boolean;
  /** The lifetime AWSCURRENT was made with, in hours, where it says so: an older setting's mark. */
  readonly current: (VersionView & { readonly lifetimeHours?: number | undefined }) | undefined;
  /** The version a rotation is under way for. An empty one has no value yet. */
  readonly pending: (VersionView & { readonly state: 'empty' | 'stored' }) | undefined;
  readonly previous: VersionView | undefined;
  /** The secret that somebody had replaced because it has leaked: AWSCURRENT itself says so. */
  readonly leakedId?: string | undefined;
  /** AWSCURRENT was moved, and Secrets Manager has not taken the rotation for finished: what follows it may be undone. */
  readonly unconfirmed: boolean;
  /** Somebody wrote a value after the pending version was begun, which ended that rotation. */
  readonly superseded: boolean;
  /** When AWSCURRENT was promoted; not `recorded` where that is only the earliest it can have been. */
  readonly promotion: { readonly at: Date; readonly recorded: boolean } | undefined;
  /** The account's secrets that versions without a label hold: replaced or dropped earlier. */
  readonly unlabelledIds: ReadonlySet<string> | undefined;
  /** Who must have the new value before the replaced one may go, and has not. */
  readonly waitingFor: readonly string[] | undefined;
}

/** What Atlas says. */
export interface AtlasView {
  /** Every secret of the account, expired ones included. */
  readonly slots: readonly Slot[] | undefined;
  /** The version whose stored bytes have just minted a token: then its secret is there, listed or not. */
  readonly provenVersionId?: string | undefined;
  /** The organization's limit for new secrets; null where there is none to be had. */
  readonly maxLifetimeHours: number | null | undefined;
}

export interface Policy {
  readonly secretExpiresAfterHours: number;
  readonly graceHours: number;
  /** How often Secrets Manager rotates; 0 where its schedule does not say so in hours. */
  readonly rotatesEveryHours: number;
  /** Room is made at once, without grace: the current secret has leaked. */
  readonly urgent?: boolean;
}

export type Alert =
  /** Somebody else's secret holds the second slot. */
  | { readonly do: 'alert'; readonly why: 'foreign'; readonly slot: Slot }
  /** A new secret would end before the next rotation can have replaced it. */
  | {
      readonly do: 'alert';
      readonly why: 'lifetime';
      readonly hours: number;
      readonly maxHours: number | undefined;
      readonly neededHours: number;
    }
  | { readonly do: 'alert'; readonly why: 'no current' | 'current unknown' | 'rotation off' };

export type Wait = {
  readonly do: 'wait';
  readonly slot: Slot;
  readonly until: Date;
  readonly why: 'grace' | 'straggler' | 'followers' | 'young';
  readonly waitingFor?: readonly string[];
};

/** The next thing to do in the whole course of a rotation. */
export type Decision =
  /** Not enough is known: ask this, and decide again. */
  | {
      readonly do: 'look';
      readonly at: 'account' | 'versions' | 'unlabelled versions' | 'lifetime limit' | 'followers';
    }
  /** Make sure of the promoted secret, and tell everybody. */
  | { readonly do: 'confirm' }
  /** Take the label of a rotation that is over off its version. */
  | { readonly do: 'abandon' }
  /** The stored value can never work: its secret is gone or has expired. */
  | { readonly do: 'drop pending' }
  /** The value is stored and its secret lives: prove it, and make it current. */
  | { readonly do: 'promote' }
  | { readonly do: 'mint'; readonly lifetimeHours: number }
  /** Delete this secret, after taking AWSPREVIOUS off `fence` where one is given; then look again. */
  | {
      readonly do: 'delete';
      readonly slot: Slot;
      readonly why: 'previous' | 'unlabelled' | 'orphan';
      readonly fence?: string;
    }
  /** The current secret is gone, and the one before it works: put that one back. */
  | { readonly do: 'restore' }
  /** Ask Secrets Manager for a rotation. */
  | { readonly do: 'start' }
  | { readonly do: 'nothing' }
  | Wait
  | Alert;

const HOUR_MS = 3_600_000;
const LEAST_SLACK_HOURS = 6;

/**
 * What comes next, from whatever state the two sides are in. Pure and total; asked again after every look and every
 * change, by the steps of a rotation, by the sweep and by a dry run alike.
 */
export function decide(secretsManager: SecretsManagerView, atlas: AtlasView, now: Date, policy: Policy): Decision {
  const { current, pending } = secretsManager;
  if (!current) return { do: 'alert', why: 'no current' };
  if (secretsManager.unconfirmed) return { do: 'confirm' };
  if (pending && secretsManager.superseded) return { do: 'abandon' };
  if (pending?.state === 'stored' && pending.versionId === atlas.provenVersionId) return { do: 'promote' };
  const { slots } = atlas;
  if (!slots) return { do: 'look', at: 'account' };
  if (pending?.state === 'stored') {
    const slot = slots.find(({ id }) => id === pending.secretId);
    return alive(slot, now) ? { do: 'promote' } : { do: 'drop pending' };
  }
  if (current.secretId === undefined) return { do: 'alert', why: 'current unknown' };
  const known = { secretsManager, slots, maxLifetimeHours: atlas.maxLifetimeHours, now, policy };
  if (!pending) return decideIdle(known);
  if (!secretsManager.rotationEnabled) return { do: 'abandon' };
  // Present ones count, not valid ones: Atlas keeps an expired secret's slot until somebody deletes it.
  if (slots.length < 2) return decideMint(known);
  if (isRestorable(known)) return { do: 'restore' };
  return decideRest(known) ?? { do: 'alert', why: 'current unknown' };
}

type Known = Parameters<typeof decideRest>[0];

/** A secret that would end before its successor can be in use is never made: each mint shortens the one in use. */
function decideMint({ secretsManager, maxLifetimeHours, policy }: Known): Decision {
  if (maxLifetimeHours === undefined) return { do: 'look', at: 'lifetime limit' };
  const wanted = policy.secretExpiresAfterHours;
  const hours = Math.min(wanted, maxLifetimeHours ?? wanted);
  // Who set a short lifetime knows it; who finds it shortened by somebody else needs the time a late rotation takes.
  const neededHours = policy.rotatesEveryHours + (hours < wanted ? SLACK_HOURS : 0);
  if (hours < neededHours)
    return { do: 'alert', why: 'lifetime', hours, maxHours: maxLifetimeHours ?? undefined, neededHours };
  return { do: 'mint', lifetimeHours: lifetimeHours(hours, secretsManager.arn) };
}

/** Whether the current secret is gone while the one before it works: that one's value is better than a dead one. */
function isRestorable({ secretsManager: { current, previous, leakedId }, slots, now }: Known): boolean {
  const works = (id: string | undefined): boolean =>
    alive(
      slots.find((slot) => slot.id === id),
      now,
    );
  return !works(current?.secretId) && previous?.secretId !== leakedId && works(previous?.secretId);
}

/** With no rotation under way: what earlier ones left, and whether it is time for the next. */
function decideIdle(known: Known): Decision {
  const { secretsManager, slots, now, policy } = known;
  const { current, rotationEnabled } = secretsManager;
  const start: Decision = rotationEnabled ? { do: 'start' } : { do: 'alert', why: 'rotation off' };
  const currentSlot = slots.find(({ id }) => id === current?.secretId);
  // Without a current secret that lives, any other may be the account's last: only a rotation makes room then.
  if (!alive(currentSlot, now)) return isRestorable(known) ? { do: 'restore' } : start;
  const rest = decideRest(known);
  if (rest) return rest;
  return endsSoon(currentSlot, now, policy) ? start : { do: 'nothing' };
}

/** By the real end of the secret, which a mint, or a person, may have brought nearer than the schedule knows. */
export const endsSoon = (slot: Slot | undefined, now: Date, policy: Policy): boolean =>
  (slot?.expiresAt.getTime() ?? 0) - now.getTime() < slackHours(policy) * HOUR_MS;

/**
 * How much of a secret's life is left when something must happen: what its schedule leaves of it, at most three days and
 * at least six hours. A secret of a day that is rotated every few hours is not always near its end.
 */
const slackHours = ({ secretExpiresAfterHours, rotatesEveryHours }: Policy): number =>
  Math.min(SLACK_HOURS, Math.max(LEAST_SLACK_HOURS, secretExpiresAfterHours - rotatesEveryHours));
