import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IMetric, Metric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Function as LambdaFunction, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Settings } from '../settings.ts';
import { accept } from './accepted.ts';
import { codeOf, signedBy } from './bundle-code.ts';
import { enterNetwork, type FunctionNetwork } from './function-network.ts';
import { type TimedRun, TimedRuns } from './timed-runs.ts';

/** What all functions of a stack stand on. */
export interface OpsFoundation {
  /** Folder with one built bundle per Lambda. */
  readonly bundles: string;
  readonly alarmTopic: ITopic;
  readonly logRetention: RetentionDays;
  /** Of all schedules of this stack. */
  readonly scheduleGroup: CfnScheduleGroup;
  /** What the functions reach the internet through; AWS's own network without one. */
  readonly network?: FunctionNetwork | undefined;
  /** Only signed code runs, from the bucket it was signed into. */
  readonly codeSigning?: Settings['stack']['codeSigning'];
}

/**
 * `Environment` is the input type of the function's own schema of its environment: all of it must be named, and what it
 * can do without may be undefined.
 */
export interface OpsFunctionProps<Environment extends object> {
  readonly foundation: OpsFoundation;
  /** Name of the bundle; also how logs, metrics and alarms call the function. */
  readonly lambda: string;
  /** One sentence for the function's description. */
  readonly purpose: string;
  /** What stops working for people while this fails: a sentence, printed in each alarm. */
  readonly failureImpact: string;
  /** Where the person who gets the alarm reads on; printed in each alarm. */
  readonly runbook: string;
  readonly environment: {
    readonly [Name in keyof Environment]-?: string | (undefined extends Environment[Name] ? undefined : never);
  };
  /** Deployed beside the bundle as settings.json, and part of its hash: changed settings deploy the function again. */
  readonly settings?: unknown;
  readonly timeout: Duration;
  /** In MiB; 512 by default. */
  readonly memorySize?: number;
  /** No reservation by default: the account's own limit holds. New accounts have too little to reserve any of it. */
  readonly reservedConcurrency?: number | undefined;
  /**
   * Alarms when nothing invoked the function for this long; no such alarm by default. Whole hours, at most seven days
   * (CloudWatch looks no further back). Leave slack over the schedule's interval. It also sounds between the first
   * deployment and the first run.
   */
  readonly silence?: Duration;
}

interface AlarmOverrides {
  readonly threshold?: number;
  readonly evaluationPeriods?: number;
  readonly comparisonOperator?: ComparisonOperator;
  readonly treatMissingData?: TreatMissingData;
}

/**
 * A Lambda that fails loudly: its own role, bounded logs, a dead-letter queue, and alarms that say what breaks.
 * Triggers and grants are the caller's.
 *
 * A construct around the function rather than a subclass of it: each capability composes one, and the logical ids
 * below stay the same whatever else that capability grows.
 */
export class OpsFunction<Environment extends object> extends Construct {
  /** Name of the bundle. */
  readonly lambda: string;
  readonly fn: LambdaFunction;
  readonly role: Role;
  readonly deadLetters: Queue;
  readonly #props: OpsFunctionProps<Environment>;
  readonly #alarms: Alarm[] = [];
  #timed: TimedRuns | undefined;

  constructor(scope: Construct, id: string, props: OpsFunctionProps<Environment>) {
    super(scope, id);
    this.#props = props;
    const { foundation, lambda } = props;
    this.lambda = lambda;

    this.deadLetters = new Queue(this, 'DeadLetters', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });

    const logGroup = new LogGroup(this, 'Logs', {
      retention: foundation.logRetention,
      // Kept when the stack goes: they are the record of what was done to credentials, and they end by themselves.
      // Not kept when the very first deployment is rolled back.
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    // AWS's managed policy for Lambda may write to every log group of the account; this role, to its own.
    this.role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: `Runs ${lambda} and nothing else`,
    });
    logGroup.grantWrite(this.role);
    const tracing = 'xray:PutTraceSegments and xray:PutTelemetryRecords know no resources';
    const interfaces = 'and Lambda refuses a role for a network that may work on fewer interfaces than all';
    accept(
      this.role,
      'AwsSolutions-IAM5[Resource::*]',
      foundation.network ? `${tracing}, ${interfaces}.` : `${tracing}.`,
    );

    const environment = Object.fromEntries(
      Object.entries<string | undefined>(props.environment).flatMap(([key, value]) =>
        value === undefined ? [] : [[key, value]],
      ),
    );
    this.fn = new LambdaFunction(this, 'Function', {
      description: props.purpose,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      handler: 'index.handler',
      code: codeOf(this, props),
      role: this.role,
      logGroup,
      memorySize: props.memorySize ?? 512,
      timeout: props.timeout,
      deadLetterQueue: this.deadLetters,
      ...(foundation.codeSigning && { codeSigningConfig: signedBy(this, foundation.codeSigning) }),
      ...(props.reservedConcurrency !== undefined && { reservedConcurrentExecutions: props.reservedConcurrency }),
      // CDK adds xray:PutTraceSegments and xray:PutTelemetryRecords on `*` to the role. That is the one statement with
      // such a resource: these actions know no resources, and Lambda refuses active tracing to a role without them.
      tracing: Tracing.ACTIVE,
      environment: {
        POWERTOOLS_SERVICE_NAME: lambda,
        POWERTOOLS_METRICS_NAMESPACE: 'AtlasAutomation',
        ...environment,
      },
    });

    if (foundation.network) enterNetwork(this, foundation.network);

    const period = Duration.minutes(5);
    this.alarm('Failed', this.fn.metricErrors({ period }), 'failed');
    this.alarm('Throttled', this.fn.metricThrottles({ period }), 'was throttled');
    this.alarm(
      'Stranded',
      this.deadLetters.metricApproximateNumberOfMessagesVisible({ period, statistic: Stats.MAXIMUM }),
      'left an event in its dead-letter queue',
    );
    if (props.silence) this.#alarmOnSilence(props.silence);
  }

  get alarms(): readonly Alarm[] {
    return this.#alarms;
  }

  /** Runs it by the clock, too. */
  runBySchedule(id: string, run: TimedRun): void {
    const { scheduleGroup: group } = this.#props.foundation;
    this.#timed ??= new TimedRuns(this, 'Timed', { group, fn: this.fn, deadLetters: this.deadLetters });
    this.#timed.add(id, run);
  }

  #alarmOnSilence(silence: Duration): void {
    const hours = silence.toHours();
    if (hours < 1 || hours > 7 * 24) throw new RangeError('silence must be 1 hour to 7 days');
    // An hour without invocations is an hour without data, hence BREACHING.
    this.alarm('Silent', this.fn.metricInvocations({ period: Duration.hours(1) }), `did not run for ${hours} hours`, {
      evaluationPeriods: hours,
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      treatMissingData: TreatMissingData.BREACHING,
    });
  }

  /**
   * The same on a metric the function itself puts out: the largest value of an hour unless told otherwise. The logical id
   * is the metric's name unless given.
   */
  alarmOn(
    metricName: string,
    symptom: string,
    {
      id = metricName,
      statistic = Stats.MAXIMUM,
      period = Duration.hours(1),
      ...overrides
    }: AlarmOverrides & { readonly id?: string; readonly statistic?: string; readonly period?: Duration } = {},
  ): void {
    const dimensionsMap = { service: this.#props.lambda };
    const metric = new Metric({ namespace: 'AtlasAutomation', metricName, dimensionsMap, statistic, period });
    this.alarm(id, metric, symptom, overrides);
  }

  /**
   * Tells the alarm topic when the metric reaches one, unless the overrides say otherwise. The symptom continues a
   * sentence that begins with the function's name; impact and runbook follow by themselves.
   */
  alarm(id: string, metric: IMetric, symptom: string, overrides: AlarmOverrides = {}): void {
    const { foundation, lambda, failureImpact, runbook } = this.#props;
    const alarm = new Alarm(this, id, {
      alarmDescription: `${lambda} ${symptom}. Impact: ${failureImpact} Runbook: ${runbook}`,
      metric,
      threshold: 1,
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      ...overrides,
    });
    alarm.addAlarmAction(new SnsAction(foundation.alarmTopic));
    this.#alarms.push(alarm);
  }
}
