/** The driver's look at a cluster, over an imitation of the wire protocol: see test/support/wire-server.ts. */
import { Logger } from '@aws-lambda-powertools/logger';
import { describe, expect, it } from 'vitest';
import type { MigrationRequest } from '../../../functions/start-live-migration/contract.ts';
import type { Context, Services } from '../../../functions/start-live-migration/services.ts';
import { collectionsProblem, inspectSource, writersProblem } from '../../../functions/start-live-migration/source.ts';
import type { SecretsManager } from '../../../lib/aws/secrets-manager.ts';
import { systemClock } from '../../../lib/runtime/clock.ts';
import { deadlineIn } from '../../../lib/runtime/deadline.ts';
import { policy, request } from '../../support/migration-run.ts';
import { clusterAnswers, type ImitatedCluster, startWireServer } from '../../support/wire-server.ts';

const contextOf = (uris: Readonly<Record<string, string>>): Context => ({
  services: {
    secretsManager: {
      read: async (name: string) => JSON.stringify({ uri: uris[name] }),
    } as unknown as SecretsManager,
  } as unknown as Services,
  settings: policy,
  log: new Logger(),
  clock: { now: systemClock.now, sleep: async () => {} },
  deadline: deadlineIn(15_000, systemClock),
});
const withUri: MigrationRequest = {
  ...request,
  source: { ...request.source, uriSecret: 'source' },
  destination: { ...request.destination, uriSecret: 'destination' },
};

async function looked(cluster: ImitatedCluster, destination: ImitatedCluster = { databases: {} }) {
  await using source = await startWireServer(clusterAnswers(cluster));
  await using other = await startWireServer(clusterAnswers(destination));
  const context = contextOf({ source: source.uri, destination: other.uri });
  const facts = await inspectSource(context, withUri);
  return { facts, commands: [...new Set(source.commands)] };
}

describe('a look at the source', () => {
  it('finds a healthy one without anything against it, and asks nothing that reads a document', async () => {
    const { facts, commands } = await looked({ databases: { shop: [{ name: 'orders' }] } });
    expect(facts).toMatchObject({
      isReplicaSet: true,
      hasPrimary: true,
      timeSeries: [],
      unmigratable: [],
      userProblems: [],
      oplogWindowSeconds: 48 * 3600,
      destinationHoldsData: false,
    });
    const known = ['hello', 'isMaster', 'ismaster', 'ping', 'endSessions', 'listDatabases', 'listCollections'];
    expect(commands.filter((name) => !known.includes(name)).toSorted()).toEqual([
      'connectionStatus',
      'find',
      'listIndexes',
    ]);
  });

  it('names what a migration can’t take', async () => {
    const { facts } = await looked({
      databases: {
        shop: [
          { name: 'weather', type: 'timeseries' },
          { name: 'cache', options: { clusteredIndex: { key: { _id: 1 } }, expireAfterSeconds: 60 } },
          { name: 'secrets', options: { encryptedFields: { fields: [] } } },
          { name: 'twins' },
        ],
      },
      indexes: { 'shop.twins': [{ key: { a: 1 } }, { key: { a: 1 }, unique: true }] },
      roles: ['read'],
    });
    expect(facts.timeSeries).toEqual(['shop.weather']);
    expect(facts.unmigratable).toEqual([
      'shop.cache is clustered with a TTL',
      'shop.secrets uses Queryable Encryption',
      'shop.twins has indexes that differ in uniqueness alone',
    ]);
    expect(facts.userProblems).toEqual(['lacks the role backup', 'lacks the role readAnyDatabase']);
  });

  it('judges a sharded one by what only sharded ones can’t have', async () => {
    const { facts } = await looked({
      sharded: true,
      databases: { shop: [{ name: 'orders', options: { collation: { locale: 'de' } } }] },
      indexes: { 'shop.orders': Array.from({ length: 64 }, (_, nth) => ({ key: { [`a${nth}`]: 1 } })) },
    });
    expect(facts.shardingProblems).toEqual(['shop.orders has 64 indexes', 'shop.orders has a collation of its own']);
    expect(facts).toMatchObject({ balancerRuns: true, oplogWindowSeconds: undefined });
    expect(facts.userProblems).toEqual(['lacks the role clusterMonitor']);
  });

  it('sees a standalone, and a set without a primary', async () => {
    expect((await looked({ standalone: true, databases: {} })).facts.isReplicaSet).toBe(false);
    expect((await looked({ primary: false, databases: {} })).facts.hasPrimary).toBe(false);
  });

  it('sees that the destination holds data', async () => {
    const { facts } = await looked({ databases: {} }, { databases: { shop: [{ name: 'orders' }] } });
    expect(facts.destinationHoldsData).toBe(true);
  });
});

describe('before a cutover', () => {
  it('M15 stops where somebody still writes to the source', async () => {
    await using busy = await startWireServer(clusterAnswers({ databases: {}, writesPerLook: 7 }));
    await using quiet = await startWireServer(clusterAnswers({ databases: {} }));
    expect(await writersProblem(contextOf({ source: busy.uri }), { request: withUri })).toContain('7 writes in 3 s');
    expect(await writersProblem(contextOf({ source: quiet.uri }), { request: withUri })).toBeUndefined();
  });

  it('M15 stops where it can’t be seen whether somebody does', async () => {
    await using refusing = await startWireServer((command) =>
      'serverStatus' in command
        ? { ok: 0, code: 13, codeName: 'Unauthorized', errmsg: 'no' }
        : clusterAnswers({ databases: {} })(command),
    );
    const problem = await writersProblem(contextOf({ source: refusing.uri }), { request: withUri });
    expect(problem).toContain('could not be seen (MIGRATION_SOURCE_UNREACHABLE)');
  });

  it('M24 asks for no approval while the destination lacks a collection of the source', async () => {
    await using source = await startWireServer(
      clusterAnswers({
        databases: {
          shop: [{ name: 'orders' }, { name: 'weather', type: 'timeseries' }, { name: 'open', type: 'view' }],
        },
      }),
    );
    await using destination = await startWireServer(clusterAnswers({ databases: { shop: [{ name: 'orders' }] } }));
    const context = contextOf({ source: source.uri, destination: destination.uri });
    expect(await collectionsProblem(context, { request: withUri })).toContain('shop.weather');
    const alike = contextOf({ source: destination.uri, destination: destination.uri });
    expect(await collectionsProblem(alike, { request: withUri })).toBeUndefined();
  });
});
