import * as z from 'zod';

/**
 * What every event about a managed secret carries. It is sent at least once: `id` is the same for every repeat and for
 * nothing else, so whoever must act once keeps the ids it has seen.
 */
const about = {
  id: z.string(),
  secretArn: z.string(),
  /** The version of the managed secret it is about. */
  versionId: z.string(),
  /** The service account. */
  clientId: z.string(),
  /** What AWS and Atlas call the requests that did it, where they say: to find them in CloudTrail and with support. */
  requestIds: z.array(z.string()),
};
const instant = z.iso.datetime();

/** A new secret of a service account is in use. Sent at least once per `versionId`, which tells repeats apart. */
export const SecretRotated = z.object({
  ...about,
  /** The new secret's id in Atlas. */
  secretId: z.string(),
  /** Null where the new secret is gone already. */
  expiresAt: instant.nullable(),
  /** The secret it replaced, and until when that one works; null where it is gone or unknown. */
  previousSecretId: z.string().nullable(),
  overlapUntil: instant.nullable(),
});
export type SecretRotated = z.output<typeof SecretRotated>;
export const SECRET_ROTATED = 'Service Account Secret Rotated';

/** A rotation is about to make a new secret, which ends the current one within seven days. */
export const RotationStarted = z.object({
  ...about,
  /** The current secret, and when it ends once the new one is made. */
  secretId: z.string().nullable(),
  currentEnds: instant,
  /** The life the new one is asked for. */
  lifetimeHours: z.int(),
  mode: z.enum(['self', 'admin']),
});
export type RotationStarted = z.output<typeof RotationStarted>;
export const ROTATION_STARTED = 'Service Account Secret Rotation Started';

/** One try of a step failed. Whether it is tried again is Secrets Manager's business, and then the sweep's. */
export const RotationFailed = z.object({
  ...about,
  step: z.string(),
  /** The error code, and its sentence. */
  code: z.string(),
  reason: z.string(),
  /** Whether another try may help by itself. */
  mayPass: z.boolean(),
});
export type RotationFailed = z.output<typeof RotationFailed>;
export const ROTATION_FAILED = 'Service Account Secret Rotation Failed';

/** A secret that nobody here made holds the account's second slot: no rotation is possible until it goes. */
export const RotationBlocked = z.object({
  ...about,
  /** The stranger's id in Atlas. */
  secretId: z.string(),
  createdAt: instant,
  expiresAt: instant,
  lastUsedAt: instant.nullable(),
});
export type RotationBlocked = z.output<typeof RotationBlocked>;
export const ROTATION_BLOCKED = 'Service Account Secret Rotation Blocked';

/** A rotation was promoted and taken back, because the new secret stopped working at that moment. */
export const RotationTakenBack = z.object({
  ...about,
  secretId: z.string().nullable(),
  restoredVersionId: z.string(),
  restoredSecretId: z.string(),
  /** The restored secret ends then: a new rotation must finish before. */
  deadline: instant,
});
export type RotationTakenBack = z.output<typeof RotationTakenBack>;
export const ROTATION_TAKEN_BACK = 'Service Account Secret Rotation Taken Back';

/**
 * A secret that can't be rotated as things are, and ends at `deadline`. Sent by every sweep past a threshold, until it is
 * mended: 24 hours after a mint whose secret is not in use yet, then 72, 24 and 6 hours before the end.
 */
export const SecretInDanger = z.object({
  ...about,
  secretId: z.string().nullable(),
  deadline: instant,
  hoursLeft: z.int(),
  /** Which threshold was passed last. */
  threshold: z.enum(['24 hours after the mint', '72 hours left', '24 hours left', '6 hours left']),
  /** The error code of what stands in the way, and its sentence. */
  code: z.string(),
  reason: z.string(),
});
export type SecretInDanger = z.output<typeof SecretInDanger>;
export const SECRET_IN_DANGER = 'Service Account Secret In Danger';

/** A secret that was made and never came into use was deleted in Atlas. */
export const OrphanSwept = z.object({ ...about, secretId: z.string(), createdAt: instant });
export type OrphanSwept = z.output<typeof OrphanSwept>;
export const ORPHAN_SWEPT = 'Service Account Secret Orphan Swept';

/** A replaced secret was deleted in Atlas, and every token minted from it with it. */
export const PreviousRetired = z.object({
  ...about,
  secretId: z.string(),
  lastUsedAt: instant.nullable(),
  /** Who had not followed when it could not be kept any longer; empty where everybody had. */
  waitingFor: z.array(z.string()),
});
export type PreviousRetired = z.output<typeof PreviousRetired>;
export const PREVIOUS_RETIRED = 'Service Account Secret Retired';

/** The grace of a replaced secret is over, and somebody still needs it. */
export const StragglerSeen = z.object({
  ...about,
  secretId: z.string(),
  lastUsedAt: instant.nullable(),
  /** Places that must have the new value and have not. */
  waitingFor: z.array(z.string()),
  /** It is kept no longer than this. */
  until: instant,
});
export type StragglerSeen = z.output<typeof StragglerSeen>;
export const STRAGGLER_SEEN = 'Service Account Secret Straggler Seen';

/** Somebody had the previous value put back, as a new version. */
export const SecretRolledBack = z.object({
  ...about,
  /** The secret that is current again, and when it ends. */
  secretId: z.string(),
  expiresAt: instant,
  /** What was replaced: it goes on working for its grace. */
  replacedVersionId: z.string(),
  replacedSecretId: z.string().nullable(),
});
export type SecretRolledBack = z.output<typeof SecretRolledBack>;
export const SECRET_ROLLED_BACK = 'Service Account Secret Rolled Back';

/** Somebody had a secret deleted at once. Tokens minted from it are dead, too. */
export const SecretRevoked = z.object({ ...about, secretId: z.string(), reason: z.string() });
export type SecretRevoked = z.output<typeof SecretRevoked>;
export const SECRET_REVOKED = 'Service Account Secret Revoked';
