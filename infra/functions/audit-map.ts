import { ArnFormat, Duration, RemovalPolicy, Stack, Token } from 'aws-cdk-lib';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { CfnPolicy, CfnRole } from 'aws-cdk-lib/aws-iam';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import { CfnStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { AuditSettings } from '../../functions/audit-snapshot-schedules/contract.ts';
import { accept } from '../constructs/accepted.ts';
import type { OpsFoundation, OpsFunction } from '../constructs/ops-function.ts';
import { type TimedRun, timesOf } from '../constructs/timed-runs.ts';
import type { DataStack } from '../data-stack.ts';
import { exportedArn } from './grants.ts';

export interface AuditMapProps<Environment extends object> {
  readonly foundation: OpsFoundation;
  /** The function every step calls. */
  readonly ops: OpsFunction<Environment>;
  readonly distributed: AuditSettings['distributed'];
  readonly data: Pick<DataStack, 'reports' | 'key'>;
  readonly run: TimedRun;
}

/** The function's longest run, and a little: a call that is not answered by then has no answer. */
const CALL_SECONDS = 16 * 60;
/** An audit that is not done by then never will be: its tokens and its checkpoint have had their day. */
const WHOLE_SECONDS = 6 * 60 * 60;

/** What may be asked again at once, since Lambda itself did not get to it. Source: Step Functions developer guide, Lambda best practices. */
const LAMBDA_BUSY = [
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'Lambda.TooManyRequestsException',
];
/** Time ran out: the next call goes on from there. */
const GOES_ON = ['AuditUnfinished', 'TimeRanOut', 'Sandbox.Timedout', 'States.Timeout'];

/**
 * An audit in pieces, as a state machine over the same function: it plans, audits the chunks side by side in a Distributed
 * Map, and merges them organization by organization. A chunk that fails is a hole in the coverage of its own organization
 * and no more; too many of them end the others. Trigger: the schedule, instead of the function's own; by hand, an
 * execution, whose input may say `mode`, `organization` and `anew`.
 * May: invoke this one function, read the list of chunks, and start, look at and stop executions of itself.
 */
export class AuditMap extends Construct {
  constructor(scope: Construct, id: string, props: AuditMapProps<object>) {
    super(scope, id);
    const stack = Stack.of(this);
    const { foundation, ops, data, run } = props;
    // A name of its own, so that its role can name it before it is there.
    const name = `${stack.stackName.slice(0, 60)}-audit`;
    const arn = (resource: string, resourceName: string): string =>
      stack.formatArn({ service: 'states', resource, resourceName, arnFormat: ArnFormat.COLON_RESOURCE_NAME });

    const logs = new LogGroup(this, 'Logs', {
      // CloudWatch keeps one policy for all logs AWS delivers, and shortens it for this prefix.
      logGroupName: `/aws/vendedlogs/states/${name}`,
      retention: foundation.logRetention,
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    const role = new CfnRole(this, 'Role', {
      description: 'Audits in pieces, and nothing else',
      assumeRolePolicyDocument: trust('states.amazonaws.com', {
        StringEquals: { 'aws:SourceAccount': stack.account },
        ArnEquals: { 'aws:SourceArn': arn('stateMachine', name) },
      }),
    });
    const policy = new CfnPolicy(this, 'Policy', {
      policyName: 'audit-in-pieces',
      roles: [role.ref],
      policyDocument: {
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: ops.fn.functionArn },
          { Effect: 'Allow', Action: 's3:GetObject', Resource: data.reports.arnForObjects('audits/*/items.json') },
          { Effect: 'Allow', Action: 'states:StartExecution', Resource: arn('stateMachine', name) },
          {
            Effect: 'Allow',
            Action: ['states:DescribeExecution', 'states:StopExecution'],
            Resource: [arn('execution', `${name}:*`), arn('execution', `${name}/${CHUNKS}:*`)],
          },
          ...(data.key ? [{ Effect: 'Allow', Action: 'kms:Decrypt', Resource: data.key.keyArn }] : []),
          { Effect: 'Allow', Action: [...DELIVERS_LOGS, ...TRACES], Resource: '*' },
        ],
      },
    });
    accept(
      policy,
      'AwsSolutions-IAM5[Resource::*]',
      'X-Ray and the delivery of logs by AWS know no resources (Step Functions developer guide).',
    );
    const shown = (value: string, pseudo: string): string => (Token.isUnresolved(value) ? `<AWS::${pseudo}>` : value);
    const place = `${shown(stack.region, 'Region')}:${shown(stack.account, 'AccountId')}`;
    const own = `arn:<AWS::Partition>:states:${place}:execution:${name}`;
    for (const pattern of [`${exportedArn(data.reports)}/audits/*/items.json`, `${own}:*`, `${own}/${CHUNKS}:*`])
      accept(
        policy,
        `AwsSolutions-IAM5[Resource::${pattern}]`,
        'Its own executions, and the lists its own runs wrote.',
      );

    const machine = new CfnStateMachine(this, 'StateMachine', {
      stateMachineName: name,
      stateMachineType: 'STANDARD',
      roleArn: role.attrArn,
      definition: definitionOf(ops.fn.functionArn, data.reports.bucketName, props.distributed),
      loggingConfiguration: {
        level: 'ALL',
        includeExecutionData: false,
        destinations: [{ cloudWatchLogsLogGroup: { logGroupArn: logs.logGroupArn } }],
      },
      tracingConfiguration: { enabled: true },
    });
    machine.addResourceDependency(policy);

    this.#runBySchedule(machine, run, props);
    for (const [metricName, symptom] of FAILURES) {
      const dimensionsMap = { StateMachineArn: machine.ref };
      const period = Duration.hours(1);
      const metric = new Metric({ namespace: 'AWS/States', metricName, dimensionsMap, period, statistic: Stats.SUM });
      ops.alarm(`Map${metricName}`, metric, symptom);
    }
  }

  /** Only schedules of this stack's group, in this account, can take the role. */
  #runBySchedule(
    machine: CfnStateMachine,
    run: TimedRun,
    { foundation: { scheduleGroup }, ops }: AuditMapProps<object>,
  ) {
    const role = new CfnRole(this, 'ScheduleRole', {
      description: 'Lets EventBridge Scheduler start one state machine',
      assumeRolePolicyDocument: trust('scheduler.amazonaws.com', {
        StringEquals: { 'aws:SourceAccount': Stack.of(this).account, 'aws:SourceArn': scheduleGroup.attrArn },
      }),
    });
    const policy = new CfnPolicy(this, 'SchedulePolicy', {
      policyName: 'start-one-state-machine',
      roles: [role.ref],
      policyDocument: {
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Action: 'states:StartExecution', Resource: machine.ref },
          { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: ops.deadLetters.queueArn },
        ],
      },
    });
    const schedule = new CfnSchedule(this, 'Schedule', {
      description: run.description,
      groupName: scheduleGroup.ref,
      state: 'ENABLED',
      ...timesOf(run),
      target: {
        arn: machine.ref,
        roleArn: role.attrArn,
        input: '{}',
        deadLetterConfig: { arn: ops.deadLetters.queueArn },
        retryPolicy: { maximumRetryAttempts: run.retries, maximumEventAgeInSeconds: run.maxAge.toSeconds() },
      },
    });
    schedule.addResourceDependency(policy);
  }
}

const CHUNKS = 'Chunks';

const FAILURES = [
  ['ExecutionsFailed', 'in pieces failed, or its report is partial'],
  ['ExecutionsTimedOut', 'in pieces took too long'],
  ['ExecutionsAborted', 'in pieces was stopped by somebody'],
] as const;

/** Source: Step Functions developer guide, logging and tracing. */
const DELIVERS_LOGS = [
  'logs:CreateLogDelivery',
  'logs:DeleteLogDelivery',
  'logs:DescribeLogGroups',
  'logs:DescribeResourcePolicies',
  'logs:GetLogDelivery',
  'logs:ListLogDeliveries',
  'logs:PutResourcePolicy',
  'logs:UpdateLogDelivery',
];
const TRACES = [
  'xray:GetSamplingRules',
  'xray:GetSamplingTargets',
  'xray:PutTelemetryRecords',
  'xray:PutTraceSegments',
];

const trust = (Service: string, Condition: object) => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service }, Action: 'sts:AssumeRole', Condition }],
});

/** What the machine does, in Amazon States Language. */
function definitionOf(
  FunctionName: string,
  Bucket: string,
  { maxConcurrency, toleratedFailurePercent }: AuditSettings['distributed'],
): object {
  const retry = (...errors: string[]) => [
    { ErrorEquals: LAMBDA_BUSY, IntervalSeconds: 2, BackoffRate: 2, MaxAttempts: 6, JitterStrategy: 'FULL' },
    // Never without end: a piece that gets nowhere in so many runs is too large.
    { ErrorEquals: GOES_ON, IntervalSeconds: 5, BackoffRate: 1, MaxAttempts: 8 },
    ...(errors.length > 0
      ? [{ ErrorEquals: errors, IntervalSeconds: 60, BackoffRate: 2, MaxAttempts: 2, JitterStrategy: 'FULL' }]
      : []),
  ];
  const call = {
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke',
    TimeoutSeconds: CALL_SECONDS,
  };
  return {
    Comment: 'Audits backups in pieces: plan, chunks, merge',
    TimeoutSeconds: WHOLE_SECONDS,
    StartAt: 'Plan',
    States: {
      Plan: {
        ...call,
        Parameters: {
          FunctionName,
          'Payload.$': `States.JsonMerge($$.Execution.Input, States.StringToJson('{"action":"plan"}'), false)`,
        },
        ResultSelector: { 'items.$': '$.Payload.items', 'organizations.$': '$.Payload.organizations' },
        Retry: retry('AtlasUnavailable', 'AuditFailed'),
        Next: 'Is there anything?',
      },
      'Is there anything?': {
        Type: 'Choice',
        Choices: [{ Variable: '$.items', IsNull: true, Next: 'Whole' }],
        Default: CHUNKS,
      },
      [CHUNKS]: {
        Type: 'Map',
        Label: CHUNKS,
        MaxConcurrency: maxConcurrency,
        ToleratedFailurePercentage: toleratedFailurePercent,
        ItemReader: {
          Resource: 'arn:aws:states:::s3:getObject',
          ReaderConfig: { InputType: 'JSON' },
          Parameters: { Bucket, 'Key.$': '$.items' },
        },
        ItemProcessor: {
          ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
          StartAt: 'Chunk',
          States: {
            Chunk: {
              ...call,
              Parameters: { FunctionName, 'Payload.$': '$' },
              ResultSelector: { 'clusters.$': '$.Payload.clusters' },
              Retry: retry('AtlasUnavailable'),
              End: true,
            },
          },
        },
        ResultPath: null,
        // However many failed, there is a report, and it says so.
        Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.chunksFailed', Next: 'Merge' }],
        Next: 'Merge',
      },
      Merge: {
        Type: 'Map',
        ItemsPath: '$.organizations',
        MaxConcurrency: 2,
        ItemProcessor: {
          ProcessorConfig: { Mode: 'INLINE' },
          StartAt: 'Merge one',
          States: {
            'Merge one': {
              ...call,
              Parameters: { FunctionName, 'Payload.$': '$' },
              ResultSelector: { outcome: 'complete' },
              Retry: retry(),
              // One organization's trouble is no other's.
              Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'Not whole' }],
              End: true,
            },
            'Not whole': { Type: 'Pass', Parameters: { outcome: 'failed', 'error.$': '$.error' }, End: true },
          },
        },
        ResultPath: '$.merged',
        Next: 'Look',
      },
      Look: {
        Type: 'Pass',
        Parameters: { 'failed.$': `States.ArrayContains($.merged[*].outcome, 'failed')` },
        Next: 'Is it whole?',
      },
      'Is it whole?': {
        Type: 'Choice',
        Choices: [{ Variable: '$.failed', BooleanEquals: true, Next: 'Partial' }],
        Default: 'Whole',
      },
      Partial: { Type: 'Fail', Error: 'AuditIncomplete', Cause: 'The reports are stored and say what is missing.' },
      Whole: { Type: 'Succeed' },
    },
  };
}
