/** The settings in infra/examples, each synthesized, held against cdk-nag, and looked at for what it is an example of. */
import { Validations } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import type { IConstruct } from 'constructs';
import { describe, expect, it } from 'vitest';
import { deployed, EXAMPLES, example } from '../infra/synth.ts';

const SLOW = 120_000;

/** What is accepted where, with its reason. */
const acceptedIn = (stack: IConstruct) =>
  stack.node.findAll().flatMap(({ node }) =>
    node.metadata
      .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
      .flatMap(({ data }) => Object.entries<string>(data))
      .map(([id, reason]) => ({ id: id.replace(/^annotation::/i, ''), path: node.path, reason })),
  );

/** What the rules would say if nothing were accepted. */
const foundWithout = (stack: IConstruct) => {
  const pack = new AwsSolutionsChecks();
  Reflect.set(pack, 'isAcknowledged', () => false);
  return pack
    .validateScope(stack)
    .violations.flatMap(({ ruleName, violatingResources }) =>
      violatingResources.map(({ constructPath }) => ({ id: ruleName, path: constructPath })),
    );
};

const known = new Map<string, ReturnType<typeof synthesize>>();
const synthesized = (name: string) => {
  const before = known.get(name) ?? synthesize(name);
  known.set(name, before);
  return before;
};
const synthesize = (name: string) => {
  const { app, stacks, template } = deployed(example(name));
  const all = [stacks.functions, stacks.data, stacks.network].flatMap((stack) => stack ?? []);
  const findings = all.flatMap((stack) =>
    new AwsSolutionsChecks()
      .validateScope(stack)
      .violations.flatMap(({ ruleName, violatingResources }) =>
        violatingResources.map(({ constructPath }) => `${ruleName} ${constructPath}`),
      ),
  );
  const accepted = all.flatMap(acceptedIn).filter(({ id }) => id.startsWith('AwsSolutions-'));
  const wouldBeFound = all.flatMap(foundWithout);
  const unneeded = accepted.filter(
    ({ id, path }) => !wouldBeFound.some((found) => found.id === id && found.path?.startsWith(path)),
  );
  const notes = all.flatMap((stack) => [
    ...Annotations.fromStack(stack).findError('*', Match.anyValue()),
    ...Annotations.fromStack(stack).findWarning('*', Match.anyValue()),
  ]);
  return {
    app,
    stacks,
    template,
    findings,
    accepted,
    unneeded,
    notes: notes.map(({ entry }) => entry.data),
    data: stacks.data && Template.fromStack(stacks.data),
    network: stacks.network && Template.fromStack(stacks.network),
    count: (type: string) => Object.keys(template.findResources(type)).length,
  };
};

describe.each(Object.values(EXAMPLES).flat())('%s', (name) => {
  it('synthesizes with nothing that cdk-nag finds, and nothing CDK warns of', { timeout: SLOW }, () => {
    const { findings, notes } = synthesized(name);
    expect(findings).toEqual([]);
    expect(notes).toEqual([]);
  });

  it('accepts one finding at a time, each with its reason, and none that there is not', { timeout: SLOW }, () => {
    const { accepted, unneeded } = synthesized(name);
    expect(unneeded).toEqual([]);
    for (const { id, path, reason } of accepted) {
      // A policy's wildcard is named; a whole rule is accepted of one resource, and never of a stack.
      expect(id).toMatch(/^AwsSolutions-(IAM5\[(Resource|Action)::.+\]|(?!IAM5)[A-Z]+\d+)$/);
      expect(path.split('/').length).toBeGreaterThan(1);
      expect(reason.length).toBeGreaterThan(30);
    }
  });
});

it('the small team gets one rotated secret, an audit by its own clock, and issues', { timeout: SLOW }, () => {
  const { template, count, network, stacks } = synthesized('examples/small-team.yaml');
  expect(stacks.functions.environment).toBe('aws://unknown-account/unknown-region');
  expect(network).toBeUndefined();
  expect(count('AWS::Lambda::Function')).toBe(7);
  expect(count('AWS::SecretsManager::RotationSchedule')).toBe(1);
  template.hasResourceProperties('AWS::Scheduler::Schedule', {
    ScheduleExpression: 'cron(30 3 * * ? *)',
    ScheduleExpressionTimezone: 'Europe/Berlin',
    FlexibleTimeWindow: { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 10 },
  });
  template.resourceCountIs('AWS::SNS::Subscription', 1);
});

describe('the company', () => {
  it('has three organizations, each in an account of its own, with stacks of its own name', { timeout: SLOW }, () => {
    const stages = EXAMPLES.company.map((name) => synthesized(name).stacks.functions);
    expect(stages.map(({ stackName, environment }) => [stackName, environment])).toEqual([
      ['atlas-automation-emea', 'aws://111122223333/eu-central-1'],
      ['atlas-automation-apac', 'aws://222233334444/ap-southeast-1'],
      ['atlas-automation-labs', 'aws://333344445555/eu-west-1'],
    ]);
  });

  it('says once what all have, and in each stage what is different', () => {
    const [emea, apac, labs] = EXAMPLES.company.map((name) => example(name).settings);
    expect([emea, apac, labs].map((stage) => stage?.rotation.secrets.length)).toEqual([2, 1, 0]);
    expect(new Set([emea, apac, labs].map((stage) => stage?.rotation.everyDays))).toEqual(new Set([14]));
    expect(apac?.schedules).toMatchObject({ timeZone: 'Asia/Singapore', auditAt: '02:00', auditEveryHours: 6 });
    expect(labs?.alarms).toMatchObject({ email: 'labs@example.com' });
    expect(labs?.alarms.topicArn).toBeUndefined();
    expect(labs?.atlas.credentials.migration).toBeUndefined();
    expect(labs?.tickets.routes.map(({ to }) => to)).toEqual([['jira']]);
    expect(emea?.tickets.destinations.map(({ type }) => type)).toEqual(['jira', 'pagerduty']);
  });

  it('audits at the same four times a day, and keeps strangers’ floods small', { timeout: SLOW }, () => {
    const { template } = synthesized('examples/company.yaml#emea');
    template.hasResourceProperties('AWS::Scheduler::Schedule', { ScheduleExpression: 'cron(0 2,8,14,20 * * ? *)' });
    for (const [lambda, reserved] of [
      ['receive-atlas-alert', 20],
      ['receive-ticket-update', 10],
    ])
      template.hasResourceProperties('AWS::Lambda::Function', {
        ReservedConcurrentExecutions: reserved,
        Environment: { Variables: Match.objectLike({ POWERTOOLS_SERVICE_NAME: lambda }) },
      });
    expect(Object.keys(template.findResources('AWS::SNS::Topic'))).toEqual([]);
  });
});

it('the bank keeps reports nobody can delete, under its own key', { timeout: SLOW }, () => {
  const { data } = synthesized('examples/bank.yaml');
  data?.hasResourceProperties('AWS::S3::Bucket', {
    ObjectLockEnabled: true,
    ObjectLockConfiguration: { Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: 3650 } } },
    BucketEncryption: {
      ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' } }],
    },
    LoggingConfiguration: { DestinationBucketName: 'example-access-logs' },
  });
  data?.hasResource('AWS::KMS::Key', { DeletionPolicy: 'Retain', Properties: { EnableKeyRotation: true } });
});

it('the bank reaches the internet from two fixed addresses, and AWS’s keys and secrets without it', {
  timeout: SLOW,
}, () => {
  const { network, template } = synthesized('examples/bank.yaml');
  expect(Object.values(network?.findResources('AWS::EC2::EIP') ?? {})).toEqual([
    expect.objectContaining({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' }),
    expect.objectContaining({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' }),
  ]);
  network?.resourceCountIs('AWS::EC2::NatGateway', 2);
  const endpoints = Object.values(network?.findResources('AWS::EC2::VPCEndpoint') ?? {}).map(
    ({ Properties }) => Properties.VpcEndpointType,
  );
  expect(endpoints.toSorted()).toEqual(['Gateway', 'Gateway', 'Interface', 'Interface']);
  network?.hasResourceProperties('AWS::EC2::SecurityGroup', {
    SecurityGroupIngress: Match.absent(),
    SecurityGroupEgress: [
      Match.objectLike({ FromPort: 443, ToPort: 443 }),
      Match.objectLike({ FromPort: 27017, ToPort: 27017 }),
    ],
  });
  for (const { Properties } of Object.values(template.findResources('AWS::Lambda::Function')))
    expect(Properties.VpcConfig).toMatchObject({ SubnetIds: [{}, {}], SecurityGroupIds: [{}] });
});

it('the bank runs signed code alone, by the name of what was signed', { timeout: SLOW }, () => {
  const { template } = synthesized('examples/bank.yaml');
  for (const { Properties } of Object.values(template.findResources('AWS::Lambda::Function'))) {
    expect(Properties.CodeSigningConfigArn).toMatch(/code-signing-config:csc-/);
    expect(Properties.Code).toEqual({
      S3Bucket: 'example-signed-code',
      S3Key: expect.stringMatching(/^atlas-automation\/[a-z-]+-[0-9a-f]{64}\.zip$/),
    });
  }
});
