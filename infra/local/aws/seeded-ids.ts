import { createHash } from 'node:crypto';

/** Identifiers that look random and come out the same for the same seed and the same order of calls. */
export interface SeededIds {
  uuid(): string;
  /** The characters Secrets Manager appends to a name in an ARN. */
  suffix(): string;
  bytes(length: number): Buffer;
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** `state.issued` counts what was handed out, so that a restored state goes on instead of starting over. */
export function createSeededIds(seed: string, state: { issued: number }): SeededIds {
  const digest = (): Buffer =>
    createHash('sha512')
      .update(`${seed}:${state.issued++}`)
      .digest();
  return {
    uuid() {
      const hex = digest().toString('hex');
      return [
        hex.slice(0, 8),
        hex.slice(8, 12),
        `4${hex.slice(13, 16)}`,
        `a${hex.slice(17, 20)}`,
        hex.slice(20, 32),
      ].join('-');
    },
    suffix: () => [...digest().subarray(0, 6)].map((byte) => letters.charAt(byte % letters.length)).join(''),
    bytes(length) {
      const chunks: Buffer[] = [];
      for (let size = 0; size < length; size += 64) chunks.push(digest());
      return Buffer.concat(chunks).subarray(0, length);
    },
  };
}
