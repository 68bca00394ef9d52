import { Duration, Stack } from 'aws-cdk-lib';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { CfnRule, type IEventBus } from 'aws-cdk-lib/aws-events';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnPermission, type IFunction } from 'aws-cdk-lib/aws-lambda';
import { CfnRotationSchedule } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type * as z from 'zod';
import {
  type Config,
  policyOf,
  type RotationSettings,
} from '../../functions/rotate-service-account-secret/contract.ts';
import { type OpsFoundation, OpsFunction } from '../constructs/ops-function.ts';
import { arnOf, arnPrefixOf, SecretReference } from '../secret-reference.ts';
import { grantRotation } from './rotation-grants.ts';

export interface RotateServiceAccountSecretProps {
  readonly foundation: OpsFoundation;
  readonly atlasBaseUrl: string;
  readonly eventBus: IEventBus;
  /** With at least one secret. */
  readonly rotation: RotationSettings;
  /** Rotations that may run at once; no reservation by default. */
  readonly reservedConcurrency?: number;
}

const FAILURE_IMPACT =
  'a rotation is stuck; Atlas ends a replaced secret within 7 days of minting the next, and then its workloads lose Atlas.';
const RUNBOOK = 'functions/rotate-service-account-secret/README.md';

/**
 * Trigger: Secrets Manager, on the rotation schedule of each managed secret; it calls and waits, once per step.
 * May: read and write the managed secrets, read the administrators' secrets, use their KMS keys, put events on the bus.
 *
 * There is no alarm on silence: the schedules are weeks apart, and CloudWatch looks back seven days at most. Failed
 * rotations alarm here; rotations that never began are what the sweep looks for.
 *
 * The logical id of everything that belongs to one secret comes from the secret's name, so that the order of the
 * settings means nothing, nor whether they give the name or the ARN. A rotation schedule under a new id would be
 * created first and then cancelled with the old one: both are the same setting of the same secret.
 */
export class RotateServiceAccountSecret extends Construct {
  readonly ops: OpsFunction<z.input<typeof Config>>;
  readonly #failures = new Map<string, CfnRule>();

  constructor(scope: Construct, id: string, props: RotateServiceAccountSecretProps) {
    super(scope, id);
    const { foundation, rotation, eventBus } = props;
    this.ops = new OpsFunction<z.input<typeof Config>>(this, 'Ops', {
      foundation,
      lambda: 'rotate-service-account-secret',
      purpose: 'Rotates Atlas service-account secrets kept in Secrets Manager',
      failureImpact: FAILURE_IMPACT,
      runbook: RUNBOOK,
      environment: { MONGODB_ATLAS_BASE_URL: props.atlasBaseUrl, EVENT_BUS: eventBus.eventBusName },
      settings: { rotation },
      // One step waits for Atlas to accept a new secret, and may meet its rate limit first.
      timeout: Duration.minutes(5),
      ...(props.reservedConcurrency !== undefined && { reservedConcurrency: props.reservedConcurrency }),
    });
    grantRotation(this.ops.role, rotation);
    eventBus.grantPutEventsTo(this.ops.role);
    for (const managed of rotation.secrets) {
      const secret = SecretReference.parse(managed.secret);
      this.#rotate(secret, policyOf(rotation, managed).everyDays);
      this.#hearOfFailures(secret);
    }
    // One statement for the rules of all secrets: a queue's policy holds twenty.
    this.ops.deadLetters.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('events.amazonaws.com')],
        actions: ['sqs:SendMessage'],
        resources: [this.ops.deadLetters.queueArn],
        conditions: {
          ArnLike: {
            'aws:SourceArn': Stack.of(this).formatArn({ service: 'events', resource: 'rule', resourceName: '*' }),
          },
        },
      }),
    );
  }

  /** Invokes `fn` with what Secrets Manager says when it gives a rotation up. */
  tellOfFailures(fn: IFunction): void {
    for (const [secret, rule] of this.#failures) {
      rule.targets = [
        { id: 'DeadLetters', arn: this.ops.deadLetters.queueArn },
        { id: 'Sweep', arn: fn.functionArn },
      ];
      new CfnPermission(this, `Sweep-${secret}`, {
        action: 'lambda:InvokeFunction',
        functionName: fn.functionArn,
        principal: 'events.amazonaws.com',
        sourceAccount: Stack.of(this).account,
        sourceArn: rule.attrArn,
      });
    }
  }

  /**
   * Not CDK's addRotationSchedule: it also grants GetRandomPassword on every resource, and lets the Secrets Manager of
   * any account invoke the function.
   */
  #rotate(secret: SecretReference, everyDays: number): void {
    const stack = Stack.of(this);
    const permission = new CfnPermission(this, `Invoke-${secret.name}`, {
      action: 'lambda:InvokeFunction',
      functionName: this.ops.fn.functionArn,
      principal: 'secretsmanager.amazonaws.com',
      sourceAccount: stack.account,
      sourceArn: arnOf(stack, secret),
    });
    const schedule = new CfnRotationSchedule(this, `Schedule-${secret.name}`, {
      secretId: secret.id,
      rotationLambdaArn: this.ops.fn.functionArn,
      rotationRules: { scheduleExpression: `rate(${everyDays} ${everyDays === 1 ? 'day' : 'days'})` },
      // A deployment must not rotate anything: Secrets Manager only runs testSecret, on a version without a value.
      rotateImmediatelyOnUpdate: false,
    });
    // Secrets Manager tries the function while it stores the schedule.
    schedule.addResourceDependency(permission);
    schedule.node.addDependency(this.ops.role);
  }

  /**
   * Secrets Manager's own verdict, which the function's metrics do not hold: where the function was never reached, no
   * invocation failed. It comes by way of CloudTrail; the function's own alarms do not depend on it. The event itself
   * is kept in the dead-letter queue, whose alarm stays on until somebody took it out.
   *
   * Heard through a metric rather than published to the topic by the rule: a topic somebody else owns then has to let
   * CloudWatch publish, and nothing more. One rule per secret, because a pattern ends at 2 KB and a rule's metric says
   * no more than which rule it was.
   */
  #hearOfFailures(secret: SecretReference): void {
    const stack = Stack.of(this);
    const rule = new CfnRule(this, `NotRotated-${secret.name}`, {
      description: 'Secrets Manager gave up a rotation, or the test of one',
      eventPattern: {
        source: ['aws.secretsmanager'],
        'detail-type': ['AWS Service Event via CloudTrail'],
        detail: {
          eventName: ['RotationFailed', 'RotationAbandoned', 'TestRotationFailed'],
          additionalEventData: { SecretId: [{ prefix: arnPrefixOf(stack, secret) }] },
        },
      },
      targets: [{ id: 'DeadLetters', arn: this.ops.deadLetters.queueArn }],
    });
    this.#failures.set(secret.name, rule);
    this.ops.alarm(
      `NotRotated-${secret.name}`,
      new Metric({
        namespace: 'AWS/Events',
        metricName: 'TriggeredRules',
        dimensionsMap: { RuleName: rule.ref },
        statistic: Stats.SUM,
        period: Duration.minutes(5),
      }),
      `did not rotate ${secret.name}, says Secrets Manager`,
    );
  }
}
