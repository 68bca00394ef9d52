/** One immutable value of a secret, or the empty place a rotation prepared for one. Plain data, instants in epoch ms. */
export interface SecretVersion {
  readonly id: string;
  readonly createdAt: number;
  kmsKeyId?: string;
  /** Exactly one of `text` and `binary` (base64) once there is a value. */
  text?: string;
  binary?: string;
  accessedAt?: number;
}

export interface RotationRules {
  readonly AutomaticallyAfterDays?: number | undefined;
  readonly ScheduleExpression?: string | undefined;
  readonly Duration?: string | undefined;
}

export interface RotationSettings {
  enabled: boolean;
  lambdaArn: string;
  rules?: RotationRules;
  nextAt?: number;
  lastAt?: number;
}

/** The rotation that AWSPENDING was attached for; it stays after a failure, until the label moves on. */
export interface RotationRun {
  readonly token: string;
  readonly rotationToken: string;
  cancelled: boolean;
  /** When its attempts were used up, last. */
  failedAt?: number;
  /** Only the test step, of a rotation that is set up and not started. */
  readonly testOnly?: boolean;
}

export interface Secret {
  readonly arn: string;
  readonly name: string;
  readonly createdAt: number;
  changedAt: number;
  description?: string;
  kmsKeyId?: string;
  tags: Record<string, string>;
  /** Oldest first. */
  versions: SecretVersion[];
  /** Which version each staging label is attached to: one at most. */
  labels: Record<string, string>;
  accessedAt?: number;
  /** Set while deletion is scheduled: when the secret is gone for good. */
  deleteAt?: number;
  /** Copies in other regions: set by whoever plays a region that lags behind. */
  replicas?: readonly { readonly Region: string; readonly Status: 'InSync' | 'InProgress' | 'Failed' }[];
  rotation?: RotationSettings;
  run?: RotationRun;
  /** What reads by stage saw before the last write, for reads that lag behind. */
  before?: {
    readonly labels: Readonly<Record<string, string>>;
    /** Versions that existed, and whether they held a value. */
    readonly versions: Readonly<Record<string, boolean>>;
    readonly at: number;
  };
}

export const CURRENT = 'AWSCURRENT';
export const PENDING = 'AWSPENDING';
export const PREVIOUS = 'AWSPREVIOUS';

export function versionOf(secret: Secret, id: string | undefined): SecretVersion | undefined {
  return secret.versions.find((version) => version.id === id);
}

export function hasValue(version: SecretVersion | undefined): version is SecretVersion {
  return version?.text !== undefined || version?.binary !== undefined;
}

/** The labels of a version in alphabetical order, as every answer lists them. */
export function stagesOf({ labels }: Secret, id: string): string[] {
  return Object.keys(labels)
    .filter((label) => labels[label] === id)
    .sort();
}

/** Attaches a label, taking it from wherever it was. AWSPREVIOUS follows AWSCURRENT. */
export function attach(secret: Secret, label: string, id: string): void {
  const from = secret.labels[label];
  if (from === id) return;
  secret.labels[label] = id;
  if (label !== CURRENT) return;
  if (from !== undefined) secret.labels[PREVIOUS] = from;
  else if (secret.labels[PREVIOUS] === id) detach(secret, PREVIOUS);
}

export function detach(secret: Secret, label: string): void {
  delete secret.labels[label];
}

/** Takes the picture lagging reads will see; call it before a write changes values or labels. */
export function beforeWrite(secret: Secret, now: Date): void {
  secret.before = {
    labels: { ...secret.labels },
    versions: Object.fromEntries(secret.versions.map((version) => [version.id, hasValue(version)])),
    at: now.getTime(),
  };
  secret.changedAt = now.getTime();
}

const keptVersions = 100;
const keptMs = 24 * 3_600_000;

/** Removes the oldest versions without a label while there are more than 100, none of them younger than a day. */
export function purge(secret: Secret, now: Date): void {
  const labelled = new Set(Object.values(secret.labels));
  let excess = secret.versions.length - keptVersions;
  secret.versions = secret.versions.filter(({ id, createdAt }) => {
    if (excess <= 0 || labelled.has(id) || now.getTime() - createdAt < keptMs) return true;
    excess -= 1;
    return false;
  });
}
