import { AwsError } from '../json-protocol.ts';
import {
  attach,
  beforeWrite,
  CURRENT,
  detach,
  hasValue,
  PENDING,
  purge,
  type Secret,
  type SecretVersion,
  stagesOf,
  versionOf,
} from './secret.ts';
import { invalidParameter, invalidRequest, notFound, type Vault } from './vault.ts';

export interface ValueInput {
  readonly SecretString?: string | undefined;
  readonly SecretBinary?: string | undefined;
}

export function hasInput({ SecretString, SecretBinary }: ValueInput): boolean {
  return SecretString !== undefined || SecretBinary !== undefined;
}

export function checkValue({ SecretString, SecretBinary }: ValueInput): void {
  if (SecretString !== undefined && SecretBinary !== undefined) {
    throw invalidParameter(
      "You can't specify both a binary secret value and a string secret value in the same secret.",
    );
  }
}

/** The SDK fills the token in by itself; only a request made by hand can lack one. */
export function tokenOf(token: string | undefined, missing = invalidRequest): string {
  if (token === undefined) {
    throw missing('You must provide a ClientRequestToken value. We recommend a UUID-type value.');
  }
  if (token.length < 32 || token.length > 64) {
    throw invalidParameter('ClientRequestToken must be 32-64 characters long.');
  }
  return token;
}

export function sameValue(version: SecretVersion, { SecretString, SecretBinary }: ValueInput): boolean {
  return version.text === SecretString && version.binary === SecretBinary;
}

export function tokenInUse({ arn }: Secret, token: string): AwsError {
  return new AwsError(
    'ResourceExistsException',
    `You can't use ClientRequestToken ${token} because that value is already in use for a version of secret ${arn}.`,
  );
}

export interface Written {
  /** The token of a rotation that this write put an end to. */
  readonly abandoned?: string;
}

/**
 * Stores a value as version `token` and attaches the labels, or does nothing when that version holds it already.
 *
 * Any version but the pending one ends a rotation: the service takes AWSPENDING off in favour of what was written.
 */
export function writeValue(
  secret: Secret,
  vault: Vault,
  token: string,
  value: ValueInput,
  stages: readonly string[],
  now: Date,
): Written {
  const existing = versionOf(secret, token);
  if (hasValue(existing)) {
    if (sameValue(existing, value)) return {};
    throw tokenInUse(secret, token);
  }
  vault.encrypt(secret.kmsKeyId);
  beforeWrite(secret, now);
  const first = secret.versions.length === 0;
  const version = existing ?? emptyVersion(secret, token, now);
  if (value.SecretString !== undefined) version.text = value.SecretString;
  if (value.SecretBinary !== undefined) version.binary = value.SecretBinary;

  const { run } = secret;
  const abandons = run !== undefined && run.token !== token && secret.labels[PENDING] === run.token;
  if (abandons) detach(secret, PENDING);
  if (run && run.token !== token) delete secret.run;
  for (const stage of stages) attach(secret, stage, token);
  if (first) attach(secret, CURRENT, token);
  purge(secret, now);
  return abandons ? { abandoned: run.token } : {};
}

/** Adds a version without a value, as a rotation does before it calls the function. */
export function emptyVersion(secret: Secret, id: string, now: Date): SecretVersion {
  const version: SecretVersion = {
    id,
    createdAt: now.getTime(),
    ...(secret.kmsKeyId !== undefined && { kmsKeyId: secret.kmsKeyId }),
  };
  secret.versions.push(version);
  return version;
}

interface Wanted {
  readonly VersionId?: string | undefined;
  readonly VersionStage?: string | undefined;
}

/** The version a read asks for. `stale` reads by stage see labels and values as they were before the last write. */
export function readVersion(secret: Secret, { VersionId, VersionStage }: Wanted, stale: boolean): SecretVersion {
  const before = stale ? secret.before : undefined;
  const labels = before?.labels ?? secret.labels;
  const stage = VersionStage ?? (VersionId === undefined ? CURRENT : undefined);
  const id = VersionId ?? labels[stage ?? CURRENT];
  const version = before && id !== undefined && !(id in before.versions) ? undefined : versionOf(secret, id);
  if (version && stage !== undefined && labels[stage] !== version.id) {
    throw invalidRequest('You provided a VersionStage that is not associated to the provided VersionId.');
  }
  if (hasValue(version) && (before?.versions[version.id] ?? true)) return version;
  const what = VersionId === undefined ? `staging label: ${stage}` : `VersionId: ${VersionId}`;
  throw notFound(`Secrets Manager can't find the specified secret value for ${what}`);
}

interface Move {
  readonly VersionStage: string;
  readonly RemoveFromVersionId?: string | undefined;
  readonly MoveToVersionId?: string | undefined;
}

/** Moves or removes a label, and only from where the caller says it is: a compare-and-swap. */
export function moveLabel(
  secret: Secret,
  { VersionStage, RemoveFromVersionId, MoveToVersionId }: Move,
  now: Date,
): void {
  const holder = secret.labels[VersionStage];
  if (RemoveFromVersionId === undefined && MoveToVersionId === undefined) {
    throw invalidParameter('You must specify RemoveFromVersionId, MoveToVersionId or both.');
  }
  for (const id of [RemoveFromVersionId, MoveToVersionId]) {
    if (id !== undefined && !versionOf(secret, id)) {
      throw notFound(`Secrets Manager can't find the specified secret version: ${id}`);
    }
  }
  if (RemoveFromVersionId !== undefined && RemoveFromVersionId !== holder) {
    throw invalidParameter(`Staging label ${VersionStage} is not attached to version ${RemoveFromVersionId}.`);
  }
  if (MoveToVersionId === undefined) {
    if (VersionStage === CURRENT) {
      throw invalidParameter(
        "You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.",
      );
    }
    beforeWrite(secret, now);
    detach(secret, VersionStage);
    return;
  }
  if (holder !== undefined && holder !== MoveToVersionId && RemoveFromVersionId === undefined) {
    throw invalidParameter(
      `The parameter RemoveFromVersionId can't be empty. Staging label ${VersionStage} is currently attached to version ${holder}, so you must explicitly reference that version in RemoveFromVersionId.`,
    );
  }
  beforeWrite(secret, now);
  attach(secret, VersionStage, MoveToVersionId);
}

export function staged(secret: Secret, id: string): object {
  return { ARN: secret.arn, Name: secret.name, VersionId: id, VersionStages: stagesOf(secret, id) };
}
