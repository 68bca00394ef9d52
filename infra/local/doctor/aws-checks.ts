import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { errorName } from '../../../lib/aws/errors.ts';
import { ConfigError } from '../../../lib/errors.ts';
import type { Settings } from '../../settings.ts';
import { findRealAws, resourcesOf } from '../serve/real-aws.ts';
import { safe } from '../terminal/text.ts';
import type { Finding } from './finding.ts';

const finding = (verdict: Finding['verdict'], text: string, fix?: string): Finding => ({
  area: 'aws',
  verdict,
  text: safe(text, 400),
  ...(fix !== undefined && { fix }),
});

/**
 * Whether the account is ready to be deployed to, what is deployed, and whether whoever asks may read it. Only reads; what a
 * deployment may write shows when it is tried.
 */
export async function checkAws(
  settings: Pick<Settings, 'stack'>,
  variables: Readonly<Record<string, string | undefined>>,
): Promise<Finding[]> {
  const { name, region } = settings.stack;
  const client = new CloudFormationClient(region === undefined ? {} : { region });
  try {
    const [toolkit, data] = [await resourcesOf(client, 'CDKToolkit'), await resourcesOf(client, `${name}-data`)];
    const bootstrapped = toolkit
      ? finding('ok', 'the account is bootstrapped for the CDK')
      : finding('note', 'the account is not bootstrapped for the CDK in this region', 'npx cdk bootstrap');
    if (!data)
      return [bootstrapped, finding('note', `${name}-data is not deployed`, 'npm run deploy, when you want it in AWS')];
    const aws = await findRealAws(settings, variables);
    const sdk = { region: aws.region };
    const [dynamoDb, s3, sqs] = [
      new DynamoDBClient(sdk),
      new S3Client({ ...sdk, forcePathStyle: true }),
      new SQSClient(sdk),
    ];
    const nothing = { pk: { S: 'doctor' }, sk: { S: 'is anybody there?' } };
    const looked = await Promise.all([
      look(`the table ${aws.table}`, 'dynamodb:GetItem', () =>
        dynamoDb.send(new GetItemCommand({ TableName: aws.table, Key: nothing })),
      ),
      look(`the bucket ${aws.bucket}`, 's3:ListBucket', () =>
        s3.send(new ListObjectsV2Command({ Bucket: aws.bucket, MaxKeys: 1 })),
      ),
      look(`the queue ${aws.queueUrl}`, 'sqs:GetQueueAttributes', () =>
        sqs.send(new GetQueueAttributesCommand({ QueueUrl: aws.queueUrl, AttributeNames: ['QueueArn'] })),
      ),
    ]);
    for (const each of [dynamoDb, s3, sqs]) each.destroy();
    const functions = aws.hasFunctions ? 'and its functions are' : 'is';
    return [
      bootstrapped,
      finding('ok', `${name}-data ${functions} deployed in ${aws.account}, ${aws.region}`),
      ...looked,
    ];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return [
      finding('unknown', error.message, 'allow cloudformation:DescribeStackResources here, or mend what it names'),
    ];
  } finally {
    client.destroy();
  }
}

async function look(what: string, permission: string, ask: () => Promise<unknown>): Promise<Finding> {
  try {
    await ask();
    return finding('ok', `${what} can be read from here`);
  } catch (error) {
    return finding('unknown', `${what} can't be read from here: ${errorName(error)}`, `allow ${permission} here`);
  }
}
