import type { SecretsManager } from '../../lib/aws/secrets-manager.ts';
import { versionAt } from '../../lib/aws/secrets-manager.ts';
import type { Acknowledgements } from '../../lib/fan-out/acknowledgements.ts';
import { targetName } from '../../lib/fan-out/settings.ts';
import { FanOutFailed } from '../../lib/fan-out/target.ts';
import type { Clock } from '../../lib/runtime/clock.ts';
import type { Deadline } from '../../lib/runtime/deadline.ts';
import { entryOf, type RotationSettings } from './contract.ts';

export interface Acknowledged {
  readonly managedSecret: string;
  readonly target: string;
  readonly versionId: string;
  readonly state: 'acknowledged' | 'would acknowledge';
}

interface Surroundings {
  readonly secretsManager: SecretsManager;
  readonly acknowledgements: Acknowledgements;
  readonly settings: RotationSettings;
  readonly clock: Clock;
  readonly deadline: Deadline;
}

/**
 * A controller says that its place holds a version. Taken for the current version alone, and for places that only their
 * controller can see: every other one is read, not believed. Safe to repeat.
 */
export async function acknowledge(
  { secret: named, target, versionId, dryRun }: { secret: string; target: string; versionId: string; dryRun: boolean },
  { secretsManager, acknowledgements, settings, clock, deadline }: Surroundings,
): Promise<Acknowledged> {
  const secret = await secretsManager.describe(named, deadline);
  const facts = { managedSecret: secret.arn, target, versionId };
  const listed = entryOf(settings, secret)?.fanOut.find((one) => targetName(one) === target);
  if (listed?.type !== 'kubernetes')
    throw new FanOutFailed(
      'FAN_OUT_UNKNOWN_TARGET',
      `the settings of ${secret.name} have no such target that is acknowledged from outside`,
      facts,
    );
  const current = versionAt(secret, 'AWSCURRENT');
  if (current !== versionId)
    throw new FanOutFailed('FAN_OUT_UNKNOWN_VERSION', `${secret.name} has another current version by now`, {
      ...facts,
      current,
    });
  const done = { managedSecret: secret.arn, target, versionId };
  if (dryRun) return { ...done, state: 'would acknowledge' };
  await acknowledgements.acknowledged(target, { secretArn: secret.arn, versionId }, clock.now(), deadline);
  return { ...done, state: 'acknowledged' };
}
