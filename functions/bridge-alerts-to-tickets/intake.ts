import { createHash } from 'node:crypto';
import { normalise } from './normalise.ts';
import type { Observation } from './observation.ts';
import { parseUntrusted } from './safe-json.ts';
import { isSigned, type Keyring } from './signature.ts';
import type { HttpAnswer, HttpEvent } from './webhook/contract.ts';

/** Atlas's own bodies have a few kilobytes, and a template's at most 16. */
export const MOST_BYTES = 256 * 1024;
/** Atlas nests three deep. */
const MOST_DEPTH = 32;

/** What a request came to, before anything was written. */
export type Intake =
  | { readonly kind: 'refused'; readonly status: 400 | 401 | 413; readonly reason: string }
  | { readonly kind: 'taken'; readonly observation: Observation };

/** The raw bytes of a request, or undefined where there are more than anybody sends. */
export function bytesOf({ body, isBase64Encoded }: HttpEvent, most: number): Buffer | undefined {
  const text = body ?? '';
  // Four characters of base64 hold three bytes; a letter holds at least one.
  if (text.length > (isBase64Encoded ? Math.ceil(most / 3) * 4 : most)) return undefined;
  const bytes = Buffer.from(text, isBase64Encoded ? 'base64' : 'utf8');
  return bytes.byteLength > most ? undefined : bytes;
}

/** One header, whatever the case of its name. */
export function headerOf({ headers }: HttpEvent, name: string): string | undefined {
  const exact = headers[name];
  if (exact !== undefined) return exact;
  const found = Object.keys(headers).find((key) => key.toLowerCase() === name);
  return found === undefined ? undefined : headers[found];
}

/**
 * Judges one request of Atlas: its size, then its signature, and only then its words. Pure, and the same for everybody
 * who is not Atlas.
 */
export function takeIn(event: HttpEvent, keyring: Keyring, now: number, staleMs: number): Intake {
  const bytes = bytesOf(event, MOST_BYTES);
  if (!bytes) return { kind: 'refused', status: 413, reason: 'too large' };
  if (!isSigned(bytes, headerOf(event, 'x-mms-signature'), keyring))
    return { kind: 'refused', status: 401, reason: keyring.length === 0 ? 'no key' : 'not signed' };
  const text = decode(bytes);
  const parsed = text === undefined ? { unsafe: 'not json' as const } : parseUntrusted(text, MOST_DEPTH);
  if ('unsafe' in parsed) return { kind: 'refused', status: 400, reason: parsed.unsafe };
  const observation = normalise(parsed.value, {
    announced: headerOf(event, 'x-mms-event'),
    now,
    digest: createHash('sha256').update(bytes).digest('hex'),
    via: 'webhook',
    staleMs,
  });
  return observation ? { kind: 'taken', observation } : { kind: 'refused', status: 400, reason: 'not an alert' };
}

const utf8 = new TextDecoder('utf-8', { fatal: true });
function decode(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** An answer without a word that would help anybody guess. */
export const answer = (statusCode: number): HttpAnswer => ({
  statusCode,
  headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
  body: '{}',
});
