import * as z from 'zod';

/** Goes up when a reader of older reports would misread a newer one. */
export const REPORT_SCHEMA_VERSION = 2;

const Instant = z.iso.datetime({ offset: true });
const Json = z.json();

/** Worst first. */
export const severities = ['critical', 'high', 'medium', 'low', 'info'] as const;
export const Severity = z.enum(severities);
export type Severity = z.output<typeof Severity>;

/** UNKNOWN says that something could not be read or is not told by Atlas: it never counts as a pass. */
export const statuses = ['FAIL', 'UNKNOWN', 'WARN', 'EXEMPT', 'NOT_APPLICABLE', 'PASS'] as const;
export const Status = z.enum(statuses);
export type Status = z.output<typeof Status>;

/**
 * What became of a finding since the last run: `new` was not there before, `changed` has another status than before,
 * `resolved` was open (FAIL, WARN or UNKNOWN) and no longer is, `gone` belongs to a cluster or project that is no more.
 */
export const changes = ['new', 'changed', 'unchanged', 'resolved', 'gone'] as const;
export const Change = z.enum(changes);
export type Change = z.output<typeof Change>;

/** Stands in an id where there is nothing to name: a finding of a whole project has no cluster. */
export const NOBODY = '-';

/** What one rule says about one cluster, project or organization. What to do about it is said once, with the rule. */
export const Finding = z.object({
  /** `<organization>/<project>/<cluster id>/<rule>`, with `-` for what it has none of. Names never make an identity. */
  id: z.string(),
  rule: z.string(),
  title: z.string(),
  status: Status,
  /** One sentence: why this status. */
  reason: z.string(),
  severity: Severity,
  organizationId: z.string(),
  projectId: z.string().nullable(),
  projectName: z.string().nullable(),
  clusterId: z.string().nullable(),
  clusterName: z.string().nullable(),
  /** What was seen, as JSON. Holds names that people chose: untrusted wherever it is shown. */
  evidence: z.record(z.string(), Json),
  /** SHA-256 of the resolved policy this was judged by, in hexadecimal. */
  policyDigest: z.string(),
  /** Since when the status is what it is about: survives runs that see the same, and runs that could not look. */
  firstSeen: Instant,
  /** When it was last judged on data read at that time. Older than the run where this run could not look. */
  lastSeen: Instant,
  change: Change,
  /** The status of the run before, where there was one. */
  previousStatus: Status.nullable(),
  /** The exception that holds it (EXEMPT), ends soon (WARN) or has ended (`expired`). */
  exemption: z
    .object({ name: z.string(), owner: z.string(), reason: z.string(), until: Instant, expired: z.boolean() })
    .nullable(),
});
export type Finding = z.output<typeof Finding>;

/** What charts and tables need of one cluster. */
export const ClusterSummary = z.object({
  organizationId: z.string(),
  projectId: z.string(),
  projectName: z.string(),
  clusterId: z.string(),
  clusterName: z.string(),
  kind: z.enum(['dedicated', 'flex', 'free', 'deleted']),
  /** The policy's recovery tier: `1`, `2`, `3` or `dev`. */
  tier: z.string(),
  instanceSize: z.string().nullable(),
  providers: z.array(z.string()),
  regions: z.array(z.string()),
  shards: z.int(),
  paused: z.boolean(),
  backupEnabled: z.boolean().nullable(),
  pitEnabled: z.boolean().nullable(),
  /** The live migration that pauses its snapshots. */
  migrationId: z.string().nullable(),
  /** The newest completed snapshot that is no fallback; null where there is none or it is not known. */
  newestSnapshotAt: Instant.nullable(),
  /** At the end of the run; never negative. */
  newestSnapshotAgeSeconds: z.number().nullable(),
  /** Hours between snapshots at the most often the schedule asks for; null without one. */
  intervalHours: z.number().nullable(),
  schedule: z.array(
    z.object({
      frequencyType: z.string(),
      frequencyInterval: z.number().nullable(),
      retentionUnit: z.string().nullable(),
      retentionValue: z.number().nullable(),
      retentionDays: z.number().nullable(),
    }),
  ),
  /** Stretches of the last 14 days without a usable snapshot, longer than twice the interval. Epoch seconds. */
  gaps: z.array(z.object({ from: z.number(), to: z.number() })),
  /** Snapshots of the last 14 days, oldest first, the 100 youngest at most. Epoch seconds, to be short. */
  snapshots: z.array(z.object({ at: z.number(), kind: z.enum(['completed', 'fallback', 'failed', 'onDemand']) })),
  /** Status by rule, for tables that need no evidence. */
  statuses: z.record(z.string(), Status),
  /** 0 to 100: severity-weighted share of passed rules; UNKNOWN counts as failed, NOT_APPLICABLE and EXEMPT not at all. */
  score: z.number(),
});
export type ClusterSummary = z.output<typeof ClusterSummary>;

const Unreadable = z.object({
  projectId: z.string(),
  projectName: z.string().nullable(),
  clusterId: z.string().nullable(),
  clusterName: z.string().nullable(),
  /** Which read failed: an operationId. */
  operation: z.string(),
  /** `forbidden`, `throttled`, `unavailable`, `auth-capacity`, `contract`, `time`, `unexpected`. */
  cause: z.string(),
  reason: z.string(),
});
export type Unreadable = z.output<typeof Unreadable>;

/** What the report is about, and what it is not about although it should be. */
export const Coverage = z.object({
  /** False where the list of projects itself could not be read to its end. */
  projectListComplete: z.boolean(),
  projects: z.int(),
  projectsRead: z.int(),
  clusters: z.int(),
  /** Clusters of which everything the policy asks for could be read. */
  clustersRead: z.int(),
  /** Atlas's own clusters (internalClusterRole), left out on purpose. */
  excludedInternal: z.int(),
  /** Clusters read of clusters known, 0 to 100, with two decimals and rounded down: 100 is all of them. */
  percent: z.number(),
  unreadable: z.array(Unreadable),
});
export type Coverage = z.output<typeof Coverage>;

const Count = z.record(z.string(), z.int());

export const Totals = z.object({
  findings: z.int(),
  byStatus: Count,
  /** FAIL only. */
  bySeverity: Count,
  /** `byRule['BK-08']['FAIL']`. */
  byRule: z.record(z.string(), Count),
  /** Clusters by the policy's tier, with their mean score. */
  byTier: z.record(z.string(), z.object({ clusters: z.int(), score: z.number() })),
  byChange: Count,
  /** Mean score of all clusters, 0 to 100. */
  score: z.number(),
});
export type Totals = z.output<typeof Totals>;

/** `partial`: something could not be read, and the report says what. `failed`: nothing could be judged. */
export const ExitState = z.enum(['complete', 'partial', 'failed']);
export type ExitState = z.output<typeof ExitState>;

/** Everything but the lists. */
export const ReportHead = z.object({
  schemaVersion: z.literal(REPORT_SCHEMA_VERSION),
  runId: z.string(),
  mode: z.enum(['full', 'evidence']),
  organization: z.object({ id: z.string(), name: z.string().nullable() }),
  startedAt: Instant,
  finishedAt: Instant,
  /** By `finishedAt` of the run it was compared with. */
  previousRunId: z.string().nullable(),
  policy: z.object({ name: z.string(), profile: z.string(), digest: z.string() }),
  /** Every rule there is, once. */
  rules: z.array(
    z.object({
      id: z.string(),
      title: z.string(),
      severity: Severity,
      motive: z.string(),
      evidence: z.string(),
      remedy: z.string(),
    }),
  ),
  coverage: Coverage,
  exitState: ExitState,
  totals: Totals,
  /** Requests to Atlas, waits in milliseconds, and how long it took. */
  cost: z.object({ calls: z.int(), retries: z.int(), throttled: z.int(), waitedMs: z.number(), tookMs: z.number() }),
});
export type ReportHead = z.output<typeof ReportHead>;

/** The JSON report. */
export const Report = ReportHead.extend({ clusters: z.array(ClusterSummary), findings: z.array(Finding) });
export type Report = z.output<typeof Report>;

/**
 * A report to read from front to back, as often as needed, without holding it all: 10,000 clusters have 250,000 findings.
 * Clusters come ordered by project id and cluster id, findings the same and then by rule.
 */
export interface ReportSource {
  readonly head: ReportHead;
  clusters(): AsyncIterable<ClusterSummary>;
  findings(): AsyncIterable<Finding>;
  /** The same as JSON, values with commas between them, where it is there already: nothing is read to be written again. */
  readonly text?: { clusters(): AsyncIterable<string>; findings(): AsyncIterable<string> };
}

/** One file of a report: its bytes are asked for once, and joined by whoever stores them. */
export interface OutputFile {
  /** `findings.csv`: unique within a report. */
  readonly name: string;
  readonly contentType: string;
  /** Never compressed, however large: for what is opened where it lies. */
  readonly isLeft?: boolean;
  body(): AsyncIterable<string>;
}

/** A report in hand, as a source. */
export const sourceOf = ({ clusters, findings, ...head }: Report): ReportSource => ({
  head,
  async *clusters() {
    yield* clusters;
  },
  async *findings() {
    yield* findings;
  },
});

/** What to do about a finding: the same for all of its rule. */
export function remediesOf({ rules }: ReportHead): (finding: Pick<Finding, 'rule'>) => string {
  const remedies = new Map(rules.map(({ id, remedy }) => [id, remedy]));
  return ({ rule }) => remedies.get(rule) ?? '';
}

/** Whether somebody should do something about it. */
export const isOpen = (status: Status): boolean => status === 'FAIL' || status === 'WARN' || status === 'UNKNOWN';
