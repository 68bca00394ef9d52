/** Three hundred managed secrets in one stack: within the limits of CloudFormation, IAM, Lambda and EventBridge. */
import { beforeAll, describe, expect, it } from 'vitest';
import { loadSettings, Settings } from '../../infra/settings.ts';
import { deployed, text } from '../infra/synth.ts';

const KEY = 'arn:aws:kms:eu-central-1:111122223333:key/0b0f4f3e-1111-2222-3333-444455556666';
const HERE = { account: '111122223333', region: 'eu-central-1' };
/** As long as names of secrets are in companies that name by rules. */
const nameOf = (n: number): string =>
  `atlas/production/${n % 7 ? 'payments' : 'reporting'}-${String(n).padStart(3, '0')}/service-account`;

interface Resource {
  // biome-ignore lint/suspicious/noExplicitAny: the shape is what the tests are about
  readonly Properties: any;
}

const stackOf = (count: number, kmsKeyArn?: string) => {
  const base = loadSettings('infra/settings.example.json');
  const secrets = Array.from({ length: count }, (_, n) => ({
    secret: nameOf(n),
    adminSecret: 'atlas/production/administrator',
    ...(kmsKeyArn !== undefined && { kmsKeyArn }),
  }));
  const settings = Settings.parse(
    JSON.parse(JSON.stringify({ ...base, rotation: { secrets }, stack: { ...base.stack, ...HERE } })),
  );
  const { template } = deployed({ settings });
  const all = (type: string) => Object.entries(template.findResources(type) as Record<string, Resource>);
  return { all, json: template.toJSON() };
};
/** What intrinsic functions become, at the length they have in an account. */
const plain = (value: unknown): string =>
  JSON.stringify(value)
    .replaceAll(/\{"Ref":"AWS::Partition"\}/g, '"aws"')
    .replaceAll(/\{"Fn::GetAtt":\["[^"]+","Arn"\]\}/g, JSON.stringify('a'.repeat(120)));

let many: ReturnType<typeof stackOf>;
beforeAll(() => {
  many = stackOf(300, KEY);
}, 240_000);

const secretsManagerPermissions = ({ all }: ReturnType<typeof stackOf>) =>
  all('AWS::Lambda::Permission').filter(
    ([, { Properties }]) => Properties.Principal === 'secretsmanager.amazonaws.com',
  );

describe('three hundred secrets beside everything else', () => {
  it('are rotated each by a schedule of its own, in a stack CloudFormation takes', () => {
    expect(many.all('AWS::SecretsManager::RotationSchedule')).toHaveLength(300);
    expect(Object.keys(many.json['Resources']).length).toBeLessThanOrEqual(500);
    expect(JSON.stringify(many.json).length).toBeLessThan(1_000_000);
  });

  it('take one permission: Secrets Manager of this account, for what their names begin with', () => {
    const permissions = secretsManagerPermissions(many).map(([, { Properties }]) => Properties);
    expect(permissions).toHaveLength(1);
    expect(permissions[0].SourceAccount).toBe(HERE.account);
    expect(text(permissions[0].SourceArn)).toBe(
      `arn:<AWS::Partition>:secretsmanager:${HERE.region}:${HERE.account}:secret:atlas/production/*`,
    );
  });

  it('leave every function’s resource policy below 20 KB', () => {
    const perFunction = Map.groupBy(many.all('AWS::Lambda::Permission'), ([, { Properties }]) =>
      text(Properties.FunctionName),
    );
    // A statement in the policy: its id, the function's ARN, the principal, and the conditions.
    for (const [fn, permissions] of perFunction) expect([fn, permissions.length * 520 < 20_480]).toEqual([fn, true]);
  });

  it('are named one by one in the roles, which IAM takes', () => {
    const managed = many.all('AWS::IAM::ManagedPolicy');
    for (const [id, { Properties }] of [...managed, ...many.all('AWS::IAM::Policy')]) {
      const most = managed.some(([each]) => each === id) ? 6_144 : 10_240;
      expect([id, plain(Properties.PolicyDocument).replaceAll(/\s/g, '').length < most]).toEqual([id, true]);
    }
    for (const [id, { Properties }] of many.all('AWS::IAM::Role'))
      expect([id, (Properties.ManagedPolicyArns ?? []).length <= 10]).toEqual([id, true]);
    const named = new Set(
      [...managed, ...many.all('AWS::IAM::Policy')].flatMap(([, { Properties }]) =>
        (Properties.PolicyDocument.Statement as { Action: string | string[]; Resource: unknown }[])
          .filter(({ Action }) => [Action].flat().includes('secretsmanager:PutSecretValue'))
          .flatMap(({ Resource }) => [Resource].flat().map((arn) => text(arn).replace(/^.*:secret:|-\?+$/g, ''))),
      ),
    );
    expect(named).toEqual(new Set(Array.from({ length: 300 }, (_, n) => nameOf(n))));
  });

  it('are heard of each where Secrets Manager gives one up, in patterns EventBridge takes', () => {
    const rules = many
      .all('AWS::Events::Rule')
      .filter(([, { Properties }]) => Properties.EventPattern.source.includes('aws.secretsmanager'));
    const prefixes = rules.flatMap(([, { Properties }]) => {
      const pattern = JSON.stringify(Properties.EventPattern)
        .replaceAll('{"Fn::Join":["",["arn:",{"Ref":"AWS::Partition"},', '')
        .replaceAll(']]}', '');
      expect(pattern.length).toBeLessThan(2_048);
      return Properties.EventPattern.detail.additionalEventData.SecretId.map(({ prefix }: { prefix: unknown }) =>
        text(prefix),
      );
    });
    expect(new Set(prefixes).size).toBe(300);
    const permission = many
      .all('AWS::Lambda::Permission')
      .find(([id]) => id.includes('RotateServiceAccountSecretSweep'))?.[1];
    const pattern = text(permission?.Properties.SourceArn)
      .replace(/^.*rule\//, '')
      .replace('*', '');
    for (const [, { Properties }] of rules) {
      expect(Properties.Name.startsWith(pattern)).toBe(true);
      expect(Properties.Name.length).toBeLessThanOrEqual(64);
      expect(Properties.Targets).toHaveLength(2);
    }
    const summed = many
      .all('AWS::CloudWatch::Alarm')
      .flatMap(([, { Properties }]) =>
        (Properties.Metrics ?? []).flatMap(
          ({ MetricStat }: { MetricStat?: { Metric: { Dimensions: { Value: { Ref: string } }[] } } }) =>
            MetricStat?.Metric.Dimensions.map(({ Value }) => Value.Ref) ?? [],
        ),
      );
    expect(summed.toSorted()).toEqual(rules.map(([id]) => id).toSorted());
  });
});

it('twenty-five have a permission, a rule and an alarm each; the next one makes them share', {
  timeout: 240_000,
}, () => {
  expect(secretsManagerPermissions(stackOf(25))).toHaveLength(25);
  const more = stackOf(26);
  expect(secretsManagerPermissions(more)).toHaveLength(1);
  expect(more.all('AWS::SecretsManager::RotationSchedule')).toHaveLength(26);
});
