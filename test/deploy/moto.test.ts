/**
 * The synthesized stacks, deployed into an independent CloudFormation: moto 5.2.5's. What it cannot take is listed, and is
 * exactly that: each entry is shown to be needed still.
 */
import {
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DynamoDBClient,
  ListTablesCommand,
} from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, ListRulesCommand, ListTargetsByRuleCommand } from '@aws-sdk/client-eventbridge';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetQueueAttributesCommand, ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deployed, example } from '../infra/synth.ts';
import { createCloudFormation, type Template } from '../support/cloud-formation.ts';

/** Types that moto's CloudFormation passes over: nothing comes of a template that holds one. */
const NOT_TAKEN = [
  'AWS::CloudWatch::Alarm',
  'AWS::Lambda::Url',
  'AWS::S3::BucketPolicy',
  'AWS::SNS::Subscription',
  'AWS::SNS::TopicPolicy',
  'AWS::SQS::QueuePolicy',
  'AWS::Scheduler::Schedule',
  'AWS::Scheduler::ScheduleGroup',
  'AWS::SecretsManager::RotationSchedule',
];

type Change = (type: string, properties: Record<string, unknown>, id: string) => void;
/** What moto wants to be said otherwise than AWS takes it. */
const SAID_OTHERWISE: Readonly<Record<string, Change>> = {
  'a FIFO queue without a name gets one from CloudFormation that ends in .fifo; moto’s own does not': (
    type,
    properties,
    id,
  ) => {
    if (type === 'AWS::SQS::Queue' && properties['FifoQueue'] === true) properties['QueueName'] = `${id}.fifo`;
  },
  'the pattern of an archive is an object; moto takes a text': (type, properties) => {
    if (type === 'AWS::Events::Archive') properties['EventPattern'] = JSON.stringify(properties['EventPattern']);
  },
  'a rule names its bus by Ref; moto takes that for the bus itself': (type, properties) => {
    if (type === 'AWS::Events::Rule' && properties['EventBusName']) properties['EventBusName'] = 'atlas-automation';
  },
};

const endpoint = process.env['AWS_ENDPOINT_URL'] ?? '';
const cloudFormation = createCloudFormation(endpoint);
const sdk = { region: 'us-east-1', endpoint, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
const clients = {
  dynamoDb: new DynamoDBClient(sdk),
  events: new EventBridgeClient(sdk),
  s3: new S3Client({ ...sdk, forcePathStyle: true }),
  secrets: new SecretsManagerClient(sdk),
  sqs: new SQSClient(sdk),
  ssm: new SSMClient(sdk),
};

const typesOf = ({ Resources }: Template): Map<string, number> =>
  new Map([...Map.groupBy(Object.values(Resources), ({ Type }) => Type)].map(([type, of]) => [type, of.length]));

/** The template without these resources; what speaks of them has their names instead. */
function without(template: Template, gone: (type: string) => boolean): Template {
  const ids = new Set(Object.entries(template.Resources).flatMap(([id, { Type }]) => (gone(Type) ? [id] : [])));
  const walk = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== 'object' || value === null) return value;
    const { Ref, 'Fn::GetAtt': attribute } = value as { Ref?: string; 'Fn::GetAtt'?: string[] };
    if (Ref !== undefined && ids.has(Ref)) return Ref;
    if (attribute?.[0] !== undefined && ids.has(attribute[0])) return attribute.join('-');
    return Object.fromEntries(
      Object.entries(value)
        .filter(([key]) => !ids.has(key))
        .map(([key, below]) => [
          key,
          key === 'DependsOn' ? [below].flat().filter((id) => !ids.has(String(id))) : walk(below),
        ]),
    );
  };
  const { Outputs: _, ...rest } = template as Template & { Outputs?: object };
  const hasExports = JSON.stringify(template).includes('"Export"');
  return walk(hasExports ? template : rest) as Template;
}

const said = (template: Template, changes: readonly Change[]): Template => {
  const copy: Template = JSON.parse(JSON.stringify(template));
  for (const [id, { Type, Properties = {} }] of Object.entries(copy.Resources))
    for (const change of changes) change(Type, Properties, id);
  return copy;
};

const ALL = Object.values(SAID_OTHERWISE);
const isNotTaken = (type: string): boolean => NOT_TAKEN.includes(type);

let data: Template;
let functions: Template;
let outcomes: Awaited<ReturnType<typeof cloudFormation.deploy>>[];

beforeAll(async () => {
  if (endpoint === '') throw new Error("AWS_ENDPOINT_URL must be the origin of moto's server");
  await fetch(`${endpoint}/moto-api/reset`, { method: 'POST' });
  const { app } = deployed(example('settings.example.json'));
  const templates = new Map(app.synth().stacks.map(({ stackName, template }) => [stackName, template as Template]));
  data = templates.get('atlas-automation-data') ?? { Resources: {} };
  functions = templates.get('atlas-automation') ?? { Resources: {} };
  await clients.ssm.send(
    new PutParameterCommand({ Name: '/cdk-bootstrap/hnb659fds/version', Value: '30', Type: 'String' }),
  );
  const Bucket = 'cdk-hnb659fds-assets-123456789012-us-east-1';
  await clients.s3.send(new CreateBucketCommand({ Bucket }));
  for (const { Type, Properties } of Object.values(functions.Resources))
    if (Type === 'AWS::Lambda::Function') {
      const { S3Key } = (Properties as { Code: { S3Key: string } }).Code;
      await clients.s3.send(new PutObjectCommand({ Bucket, Key: S3Key, Body: EMPTY_ZIP }));
    }
  for (const Name of ['atlas/billing/service-account', 'atlas/orders/service-account'])
    await clients.secrets.send(new CreateSecretCommand({ Name, SecretString: '{}' }));
  outcomes = [];
  for (const [name, template] of [
    ['atlas-automation-data', data],
    ['atlas-automation', functions],
  ] as const)
    outcomes.push(await cloudFormation.deploy(name, said(without(template, isNotTaken), ALL)));
}, 180_000);
afterAll(() => {
  for (const client of Object.values(clients)) client.destroy();
});

const tableName = async (): Promise<string | undefined> => {
  const { TableNames = [] } = await clients.dynamoDb.send(new ListTablesCommand({}));
  return TableNames.find((name) => name.startsWith('atlas-automation-data'));
};

/** An archive with nothing in it. */
const EMPTY_ZIP = Buffer.from(`504b0506${'00'.repeat(18)}`, 'hex');

it('both stacks are created, with every resource of every other type', () => {
  expect(outcomes.map(({ status }) => status)).toEqual(['CREATE_COMPLETE', 'CREATE_COMPLETE']);
  for (const [nth, template] of [data, functions].entries()) {
    const expected = [...typesOf(template)].filter(([type]) => !isNotTaken(type)).toSorted();
    expect([...(outcomes[nth]?.made ?? [])].toSorted()).toEqual(expected);
  }
});

describe('what moto does not take', () => {
  it.each(NOT_TAKEN)('%s is in the stacks, and nothing comes of it', { timeout: 60_000 }, async (type) => {
    const template = [data, functions].find(({ Resources }) =>
      Object.values(Resources).some(({ Type }) => Type === type),
    );
    expect(template).toBeDefined();
    const [id, resource] = Object.entries(without(template ?? data, (other) => other !== type).Resources)[0] ?? [
      '',
      undefined,
    ];
    const lone = { Resources: { [id]: resource } };
    const { made } = await cloudFormation
      .deploy(`lone-${type.replaceAll('::', '-')}`, lone)
      .catch(() => ({ made: new Map() }));
    expect(made.get(type)).toBeUndefined();
  });

  it.each(Object.keys(SAID_OTHERWISE))('%s', { timeout: 60_000 }, async (which) => {
    const others = Object.entries(SAID_OTHERWISE).flatMap(([name, change]) => (name === which ? [] : [change]));
    const named = (template: Template) => said(without(template, isNotTaken), others);
    const failed = await Promise.all(
      [data, functions].map((template, nth) =>
        cloudFormation.deploy(`without-${nth}-${which.length}`, named(template)).then(
          ({ status }) => status !== 'CREATE_COMPLETE',
          () => true,
        ),
      ),
    );
    expect(failed).toContain(true);
  });
});

describe('what was deployed', () => {
  it('is a table that is protected', async () => {
    const { Table } = await clients.dynamoDb.send(new DescribeTableCommand({ TableName: await tableName() }));
    expect(Table).toMatchObject({
      DeletionProtectionEnabled: true,
      BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
    });
  });

  it('is without point-in-time recovery, which moto takes from no template', async () => {
    expect(JSON.stringify(data)).toContain('"PointInTimeRecoveryEnabled":true');
    const TableName = await tableName();
    const { ContinuousBackupsDescription } = await clients.dynamoDb.send(
      new DescribeContinuousBackupsCommand({ TableName }),
    );
    expect(ContinuousBackupsDescription?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus).toBe('DISABLED');
  });

  it('is a queue that gives up into another one', async () => {
    const { QueueUrls = [] } = await clients.sqs.send(new ListQueuesCommand({ QueueNamePrefix: 'Alerts' }));
    const { Attributes } = await clients.sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: QueueUrls[0], AttributeNames: ['All'] }),
    );
    expect(JSON.parse(Attributes?.['RedrivePolicy'] ?? '{}')).toMatchObject({
      deadLetterTargetArn: expect.stringContaining('AlertDeadLetters'),
      maxReceiveCount: 10,
    });
  });

  it('is a bus whose events reach the delivery, and the sweep', async () => {
    const { Rules = [] } = await clients.events.send(new ListRulesCommand({ EventBusName: 'atlas-automation' }));
    const targets = await Promise.all(
      Rules.map(({ Name }) =>
        clients.events.send(new ListTargetsByRuleCommand({ Rule: Name, EventBusName: 'atlas-automation' })),
      ),
    );
    const arns = targets.flatMap(({ Targets = [] }) => Targets.map(({ Arn }) => Arn));
    expect(arns).toContainEqual(expect.stringContaining('DeliverTickets'));
    expect(arns).toContainEqual(expect.stringContaining('SweepServiceAccount'));
  });
});
