import type { AtlasClient } from '../../lib/atlas/client.ts';
import { AtlasRejected } from '../../lib/atlas/errors.ts';
import { getOrgSettings } from '../../lib/atlas/operations/organizations.ts';
import { AutomationError } from '../../lib/errors.ts';
import type { Clock } from '../../lib/runtime/clock.ts';
import { type Deadline, within } from '../../lib/runtime/deadline.ts';

/** Atlas takes ten of these calls at once and five a minute from a whole organization: an answer is kept this long. */
const KEPT_MS = 3_600_000;

/** What is only good to know is not waited for longer than this, in milliseconds: a rate limit may ask for a minute. */
const PATIENCE_MS = 5_000;

/** The longest life an organization allows a new secret, in hours; undefined where it sets none, or does not tell us. */
export type MaxLifetimeHours = (atlas: AtlasClient, orgId: string, deadline: Deadline) => Promise<number | undefined>;

/**
 * Reads it, and keeps it for an hour. Never throws: without an answer a secret is asked for as configured, and Atlas
 * itself refuses a lifetime that is too long. Callers that ask together share one call.
 */
export function createLifetimeLimit(clock: Clock): MaxLifetimeHours {
  const known = new Map<string, { readonly hours: Promise<number | undefined>; readonly until: number }>();
  const forget = (orgId: string): undefined => {
    known.delete(orgId);
  };
  return async (atlas, orgId, deadline) => {
    const now = clock.now().getTime();
    const kept = known.get(orgId);
    if (kept && now < kept.until) return kept.hours;
    const hours = atlas.call(getOrgSettings, { params: { orgId } }, within(deadline, PATIENCE_MS, clock)).then(
      (settings) => settings.maxServiceAccountSecretValidityInHours ?? undefined,
      (error: unknown) => {
        // Who may not read it now may not read it at the next secret of the organization either.
        if (error instanceof AtlasRejected) return undefined;
        forget(orgId);
        if (error instanceof AutomationError) return undefined;
        throw error;
      },
    );
    known.set(orgId, { hours, until: now + KEPT_MS });
    return hours;
  };
}
