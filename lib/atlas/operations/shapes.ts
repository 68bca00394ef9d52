import * as z from 'zod';

/** 24 hexadecimal digits: an organization, project, secret or any other Atlas object. */
export const ObjectId = z.string().regex(/^[0-9a-f]{24}$/i, 'must be 24 hexadecimal digits');
export const OrgId = ObjectId;
export const GroupId = ObjectId;

/** A cluster, dedicated or Flex, by its name: unique within the project, and never changed. */
export const ClusterName = z
  .string()
  .max(64)
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9-]*$/, 'must be letters, digits and hyphens, and start with a letter or digit');

/** A service account's public half. */
export const ClientId = z.string().regex(/^mdb_sa_id_[0-9a-f]{24}$/i, 'must be mdb_sa_id_ and 24 hexadecimal digits');

/** An instant as Atlas writes it (ISO 8601), handed on as a Date. */
export const Instant = z.iso.datetime({ offset: true }).transform((text) => new Date(text));

/**
 * A whole number that Atlas counts in 64 bits. Beyond 2^53 JavaScript rounds its last digits, which is no reason to
 * refuse the answer.
 */
export const Long = z.number();

/**
 * An enumeration of an answer: the values Atlas documents, and whatever else it says. It says undocumented ones today,
 * so a reader needs a branch for the rest.
 */
export const openEnum = <const Known extends string>(...known: readonly Known[]) =>
  z
    .string()
    .meta({ examples: [...known] })
    .transform((text): Known | (string & {}) => text);

export const CloudProvider = openEnum('AWS', 'AZURE', 'GCP');

/** Labels of a resource. */
export const Tags = z.array(z.object({ key: z.string(), value: z.string().nullish() }));

/** An instant to send: a Date, or ISO 8601 text with its zone, written as Atlas reads it. */
export const SentInstant = z.union([z.date(), Instant]).transform((date) => date.toISOString());

/** One piece of a path that may hold almost anything, but not what a server reads as "here" or "one up". */
export const Segment = z
  .string()
  .min(1)
  .regex(/^(?!\.{1,2}$)/, 'must not be . or ..');

/** How often snapshots are taken and how long they are kept, as Atlas shows it. */
export const BackupPolicyItem = z.object({
  id: ObjectId.nullish(),
  /** Lower case here; upper case in copy and extra-retention settings. */
  frequencyType: openEnum('hourly', 'daily', 'weekly', 'monthly', 'yearly', 'ondemand').nullish(),
  /** Hours between snapshots, a day of the week (1 is Monday) or of the month (40 is the last), or a month. */
  frequencyInterval: z.int().nullish(),
  retentionUnit: openEnum('days', 'weeks', 'months', 'years').nullish(),
  retentionValue: z.int().nullish(),
});
export type BackupPolicyItem = z.output<typeof BackupPolicyItem>;

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
