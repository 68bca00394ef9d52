import * as z from 'zod';
import { AtlasCredentialsSecret, BaseUrl, EventBus, ReportBucket, StateTable } from '../../lib/runtime/environment.ts';

/** The deployed environment of both functions: read by the handlers, and the type the stack must satisfy. */
export const Config = z.object({
  MONGODB_ATLAS_BASE_URL: BaseUrl,
  ATLAS_CREDENTIALS_SECRET: AtlasCredentialsSecret,
  STATE_TABLE: StateTable,
  REPORT_BUCKET: ReportBucket,
  EVENT_BUS: EventBus,
});
export type Config = z.output<typeof Config>;

const OrganizationId = z.string().regex(/^[0-9a-f]{24}$/, 'must be 24 hexadecimal digits, in lower case');
const ProjectId = OrganizationId;

export const formats = ['json', 'ndjson', 'csv', 'sarif', 'ocsf', 'asff', 'junit', 'html'] as const;

/** The `audit` section of the settings file. */
const AuditFields = z.strictObject({
  /**
   * The backup policy: the path of a YAML or JSON file beside the bundle, the YAML text itself, or the policy as an
   * object. Without one, the profile atlas-recommended as it is. Its problems are told when it is loaded, by path and line.
   */
  policy: z
    .union([z.string().min(1), z.record(z.string(), z.unknown())], 'must be a file, YAML text or a policy')
    .default({}),
  /** Only this organization; all the credentials reach unless given. */
  organization: OrganizationId.optional(),
  /** Calls to Atlas at a time. */
  sockets: z.int().min(1).max(400).default(100),
  /**
   * How a call that failed or was turned away is tried again. Unless told otherwise by Atlas after about 10, 20 and 40
   * seconds, each with jitter: an audit is in no hurry.
   */
  retry: z
    .strictObject({
      attempts: z.int().min(1).max(10).default(4),
      baseMs: z.int().min(1).max(60_000).default(10_000),
      maxMs: z.int().min(1).max(300_000).default(40_000),
    })
    .prefault({}),
  /** After how many days everything is read again, whatever the events say. */
  fullEveryDays: z.number().min(0).max(31).default(7),
  /** What a report is written as. */
  formats: z
    .array(z.enum(formats))
    .min(1)
    .default([...formats]),
  /** How many findings a run tells the bus of as opened, worst first; the rest are told by later runs. */
  mostOpenedPerRun: z.int().min(0).max(10_000).default(500),
  /** Imports findings into Security Hub of this account and region, once the report is stored. */
  securityHub: z
    .strictObject({
      accountId: z.string().regex(/^\d{12}$/, 'must be the 12 digits of an AWS account'),
      region: z.string().min(1),
      /** `aws` for nearly everybody. */
      partition: z.string().min(1).default('aws'),
    })
    .optional(),
  /**
   * Audits in pieces, side by side: for more clusters than one invocation gets through in its 15 minutes, for many
   * organizations, or so that what fails in one piece is the business of that piece alone.
   */
  distributed: z
    .strictObject({
      enabled: z.boolean().default(false),
      /** Clusters a piece has, about; there are never more than 80 pieces, since each of them mints a token of Atlas. */
      clustersPerChunk: z.int().min(1).max(20_000).default(2_000),
      /** Pieces at a time; times `sockets`, that is how many calls Atlas gets at once. */
      maxConcurrency: z.int().min(1).max(40).default(4),
      /** Percent of the pieces that may fail before the others are called off; what did not come back counts as not read. */
      toleratedFailurePercent: z.int().min(0).max(100).default(25),
    })
    .prefault({}),
  remediation: z
    .strictObject({
      /** Clusters one run changes at the most. */
      mostClusters: z.int().min(1).max(100).default(10),
      /** How long an approved plan may be applied, in hours. */
      planLastsHours: z.number().min(0.1).max(168).default(24),
    })
    .prefault({}),
});

/** Calls at a time, all pieces together: what the published limits of an organization leave room for. */
const MOST_CALLS_AT_ONCE = 800;

export const AuditSettings = AuditFields.refine(
  ({ sockets, distributed: { enabled, maxConcurrency } }) => !enabled || sockets * maxConcurrency <= MOST_CALLS_AT_ONCE,
  { path: ['distributed', 'maxConcurrency'], error: `times sockets must be at most ${MOST_CALLS_AT_ONCE}` },
);
export type AuditSettings = z.output<typeof AuditSettings>;

/** The part of the settings file these functions read. */
export const Settings = z.object({ audit: AuditSettings.prefault({}) });

export type AuditRequest =
  | {
      readonly action: 'audit';
      readonly dryRun: boolean;
      readonly mode: 'auto' | 'full' | 'evidence';
      readonly organization?: string | undefined;
      /** Forgets a run that was not finished instead of going on with it. */
      readonly anew: boolean;
    }
  | { readonly action: 'explain'; readonly cluster: string }
  | {
      readonly action: 'plan';
      readonly mode: 'auto' | 'full' | 'evidence';
      readonly organization?: string | undefined;
      readonly anew: boolean;
    }
  | { readonly action: 'chunk'; readonly organizationId: string; readonly runId: string; readonly chunk: number }
  | { readonly action: 'merge'; readonly organizationId: string; readonly runId: string };

/** A schedule's event: for real, and full whenever it is time. */
const Scheduled = z
  .object({ source: z.string(), 'detail-type': z.string() })
  .transform((): AuditRequest => ({ action: 'audit', dryRun: false, mode: 'auto', anew: false }));

/** Strict, so that a misspelt `dryRun` is no real run. */
const ByHand = z
  .strictObject({
    action: z.literal('audit').default('audit'),
    /** Says what the report would say and writes nothing. */
    dryRun: z.boolean().default(false),
    mode: z.enum(['auto', 'full', 'evidence']).default('auto'),
    organization: OrganizationId.optional(),
    anew: z.boolean().default(false),
  })
  .transform((request): AuditRequest => request);

const Explain = z
  .strictObject({
    action: z.literal('explain'),
    /** `<project>/<cluster>`, each by id or name. */
    cluster: z.string().regex(/^[^/]+\/[^/]+$/, 'must be <project>/<cluster>'),
  })
  .transform((request): AuditRequest => request);

/** The three below are what the state machine says: the pieces of one run. */
const Plan = z
  .strictObject({
    action: z.literal('plan'),
    mode: z.enum(['auto', 'full', 'evidence']).default('auto'),
    organization: OrganizationId.optional(),
    anew: z.boolean().default(false),
  })
  .transform((request): AuditRequest => request);

const RunId = z.string().regex(/^[\w-]{1,100}$/, 'must be the id of a run');

const Chunk = z
  .strictObject({
    action: z.literal('chunk'),
    organizationId: OrganizationId,
    runId: RunId,
    chunk: z.int().min(1).max(99_999),
  })
  .transform((request): AuditRequest => request);

const Merge = z
  .strictObject({ action: z.literal('merge'), organizationId: OrganizationId, runId: RunId })
  .transform((request): AuditRequest => request);

export const AuditEvent = z.union([Scheduled, Explain, Plan, Chunk, Merge, ByHand]);

const Digest = z.string().regex(/^[0-9a-f]{64}$/, 'must be the digest of a plan');
const Person = z.string().min(1).max(200);

export const RemediateEvent = z.discriminatedUnion('action', [
  z.strictObject({
    action: z.literal('plan'),
    /** Who asks: somebody else has to approve. */
    requestedBy: Person.default('unknown'),
    organization: OrganizationId.optional(),
    /** Only these projects. */
    projects: z.array(ProjectId).min(1).optional(),
    /** Only these clusters, by name. */
    clusters: z.array(z.string().min(1)).min(1).optional(),
    dryRun: z.boolean().default(false),
  }),
  z.strictObject({
    action: z.literal('apply'),
    planDigest: Digest,
    approvedBy: Person,
    dryRun: z.boolean().default(false),
  }),
]);
export type RemediateEvent = z.output<typeof RemediateEvent>;
