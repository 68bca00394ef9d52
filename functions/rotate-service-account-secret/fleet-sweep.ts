import type { Logger } from '@aws-lambda-powertools/logger';
import { AutomationError } from '../../lib/errors.ts';
import type { Clock } from '../../lib/runtime/clock.ts';
import type { Deadline } from '../../lib/runtime/deadline.ts';
import { entryOf, type RotationSettings } from './contract.ts';
import { type FannedOut, fanOut } from './fan-out.ts';
import { glanceAt, WORTH_A_GLANCE } from './fleet-glance.ts';
import type { SweepServices } from './fleet-services.ts';
import { eachOf, hashed, spread } from './fleet-spread.ts';
import type { Services } from './rotation.ts';
import { type SweepStep, type Swept, sweepSecret } from './sweep.ts';

const HOUR_MS = 3_600_000;

/** Secrets swept side by side. Atlas's limits are the pace's matter; this bounds memory and open connections. */
const SIDE_BY_SIDE = 24;

/**
 * Rotations begun in one sweep at most: each is driven by processes of its own, each of which asks once for the settings
 * of the organization, and Atlas answers ten of those at once and five a minute. The others have days left.
 */
export const MOST_BEGUN = 8;

/** A secret with less left than this is not put off. */
const URGENT_MS = 24 * HOUR_MS;

export interface SweepRun {
  readonly services: SweepServices;
  readonly settings: RotationSettings;
  readonly log: Logger;
  readonly clock: Clock;
  readonly deadline: Deadline;
}

export interface SweepRequest {
  /** Names or ARNs; all of the settings' unless given. */
  readonly secrets: readonly string[] | undefined;
  readonly dryRun: boolean;
  readonly givenUp: boolean;
}

export interface Failed {
  readonly managedSecret: string;
  readonly code: string;
  readonly reason: string;
}

export type SweptWithTargets = Swept & { readonly fanOut?: readonly FannedOut[] };

/**
 * Sweeps many secrets side by side, in an order of their own, and goes on when one of them can't be swept. Answers in
 * the order of the request. Safe to run again at any time, and beside itself.
 */
export async function sweepAll(
  { secrets, dryRun, givenUp }: SweepRequest,
  run: SweepRun,
): Promise<{ wanted: number; swept: SweptWithTargets[]; failed: Failed[] }> {
  const { services, settings, log, clock, deadline } = run;
  const wanted = secrets ?? settings.secrets.map(({ secret }) => secret);
  const glance = givenUp || wanted.length < WORTH_A_GLANCE ? undefined : await takeGlance(run);
  const quiet = log.createChild({ logLevel: 'SILENT' });
  const mayStart = startsWithin(MOST_BEGUN);
  const swept = new Map<string, SweptWithTargets>();
  const failed: Failed[] = [];

  const stepFor = (managedSecret: string): SweepStep => ({
    managedSecret,
    dryRun,
    givenUp,
    services: services.rotation,
    settings,
    log,
    clock,
    deadline,
    claim: (clientId) => services.leases.claim(clientId, deadline),
    mayStart,
  });

  /** A secret that a fresh list shows in order needs no look of its own; once a day, at its own hour, it gets one all the same. */
  async function sweepOne(managedSecret: string): Promise<Swept> {
    const step = stepFor(managedSecret);
    if (glance && hashed(managedSecret, 24) !== clock.now().getUTCHours()) {
      const glanced = { ...step, dryRun: true, log: quiet, services: { ...services.rotation, glance } };
      const seen = await sweepSecret(glanced).catch(unlessUnknown);
      if (seen?.state === 'in order') return seen;
    }
    return sweepSecret(step);
  }

  await eachOf(
    spread(wanted, (name) => name),
    SIDE_BY_SIDE,
    async (managedSecret) => {
      const fail = (error: unknown, what: string): void => {
        const code = error instanceof AutomationError ? error.code : 'UNEXPECTED';
        log.error(what, { facts: { managedSecret, code }, error: error instanceof Error ? error : undefined });
        failed.push({ managedSecret, code, reason: error instanceof Error ? error.message : String(error) });
      };
      // Before the sweep: what has just been brought everywhere need not be waited for.
      const fannedOut = await fanOutOne(managedSecret, dryRun, run).catch((error: unknown) => {
        fail(error, 'the targets of a secret could not be looked at');
        return [];
      });
      try {
        const found = await sweepOne(managedSecret);
        swept.set(managedSecret, fannedOut.length > 0 ? { ...found, fanOut: fannedOut } : found);
      } catch (error) {
        fail(error, 'a secret could not be swept');
      }
    },
  );
  return { wanted: wanted.length, swept: wanted.flatMap((name) => swept.get(name) ?? []), failed };
}

/** The targets of one secret alone; none where the settings list none for it. */
export async function fanOutOne(managedSecret: string, dryRun: boolean, run: SweepRun): Promise<FannedOut[]> {
  const { services, settings, deadline } = run;
  const named = settings.secrets.find(({ secret }) => secret === managedSecret);
  const isOut = ({ fanOut: targets }: { fanOut: readonly unknown[] }): boolean => targets.length > 0;
  // By its ARN a secret is known only once it was described.
  if (named ? !isOut(named) : !settings.secrets.some(isOut)) return [];
  const secret = await services.rotation.secretsManager.describe(managedSecret, deadline);
  const targets = entryOf(settings, secret)?.fanOut ?? [];
  return fanOut({ ...run, services: services.rotation, openTarget: services.openTarget }, secret, targets, dryRun);
}

/** Without the list every secret is looked at by itself: slower, and as good. */
async function takeGlance({ services, log, deadline }: SweepRun): Promise<Services['glance']> {
  if (!services.automation) return undefined;
  try {
    return await glanceAt(services.automation.atlas, deadline);
  } catch (error) {
    if (!(error instanceof AutomationError)) throw error;
    log.warn('the accounts could not be listed: each is looked at by itself', {
      facts: { code: error.code, ...error.facts },
    });
    return undefined;
  }
}

/** Lets so many rotations begin, and every one beyond that whose secret ends within a day, or at an unknown time. */
function startsWithin(most: number): NonNullable<SweepStep['mayStart']> {
  let begun = 0;
  return (end, now) => {
    const isUrgent = end === undefined || end.getTime() - now.getTime() < URGENT_MS;
    if (!isUrgent && begun >= most) return false;
    begun++;
    return true;
  };
}

/** What went wrong at a glance is told by the look that follows. */
const unlessUnknown = (error: unknown): undefined => {
  if (!(error instanceof AutomationError)) throw error;
};
