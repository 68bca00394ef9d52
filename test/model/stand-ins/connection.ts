/** In the place of `lib/aws/connection.ts`: the clients here have no middleware, and take the deadline with each call. */
export const connect = <Client>(make: (config: object) => Client): Client => make({});

export const sendWithin = <Output>(
  _client: unknown,
  { signal }: { readonly signal: AbortSignal },
  send: (options: { abortSignal: AbortSignal }) => Promise<Output>,
): Promise<Output> => send({ abortSignal: signal });
