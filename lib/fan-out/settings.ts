import * as z from 'zod';

const SecretName = z.string().min(1).max(2048);
const KeyArn = z.string().startsWith('arn:');
const Region = z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'must be an AWS region');

/** One key of the value's JSON, where the target is not to hold all of it. */
const Field = z.string().regex(/^\w{1,100}$/, 'must be the name of a key of the value');

const isLoopback = (hostname: string): boolean => ['localhost', '127.0.0.1', '[::1]'].includes(hostname);

/** A token goes there, so anything but https is refused unless it is this machine. A path stays: GitHub Enterprise has one. */
const ApiUrl = z
  .url({ protocol: /^https?$/ })
  .transform((text) => new URL(text))
  .refine((url) => url.protocol === 'https:' || isLoopback(url.hostname), 'must be an https URL')
  .transform((url) => url.origin + url.pathname.replace(/\/$/, ''));

const SecretsManagerTarget = z.strictObject({
  type: z.literal('secrets-manager'),
  /** Name or complete ARN of an existing secret: it gets a version, it is never created. */
  secret: SecretName,
  /** Where that secret is; the function's own region unless given. */
  region: Region.optional(),
  /** The key that secret is encrypted with, where it is not AWS's own. */
  kmsKeyArn: KeyArn.optional(),
  field: Field.optional(),
});

const ReplicaTarget = z.strictObject({
  type: z.literal('replica'),
  /** A replica of the managed secret that must be there. Those that are there are waited for without being listed. */
  region: Region,
});

const SsmTarget = z.strictObject({
  type: z.literal('ssm'),
  /** Name of a SecureString parameter; it is created where it is not there. */
  parameter: z.string().regex(/^[\w./-]{1,1011}$/, 'must be the name of a parameter'),
  region: Region.optional(),
  /** The key the parameter is encrypted with, where it is not AWS's own. */
  kmsKeyArn: KeyArn.optional(),
  field: Field.optional(),
});

/** GitHub compares names of secrets without case. */
const SecretVariable = z
  .string()
  .max(100)
  .regex(/^(?!GITHUB_)[A-Z_][A-Z0-9_]*$/i, 'must be letters, digits and _, begin with no digit, and not with GITHUB_');

const GitHubTarget = z
  .strictObject({
    type: z.literal('github-actions'),
    /** `owner/name`, for a secret of the repository, or of one of its environments. */
    repository: z
      .string()
      .regex(/^[\w.-]+\/[\w.-]+$/, 'must be owner/name')
      .optional(),
    environment: z.string().min(1).max(255).optional(),
    /** For a secret of an organization; then `visibility` says which repositories see it. */
    organization: z
      .string()
      .regex(/^[\w-]+$/, 'must be the name of an organization')
      .optional(),
    visibility: z.enum(['all', 'private', 'selected']).optional(),
    selectedRepositoryIds: z.array(z.int().positive()).min(1).optional(),
    /** What the secret is called there. */
    name: SecretVariable,
    /** Secrets Manager name or ARN of the token: `{"token": "…"}` or the token itself. */
    tokenSecret: SecretName,
    /** The key the token's secret is encrypted with, where it is not AWS's own. */
    tokenKmsKeyArn: KeyArn.optional(),
    baseUrl: ApiUrl.default('https://api.github.com'),
    field: Field.optional(),
  })
  .superRefine((target, context) => {
    const problem = (path: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [path], message });
    const { repository, organization, environment, visibility, selectedRepositoryIds } = target;
    if ((repository === undefined) === (organization === undefined))
      problem('repository', 'must be given, or organization instead of it');
    if (environment !== undefined && repository === undefined) problem('environment', 'belongs to a repository');
    if ((organization !== undefined) !== (visibility !== undefined))
      problem('visibility', 'must be given for an organization, and for nothing else');
    if ((visibility === 'selected') !== (selectedRepositoryIds !== undefined))
      problem('selectedRepositoryIds', 'must be given for the visibility "selected", and for nothing else');
  });

const LABEL = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;

const KubernetesTarget = z.strictObject({
  type: z.literal('kubernetes'),
  /** The cluster, in the words its controller knows it by. */
  cluster: z.string().min(1).max(253),
  namespace: z.string().regex(LABEL, 'must be the name of a namespace'),
  /** The Secret in that namespace. */
  secret: z.string().regex(LABEL, 'must be the name of a Secret'),
  field: Field.optional(),
});

/** Another place that must hold the value of a managed secret. */
export const FanOutTarget = z.discriminatedUnion('type', [
  SecretsManagerTarget,
  ReplicaTarget,
  SsmTarget,
  GitHubTarget,
  KubernetesTarget,
]);
export type FanOutTarget = z.output<typeof FanOutTarget>;
export type TargetOf<Type extends FanOutTarget['type']> = Extract<FanOutTarget, { readonly type: Type }>;

/** What a target is called everywhere: in settings' problems, results, events, the state, and by who acknowledges. */
export function targetName(target: FanOutTarget): string {
  const within = (region: string | undefined): string => (region === undefined ? '' : `${region}/`);
  const part = 'field' in target && target.field !== undefined ? `#${target.field}` : '';
  switch (target.type) {
    case 'secrets-manager':
      return `secrets-manager:${within(target.region)}${target.secret}${part}`;
    case 'replica':
      return `replica:${target.region}`;
    case 'ssm':
      return `ssm:${within(target.region)}${target.parameter}${part}`;
    case 'github-actions': {
      const owner = target.repository ?? target.organization ?? '';
      const environment = target.environment === undefined ? '' : `/${target.environment}`;
      return `github-actions:${owner}${environment}/${target.name.toUpperCase()}${part}`;
    }
    case 'kubernetes':
      return `kubernetes:${target.cluster}/${target.namespace}/${target.secret}${part}`;
  }
}

/** What two targets of one place have in common: one place can hold one value. */
export const placeOf = (target: FanOutTarget): string =>
  // A Kubernetes Secret has keys of its own, so one may hold several fields.
  target.type === 'kubernetes' ? targetName(target) : targetName(target).replace(/#\w+$/, '');

/** All targets of one managed secret: no place twice. */
export const FanOutTargets = z
  .array(FanOutTarget)
  .max(20)
  .superRefine((targets, context) => {
    const seen = new Set<string>();
    for (const [index, target] of targets.entries()) {
      const place = placeOf(target);
      if (seen.has(place)) context.addIssue({ code: 'custom', path: [index], message: 'is listed twice' });
      seen.add(place);
    }
  });
