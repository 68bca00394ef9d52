import type { Context } from 'aws-lambda';
import { describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { AutomationError, ConfigError, EventError } from '../../../lib/errors.ts';
import { defineHandler, TimeRanOut } from '../../../lib/runtime/handler.ts';

const contextWith = (remainingMs: number): Context => {
  const end = Date.now() + remainingMs;
  return {
    awsRequestId: 'r1',
    functionName: 'f',
    functionVersion: '1',
    invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:f',
    memoryLimitInMB: '512',
    logGroupName: 'g',
    logStreamName: 's',
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => end - Date.now(),
    done() {},
    fail() {},
    succeed() {},
  };
};

const define = (over: { run?: () => Promise<unknown>; services?: () => unknown } = {}) =>
  defineHandler({
    name: 'a-function',
    config: z.object({ WANTED: z.string(), NUMBER: z.coerce.number() }),
    settings: z.object({ section: z.object({ days: z.int().default(3) }).prefault({}) }),
    event: z.object({ id: z.string() }),
    services: over.services ?? (() => ({})),
    run: over.run ?? (async (event, { config, settings }) => ({ event, config, settings })),
  });

const goodEnvironment = (): void => {
  vi.stubEnv('WANTED', 'w');
  vi.stubEnv('NUMBER', '7');
};

describe('a handler', () => {
  it('gives its work the parsed environment, settings and event', async () => {
    goodEnvironment();
    vi.stubEnv('AUTOMATION_SETTINGS', '{"section":{"days":5},"someone else’s":{}}');

    expect(await define()({ id: 'x', extra: 1 }, contextWith(60_000))).toEqual({
      event: { id: 'x' },
      config: { WANTED: 'w', NUMBER: 7 },
      settings: { section: { days: 5 } },
    });
  });

  it('has defaults for every setting when none were deployed', async () => {
    goodEnvironment();
    expect(await define()({ id: 'x' }, contextWith(60_000))).toMatchObject({ settings: { section: { days: 3 } } });
  });

  it('lists every problem of environment and settings in one error, without values, and builds nothing', async () => {
    vi.stubEnv('NUMBER', 'hush');
    vi.stubEnv('AUTOMATION_SETTINGS', '{"section":{"days":"hush"}}');
    const services = vi.fn();

    const error = await define({ services })({ id: 'x' }, contextWith(60_000)).catch((e: unknown) => e);

    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).facts['problems']).toEqual([
      { path: 'WANTED', problem: expect.any(String) },
      { path: 'NUMBER', problem: expect.any(String) },
      { path: 'section.days', problem: expect.any(String) },
    ]);
    expect(String(error) + JSON.stringify(error)).not.toContain('hush');
    expect(services).not.toHaveBeenCalled();
  });

  it.each([
    ['that are not JSON', '{"section": hush', 'is not JSON'],
    ['in a file that is not there', 'no/such/file.json', 'not there'],
  ])('refuses settings %s', async (_, settings, message) => {
    goodEnvironment();
    vi.stubEnv('AUTOMATION_SETTINGS', settings);

    const error = await define()({ id: 'x' }, contextWith(60_000)).catch((e: unknown) => e);

    expect(error).toBeInstanceOf(ConfigError);
    expect(String(error)).toContain(message);
    expect(String(error) + String((error as Error).cause)).not.toContain('hush');
  });

  it('refuses an event it does not understand', async () => {
    goodEnvironment();
    await expect(define()({ id: 5 }, contextWith(60_000))).rejects.toThrow(EventError);
  });

  it('builds its services once, and again only after a failure', async () => {
    goodEnvironment();
    const services = vi.fn().mockRejectedValueOnce(new Error('not yet')).mockResolvedValue({});
    const handler = define({ services });

    await expect(handler({ id: 'x' }, contextWith(60_000))).rejects.toThrow('not yet');
    await handler({ id: 'x' }, contextWith(60_000));
    await handler({ id: 'x' }, contextWith(60_000));

    expect(services).toHaveBeenCalledTimes(2);
  });

  it('throws what its work throws: Lambda must see it', async () => {
    goodEnvironment();
    class Broken extends AutomationError {
      override readonly name = 'Broken';
      readonly code = 'BROKEN';
      readonly disposition = 'give-up';
    }
    const run = async () => {
      throw new Broken('it broke');
    };
    await expect(define({ run })({ id: 'x' }, contextWith(60_000))).rejects.toThrow(Broken);
  });

  const waiting = (run: (signal: AbortSignal) => Promise<unknown>) =>
    defineHandler({
      name: 'a-function',
      config: z.object({}),
      settings: z.object({}),
      event: z.unknown(),
      services: () => ({}),
      run: (_, { deadline }) => run(deadline.signal),
    });

  it('aborts what is in flight seconds before Lambda would, in time for it to say what failed', async () => {
    const handler = waiting(
      (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('cut short')))),
    );
    await expect(handler({}, contextWith(3_550))).rejects.toThrow('cut short');
  });

  it('stops, a little later, work that does not listen', async () => {
    const handler = waiting(() => new Promise(() => {}));
    await expect(handler({}, contextWith(2_050))).rejects.toThrow(TimeRanOut);
  });
});
