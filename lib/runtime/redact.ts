/** Keys whose value is a secret wherever they stand; compared without case, `_` and `-`. */
const SECRET_KEYS = new Set([
  'accesstoken',
  'apikey',
  'authorization',
  'clientsecret',
  'connectionstring',
  'cookie',
  'password',
  'privatekey',
  'rotationtoken',
  'secret',
  'secretstring',
]);

/** What a secret looks like wherever it stands: Atlas secrets, OAuth and JWT tokens, credentials in headers and URLs. */
const SECRET_TEXT = [
  /mdb_sa_sk_[\w.~+/=-]+/g,
  /\b(?:Bearer|Basic|Digest)\s+[\w.~+/=-]{8,}/gi,
  /\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?/g,
  /(?<=:\/\/)[^\s/@:]+:[^\s/@]+(?=@)/g,
];

export const REDACTED = '[redacted]';

/** Text with everything in it that looks like a secret replaced. */
export const redactText = (text: string): string =>
  SECRET_TEXT.reduce((clean, pattern) => clean.replace(pattern, REDACTED), text);

/**
 * A replacer for JSON.stringify: drops values whose key names a secret, and whatever looks like one in any text. The
 * last net, not the first: facts are chosen so that it has nothing to catch.
 */
export function redact(key: string, value: unknown): unknown {
  if (value !== null && value !== undefined && SECRET_KEYS.has(key.toLowerCase().replace(/[-_]/g, ''))) return REDACTED;
  return typeof value === 'string' ? redactText(value) : value;
}
