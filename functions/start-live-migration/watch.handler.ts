/**
 * Looks after every live migration that runs: where it stands, how long Atlas waits for its cutover, and whom it needs.
 * Trigger: every minute. Effects: reads Atlas, writes the state table, puts events on the bus, writes pages, sends a
 * cutover that was approved, gives back what an ended migration held. Safe to run again at any time and beside itself.
 */
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { defineHandler } from '../../lib/runtime/handler.ts';
import { Config, Settings, WatchEvent } from './contract.ts';
import { WatchIncomplete } from './errors.ts';
import { createServices } from './services.ts';
import { watch } from './watch.ts';

export const handler = defineHandler({
  name: 'watch-live-migrations',
  config: Config,
  settings: Settings,
  event: WatchEvent,
  services: createServices,

  async run(event, { services, settings: { migration: settings }, log, metrics, deadline, clock }) {
    const { migrations, active, looks, failed } = await watch({ services, settings, log, clock, deadline }, event);
    metrics.addMetric('MigrationsActive', MetricUnit.Count, active);
    metrics.addMetric('MigrationLooks', MetricUnit.Count, looks);
    if (failed.length > 0)
      throw new WatchIncomplete(`${failed.length} of ${active} migrations could not be looked after`, { failed });
    return { dryRun: event.dryRun, migrations };
  },
});
