import { Duration, Stack } from 'aws-cdk-lib';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { type IEventBus, Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type * as z from 'zod';
import type { Config, RotationSettings } from '../../functions/rotate-service-account-secret/contract.ts';
import { type OpsFoundation, OpsFunction } from '../constructs/ops-function.ts';
import { arnOf, SecretReference } from '../secret-reference.ts';
import { grantRotation } from './rotation-grants.ts';

export interface SweepServiceAccountSecretsProps {
  readonly foundation: OpsFoundation;
  readonly atlasBaseUrl: string;
  readonly eventBus: IEventBus;
  /** With at least one secret. */
  readonly rotation: RotationSettings;
  /** What Secrets Manager invokes when the sweep asks it for a rotation. */
  readonly rotate: IFunction;
}

/**
 * Trigger: hourly, and when Secrets Manager gives a rotation up (told by the rotation's own rules).
 * May: what a rotation may, and ask Secrets Manager for one.
 */
export class SweepServiceAccountSecrets extends Construct {
  readonly ops: OpsFunction<z.input<typeof Config>>;

  constructor(scope: Construct, id: string, props: SweepServiceAccountSecretsProps) {
    super(scope, id);
    const { foundation, rotation, eventBus } = props;
    const stack = Stack.of(this);
    this.ops = new OpsFunction<z.input<typeof Config>>(this, 'Ops', {
      foundation,
      lambda: 'sweep-service-account-secrets',
      purpose: 'Finishes rotations that were given up, and deletes what they left',
      failureImpact: 'a rotation that stopped is not taken up again; its secret ends within 7 days of its last mint.',
      runbook: 'functions/rotate-service-account-secret/README.md',
      environment: { MONGODB_ATLAS_BASE_URL: props.atlasBaseUrl, EVENT_BUS: eventBus.eventBusName },
      settings: { rotation },
      // All secrets of a stack in turn, each of which may wait for Atlas's rate limit.
      timeout: Duration.minutes(15),
      silence: Duration.hours(3),
    });
    grantRotation(this.ops.role, rotation);
    eventBus.grantPutEventsTo(this.ops.role);
    // Secrets Manager asks for both of whoever asks it for a rotation.
    const secrets = rotation.secrets.map(({ secret }) => arnOf(stack, SecretReference.parse(secret)));
    this.ops.role.addToPrincipalPolicy(
      new PolicyStatement({ actions: ['secretsmanager:RotateSecret'], resources: secrets }),
    );
    this.ops.role.addToPrincipalPolicy(
      new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [props.rotate.functionArn] }),
    );
    new Rule(this, 'Hourly', {
      description: 'Brings every managed secret on where its rotation stopped',
      schedule: Schedule.rate(Duration.hours(1)),
      targets: [
        new LambdaFunction(this.ops.fn, {
          deadLetterQueue: this.ops.deadLetters,
          retryAttempts: 2,
          maxEventAge: Duration.hours(1),
        }),
      ],
    });
    this.ops.alarm(
      'Blocked',
      new Metric({
        namespace: 'AtlasAutomation',
        metricName: 'SecretsBlocked',
        dimensionsMap: { service: 'sweep-service-account-secrets' },
        statistic: Stats.MAXIMUM,
        period: Duration.hours(1),
      }),
      'found secrets that cannot be rotated as things are',
    );
  }
}
