import { type Duration, Stack } from 'aws-cdk-lib';
import { CfnPolicy, CfnRole } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { CfnSchedule, type CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

export interface TimedRunsProps {
  readonly group: CfnScheduleGroup;
  readonly fn: IFunction;
  /** Where a run goes that EventBridge could not hand to the function. */
  readonly deadLetters: IQueue;
}

export interface TimedRun {
  /** One sentence. */
  readonly description: string;
  /** `rate(1 hour)` or `cron(0 3 * * ? *)`. */
  readonly expression: string;
  /** An IANA zone; the schedule keeps to its clock, summer and winter. UTC unless given. */
  readonly timeZone?: string;
  /** Minutes by which AWS may put a run off; on the dot unless given. */
  readonly flexibleMinutes?: number;
  /** What the function gets instead of the event of a schedule. */
  readonly input?: object;
  /** How often a run that could not be handed over is tried again, and for how long. */
  readonly retries: number;
  readonly maxAge: Duration;
}

/** When a schedule fires, as CloudFormation has it. */
export const timesOf = ({ expression, timeZone = 'UTC', flexibleMinutes = 0 }: Omit<TimedRun, 'input'>) => ({
  scheduleExpression: expression,
  scheduleExpressionTimezone: timeZone,
  flexibleTimeWindow:
    flexibleMinutes === 0 ? { mode: 'OFF' } : { mode: 'FLEXIBLE', maximumWindowInMinutes: flexibleMinutes },
});

/** What the function is told of a run. EventBridge Scheduler puts in what stands in angle brackets. */
const EVENT = {
  source: 'aws.scheduler',
  'detail-type': 'Scheduled Event',
  id: '<aws.scheduler.execution-id>',
  time: '<aws.scheduler.scheduled-time>',
  resources: ['<aws.scheduler.schedule-arn>'],
} as const;

/**
 * Runs one function by the clock: EventBridge Scheduler, as a role that may invoke this function and strand what could not
 * be handed over, and nothing else. Only schedules of this stack's group, in this account, can take the role.
 */
export class TimedRuns extends Construct {
  readonly #props: TimedRunsProps;
  readonly #role: CfnRole;
  readonly #policy: CfnPolicy;

  constructor(scope: Construct, id: string, props: TimedRunsProps) {
    super(scope, id);
    this.#props = props;
    const { group, fn, deadLetters } = props;
    this.#role = new CfnRole(this, 'Role', {
      description: 'Lets EventBridge Scheduler invoke one function',
      assumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: { Service: 'scheduler.amazonaws.com' },
            Action: 'sts:AssumeRole',
            Condition: {
              StringEquals: { 'aws:SourceAccount': Stack.of(this).account, 'aws:SourceArn': group.attrArn },
            },
          },
        ],
      },
    });
    this.#policy = new CfnPolicy(this, 'Policy', {
      policyName: 'invoke-one-function',
      roles: [this.#role.ref],
      policyDocument: {
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: fn.functionArn },
          { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: deadLetters.queueArn },
        ],
      },
    });
  }

  add(id: string, { input = EVENT, ...run }: TimedRun): void {
    const { group, fn, deadLetters } = this.#props;
    const schedule = new CfnSchedule(this, id, {
      description: run.description,
      groupName: group.ref,
      state: 'ENABLED',
      ...timesOf(run),
      target: {
        arn: fn.functionArn,
        roleArn: this.#role.attrArn,
        input: JSON.stringify(input),
        deadLetterConfig: { arn: deadLetters.queueArn },
        retryPolicy: { maximumRetryAttempts: run.retries, maximumEventAgeInSeconds: run.maxAge.toSeconds() },
      },
    });
    // A run that is due at once needs it.
    schedule.addResourceDependency(this.#policy);
  }
}
