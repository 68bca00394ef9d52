import { createHash } from 'node:crypto';
import { type SecretsManager, versionAt } from '../aws/secrets-manager.ts';
import { type TargetOf, targetName } from './settings.ts';
import { FanOutFailed, type Target } from './target.ts';

/**
 * The version of the target that holds one version of the managed secret: the same at every try, so that it is written
 * once. Another field is another value, hence another version.
 */
const versionFor = (secretArn: string, versionId: string, field: string | undefined): string =>
  createHash('sha256')
    .update(`fan out ${secretArn} ${versionId} ${field ?? ''}`)
    .digest('hex');

/**
 * Another Secrets Manager secret, here or in another region. It is read back: what counts is what a reader of its
 * AWSCURRENT gets. Somebody else's newer value is replaced: the settings say what this secret is for.
 */
export function createSecretsManagerTarget(
  settings: TargetOf<'secrets-manager'>,
  secretsManager: SecretsManager,
): Target {
  const { secret } = settings;
  const name = targetName(settings);
  const target: Target = {
    name,

    async holds({ value }, deadline) {
      return (await secretsManager.read(secret, { stage: 'AWSCURRENT' }, deadline)) === value;
    },

    async deliver(copy, deadline) {
      const token = versionFor(copy.secretArn, copy.versionId, settings.field);
      await secretsManager.store(secret, { token, value: copy.value, stage: 'AWSCURRENT' }, deadline);
      if (await target.holds(copy, deadline)) return 'acknowledged';
      // A version that was there already keeps its labels when it is stored again: it was replaced since.
      const from = versionAt(await secretsManager.describe(secret, deadline), 'AWSCURRENT');
      if (from !== undefined && from !== token)
        await secretsManager.moveStage(secret, 'AWSCURRENT', { from, to: token }, deadline);
      if (await target.holds(copy, deadline)) return 'acknowledged';
      throw new FanOutFailed('FAN_OUT_NOT_READ_BACK', `${name} does not show the version that was just written`, {
        target: name,
        versionId: copy.versionId,
      });
    },
  };
  return target;
}
