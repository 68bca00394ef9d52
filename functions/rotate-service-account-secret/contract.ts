import * as z from 'zod';
import { ClientId, ObjectId } from '../../lib/atlas/operations/shapes.ts';
import { ROTATION_TAKEN_BACK, SECRET_ROLLED_BACK, SECRET_ROTATED } from '../../lib/events/rotation.ts';
import { FanOutTargets, placeOf } from '../../lib/fan-out/settings.ts';
import { AtlasCredentialsSecret, BaseUrl, EventBus, ReportBucket, StateTable } from '../../lib/runtime/environment.ts';

/** The deployed environment: read by the handler, and the type the stack must satisfy. */
export const Config = z.object({
  MONGODB_ATLAS_BASE_URL: BaseUrl,
  EVENT_BUS: EventBus,
});

/** The same of the sweep, which does without the rest: with less memory, and without a look at the whole fleet. */
export const SweepConfig = Config.extend({
  STATE_TABLE: StateTable.optional(),
  REPORT_BUCKET: ReportBucket.optional(),
  ATLAS_CREDENTIALS_SECRET: AtlasCredentialsSecret.optional(),
});

const steps = {
  create_secret: 'createSecret',
  set_secret: 'setSecret',
  test_secret: 'testSecret',
  finish_secret: 'finishSecret',
} as const;
export const Step = z.enum(['createSecret', 'setSecret', 'testSecret', 'finishSecret']);
export type Step = z.output<typeof Step>;

/**
 * What Secrets Manager sends, once per step. AWS's pages print the steps in snake case and its runtime sends camel
 * case, so both are taken.
 * Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
 */
export const Event = z.object({
  SecretId: z.string().min(1),
  ClientRequestToken: z.string().min(32).max(64),
  Step: z.union([
    Step,
    z.enum(['create_secret', 'set_secret', 'test_secret', 'finish_secret']).transform((step) => steps[step]),
  ]),
  /** Present when the rotation runs under another account's role: handed back with the new value. */
  RotationToken: z.string().min(1).optional(),
});
export type Event = z.output<typeof Event>;

const hours = {
  /** How long a new secret lives, in hours. Atlas allows 8 to 8,760, and each organization its own maximum. */
  secretExpiresAfterHours: z.int().min(8).max(8760),
  /** How long the replaced secret keeps working at the least, in hours. Atlas ends it after seven days in any case. */
  graceHours: z.int().min(1).max(168),
  /** How often the secret is rotated, in days. */
  everyDays: z.int().min(1),
};

/** A rotation that starts late may still need a window, its retries and a person: three days. */
export const SLACK_HOURS = 72;

/** One managed secret; what it leaves out comes from the defaults above it. */
const ManagedSecret = z.strictObject({
  /** Secrets Manager name, or complete ARN. */
  secret: z.string().min(1).max(2048),
  /** Name or ARN of the secret that holds the administrator's credentials, when its value names an adminSecretArn. */
  adminSecret: z.string().min(1).max(2048).optional(),
  /** The customer-managed key both are encrypted with, if there is one. */
  kmsKeyArn: z.string().startsWith('arn:').optional(),
  secretExpiresAfterHours: hours.secretExpiresAfterHours.optional(),
  graceHours: hours.graceHours.optional(),
  everyDays: hours.everyDays.optional(),
  /** Other places that must hold the value: the replaced secret is kept until all of them have the new one. */
  fanOut: FanOutTargets.default([]),
});
export type ManagedSecret = z.output<typeof ManagedSecret>;

const sentence = z.string().min(1).max(500);

/** What is right for one service account, where the general rules of the fleet report are not. */
const FleetAccount = z.strictObject({
  clientId: ClientId,
  /** Kept for the day when nothing else works: nobody manages it, and nobody uses it. */
  breakGlass: z.strictObject({ owner: sentence, reason: sentence }).optional(),
  /** May own the organization. */
  administrator: z.boolean().default(false),
  /** Is used to read alone: may own nothing. */
  readOnly: z.boolean().default(false),
  /** All the roles it may hold, anywhere; then the two rules above say nothing. */
  roles: z.array(z.string().regex(/^(ORG|GROUP)_[A-Z_]+$/, 'must be a role, like GROUP_READ_ONLY')).optional(),
});
export type FleetAccount = z.output<typeof FleetAccount>;

/** How the service accounts of the whole organization are judged. */
const FleetSettings = z.strictObject({
  /** A secret with less life than this is expiring, in days. */
  expiringWithinDays: z.int().min(1).max(365).default(14),
  /** A secret older than this that nobody ever used is reported, in days. */
  unusedAfterDays: z.int().min(1).max(3650).default(90),
  accounts: z
    .array(FleetAccount)
    .default([])
    .superRefine((accounts, context) => {
      for (const [index, { clientId }] of accounts.entries())
        if (accounts.findIndex((other) => other.clientId === clientId) < index)
          context.addIssue({ code: 'custom', path: [index, 'clientId'], message: 'is listed twice' });
    }),
});
export type FleetSettings = z.output<typeof FleetSettings>;

/** The `rotation` section of the settings file. */
export const RotationSettings = z
  .strictObject({
    secretExpiresAfterHours: hours.secretExpiresAfterHours.default(2160),
    graceHours: hours.graceHours.default(24),
    everyDays: hours.everyDays.default(30),
    secrets: z.array(ManagedSecret).default([]),
    fleet: FleetSettings.prefault({}),
  })
  .superRefine((rotation, context) => {
    const check = (policy: RotationPolicy, path: (string | number)[]): void => {
      const interval = policy.everyDays * 24;
      if (policy.secretExpiresAfterHours < interval + SLACK_HOURS) {
        context.addIssue({
          code: 'custom',
          path: [...path, 'secretExpiresAfterHours'],
          message: `must be at least ${interval + SLACK_HOURS}: everyDays in hours and ${SLACK_HOURS} hours to finish a rotation that starts late`,
        });
      }
      if (policy.graceHours >= interval) {
        context.addIssue({
          code: 'custom',
          path: [...path, 'graceHours'],
          message: `must be less than ${interval}: everyDays in hours`,
        });
      }
    };
    check(rotation, []);
    const seen = new Set<string>();
    const places = new Set<string>();
    const own = new Set(rotation.secrets.flatMap(({ secret, adminSecret }) => [secret, adminSecret]));
    for (const [index, managed] of rotation.secrets.entries()) {
      check(policyOf(rotation, managed), ['secrets', index]);
      if (seen.has(managed.secret))
        context.addIssue({ code: 'custom', path: ['secrets', index, 'secret'], message: 'is listed twice' });
      seen.add(managed.secret);
      for (const [nth, target] of managed.fanOut.entries()) {
        const problem = (message: string) =>
          context.addIssue({ code: 'custom', path: ['secrets', index, 'fanOut', nth], message });
        if (target.type === 'secrets-manager' && target.region === undefined && own.has(target.secret))
          problem('is itself a managed secret, or an administrator’s');
        // Replicas are a secret's own; every other place holds one secret's value.
        if (target.type !== 'replica' && places.has(placeOf(target))) problem('is listed for another secret, too');
      }
      for (const target of managed.fanOut) places.add(placeOf(target));
    }
  });
export type RotationSettings = z.output<typeof RotationSettings>;

export interface RotationPolicy {
  readonly secretExpiresAfterHours: number;
  readonly graceHours: number;
  readonly everyDays: number;
}

/** The entry of a secret in the settings, by its name or its ARN; undefined where they do not list it. */
export const entryOf = (
  { secrets }: RotationSettings,
  { name, arn }: { readonly name: string; readonly arn: string },
): ManagedSecret | undefined => secrets.find(({ secret }) => secret === name || secret === arn);

/** The policy of one managed secret: its own words first, then the defaults. */
export const policyOf = (
  defaults: RotationPolicy,
  managed?: { readonly [Key in keyof RotationPolicy]?: number | undefined },
): RotationPolicy => ({
  secretExpiresAfterHours: managed?.secretExpiresAfterHours ?? defaults.secretExpiresAfterHours,
  graceHours: managed?.graceHours ?? defaults.graceHours,
  everyDays: managed?.everyDays ?? defaults.everyDays,
});

/** The part of the settings file this function reads. */
export const Settings = z.object({ rotation: RotationSettings.prefault({}) });

const SecretName = z.string().min(1).max(2048);

/** What Secrets Manager says of a rotation it gave up, by way of EventBridge. */
const GivenUp = z
  .object({ detail: z.object({ additionalEventData: z.object({ SecretId: SecretName }) }) })
  .transform(({ detail }) => ({
    action: 'sweep' as const,
    secrets: [detail.additionalEventData.SecretId],
    dryRun: false,
    givenUp: true,
    scheduled: false,
  }));

/** What the bundle says itself of a secret that has another current value by now. */
export const NEW_VALUE = [SECRET_ROTATED, SECRET_ROLLED_BACK, ROTATION_TAKEN_BACK] as const;

/** Other places wait for that value. */
const Rotated = z
  .object({
    source: z.literal('atlas-automation'),
    'detail-type': z.enum(NEW_VALUE),
    detail: z.object({ secretArn: SecretName }),
  })
  .transform(({ detail }) => ({ action: 'fan-out' as const, secret: detail.secretArn, dryRun: false }));

/** A schedule's event: every managed secret, for real. */
const Scheduled = z
  .object({ source: z.string(), 'detail-type': z.string() })
  .transform(() => ({ action: 'sweep' as const, secrets: undefined, dryRun: false, givenUp: false, scheduled: true }));

/** Says what would be done and writes nothing. */
const dryRun = z.boolean().default(false);

/** A call by hand. Strict, so that a misspelt `dryRun` is no real run. */
const ByHand = z
  .strictObject({
    action: z.literal('sweep').default('sweep'),
    /** Only these of the managed secrets, by name or ARN; all of the settings' unless given. */
    secrets: z.array(SecretName).min(1).optional(),
    dryRun,
  })
  .transform(({ action, secrets, dryRun }) => ({ action, secrets, dryRun, givenUp: false, scheduled: false }));

/** Looks at every service account there is, and answers the report. */
const Fleet = z.strictObject({ action: z.literal('fleet'), dryRun });

/** A controller says that its place holds this version of a managed secret. */
const Acknowledge = z.strictObject({
  action: z.literal('acknowledge'),
  secret: SecretName,
  /** As the event that asked for it names it. */
  target: z.string().min(1).max(2048),
  versionId: z.string().min(32).max(64),
  dryRun,
});

/** Puts the previous value back, as a new version. */
const Rollback = z.strictObject({ action: z.literal('rollback'), secret: SecretName, dryRun });

/** Deletes a leaked secret of the account at once, whichever it is; the current one is replaced first. */
const RevokeNow = z.strictObject({
  action: z.literal('revoke-now'),
  secret: SecretName,
  /** Its id in Atlas: nothing is deleted by guess. */
  secretId: ObjectId,
  /** Kept in the log and in the event: a ticket's number, say. Never a secret. */
  reason: z.string().min(1).max(500),
  dryRun,
});

export const SweepEvent = z.union([GivenUp, Rotated, Scheduled, Rollback, RevokeNow, Fleet, Acknowledge, ByHand]);
export type SweepEvent = z.output<typeof SweepEvent>;
