import type * as z from 'zod';
import { type AtlasClient, createAtlasClient } from '../../lib/atlas/client.ts';
import type { Pace } from '../../lib/atlas/pace.ts';
import { createTransport } from '../../lib/atlas/transport.ts';
import { proveKeyEncrypts } from '../../lib/aws/encryption-key.ts';
import { createEvents } from '../../lib/aws/events.ts';
import { createSecretsManager } from '../../lib/aws/secrets-manager.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import { deadlineIn } from '../../lib/runtime/deadline.ts';
import type { Config } from './contract.ts';
import { parseAccountCredentials } from './credential.ts';
import { targetsLeftToTheSweep } from './fan-out-gate.ts';
import { createLifetimeLimit } from './lifetime-limit.ts';
import { everyGate, replicasInSync } from './retirement.ts';
import type { Services } from './rotation.ts';

/** Versions whose clients, and tokens, are kept: far more than are in the air at once. */
const MOST_TRIED = 64;

/** The outside world as it is: Atlas, Secrets Manager, KMS and EventBridge. `pace` is for who calls for many accounts. */
export function createServices(
  { MONGODB_ATLAS_BASE_URL: origin, EVENT_BUS }: z.output<typeof Config>,
  { pace }: { readonly pace?: Pace } = {},
): Services {
  const paced = pace && { pace };
  const secretsManager = createSecretsManager();
  const transport = createTransport();
  const credentialsIn: Services['credentialsIn'] = async (secretId, deadline = deadlineIn(10_000, systemClock)) =>
    parseAccountCredentials(await secretsManager.read(secretId, { stage: 'AWSCURRENT' }, deadline), secretId);
  const clients = new Map<string, AtlasClient>();
  const tried = new Map<string, AtlasClient>();
  return {
    secretsManager,
    events: createEvents(EVENT_BUS),
    proveKeyEncrypts,
    credentialsIn,
    atlasAs(secretId, clientId) {
      const key = `${secretId} ${clientId}`;
      const client =
        clients.get(key) ??
        createAtlasClient({
          origin,
          transport,
          ...paced,
          credentials: (deadline) => credentialsIn(secretId, deadline),
        });
      clients.set(key, client);
      return client;
    },
    atlasTrying({ versionId, credential: { clientId, clientSecret } }) {
      // Two secrets may have a version of the same id: an operator may choose it.
      const key = `${clientId} ${versionId}`;
      const client =
        tried.get(key) ??
        createAtlasClient({
          origin,
          transport,
          ...paced,
          credentials: async () => ({ clientId, clientSecret }),
        });
      tried.delete(key);
      tried.set(key, client);
      for (const oldest of tried.keys()) if (tried.size > MOST_TRIED) tried.delete(oldest);
      return client;
    },
    maxLifetimeHours: createLifetimeLimit(systemClock),
    mayRetire: everyGate(replicasInSync, targetsLeftToTheSweep),
  };
}
