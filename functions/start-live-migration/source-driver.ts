import { type Db, type Document, MongoClient, MongoError } from 'mongodb';
import * as z from 'zod';
import { AutomationError } from '../../lib/errors.ts';
import { parseJson } from '../../lib/runtime/json.ts';
import type { MigrationRequest } from './contract.ts';
import { MigrationRefused } from './errors.ts';
import type { Context } from './services.ts';
import type { SourceFacts } from './source.ts';

/** A cluster could not be looked at through its driver. The driver's own message is left out: it may hold the URI. */
export class SourceUnreachable extends AutomationError {
  override readonly name = 'SourceUnreachable';
  readonly code = 'MIGRATION_SOURCE_UNREACHABLE';
  readonly disposition = 'retry';
}

const Uri = z.object({ uri: z.string().regex(/^mongodb(\+srv)?:\/\//) });
const OWN = new Set(['admin', 'local', 'config']);
const MOST_INDEXES = 63;
const PATIENCE_MS = 10_000;

/** Looks at the source as its own user: lists, counts nothing, reads no document of anybody's, writes nothing. */
export async function inspect(context: Context, request: MigrationRequest): Promise<SourceFacts> {
  const { uriSecret: destination } = request.destination;
  const held = destination === undefined ? undefined : await collectionsOf(context, destination);
  return withClient(context, request.source.uriSecret ?? '', async (client) => {
    const hello = await client.db('admin').command({ hello: 1 });
    const isSharded = hello['msg'] === 'isdbgrid';
    const collections = await listCollections(client);
    const indexProblems = await problemsOfIndexes(client, collections);
    return {
      isReplicaSet: isSharded || typeof hello['setName'] === 'string',
      hasPrimary: isSharded || typeof hello['primary'] === 'string' || hello['isWritablePrimary'] === true,
      timeSeries: collections.filter(({ type }) => type === 'timeseries').map(({ fullName }) => fullName),
      unmigratable: [...problemsOfCollections(collections), ...indexProblems.twins],
      shardingProblems: isSharded ? [...indexProblems.tooMany, ...problemsOfCollations(collections)] : [],
      userProblems: await problemsOfUser(client, isSharded),
      oplogWindowSeconds: isSharded ? undefined : await oplogWindow(client),
      balancerRuns: isSharded ? await balancerRuns(client) : undefined,
      searchIndexes: [],
      destinationHoldsData: held && held.length > 0,
    };
  });
}

/** Counters of what clients have written so far; two of them, apart in time, tell whether somebody still writes. */
export async function writesSoFar(context: Context, uriSecret: string): Promise<number> {
  return withClient(context, uriSecret, async (client) => {
    const { opcounters } = await client.db('admin').command({ serverStatus: 1, repl: 0, metrics: 0, locks: 0 });
    const of = (name: string): number => Number(opcounters?.[name] ?? 0);
    return of('insert') + of('update') + of('delete');
  });
}

/** The names of everybody's collections, views left out: a view holds nothing. */
export async function collectionsOf(context: Context, uriSecret: string): Promise<string[]> {
  return withClient(context, uriSecret, async (client) =>
    (await listCollections(client)).filter(({ type }) => type !== 'view').map(({ fullName }) => fullName),
  );
}

async function withClient<Result>(
  { services: { secretsManager }, deadline }: Context,
  uriSecret: string,
  work: (client: MongoClient) => Promise<Result>,
): Promise<Result> {
  const text = await secretsManager.read(uriSecret, { stage: 'AWSCURRENT' }, deadline);
  const parsed = Uri.safeParse(text === undefined ? undefined : parseJson(text));
  if (!parsed.success)
    throw new MigrationRefused('MIGRATION_SECRET_UNUSABLE', `${uriSecret} must hold a uri that begins with mongodb`);
  try {
    await using client = new MongoClient(parsed.data.uri, {
      appName: 'atlas-automation',
      readPreference: 'primaryPreferred',
      serverSelectionTimeoutMS: PATIENCE_MS,
      socketTimeoutMS: PATIENCE_MS,
    });
    return await work(await client.connect());
  } catch (error) {
    if (error instanceof MongoError)
      throw new SourceUnreachable(`a cluster could not be looked at: ${error.name}`, {
        error: error.name,
        code: error.code,
      });
    throw error;
  }
}

interface Collection {
  readonly db: string;
  readonly name: string;
  readonly fullName: string;
  readonly type: string;
  readonly options: Document;
}

async function listCollections(client: MongoClient): Promise<Collection[]> {
  const { databases } = await client.db('admin').admin().listDatabases({ nameOnly: true });
  const found: Collection[] = [];
  for (const { name: db } of databases.filter(({ name }) => !OWN.has(name))) {
    for await (const info of client.db(db).listCollections()) {
      if (info.name.startsWith('system.')) continue;
      const options: Document = 'options' in info && info.options ? info.options : {};
      found.push({ db, name: info.name, fullName: `${db}.${info.name}`, type: info.type ?? 'collection', options });
    }
  }
  return found;
}

const problemsOfCollections = (collections: readonly Collection[]): string[] =>
  collections.flatMap(({ fullName, options }) => [
    ...(options['clusteredIndex'] && options['expireAfterSeconds'] !== undefined
      ? [`${fullName} is clustered with a TTL`]
      : []),
    ...(options['encryptedFields'] ? [`${fullName} uses Queryable Encryption`] : []),
  ]);

const problemsOfCollations = (collections: readonly Collection[]): string[] =>
  collections.flatMap(({ fullName, options }) =>
    options['collation'] && options['collation'].locale !== 'simple' ? [`${fullName} has a collation of its own`] : [],
  );

async function problemsOfIndexes(client: MongoClient, collections: readonly Collection[]) {
  const twins: string[] = [];
  const tooMany: string[] = [];
  for (const { db, name, fullName, type } of collections) {
    if (type !== 'collection') continue;
    const indexes = await client.db(db).collection(name).indexes();
    if (indexes.length > MOST_INDEXES) tooMany.push(`${fullName} has ${indexes.length} indexes`);
    const uniquenessOf = new Map<string, Set<boolean>>();
    for (const { key, unique = false } of indexes) {
      const text = JSON.stringify(key);
      uniquenessOf.set(text, (uniquenessOf.get(text) ?? new Set()).add(unique));
    }
    if ([...uniquenessOf.values()].some((kinds) => kinds.size > 1))
      twins.push(`${fullName} has indexes that differ in uniqueness alone`);
  }
  return { twins, tooMany };
}

async function problemsOfUser(client: MongoClient, isSharded: boolean): Promise<string[]> {
  const { authInfo } = await client.db('admin').command({ connectionStatus: 1 });
  const roles = new Set<string>((authInfo?.authenticatedUserRoles ?? []).map(({ role }: Document) => String(role)));
  if ((authInfo?.authenticatedUsers ?? []).length === 0 || roles.has('root')) return [];
  const needed = ['backup', 'readAnyDatabase', ...(isSharded ? ['clusterMonitor'] : [])];
  return needed.filter((role) => !roles.has(role)).map((role) => `lacks the role ${role}`);
}

/** Seconds between the first and the last entry; undefined where the user may not look. */
async function oplogWindow(client: MongoClient): Promise<number | undefined> {
  const local: Db = client.db('local');
  const end = async (order: 1 | -1) =>
    (
      await local
        .collection('oplog.rs')
        .find({}, { projection: { ts: 1 }, sort: { $natural: order }, limit: 1 })
        .next()
    )?.['ts'];
  try {
    const [first, last] = [await end(1), await end(-1)];
    return first && last ? last.getHighBits() - first.getHighBits() : undefined;
  } catch (error) {
    if (error instanceof MongoError && error.code === 13) return undefined;
    throw error;
  }
}

async function balancerRuns(client: MongoClient): Promise<boolean | undefined> {
  try {
    return (await client.db('admin').command({ balancerStatus: 1 }))['mode'] !== 'off';
  } catch (error) {
    if (error instanceof MongoError && error.code === 13) return undefined;
    throw error;
  }
}
