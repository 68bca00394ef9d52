/**
 * Rotates the secret of an Atlas service account, one Secrets Manager rotation step per invocation.
 * Trigger: Secrets Manager. Effects: mints and deletes secrets in Atlas, writes versions and labels of the managed
 * secret, puts events on the bus. Every step is safe to run again; Secrets Manager retries the whole rotation.
 */
import { type AtlasClient, createAtlasClient } from '../../lib/atlas/client.ts';
import { createTransport } from '../../lib/atlas/transport.ts';
import { proveKeyEncrypts } from '../../lib/aws/encryption-key.ts';
import { createEvents } from '../../lib/aws/events.ts';
import { createSecretsManager } from '../../lib/aws/secrets-manager.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import { deadlineIn } from '../../lib/runtime/deadline.ts';
import { defineHandler } from '../../lib/runtime/handler.ts';
import { Config, Event, Settings } from './contract.ts';
import { parseAccountCredentials } from './credential.ts';
import type { Services } from './rotation.ts';
import { runStep } from './steps.ts';

export const handler = defineHandler({
  name: 'rotate-service-account-secret',
  config: Config,
  settings: Settings,
  event: Event,

  services({ MONGODB_ATLAS_BASE_URL: origin, EVENT_BUS }): Services {
    const secretsManager = createSecretsManager();
    const transport = createTransport();
    const credentialsIn: Services['credentialsIn'] = async (secretId, deadline = deadlineIn(10_000, systemClock)) =>
      parseAccountCredentials(await secretsManager.read(secretId, { stage: 'AWSCURRENT' }, deadline), secretId);
    const clients = new Map<string, AtlasClient>();
    let tried: { versionId: string; client: AtlasClient } | undefined;
    return {
      secretsManager,
      events: createEvents(EVENT_BUS),
      proveKeyEncrypts,
      credentialsIn,
      atlasAs(secretId, clientId) {
        const key = `${secretId} ${clientId}`;
        const client =
          clients.get(key) ??
          createAtlasClient({ origin, transport, credentials: (deadline) => credentialsIn(secretId, deadline) });
        clients.set(key, client);
        return client;
      },
      atlasTrying({ versionId, credential: { clientId, clientSecret } }) {
        if (tried?.versionId !== versionId) {
          const client = createAtlasClient({
            origin,
            transport,
            credentials: async () => ({ clientId, clientSecret }),
          });
          tried = { versionId, client };
        }
        return tried.client;
      },
    };
  },

  async run(event, { services, settings: { rotation }, log, deadline, clock }) {
    await runStep({ event, services, settings: rotation, log, clock, deadline });
  },
});
