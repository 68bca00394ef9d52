import { createHmac, timingSafeEqual } from 'node:crypto';
import * as z from 'zod';
import { parseJson } from '../../lib/runtime/json.ts';

/** The secrets webhooks may be signed with; during a change of secret both are good. */
export const Keyring = z
  .object({ current: z.string().min(1), previous: z.string().min(1).nullish() })
  .transform(({ current, previous }) => (previous ? [current, previous] : [current]));
export type Keyring = z.output<typeof Keyring>;

/** The keys in a secret's value, or none where there is no usable value: then every signature is refused. */
export const keyringOf = (text: string | undefined): Keyring =>
  (text === undefined ? undefined : Keyring.safeParse(parseJson(text)).data) ?? [];

/** Twenty bytes in base64, and nothing else: 27 letters, the last of which carries two unused bits, and the padding. */
const SIGNATURE = /^[A-Za-z0-9+/]{26}[AEIMQUYcgkosw048]=$/;

/**
 * Whether `signature` is the base64 of the HMAC-SHA-1 of exactly these bytes under one of the keys. Takes the same time
 * wherever two signatures differ, and for every key, whichever fits. No key, no signature: false.
 * Source: https://www.mongodb.com/docs/atlas/tutorial/webhook-integration/
 */
export function isSigned(body: Uint8Array, signature: string | undefined, keyring: Keyring): boolean {
  const wellFormed = signature !== undefined && SIGNATURE.test(signature);
  const given = Buffer.from(wellFormed ? signature : '', 'base64');
  let fits = false;
  for (const key of keyring) {
    const expected = createHmac('sha1', key).update(body).digest();
    // Where lengths differ the answer is no secret; the comparison still runs, on what has the right length.
    const same = timingSafeEqual(expected, given.length === expected.length ? given : Buffer.alloc(expected.length));
    fits ||= same && given.length === expected.length;
  }
  return fits;
}
