import * as z from 'zod';

/** The retentions CloudWatch Logs knows, in days. */
const LOG_RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
] as const;

export const STACK_NAME = 'atlas-automation';
export const AwsAccount = z.string().regex(/^\d{12}$/, 'must be the 12 digits of an AWS account');
export const AwsRegion = z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'must be an AWS region');
export const BucketName = z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be the name of a bucket');

const REGIONAL = String.raw`[a-z0-9-]+:\d{12}`;
export const KmsKeyArn = z
  .string()
  .regex(
    new RegExp(`^arn:aws[a-z-]*:kms:${REGIONAL}:key/[a-z0-9-]+$`),
    'must be the ARN of a KMS key (not of an alias)',
  );

/** How the CloudFormation stacks are called, where they go, and what holds for all functions in them. */
export const StackSettings = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9-]{0,113}$/, 'must be letters, digits and hyphens, and start with a letter')
      .default(STACK_NAME),
    /** The only account and region this may be deployed to; without them, those of the credentials at hand. */
    account: AwsAccount.optional(),
    region: AwsRegion.optional(),
    logRetentionDays: z
      .literal(LOG_RETENTION_DAYS, `must be one of ${LOG_RETENTION_DAYS.join(', ')}: CloudWatch Logs takes no other`)
      .default(90),
    tags: z
      .record(
        z.string().regex(/^(?!aws:)[\p{L}\p{Z}\p{N}_.:/=+@-]{1,128}$/iu, 'is not a tag name AWS takes'),
        z.string().regex(/^[\p{L}\p{Z}\p{N}_.:/=+@-]{0,256}$/u, 'is not a tag value AWS takes'),
      )
      .default({}),
    /**
     * Only code that was signed runs: the functions get this code-signing configuration, and their code from the bucket
     * that AWS Signer writes to instead of from this machine.
     */
    codeSigning: z
      .strictObject({
        configArn: z
          .string()
          .regex(
            new RegExp(`^arn:aws[a-z-]*:lambda:${REGIONAL}:code-signing-config:csc-[a-z0-9]{17}$`),
            'must be the ARN of a code-signing configuration',
          ),
        bucket: BucketName,
        /** Before the names of the signed bundles in the bucket. */
        prefix: z.string().max(512).default(''),
      })
      .optional(),
  })
  .refine(({ account, region }) => (account === undefined) === (region === undefined), {
    path: ['region'],
    message: 'account and region go together',
  });

const most = z.int().min(1).max(1000);

/**
 * How many of a function run at once, at the most. Reserved, such a number is taken from the account's own, and an account
 * keeps 100 for everybody else: a new account has nothing to reserve. Nothing is reserved unless asked for.
 */
export const ConcurrencySettings = z.strictObject({
  /** Rotations: each may wait for Atlas's rate limit. Secrets Manager tries again what was throttled. */
  rotation: most.optional(),
  /** What takes alerts: ten requests a second each. A flood of strangers can't take the other functions' share. */
  alerts: most.optional(),
  /** The same of what takes the trackers' webhooks. */
  ticketUpdates: most.optional(),
  /** What delivers tickets: a limit of its queue, and so not reserved. It reads Atlas, and writes to trackers. */
  delivery: most.min(2).default(50),
});

/** When the functions run that nobody calls. */
export const ScheduleSettings = z
  .strictObject({
    /** How often all backups are audited, in hours. */
    auditEveryHours: z.int().min(1).max(165).default(24),
    /** The time of day of one of these audits, in the time zone: `03:30`. Without it, counted from the deployment. */
    auditAt: z
      .string()
      .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day, like 03:30')
      .optional(),
    /** An IANA time zone. */
    timeZone: z
      .string()
      .refine(
        (zone) => zone === 'UTC' || Intl.supportedValuesOf('timeZone').includes(zone),
        'must be a time zone, like Europe/Berlin',
      )
      .default('UTC'),
    /** Minutes by which AWS may put off the sweep and the audit, so that many deployments do not meet at Atlas. */
    flexibleMinutes: z.int().min(0).max(59).default(10),
  })
  .refine(({ auditAt, auditEveryHours }) => auditAt === undefined || 24 % auditEveryHours === 0, {
    path: ['auditEveryHours'],
    message: 'must be 1, 2, 3, 4, 6, 8, 12 or 24 with auditAt: the same times every day',
  })
  .refine(({ auditAt, timeZone }) => auditAt !== undefined || timeZone === 'UTC', {
    path: ['timeZone'],
    message: 'means something with auditAt alone',
  });
export type ScheduleSettings = z.output<typeof ScheduleSettings>;

/** AWS services with a private endpoint that the functions call. */
const PRIVATE = ['secretsmanager', 'sqs', 'events', 'logs', 'kms', 'ssm'] as const;

/** Fixed addresses towards the internet, for access lists in Atlas and elsewhere. Costs money by the hour. */
export const EgressSettings = z
  .strictObject({
    /** Of a network of its own. */
    cidr: z
      .string()
      .regex(
        /^(10|172|192)\.\d{1,3}\.\d{1,3}\.\d{1,3}\/(1[6-9]|2[0-4])$/,
        'must be a private IPv4 network of /16 to /24',
      )
      .default('10.90.0.0/24'),
    zones: z.int().min(1).max(3).default(2),
    /** A gateway, and so an address, in each of so many zones; the other zones go through these. */
    natGateways: z.int().min(1).max(3).default(1),
    /** Reached without the internet; S3 and DynamoDB always are, for nothing. */
    privateLink: z.array(z.enum(PRIVATE)).default([]),
    /** TCP ports towards the internet besides 443: sources of live migrations, say. */
    ports: z.array(z.int().min(1).max(65_535)).default([]),
  })
  .refine(({ zones, natGateways }) => natGateways <= zones, {
    path: ['natGateways'],
    message: 'must be at most zones',
  });
export type EgressSettings = z.output<typeof EgressSettings>;
