import * as z from 'zod';
import { invalidAttribute } from './request-body.ts';

const DEFAULT_PAGE = 100;
/** Where links lead whatever host was asked. Not here: who follows a link's host is found out. */
const LINKED_ORIGIN = 'https://cloud.mongodb.com';
const wholeNumber = z.string().regex(/^\d+$/).transform(Number);

const pageQuery = z.object({
  pageNum: wholeNumber.pipe(z.number().min(1)).default(1),
  itemsPerPage: wholeNumber.pipe(z.number().min(1).max(500)).default(DEFAULT_PAGE),
  includeCount: z.stringbool({ truthy: ['true'], falsy: ['false'] }).default(true),
});

interface Link {
  readonly href: string;
  readonly rel: string;
}

interface Page {
  readonly links: Link[];
  readonly results: unknown[];
  readonly totalCount?: number;
}

/** Refuses pages larger than this sandbox gives, where it gives smaller ones than Atlas; the default shrinks too. */
export function withinPageSize(url: URL, max: number): URL {
  const asked = url.searchParams.get('itemsPerPage');
  if (asked !== null && Number(asked) > max) throw invalidAttribute('itemsPerPage');
  if (asked !== null || max >= DEFAULT_PAGE) return url;
  const shrunk = new URL(url);
  shrunk.searchParams.set('itemsPerPage', String(max));
  return shrunk;
}

/**
 * The page of `items` the query asks for. A full page links to a next one even when that one will be empty:
 * Atlas decides by the page, not by the count.
 */
export function paginate<T>(url: URL, items: readonly T[], render: (item: T) => unknown): Page {
  const query = pageQuery.safeParse(Object.fromEntries(url.searchParams));
  if (!query.success) throw invalidAttribute(String(query.error.issues[0]?.path[0]));
  const { pageNum, itemsPerPage, includeCount } = query.data;
  const link = (rel: string, page: number): Link => {
    const href = new URL(url.pathname + url.search, LINKED_ORIGIN);
    href.searchParams.set('includeCount', String(includeCount));
    href.searchParams.set('pageNum', String(page));
    href.searchParams.set('itemsPerPage', String(itemsPerPage));
    return { href: href.href, rel };
  };
  const results = items.slice((pageNum - 1) * itemsPerPage, pageNum * itemsPerPage).map(render);
  return {
    links: [
      link('self', pageNum),
      ...(pageNum > 1 ? [link('previous', pageNum - 1)] : []),
      ...(results.length === itemsPerPage ? [link('next', pageNum + 1)] : []),
    ],
    results,
    ...(includeCount && { totalCount: items.length }),
  };
}
