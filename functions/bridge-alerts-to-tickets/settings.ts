import * as z from 'zod';
import { Destination } from '../../lib/tickets/destination.ts';
import { severities } from '../../lib/tickets/tickets.ts';
import { placeholdersIn, unknownPlaceholders } from './template.ts';
import { StaleAfterSeconds } from './webhook/contract.ts';

const name = z.string().min(1).max(80);
const Severity = z.enum(severities);
/** Letters with `*` for any number of them; upper and lower case are the same. */
const Globs = z.array(z.string().min(1).max(200)).min(1);

/** Which alerts something is about. Everything given must hold; nothing given holds for all. */
export const Match = z.strictObject({
  projects: Globs.optional(),
  clusters: Globs.optional(),
  hosts: Globs.optional(),
  types: Globs.optional(),
  metrics: Globs.optional(),
  severities: z.array(Severity).min(1).optional(),
  /** Tags of the cluster, each with the value it must have. */
  tags: z.record(z.string(), z.string()).optional(),
  /** `atlas`: alerts. `bundle`: what this bundle's own functions report. */
  sources: z
    .array(z.enum(['atlas', 'bundle']))
    .min(1)
    .optional(),
});
export type Match = z.output<typeof Match>;

/** What makes two alerts one incident. Alerts of no cluster are always kept apart by type. */
export const GroupBy = z.enum(['project', 'cluster', 'type', 'metric', 'host', 'alertConfig', 'alert']);
export type GroupBy = z.output<typeof GroupBy>;

const Title = z
  .string()
  .min(1)
  .max(500)
  .refine((text) => unknownPlaceholders(text).length === 0, {
    error: ({ input }) => `has placeholders nobody fills: ${placeholdersIn(String(input)).join(', ')}`,
  });

const Route = z.strictObject({
  name,
  when: Match.prefault({}),
  /** Ids of destinations. None on purpose: no ticket, and the audit trail says why. */
  to: z.array(z.string()),
  /** Looks at the next routes, too, instead of ending here. */
  continue: z.boolean().default(false),
  groupBy: z.array(GroupBy).optional(),
  severity: Severity.optional(),
  title: Title.optional(),
});
export type Route = z.output<typeof Route>;

const Silence = z.strictObject({
  name,
  when: Match.prefault({}),
  from: z.iso.datetime({ offset: true }),
  until: z.iso.datetime({ offset: true }),
});

const time = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time such as 22:30');
const Weekday = z.enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']);

const isZone = (zone: string): boolean => {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: zone }) !== undefined;
  } catch {
    return false;
  }
};

/** Hours that come again. `end` before or at `start` is on the next day. */
const Window = z.strictObject({
  name,
  when: Match.prefault({}),
  zone: z.string().refine(isZone, 'must be a time zone such as Europe/Berlin'),
  /** Days on which it begins. */
  days: z.array(Weekday).min(1).default(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']),
  start: time,
  end: time,
});
export type Window = z.output<typeof Window>;

const seconds = (most: number) => z.int().min(0).max(most);

export const Policy = z.strictObject({
  /** How long an incident waits for more alerts before its ticket, in seconds. */
  groupWaitSeconds: seconds(300).default(2),
  /** Least time between two changes of one ticket that only add to it, in seconds. */
  groupIntervalSeconds: seconds(3_600).default(30),
  /** A condition that comes back within this time opens its ticket again, in seconds; later it gets a new one. */
  flapWindowSeconds: seconds(86_400).default(1_800),
  /** So many times within an hour is flapping: then a ticket stays open until it has been quiet. */
  flappingAfter: z.int().min(1).max(100).default(4),
  flappingQuietSeconds: seconds(86_400).default(900),
  /** What the end of an incident does to its ticket. */
  onResolve: z.enum(['close', 'comment']).default('close'),
  /** What somebody who closes a ticket means while its alert goes on: they know, or they were mistaken. */
  onPeopleClose: z.enum(['acknowledge', 'reopen-once']).default('acknowledge'),
  /** How long taking a ticket acknowledges the alert in Atlas, in hours. */
  acknowledgeHours: z.number().min(0.01).max(720).default(8),
  /** How long a ticket that people closed as not to be done keeps its incident quiet, in hours. */
  muteHours: z.number().min(0).max(8_760).default(24),
  /** Alerts listed in one ticket; the others are counted. */
  listedAlerts: z.int().min(1).max(500).default(50),
  /** Changes of one ticket in an hour, its opening not counted. What is more waits. */
  writesPerHour: z.int().min(1).max(3_600).default(30),
  /** How long the end of an alert is remembered, in days. */
  tombstoneDays: z.int().min(14).max(400).default(14),
  staleAfterSeconds: StaleAfterSeconds,
  /** An alert that began and ended while nobody told us: only the audit trail, or a ticket that says so. */
  onMissed: z.enum(['record', 'ticket']).default('record'),
  /** What a notice without an end does: a line in the incident's open ticket, or only the log. */
  onInform: z.enum(['comment', 'record']).default('comment'),
  /** How long a ticket waits for what Atlas can add to it, in milliseconds; later that comes as an edit. */
  enrichMs: z.int().min(0).max(10_000).default(1_500),
  /** Types that explain others of the same cluster: those get no ticket of their own while one of these is open. */
  inhibitors: Globs.default(['NO_PRIMARY', 'CLUSTER_HAS_NO_PRIMARY', 'CLUSTER_MONGOS_IS_MISSING']),
  inhibited: Globs.default([
    'HOST_*',
    'OUTSIDE_METRIC_THRESHOLD',
    'REPLICATION_OPLOG_WINDOW_RUNNING_OUT',
    'TOO_MANY_*',
  ]),
});
export type Policy = z.output<typeof Policy>;

/** The `tickets` section of the settings file. */
export const TicketSettings = z
  .strictObject({
    destinations: z.array(Destination).default([]),
    routes: z.array(Route).default([]),
    /** Where alerts go that no route takes. All destinations unless given. */
    fallback: z.array(z.string()).optional(),
    groupBy: z.array(GroupBy).min(1).default(['project', 'cluster']),
    title: Title.optional(),
    /** Severities by event type or metric, before the built-in table. */
    severities: z.record(z.string(), Severity).default({}),
    /** Pages to open first, by event type. */
    runbooks: z.record(z.string(), z.url({ protocol: /^https$/ })).default({}),
    /** What a destination takes, where that is not what its system documents. Of all its tickets together. */
    budgets: z
      .record(
        z.string(),
        z.strictObject({
          writesPerMinute: z.int().min(1),
          writesPerHour: z.int().min(1).optional(),
        }),
      )
      .default({}),
    silences: z.array(Silence).default([]),
    windows: z.array(Window).default([]),
    /** Projects whose alerts are looked at even before one of them was heard of. */
    projects: z.array(z.string().regex(/^[0-9a-f]{24}$/, 'must be a project id')).default([]),
    policy: Policy.prefault({}),
  })
  .superRefine((settings, context) => {
    const known = new Set(settings.destinations.map(({ id }) => id));
    const complain = (path: (string | number)[], message: string): void =>
      context.addIssue({ code: 'custom', path, message });
    for (const [section, names] of [
      ['destinations', settings.destinations.map(({ id }) => id)],
      ['routes', settings.routes.map((route) => route.name)],
      ['silences', settings.silences.map((silence) => silence.name)],
      ['windows', settings.windows.map((window) => window.name)],
    ] as const)
      for (const [index, each] of names.entries())
        if (names.indexOf(each) !== index) complain([section, index], `${each} is there twice`);
    for (const [index, { to }] of settings.routes.entries())
      for (const [place, id] of to.entries())
        if (!known.has(id)) complain(['routes', index, 'to', place], 'is not among the destinations');
    for (const [place, id] of (settings.fallback ?? []).entries())
      if (!known.has(id)) complain(['fallback', place], 'is not among the destinations');
    for (const id of Object.keys(settings.budgets))
      if (!known.has(id)) complain(['budgets', id], 'is not among the destinations');
    for (const [index, { from, until }] of settings.silences.entries())
      if (Date.parse(until) <= Date.parse(from)) complain(['silences', index, 'until'], 'must be after from');
  });
export type TicketSettings = z.output<typeof TicketSettings>;
