/**
 * The inside of a container: loads one bundle and runs its handler on each event the host sends. Runs
 * as a process of its own, so that a bundle has its own environment and memory, and can be killed like the real thing.
 */
import { flushCompileCache } from 'node:module';
import { pathToFileURL } from 'node:url';
import * as z from 'zod';

/** What the host sends for one invocation. */
const Invoke = z.object({
  event: z.unknown(),
  requestId: z.string(),
  timeoutMs: z.number(),
  functionName: z.string(),
  functionArn: z.string(),
  memoryMb: z.number(),
});
export type Invoke = z.output<typeof Invoke>;

/** What the container answers: the handler's result, or its error as Lambda reports it. */
export const Reply = z.discriminatedUnion('kind', [
  /** The init phase is over, well or not. */
  z.object({ kind: z.literal('ready') }),
  z.object({ kind: z.literal('result'), requestId: z.string(), result: z.unknown() }),
  z.object({
    kind: z.literal('error'),
    requestId: z.string(),
    errorType: z.string(),
    errorMessage: z.string(),
    stack: z.string().optional(),
  }),
]);
export type Reply = z.output<typeof Reply>;

const Bundle = z.object({
  handler: z.custom<(event: unknown, context: object) => unknown>((value) => typeof value === 'function'),
});

const reply = (message: Reply): void => {
  process.send?.(message);
};

function contextOf({ requestId, timeoutMs, functionName, functionArn, memoryMb }: Invoke): object {
  const end = Date.now() + timeoutMs;
  return {
    awsRequestId: requestId,
    functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: functionArn,
    memoryLimitInMB: String(memoryMb),
    logGroupName: `/aws/lambda/${functionName}`,
    logStreamName: `local/[$LATEST]${process.pid}`,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => end - Date.now(),
  };
}

type Scope = (requestId: string, run: () => unknown) => unknown;

/** Where a container takes several invocations at a time, whoever logs and counts in the bundle tells them apart by this. */
async function scopes(): Promise<Scope> {
  if (!('AWS_LAMBDA_MAX_CONCURRENCY' in process.env)) return (_, run) => run();
  const { InvokeStore, InvokeStoreBase } = await import('@aws/lambda-invoke-store');
  const store = await InvokeStore.getInstanceAsync();
  return (requestId, run) => store.run({ [InvokeStoreBase.PROTECTED_KEYS.REQUEST_ID]: requestId }, run);
}

async function main(bundle: string): Promise<void> {
  delete process.env['NODE_COMPILE_CACHE'];
  // First: a bundle looks for it while it is loaded.
  const within = await scopes();
  // Loading begins at once, as in Lambda's init phase; a bundle that can't be loaded fails its first invocation.
  const loading = import(pathToFileURL(bundle).href).then((module) => Bundle.parse(module).handler);
  loading.catch(() => {});
  process.on('message', async (raw) => {
    const invoke = Invoke.parse(raw);
    const { requestId } = invoke;
    try {
      const handler = await loading;
      // Lambda answers null for a handler that returns nothing.
      const run = () => handler(invoke.event, contextOf(invoke));
      const result = await within(requestId, run);
      reply({ kind: 'result', requestId, result: result ?? null });
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      reply({
        kind: 'error',
        requestId,
        errorType: error.name,
        errorMessage: error.message,
        ...(error.stack && { stack: error.stack }),
      });
    }
    // A container is killed, it does not end: what it compiled is written while it lives, where a cache was asked for.
    flushCompileCache();
  });
  // Without its host a container has nobody to answer to.
  process.on('disconnect', () => process.exit());
  await loading.catch(() => {});
  reply({ kind: 'ready' });
}

const bundle = process.argv[2];
if (process.send && bundle) await main(bundle);
