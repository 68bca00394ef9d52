import { AutomationError, ConfigError } from '../../lib/errors.ts';
import { type FleetStep, reportFleet } from './fleet.ts';
import { isLookDue, lookedAt } from './fleet-daily.ts';
import type { FleetReport } from './fleet-report.ts';
import type { SweepRun } from './fleet-sweep.ts';

/** With less time than this left, in milliseconds, the look waits for the next run. */
const LEAST_MS = 60_000;

/** What became of the look of the day, in the answer of an hourly run. */
export type DailyLook =
  | { readonly state: 'reported'; readonly complete: boolean; readonly counts: FleetReport['counts'] }
  | { readonly state: 'failed'; readonly code: string; readonly reason: string };

function stepFor({ services, settings, log, deadline }: SweepRun): FleetStep | undefined {
  const { automation, state, reports, rotation } = services;
  const { secretsManager, events } = rotation;
  return automation && { ...automation, secretsManager, events, state, reports, settings, log, deadline };
}

/** The report, whenever somebody asks for it. */
export async function reportFleetNow(run: SweepRun, dryRun: boolean): Promise<FleetReport> {
  const step = stepFor(run);
  if (step) return reportFleet(step, dryRun);
  throw new ConfigError('the fleet can only be looked at with credentials of the automation’s own', [
    { path: 'ATLAS_CREDENTIALS_SECRET', problem: 'is not set' },
  ]);
}

/** The look of the day, where it is due: undefined in every other hourly run. What goes wrong is answered, not thrown. */
export async function reportFleetOfTheDay(run: SweepRun): Promise<DailyLook | undefined> {
  const { services, clock, deadline, log } = run;
  const step = stepFor(run);
  if (!step || deadline.remainingMs() < LEAST_MS) return undefined;
  try {
    if (!(await isLookDue(step.credentialsSecret, clock.now(), services.state, deadline))) return undefined;
    const { complete, counts } = await reportFleet(step, false);
    await lookedAt(clock.now(), services.state, deadline);
    return { state: 'reported', complete, counts };
  } catch (error) {
    if (!(error instanceof AutomationError)) throw error;
    log.error('the fleet could not be looked at', { facts: { code: error.code, ...error.facts }, error });
    return { state: 'failed', code: error.code, reason: error.message };
  }
}
