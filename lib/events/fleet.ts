import * as z from 'zod';

/**
 * What a service account of the fleet is now, where that is something else than at the last look: one for each account
 * and change. Where the bundle has no memory, one for every account that needs a person, at each daily look.
 */
export const ServiceAccountClassChanged = z.object({
  clientId: z.string(),
  name: z.string().nullable(),
  orgId: z.string().nullable(),
  /** `managed`, `unmanaged`, `break-glass` or `unknown`, then what was found; `gone` alone for an account that is no more. */
  classes: z.array(z.string()).min(1),
  /** The same at the last look; null for an account that was not known. */
  previously: z.array(z.string()).nullable(),
  /** A sentence for each thing a person has to look at. */
  reasons: z.array(z.string()),
  needsPerson: z.boolean(),
  /** Who answers for an account that is kept for emergencies. */
  owner: z.string().nullable(),
  /** When its last secret ends; null where none works. */
  worksUntil: z.iso.datetime().nullable(),
  /** When it was looked at, by Atlas's clock. */
  at: z.iso.datetime(),
});
export type ServiceAccountClassChanged = z.output<typeof ServiceAccountClassChanged>;
export const SERVICE_ACCOUNT_CLASS_CHANGED = 'Service Account Class Changed';
