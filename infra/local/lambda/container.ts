import { fork } from 'node:child_process';
import { setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Invoke, Reply } from './runtime.ts';

/** The function failed the way Lambda reports it: thrown, timed out, or its process ended. */
export class FunctionFailed extends Error {
  override readonly name = 'FunctionFailed';
  /** The name of what the handler threw, `Sandbox.Timedout`, or `Runtime.ExitError`. */
  readonly errorType: string;

  constructor(errorType: string, message: string) {
    super(message);
    this.errorType = errorType;
  }
}

/** One execution environment: a process that has loaded a bundle and runs what it is given, however much at a time. */
export interface Container {
  readonly alive: boolean;
  invoke(invoke: Invoke): Promise<unknown>;
  /** Ends the process at once, wherever it is; invocations in progress fail with Runtime.ExitError. */
  kill(): Promise<void>;
}

/** The function's timeout begins after the init phase, which has its own limit (Lambda's execution environment lifecycle). */
const INIT_LIMIT_MS = 10_000;

const RUNTIME = fileURLToPath(new URL('runtime.ts', import.meta.url));

export interface ContainerOptions {
  readonly bundle: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly memoryMb: number;
  /** How far it stands back behind other processes, from 0 to 19. */
  readonly niceness?: number | undefined;
  /** Gets what the function writes to stdout and stderr, in pieces as they come. */
  readonly onOutput: (text: string) => void;
}

/** Where Node keeps compiled code, if its own variable says so; the runtime takes it back before a bundle can see it. */
const compileCache = (): Readonly<Record<string, string>> => {
  const { NODE_COMPILE_CACHE } = process.env;
  return NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE };
};

/** One that has ended already, or a system without priorities, changes nothing but who waits. */
function standBack(pid: number, niceness: number): void {
  try {
    setPriority(pid, niceness);
  } catch {}
}

/** Starts a container: Lambda's cold start. Only `environment` is visible inside; nothing of ours leaks in. */
export function startContainer({ bundle, environment, memoryMb, niceness, onOutput }: ContainerOptions): Container {
  const child = fork(RUNTIME, [bundle], {
    env: { PATH: process.env['PATH'], TZ: ':UTC', ...compileCache(), ...environment },
    execArgv: [`--max-old-space-size=${memoryMb}`, '--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  if (niceness !== undefined && child.pid !== undefined) standBack(child.pid, niceness);
  child.stdout?.setEncoding('utf8').on('data', onOutput);
  child.stderr?.setEncoding('utf8').on('data', onOutput);
  let alive = true;
  const { promise: ready, resolve: setReady } = Promise.withResolvers<void>();
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  /** What is under way, by its request id. */
  const calls = new Map<string, PromiseWithResolvers<unknown>>();
  const exitError = (): FunctionFailed =>
    new FunctionFailed(
      'Runtime.ExitError',
      `Runtime exited with error: ${child.signalCode ?? `exit status ${child.exitCode}`}`,
    );
  child.on('message', (raw) => {
    const reply = Reply.parse(raw);
    if (reply.kind === 'ready') return setReady();
    const call = calls.get(reply.requestId);
    if (reply.kind === 'result') call?.resolve(reply.result);
    else call?.reject(new FunctionFailed(reply.errorType, reply.errorMessage));
  });
  const gone = (): void => {
    alive = false;
    end();
    for (const { reject } of calls.values()) reject(exitError());
  };
  child.once('exit', gone);
  // A message to a process that has just died fails here; that it died is what counts. One that never began never exits.
  child.on('error', () => {
    alive = false;
    if (child.pid === undefined) gone();
    else child.kill('SIGKILL');
  });
  const initialized = Promise.race([ready, ended, sleep(INIT_LIMIT_MS, undefined, { ref: false })]);

  const kill = async (): Promise<void> => {
    // From now on, so that nobody is given to a process that is on its way out.
    alive = false;
    child.kill('SIGKILL');
    await ended;
  };

  return {
    get alive() {
      return alive;
    },
    kill,
    async invoke(invoke) {
      const call = Promise.withResolvers<unknown>();
      const { requestId, timeoutMs } = invoke;
      await initialized;
      const timer = setTimeout(async () => {
        // What it ends of is its own time, not the end of the process.
        calls.delete(requestId);
        await kill();
        const took = (timeoutMs / 1_000).toFixed(2);
        call.reject(new FunctionFailed('Sandbox.Timedout', `Task timed out after ${took} seconds`));
      }, timeoutMs);
      calls.set(requestId, call);
      if (!alive) void ended.then(() => call.reject(exitError()));
      try {
        child.send(invoke, () => {});
        return await call.promise;
      } finally {
        calls.delete(requestId);
        clearTimeout(timer);
      }
    },
  };
}
