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
  /** Runs the handler and answers what it returns. Concurrent calls get containers of their own; idle ones are reused. */
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
  const { mostContainers = Number.POSITIVE_INFINITY, niceness } = options;
  const arn = `arn:aws:lambda:${region}:${account}:function:${name}`;
  const folder = path.resolve(bundles, name);
  const environment = {
    AWS_LAMBDA_FUNCTION_NAME: name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMb),
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_REGION: region,
    LAMBDA_TASK_ROOT: folder,
    ...options.environment,
  };
  const idle: Container[] = [];
  const busy = new Set<Container>();
  const deadLetters: DeadLetter[] = [];
  let closed = false;
  let coldStarts = 0;

  const take = (): Container => {
    for (let warm = idle.pop(); warm; warm = idle.pop()) if (warm.alive) return warm;
    coldStarts++;
    return startContainer({ bundle: path.join(folder, 'index.mjs'), environment, memoryMb, niceness, onOutput });
  };

  /** Calls that wait for a container, in their order. */
  const waiting: (() => void)[] = [];
  let taken = 0;

  async function invoke(event: unknown): Promise<unknown> {
    if (taken < mostContainers) taken++;
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
    busy.add(container);
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
      busy.delete(container);
      if (container.alive) idle.push(container);
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
      await Promise.all([...busy].map((container) => container.kill()));
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      await Promise.all([...busy, ...idle].map((container) => container.kill()));
    },
  };
}
