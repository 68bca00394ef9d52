import * as z from 'zod';
import { AtlasCredentialsSecret, BaseUrl, EventBus, ReportBucket, StateTable } from '../../lib/runtime/environment.ts';

/** The deployed environment of both functions: read by the handlers, and the type the stack must satisfy. */
export const Config = z.object({
  MONGODB_ATLAS_BASE_URL: BaseUrl,
  EVENT_BUS: EventBus,
  STATE_TABLE: StateTable,
  /** An account of its own, Organization Owner: migrations can be started and cut over by nothing less. */
  ATLAS_CREDENTIALS_SECRET: AtlasCredentialsSecret,
  /** Without it plans and timelines are answered, and not kept as pages. */
  REPORT_BUCKET: ReportBucket.optional(),
});

/** The tag an account's policies can forbid the rotation of a secret by; its value is the run that uses the secret. */
export const IN_USE_TAG = 'atlas-automation:in-use-by';

/** The `migration` section of the settings file. */
export const MigrationSettings = z.strictObject({
  /** How old a plan, and its validation, may be when the migration starts, in minutes. */
  planMinutes: z.int().min(5).max(60).default(60),
  /** How long a validation may stay without an answer, in minutes. */
  validationMinutes: z.int().min(1).max(120).default(30),
  /** How long to look for a start whose answer was lost before it counts as never carried out, in minutes. */
  startPatienceMinutes: z.int().min(5).max(240).default(15),
  /** The lag a cutover is asked for with: at most so many seconds, at so many polls in a row. */
  lagGateSeconds: z.int().min(1).max(600).default(30),
  lagGatePolls: z.int().min(2).max(60).default(5),
  /** How long Atlas waits for a cutover from the moment a migration is ready, in hours. */
  cutoverWindowHours: z.int().min(24).max(240).default(120),
  /** What a cutover takes at the most: with less time left than this none is begun, in minutes. */
  finalisationMinutes: z.int().min(5).max(240).default(30),
  /** How long an approval may wait to be given, in minutes. */
  approvalMinutes: z
    .int()
    .min(5)
    .max(24 * 60)
    .default(120),
  /** How old the destination's newest snapshot may be before its data is dropped, in hours. */
  freshSnapshotHours: z.int().min(1).max(168).default(24),
  /** Seconds between two looks: while it copies, once it is ready, during the cutover, and after it. */
  pollSeconds: z
    .strictObject({
      copying: z.int().min(10).max(900).default(300),
      ready: z.int().min(10).max(300).default(60),
      cuttingOver: z.int().min(5).max(300).default(30),
      /** Once it is cut over, until the destination has a snapshot again. */
      backingUp: z.int().min(60).max(3600).default(900),
    })
    .prefault({}),
  /** Origin of Cloud Manager's own API, for whether the source's agents are alive; not asked without. */
  cloudManagerBaseUrl: BaseUrl.optional(),
  /** Secrets Manager name of Cloud Manager's API key `{publicKey, privateKey}`. */
  cloudManagerCredentialsSecret: z.string().min(1).max(2048).optional(),
  /** The zone people read times in, beside UTC. */
  timeZone: z
    .string()
    .refine((zone) => isTimeZone(zone), 'must be an IANA time zone, such as Europe/Berlin')
    .default('UTC'),
  /** The oldest versions Atlas takes, by release series; what is not listed is too old. */
  sourceVersions: z.record(z.string().regex(/^\d+\.\d+$/), z.int().min(0)).default({ '6.0': 17, '7.0': 13, '8.0': 0 }),
});
export type MigrationSettings = z.output<typeof MigrationSettings>;

/** The part of the settings file both functions read. */
export const Settings = z.object({ migration: MigrationSettings.prefault({}) });

function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

const AtlasId = z.string().regex(/^[a-f0-9]{24}$/, 'must be 24 hexadecimal digits');
const Person = z.string().trim().min(1).max(200);
const Reason = z.string().trim().min(1).max(1000);
const Name = z.string().min(1).max(256);

/**
 * What is to be migrated. It holds no credentials, only the Secrets Manager name of them, and is what plans, validations
 * and approvals are bound to.
 */
export const MigrationRequest = z
  .strictObject({
    orgId: AtlasId,
    source: z.strictObject({
      groupId: AtlasId,
      clusterName: Name,
      ssl: z.boolean(),
      caCertificatePath: Name.optional(),
      /** Whether Cloud Manager keeps the source's users; then no credentials are sent. */
      managedAuthentication: z.boolean(),
      /** Secrets Manager name or ARN of `{username, password}`, read when the migration is validated and started. */
      credentialsSecret: z.string().min(1).max(2048).optional(),
      /** Secrets Manager name or ARN of `{uri}`: with it the source itself is looked at, through the driver. */
      uriSecret: z.string().min(1).max(2048).optional(),
    }),
    destination: z.strictObject({
      groupId: AtlasId,
      clusterName: Name,
      hostnameSchemaType: z.enum(['PUBLIC', 'PRIVATE_LINK', 'VPC_PEERING']),
      privateLinkId: Name.optional(),
      /** Secrets Manager name or ARN of `{uri}`: with it, and the source's, what both hold is compared before a cutover. */
      uriSecret: z.string().min(1).max(2048).optional(),
    }),
    migrationHost: Name,
    /** The address the host comes from, as Atlas sees it: looked for on the project's access list. */
    migrationHostAddress: z.union([z.ipv4(), z.ipv6()]).optional(),
    /** Drops everything in the destination first. */
    dropDestinationData: z.boolean().default(false),
    sharding: z
      .strictObject({
        createSupportingIndexes: z.boolean(),
        shardingEntries: z.array(
          z.strictObject({
            database: Name,
            collection: Name,
            shardCollection: z.strictObject({
              key: z.array(z.record(z.string().min(1), z.literal([1, 'hashed']))).min(1),
            }),
          }),
        ),
      })
      .optional(),
    /** What to do around the migration, and to undo after it. */
    around: z
      .strictObject({
        pinFcvUntil: z.iso.datetime({ offset: true }).optional(),
        /** Ids of online archives to pause, and to resume after it: active ones only. */
        pauseOnlineArchives: z.array(AtlasId).default([]),
      })
      .prefault({}),
  })
  .superRefine(({ source, destination }, context) => {
    const problem = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
    if (source.managedAuthentication && source.credentialsSecret !== undefined)
      problem(['source', 'credentialsSecret'], 'must not be given with managedAuthentication');
    if (!source.managedAuthentication && source.credentialsSecret === undefined)
      problem(['source', 'credentialsSecret'], 'is needed without managedAuthentication');
    if (destination.hostnameSchemaType !== 'PRIVATE_LINK' && destination.privateLinkId !== undefined)
      problem(['destination', 'privateLinkId'], 'is for hostnameSchemaType PRIVATE_LINK');
  });
export type MigrationRequest = z.output<typeof MigrationRequest>;

/** A finding somebody answers for: until when, and why. What blocks can't be waived. */
const Waiver = z.strictObject({
  check: z.string().min(1),
  owner: Person,
  reason: Reason,
  expires: z.iso.datetime({ offset: true }),
});
export type Waiver = z.output<typeof Waiver>;

/** What only people can know: the check it answers, who says so, and what they say. */
const Attestation = z.strictObject({ check: z.string().min(1), by: Person, statement: Reason });
export type Attestation = z.output<typeof Attestation>;

const dryRun = z.boolean().default(false);
const RunId = z.string().regex(/^lm-[a-f0-9]{20}$/, 'must be the id a start answered with');

/** What `command-live-migration` takes, by `action`. Strict, so that a misspelt word is no order. */
export const Command = z.discriminatedUnion('action', [
  /** Checks everything, and starts nothing. The first time it asks Atlas to validate the source, unless `dryRun`. */
  z.strictObject({
    action: z.literal('plan'),
    request: MigrationRequest,
    waivers: z.array(Waiver).default([]),
    attestations: z.array(Attestation).default([]),
    requestedBy: Person,
    dryRun,
  }),
  /** Starts what was planned, once. */
  z.strictObject({
    action: z.literal('start'),
    planDigest: z.string().regex(/^[a-f0-9]{64}$/),
    requestedBy: Person,
    /** For `dropDestinationData`: the destination's name, typed again, and somebody else who agrees. */
    drop: z.strictObject({ clusterName: Name, approvedBy: Person }).optional(),
    dryRun,
  }),
  /** One migration, or all that are known, and where they stand. */
  z.strictObject({
    action: z.literal('status'),
    runId: RunId.optional(),
    /** Those that have ended, too. */
    ended: z.boolean().default(true),
    /** So many at a time; the answer's `next` goes here for those behind. */
    limit: z.int().min(1).max(200).default(50),
    after: RunId.optional(),
    dryRun,
  }),
  /** Says yes to the cutover that was asked for. */
  z.strictObject({
    action: z.literal('approve-cutover'),
    runId: RunId,
    /** From the event and the status: each is good for one answer, for one migration, for a while. */
    approvalId: z.string().min(1),
    planDigest: z.string().regex(/^[a-f0-9]{64}$/),
    approvedBy: Person,
    /** That applications write no longer to the source, and what was not migrated is dealt with. */
    confirms: z.strictObject({ writesStopped: z.literal(true), inventoryAccepted: z.literal(true) }),
    dryRun,
  }),
  z.strictObject({
    action: z.literal('reject-cutover'),
    runId: RunId,
    rejectedBy: Person,
    reason: Reason,
    /** No approval is asked for before; without it, as soon as the lag holds still again. */
    askAgainAt: z.iso.datetime({ offset: true }).optional(),
    dryRun,
  }),
  /** Stops looking after a migration; what runs in Atlas runs on, and can be cancelled in its user interface only. */
  z.strictObject({
    action: z.literal('abandon'),
    runId: RunId,
    requestedBy: Person,
    reason: Reason,
    /** That it does not run in Atlas: then its host and destination are free at once. */
    cancelledInAtlas: z.boolean().default(false),
    dryRun,
  }),
  /** Records that somebody extended the migration in Atlas's user interface, which the API does not show. */
  z.strictObject({
    action: z.literal('record-extension'),
    runId: RunId,
    recordedBy: Person,
    until: z.iso.datetime({ offset: true }),
    note: Reason,
    dryRun,
  }),
  /** Gives a migration whose start was lost the id it has in Atlas's user interface. */
  z.strictObject({
    action: z.literal('identify'),
    runId: RunId,
    liveMigrationId: AtlasId,
    identifiedBy: Person,
    dryRun,
  }),
  /** Checks the hash chain of a migration's record. */
  z.strictObject({ action: z.literal('verify-record'), runId: RunId, dryRun }),
]);
export type Command = z.output<typeof Command>;
export type CommandOf<Action extends Command['action']> = Extract<Command, { action: Action }>;

const asInstant = (text: string | undefined): Date | undefined => (text === undefined ? undefined : new Date(text));

/** A schedule's event: every migration that is due at its time. */
const Scheduled = z
  .object({ source: z.string(), 'detail-type': z.string(), time: z.iso.datetime({ offset: true }).optional() })
  .transform(({ time }) => ({ dryRun: false, runId: undefined, at: asInstant(time), waits: true }));
/** Looks once, at what is due at `at`, or now; at one migration, whether it is due or not. */
const ByHand = z
  .strictObject({ runId: RunId.optional(), at: z.iso.datetime({ offset: true }).optional(), dryRun })
  .transform(({ runId, dryRun, at }) => ({ runId, dryRun, at: asInstant(at), waits: false }));
export const WatchEvent = z.union([Scheduled, ByHand]);
export type WatchEvent = z.output<typeof WatchEvent>;
