import type { Logger } from '@aws-lambda-powertools/logger';
import type { Events } from '../../lib/aws/events.ts';
import { type SecretDescription, type SecretsManager, versionAt } from '../../lib/aws/secrets-manager.ts';
import { AutomationError } from '../../lib/errors.ts';
import { FAN_OUT_BEHIND, FanOutBehind } from '../../lib/events/fan-out.ts';
import { type FanOutTarget, targetName } from '../../lib/fan-out/settings.ts';
import { type Copy, FanOutFailed } from '../../lib/fan-out/target.ts';
import type { OpenTarget } from '../../lib/fan-out/targets.ts';
import type { Clock } from '../../lib/runtime/clock.ts';
import { type Deadline, within } from '../../lib/runtime/deadline.ts';
import { parseJson } from '../../lib/runtime/json.ts';

/** How long one target may take in one sweep, in milliseconds: a slow one must not use up the others' time. */
const PATIENCE_MS = 120_000;

/** Whoever is asked to fetch a version has this long, in milliseconds, before the place is said to be behind. */
export const ACKNOWLEDGE_WITHIN_MS = 3_600_000;

/** What a sweep found, or did, at one target. */
export type Outcome =
  | { readonly state: 'held' | 'delivered' | 'requested' | 'would deliver' }
  | { readonly state: 'failed'; readonly error: AutomationError };

/** One line of the sweep's answer. */
export interface FannedOut {
  readonly target: string;
  readonly state: 'held' | 'delivered' | 'requested' | 'would deliver' | 'behind';
  readonly code?: string | undefined;
  readonly reason?: string | undefined;
}

export interface FanOutStep {
  readonly services: { readonly secretsManager: SecretsManager; readonly events: Events };
  readonly openTarget: OpenTarget;
  readonly log: Logger;
  readonly clock: Clock;
  readonly deadline: Deadline;
}

/**
 * What an outcome says of a target. Pure. A target that was asked and has not answered for an hour is behind like one
 * that failed; `since` is when its version was stored, undefined where nobody knows: then it is taken for long ago.
 */
export function judge(target: string, outcome: Outcome, since: Date | undefined, now: Date): FannedOut {
  if (outcome.state === 'failed')
    return { target, state: 'behind', code: outcome.error.code, reason: outcome.error.message };
  const isLate = since === undefined || now.getTime() - since.getTime() >= ACKNOWLEDGE_WITHIN_MS;
  if (outcome.state !== 'requested' || !isLate) return { target, state: outcome.state };
  const code = 'FAN_OUT_NOT_ACKNOWLEDGED';
  return { target, state: 'behind', code, reason: 'nobody has acknowledged this version for an hour or more' };
}

/** What a target is to hold of a value. Refuses, without quoting it, where the value has no such field. */
export function copyFor(settings: FanOutTarget, { secretArn, versionId }: Omit<Copy, 'value'>, value: string): Copy {
  const field = 'field' in settings ? settings.field : undefined;
  if (field === undefined) return { secretArn, versionId, value };
  const parsed = parseJson(value);
  const held = typeof parsed === 'object' && parsed !== null ? Object.entries(parsed) : [];
  const [, part] = held.find(([key]) => key === field) ?? [];
  if (typeof part === 'string' && part !== '') return { secretArn, versionId, value: part };
  const target = targetName(settings);
  throw new FanOutFailed('FAN_OUT_FIELD_MISSING', `the value has no text under ${field} for ${target}`, {
    target,
    versionId,
    field,
  });
}

/**
 * Brings the current value of one managed secret to every place that must hold it, all of them side by side: none waits
 * for another, and none that fails stops another. Safe to repeat: what holds the version already is left alone. Throws
 * only where the secret itself can't be read, or the bus can't be told; the hourly sweep tries again.
 */
export async function fanOut(
  step: FanOutStep,
  secret: SecretDescription,
  targets: readonly FanOutTarget[],
  dryRun: boolean,
): Promise<FannedOut[]> {
  const { services, deadline, clock, log } = step;
  if (targets.length === 0) return [];
  const current = await readCurrent(step, secret);
  const outcomes = await Promise.all(
    targets.map(async (settings) => ({
      target: targetName(settings),
      outcome: await bring(step, settings, current, dryRun),
    })),
  );
  const settled = outcomes.every(({ outcome: { state } }) => state === 'held' || state === 'delivered');
  const since = settled ? undefined : await storedAt(step, secret, current.versionId);
  const lines = outcomes.map(({ target, outcome }) => judge(target, outcome, since, clock.now()));
  for (const { target, state, code = '', reason = '' } of lines) {
    const facts = { managedSecret: secret.arn, versionId: current.versionId, target, code, reason };
    if (state === 'delivered') log.info('a target holds the new version', { facts });
    if (state !== 'behind') continue;
    log.warn('a target does not hold the current version', { facts });
    if (dryRun) continue;
    const detail: FanOutBehind = {
      secretArn: secret.arn,
      versionId: current.versionId,
      target,
      code,
      reason,
      since: since?.toISOString() ?? null,
    };
    const event = { detailType: FAN_OUT_BEHIND, detail: FanOutBehind.parse(detail), resources: [secret.arn] };
    const told = await services.events.publish(event, deadline);
    if (!told) log.warn('there is no EventBridge here: nobody was told', { facts: { detailType: FAN_OUT_BEHIND } });
  }
  return lines;
}

/** Which targets are not known to hold this version now, each with the reason. Reads only; nothing of the value is in it. */
export async function missingFrom(
  step: Omit<FanOutStep, 'log'>,
  secret: SecretDescription,
  versionId: string,
  targets: readonly FanOutTarget[],
): Promise<string[]> {
  if (targets.length === 0) return [];
  const current = await readCurrent(step, secret);
  if (current.versionId !== versionId) return [`${secret.name}: its value was changed meanwhile`];
  const missing = await Promise.all(
    targets.map(async (settings) => {
      const name = targetName(settings);
      const held = await attempt(async () => {
        const target = await step.openTarget(settings);
        const copy = copyFor(settings, current, current.value);
        return (await target.holds(copy, within(step.deadline, PATIENCE_MS, step.clock))) ? 'held' : 'requested';
      });
      if (held.state === 'failed') return [`${name} (${held.error.code})`];
      return held.state === 'held' ? [] : [name];
    }),
  );
  return missing.flat();
}

async function bring(
  step: Omit<FanOutStep, 'log'>,
  settings: FanOutTarget,
  current: Copy,
  dryRun: boolean,
): Promise<Outcome> {
  return attempt(async () => {
    const deadline = within(step.deadline, PATIENCE_MS, step.clock);
    const target = await step.openTarget(settings);
    const copy = copyFor(settings, current, current.value);
    if (await target.holds(copy, deadline)) return 'held';
    if (dryRun) return 'would deliver';
    return (await target.deliver(copy, deadline)) === 'acknowledged' ? 'delivered' : 'requested';
  });
}

/** What goes wrong on purpose is an outcome; anything else is a mistake of ours, and says no more than its name. */
async function attempt(work: () => Promise<Exclude<Outcome['state'], 'failed'>>): Promise<Outcome> {
  try {
    return { state: await work() };
  } catch (error) {
    if (error instanceof AutomationError) return { state: 'failed', error };
    const facts = { error: error instanceof Error ? error.name : 'unknown' };
    return {
      state: 'failed',
      error: new FanOutFailed('FAN_OUT_UNAVAILABLE', 'the target could not be reached', facts),
    };
  }
}

async function readCurrent({ services, deadline }: Omit<FanOutStep, 'log'>, secret: SecretDescription): Promise<Copy> {
  const versionId = versionAt(secret, 'AWSCURRENT');
  const value =
    versionId === undefined
      ? undefined
      : await services.secretsManager.read(secret.arn, { versionId, stage: 'AWSCURRENT' }, deadline);
  if (versionId !== undefined && value !== undefined) return { secretArn: secret.arn, versionId, value };
  throw new FanOutFailed('FAN_OUT_UNAVAILABLE', `${secret.name} has no current value to bring anywhere`, {
    managedSecret: secret.arn,
  });
}

async function storedAt(
  { services, deadline }: Omit<FanOutStep, 'log'>,
  { arn }: SecretDescription,
  versionId: string,
): Promise<Date | undefined> {
  const versions = await services.secretsManager.versions(arn, deadline);
  return versions.find((version) => version.versionId === versionId)?.createdAt;
}
