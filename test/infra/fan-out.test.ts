import { Template } from 'aws-cdk-lib/assertions';
import { beforeAll, describe, expect, it } from 'vitest';
import type * as z from 'zod';
import { DataStack } from '../../infra/data-stack.ts';
import { Settings } from '../../infra/settings.ts';
import { AutomationStack, needsData } from '../../infra/stack.ts';
import { newApp, text, tinyBundles } from './synth.ts';

const KEY = 'arn:aws:kms:eu-central-1:111122223333:key/0b0f4f3e-1111-2222-3333-444455556666';
const COMPLETE = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:copies/orders-Ab12Cd';
const fanOut = [
  { type: 'secrets-manager', secret: 'copies/billing', kmsKeyArn: KEY },
  { type: 'secrets-manager', secret: 'copies/abroad', region: 'us-west-2' },
  { type: 'secrets-manager', secret: COMPLETE },
  { type: 'ssm', parameter: '/shop/atlas', kmsKeyArn: KEY },
  { type: 'ssm', parameter: 'plain', region: 'us-west-2' },
  { type: 'github-actions', repository: 'acme/shop', name: 'ATLAS', tokenSecret: 'github/token' },
  { type: 'kubernetes', cluster: 'live', namespace: 'shop', secret: 'atlas' },
] as const;
const rotation = { secrets: [{ secret: 'billing', fanOut: [...fanOut] }] };
const BARE: z.input<typeof Settings> = { rotation: { secrets: [{ secret: 'billing' }] } };

interface Resource {
  // biome-ignore lint/suspicious/noExplicitAny: the shape is what the tests are about
  readonly Properties: any;
}
interface Statement {
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Condition?: Record<string, Record<string, unknown>>;
}

function synth(given: z.input<typeof Settings>) {
  const settings = Settings.parse(given);
  const app = newApp();
  const data = needsData(settings) ? new DataStack(app, 'Data', settings) : undefined;
  const stack = new AutomationStack(app, 'Test', { settings, bundles: tinyBundles(), ...(data && { data }) });
  const template = Template.fromStack(stack);
  const all = (type: string) => Object.entries(template.findResources(type) as Record<string, Resource>);
  const [sweepId, sweep] =
    all('AWS::Lambda::Function').find(
      ([, { Properties }]) =>
        Properties.Environment.Variables.POWERTOOLS_SERVICE_NAME === 'sweep-service-account-secrets',
    ) ?? [];
  const role = sweep?.Properties.Role['Fn::GetAtt'][0] as string;
  const statements = (of: (role: string) => boolean) =>
    all('AWS::IAM::Policy')
      .filter(([, { Properties }]) => of(Properties.Roles[0].Ref))
      .flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement as Statement[]);
  return {
    all,
    sweepId,
    environment: sweep?.Properties.Environment.Variables as Record<string, unknown>,
    sweeps: statements((one) => one === role),
    others: statements((one) => one !== role),
    alarms: all('AWS::CloudWatch::Alarm').map(([, { Properties }]) => Properties.MetricName as string),
    rules: all('AWS::Events::Rule').filter(
      ([, { Properties }]) => Properties.EventPattern?.source?.[0] === 'atlas-automation',
    ),
  };
}
const listOf = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value]);
const resourcesOf = (statements: readonly Statement[], action: string): string[] =>
  statements
    .filter(({ Action }) => listOf(Action).includes(action))
    .flatMap(({ Resource }) => listOf(Resource))
    .map((resource) => {
      try {
        return text(resource);
      } catch {
        return 'imported';
      }
    });

let stack: ReturnType<typeof synth>;
beforeAll(() => {
  stack = synth({ rotation, atlas: { credentials: { fleet: { secret: 'atlas/fleet' } } } });
}, 60_000);

describe('with targets in the settings, the sweep', () => {
  const named = (name: string, region = '<AWS::Region>') =>
    `arn:<AWS::Partition>:secretsmanager:${region}:<AWS::AccountId>:secret:${name}-??????`;
  const parameter = (name: string, region = '<AWS::Region>') =>
    `arn:<AWS::Partition>:ssm:${region}:<AWS::AccountId>:parameter/${name}`;
  const copies = [named('copies/billing'), named('copies/abroad', 'us-west-2'), COMPLETE];

  it('may write exactly these secrets and parameters, and read the tokens', () => {
    expect(new Set(resourcesOf(stack.sweeps, 'secretsmanager:PutSecretValue'))).toEqual(
      new Set([named('billing'), ...copies]),
    );
    expect(resourcesOf(stack.sweeps, 'ssm:PutParameter')).toEqual([
      parameter('shop/atlas'),
      parameter('plain', 'us-west-2'),
    ]);
    expect(resourcesOf(stack.sweeps, 'ssm:GetParameter')).toEqual(resourcesOf(stack.sweeps, 'ssm:PutParameter'));
    expect(resourcesOf(stack.sweeps, 'secretsmanager:GetSecretValue')).toEqual(
      expect.arrayContaining([named('github/token'), named('atlas/fleet')]),
    );
  });

  it('uses a key for what lies under it alone', () => {
    const keyed = stack.sweeps.filter(({ Action }) => listOf(Action).some((action) => action.startsWith('kms:')));
    expect(keyed.map(({ Action, Condition }) => [listOf(Action).toSorted(), Object.keys(Condition ?? {})])).toEqual([
      [['kms:Decrypt', 'kms:GenerateDataKey'], ['StringLike']],
      [['kms:Decrypt', 'kms:Encrypt'], ['StringEquals']],
    ]);
    const contexts = keyed.flatMap(({ Condition }) =>
      Object.values(Condition ?? {}).map((one) => Object.entries(one)[0]),
    );
    expect(contexts.map((one) => [one?.[0], listOf(one?.[1]).map(text)])).toEqual([
      ['kms:EncryptionContext:SecretARN', [named('copies/billing')]],
      ['kms:EncryptionContext:PARAMETER_ARN', [parameter('shop/atlas')]],
    ]);
  });

  it('alone may: no other function writes to a target', () => {
    expect(resourcesOf(stack.others, 'ssm:PutParameter')).toEqual([]);
    expect(resourcesOf(stack.others, 'secretsmanager:PutSecretValue')).toEqual([named('billing')]);
  });

  it('hears of every rotation, and alarms of places that are behind', () => {
    expect(stack.rules.map(([, { Properties }]) => Properties.EventPattern)).toEqual([
      {
        source: ['atlas-automation'],
        'detail-type': [
          'Service Account Secret Rotated',
          'Service Account Secret Rolled Back',
          'Service Account Secret Rotation Taken Back',
        ],
      },
    ]);
    const [target] = stack.rules[0]?.[1].Properties.Targets ?? [];
    expect(text(target.Arn)).toBe(`<${stack.sweepId}.Arn>`);
    expect(target.DeadLetterConfig).toBeDefined();
    expect(stack.alarms).toEqual(expect.arrayContaining(['SecretsBlocked', 'TargetsBehind', 'FleetFailed']));
  });

  it('remembers under its own keys, and reports under its own name', () => {
    const keys = stack.sweeps
      .filter(({ Action }) => listOf(Action).includes('dynamodb:PutItem'))
      .flatMap(({ Condition }) => Condition?.['ForAllValues:StringLike']?.['dynamodb:LeadingKeys']);
    expect(keys).toEqual([
      'fan-out *',
      'service-account-fleet',
      'service-account-fleet-look',
      'service-account-writer',
    ]);
    expect(stack.environment).toMatchObject({
      STATE_TABLE: expect.anything(),
      REPORT_BUCKET: expect.anything(),
      ATLAS_CREDENTIALS_SECRET: 'atlas/fleet',
    });
  });
});

it('without them it does without all that', () => {
  const bare = synth(BARE);
  expect(bare.rules).toEqual([]);
  expect(bare.environment['STATE_TABLE']).toBeUndefined();
  expect(bare.alarms).not.toContain('TargetsBehind');
  expect(bare.sweeps.flatMap(({ Action }) => Action).filter((action) => /^(ssm|dynamodb|s3):/.test(action))).toEqual(
    [],
  );
});

describe('the settings of targets', () => {
  it.each([
    [{ type: 'secrets-manager', secret: 'a*' }, 'secret'],
    [{ type: 'secrets-manager', secret: 'a', kmsKeyArn: 'arn:aws:kms:eu-central-1:111122223333:alias/x' }, 'kmsKeyArn'],
    [{ type: 'ssm', parameter: '/p', kmsKeyArn: 'arn:aws:kms:*' }, 'kmsKeyArn'],
    [{ type: 'github-actions', repository: 'o/r', name: 'A', tokenSecret: '*' }, 'tokenSecret'],
  ])('refuse what would make a policy wider: %o', (target, key) => {
    const given = { rotation: { secrets: [{ secret: 'billing', fanOut: [target] }] } };
    expect(Settings.safeParse(given).error?.issues.map(({ path }) => path.at(-1))).toEqual([key]);
  });
});
