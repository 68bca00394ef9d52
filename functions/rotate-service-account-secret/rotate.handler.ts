/**
 * Rotates the secret of an Atlas service account, one Secrets Manager rotation step per invocation.
 * Trigger: Secrets Manager. Effects: mints and deletes secrets in Atlas, writes versions and labels of the managed
 * secret, puts events on the bus. Every step is safe to run again; Secrets Manager retries the whole rotation.
 */
import { createAtlasClient } from '../../lib/atlas/client.ts';
import type { ServiceAccountCredentials } from '../../lib/atlas/token-source.ts';
import { createTransport } from '../../lib/atlas/transport.ts';
import { proveKeyEncrypts } from '../../lib/aws/encryption-key.ts';
import { createEvents } from '../../lib/aws/events.ts';
import { createSecretsManager } from '../../lib/aws/secrets-manager.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import { deadlineIn } from '../../lib/runtime/deadline.ts';
import { defineHandler } from '../../lib/runtime/handler.ts';
import { Config, Event, policyOf, Settings } from './contract.ts';
import { parseAccountCredentials } from './credential.ts';
import { runStep } from './steps.ts';

export const handler = defineHandler({
  name: 'rotate-service-account-secret',
  config: Config,
  settings: Settings,
  event: Event,

  services({ MONGODB_ATLAS_BASE_URL: origin, EVENT_BUS }) {
    const secretsManager = createSecretsManager();
    const transport = createTransport();
    const credentialsIn = async (secretId: string, deadline = deadlineIn(10_000, systemClock)) =>
      parseAccountCredentials(await secretsManager.read(secretId, { stage: 'AWSCURRENT' }, deadline), secretId);
    const clients = new Map<string, ReturnType<typeof createAtlasClient>>();
    return {
      secretsManager,
      events: createEvents(EVENT_BUS),
      proveKeyEncrypts,
      credentialsIn,
      atlasAs(secretId: string) {
        const client =
          clients.get(secretId) ??
          createAtlasClient({ origin, transport, credentials: (deadline) => credentialsIn(secretId, deadline) });
        clients.set(secretId, client);
        return client;
      },
      atlasWith: (credentials: ServiceAccountCredentials) =>
        createAtlasClient({ origin, transport, credentials: async () => credentials }),
    };
  },

  async run(event, { services, settings: { rotation }, log, deadline, clock }) {
    await runStep({
      event,
      services,
      policyFor: ({ name, arn }) =>
        policyOf(
          rotation,
          rotation.secrets.find(({ secret }) => secret === name || secret === arn),
        ),
      log,
      clock,
      deadline,
    });
  },
});
