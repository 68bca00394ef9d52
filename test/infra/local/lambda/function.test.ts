import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  createLocalFunction,
  type LocalFunction,
  type LocalFunctionOptions,
} from '../../../../infra/local/lambda/function.ts';

let bundles: string;
beforeAll(async () => {
  bundles = await mkdtemp(path.join(tmpdir(), 'atlas-automation-lambda-'));
  await mkdir(path.join(bundles, 'probe'));
  await writeFile(
    path.join(bundles, 'probe/index.mjs'),
    `let calls = 0;
     export const handler = async (event, context) => {
       calls += 1;
       if (event.throw) throw Object.assign(new Error('it broke'), { name: 'Broken' });
       if (event.hang) await new Promise((resolve) => setTimeout(resolve, 60_000));
       if (event.exit) process.exit(3);
       if (event.print) console.log(event.print);
       if (event.waitMs) await new Promise((resolve) => setTimeout(resolve, event.waitMs));
       return event.nothing ? undefined : { calls, pid: process.pid, invocation: globalThis.awslambda?.InvokeStore?.getRequestId(), env: process.env, context: { ...context, remaining: context.getRemainingTimeInMillis() } };
     };`,
  );
  await mkdir(path.join(bundles, 'unloadable'));
  await writeFile(path.join(bundles, 'unloadable/index.mjs'), 'throw new Error("not today");');
});
afterAll(() => rm(bundles, { recursive: true, force: true }));

function probe(options: Partial<LocalFunctionOptions> = {}): LocalFunction {
  const made = createLocalFunction({ name: 'probe', bundles, environment: { SETTING: 'set' }, ...options });
  onTestFinished(() => made[Symbol.asyncDispose]());
  return made;
}

describe('a container', () => {
  it('is started once and reused: the second call finds it warm', async () => {
    const fn = probe();
    const first = await fn.invoke({});
    const second = await fn.invoke({});
    expect([first, second]).toMatchObject([{ calls: 1 }, { calls: 2 }]);
    expect(fn.coldStarts).toBe(1);
  });

  it('keeps nothing of calls that were answered, but for the last, however long it lives', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const fn = probe();
    const call = async (): Promise<WeakRef<object>> => {
      const event = {};
      await fn.invoke(event);
      return new WeakRef(event);
    };
    const events: WeakRef<object>[] = [];
    for (let nth = 0; nth < 5; nth++) events.push(await call());
    await vi.waitFor(
      () => {
        collect();
        expect(events.slice(0, -1).map((event) => event.deref())).toEqual(Array(4).fill(undefined));
      },
      { timeout: 10_000 },
    );
    expect(await fn.invoke({})).toMatchObject({ calls: 6 });
  });

  it('runs one call at a time: a call meanwhile gets another', async () => {
    const fn = probe();
    const [one, two] = await Promise.all([fn.invoke({ waitMs: 50 }), fn.invoke({ waitMs: 50 })]);
    expect(one).toMatchObject({ calls: 1 });
    expect(two).toMatchObject({ calls: 1 });
    expect(fn.coldStarts).toBe(2);
  });

  it('sees its own environment and Lambda’s, and nothing of ours', async () => {
    process.env['OURS'] = 'must not leak';
    onTestFinished(() => {
      delete process.env['OURS'];
    });
    const { env } = (await probe().invoke({})) as { env: Record<string, string> };
    expect(env).toMatchObject({
      SETTING: 'set',
      AWS_LAMBDA_FUNCTION_NAME: 'probe',
      AWS_REGION: 'us-east-1',
      LAMBDA_TASK_ROOT: path.join(bundles, 'probe'),
      TZ: ':UTC',
    });
    expect(env).not.toHaveProperty('OURS');
  });

  it('gives the handler Lambda’s context', async () => {
    expect(await probe({ timeoutMs: 5_000, memoryMb: 256 }).invoke({})).toMatchObject({
      context: {
        awsRequestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        functionName: 'probe',
        memoryLimitInMB: '256',
        invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:probe',
        remaining: expect.toSatisfy((ms: number) => ms > 4_000 && ms <= 5_000),
      },
    });
  });

  it('answers null for a handler that returns nothing', async () => {
    expect(await probe().invoke({ nothing: true })).toBeNull();
  });

  it('hands on what the function prints', async () => {
    let output = '';
    await probe({ onOutput: (text) => (output += text) }).invoke({ print: 'a line' });
    expect(output).toContain('a line');
  });
});

describe('a container that takes several at once', () => {
  const both = (fn: LocalFunction, ...events: object[]) =>
    Promise.all(events.map((event) => fn.invoke(event))) as Promise<
      { pid: number; invocation?: string; env: Record<string, string>; context: { awsRequestId: string } }[]
    >;

  it('is filled before another is started, and each call knows which one it is', async () => {
    const fn = probe({ atOnce: 3 });
    const seen = await both(fn, ...Array.from({ length: 4 }, () => ({ waitMs: 100 })));
    expect(new Set(seen.map(({ pid }) => pid)).size).toBe(2);
    expect(new Set(seen.slice(0, 3).map(({ pid }) => pid)).size).toBe(1);
    expect(fn.coldStarts).toBe(2);
    for (const { invocation, env, context } of seen) {
      expect(invocation).toBe(context.awsRequestId);
      expect(env['AWS_LAMBDA_MAX_CONCURRENCY']).toBe('3');
    }
  });

  it('gets the next call where it has least to do', async () => {
    const fn = probe({ atOnce: 2 });
    const long = both(fn, { waitMs: 400 }, { waitMs: 400 }, { waitMs: 400 });
    const next = await both(fn, { waitMs: 10 });
    expect((await long)[2]?.pid).toBe(next[0]?.pid);
    expect(fn.coldStarts).toBe(2);
  });

  it('lets those wait who find all of them full', async () => {
    const fn = probe({ atOnce: 2, mostContainers: 1 });
    const seen = await both(fn, ...Array.from({ length: 5 }, () => ({ waitMs: 30 })));
    expect(new Set(seen.map(({ pid }) => pid)).size).toBe(1);
  });

  it('ends with all it has where one of them is not done in time; the next call starts a new one', async () => {
    const fn = probe({ atOnce: 4, timeoutMs: 400 });
    await fn.invoke({});
    const hanging = fn.invoke({ hang: true });
    await new Promise((resolve) => setTimeout(resolve, 100));
    const beside = fn.invoke({ hang: true });
    const ended = await Promise.allSettled([hanging, beside]);
    expect(ended).toMatchObject([
      { reason: { errorType: 'Sandbox.Timedout' } },
      { reason: { errorType: 'Runtime.ExitError' } },
    ]);
    expect(await fn.invoke({})).toMatchObject({ calls: 1 });
  });

  it('fails one call alone where that call throws', async () => {
    const fn = probe({ atOnce: 2 });
    const [thrown, fine] = await Promise.allSettled([fn.invoke({ throw: true }), fn.invoke({ waitMs: 50 })]);
    expect([thrown.status, fine.status]).toEqual(['rejected', 'fulfilled']);
    expect(fn.coldStarts).toBe(1);
  });
});

describe('a failure', () => {
  it('that was thrown comes out by its name, and the container stays', async () => {
    const fn = probe();
    await expect(fn.invoke({ throw: true })).rejects.toMatchObject({ errorType: 'Broken', message: 'it broke' });
    await fn.invoke({});
    expect(fn.coldStarts).toBe(1);
  });

  it('to be done in time ends the container', async () => {
    const fn = probe({ timeoutMs: 300 });
    await expect(fn.invoke({ hang: true })).rejects.toMatchObject({
      errorType: 'Sandbox.Timedout',
      message: 'Task timed out after 0.30 seconds',
    });
    expect(await fn.invoke({})).toMatchObject({ calls: 1 });
    expect(fn.coldStarts).toBe(2);
  });

  it('of the process is one of the call, and the next call starts a new one', async () => {
    const fn = probe();
    await expect(fn.invoke({ exit: true })).rejects.toMatchObject({ errorType: 'Runtime.ExitError' });
    expect(await fn.invoke({})).toMatchObject({ calls: 1 });
  });

  it('is what a kill makes of a call, wherever it is', async () => {
    const fn = probe();
    const call = fn.invoke({ hang: true });
    await new Promise((resolve) => setTimeout(resolve, 200));
    await Promise.all([expect(call).rejects.toMatchObject({ errorType: 'Runtime.ExitError' }), fn.kill()]);
  });

  it('to load the bundle fails the call', async () => {
    await expect(probe({ name: 'unloadable' }).invoke({})).rejects.toMatchObject({ message: 'not today' });
  });
});

describe('an asynchronous event', () => {
  it('is tried three times, with Lambda’s pauses, and then kept as a dead letter', async () => {
    const waits: number[] = [];
    const clock = { now: () => new Date(), sleep: async (ms: number) => void waits.push(ms) };
    const fn = probe({ clock });
    await fn.invokeAsync({ throw: true });
    expect(waits).toEqual([60_000, 120_000]);
    expect(fn.deadLetters).toEqual([{ event: { throw: true }, error: 'Broken: it broke' }]);
  });

  it('is over after the first try that succeeds', async () => {
    const fn = probe({ asyncRetryMs: [0, 0] });
    await fn.invokeAsync({});
    expect(fn.deadLetters).toEqual([]);
  });
});

it('leaves no process behind', async () => {
  const fn = createLocalFunction({ name: 'probe', bundles, environment: {} });
  const { pid } = (await fn.invoke({})) as { pid: number };
  await fn[Symbol.asyncDispose]();
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});
