/** A request read to its end: it can still be carried out when its connection is long gone. */
export interface Received {
  readonly url: URL;
  readonly headers: Headers;
  readonly params: Readonly<Record<string, string>>;
  readonly body: string;
}

/** One operation as the fault plan meets it. */
export interface Route {
  readonly operation: string;
  readonly method: string;
  /** As Hono writes it. */
  readonly path: string;
  apply(received: Received): Promise<Response>;
  /** Atlas's own answer with a status it was told to refuse with. */
  refuse(status: number, received: Received, retryAfterSeconds: number | undefined): Response;
}
