import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';

export const ROOT = path.resolve(import.meta.dirname, '..');

/** The text of a file, or undefined where there is none. */
export function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** Changes with every file of the project that fits one of the patterns, and with `more`. */
export function fingerprint(patterns: readonly string[], more = ''): string {
  const hash = createHash('sha256').update(more);
  for (const file of globSync(patterns, { cwd: ROOT }).toSorted())
    hash.update(`\0${file}\0`).update(textOf(path.join(ROOT, file)) ?? '');
  return hash.digest('hex').slice(0, 32);
}
