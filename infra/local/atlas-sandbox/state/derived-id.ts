import { createHash } from 'node:crypto';

/** An id that follows from what it is derived from, so that nothing has to be kept for it. */
export function derivedId(...parts: readonly (string | number)[]): string {
  return createHash('sha256').update(parts.join('/')).digest('hex').slice(0, 24);
}

/** A whole number from 0 up to `below`, the same for the same parts. */
export function derivedNumber(below: number, ...parts: readonly (string | number)[]): number {
  return Number.parseInt(derivedId(...parts).slice(0, 8), 16) % below;
}
