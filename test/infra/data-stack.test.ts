import { Stack, Validations } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, it, vi } from 'vitest';
import type * as z from 'zod';
import { DataSettings } from '../../infra/data-settings.ts';
import { DataStack } from '../../infra/data-stack.ts';
import { grantReports, grantSend, grantState } from '../../infra/functions/grants.ts';
import { Settings } from '../../infra/settings.ts';
import { newApp } from './synth.ts';

// The first synthesis of a process loads all of the CDK.
vi.setConfig({ testTimeout: 90_000 });

const KEY = 'arn:aws:kms:eu-central-1:111122223333:key/0b0f4f3e-1111-2222-3333-444455556666';

interface Resource {
  // biome-ignore lint/suspicious/noExplicitAny: the shape is what the tests are about
  readonly Properties: any;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

const build = (data: z.input<typeof DataSettings> = {}, stack: z.input<typeof Settings>['stack'] = {}) => {
  const app = newApp();
  return {
    app,
    stack: new DataStack(app, 'Data', {
      stack: Settings.parse({ stack }).stack,
      data: DataSettings.parse(data),
    }),
  };
};
const templateOf = (data?: z.input<typeof DataSettings>) => Template.fromStack(build(data).stack);
const only = (template: Template, type: string): Resource => {
  const found = Object.values(template.findResources(type) as Record<string, Resource>);
  if (found.length !== 1 || !found[0]) throw new Error(`${found.length} of ${type}`);
  return found[0];
};
const queues = (template: Template): { alerts: Resource; dead: Resource } => {
  const found = Object.values(template.findResources('AWS::SQS::Queue') as Record<string, Resource>);
  const [alerts] = found.filter(({ Properties }) => Properties.RedrivePolicy);
  const [dead] = found.filter(({ Properties }) => !Properties.RedrivePolicy);
  if (!alerts || !dead || found.length !== 2) throw new Error('not two queues');
  return { alerts, dead };
};

describe('the stack of the data', () => {
  it('is named after the stack it belongs to, and is not deleted by mistake', () => {
    const { stack } = build({}, { name: 'ops', account: '111122223333', region: 'eu-central-1', tags: { owner: 'x' } });
    expect(stack).toMatchObject({
      stackName: 'ops-data',
      terminationProtection: true,
      account: '111122223333',
      region: 'eu-central-1',
    });
  });

  it('leaves the names to CloudFormation: what was kept must not be in the way of a new one', () => {
    const text = JSON.stringify(templateOf().toJSON());
    for (const fixed of ['"TableName"', '"BucketName"', '"QueueName"']) expect(text).not.toContain(fixed);
  });
});

describe('the table', () => {
  it('can be brought back, is encrypted, ends items, and stays when the stack goes', () => {
    const table = only(templateOf(), 'AWS::DynamoDB::Table');
    expect(table).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
    expect(table.Properties).toMatchObject({
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      SSESpecification: { SSEEnabled: true },
      DeletionProtectionEnabled: true,
    });
  });
});

describe('the bucket', () => {
  it('keeps versions, is closed to the public, takes TLS alone, and stays when the stack goes', () => {
    const template = templateOf();
    const bucket = only(template, 'AWS::S3::Bucket');
    expect(bucket).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
    expect(bucket.Properties).toMatchObject({
      VersioningConfiguration: { Status: 'Enabled' },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
      },
      LifecycleConfiguration: {
        Rules: [{ ExpirationInDays: 400, NoncurrentVersionExpiration: { NoncurrentDays: 90 }, Status: 'Enabled' }],
      },
    });
    expect(bucket.Properties.ObjectLockEnabled).toBeUndefined();
    expect(only(template, 'AWS::S3::BucketPolicy').Properties.PolicyDocument.Statement).toContainEqual(
      expect.objectContaining({
        Effect: 'Deny',
        Action: 's3:*',
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      }),
    );
  });

  it.each([
    ['governance', 'GOVERNANCE'],
    ['compliance', 'COMPLIANCE'],
  ] as const)('locks every report where the settings say so: %s', (mode, Mode) => {
    const { Properties } = only(templateOf({ reports: { keepDays: 60, lock: { mode, days: 30 } } }), 'AWS::S3::Bucket');
    expect(Properties).toMatchObject({
      ObjectLockEnabled: true,
      ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled', Rule: { DefaultRetention: { Days: 30, Mode } } },
      LifecycleConfiguration: { Rules: [{ ExpirationInDays: 60 }] },
    });
  });

  it('logs access where the settings say so', () => {
    const { Properties } = only(templateOf({ reports: { accessLogBucket: 'access-logs' } }), 'AWS::S3::Bucket');
    expect(Properties.LoggingConfiguration).toMatchObject({ DestinationBucketName: 'access-logs' });
  });
});

describe('the queue', () => {
  it('is FIFO at high throughput, and gives up into a FIFO queue that keeps for two weeks', () => {
    const { alerts, dead } = queues(templateOf());
    for (const { Properties } of [alerts, dead])
      expect(Properties).toMatchObject({
        FifoQueue: true,
        FifoThroughputLimit: 'perMessageGroupId',
        DeduplicationScope: 'messageGroup',
        SqsManagedSseEnabled: true,
        MessageRetentionPeriod: 14 * 86_400,
      });
    expect(alerts.Properties).toMatchObject({ VisibilityTimeout: 360, RedrivePolicy: { maxReceiveCount: 10 } });
  });

  it('takes TLS alone', () => {
    const policies = Object.values(templateOf().findResources('AWS::SQS::QueuePolicy') as Record<string, Resource>);
    expect(policies).toHaveLength(2);
    for (const { Properties } of policies)
      expect(Properties.PolicyDocument.Statement).toMatchObject([
        { Effect: 'Deny', Action: 'sqs:*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
      ]);
  });
});

describe('a key of the stack’s own', () => {
  it('is rotated, kept when the stack goes, and used by nobody the account does not let', () => {
    const template = templateOf({ ownKey: true });
    const key = only(template, 'AWS::KMS::Key');
    expect(key).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
    expect(key.Properties.EnableKeyRotation).toBe(true);
    const statements = key.Properties.KeyPolicy.Statement as { Principal: { AWS?: unknown } }[];
    expect(statements).toHaveLength(1);
    expect(JSON.stringify(statements[0]?.Principal)).toContain(':root');
    for (const { Properties } of Object.values(queues(template)))
      expect(JSON.stringify(Properties.KmsMasterKeyId)).toContain('OwnKey');
  });
});

describe('a key of one’s own', () => {
  it('encrypts all of it', () => {
    const template = templateOf({ kmsKeyArn: KEY });
    expect(only(template, 'AWS::DynamoDB::Table').Properties.SSESpecification).toMatchObject({
      SSEType: 'KMS',
      KMSMasterKeyId: KEY,
    });
    expect(only(template, 'AWS::S3::Bucket').Properties.BucketEncryption).toMatchObject({
      ServerSideEncryptionConfiguration: [
        { BucketKeyEnabled: true, ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: KEY } },
      ],
    });
    const { alerts, dead } = queues(template);
    for (const { Properties } of [alerts, dead]) expect(Properties.KmsMasterKeyId).toBe(KEY);
  });
});

describe('a grant', () => {
  const granted = (grant: (data: DataStack, role: Role) => void, data: z.input<typeof DataSettings> = {}): string[] => {
    const { app, stack } = build(data);
    const functions = new Stack(app, 'Functions');
    const role = new Role(functions, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    grant(stack, role);
    const { PolicyDocument } = only(Template.fromStack(functions), 'AWS::IAM::Policy').Properties;
    return (PolicyDocument.Statement as { Action: string | string[] }[]).flatMap(({ Action }) => Action).toSorted();
  };

  it('of the state is to read and to write items, and to delete none', () => {
    expect(granted((data, role) => grantState(role, data, { read: ['a'], write: ['b'] }))).toEqual([
      'dynamodb:GetItem',
      'dynamodb:PutItem',
      'dynamodb:Query',
    ]);
  });

  it('of the reports is to read, list and write them, and to delete none', () => {
    const actions = granted((data, role) => grantReports(role, data, { write: ['a/'], read: ['a/'] }));
    expect(actions).toEqual(expect.arrayContaining(['s3:PutObject']));
    expect(actions.filter((action) => /Delete|Bypass/.test(action))).toEqual([]);
  });

  it('of the key is to use it by way of the service the data lies in, and no other', () => {
    const { app, stack } = build({ ownKey: true });
    const functions = new Stack(app, 'Functions');
    const role = new Role(functions, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    grantReports(role, stack, { write: ['a/'] });
    grantSend(role, stack);
    const { PolicyDocument } = only(Template.fromStack(functions), 'AWS::IAM::Policy').Properties;
    const keyed = (PolicyDocument.Statement as { Action: string | string[]; Condition?: object }[]).filter(
      ({ Action }) => [Action].flat().some((action) => action.startsWith('kms:')),
    );
    expect(keyed.map(({ Condition }) => JSON.stringify(Condition))).toEqual([
      expect.stringContaining('"kms:ViaService":{"Fn::Join":["",["s3.'),
      expect.stringContaining('"kms:ViaService":{"Fn::Join":["",["sqs.'),
    ]);
  });

  it('comes with the key where there is one', () => {
    const actions = granted((data, role) => grantState(role, data, { write: ['a'] }), { kmsKeyArn: KEY });
    expect(actions).toContain('kms:Decrypt');
    expect(actions.filter((action) => action.includes('*'))).toEqual([]);
  });
});

describe('the settings of the data', () => {
  it.each([
    [{ kmsKeyArn: 'alias/mine' }, 'kmsKeyArn'],
    [{ reports: { keepDays: 0 } }, 'reports.keepDays'],
    [{ reports: { keepDays: 10, lock: { mode: 'compliance', days: 11 } } }, 'reports.lock.days'],
    [{ reports: { accessLogBucket: 'Not A Bucket' } }, 'reports.accessLogBucket'],
    [{ bucket: 'mine' }, ''],
  ])('%j are refused by path', (data, wrong) => {
    const { error } = DataSettings.safeParse(data);
    expect(error?.issues.map(({ path: at }) => at.join('.'))).toEqual([wrong]);
  });
});

describe('the AWS Solutions rules of cdk-nag', () => {
  it.each([{}, { kmsKeyArn: KEY, reports: { accessLogBucket: 'access-logs' } }, { ownKey: true }])(
    'find nothing in %j',
    (data) => {
      const { app } = build(data);
      Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
      expect(() => app.synth()).not.toThrow();
    },
  );
});
