/**
 * Takes what people did in a tracker: who has a ticket has its alerts acknowledged in Atlas; who lets go of it gives that
 * back; who closes or opens it is heeded.
 * Trigger: function URL or HTTP API, `POST /<destination id>`, by the tracker's webhook. Effects: state, acknowledgements
 * in Atlas. Safe to repeat: a delivery that came before changes nothing, and neither does what we did ourselves.
 */
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { createSecretsManager } from '../../lib/aws/secrets-manager.ts';
import { AutomationError } from '../../lib/errors.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import { deadlineIn } from '../../lib/runtime/deadline.ts';
import { defineHandler } from '../../lib/runtime/handler.ts';
import { liesIn } from '../../lib/runtime/networks.ts';
import { parseUpdate } from '../../lib/tickets/parse-update.ts';
import { createBridge } from './bridge.ts';
import { Config, UpdateSettings } from './contract.ts';
import { bringOn } from './deliver.ts';
import { heedUpdate } from './heed-update.ts';
import { answer, bytesOf } from './intake.ts';
import { createJournal, unitOf } from './journal.ts';
import { createKeys, type Keys } from './keys.ts';
import { type HttpAnswer, HttpEvent } from './webhook/contract.ts';

/** The largest body a tracker sends. */
const MOST_BYTES = 1024 * 1024;
/** Trackers wait five seconds at the least; what is not done by then is due later. */
const ANSWER_MS = 4_000;

export const handler = defineHandler({
  name: 'receive-ticket-update',
  config: Config,
  settings: UpdateSettings,
  event: HttpEvent,
  services: (config, { tickets }) => {
    const secretsManager = createSecretsManager();
    const keys = new Map<string, Keys>();
    for (const { id, webhookSecret } of tickets.destinations)
      if (webhookSecret !== undefined) keys.set(id, createKeys(webhookSecret, { secretsManager, clock: systemClock }));
    return { bridge: createBridge(config, tickets), keys };
  },

  async run(
    event,
    { services: { bridge, keys }, settings: { webhooks }, log, metrics, deadline, clock },
  ): Promise<HttpAnswer> {
    const refuse = (status: number, reason: string): HttpAnswer => {
      log.warn('a request was refused', { facts: { status, reason } });
      metrics.addMetric('UpdatesRefused', MetricUnit.Count, 1);
      return answer(status);
    };
    const trackers = webhooks.allowFrom?.trackers;
    if (trackers && !liesIn(trackers, event.requestContext?.http?.sourceIp))
      return refuse(403, 'from an address that is not allowed');
    const id = event.rawPath
      .split('/')
      .filter((part) => part !== '')
      .at(-1);
    const destination = bridge.settings.destinations.find((each) => each.id === id);
    const keyring = id === undefined ? undefined : keys.get(id);
    if (!destination || !keyring) return refuse(401, 'no such destination, or it has no webhookSecret');
    const rawBody = bytesOf(event, MOST_BYTES);
    if (!rawBody) return refuse(413, 'too large');
    try {
      const headers = Object.fromEntries(
        Object.entries(event.headers).map(([name, value]) => [name.toLowerCase(), value]),
      );
      let parsed = await parseUpdate(destination, { headers, rawBody }, await keyring.current(deadline), clock.now());
      if (parsed.kind === 'refused' && parsed.status === 401)
        parsed = await parseUpdate(
          destination,
          { headers, rawBody },
          await keyring.afterRefusal(deadline),
          clock.now(),
        );
      switch (parsed.kind) {
        case 'refused':
          return refuse(parsed.status, parsed.reason);
        case 'challenge':
          return { statusCode: 200, headers: { 'content-type': 'text/plain' }, body: parsed.answer };
        case 'ignored':
          return answer(202);
      }
      const journal = createJournal(bridge.store, () => clock.now().getTime());
      const touched = [];
      for (const update of parsed.updates) {
        const incident = await heedUpdate(destination.id, update, { bridge, journal, deadline });
        if (incident) touched.push(incident);
      }
      metrics.addMetric('UpdatesTaken', MetricUnit.Count, parsed.updates.length);
      const onTrouble = (what: string, facts: object, error: unknown): void => {
        log.error(what, { facts, error: error instanceof Error ? error : undefined });
      };
      await bringOn(
        touched,
        { bridge, deadline: deadlineIn(Math.min(ANSWER_MS, deadline.remainingMs()), clock), onTrouble },
        journal,
        0,
      );
      await journal.flush(deadline);
      for (const [name, count] of journal.counts) metrics.addMetric(name, unitOf(name), count);
      return answer(202);
    } catch (error) {
      log.error('an update could not be taken', {
        code: error instanceof AutomationError ? error.code : 'UNEXPECTED',
        error: error instanceof Error ? error : undefined,
      });
      metrics.addMetric('UpdatesNotTaken', MetricUnit.Count, 1);
      return answer(500);
    }
  },
});
