/**
 * Brings every managed secret on where its rotation stopped: finishes what Secrets Manager gave up, deletes what is due,
 * starts a rotation where the current secret ends early, and warns of what stands in the way.
 * Trigger: hourly, and when Secrets Manager gives a rotation up. Effects: those of a rotation, and RotateSecret.
 * Safe to run again at any time and beside a rotation; `{ "dryRun": true }` writes nothing.
 */
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { AutomationError } from '../../lib/errors.ts';
import { defineHandler } from '../../lib/runtime/handler.ts';
import { Config, Settings, SweepEvent } from './contract.ts';
import { createServices } from './services.ts';
import { type Swept, sweepSecret } from './sweep.ts';

/** Secrets swept side by side: one account is one writer, and the accounts of one organization share its rate limit. */
const SIDE_BY_SIDE = 4;

/** Not every secret could be looked at; the others were. */
class SweepIncomplete extends AutomationError {
  override readonly name = 'SweepIncomplete';
  readonly code = 'SWEEP_INCOMPLETE';
  readonly disposition = 'retry';
}

export const handler = defineHandler({
  name: 'sweep-service-account-secrets',
  config: Config,
  settings: Settings,
  event: SweepEvent,
  services: createServices,

  async run({ secrets, dryRun, givenUp }, { services, settings: { rotation }, log, metrics, deadline, clock }) {
    const wanted = secrets ?? rotation.secrets.map(({ secret }) => secret);
    const swept: Swept[] = [];
    const failed: { managedSecret: string; code: string; reason: string }[] = [];
    const queue = wanted.values();
    const sweepOn = async (): Promise<void> => {
      // Shared by all: each takes the next one that nobody has taken.
      for (const managedSecret of queue) {
        try {
          swept.push(
            await sweepSecret({ managedSecret, dryRun, givenUp, services, settings: rotation, log, deadline, clock }),
          );
        } catch (error) {
          const code = error instanceof AutomationError ? error.code : 'UNEXPECTED';
          log.error('a secret could not be swept', {
            facts: { managedSecret, code },
            error: error instanceof Error ? error : undefined,
          });
          failed.push({ managedSecret, code, reason: error instanceof Error ? error.message : String(error) });
        }
      }
    };
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, sweepOn));

    metrics.addMetric(
      'SecretsBlocked',
      MetricUnit.Count,
      swept.filter(({ state }) => state === 'blocked').length + failed.length,
    );
    if (failed.length > 0)
      throw new SweepIncomplete(`${failed.length} of ${wanted.length} secrets could not be swept`, { failed, swept });
    return { dryRun, swept };
  },
});
