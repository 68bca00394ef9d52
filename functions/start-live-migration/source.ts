import type { MigrationRequest } from './contract.ts';
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

/**
 * How many documents clients wrote to the source between two looks; undefined where nobody gave a way to look. What the
 * migration and the server themselves write is not counted by this.
 */
export async function writesMeanwhile(context: Context, request: MigrationRequest): Promise<number | undefined> {
  if (request.source.uriSecret === undefined) return undefined;
  const { writesSoFar } = await import('./source-driver.ts');
  const before = await writesSoFar(context, request);
  await context.clock.sleep(BETWEEN_MS, context.deadline.signal);
  return (await writesSoFar(context, request)) - before;
}
