/**
 * Turns what was heard of alerts into tickets.
 * Triggers: the FIFO queue of alerts, with partial batch responses; the bundle's own events; by hand for a dry run.
 * Effects: opens, changes and closes tickets, acknowledges alerts in Atlas, writes state. Safe to repeat at any point:
 * what was begun is in the state before it is done.
 */
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { createQueue } from '../../lib/aws/queue.ts';
import { AutomationError } from '../../lib/errors.ts';
import { defineHandler } from '../../lib/runtime/handler.ts';
import { createBridge } from './bridge.ts';
import { DeliverConfig, DeliverEvent, Settings } from './contract.ts';
import { bringOn, type DeliverOptions, deliverBatch } from './deliver.ts';
import { drain } from './drain.ts';
import { hear } from './hear.ts';
import { createJournal, type Journal, unitOf } from './journal.ts';
import { listen, settleOwn } from './tell.ts';

/** Overdue incidents that one delivery brings on besides its own. */
const ALONG = 5;
const EVERY_MS = 5_000;
let drainedAt = 0;

export const handler = defineHandler({
  name: 'deliver-tickets',
  config: DeliverConfig,
  settings: Settings,
  event: DeliverEvent,
  services: (config, { tickets }) => ({
    bridge: createBridge(config, tickets),
    queue: config.ALERT_QUEUE_URL === undefined ? undefined : createQueue(config.ALERT_QUEUE_URL),
  }),

  async run(event, { services: { bridge, queue }, log, metrics, deadline, clock }) {
    const onTrouble: DeliverOptions['onTrouble'] = (what, facts, error) => {
      const known =
        error instanceof AutomationError ? { code: error.code, facts: { ...error.facts, ...facts } } : { facts };
      log.error(what, { ...known, error: error instanceof Error ? error : undefined });
      metrics.addMetric('DeliveryTroubles', MetricUnit.Count, 1);
    };
    const tell = (journal: Journal): void => {
      for (const [name, count] of journal.counts) metrics.addMetric(name, unitOf(name), count);
    };
    const options = { bridge, deadline, onTrouble, queue };

    if (event.kind === 'dry run') {
      const { rehearse } = await import('./rehearse.ts');
      return rehearse(event.alerts, bridge, deadline);
    }
    if (event.kind === 'event') {
      const journal = createJournal(bridge.store, () => clock.now().getTime());
      const touched = await hear(await listen(event, bridge, journal, deadline), { bridge, journal, deadline });
      await settleOwn(event, bridge, deadline);
      await bringOn(touched, options, journal);
      await journal.flush(deadline);
      tell(journal);
      return { batchItemFailures: [] };
    }

    const { failed, journal } = await deliverBatch(event.records, options);
    tell(journal);
    const now = clock.now().getTime();
    if (now - drainedAt > EVERY_MS && deadline.remainingMs() > 15_000) {
      drainedAt = now;
      const along = createJournal(bridge.store, () => clock.now().getTime());
      try {
        await drain({
          bridge,
          journal: along,
          deadline,
          most: ALONG,
          onTrouble: (id, error) => onTrouble('an incident that is due could not be brought on', { ...id }, error),
        });
        await along.flush(deadline);
        tell(along);
      } catch (error) {
        onTrouble('what is due could not be read', {}, error);
      }
    }
    return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
  },
});
