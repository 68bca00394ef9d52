import { AsyncLocalStorage } from 'node:async_hooks';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { Deadline } from '../runtime/deadline.ts';

const signals = new AsyncLocalStorage<AbortSignal>();

/** Ends a request with the deadline of the call it is made for. */
class DeadlineHandler extends NodeHttpHandler {
  override handle(...[request, options]: Parameters<NodeHttpHandler['handle']>) {
    const abortSignal = signals.getStore();
    return super.handle(request, abortSignal ? { ...options, abortSignal } : options);
  }
}

interface Client {
  readonly config: { readonly requestHandler: unknown };
  readonly middlewareStack: { remove(name: string): boolean };
}

/**
 * A client that is called for every message, and spends little on each call: how one is made is worked out once for each
 * command, which the SDK does only where calls carry no options, so the deadline comes by `sendWithin`; and nothing is
 * prepared to be logged, since nobody logs it. What it gains: test/bench/README.md. One hung request must not use up the
 * run; what is called like this answers in milliseconds.
 * Source: https://docs.aws.amazon.com/AWSJavaScriptSDK/v3/latest/ (cacheMiddleware, middlewareStack)
 */
export function connect<Made extends Client>(
  make: (config: { cacheMiddleware: true; requestHandler: NodeHttpHandler }) => Made,
): Made {
  const client = make({
    cacheMiddleware: true,
    requestHandler: new DeadlineHandler({
      connectionTimeout: 2_000,
      requestTimeout: 5_000,
      throwOnRequestTimeout: true,
    }),
  });
  client.middlewareStack.remove('loggerMiddleware');
  return client;
}

/**
 * A call that ends with the deadline, by any client. `send` hands its options on to `client.send`. A client made with
 * `connect` notices the end of the deadline after the wait before a repeat, and not within it.
 */
export function sendWithin<Output>(
  client: Pick<Client, 'config'>,
  { signal }: Deadline,
  send: (options?: { abortSignal: AbortSignal }) => Promise<Output>,
): Promise<Output> {
  return client.config.requestHandler instanceof DeadlineHandler
    ? signals.run(signal, send)
    : send({ abortSignal: signal });
}
