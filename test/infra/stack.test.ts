import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Template } from 'aws-cdk-lib/assertions';
import { beforeAll, describe, expect, it } from 'vitest';
import type * as z from 'zod';
import { Config } from '../../functions/rotate-service-account-secret/contract.ts';
import type { Settings } from '../../infra/settings.ts';
import { synth, text, tinyBundles } from './synth.ts';

const COMPLETE = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:orders/atlas-Ab12Cd';
const KEY = 'arn:aws:kms:eu-central-1:111122223333:key/0b0f4f3e-1111-2222-3333-444455556666';
const SETTINGS: z.input<typeof Settings> = {
  rotation: {
    secrets: [
      { secret: 'billing/atlas', everyDays: 1, graceHours: 12 },
      { secret: COMPLETE, adminSecret: 'owner/atlas', kmsKeyArn: KEY },
      { secret: 'stock/atlas', adminSecret: 'owner/atlas', kmsKeyArn: KEY },
    ],
  },
  alarms: { email: 'people@example.com' },
};

const named = (name: string) =>
  `arn:<AWS::Partition>:secretsmanager:<AWS::Region>:<AWS::AccountId>:secret:${name}-??????`;
const MANAGED = [named('billing/atlas'), COMPLETE, named('stock/atlas')];

interface Statement {
  readonly Sid?: string;
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Principal?: unknown;
  readonly Condition?: Record<string, Record<string, unknown>>;
}

let template: Template;
let outdir: string;
beforeAll(() => {
  ({ template, outdir } = synth(SETTINGS));
}, 60_000);

interface Resource {
  // biome-ignore lint/suspicious/noExplicitAny: the shape is what the tests are about
  readonly Properties: any;
  readonly DependsOn?: string[];
  readonly DeletionPolicy?: string;
}
const resources = (type: string, of = template) => Object.entries(of.findResources(type) as Record<string, Resource>);
const functions = () => resources('AWS::Lambda::Function');
const listOf = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value]);
const statementsOf = (type: string): Statement[] =>
  resources(type).flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement as Statement[]);
const grants = () =>
  statementsOf('AWS::IAM::Policy').map((statement) => ({
    actions: listOf(statement.Action).toSorted(),
    resources: listOf(statement.Resource).map(text).toSorted(),
    condition: statement.Condition,
  }));
const grantsOf = (action: string) => grants().filter(({ actions }) => actions.includes(action));
const resourcesOf = (action: string) => new Set(grantsOf(action).flatMap(({ resources: list }) => list));

describe('every function', () => {
  it('runs on nodejs24.x and arm64, is traced, and leaves what it could not handle in a queue', () => {
    expect(functions().length).toBeGreaterThan(0);
    for (const [id, { Properties }] of functions())
      expect(Properties, id).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        TracingConfig: { Mode: 'Active' },
        DeadLetterConfig: { TargetArn: { 'Fn::GetAtt': [expect.stringContaining('DeadLetters'), 'Arn'] } },
        Environment: {
          Variables: { POWERTOOLS_SERVICE_NAME: expect.any(String) },
        },
      });
  });

  it('logs to a group of its own that ends', () => {
    const groups = functions().map(([, { Properties }]) => text(Properties.LoggingConfig.LogGroup));
    expect(new Set(groups).size).toBe(functions().length);
    expect(resources('AWS::Logs::LogGroup')).toHaveLength(functions().length);
    for (const [id, group] of resources('AWS::Logs::LogGroup')) {
      expect(group.Properties.RetentionInDays, id).toBe(90);
      expect(group.DeletionPolicy, id).toBe('RetainExceptOnCreate');
    }
  });

  it('has a role that no other function has, with no managed policy', () => {
    const roles = functions().map(([, { Properties }]) => text(Properties.Role));
    expect(new Set(roles).size).toBe(functions().length);
    for (const [id, { Properties }] of resources('AWS::IAM::Role')) {
      expect(Properties.ManagedPolicyArns, id).toBeUndefined();
      expect(Properties.Policies, id).toBeUndefined();
    }
    for (const [id, { Properties }] of resources('AWS::IAM::Policy')) expect(Properties.Roles, id).toHaveLength(1);
    expect(resources('AWS::IAM::ManagedPolicy')).toEqual([]);
  });

  it('is watched for errors, throttling and stranded events', () => {
    const metrics = resources('AWS::CloudWatch::Alarm').map(([, { Properties }]) => ({
      metric: Properties.MetricName as string,
      of: text(Properties.Dimensions[0].Value),
    }));
    for (const [id, { Properties }] of functions()) {
      const queue = text(Properties.DeadLetterConfig.TargetArn).replace('.Arn>', '.QueueName>');
      expect(metrics).toContainEqual({ metric: 'Errors', of: `<${id}>` });
      expect(metrics).toContainEqual({ metric: 'Throttles', of: `<${id}>` });
      expect(metrics).toContainEqual({ metric: 'ApproximateNumberOfMessagesVisible', of: queue });
    }
  });
});

describe('no policy of a role', () => {
  it('has an action with a wildcard', () => {
    const actions = grants().flatMap((grant) => grant.actions);
    expect(actions.filter((action) => action.includes('*'))).toEqual([]);
  });

  it('has a resource with a wildcard, but for X-Ray, whose actions know no resources', () => {
    expect(grants().filter((grant) => grant.resources.some((resource) => resource.includes('*')))).toEqual(
      functions().map(() => ({
        actions: ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'],
        resources: ['*'],
        condition: undefined,
      })),
    );
  });

  it('says what is not allowed instead of what is', () => {
    expect(JSON.stringify(template.toJSON())).not.toMatch(/"Not(Action|Resource|Principal)"/);
  });
});

describe('every alarm', () => {
  it('goes to the topic, and says what breaks and where to read on', () => {
    for (const [id, { Properties }] of resources('AWS::CloudWatch::Alarm')) {
      expect(listOf(Properties.AlarmActions).map(text), id).toEqual([expect.stringMatching(/^<Alarms/)]);
      expect(Properties.ActionsEnabled, id).not.toBe(false);
      expect(Properties.AlarmDescription, id).toMatch(
        /^[a-z-]+ .+\. Impact: .+\. Runbook: functions\/[a-z-]+\/README\.md$/,
      );
      expect(Properties.AlarmDescription.length, id).toBeLessThanOrEqual(1024);
    }
  });

  it('may publish to the topic, which only takes alarms of this account', () => {
    const allowed = statementsOf('AWS::SNS::TopicPolicy').filter(({ Effect }) => Effect === 'Allow');
    expect(allowed).toEqual([
      expect.objectContaining({
        Action: 'sns:Publish',
        Principal: { Service: 'cloudwatch.amazonaws.com' },
        Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } }, ArnLike: expect.anything() },
      }),
    ]);
  });

  it('goes to an existing topic when the settings name one, and then no topic is created', () => {
    const topicArn = 'arn:aws:sns:eu-central-1:111122223333:operations';
    const { template: other } = synth({ ...SETTINGS, alarms: { topicArn } });
    expect(resources('AWS::SNS::Topic', other)).toEqual([]);
    for (const [id, { Properties }] of resources('AWS::CloudWatch::Alarm', other))
      expect(Properties.AlarmActions, id).toEqual([topicArn]);
  });
});

it('every queue and topic is encrypted on the way, and every queue where it lies', () => {
  const denials = (type: string, key: string) =>
    resources(type)
      .filter(([, { Properties }]) =>
        (Properties.PolicyDocument.Statement as Statement[]).some(
          ({ Effect, Condition }) => Effect === 'Deny' && Condition?.['Bool']?.['aws:SecureTransport'] === 'false',
        ),
      )
      .flatMap(([, { Properties }]) => Properties[key].map(text));
  const ids = (type: string) => resources(type).map(([id]) => `<${id}>`);
  expect(denials('AWS::SQS::QueuePolicy', 'Queues').toSorted()).toEqual(ids('AWS::SQS::Queue').toSorted());
  expect(denials('AWS::SNS::TopicPolicy', 'Topics')).toEqual(ids('AWS::SNS::Topic'));
  for (const [id, { Properties }] of resources('AWS::SQS::Queue'))
    expect(Properties, id).toMatchObject({ SqsManagedSseEnabled: true, MessageRetentionPeriod: 14 * 86_400 });
});

/** The ARN of the function that reports as this Lambda. */
const functionArn = (lambda: string): string => {
  const found = functions().find(
    ([, { Properties }]) => Properties.Environment.Variables.POWERTOOLS_SERVICE_NAME === lambda,
  );
  return `<${found?.[0]}.Arn>`;
};

describe('rotation', () => {
  it('grants its actions on exactly the managed secrets, and reading on exactly those and the administrators', () => {
    const write = ['PutSecretValue', 'UpdateSecretVersionStage', 'DescribeSecret', 'ListSecretVersionIds'];
    for (const action of write) expect(resourcesOf(`secretsmanager:${action}`), action).toEqual(new Set(MANAGED));
    expect(resourcesOf('secretsmanager:GetSecretValue')).toEqual(new Set([...MANAGED, named('owner/atlas')]));
    const granted = new Set(grants().flatMap(({ actions }) => actions));
    expect([...granted].filter((action) => action.startsWith('secretsmanager:')).toSorted()).toEqual(
      [...write, 'GetSecretValue', 'RotateSecret'].map((action) => `secretsmanager:${action}`).toSorted(),
    );
    expect(
      grantsOf('secretsmanager:RotateSecret').map(({ resources: list }) => list),
      'the sweep alone',
    ).toEqual([MANAGED.toSorted()]);
  });

  it('uses a key only for the secrets under it, and the administrators there only to read', () => {
    // The rotation and the sweep may the same.
    const context = (action: string) => {
      const all = grantsOf(action).map(({ resources: keys, condition }) => ({
        keys,
        secrets: listOf(condition?.['StringLike']?.['kms:EncryptionContext:SecretARN']).map(text),
      }));
      expect(all[1]).toEqual(all[0]);
      return all.slice(0, -1);
    };
    const held = [COMPLETE, named('stock/atlas')];
    expect(context('kms:GenerateDataKey')).toEqual([{ keys: [KEY], secrets: held }]);
    expect(context('kms:Decrypt')).toEqual([{ keys: [KEY], secrets: [...held, named('owner/atlas')] }]);
    expect(new Set(grants().flatMap(({ actions }) => actions.filter((action) => action.startsWith('kms:'))))).toEqual(
      new Set(['kms:Decrypt', 'kms:GenerateDataKey']),
    );
  });

  it('is invoked by Secrets Manager for these secrets of this account alone, and by nobody else', () => {
    const permissions = resources('AWS::Lambda::Permission')
      .filter(([, { Properties }]) => Properties.Principal !== 'events.amazonaws.com')
      .map(([, { Properties }]) => ({
        principal: Properties.Principal,
        account: text(Properties.SourceAccount),
        secret: text(Properties.SourceArn),
      }));
    expect(permissions).toEqual(
      MANAGED.map((secret) => ({ principal: 'secretsmanager.amazonaws.com', account: '<AWS::AccountId>', secret })),
    );
  });

  it('is scheduled for each secret, after it may be invoked and may read, and does not begin with a deployment', () => {
    const schedules = resources('AWS::SecretsManager::RotationSchedule');
    expect(
      schedules.map(([, { Properties }]) => [Properties.SecretId, Properties.RotationRules.ScheduleExpression]),
    ).toEqual([
      ['billing/atlas', 'rate(1 day)'],
      [COMPLETE, 'rate(30 days)'],
      ['stock/atlas', 'rate(30 days)'],
    ]);
    for (const [index, [id, { Properties, DependsOn }]] of schedules.entries()) {
      expect(Properties.RotateImmediatelyOnUpdate, id).toBe(false);
      const [permission] = resources('AWS::Lambda::Permission').find(
        ([, { Properties: other }]) =>
          other.Principal === 'secretsmanager.amazonaws.com' && text(other.SourceArn) === MANAGED[index],
      )!;
      const [policy] = resources('AWS::IAM::Policy')[0]!;
      expect(DependsOn, id).toEqual(expect.arrayContaining([permission, policy]));
    }
  });

  it('listens for what Secrets Manager says of exactly these secrets, keeps it, and alarms', () => {
    const rules = resources('AWS::Events::Rule').filter(([, { Properties }]) => Properties.EventPattern);
    expect(
      rules.map(([, { Properties }]) => text(Properties.EventPattern.detail.additionalEventData.SecretId[0].prefix)),
    ).toEqual(MANAGED.map((arn) => arn.replace('??????', '')));
    const alarms = resources('AWS::CloudWatch::Alarm').map(([, { Properties }]) => Properties.Dimensions[0]);
    const kept = statementsOf('AWS::SQS::QueuePolicy').filter(({ Effect }) => Effect === 'Allow');
    expect(text(kept[0]?.Condition?.['ArnLike']?.['aws:SourceArn'])).toBe(
      'arn:<AWS::Partition>:events:<AWS::Region>:<AWS::AccountId>:rule/*',
    );
    for (const [id, { Properties }] of rules) {
      expect(alarms).toContainEqual({ Name: 'RuleName', Value: { Ref: id } });
      expect(
        Properties.Targets.map(({ Arn }: { Arn: unknown }) => text(Arn)),
        id,
      ).toEqual([text(kept[0]?.Resource), functionArn('sweep-service-account-secrets')]);
      const permission = resources('AWS::Lambda::Permission').find(
        ([, other]) => text(other.Properties.SourceArn) === `<${id}.Arn>`,
      );
      expect(permission?.[1].Properties, id).toMatchObject({ Principal: 'events.amazonaws.com' });
      expect(text(permission?.[1].Properties.FunctionName)).toBe(functionArn('sweep-service-account-secrets'));
    }
  });

  it('is swept every hour, and missed when it is not', () => {
    const hourly = resources('AWS::Scheduler::Schedule');
    expect(hourly.map(([, { Properties }]) => [Properties.ScheduleExpression, text(Properties.Target.Arn)])).toEqual([
      ['rate(1 hour)', functionArn('sweep-service-account-secrets')],
    ]);
    const silences = resources('AWS::CloudWatch::Alarm').filter(
      ([, { Properties }]) => Properties.TreatMissingData === 'breaching',
    );
    expect(silences).toHaveLength(1);
  });

  it('has the whole environment its contract asks for', () => {
    const [, { Properties }] = functions()[0]!;
    const environment = Properties.Environment.Variables;
    expect(Object.keys(environment)).toEqual(expect.arrayContaining(Object.keys(Config.shape)));
    const [[bus] = ['']] = resources('AWS::Events::EventBus');
    expect(Config.parse({ ...environment, EVENT_BUS: text(environment.EVENT_BUS) })).toEqual({
      MONGODB_ATLAS_BASE_URL: 'https://cloud.mongodb.com',
      EVENT_BUS: `<${bus}>`,
    });
  });

  it('is deployed with its settings beside it, and again when they change', () => {
    const bundles = tinyBundles();
    const key = (everyDays: number) => {
      const { template: one } = synth({ rotation: { everyDays, secrets: [{ secret: 'a' }] } }, bundles);
      return resources('AWS::Lambda::Function', one)[0]![1].Properties.Code.S3Key as string;
    };
    expect(key(30)).toBe(key(30));
    expect(key(30)).not.toBe(key(31));

    const asset = (functions()[0]![1].Properties.Code.S3Key as string).replace('.zip', '');
    const folder = readdirSync(outdir).find((name) => name.startsWith(`asset.${asset}`))!;
    const settings = JSON.parse(readFileSync(path.join(outdir, folder, 'settings.json'), 'utf8'));
    expect(Object.keys(settings)).toEqual(['rotation']);
    expect(settings.rotation.secrets[0]).toEqual({ secret: 'billing/atlas', everyDays: 1, graceHours: 12, fanOut: [] });
    expect(() => readFileSync(path.join(bundles, 'rotate-service-account-secret', 'settings.json'))).toThrow('ENOENT');
  });

  it('keeps the ids of what belongs to a secret, in whatever order and by whichever of its names it is listed', () => {
    const idsOf = (secrets: string[]) =>
      new Set(
        Object.keys(
          synth({ rotation: { secrets: secrets.map((secret) => ({ secret })) } }).template.toJSON()['Resources'],
        ),
      );
    expect(idsOf([COMPLETE, 'billing/atlas'])).toEqual(idsOf(['billing/atlas', 'orders/atlas']));
  });

  it('is not deployed when there is no secret to rotate', () => {
    const { template: empty } = synth({});
    expect(resources('AWS::Lambda::Function', empty)).toEqual([]);
    expect(resources('AWS::IAM::Role', empty)).toEqual([]);
  });
});

describe('the stack', () => {
  it('fits any account and region, or exactly the one in the settings', () => {
    expect(synth({}).stack.environment).toBe('aws://unknown-account/unknown-region');
    const here = { account: '111122223333', region: 'eu-central-1', name: 'somewhere', tags: { owner: 'people' } };
    const { stack } = synth({ stack: here });
    expect(stack.environment).toBe('aws://111122223333/eu-central-1');
    expect(stack.stackName).toBe('somewhere');
    expect(stack.tags.tagValues()).toEqual({ owner: 'people' });
  });

  it('says what to run when the bundles are not there', () => {
    expect(() => synth(SETTINGS, '/nowhere')).toThrow(
      /rotate-service-account-secret holds no bundle: run npm run build/,
    );
  });
});
