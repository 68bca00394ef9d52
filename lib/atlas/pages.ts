import type * as z from 'zod';
import type { Deadline } from '../runtime/deadline.ts';
import { type AtlasClient, type Input, pathIn, prepare, type Result } from './client.ts';
import { AtlasContractBroken } from './errors.ts';
import type { Operation } from './operations/define.ts';

interface Page<Item> {
  readonly results: readonly Item[];
  readonly links?: readonly { readonly rel: string; readonly href: string }[] | null | undefined;
}

/** An operation that answers page by page. */
export type ListOperation = Operation & { readonly response: z.ZodType<Page<unknown>> };

type Item<Op extends ListOperation> = Result<Op> extends Page<infer Each> ? Each : never;

/** Pages without an item in a row after which a list is taken to have no end. */
const MOST_EMPTY_PAGES = 100;

/**
 * Every item of a list, fetched page by page as they are asked for; stop early by leaving the loop. Ends only where
 * Atlas gives no further link, and throws on any page that can't be read: a partial list is not an absence.
 * Asks for pages of 500, the largest there are, unless told otherwise.
 */
export function pages<Op extends ListOperation>(
  client: Pick<AtlasClient, 'call' | 'follow'>,
  op: Op,
  input: Input<Op>,
  deadline?: Deadline,
): AsyncGenerator<Item<Op>, void, undefined>;
export async function* pages(
  client: Pick<AtlasClient, 'call' | 'follow'>,
  op: ListOperation,
  input: Input<ListOperation> & { readonly query?: Record<string, unknown> },
  deadline?: Deadline,
): AsyncGenerator<unknown, void, undefined> {
  const first = { ...input, query: { itemsPerPage: 500, ...input.query } };
  const seen = new Set([prepare(op, first).path]);
  let page = await client.call(op, first, deadline);
  for (let empty = 0; empty < MOST_EMPTY_PAGES; empty = page.results.length === 0 ? empty + 1 : 0) {
    yield* page.results;
    const next = page.links?.find((link) => link.rel === 'next')?.href;
    if (next === undefined) return;
    const path = pathIn(op, next, 'https://cloud.mongodb.com');
    if (seen.has(path)) {
      throw new AtlasContractBroken(`${op.id} leads back to a page it already gave`, { operation: op.id });
    }
    seen.add(path);
    page = await client.follow(op, next, deadline);
  }
  throw new AtlasContractBroken(`${op.id} goes on without giving anything`, { operation: op.id });
}
