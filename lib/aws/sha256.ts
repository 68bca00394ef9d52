import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto';
import type { Checksum, SourceData } from '@smithy/types';

const bytesOf = (data: SourceData): Uint8Array =>
  typeof data === 'string'
    ? Buffer.from(data)
    : ArrayBuffer.isView(data)
      ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
      : new Uint8Array(data);

/** Keys as Node wants them, by what they were made of: a signature uses the same one all day. */
const keys = new WeakMap<object, KeyObject>();

function keyOf(secret: SourceData): KeyObject {
  const known = typeof secret === 'string' ? undefined : keys.get(secret);
  if (known) return known;
  const key = createSecretKey(bytesOf(secret));
  if (typeof secret !== 'string') keys.set(secret, key);
  return key;
}

/**
 * What the SDK's signature reckons with, keyed or not. The SDK's own takes each hash as a stream and makes each key anew,
 * an eighth of what a webhook costs (test/bench/README.md).
 */
export class Sha256 implements Checksum {
  readonly #key: KeyObject | undefined;
  #data: Uint8Array[] = [];

  constructor(secret?: SourceData) {
    if (secret !== undefined) this.#key = keyOf(secret);
  }

  update(chunk: Uint8Array): void {
    this.#data.push(chunk);
  }

  async digest(): Promise<Uint8Array> {
    const [only = Buffer.alloc(0), ...more] = this.#data;
    const data = more.length === 0 ? only : Buffer.concat(this.#data);
    return this.#key
      ? createHmac('sha256', this.#key).update(data).digest()
      : hash('sha256', data, { outputEncoding: 'buffer' });
  }

  reset(): void {
    this.#data = [];
  }
}
