import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Orders } from './host.ts';

const HOST = fileURLToPath(new URL('host.ts', import.meta.url));

/** One process of the host, from its start to its end. */
export interface Life {
  /** Where it takes webhooks in, once it is ready; undefined where it ended before. */
  readonly ready: Promise<{ readonly hooks: string; readonly waiting: number; readonly readyMs: number } | undefined>;
  /** Ends it as `kill -9` does: nothing of it runs any more, not even what it would do at its end. */
  kill(): Promise<void>;
}

export function live(orders: Orders): Life {
  const child: ChildProcess = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', HOST, JSON.stringify(orders)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const ended = once(child, 'exit');
  const { promise: ready, resolve } = Promise.withResolvers<Awaited<Life['ready']>>();
  let said = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    const [line] = said.includes('\n') ? said.split('\n') : [];
    if (line !== undefined) resolve(JSON.parse(line) as Awaited<Life['ready']>);
  });
  void ended.then(() => resolve(undefined));
  return {
    ready,
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Numbers between 0 and 1 that are the same for the same seed (mulberry32). */
export function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
