import { createHmac } from 'node:crypto';

export interface SignedRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Outgoing extends SignedRequest {
  readonly tracker: string;
  readonly url: string;
}

export interface Delivery extends Outgoing {
  /** Missing where nobody answered. */
  readonly status: number | undefined;
}

/** What trackers tell the world: each to one address, signed with one secret. */
export class Webhooks {
  /** Keeps webhooks back until `deliver`, so that they can come late, twice or in another order. */
  hold = false;
  readonly held: Outgoing[] = [];
  readonly deliveries: Delivery[] = [];
  readonly #targets = new Map<string, { url: string; secret: string }>();
  readonly #underway = new Set<Promise<void>>();

  /** Without a target a tracker tells nobody. */
  register(tracker: string, target: { url: string; secret: string } | undefined): void {
    if (target) this.#targets.set(tracker, target);
    else this.#targets.delete(tracker);
  }

  emit(tracker: string, make: (secret: string) => SignedRequest): void {
    const target = this.#targets.get(tracker);
    if (!target) return;
    const outgoing = { tracker, url: target.url, ...make(target.secret) };
    if (this.hold) this.held.push(outgoing);
    else this.#post(outgoing);
  }

  /** Sends what is held, or one webhook again. */
  async deliver(outgoing?: Outgoing): Promise<void> {
    for (const one of outgoing ? [outgoing] : this.held.splice(0)) this.#post(one);
    await this.settle();
  }

  /** Resolves once nothing is under way any more. */
  async settle(): Promise<void> {
    while (this.#underway.size > 0) await Promise.all(this.#underway);
  }

  #post(outgoing: Outgoing): void {
    const post = fetch(outgoing.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...outgoing.headers },
      body: outgoing.body,
      redirect: 'manual',
    })
      .then(
        async (response) => {
          await response.arrayBuffer();
          this.deliveries.push({ ...outgoing, status: response.status });
        },
        () => {
          this.deliveries.push({ ...outgoing, status: undefined });
        },
      )
      .finally(() => {
        this.#underway.delete(post);
      });
    this.#underway.add(post);
  }
}

const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text);
export const hex = (secret: string, text: string): string => hmac(secret, text).digest('hex');
export const base64 = (secret: string, text: string): string => hmac(secret, text).digest('base64');
/** As Standard Webhooks has it: `whsec_` and the key in base64. */
export const standard = (secret: string, text: string): string =>
  hmac(Buffer.from(secret.replace(/^whsec_/, ''), 'base64'), text).digest('base64');
