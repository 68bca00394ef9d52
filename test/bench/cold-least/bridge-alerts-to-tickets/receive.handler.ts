/**
 * The least receive-atlas-alert could be, to be measured: its two calls by the SDK, built as it is. It checks nothing.
 */
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';

const secrets = new SecretsManagerClient({});
const queue = new SQSClient({});

export const handler = async ({ body }: { readonly body: string }) => {
  await secrets.send(new GetSecretValueCommand({ SecretId: process.env['WEBHOOK_SECRET'] }));
  await queue.send(
    new SendMessageCommand({
      QueueUrl: process.env['ALERT_QUEUE_URL'],
      MessageBody: body,
      MessageGroupId: 'least',
      MessageDeduplicationId: String(Math.random()),
    }),
  );
  return { statusCode: 202 };
};
