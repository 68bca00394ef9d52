/**
 * Takes an alert from Atlas: checks who sent it and puts what it says into the queue.
 * Trigger: function URL or HTTP API. Effects: one message in the queue. Answers 202 once the queue holds it, 400, 401,
 * 403 or 413 without a word about why, and fails where the queue could not take it, so that nobody believes it was.
 */
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { createQueue } from '../../lib/aws/queue.ts';
import { createSecretsManager } from '../../lib/aws/secrets-manager.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import { defineHandler } from '../../lib/runtime/handler.ts';
import { liesIn } from '../../lib/runtime/networks.ts';
import { queueGroupOf } from './grouping.ts';
import { answer, takeIn } from './intake.ts';
import { createKeys } from './keys.ts';
import { HttpEvent, ReceiveConfig, ReceiveSettings } from './webhook/contract.ts';

export const handler = defineHandler({
  name: 'receive-atlas-alert',
  config: ReceiveConfig,
  settings: ReceiveSettings,
  event: HttpEvent,
  services: ({ ALERT_QUEUE_URL, WEBHOOK_SECRET }) => ({
    queue: createQueue(ALERT_QUEUE_URL),
    keys: createKeys(WEBHOOK_SECRET, { secretsManager: createSecretsManager(), clock: systemClock }),
  }),

  async run(event, { services: { queue, keys }, settings: { tickets, webhooks }, log, metrics, deadline, clock }) {
    const judge = (keyring: readonly string[]) =>
      takeIn(event, [...keyring], clock.now().getTime(), tickets.policy.staleAfterSeconds * 1_000);
    const caller = event.requestContext?.http?.sourceIp;
    if (webhooks.allowFrom?.atlas && !liesIn(webhooks.allowFrom.atlas, caller)) {
      log.warn('a request was refused', {
        facts: { status: 403, reason: 'from an address that is not allowed', caller },
      });
      metrics.addMetric('AlertsRefused', MetricUnit.Count, 1);
      return answer(403);
    }
    try {
      let intake = judge(await keys.current(deadline));
      if (intake.kind === 'refused' && intake.status === 401) intake = judge(await keys.afterRefusal(deadline));
      if (intake.kind === 'refused') {
        log.warn('a request was refused', { facts: { status: intake.status, reason: intake.reason } });
        metrics.addMetric('AlertsRefused', MetricUnit.Count, 1);
        return answer(intake.status);
      }
      const { observation } = intake;
      await queue.send(
        {
          body: JSON.stringify(observation),
          group: queueGroupOf(observation.id, observation.subject),
          deduplicationId: observation.digest,
        },
        deadline,
      );
      metrics.addMetric('AlertsTaken', MetricUnit.Count, 1);
      return answer(202);
    } catch (error) {
      // Thrown, the caller would be told a 502 and Lambda's own words; the metric and the log tell us.
      log.error('an alert could not be taken', { error: error instanceof Error ? error : undefined });
      metrics.addMetric('AlertsNotTaken', MetricUnit.Count, 1);
      return answer(500);
    }
  },
});
