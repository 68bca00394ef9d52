import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Machine, startMachine } from '../../../infra/local/machine.ts';
import { getSystemStatus } from '../../../lib/atlas/operations/system.ts';
import { type AtlasAccessOptions, createAtlas } from '../../../lib/aws/atlas-access.ts';
import { createSecretsManager, type SecretsManager } from '../../../lib/aws/secrets-manager.ts';
import { systemClock } from '../../../lib/runtime/clock.ts';
import { deadlineIn } from '../../../lib/runtime/deadline.ts';

const soon = () => deadlineIn(10_000, systemClock);

let machine: Machine;
let client: SecretsManagerClient;
beforeEach(async () => {
  machine = await startMachine();
  client = new SecretsManagerClient(machine.sdk);
});
afterEach(async () => {
  client.destroy();
  await machine[Symbol.asyncDispose]();
});

const credentialsSecret = () => machine.environment['ATLAS_CREDENTIALS_SECRET'] ?? '';
const open = (options: Partial<AtlasAccessOptions> = {}) =>
  createAtlas({
    origin: machine.atlasOrigin,
    credentialsSecret: credentialsSecret(),
    secretsManager: createSecretsManager(client),
    ...options,
  });
const account = () => {
  const { world } = machine.atlas;
  return world.addOrgAccount(world.addOrg({ name: 'org' }), { name: 'automation', roles: ['ORG_OWNER'] });
};
const calls = (operation: string): number =>
  machine.faults.journal.filter((entry) => entry.operation === operation).length;

describe('Atlas as the automation', () => {
  it('is reached as the service account the secret holds, read once for one token', async () => {
    await machine.seedAtlasCredentials(account());
    const atlas = open();
    await atlas.call(getSystemStatus, { params: {} }, soon());
    await atlas.callDated(getSystemStatus, { params: {} }, soon());
    expect([calls('GetSecretValue'), calls('mintToken')]).toEqual([1, 1]);
  });

  it('is reached with the API keys the secret holds', async () => {
    const { world } = machine.atlas;
    const { publicKey, privateKey } = world.addApiKey(world.addOrg({ name: 'org' }), { roles: ['ORG_OWNER'] });
    await machine.seedAtlasCredentials({ publicKey, privateKey });
    await open().call(getSystemStatus, { params: {} }, soon());
    expect(calls('mintToken')).toBe(0);
  });

  it('takes the secret of a rotated value that bears more than the two halves', async () => {
    const rotated = account();
    const { value: clientSecret } = machine.atlas.world.addSecret(rotated);
    await machine.putSecret(credentialsSecret(), {
      clientId: rotated.clientId,
      clientSecret,
      orgId: rotated.orgId,
      secretId: 'x',
    });
    await open().call(getSystemStatus, { params: {} }, soon());
  });
});

describe('credentials Atlas refuses', () => {
  const reading = (...values: string[]): { reads: () => number; secretsManager: SecretsManager } => {
    let reads = 0;
    const secretsManager: SecretsManager = {
      ...createSecretsManager(client),
      read: async () => values[Math.min(reads++, values.length - 1)],
    };
    return { reads: () => reads, secretsManager };
  };

  it('are read once more, because they may just have been rotated', async () => {
    const mine = account();
    const { value } = machine.atlas.world.addSecret(mine);
    const stored = (clientSecret: string) => JSON.stringify({ clientId: mine.clientId, clientSecret });
    const { secretsManager } = reading(stored('mdb_sa_sk_old'), stored(value));
    await open({ secretsManager }).call(getSystemStatus, { params: {} }, soon());
    expect(calls('mintToken')).toBe(2);
  });

  it('are not tried again while the secret holds the same', async () => {
    const mine = account();
    const { secretsManager, reads } = reading(
      JSON.stringify({ clientId: mine.clientId, clientSecret: 'mdb_sa_sk_old' }),
    );
    const error = await open({ secretsManager })
      .call(getSystemStatus, { params: {} }, soon())
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'ATLAS_CREDENTIALS_REFUSED', disposition: 'give-up' });
    expect([reads(), calls('mintToken')]).toEqual([2, 1]);
  });
});

describe('a secret without credentials', () => {
  it.each([
    ['nothing', undefined, []],
    ['what is no JSON', 'mdb_sa_sk_x', ['(the whole)']],
    ['half of them', '{"clientId":"mdb_sa_sk_x"}', ['clientSecret']],
    ['an empty one', '{"publicKey":"p","privateKey":""}', ['privateKey']],
  ])('is told by its fields, and not quoted: %s', async (_, value, paths) => {
    const secretsManager = { ...createSecretsManager(client), read: async () => value };
    const error = await open({ secretsManager })
      .call(getSystemStatus, { params: {} }, soon())
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'ATLAS_CREDENTIALS_UNREADABLE',
      disposition: 'give-up',
      facts: { credentialsSecret: credentialsSecret() },
    });
    expect(JSON.stringify(error) + String(error)).not.toContain('mdb_sa_sk');
    if (paths.length > 0)
      expect(error).toMatchObject({ facts: { problems: paths.map((path) => expect.objectContaining({ path })) } });
  });
});
