import * as z from 'zod';
import { BaseUrl, EventBus } from '../../lib/runtime/environment.ts';

/** The deployed environment: read by the handler, and the type the stack must satisfy. */
export const Config = z.object({
  MONGODB_ATLAS_BASE_URL: BaseUrl,
  EVENT_BUS: EventBus,
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
});
export type ManagedSecret = z.output<typeof ManagedSecret>;

/** The `rotation` section of the settings file. */
export const RotationSettings = z
  .strictObject({
    secretExpiresAfterHours: hours.secretExpiresAfterHours.default(2160),
    graceHours: hours.graceHours.default(24),
    everyDays: hours.everyDays.default(30),
    secrets: z.array(ManagedSecret).default([]),
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
    for (const [index, managed] of rotation.secrets.entries()) {
      check(policyOf(rotation, managed), ['secrets', index]);
      if (seen.has(managed.secret))
        context.addIssue({ code: 'custom', path: ['secrets', index, 'secret'], message: 'is listed twice' });
      seen.add(managed.secret);
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
const RotationFailed = z
  .object({ detail: z.object({ additionalEventData: z.object({ SecretId: SecretName }) }) })
  .transform(({ detail }) => ({ secrets: [detail.additionalEventData.SecretId], dryRun: false, givenUp: true }));

/** A schedule's event: every managed secret, for real. */
const Scheduled = z
  .object({ source: z.string(), 'detail-type': z.string() })
  .transform(() => ({ secrets: undefined, dryRun: false, givenUp: false }));

/** A call by hand. Strict, so that a misspelt `dryRun` is no real run. */
const ByHand = z
  .strictObject({
    /** Only these of the managed secrets, by name or ARN; all of the settings' unless given. */
    secrets: z.array(SecretName).min(1).optional(),
    /** Says what would be done and writes nothing. */
    dryRun: z.boolean().default(false),
  })
  .transform(({ secrets, dryRun }) => ({ secrets, dryRun, givenUp: false }));

export const SweepEvent = z.union([RotationFailed, Scheduled, ByHand]);
export type SweepEvent = z.output<typeof SweepEvent>;
