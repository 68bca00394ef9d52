/** As much of fetch's Headers and Response as the sandbox's routes use, without what makes the real ones slow. */

export class ModelHeaders {
  readonly #values = new Map<string, string>();

  constructor(init: Readonly<Record<string, string>> = {}) {
    for (const [name, value] of Object.entries(init)) this.set(name, value);
  }

  get(name: string): string | null {
    return this.#values.get(name.toLowerCase()) ?? null;
  }

  has(name: string): boolean {
    return this.#values.has(name.toLowerCase());
  }

  set(name: string, value: string): void {
    this.#values.set(name.toLowerCase(), value);
  }

  delete(name: string): void {
    this.#values.delete(name.toLowerCase());
  }
}

interface Init {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export class ModelResponse {
  readonly body: string | null;
  readonly status: number;
  readonly headers: ModelHeaders;

  constructor(body: string | null, { status = 200, headers = {} }: Init = {}) {
    this.body = body;
    this.status = status;
    this.headers = new ModelHeaders(headers);
  }

  static json(value: unknown, init?: Init): ModelResponse {
    return new ModelResponse(JSON.stringify(value), init);
  }

  async text(): Promise<string> {
    return this.body ?? '';
  }
}
