import * as z from 'zod';

/** How far along an alert is, in the order in which one second's news counts. */
export const RANK = { open: 0, update: 1, acknowledged: 2, over: 3 } as const;

/** Where an alert stands: the newest instant it names, and what it says about that instant. */
export const Version = z.object({ at: z.number(), rank: z.number() });
export type Version = z.output<typeof Version>;

/** Whether `a` is news to somebody who knows `b`. */
export const isNewer = (a: Version, b: Version): boolean => a.at > b.at || (a.at === b.at && a.rank > b.rank);

const text = (most: number) => z.string().max(most);

/** What an alert is about: names as its sender wrote them, cut to length; untrusted wherever they are shown. */
export const Subject = z.object({
  /** The event type, such as `OUTSIDE_METRIC_THRESHOLD` or `NO_PRIMARY`. */
  type: text(120),
  projectId: text(64).optional(),
  orgId: text(64).optional(),
  clusterName: text(120).optional(),
  clusterId: text(64).optional(),
  replicaSet: text(120).optional(),
  host: text(255).optional(),
  /** The name people know the host by. */
  hostAlias: text(255).optional(),
  metric: text(120).optional(),
  value: z.number().optional(),
  units: text(40).optional(),
  alertConfigId: text(64).optional(),
  /** What the sender says to people. Never used to tell one alert from another. */
  sentence: text(2_000).optional(),
});
export type Subject = z.output<typeof Subject>;

/**
 * One thing heard about one alert, from whatever side: a webhook, the list of open alerts, or an event of this bundle.
 * This is what the queue carries, so nothing in it is secret.
 */
export const Observation = z.object({
  schema: z.literal(1),
  /** The alert: an Atlas id, or one derived from an event of the bundle. A condition that comes back has a new one. */
  id: z.string().min(1).max(200),
  /**
   * `open` covers every alert whose condition holds. `inform` has no end and never gets a ticket of its own. `unclear`:
   * what was signed does not say, so Atlas has to be asked.
   */
  state: z.enum(['open', 'closed', 'cancelled', 'inform', 'unclear']),
  version: Version,
  subject: Subject,
  createdAt: z.number().optional(),
  /** Until when somebody acknowledged it, and who, and with which words. */
  acknowledged: z.object({ until: z.number(), by: text(320).optional(), comment: text(400).optional() }).optional(),
  /** Where it was heard. `reconcile`: by looking, because nobody said so. */
  via: z.enum(['webhook', 'reconcile', 'event', 'look']),
  heardAt: z.number(),
  /** It is over already and is to have a ticket all the same, to be seen. */
  missed: z.boolean().optional(),
  /** Of the bytes it came in; empty where there were none. */
  digest: z.string(),
  /** Why Atlas must be asked before anything is believed. */
  doubt: z.enum(['stale', 'unclear', 'contradicted', 'inform']).optional(),
  /** Severity where the sender names one. */
  severity: z.enum(['critical', 'error', 'warning', 'info']).optional(),
  /** The incident it belongs to, where the sender knows: then nothing else groups it. */
  incident: z.string().max(2_000).optional(),
  /** Where people look at it; only https. */
  link: z.string().max(2_000).optional(),
});
export type Observation = z.output<typeof Observation>;
