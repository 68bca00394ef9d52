/** An answer other than success, in the tracker's own words; thrown from wherever the reason is found. */
export class TrackerRefusal extends Error {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) {
    super(`refused with ${status}`);
    this.status = status;
    this.body = body;
    this.headers = headers;
  }

  get response(): Response {
    return answer(this.status, this.body, this.headers);
  }
}

/** JSON; without a body where the status allows none. */
export const answer = (status: number, body?: unknown, headers: Readonly<Record<string, string>> = {}): Response =>
  body === undefined || status === 204
    ? new Response(null, { status, headers })
    : Response.json(body, { status, headers });
