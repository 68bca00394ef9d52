import { Duration, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { describe, expect, it, vi } from 'vitest';
import { OpsFunction, type OpsFunctionProps } from '../../infra/constructs/ops-function.ts';
import { newApp, tinyBundles } from './synth.ts';

// The first synthesis of a process loads all of the CDK.
vi.setConfig({ testTimeout: 90_000 });

type Environment = { readonly STATE_TABLE: string; readonly EVENT_BUS?: string | undefined };

const bundles = tinyBundles();
const templateOf = (props: Partial<OpsFunctionProps<Environment>> = {}): Template => {
  const stack = new Stack(newApp(), 'Test');
  new OpsFunction<Environment>(stack, 'Sweep', {
    foundation: {
      bundles,
      alarmTopic: new Topic(stack, 'Alarms'),
      logRetention: RetentionDays.ONE_WEEK,
      scheduleGroup: new CfnScheduleGroup(stack, 'Schedules', {}),
    },
    lambda: 'sweep-service-account-secrets',
    purpose: 'Sweeps',
    failureImpact: 'nobody sees it.',
    runbook: 'functions/x/README.md',
    environment: { STATE_TABLE: 'state', EVENT_BUS: 'default' },
    timeout: Duration.seconds(30),
    ...props,
  });
  return Template.fromStack(stack);
};

describe('OpsFunction', () => {
  it('may do nothing but log to its own group, strand its events and be traced', () => {
    const [policy] = Object.values(templateOf().findResources('AWS::IAM::Policy'));
    expect(policy?.['Properties'].PolicyDocument.Statement).toEqual([
      {
        Effect: 'Allow',
        Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        Resource: { 'Fn::GetAtt': [expect.stringContaining('Logs'), 'Arn'] },
      },
      {
        Effect: 'Allow',
        Action: 'sqs:SendMessage',
        Resource: { 'Fn::GetAtt': [expect.stringContaining('DeadLetters'), 'Arn'] },
      },
      { Effect: 'Allow', Action: ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'], Resource: '*' },
    ]);
  });

  it('takes memory, timeout and a reservation, and reserves nothing by itself', () => {
    templateOf({ memorySize: 1024, timeout: Duration.minutes(2), reservedConcurrency: 3 }).hasResourceProperties(
      'AWS::Lambda::Function',
      { MemorySize: 1024, Timeout: 120, ReservedConcurrentExecutions: 3 },
    );
    templateOf().hasResourceProperties('AWS::Lambda::Function', {
      MemorySize: 512,
      Timeout: 30,
      ReservedConcurrentExecutions: Match.absent(),
    });
  });

  it('is silent about silence unless asked', () => {
    templateOf().resourceCountIs('AWS::CloudWatch::Alarm', 3);
    const template = templateOf({ silence: Duration.hours(26) });
    template.resourceCountIs('AWS::CloudWatch::Alarm', 4);
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmDescription:
        'sweep-service-account-secrets did not run for 26 hours. Impact: nobody sees it. Runbook: functions/x/README.md',
      MetricName: 'Invocations',
      Statistic: 'Sum',
      Period: 3600,
      EvaluationPeriods: 26,
      Threshold: 1,
      ComparisonOperator: 'LessThanThreshold',
      TreatMissingData: 'breaching',
      AlarmActions: [{ Ref: Match.anyValue() }],
    });
  });

  it.each([Duration.hours(169), Duration.days(32), Duration.minutes(0)])(
    'refuses to wait %s for silence',
    (silence) => {
      expect(() => templateOf({ silence })).toThrow('1 hour to 7 days');
    },
  );

  it('wants the whole environment of the function, and nothing it does not know', () => {
    // @ts-expect-error EVENT_BUS has a default for the handler, and is nevertheless said here
    const missing: OpsFunctionProps<Environment>['environment'] = { STATE_TABLE: 'state' };
    // @ts-expect-error not in the contract
    const unknown: OpsFunctionProps<Environment>['environment'] = { STATE_TABLE: 's', EVENT_BUS: 'b', BUCKET: 'c' };
    expect([missing, unknown]).toHaveLength(2);
  });
});
