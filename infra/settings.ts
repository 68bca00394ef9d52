import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { AuditSettings } from '../functions/audit-snapshot-schedules/contract.ts';
import { Settings as BridgeSettings } from '../functions/bridge-alerts-to-tickets/contract.ts';
import { RotationSettings } from '../functions/rotate-service-account-secret/contract.ts';
import { MigrationSettings } from '../functions/start-live-migration/contract.ts';
import { ConfigError } from '../lib/errors.ts';
import type { FanOutTarget } from '../lib/fan-out/settings.ts';
import { BaseUrl } from '../lib/runtime/environment.ts';
import { problemsOf } from '../lib/runtime/problems.ts';
import { DataSettings } from './data-settings.ts';
import { SecretReference } from './secret-reference.ts';

/** The retentions CloudWatch Logs knows, in days. */
const LOG_RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
] as const;

/**
 * A function's resource policy holds 20 KB, and each managed secret takes about half of one for its permission to
 * invoke. More secrets want a second stack.
 */
const MOST_SECRETS = 30;

const KMS_KEY_ARN = /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[a-z0-9-]+$/;

/** What of a target ends up in a policy, and is not what it has to be there. */
function problemsInPolicy(target: FanOutTarget): [string, string][] {
  const secret = (key: string, text: string): [string, string][] =>
    SecretReference.safeParse(text).success
      ? []
      : [[key, 'must be the name or the complete ARN of a Secrets Manager secret']];
  const kmsKey = (key: string, arn: string | undefined): [string, string][] =>
    arn === undefined || KMS_KEY_ARN.test(arn) ? [] : [[key, 'must be the ARN of a KMS key (not of an alias)']];
  switch (target.type) {
    case 'secrets-manager':
      return [...secret('secret', target.secret), ...kmsKey('kmsKeyArn', target.kmsKeyArn)];
    case 'ssm':
      return kmsKey('kmsKeyArn', target.kmsKeyArn);
    case 'github-actions':
      return [...secret('tokenSecret', target.tokenSecret), ...kmsKey('tokenKmsKeyArn', target.tokenKmsKeyArn)];
    default:
      return [];
  }
}

/** What the stack asks of the rotation section beyond what the function does: its text ends up in policies. */
const Rotation = RotationSettings.superRefine(({ secrets }, context) => {
  const problem = (path: (string | number)[], message: string) => context.addIssue({ code: 'custom', path, message });
  if (secrets.length > MOST_SECRETS)
    problem(['secrets'], `must be at most ${MOST_SECRETS}: use a second stack for more`);
  const seen = new Set<string>();
  for (const [index, { secret, adminSecret, kmsKeyArn, fanOut }] of secrets.entries()) {
    for (const [nth, target] of fanOut.entries())
      for (const [key, message] of problemsInPolicy(target)) problem(['secrets', index, 'fanOut', nth, key], message);
    for (const [key, text] of Object.entries({ secret, adminSecret })) {
      const message = text === undefined ? undefined : SecretReference.safeParse(text).error?.issues[0]?.message;
      if (message !== undefined) problem(['secrets', index, key], message);
    }
    if (kmsKeyArn !== undefined && !KMS_KEY_ARN.test(kmsKeyArn))
      problem(['secrets', index, 'kmsKeyArn'], 'must be the ARN of a KMS key (not of an alias)');
    const name = SecretReference.safeParse(secret).data?.name;
    // The same text twice is found by the section's own schema; here, the same secret by name and by ARN.
    const twin =
      name !== undefined && seen.has(name) && !secrets.slice(0, index).some((other) => other.secret === secret);
    if (twin) problem(['secrets', index, 'secret'], 'is listed twice');
    if (name !== undefined) seen.add(name);
  }
});

const Alarms = z
  .strictObject({
    /**
     * An existing SNS topic in the same region, whose policy lets cloudwatch.amazonaws.com publish. Without one the
     * stack creates its own.
     */
    topicArn: z
      .string()
      .regex(/^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w-]{1,256}$/, 'must be the ARN of a standard SNS topic')
      .optional(),
    /** Subscribes this address to the topic the stack creates; AWS asks it for confirmation once. */
    email: z.email('must be an e-mail address').optional(),
  })
  .refine(({ topicArn, email }) => topicArn === undefined || email === undefined, {
    path: ['email'],
    message: 'is for the topic this stack creates: subscribe it to the topic of alarms.topicArn yourself',
  });

/** A secret by name or ARN, and the customer-managed key it lies under, if there is one. */
const ReadSecret = z.strictObject({
  secret: z.string().refine((text) => SecretReference.safeParse(text).success, {
    error: 'must be the name or the complete ARN of a Secrets Manager secret',
  }),
  kmsKeyArn: z.string().regex(KMS_KEY_ARN, 'must be the ARN of a KMS key (not of an alias)').optional(),
});

/**
 * The Atlas accounts the functions act as, each in a secret of its own, so that none can do more than it must. A function
 * without one is not deployed.
 */
const Credentials = z.strictObject({
  /** Reads every project: Organization Read Only, and Project Read Only where that does not reach. */
  audit: ReadSecret.optional(),
  /** Changes snapshot schedules: Project Backup Manager. */
  remediation: ReadSecret.optional(),
  /** Starts migrations and cuts them over: Organization Owner. */
  migration: ReadSecret.optional(),
  /** Acknowledges alerts: Project Alerts Manager; reads them only: Project Read Only. */
  tickets: ReadSecret.optional(),
  /** Lists all service accounts, for the daily report and for faster sweeps: Organization Read Only. */
  fleet: ReadSecret.optional(),
});

const Webhooks = z.strictObject({
  /** Holds `{"current": …, "previous": …}`: what Atlas signs its webhooks with. */
  atlas: ReadSecret.optional(),
});

const Schedules = z.strictObject({
  /** How often all backups are audited, in hours. */
  auditEveryHours: z.int().min(1).max(165).default(24),
});

const StackSettings = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9-]{0,127}$/, 'must be letters, digits and hyphens, and start with a letter')
      .default('atlas-automation'),
    /** The only account and region this may be deployed to; without them, those of the credentials at hand. */
    account: z
      .string()
      .regex(/^\d{12}$/, 'must be the 12 digits of an AWS account')
      .optional(),
    region: z
      .string()
      .regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'must be an AWS region')
      .optional(),
    logRetentionDays: z
      .literal(LOG_RETENTION_DAYS, `must be one of ${LOG_RETENTION_DAYS.join(', ')}: CloudWatch Logs takes no other`)
      .default(90),
    tags: z
      .record(
        z.string().regex(/^(?!aws:)[\p{L}\p{Z}\p{N}_.:/=+@-]{1,128}$/iu, 'is not a tag name AWS takes'),
        z.string().regex(/^[\p{L}\p{Z}\p{N}_.:/=+@-]{0,256}$/u, 'is not a tag value AWS takes'),
      )
      .default({}),
  })
  .refine(({ account, region }) => (account === undefined) === (region === undefined), {
    path: ['region'],
    message: 'account and region go together',
  });

/** The one settings file: everything a deployment decides. It holds names of secrets, never secrets. */
export const Settings = z.strictObject({
  atlas: z
    .strictObject({
      /** Origin of the Atlas API; for Atlas for Government, its own. */
      baseUrl: BaseUrl.refine((origin) => origin.startsWith('https:'), 'must be an https URL'),
      credentials: Credentials.prefault({}),
    })
    .prefault({}),
  rotation: Rotation.prefault({}),
  audit: AuditSettings.prefault({}),
  migration: MigrationSettings.extend({
    /** The secrets a request may name: sources' credentials and URIs. Nothing else is readable for one. */
    sourceSecrets: z.array(ReadSecret).default([]),
  }).prefault({}),
  tickets: BridgeSettings.shape.tickets,
  webhooks: Webhooks.prefault({}),
  schedules: Schedules.prefault({}),
  data: DataSettings,
  alarms: Alarms.prefault({}),
  stack: StackSettings.prefault({}),
});
export type Settings = z.output<typeof Settings>;

const readText = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    const problem = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`;
    throw new ConfigError(`The settings file ${file} ${problem}.`, [{ path: '(the whole)', problem }]);
  }
};

const parseJson = (file: string, text: string): unknown => {
  try {
    // Editors on Windows may put a byte order mark first.
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    // The parser's own message quotes the file: of it, only the place is passed on, and it is not kept as the cause.
    const place = /\(line \d+ column \d+\)/.exec(error instanceof Error ? error.message : '')?.[0];
    const problem = `is not valid JSON${place === undefined ? '' : ` ${place}`}`;
    throw new ConfigError(`The settings file ${file} ${problem}.`, [{ path: '(the whole)', problem }]);
  }
};

/** Reads and checks the settings file. Throws ConfigError with every problem at once; values are never quoted. */
export const loadSettings = (file: string): Settings => {
  const parsed = Settings.safeParse(parseJson(file, readText(file)));
  if (parsed.success) return parsed.data;
  throw new ConfigError(`The settings file ${file} is not usable as it stands.`, problemsOf(parsed.error));
};
