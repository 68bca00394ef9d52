import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SSMClient } from '@aws-sdk/client-ssm';
import type * as z from 'zod';
import { createEmbeddedAws } from '../../../infra/local/aws/embedded-aws.ts';
import { createMovableClock } from '../../../infra/local/clock.ts';
import { createGitHubSecrets } from '../../../infra/local/github-secrets/github-secrets.ts';
import { createTransport } from '../../../lib/atlas/transport.ts';
import { createEvents } from '../../../lib/aws/events.ts';
import { createSecretsManager } from '../../../lib/aws/secrets-manager.ts';
import { createState, type State } from '../../../lib/aws/state.ts';
import { createAcknowledgements } from '../../../lib/fan-out/acknowledgements.ts';
import { createGitHubClient } from '../../../lib/fan-out/github-client.ts';
import { createGitHubTarget } from '../../../lib/fan-out/github-target.ts';
import { createKubernetesTarget } from '../../../lib/fan-out/kubernetes-target.ts';
import { createReplicaTarget } from '../../../lib/fan-out/replica-target.ts';
import { createSecretsManagerTarget } from '../../../lib/fan-out/secrets-manager-target.ts';
import { FanOutTarget } from '../../../lib/fan-out/settings.ts';
import { createSsmTarget } from '../../../lib/fan-out/ssm-target.ts';
import type { Target } from '../../../lib/fan-out/target.ts';
import { systemClock } from '../../../lib/runtime/clock.ts';
import { type Deadline, deadlineIn } from '../../../lib/runtime/deadline.ts';

const TABLE = 'state';

/** All the places a value can be brought to, on loopback, with the real clients. */
export async function startFanOutWorld() {
  await using started = new AsyncDisposableStack();
  const clock = createMovableClock();
  const aws = createEmbeddedAws({ clock, tables: [TABLE] });
  const service = started.use(await aws.listen());
  const sdk = {
    endpoint: service.origin,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  };
  const github = await createGitHubSecrets({ clock });
  const githubServer = started.use(await github.listen());
  const secrets = new SecretsManagerClient(sdk);
  const secretsManager = createSecretsManager(secrets);
  const events = createEvents('default', new EventBridgeClient(sdk));
  const state: State = createState(TABLE, sdk, clock);
  const acknowledgements = createAcknowledgements(state);
  const seconds = (n: number): Deadline => deadlineIn(n * 1_000, systemClock);

  const open = (given: z.input<typeof FanOutTarget>, remembering = acknowledgements): Target => {
    const settings = FanOutTarget.parse(given);
    switch (settings.type) {
      case 'secrets-manager':
        return createSecretsManagerTarget(settings, secretsManager);
      case 'replica':
        return createReplicaTarget(settings, secretsManager);
      case 'ssm':
        return createSsmTarget(settings, new SSMClient(sdk));
      case 'kubernetes':
        return createKubernetesTarget(settings, { events, acknowledgements: remembering, clock });
      case 'github-actions': {
        const client = createGitHubClient(settings.baseUrl, { transport: createTransport(), clock: systemClock });
        return createGitHubTarget(settings, { github: client, secretsManager, acknowledgements: remembering, clock });
      }
    }
  };

  const create = async (Name: string, SecretString: string): Promise<string> =>
    (await secrets.send(new CreateSecretCommand({ Name, SecretString }))).ARN ?? '';
  github.tokens.add('ghp_test');
  await create('github-token', JSON.stringify({ token: 'ghp_test' }));

  const running = started.move();
  return {
    clock,
    aws,
    github,
    githubOrigin: githubServer.origin,
    secretsManager,
    events,
    state,
    acknowledgements,
    seconds,
    open,
    create,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

export type FanOutWorld = Awaited<ReturnType<typeof startFanOutWorld>>;
