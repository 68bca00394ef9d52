import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import type { Operation } from '../../../../lib/atlas/operations/define.ts';
import type { Sample } from './samples.ts';

const here = import.meta.dirname;
export const folder = path.join(here, '../../../../lib/atlas/operations');

/** One operation constant, with what its file says about it. */
export interface Declared {
  readonly op: Operation;
  readonly file: string;
  readonly name: string;
  readonly docs: string;
}

const IsOperation = z.object({ id: z.string(), method: z.string(), path: z.string(), repeat: z.string() });

async function everyOperation(): Promise<Declared[]> {
  const found: Declared[] = [];
  for (const file of globSync('*.ts', { cwd: folder }).toSorted()) {
    const source = readFileSync(path.join(folder, file), 'utf8');
    const comments = new Map(
      [...source.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\nexport const (\w+) = operation\(/g)].map(
        ([, text = '', name = '']) => [name, text.replaceAll(/\s*\n \* ?/g, ' ').trim()],
      ),
    );
    const module: Record<string, unknown> = await import(path.join(folder, file));
    for (const [name, value] of Object.entries(module)) {
      if (!IsOperation.safeParse(value).success) continue;
      found.push({ op: value as Operation, file, name, docs: comments.get(name) ?? '' });
    }
  }
  return found.toSorted((a, b) => a.op.path.localeCompare(b.op.path) || a.op.method.localeCompare(b.op.method));
}

/** Every operation of every file in the folder, by path and method. */
export const operations = await everyOperation();

type ByOperation<Item> = Readonly<Record<string, readonly Item[]>>;

interface ByHand {
  readonly samples: ByOperation<Sample>;
  readonly documentMistakes: ByOperation<string>;
  readonly undocumented: ByOperation<string>;
  readonly needed: ByOperation<string>;
}

async function everythingByHand(): Promise<ByHand> {
  const modules: Partial<ByHand>[] = [];
  for (const file of globSync('samples*.ts', { cwd: here }).toSorted())
    modules.push(await import(path.join(here, file)));
  const together = <Item>(parts: readonly (ByOperation<Item> | undefined)[]): ByOperation<Item> => {
    const all: Record<string, Item[]> = {};
    for (const [id, items] of parts.flatMap((part) => Object.entries(part ?? {}))) {
      all[id] = [...(all[id] ?? []), ...items];
    }
    return all;
  };
  return {
    samples: together(modules.map(({ samples }) => samples)),
    documentMistakes: together(modules.map(({ documentMistakes }) => documentMistakes)),
    undocumented: together(modules.map(({ undocumented }) => undocumented)),
    needed: together(modules.map(({ needed }) => needed)),
  };
}

/** What `samples.ts` and its siblings say, put together. */
export const byHand = await everythingByHand();

export const shared = fileURLToPath(new URL('../../../../../shared/atlas/', import.meta.url));
