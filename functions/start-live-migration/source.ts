import { AutomationError } from '../../lib/errors.ts';
import type { MigrationRequest } from './contract.ts';
import type { Run } from './run.ts';
import type { Context } from './services.ts';

/** What only a look at the source itself tells. Names only: never a document, never a credential. */
export interface SourceFacts {
  readonly isReplicaSet: boolean;
  readonly hasPrimary: boolean;
  readonly timeSeries: readonly string[];
  /** Collections, fields or indexes a migration can't take, each as a sentence. */
  readonly unmigratable: readonly string[];
  readonly shardingProblems: readonly string[];
  readonly userProblems: readonly string[];
  readonly oplogWindowSeconds: number | undefined;
  readonly balancerRuns: boolean | undefined;
  readonly searchIndexes: readonly string[];
  readonly destinationHoldsData: boolean | undefined;
}

/** Looks at the source through the driver, which is loaded only now. Reads only. */
export async function inspectSource(context: Context, request: MigrationRequest): Promise<SourceFacts> {
  const { inspect } = await import('./source-driver.ts');
  return inspect(context, request);
}

/** Two counts are this far apart: long enough for anybody who still writes to be seen. */
const BETWEEN_MS = 3_000;

/** Applications were said to have stopped: where somebody gave a way to look, it is looked whether they have. */
export async function writersProblem(context: Context, { request }: Pick<Run, 'request'>): Promise<string | undefined> {
  const { uriSecret } = request.source;
  if (uriSecret === undefined) return undefined;
  return unlessUnseen('whether somebody still writes to the source', async () => {
    const { writesSoFar } = await import('./source-driver.ts');
    const before = await writesSoFar(context, uriSecret);
    await context.clock.sleep(BETWEEN_MS, context.deadline.signal);
    // What the migration reads, and what the server writes for itself, is not counted by this.
    const writes = (await writesSoFar(context, uriSecret)) - before;
    return writes === 0
      ? undefined
      : `somebody still writes to the source (${Math.abs(writes)} writes in ${BETWEEN_MS / 1000} s)`;
  });
}

/** What the source holds and the destination does not: what a migration skips, it skips without a word. */
export async function collectionsProblem(
  context: Context,
  { request }: Pick<Run, 'request'>,
): Promise<string | undefined> {
  const from = request.source.uriSecret;
  const to = request.destination.uriSecret;
  if (from === undefined || to === undefined) return undefined;
  return unlessUnseen('whether both ends hold the same collections', async () => {
    const { collectionsOf } = await import('./source-driver.ts');
    const [source, destination] = await Promise.all([from, to].map((secret) => collectionsOf(context, secret)));
    const there = new Set(destination);
    const missing = (source ?? []).filter((name) => !there.has(name));
    if (missing.length === 0) return undefined;
    return `the source has ${source?.length} collections, and the destination lacks ${missing.length} of them: ${missing.slice(0, 5).join(', ')}`;
  });
}

async function unlessUnseen(what: string, look: () => Promise<string | undefined>): Promise<string | undefined> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof AutomationError)) throw error;
    return `${what} could not be seen (${error.code})`;
  }
}
