import type { SecretsManager } from '../aws/secrets-manager.ts';
import { type TargetOf, targetName } from './settings.ts';
import { FanOutFailed, type Target } from './target.ts';

/**
 * The managed secret's own copy in another region. Secrets Manager brings the value there; it says how far it is, and
 * says so of the newest version alone.
 */
export function createReplicaTarget(settings: TargetOf<'replica'>, secretsManager: SecretsManager): Target {
  const name = targetName(settings);
  return {
    name,

    async holds({ secretArn }, deadline) {
      const { replicas } = await secretsManager.describe(secretArn, deadline);
      return replicas.find(({ region }) => region === settings.region)?.status === 'InSync';
    },

    async deliver({ secretArn, versionId }, deadline) {
      const { replicas } = await secretsManager.describe(secretArn, deadline);
      const status = replicas.find(({ region }) => region === settings.region)?.status;
      if (status === 'InSync') return 'acknowledged';
      throw new FanOutFailed(
        'FAN_OUT_REPLICA_BEHIND',
        status === undefined
          ? `the managed secret has no replica in ${settings.region}`
          : `Secrets Manager says ${status} of the replica in ${settings.region}`,
        { target: name, versionId, status },
      );
    },
  };
}
