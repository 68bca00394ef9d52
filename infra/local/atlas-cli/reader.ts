import { catalogue } from '../../../lib/atlas/catalogue.ts';
import type { Operation } from '../../../lib/atlas/operations/define.ts';

const namesIn = (path: string): string[] => [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '');

const isBelow = (path: string, above: string): boolean =>
  path.startsWith(above) && /^[/:]/.test(path.slice(above.length));

/** A read that shows what an operation would change. */
export interface Reader {
  readonly op: Operation;
  /** False where it shows only something around it. */
  readonly exact: boolean;
}

/**
 * The read an operation names itself; else the one of the same path; else the nearest above it, of one thing rather than
 * of everything there is.
 */
export function readerFor(op: Operation): Reader | undefined {
  const named = op.shows === undefined ? undefined : catalogue.get(op.shows);
  if (named) return { op: named, exact: true };
  const reads = [...catalogue.values()].filter(({ method }) => method === 'GET');
  const same = reads.find(({ path }) => path === op.path);
  if (same) return { op: same, exact: true };
  const [above] = reads
    .filter(({ path }) => isBelow(op.path, path) && namesIn(path).length > 0)
    .toSorted((a, b) => b.path.length - a.path.length);
  return above && { op: above, exact: false };
}

/** The part of an operation's parameters its reader takes. */
export const paramsFor = (reader: Operation, params: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(namesIn(reader.path).map((name) => [name, params[name]]));
