import { cpSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Duration, RemovalPolicy, Stage } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IMetric, Metric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, Function as LambdaFunction, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { ConfigError } from '../../lib/errors.ts';

/** What all functions of a stack stand on. */
export interface OpsFoundation {
  /** Folder with one built bundle per Lambda. */
  readonly bundles: string;
  readonly alarmTopic: ITopic;
  readonly logRetention: RetentionDays;
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
  readonly reservedConcurrency?: number;
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
  readonly fn: LambdaFunction;
  readonly role: Role;
  readonly deadLetters: Queue;
  readonly #props: OpsFunctionProps<Environment>;

  constructor(scope: Construct, id: string, props: OpsFunctionProps<Environment>) {
    super(scope, id);
    this.#props = props;
    const { foundation, lambda } = props;

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
      code: this.#code(),
      role: this.role,
      logGroup,
      memorySize: props.memorySize ?? 512,
      timeout: props.timeout,
      deadLetterQueue: this.deadLetters,
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

  /**
   * The bundle, with the settings beside it when there are any: then a copy of it in the output of this synthesis. Not
   * written into the bundle's own folder, where whoever runs the bundle on this machine would pick up the settings of
   * a deployment; and not put into the environment, which ends at 4 KB.
   */
  #code(): Code {
    const { foundation, lambda, settings } = this.#props;
    const folder = path.join(foundation.bundles, lambda);
    if (!existsSync(path.join(folder, 'index.mjs')))
      throw new ConfigError(`${folder} holds no bundle: run npm run build first.`);
    const stage = Stage.of(this);
    if (settings === undefined) return Code.fromAsset(folder);
    if (stage === undefined) throw new TypeError('an OpsFunction belongs into an app');
    const copy = path.join(stage.outdir, `bundle.${this.node.addr}`);
    rmSync(copy, { recursive: true, force: true });
    cpSync(folder, copy, { recursive: true });
    writeFileSync(path.join(copy, 'settings.json'), `${JSON.stringify(settings)}\n`);
    return Code.fromAsset(copy);
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
    new Alarm(this, id, {
      alarmDescription: `${lambda} ${symptom}. Impact: ${failureImpact} Runbook: ${runbook}`,
      metric,
      threshold: 1,
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      ...overrides,
    }).addAlarmAction(new SnsAction(foundation.alarmTopic));
  }
}
