import { Duration } from 'aws-cdk-lib';
import { ComparisonOperator, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { type IEventBus, Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type * as z from 'zod';
import {
  NEW_VALUE,
  type RotationSettings,
  type SweepConfig,
} from '../../functions/rotate-service-account-secret/contract.ts';
import { type OpsFoundation, OpsFunction } from '../constructs/ops-function.ts';
import type { DataStack } from '../data-stack.ts';
import type { ScheduleSettings } from '../stack-settings.ts';
import { grantFanOut, hasTargets } from './fan-out-grants.ts';
import { grantReports, grantSecretValues, grantState, type ReadSecret } from './grants.ts';
import { grantRotation } from './rotation-grants.ts';

export interface SweepServiceAccountSecretsProps {
  readonly foundation: OpsFoundation;
  readonly atlasBaseUrl: string;
  readonly eventBus: IEventBus;
  /** With at least one secret. */
  readonly rotation: RotationSettings;
  readonly schedules: ScheduleSettings;
  /** Alarms when a managed secret ends sooner than this, in hours. */
  readonly secretEndsWithinHours: number;
  /** What Secrets Manager invokes when the sweep asks it for a rotation. */
  readonly rotate: IFunction;
  /** Without it nothing is remembered: of leases, of what targets acknowledged, of the fleet. */
  readonly data?: DataStack | undefined;
  /** With it the whole fleet is looked at once a day. */
  readonly credentials?: ReadSecret | undefined;
}

/**
 * Trigger: hourly, when Secrets Manager gives a rotation up (told by the rotation's own rules), and after a rotation
 * where its value belongs elsewhere, too.
 * May: what a rotation may, ask Secrets Manager for one, bring values to the targets of the settings, and read the
 * automation's own credentials.
 */
export class SweepServiceAccountSecrets extends Construct {
  readonly ops: OpsFunction<z.input<typeof SweepConfig>>;

  constructor(scope: Construct, id: string, props: SweepServiceAccountSecretsProps) {
    super(scope, id);
    const { foundation, rotation, eventBus, data, credentials } = props;
    this.ops = new OpsFunction<z.input<typeof SweepConfig>>(this, 'Ops', {
      foundation,
      lambda: 'sweep-service-account-secrets',
      purpose: 'Finishes rotations that were given up, and deletes what they left',
      failureImpact: 'a rotation that stopped is not taken up again; its secret ends within 7 days of its last mint.',
      runbook: 'functions/rotate-service-account-secret/README.md',
      environment: {
        MONGODB_ATLAS_BASE_URL: props.atlasBaseUrl,
        EVENT_BUS: eventBus.eventBusName,
        STATE_TABLE: data?.table.tableName,
        REPORT_BUCKET: data?.reports.bucketName,
        ATLAS_CREDENTIALS_SECRET: credentials?.secret,
      },
      settings: { rotation },
      // All secrets of a stack in turn, each of which may wait for Atlas's rate limit.
      timeout: Duration.minutes(15),
      silence: Duration.hours(3),
    });
    // Secrets Manager asks whoever asks it for a rotation for both: RotateSecret, and to invoke the function.
    grantRotation(this.ops.role, rotation, ['secretsmanager:RotateSecret']);
    eventBus.grantPutEventsTo(this.ops.role);
    this.ops.role.addToPrincipalPolicy(
      new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [props.rotate.functionArn] }),
    );
    if (data) {
      const write = ['fan-out *', 'service-account-fleet', 'service-account-fleet-look', 'service-account-writer'];
      grantState(this.ops.role, data, { write });
      grantReports(this.ops.role, data, { write: ['fleet/'] });
    }
    if (hasTargets(rotation)) this.#bringElsewhere(props);
    if (credentials) {
      grantSecretValues(this.ops.role, [credentials]);
      this.ops.alarmOn('FleetFailed', 'could not look at the organization’s service accounts');
    }
    this.ops.runBySchedule('Hourly', {
      description: 'Brings every managed secret on where its rotation stopped',
      expression: 'rate(1 hour)',
      flexibleMinutes: props.schedules.flexibleMinutes,
      retries: 2,
      maxAge: Duration.hours(1),
    });
    this.ops.alarmOn('HoursToSecretEnd', 'found a managed secret that is about to end', {
      id: 'EndsSoon',
      statistic: Stats.MINIMUM,
      threshold: props.secretEndsWithinHours,
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
    });
    this.ops.alarmOn('SecretsBlocked', 'found secrets that cannot be rotated as things are', { id: 'Blocked' });
  }

  /** A rotation is heard of at once: until every place has the new value, the replaced secret can't go. */
  #bringElsewhere({ rotation, eventBus }: SweepServiceAccountSecretsProps): void {
    grantFanOut(this.ops.role, rotation);
    new Rule(this, 'Rotated', {
      description: 'Brings a new value to the other places that must hold it',
      eventBus,
      eventPattern: { source: ['atlas-automation'], detailType: [...NEW_VALUE] },
      targets: [
        new LambdaFunction(this.ops.fn, {
          deadLetterQueue: this.ops.deadLetters,
          retryAttempts: 2,
          maxEventAge: Duration.hours(1),
        }),
      ],
    });
    this.ops.alarmOn('TargetsBehind', 'found places that do not hold the current value of their secret');
  }
}
