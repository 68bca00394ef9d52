import { createHash } from 'node:crypto';

/**
 * A digest of what people read in a text: letters and digits alone, so that a tracker may rewrite markup, line ends and
 * spaces without that looking like an edit.
 */
export const digest = (text: string): string =>
  createHash('sha256')
    .update(
      text
        .normalize('NFC')
        .replace(/[^\p{L}\p{N}]+/gu, ' ')
        .trim(),
    )
    .digest('base64url')
    .slice(0, 22);

/** Whether what is there now is something else than what was written; false where nothing was. */
export const differs = (written: string | undefined, now: string): boolean =>
  written !== undefined && written !== digest(now);

/** A UUID made of a marker: the same one every time. Version 4 in form, for trackers that ask for that. */
export function uuidOf(marker: string): string {
  const bytes = createHash('sha256').update(`atlas-automation:${marker}`).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
