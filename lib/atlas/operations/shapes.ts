import * as z from 'zod';

/** 24 hexadecimal digits: an organization, project, secret or any other Atlas object, as an answer names it. */
export const ObjectId = z.string().regex(/^[0-9a-f]{24}$/i, 'must be 24 hexadecimal digits');

/** The same to send: Atlas takes lower case alone. */
export const SentId = z.string().regex(/^[0-9a-f]{24}$/, 'must be 24 hexadecimal digits, in lower case');

/** An id to send that says whose it is, for whoever has to give it. */
export const idOf = (what: string) => SentId.describe(`${what} (24 hexadecimal digits)`);

export const OrgId = idOf('the organization’s id');
export const GroupId = idOf('the project’s id');

/** A cluster, dedicated or Flex, by its name: unique within the project, and never changed. */
export const ClusterName = z
  .string()
  .max(64)
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9-]*$/, 'must be letters, digits and hyphens, and start with a letter or digit')
  .describe('the cluster, by its name');

/** A service account's public half. */
export const ClientId = z
  .string()
  .regex(/^mdb_sa_id_[0-9a-f]{24}$/i, 'must be mdb_sa_id_ and 24 hexadecimal digits')
  .describe('the service account’s client id (mdb_sa_id_…)');

/** An instant as Atlas writes it (ISO 8601), handed on as a Date. */
export const Instant = z.iso.datetime({ offset: true }).transform((text) => new Date(text));

/**
 * A number of an answer. Atlas counts in 64 bits, and JavaScript's numbers round the last digits beyond 2^53; what is
 * declared as whole need not be. Neither is a reason to refuse the answer.
 */
export const Long = z.union([z.number(), z.bigint().transform(Number)]);

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

const WHEN = 'must be a Date, or ISO 8601 text with its zone';
/** An instant to send: a Date, or ISO 8601 text with its zone. */
export const SentDate = z.union(
  [z.date(), z.iso.datetime({ offset: true, error: WHEN }).transform((text) => new Date(text))],
  WHEN,
);
/** The same, written as Atlas reads it. */
export const SentInstant = SentDate.transform((date) => date.toISOString());

/** An address of either kind, to send. */
export const SentAddress = z.union([z.ipv4(), z.ipv6()], 'must be an IP address');

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
  frequencyInterval: Long.nullish(),
  retentionUnit: openEnum('days', 'weeks', 'months', 'years').nullish(),
  retentionValue: Long.nullish(),
});
export type BackupPolicyItem = z.output<typeof BackupPolicyItem>;

/** What a 204, or an answer nobody reads, becomes. */
export const Nothing = z.unknown().transform(() => undefined);

/** Query parameters of every list. Atlas answers 1 to 500 items a page, 100 unless asked. */
export const PageQuery = z.strictObject({
  pageNum: z.int().min(1).describe('which page, from 1 on').optional(),
  itemsPerPage: z.int().min(1).max(500).describe('how many to a page, 100 unless said').optional(),
  includeCount: z.boolean().describe('whether Atlas also counts them all').optional(),
});

/**
 * The envelope of every list. `totalCount` is an estimate and may be absent: the end of a list is a page without a
 * `next` link, nothing else.
 */
export const page = <Item extends z.ZodType>(item: Item) =>
  z.object({
    results: z.array(item),
    links: z.array(z.object({ rel: z.string(), href: z.string() })).nullish(),
    /** Only where `includeCount` asked for it. */
    totalCount: Long.nullish(),
  });
