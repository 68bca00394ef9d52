import * as z from 'zod';
import { AuditSettings } from '../functions/audit-snapshot-schedules/contract.ts';
import { Settings as BridgeSettings } from '../functions/bridge-alerts-to-tickets/contract.ts';
import { CallerSettings } from '../functions/bridge-alerts-to-tickets/webhook/contract.ts';
import { RotationSettings } from '../functions/rotate-service-account-secret/contract.ts';
import { MigrationSettings } from '../functions/start-live-migration/contract.ts';
import { ConfigError } from '../lib/errors.ts';
import type { FanOutTarget } from '../lib/fan-out/settings.ts';
import { BaseUrl } from '../lib/runtime/environment.ts';
import { type Problem, problemsOf } from '../lib/runtime/problems.ts';
import { DataSettings } from './data-settings.ts';
import { SecretReference } from './secret-reference.ts';
import { readSettingsFile } from './settings-text.ts';
import { ConcurrencySettings, EgressSettings, KmsKeyArn, ScheduleSettings, StackSettings } from './stack-settings.ts';
import { hasStages, pathInFile, Stages, settingsOfStage, stagesInTheWay } from './stages.ts';

/**
 * CloudFormation takes 500 resources a stack, and each managed secret is one, its rotation schedule; the rest of the
 * stack takes up to 200. More secrets want a second stage.
 */
const MOST_SECRETS = 300;

/** What of a target ends up in a policy, and is not what it has to be there. */
function problemsInPolicy(target: FanOutTarget): [string, string][] {
  const secret = (key: string, text: string): [string, string][] =>
    SecretReference.safeParse(text).success
      ? []
      : [[key, 'must be the name or the complete ARN of a Secrets Manager secret']];
  const kmsKey = (key: string, arn: string | undefined): [string, string][] =>
    arn === undefined || KmsKeyArn.safeParse(arn).success
      ? []
      : [[key, 'must be the ARN of a KMS key (not of an alias)']];
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
    problem(['secrets'], `must be at most ${MOST_SECRETS}: use a second stage for more`);
  const seen = new Set<string>();
  for (const [index, { secret, adminSecret, kmsKeyArn, fanOut }] of secrets.entries()) {
    for (const [nth, target] of fanOut.entries())
      for (const [key, message] of problemsInPolicy(target)) problem(['secrets', index, 'fanOut', nth, key], message);
    for (const [key, text] of Object.entries({ secret, adminSecret })) {
      const message = text === undefined ? undefined : SecretReference.safeParse(text).error?.issues[0]?.message;
      if (message !== undefined) problem(['secrets', index, key], message);
    }
    if (kmsKeyArn !== undefined && !KmsKeyArn.safeParse(kmsKeyArn).success)
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
    /** Alarms when the end of a managed secret is nearer than this, in hours. */
    secretEndsWithinHours: z.int().min(1).max(8760).default(48),
    /** Alarms when it took longer than this from an alert to its ticket, in seconds. */
    ticketAfterSeconds: z.int().min(1).max(86_400).default(300),
    /** One page in CloudWatch with the figures of all functions. */
    dashboard: z.boolean().default(true),
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
  kmsKeyArn: KmsKeyArn.optional(),
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
  allowFrom: CallerSettings.optional(),
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
  schedules: ScheduleSettings.prefault({}),
  concurrency: ConcurrencySettings.prefault({}),
  /** Without it the functions reach the internet from addresses AWS chooses. */
  egress: EgressSettings.optional(),
  data: DataSettings,
  alarms: Alarms.prefault({}),
  stack: StackSettings.prefault({}),
});
export type Settings = z.output<typeof Settings>;

/** The settings of one stage; of a file without stages, the only ones. */
export interface StagedSettings {
  readonly stage?: string;
  readonly settings: Settings;
}

/**
 * Reads and checks a settings file, with all its stages, or the one that is named behind `#`: `settings.yaml#production`.
 * Throws ConfigError with every problem at once; values are never quoted.
 */
export function loadStages(name: string): readonly StagedSettings[] {
  const [, file = name, wanted] = /^(.+\.(?:json|ya?ml))#([^#]*)$/i.exec(name) ?? [];
  const content = readSettingsFile(file);
  const problems: Problem[] = [];
  const found = hasStages(content) ? stagesIn(content, problems) : [single(content, problems)];
  problems.push(...stagesInTheWay(found));
  const seen = new Set<string>();
  const once = problems.filter(({ path, problem }) => seen.size < seen.add(`${path} ${problem}`).size);
  if (once.length > 0) throw new ConfigError(`The settings file ${file} is not usable as it stands.`, once);
  if (wanted === undefined || wanted === 'all') return found;
  const one = found.filter(({ stage }) => stage === wanted);
  if (one.length > 0) return one;
  const names = found.flatMap(({ stage = [] }) => stage).join(', ') || 'none';
  throw new ConfigError(`The settings file ${file} has no such stage; it has: ${names}.`);
}

/** The same of a file without stages, or of one stage of it. */
export function loadSettings(name: string): Settings {
  const [one, ...more] = loadStages(name);
  if (one && more.length === 0) return one.settings;
  throw new ConfigError(
    `${name} has several stages: name one behind it, like ${name.replace(/#.*$/, '')}#${one?.stage}.`,
  );
}

function single(content: unknown, problems: Problem[]): StagedSettings {
  const parsed = Settings.safeParse(content);
  problems.push(...problemsOf(parsed.error));
  return { settings: parsed.data ?? Settings.parse({}) };
}

function stagesIn(content: Parameters<typeof settingsOfStage>[0], problems: Problem[]): StagedSettings[] {
  const stages = Stages.safeParse(content['stages']);
  if (!stages.success) {
    problems.push(...problemsOf(stages.error, ['stages']));
    return [];
  }
  return Object.entries(stages.data).flatMap(([stage, own]) => {
    const parsed = Settings.safeParse(settingsOfStage(content, stage, own));
    for (const { path, problem } of problemsOf(parsed.error))
      problems.push({ path: pathInFile(stages.data, stage, path), problem });
    return parsed.success ? [{ stage, settings: parsed.data }] : [];
  });
}
