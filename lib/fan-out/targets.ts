import { createTransport } from '../atlas/transport.ts';
import type { Events } from '../aws/events.ts';
import type { SecretsManager } from '../aws/secrets-manager.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Acknowledgements } from './acknowledgements.ts';
import type { GitHubClient } from './github-client.ts';
import type { FanOutTarget } from './settings.ts';
import type { Target } from './target.ts';

export interface Surroundings {
  readonly secretsManager: SecretsManager;
  readonly events: Events;
  readonly acknowledgements: Acknowledgements;
  readonly clock: Clock;
}

/** Makes a target of what the settings say of it. */
export type OpenTarget = (settings: FanOutTarget) => Promise<Target>;

/** Opens targets; what only some of them need is loaded for the first of its kind. Calls nobody. */
export function createTargets(surroundings: Surroundings): OpenTarget {
  const { secretsManager } = surroundings;
  const abroad = new Map<string, Promise<SecretsManager>>();
  const githubs = new Map<string, Promise<GitHubClient>>();

  const kept = <Value>(of: Map<string, Promise<Value>>, key: string, make: () => Promise<Value>): Promise<Value> => {
    const value = of.get(key) ?? make();
    of.set(key, value);
    return value;
  };

  const secretsManagerIn = (region: string): Promise<SecretsManager> =>
    kept(abroad, region, async () => {
      const [{ SecretsManagerClient }, { createSecretsManager }] = await Promise.all([
        import('@aws-sdk/client-secrets-manager'),
        import('../aws/secrets-manager.ts'),
      ]);
      return createSecretsManager(new SecretsManagerClient({ region }));
    });

  return async (settings) => {
    switch (settings.type) {
      case 'secrets-manager': {
        const { createSecretsManagerTarget } = await import('./secrets-manager-target.ts');
        const at = settings.region === undefined ? secretsManager : await secretsManagerIn(settings.region);
        return createSecretsManagerTarget(settings, at);
      }
      case 'replica': {
        const { createReplicaTarget } = await import('./replica-target.ts');
        return createReplicaTarget(settings, secretsManager);
      }
      case 'ssm': {
        const { createSsmTarget } = await import('./ssm-target.ts');
        return createSsmTarget(settings);
      }
      case 'github-actions': {
        const { createGitHubTarget } = await import('./github-target.ts');
        // One for all targets at the same place: it keeps their calls apart.
        const github = await kept(githubs, settings.baseUrl, async () => {
          const { createGitHubClient } = await import('./github-client.ts');
          return createGitHubClient(settings.baseUrl, { transport: createTransport(), clock: surroundings.clock });
        });
        return createGitHubTarget(settings, { ...surroundings, github });
      }
      case 'kubernetes': {
        const { createKubernetesTarget } = await import('./kubernetes-target.ts');
        return createKubernetesTarget(settings, surroundings);
      }
    }
  };
}
