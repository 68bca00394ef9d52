import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { type Clock, systemClock } from '../../../lib/runtime/clock.ts';
import { type Container, FunctionFailed, startContainer } from './container.ts';

export interface LocalFunctionOptions {
  /** The Lambda's name: its bundle is `<bundles>/<name>/index.mjs`. */
  readonly name: string;
  /** The folder all bundles are in, normally `dist`. */
  readonly bundles: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  readonly memoryMb?: number;
  readonly account?: string;
  readonly region?: string;
  readonly onOutput?: (text: string) => void;
  readonly clock?: Clock;
  /** Pauses before the second and third try of an asynchronous invocation, in milliseconds; Lambda's are 1 and 2 minutes. */
  readonly asyncRetryMs?: readonly number[];
  /** Containers at one time, at most: further calls wait for one. As many as are asked for unless given, as in Lambda. */
  readonly mostContainers?: number;
  /**
   * Invocations one container takes at the same time, at most: one unless given, as in Lambda. More is what Lambda Managed
   * Instances do; one that runs into its timeout ends those beside it, too.
   * Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-managed-instances-nodejs-runtime.html
   */
  readonly atOnce?: number;
  /** How far its containers stand back behind other processes of this machine, from 0 to 19; not at all unless given. */
  readonly niceness?: number;
}

/** An asynchronous event that failed on every try. */
export interface DeadLetter {
  readonly event: unknown;
  readonly error: string;
}

/** A Lambda function on this machine. */
export interface LocalFunction extends AsyncDisposable {
  readonly name: string;
  readonly arn: string;
  /** Asynchronous events that failed on every try, oldest first. */
  readonly deadLetters: readonly DeadLetter[];
  /** How many containers were started: cold starts. */
  readonly coldStarts: number;
  /** Runs the handler and answers what it returns. Concurrent calls get containers of their own, unless one takes several; idle ones are reused. */
  invoke(event: unknown): Promise<unknown>;
  /** Runs the handler as Lambda does for events: tried three times, then a dead letter. Resolves when it is over. */
  invokeAsync(event: unknown): Promise<void>;
  /** Kills every container that is busy, as if the machine under it had gone. */
  kill(): Promise<void>;
}

export function createLocalFunction(options: LocalFunctionOptions): LocalFunction {
  const {
    name,
    bundles,
    timeoutMs = 300_000,
    memoryMb = 512,
    account = '000000000000',
    region = 'us-east-1',
  } = options;
  const { onOutput = () => {}, clock = systemClock, asyncRetryMs = [60_000, 120_000] } = options;
  const { mostContainers = Number.POSITIVE_INFINITY, atOnce = 1, niceness } = options;
  const arn = `arn:aws:lambda:${region}:${account}:function:${name}`;
  const folder = path.resolve(bundles, name);
  const environment = {
    AWS_LAMBDA_FUNCTION_NAME: name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMb),
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_REGION: region,
    LAMBDA_TASK_ROOT: folder,
    ...(atOnce > 1 && { AWS_LAMBDA_MAX_CONCURRENCY: String(atOnce) }),
    ...options.environment,
  };
  /** Each with how many invocations it has; the one that was free last stands last. */
  const containers = new Map<Container, number>();
  const deadLetters: DeadLetter[] = [];
  let closed = false;
  let coldStarts = 0;

  const take = (): Container => {
    for (const container of containers.keys()) if (!container.alive) containers.delete(container);
    let least = atOnce - 1;
    let chosen: Container | undefined;
    for (const [container, has] of containers)
      if (has <= least) {
        chosen = container;
        least = has;
      }
    if (!chosen) {
      coldStarts++;
      chosen = startContainer({ bundle: path.join(folder, 'index.mjs'), environment, memoryMb, niceness, onOutput });
    }
    containers.set(chosen, (containers.get(chosen) ?? 0) + 1);
    return chosen;
  };

  /** Calls that wait for a container, in their order. */
  const waiting: (() => void)[] = [];
  let taken = 0;

  async function invoke(event: unknown): Promise<unknown> {
    if (taken < mostContainers * atOnce) taken++;
    else {
      const { promise: turn, resolve } = Promise.withResolvers<void>();
      waiting.push(resolve);
      await turn;
    }
    try {
      return await run(event);
    } finally {
      // Whoever waits takes this place.
      const next = waiting.shift();
      if (next) next();
      else taken--;
    }
  }

  async function run(event: unknown): Promise<unknown> {
    if (closed) throw new FunctionFailed('ResourceNotFoundException', `${name} has been taken down`);
    const container = take();
    try {
      return await container.invoke({
        event,
        requestId: randomUUID(),
        timeoutMs,
        functionName: name,
        functionArn: arn,
        memoryMb,
      });
    } finally {
      const left = (containers.get(container) ?? 1) - 1;
      containers.delete(container);
      containers.set(container, left);
    }
  }

  return {
    name,
    arn,
    deadLetters,
    get coldStarts() {
      return coldStarts;
    },
    invoke,
    async invokeAsync(event) {
      for (const pause of [...asyncRetryMs, undefined]) {
        try {
          await invoke(event);
          return;
        } catch (error) {
          if (!(error instanceof FunctionFailed)) throw error;
          if (pause === undefined) deadLetters.push({ event, error: `${error.errorType}: ${error.message}` });
          else await clock.sleep(pause);
        }
      }
    },
    async kill() {
      await Promise.all([...containers].map(([container, has]) => has > 0 && container.kill()));
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      await Promise.all([...containers.keys()].map((container) => container.kill()));
    },
  };
}
