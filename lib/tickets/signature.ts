import { createHmac, timingSafeEqual } from 'node:crypto';

export type HmacEncoding = 'hex' | 'base64';

/** The key of a secret as Standard Webhooks writes them: base64 behind `whsec_`, any other is text. */
export const standardKey = (secret: string): Buffer =>
  secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : Buffer.from(secret);

/** HMAC-SHA-256 of raw bytes. */
export function hmac(key: string | Uint8Array, parts: readonly (string | Uint8Array)[]): Buffer {
  const hash = createHmac('sha256', key);
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/**
 * Whether one of the given signatures is right by one of the secrets. Every pair is compared, each in constant time; no
 * secret or an empty one matches nothing. `keyOf`: what of a secret is the key; its text unless given.
 */
export function isSigned(
  given: readonly string[],
  encoding: HmacEncoding,
  secrets: readonly string[],
  parts: readonly (string | Uint8Array)[],
  keyOf: (secret: string) => Uint8Array = Buffer.from,
): boolean {
  const form = encoding === 'hex' ? /^[0-9a-f]{64}$/i : /^[A-Za-z0-9+/]{43}=$/;
  const signatures = given.filter((text) => form.test(text)).slice(0, 10);
  let right = false;
  for (const secret of secrets) {
    const key = keyOf(secret);
    if (key.length === 0) continue;
    const expected = hmac(key, parts);
    for (const text of signatures) {
      const bytes = Buffer.from(text, encoding);
      if (bytes.length === expected.length && timingSafeEqual(bytes, expected)) right = true;
    }
  }
  return right;
}

/** Whether a token that somebody sent is one of the secrets, in constant time. */
export const isToken = (given: string | undefined, secrets: readonly string[]): boolean => {
  if (given === undefined || given === '') return false;
  const digest = hmac('compare', [given]);
  return secrets.filter((secret) => secret !== '' && timingSafeEqual(digest, hmac('compare', [secret]))).length > 0;
};
