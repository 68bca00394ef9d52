/**
 * Rotates the secret of an Atlas service account, one Secrets Manager rotation step per invocation.
 * Trigger: Secrets Manager. Effects: mints and deletes secrets in Atlas, writes versions and labels of the managed
 * secret, puts events on the bus. Every step is safe to run again; Secrets Manager retries the whole rotation.
 */
import { defineHandler } from '../../lib/runtime/handler.ts';
import { Config, Event, Settings } from './contract.ts';
import { createServices } from './services.ts';
import { runStep } from './steps.ts';

export const handler = defineHandler({
  name: 'rotate-service-account-secret',
  config: Config,
  settings: Settings,
  event: Event,
  services: (config) => createServices(config),

  async run(event, { services, settings: { rotation }, log, deadline, clock }) {
    await runStep({ event, services, settings: rotation, log, clock, deadline });
  },
});
