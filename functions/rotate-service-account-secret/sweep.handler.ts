/**
 * Brings every managed secret on where its rotation stopped: finishes what Secrets Manager gave up, deletes what is due,
 * starts a rotation where the current secret ends early, warns of what stands in the way, and brings the current value
 * to the other places that must hold it. Looks at the organization's whole fleet of accounts once a day.
 * Trigger: hourly, when Secrets Manager gives a rotation up, and after every rotation. Effects: those of a rotation,
 * RotateSecret, what is written to the targets, a report, and items of the state.
 * By hand it also puts the previous value back (`rollback`), deletes a leaked secret (`revoke-now`), answers the report
 * (`fleet`), and hears from controllers (`acknowledge`).
 * Safe to run again at any time and beside a rotation; `"dryRun": true` writes nothing.
 */
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { AutomationError } from '../../lib/errors.ts';
import { defineHandler } from '../../lib/runtime/handler.ts';
import { Settings, SweepConfig, SweepEvent } from './contract.ts';
import { acknowledge } from './fan-out-acknowledge.ts';
import { reportFleetNow, reportFleetOfTheDay } from './fleet-look.ts';
import { createSweepServices } from './fleet-services.ts';
import { fanOutOne, sweepAll } from './fleet-sweep.ts';
import { revokeNow } from './revoke-now.ts';
import { rollback } from './rollback.ts';

const HOUR_MS = 3_600_000;

/** Not every secret could be looked at; the others were. */
class SweepIncomplete extends AutomationError {
  override readonly name = 'SweepIncomplete';
  readonly code = 'SWEEP_INCOMPLETE';
  readonly disposition = 'retry';
}

export const handler = defineHandler({
  name: 'sweep-service-account-secrets',
  config: SweepConfig,
  settings: Settings,
  event: SweepEvent,
  services: createSweepServices,

  async run(event, { services, settings: { rotation: settings }, log, metrics, deadline, clock }) {
    const { dryRun } = event;
    const run = { services, settings, log, deadline, clock };
    const claim = (clientId: string) => services.leases.claim(clientId, deadline);
    const byHand = { ...run, services: services.rotation, dryRun, givenUp: false, claim };
    const behind = (count: number): void => {
      metrics.addMetric('TargetsBehind', MetricUnit.Count, count);
    };
    switch (event.action) {
      // By hand, and of one secret: what stops it reaches whoever asked.
      case 'rollback':
        return rollback({ ...byHand, managedSecret: event.secret });
      case 'revoke-now':
        return revokeNow({ ...byHand, managedSecret: event.secret }, event);
      case 'fleet':
        return reportFleetNow(run, dryRun);
      case 'acknowledge': {
        const { secretsManager } = services.rotation;
        return acknowledge(event, { ...run, secretsManager, acknowledgements: services.acknowledgements });
      }
      case 'fan-out': {
        const fanOut = await fanOutOne(event.secret, dryRun, run);
        behind(fanOut.filter(({ state }) => state === 'behind').length);
        return { dryRun, fanOut };
      }
    }
    const { wanted, swept, failed } = await sweepAll(event, run);
    metrics.addMetric(
      'SecretsBlocked',
      MetricUnit.Count,
      swept.filter(({ state }) => state === 'blocked').length + failed.length,
    );
    const ends = swept.flatMap(({ expiresAt }) => (expiresAt === undefined ? [] : [Date.parse(expiresAt)]));
    if (ends.length > 0)
      metrics.addMetric('HoursToSecretEnd', MetricUnit.Count, (Math.min(...ends) - clock.now().getTime()) / HOUR_MS);
    behind(swept.flatMap(({ fanOut = [] }) => fanOut.filter(({ state }) => state === 'behind')).length);
    const fleet = event.scheduled ? await reportFleetOfTheDay(run) : undefined;
    // It has an alarm of its own, and the next run tries again: the sweep itself is not at fault.
    if (fleet) metrics.addMetric('FleetFailed', MetricUnit.Count, fleet.state === 'failed' ? 1 : 0);
    if (failed.length > 0) {
      const count = new Set(failed.map(({ managedSecret }) => managedSecret)).size;
      throw new SweepIncomplete(`${count} of ${wanted} secrets could not be swept`, { failed, swept });
    }
    return { dryRun, swept, ...(fleet && { fleet }) };
  },
});
