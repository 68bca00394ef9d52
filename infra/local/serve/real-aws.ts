import {
  CloudFormationClient,
  CloudFormationServiceException,
  DescribeStackResourcesCommand,
  type StackResource,
} from '@aws-sdk/client-cloudformation';
import { DeleteMessageBatchCommand, type Message, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { ConfigError } from '../../../lib/errors.ts';
import { ALERT_QUEUE } from '../../alert-queue.ts';
import type { Settings } from '../../settings.ts';
import { failedOf } from '../lambda/queue-trigger.ts';
import type { Machine } from '../machine.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** The resources of a deployed stack that the functions of this machine work on. */
export interface RealAws {
  readonly region: string;
  readonly account: string;
  /** Where it is, if that is not AWS's own address. */
  readonly endpoint: string | undefined;
  /** Whether the functions are deployed there as well. */
  readonly hasFunctions: boolean;
  readonly table: string;
  readonly bucket: string;
  readonly queueUrl: string;
  readonly bus: string;
  /** What every function needs to get there, as whoever started this. */
  readonly environment: Readonly<Record<string, string>>;
}

/** One answer of SQS waits this long for messages; stopping waits for it as well. */
const LONG_POLL_SECONDS = 2;

/** What leads the SDK's standard chain to credentials, and nothing that only Lambda itself sets. */
const handedOn = (variables: Variables): Record<string, string> =>
  Object.fromEntries(
    Object.entries(variables).filter(
      (entry): entry is [string, string] =>
        entry[1] !== undefined &&
        /^(AWS_(?!LAMBDA_|EXECUTION_ENV$).+|HOME|USERPROFILE|NODE_EXTRA_CA_CERTS)$/.test(entry[0]),
    ),
  );

/**
 * Finds the table, the bucket and the queue of the deployed `<stack.name>-data`. Only reads. Throws ConfigError where there
 * is no region, no way in, no such stack, or another account than the settings name.
 */
export async function findRealAws({ stack }: Pick<Settings, 'stack'>, variables: Variables): Promise<RealAws> {
  const endpoint = variables['AWS_ENDPOINT_URL'] || undefined;
  const client = new CloudFormationClient(stack.region === undefined ? {} : { region: stack.region });
  try {
    const region = await client.config.region().catch(() => {
      throw new ConfigError('there is no AWS region: set stack.region in the settings, or AWS_REGION');
    });
    const data = await resourcesOf(client, `${stack.name}-data`);
    if (!data)
      throw new ConfigError(
        `there is no stack ${stack.name}-data in ${region}: deploy it first (npm run deploy), or check stack.name and the region`,
      );
    const account = data[0]?.StackId?.split(':')[4] ?? '';
    if (stack.account !== undefined && stack.account !== account)
      throw new ConfigError(
        `these are credentials of the account ${account}, and the settings are for ${stack.account}`,
      );
    const named = (type: string, prefix: string): string => {
      const found = data.find(
        ({ ResourceType, LogicalResourceId = '' }) => ResourceType === type && LogicalResourceId.startsWith(prefix),
      );
      if (found?.PhysicalResourceId !== undefined) return found.PhysicalResourceId;
      throw new ConfigError(`the stack ${stack.name}-data has no ${prefix}: deploy it anew`);
    };
    const hasFunctions = (await resourcesOf(client, stack.name)) !== undefined;
    return {
      region,
      account,
      endpoint,
      hasFunctions,
      table: named('AWS::DynamoDB::Table', 'State'),
      bucket: named('AWS::S3::Bucket', 'Reports'),
      queueUrl: atEndpoint(named('AWS::SQS::Queue', 'Alerts'), endpoint),
      // The bus has the name of its stack, and is part of the functions' own.
      bus: hasFunctions ? stack.name : 'default',
      environment: { ...handedOn(variables), AWS_REGION: region },
    };
  } finally {
    client.destroy();
  }
}

/** A queue's address is asked as it is; where AWS is elsewhere, its queues are there as well. */
const atEndpoint = (queueUrl: string, endpoint: string | undefined): string =>
  endpoint === undefined ? queueUrl : new URL(new URL(queueUrl).pathname, endpoint).href;

/** What is in a stack; undefined where there is none of that name. Throws ConfigError where AWS does not say. */
export async function resourcesOf(
  client: CloudFormationClient,
  StackName: string,
): Promise<StackResource[] | undefined> {
  try {
    const { StackResources = [] } = await client.send(new DescribeStackResourcesCommand({ StackName }));
    return StackResources;
  } catch (error) {
    if (error instanceof CloudFormationServiceException && /does not exist/.test(error.message)) return undefined;
    const said = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`AWS does not say what is in the stack ${StackName}: ${said}`);
  }
}

/** Those variables of the functions that only the deployment knows. */
export const placesOf = ({ table, bucket, queueUrl, bus }: RealAws): Readonly<Record<string, string>> => ({
  STATE_TABLE: table,
  REPORT_BUCKET: bucket,
  ALERT_QUEUE_URL: queueUrl,
  EVENT_BUS: bus,
});

/** The machine, whose functions, console and queue trigger work in AWS. What is embedded in it stays empty. */
export function onRealAws(machine: Machine, aws: RealAws): Machine & AsyncDisposable {
  const sdk = { region: aws.region };
  const sqs = new SQSClient(sdk);
  return {
    ...machine,
    sdk,
    stateTable: aws.table,
    reportBucket: aws.bucket,
    async deliver() {
      await deliverFrom(sqs, aws, machine);
      return [];
    },
    async [Symbol.asyncDispose]() {
      await machine[Symbol.asyncDispose]();
      sqs.destroy();
    },
  };
}

/**
 * Lambda's trigger for the queue in AWS, once: waits for a batch, hands it to deliver-tickets, and deletes what was not
 * reported as failed. The rest comes back by itself when its time out of sight is over, and goes to the dead letters there.
 */
async function deliverFrom(sqs: SQSClient, { queueUrl, account, region }: RealAws, machine: Machine): Promise<void> {
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({
      QueueUrl: queueUrl,
      MaxNumberOfMessages: ALERT_QUEUE.batchSize,
      WaitTimeSeconds: LONG_POLL_SECONDS,
      MessageSystemAttributeNames: ['All'],
      MessageAttributeNames: ['All'],
    }),
  );
  if (Messages.length === 0) return;
  const arn = `arn:aws:sqs:${region}:${account}:${queueUrl.split('/').at(-1)}`;
  const batch = Messages.map(({ MessageId: id = '', ReceiptHandle = '' }) => ({ id, ReceiptHandle }));
  const records = Messages.map((message) => recordOf(message, arn, region));
  const { failed } = await failedOf(machine.lambda('deliver-tickets'), records, batch);
  const Entries = batch
    .filter(({ id }) => !failed.includes(id))
    .map(({ ReceiptHandle }, nth) => ({ Id: String(nth), ReceiptHandle }));
  if (Entries.length > 0) await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
}

const recordOf = (message: Message, eventSourceARN: string, awsRegion: string): object => ({
  messageId: message.MessageId,
  receiptHandle: message.ReceiptHandle,
  body: message.Body,
  attributes: message.Attributes ?? {},
  messageAttributes: {},
  eventSource: 'aws:sqs',
  eventSourceARN,
  awsRegion,
});
