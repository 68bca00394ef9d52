import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import type { Ledger } from '../ledger.ts';

/** At most one piece of news a second: a page is read, not watched frame by frame. */
const NEWS_MS = 1_000;
const HEARTBEAT_MS = 20_000;

/** Tells by server-sent events that something changed, and that the connection is still there; never what. */
export const live = (c: Context, ledger: Pick<Ledger, 'onChange'>): Response =>
  streamSSE(c, async (stream) => {
    let news = Promise.withResolvers<void>();
    const unsubscribe = ledger.onChange(() => news.resolve());
    stream.onAbort(() => {
      unsubscribe();
      news.resolve();
    });
    while (!stream.aborted) {
      const quiet = stream.sleep(HEARTBEAT_MS).then(() => 'quiet');
      const heard = await Promise.race([news.promise.then(() => 'news'), quiet]);
      if (stream.aborted) return;
      if (heard === 'quiet') {
        await stream.write(': still here\n\n');
        continue;
      }
      news = Promise.withResolvers();
      await stream.writeSSE({ data: 'changed' });
      await stream.sleep(NEWS_MS);
    }
  });
