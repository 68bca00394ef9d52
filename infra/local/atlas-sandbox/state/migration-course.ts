/** How a live migration goes: what of it follows from the clock alone. */

const SECOND_MS = 1000;
/** How long a migration waits for its cutover once it is ready. */
const READY_FOR_MS = 120 * 3_600_000;

/** How one migration is to go; seconds count from its creation unless it says otherwise. */
export interface Plan {
  /** Until a validation is done. */
  readonly validationSeconds: number;
  /** Why the validation fails; it succeeds without. */
  readonly validationError: string | undefined;
  /** Until it begins to work. */
  readonly newSeconds: number;
  /** Until everything is copied and it is ready for its cutover. */
  readonly copySeconds: number;
  /** The lag it never gets below. */
  readonly leastLagSeconds: number;
  /** When, after it was ready, it is not for a while. */
  readonly unready: readonly { readonly fromSeconds: number; readonly toSeconds: number }[];
  /** When it fails, if it does. */
  readonly failAfterSeconds: number | undefined;
  /** How long the cutover takes once it was asked for, and whether it fails in the end. */
  readonly cutoverSeconds: number;
  readonly cutoverFails: boolean;
}

export const usualPlan: Plan = {
  validationSeconds: 30,
  validationError: undefined,
  newSeconds: 60,
  copySeconds: 3600,
  leastLagSeconds: 1,
  unready: [],
  failAfterSeconds: undefined,
  cutoverSeconds: 300,
  cutoverFails: false,
};

/** What happened to a migration, and when; everything else follows. */
export interface Happened {
  readonly createdAt: Date;
  readonly plan: Plan;
  readonly cutoverAt: Date | undefined;
  readonly cancelledAt: Date | undefined;
  /** Hours somebody has added in the user interface. */
  readonly extendedHours: number;
}

export type MigrationStatus = 'NEW' | 'WORKING' | 'FAILED' | 'COMPLETE' | 'EXPIRED';

export interface Course {
  readonly status: MigrationStatus;
  readonly readyForCutover: boolean;
  /** Only while it copies or follows, and no longer once the cutover began. */
  readonly lagTimeSeconds: number | undefined;
  readonly endedAt: Date | undefined;
}

export function courseOf({ createdAt, plan, cutoverAt, cancelledAt, extendedHours }: Happened, now: Date): Course {
  const created = createdAt.getTime();
  const elapsed = now.getTime() - created;
  const ended = (status: MigrationStatus, at: number): Course => ({
    status,
    readyForCutover: false,
    lagTimeSeconds: undefined,
    endedAt: new Date(at),
  });
  const readyAt = created + plan.copySeconds * SECOND_MS;
  const failsAt = created + (plan.failAfterSeconds ?? Number.POSITIVE_INFINITY) * SECOND_MS;
  const expiresAt = readyAt + READY_FOR_MS + extendedHours * 3_600_000;
  const endings: [MigrationStatus, number][] = [];
  if (cutoverAt) {
    endings.push([plan.cutoverFails ? 'FAILED' : 'COMPLETE', cutoverAt.getTime() + plan.cutoverSeconds * SECOND_MS]);
  } else {
    endings.push(['EXPIRED', expiresAt]);
  }
  if (!cutoverAt || failsAt < cutoverAt.getTime()) endings.push(['FAILED', failsAt]);
  // Atlas's document has no word for it: a migration somebody cancelled has failed.
  if (cancelledAt) endings.push(['FAILED', cancelledAt.getTime()]);
  const [status, at] = endings.reduce((a, b) => (b[1] < a[1] ? b : a));
  if (at <= now.getTime()) return ended(status, at);

  const open = { readyForCutover: false, lagTimeSeconds: undefined, endedAt: undefined };
  if (elapsed < plan.newSeconds * SECOND_MS) return { ...open, status: 'NEW' };
  if (cutoverAt) return { ...open, status: 'WORKING' };
  const unready = plan.unready.some(
    ({ fromSeconds, toSeconds }) => elapsed >= fromSeconds * SECOND_MS && elapsed < toSeconds * SECOND_MS,
  );
  return {
    status: 'WORKING',
    readyForCutover: now.getTime() >= readyAt && !unready,
    lagTimeSeconds: Math.max(plan.leastLagSeconds, Math.ceil((readyAt - now.getTime()) / SECOND_MS)),
    endedAt: undefined,
  };
}
