import type * as z from 'zod';
import { type AtlasClient, createAtlasClient } from '../../lib/atlas/client.ts';
import { createTransport } from '../../lib/atlas/transport.ts';
import { proveKeyEncrypts } from '../../lib/aws/encryption-key.ts';
import { createEvents } from '../../lib/aws/events.ts';
import { createSecretsManager } from '../../lib/aws/secrets-manager.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import { deadlineIn } from '../../lib/runtime/deadline.ts';
import type { Config } from './contract.ts';
import { parseAccountCredentials } from './credential.ts';
import type { Services } from './rotation.ts';

/** The outside world as it is: Atlas, Secrets Manager, KMS and EventBridge. */
export function createServices({ MONGODB_ATLAS_BASE_URL: origin, EVENT_BUS }: z.output<typeof Config>): Services {
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
}
