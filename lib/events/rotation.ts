import * as z from 'zod';

/** A new secret of a service account is in use. Sent at least once per `versionId`, which tells repeats apart. */
export const SecretRotated = z.object({
  secretArn: z.string(),
  versionId: z.string(),
  clientId: z.string(),
  secretId: z.string(),
  /** Null where the new secret is gone already. */
  expiresAt: z.iso.datetime().nullable(),
  /** The secret it replaced, and until when that one works; null where it is gone or unknown. */
  previousSecretId: z.string().nullable(),
  overlapUntil: z.iso.datetime().nullable(),
});
export type SecretRotated = z.output<typeof SecretRotated>;
export const SECRET_ROTATED = 'Service Account Secret Rotated';

/** A rotation was promoted and taken back, because the new secret stopped working at that moment. */
export const RotationTakenBack = z.object({
  secretArn: z.string(),
  versionId: z.string(),
  clientId: z.string(),
  secretId: z.string().nullable(),
  restoredVersionId: z.string(),
  restoredSecretId: z.string(),
  /** The restored secret ends then: a new rotation must finish before. */
  deadline: z.iso.datetime(),
});
export type RotationTakenBack = z.output<typeof RotationTakenBack>;
export const ROTATION_TAKEN_BACK = 'Service Account Secret Rotation Taken Back';

/**
 * A secret that can't be rotated as things are, and ends at `deadline`. Sent by every sweep from three days before, until
 * it is mended: the hours left tell one from the next.
 */
export const SecretInDanger = z.object({
  secretArn: z.string(),
  versionId: z.string(),
  clientId: z.string(),
  deadline: z.iso.datetime(),
  hoursLeft: z.int(),
  /** The error code of what stands in the way, and its sentence. */
  code: z.string(),
  reason: z.string(),
});
export type SecretInDanger = z.output<typeof SecretInDanger>;
export const SECRET_IN_DANGER = 'Service Account Secret In Danger';
