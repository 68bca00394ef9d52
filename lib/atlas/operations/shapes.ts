import * as z from 'zod';

/** 24 hexadecimal digits: an organization, project, secret or any other Atlas object. */
export const ObjectId = z.string().regex(/^[0-9a-f]{24}$/i, 'must be 24 hexadecimal digits');
export const OrgId = ObjectId;
export const GroupId = ObjectId;

/** A service account's public half. */
export const ClientId = z.string().regex(/^mdb_sa_id_[0-9a-f]{24}$/i, 'must be mdb_sa_id_ and 24 hexadecimal digits');

/** An instant as Atlas writes it (ISO 8601), handed on as a Date. */
export const Instant = z.iso.datetime({ offset: true }).transform((text) => new Date(text));

/** What a 204, or an answer nobody reads, becomes. */
export const Nothing = z.unknown().transform(() => undefined);

/** Query parameters of every list. Atlas answers 1 to 500 items a page, 100 unless asked. */
export const PageQuery = z.object({
  pageNum: z.int().min(1).optional(),
  itemsPerPage: z.int().min(1).max(500).optional(),
  includeCount: z.boolean().optional(),
});

/**
 * The envelope of every list. `totalCount` is an estimate and may be absent: the end of a list is a page without a
 * `next` link, nothing else.
 */
export const page = <Item extends z.ZodType>(item: Item) =>
  z.object({
    results: z.array(item),
    links: z.array(z.object({ rel: z.string(), href: z.string() })).nullish(),
  });
