import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { KMSClient } from '@aws-sdk/client-kms';
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  RotateSecretCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { createEmbeddedAws, type EmbeddedAwsOptions } from '../../../../infra/local/aws/embedded-aws.ts';

/** Version ids that can be told apart at a glance. */
export const version = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

export const functionArn = 'arn:aws:lambda:us-east-1:000000000000:function:rotate';

/** The embedded services on a free port with real SDK clients, and short words for what most tests do. */
export async function startEmbeddedAws(options: EmbeddedAwsOptions = {}) {
  const aws = createEmbeddedAws(options);
  const service = await aws.listen();
  const settings = {
    endpoint: service.origin,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  };
  const secrets = new SecretsManagerClient(settings);
  const events = new EventBridgeClient(settings);
  const kms = new KMSClient(settings);
  const SecretId = 'app';
  return {
    aws,
    service,
    secrets,
    events,
    kms,
    SecretId,
    create: (SecretString = 'one') =>
      secrets.send(new CreateSecretCommand({ Name: SecretId, ClientRequestToken: version(1), SecretString })),
    put: (n: number, SecretString: string, VersionStages?: string[]) =>
      secrets.send(
        new PutSecretValueCommand({
          SecretId,
          ClientRequestToken: version(n),
          SecretString,
          ...(VersionStages && { VersionStages }),
        }),
      ),
    read: (wanted: { VersionId?: string; VersionStage?: string } = {}) =>
      secrets.send(new GetSecretValueCommand({ SecretId, ...wanted })),
    describe: () => secrets.send(new DescribeSecretCommand({ SecretId })),
    rotate: (n: number, more: { RotateImmediately?: boolean } = {}) =>
      secrets.send(
        new RotateSecretCommand({
          SecretId,
          ClientRequestToken: version(n),
          RotationLambdaARN: functionArn,
          RotationRules: { AutomaticallyAfterDays: 30 },
          ...more,
        }),
      ),
    move: (VersionStage: string, from: number | undefined, to: number | undefined) =>
      secrets.send(
        new UpdateSecretVersionStageCommand({
          SecretId,
          VersionStage,
          ...(from && { RemoveFromVersionId: version(from) }),
          ...(to && { MoveToVersionId: version(to) }),
        }),
      ),
    /** Names of the rotation events AWS would have sent, oldest first. */
    rotationEvents: () => aws.events.entries.map(({ detail }) => detail['eventName']),
    async [Symbol.asyncDispose]() {
      for (const client of [secrets, events, kms]) client.destroy();
      await service[Symbol.asyncDispose]();
    },
  };
}
