/**
 * In the place of node:crypto. What a text hashes to is remembered: the same few names and ids are hashed in every
 * schedule. Everything else is the real one's.
 */
const crypto = process.getBuiltinModule('node:crypto');

export const { randomBytes, randomInt, randomUUID } = crypto;

const AT_MOST = 20_000;
const known = new Map<string, Buffer>();

class ModelHash {
  readonly #algorithm: string;
  #text = '';

  constructor(algorithm: string) {
    this.#algorithm = algorithm;
  }

  update(text: string): this {
    // Bytes would need another key than their text, and nothing hashes any here.
    if (typeof text !== 'string') throw new Error('the model hashes texts only');
    this.#text += text;
    return this;
  }

  digest(): Buffer;
  digest(encoding: BufferEncoding): string;
  digest(encoding?: BufferEncoding): Buffer | string {
    const key = `${this.#algorithm} ${this.#text}`;
    const bytes = known.get(key) ?? crypto.createHash(this.#algorithm).update(this.#text).digest();
    if (known.size > AT_MOST) known.clear();
    known.set(key, bytes);
    return encoding === undefined ? bytes : bytes.toString(encoding);
  }
}

export const createHash = (algorithm: string): ModelHash => new ModelHash(algorithm);
