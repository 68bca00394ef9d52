import * as z from 'zod';
import { AtlasRejected } from '../../lib/atlas/errors.ts';
import {
  getGroupLiveMigrationValidateStatus,
  validateGroupLiveMigrations,
} from '../../lib/atlas/operations/live-migrations.ts';
import { AwsCallFailed } from '../../lib/aws/errors.ts';
import { AutomationError } from '../../lib/errors.ts';
import { redactText } from '../../lib/runtime/redact.ts';
import type { MigrationRequest } from './contract.ts';
import { MigrationRefused } from './errors.ts';
import { keys } from './run.ts';
import { bodyOf, type Context, sourceCredentials } from './services.ts';

/** Atlas's own check of a request, as it stands. `unsent` in a dry run; `unknown` when its answer was lost. */
export type Validation =
  | { readonly state: 'unsent' | 'unknown' }
  /** Nothing could be asked: our own request was refused, or could not be made. */
  | { readonly state: 'refused'; readonly problem: string }
  | {
      readonly state: 'pending' | 'succeeded' | 'failed' | 'timed out';
      readonly id: string;
      readonly startedAt: string;
      /** What Atlas has against it. Untrusted text. */
      readonly problem: string | undefined;
    };

const Job = z.object({
  intendedAt: z.iso.datetime(),
  id: z.string().optional(),
  startedAt: z.iso.datetime().optional(),
});

/**
 * The validation of exactly this request: the one there is while it is fresh, else a new one. Each costs time on the
 * migration host, so its intent is stored first, and a lost answer is waited out rather than asked for twice.
 */
export async function validationOf(
  context: Context,
  request: MigrationRequest,
  requestHash: string,
  now: Date,
  dryRun: boolean,
): Promise<Validation> {
  const {
    services: { state, atlas },
    settings,
    deadline,
  } = context;
  const key = keys.validation(requestHash);
  const freshMs = settings.planMinutes * 60_000;
  const job = await state.read(key, Job, deadline);
  const isFresh = job && now.getTime() - Date.parse(job.value.startedAt ?? job.value.intendedAt) < freshMs;
  if (isFresh && job.value.id !== undefined) {
    const seen = await statusOf(context, request, job.value.id, job.value.startedAt ?? job.value.intendedAt, now);
    if (seen.state !== 'failed' && seen.state !== 'timed out') return seen;
    // What failed may have been mended since: it is asked again, unless this only looks.
    if (dryRun) return seen;
  }
  if (dryRun) return { state: 'unsent' };
  const lostMs = settings.validationMinutes * 60_000;
  if (isFresh && job.value.id === undefined && now.getTime() - Date.parse(job.value.intendedAt) < lostMs)
    return { state: 'unknown' };

  let body: Awaited<ReturnType<typeof bodyOf>>;
  try {
    body = await bodyOf(context, request);
  } catch (error) {
    if (!(error instanceof MigrationRefused || error instanceof AwsCallFailed)) throw error;
    return { state: 'refused', problem: error.message };
  }
  const intent = { intendedAt: now.toISOString() };
  const expiresAt = new Date(now.getTime() + 7 * 24 * 3_600_000);
  const intended = job
    ? await state.replace(job, intent, deadline, { expiresAt })
    : await state.create(key, intent, deadline, { expiresAt });
  // Somebody else asks at this moment.
  if (!intended) return { state: 'unknown' };
  try {
    const params = { groupId: request.destination.groupId };
    const { data, at } = await atlas.callDated(validateGroupLiveMigrations, { params, body }, deadline);
    const startedAt = at.toISOString();
    await state.replace(intended, { ...intent, id: data._id, startedAt }, deadline, { expiresAt });
    return { state: 'pending', id: data._id, startedAt, problem: undefined };
  } catch (error) {
    if (error instanceof AutomationError && error.code === 'ATLAS_OUTCOME_UNKNOWN') return { state: 'unknown' };
    await state.remove(intended, deadline);
    // What Atlas says beyond its code may repeat what was sent.
    if (error instanceof AtlasRejected) return { state: 'refused', problem: error.message };
    throw error;
  }
}

async function statusOf(
  context: Context,
  request: MigrationRequest,
  validationId: string,
  startedAt: string,
  now: Date,
): Promise<Validation> {
  const {
    services: { atlas },
    settings,
    deadline,
  } = context;
  const params = { groupId: request.destination.groupId, validationId };
  const data = await atlas.call(getGroupLiveMigrationValidateStatus, { params }, deadline);
  const known = { id: validationId, startedAt, problem: await withoutCredentials(context, request, data.errorMessage) };
  if (data.status === 'SUCCESS') return { state: 'succeeded', ...known };
  if (data.status === 'FAILED') return { state: 'failed', ...known };
  // No status is no success, and neither is one nobody knows.
  const isLate = now.getTime() - Date.parse(startedAt) >= settings.validationMinutes * 60_000;
  return { state: isLate ? 'timed out' : 'pending', ...known };
}

/** Atlas's own words may repeat what was sent to it: the credentials are taken out of them. */
async function withoutCredentials(
  context: Context,
  request: MigrationRequest,
  text: string | null | undefined,
): Promise<string | undefined> {
  if (text == null) return undefined;
  try {
    const { username = '', password = '' } = (await sourceCredentials(context, request)) ?? {};
    const forms = [password, username].filter((each) => each !== '');
    const hidden = forms
      .flatMap((each) => [each, JSON.stringify(each).slice(1, -1), encodeURIComponent(each)])
      .reduce((so, each) => so.replaceAll(each, '[redacted]'), text);
    return redactText(hidden);
  } catch (error) {
    if (!(error instanceof AutomationError)) throw error;
    return 'it failed, and its reason is not shown: whether it repeats the credentials can’t be told';
  }
}
