import { randomUUID } from 'node:crypto';
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { createEmbeddedAws } from '../aws/embedded-aws.ts';
import { openState } from '../serve/data-folder.ts';

/** Where a secret can be put. */
export interface SecretStore extends AsyncDisposable {
  /** For people: where it is. */
  readonly where: string;
  readonly client: SecretsManagerClient;
  /** Creates it; `there` where there is one of that name, which is left as it is. Values are in no error. */
  create(name: string, value: string): Promise<'created' | 'there'>;
}

/** Secrets Manager of the AWS account at hand. */
export function awsStore(region: string | undefined, client?: SecretsManagerClient): SecretStore {
  const manager = client ?? new SecretsManagerClient(region === undefined ? {} : { region });
  return {
    client: manager,
    where: `AWS Secrets Manager${region === undefined ? '' : ` in ${region}`}`,
    async create(Name, SecretString) {
      try {
        await manager.send(new DescribeSecretCommand({ SecretId: Name }));
        return 'there';
      } catch (error) {
        if (!(error instanceof ResourceNotFoundException)) throw error;
      }
      await manager.send(new CreateSecretCommand({ Name, SecretString, ClientRequestToken: randomUUID() }));
      return 'created';
    },
    [Symbol.asyncDispose]: async () => manager.destroy(),
  };
}

/** The Secrets Manager of the local host that works on the real Atlas, in the folder it keeps its state in. */
export async function folderStore(folder: string): Promise<SecretStore> {
  await using opened = new AsyncDisposableStack();
  const durable = openState(folder, 'real-atlas');
  opened.defer(() => durable[Symbol.dispose]());
  const aws = createEmbeddedAws({ durable, seed: randomUUID() });
  const server = opened.use(await aws.listen());
  const store = opened.use(
    awsStore(
      undefined,
      new SecretsManagerClient({
        region: 'us-east-1',
        endpoint: server.origin,
        credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      }),
    ),
  );
  const kept = opened.move();
  return {
    where: folder,
    client: store.client,
    create: store.create,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
