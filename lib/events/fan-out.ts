import * as z from 'zod';

/**
 * A place outside of AWS must get this version of a managed secret: its controller reads the value from Secrets Manager
 * itself, by `versionId`, and answers with `{"action": "acknowledge", "secret": secretArn, "target": …, "versionId": …}`
 * on the sweep. Sent after every rotation, and again by every sweep until then: `versionId` and `target` tell repeats.
 */
export const FanOutRequested = z.object({
  secretArn: z.string(),
  versionId: z.string(),
  /** To be repeated in the acknowledgement as it is. */
  target: z.string(),
  kind: z.literal('kubernetes'),
  cluster: z.string(),
  namespace: z.string(),
  secret: z.string(),
  /** The one key of the value that is wanted there; null for all of it. */
  field: z.string().nullable(),
  requestedAt: z.iso.datetime(),
});
export type FanOutRequested = z.output<typeof FanOutRequested>;
export const FAN_OUT_REQUESTED = 'Secret Fan-out Requested';

/**
 * A place that must hold this version of a managed secret does not: it goes on with the replaced secret, which is not
 * deleted before the place has the new one, and which Atlas ends on its own day. Sent by every sweep until it is mended.
 */
export const FanOutBehind = z.object({
  secretArn: z.string(),
  versionId: z.string(),
  target: z.string(),
  /** What stands in the way: an error code of the runbook, and its sentence. */
  code: z.string(),
  reason: z.string(),
  /** Since when this version is the current one, where Secrets Manager says so. */
  since: z.iso.datetime().nullable(),
});
export type FanOutBehind = z.output<typeof FanOutBehind>;
export const FAN_OUT_BEHIND = 'Fan-out Behind';
