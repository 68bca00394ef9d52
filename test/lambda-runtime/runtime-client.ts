/**
 * Functions under the client that runs them in Lambda: npm's aws-lambda-ric, with its native part built here, on a Runtime
 * API on loopback. Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const VERSION = '4.0.2';

/** The installed client. */
export interface RuntimeClient extends AsyncDisposable {
  readonly script: string;
}

/**
 * Installs and builds it outside the checkout: needs cmake, a C++ compiler and Python. Fails with what was said.
 * `LAMBDA_RUNTIME_CLIENT` names a folder where it is installed already.
 */
export async function buildRuntimeClient(): Promise<RuntimeClient> {
  const there = process.env['LAMBDA_RUNTIME_CLIENT'];
  if (there !== undefined)
    return { script: path.join(there, 'node_modules/aws-lambda-ric/index.mjs'), async [Symbol.asyncDispose]() {} };
  const folder = await mkdtemp(path.join(tmpdir(), 'lambda-runtime-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true, maxRetries: 3 });
  try {
    await writeFile(
      path.join(folder, 'package.json'),
      JSON.stringify({ private: true, allowScripts: { 'aws-lambda-ric': true } }),
    );
    const flags = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
    await promisify(execFile)('npm', ['install', '--prefix', folder, ...flags, `aws-lambda-ric@${VERSION}`], {
      cwd: folder,
      timeout: 900_000,
      maxBuffer: 50_000_000,
    });
    const installed = path.join(folder, 'node_modules/aws-lambda-ric');
    await access(path.join(installed, 'rapid-client.node'));
    return { script: path.join(installed, 'index.mjs'), [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).slice(-2_000) : String(error);
    throw new Error(`aws-lambda-ric@${VERSION} could not be built, so nothing ran under it: ${said}`);
  }
}

/** What Lambda would report of an invocation that failed. */
export class Failed extends Error {
  override readonly name = 'Failed';
  readonly errorType: string;
  constructor(errorType: string, message: string) {
    super(message);
    this.errorType = errorType;
  }
}

export interface FunctionOptions {
  readonly client: RuntimeClient;
  readonly name: string;
  readonly bundles: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** One execution environment. Invocations wait for each other, as they do in one. */
export interface RunningFunction extends AsyncDisposable {
  /** Names of the endpoints of the Runtime API that were called, in order. */
  readonly asked: readonly string[];
  invoke(event: unknown): Promise<unknown>;
}

interface Waiting {
  readonly id: string;
  readonly event: string;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

export async function runFunction({ client, name, bundles, environment }: FunctionOptions): Promise<RunningFunction> {
  const asked: string[] = [];
  const queue: Waiting[] = [];
  const running = new Map<string, Waiting>();
  let idle: ServerResponse | undefined;
  let broken: Error | undefined;

  const hand = (): void => {
    const next = idle && queue.shift();
    if (!idle || !next) return;
    running.set(next.id, next);
    idle.writeHead(200, {
      'content-type': 'application/json',
      'lambda-runtime-aws-request-id': next.id,
      'lambda-runtime-deadline-ms': String(Date.now() + 60_000),
      'lambda-runtime-invoked-function-arn': `arn:aws:lambda:us-east-1:000000000000:function:${name}`,
      'lambda-runtime-trace-id': 'Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1',
    });
    idle.end(next.event);
    idle = undefined;
  };
  const fail = (error: Error): void => {
    broken = error;
    for (const waiting of [...queue.splice(0), ...running.values()]) waiting.reject(error);
    running.clear();
  };

  const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    const [, id = '', what = ''] =
      /^\/2018-06-01\/runtime\/(?:invocation\/([^/]+)\/?)?(.*)$/.exec(request.url ?? '') ?? [];
    const body = Buffer.concat(await request.toArray()).toString();
    asked.push(id === 'next' ? 'next' : what);
    if (id === 'next') {
      idle = response;
      hand();
      return;
    }
    response.writeHead(202, { 'content-type': 'application/json' }).end('{"status":"OK"}');
    const waiting = running.get(id);
    running.delete(id);
    if (what === 'response') waiting?.resolve(JSON.parse(body));
    else {
      const { errorType = 'Unknown', errorMessage = body } = JSON.parse(body) as Record<string, string>;
      const error = new Failed(errorType, errorMessage);
      if (what === 'init/error') fail(error);
      else waiting?.reject(error);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const folder = path.resolve(bundles, name);
  let printed = '';
  const child: ChildProcess = spawn(process.execPath, [client.script, 'index.handler'], {
    cwd: folder,
    // Nothing of the test's own environment: what Lambda sets, and what the stack does.
    env: {
      PATH: process.env['PATH'],
      TZ: ':UTC',
      AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${(server.address() as AddressInfo).port}`,
      _HANDLER: 'index.handler',
      LAMBDA_TASK_ROOT: folder,
      AWS_LAMBDA_FUNCTION_NAME: name,
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512',
      AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
      AWS_LAMBDA_LOG_STREAM_NAME: `here/[$LATEST]${randomUUID()}`,
      AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
      AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
      AWS_REGION: 'us-east-1',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      printed = (printed + text).slice(-5_000);
    });
  const ended = once(child, 'exit').then(([status]) => fail(new Error(`${name} ended with ${status}: ${printed}`)));

  return {
    asked,
    invoke: (event) =>
      new Promise((resolve, reject) => {
        if (broken) return reject(broken);
        queue.push({ id: randomUUID(), event: JSON.stringify(event), resolve, reject });
        hand();
      }),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
      server.closeAllConnections();
      server.close();
    },
  };
}
