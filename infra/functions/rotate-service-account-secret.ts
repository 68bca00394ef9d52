import { Duration, Stack } from 'aws-cdk-lib';
import { MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
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
import { arnOf, arnPrefixOf, commonArn, inPatterns, SecretReference } from '../secret-reference.ts';
import { grantRotation } from './rotation-grants.ts';

export interface RotateServiceAccountSecretProps {
  readonly foundation: OpsFoundation;
  readonly atlasBaseUrl: string;
  readonly eventBus: IEventBus;
  /** With at least one secret. */
  readonly rotation: RotationSettings;
  /** Rotations that may run at once; no reservation by default. */
  readonly reservedConcurrency: number | undefined;
}

/**
 * Secrets that have a permission, a rule and an alarm each. A function's resource policy ends at 20 KB, which is about
 * forty permissions, and a stack at 500 resources; more secrets than this share them.
 */
const MOST_OF_THEIR_OWN = 25;
const METRICS_OF_AN_ALARM = 10;
/** Of the 64 characters of a rule's name. */
const MOST_NAME = 44;

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
  readonly #isMany: boolean;

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
      reservedConcurrency: props.reservedConcurrency,
    });
    grantRotation(this.ops.role, rotation);
    eventBus.grantPutEventsTo(this.ops.role);
    this.#isMany = rotation.secrets.length > MOST_OF_THEIR_OWN;
    const secrets = rotation.secrets.map(({ secret }) => SecretReference.parse(secret));
    const permissions = this.#mayInvoke(secrets);
    for (const managed of rotation.secrets) {
      const secret = SecretReference.parse(managed.secret);
      this.#rotate(secret, policyOf(rotation, managed).everyDays, permissions.get(secret.name));
    }
    this.#hearOfFailures(secrets);
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
    const stack = Stack.of(this);
    const permission = (id: string, sourceArn: string): CfnPermission =>
      new CfnPermission(this, id, {
        action: 'lambda:InvokeFunction',
        functionName: fn.functionArn,
        principal: 'events.amazonaws.com',
        sourceAccount: stack.account,
        sourceArn,
      });
    for (const [id, rule] of this.#failures) {
      rule.targets = [
        { id: 'DeadLetters', arn: this.ops.deadLetters.queueArn },
        { id: 'Sweep', arn: fn.functionArn },
      ];
      if (!this.#isMany) permission(`Sweep-${id}`, rule.attrArn);
    }
    if (this.#isMany) {
      const resourceName = `${this.#ruleName('')}*`;
      permission('Sweep', stack.formatArn({ service: 'events', resource: 'rule', resourceName }));
    }
  }

  /** Lets the Secrets Manager of this account invoke the function, for these secrets. */
  #mayInvoke(secrets: readonly SecretReference[]): ReadonlyMap<string, CfnPermission> {
    const stack = Stack.of(this);
    const permission = (id: string, sourceArn: string): CfnPermission =>
      new CfnPermission(this, id, {
        action: 'lambda:InvokeFunction',
        functionName: this.ops.fn.functionArn,
        principal: 'secretsmanager.amazonaws.com',
        sourceAccount: stack.account,
        sourceArn,
      });
    if (!this.#isMany)
      return new Map(secrets.map((secret) => [secret.name, permission(`Invoke-${secret.name}`, arnOf(stack, secret))]));
    const one = permission('Invoke', commonArn(stack, secrets));
    return new Map(secrets.map(({ name }) => [name, one]));
  }

  /**
   * Not CDK's addRotationSchedule: it also grants GetRandomPassword on every resource, and lets the Secrets Manager of
   * any account invoke the function.
   */
  #rotate(secret: SecretReference, everyDays: number, permission: CfnPermission | undefined): void {
    const schedule = new CfnRotationSchedule(this, `Schedule-${secret.name}`, {
      secretId: secret.id,
      rotationLambdaArn: this.ops.fn.functionArn,
      rotationRules: { scheduleExpression: `rate(${everyDays} ${everyDays === 1 ? 'day' : 'days'})` },
      // A deployment must not rotate anything: Secrets Manager only runs testSecret, on a version without a value.
      rotateImmediatelyOnUpdate: false,
    });
    // Secrets Manager tries the function while it stores the schedule.
    if (permission) schedule.addResourceDependency(permission);
    schedule.node.addDependency(this.ops.role);
  }

  /**
   * Secrets Manager's own verdict, which the function's metrics do not hold: where the function was never reached, no
   * invocation failed. It comes by way of CloudTrail; the function's own alarms do not depend on it. The event itself
   * is kept in the dead-letter queue, whose alarm stays on until somebody took it out.
   *
   * Heard through a metric rather than published to the topic by the rule: a topic somebody else owns then has to let
   * CloudWatch publish, and nothing more. One rule per secret, because a pattern ends at 2 KB and a rule's metric says
   * no more than which rule it was; of many secrets, as many in one rule as fit.
   */
  #hearOfFailures(secrets: readonly SecretReference[]): void {
    if (!this.#isMany) {
      for (const secret of secrets) {
        const rule = this.#failureRule(secret.name, [secret]);
        const symptom = `did not rotate ${secret.name}, says Secrets Manager`;
        this.ops.alarm(`NotRotated-${secret.name}`, triggered(rule), symptom);
      }
      return;
    }
    const rules = inPatterns(secrets).map((some, nth) => this.#failureRule(String(nth), some));
    for (let from = 0; from < rules.length; from += METRICS_OF_AN_ALARM) {
      const metrics = rules.slice(from, from + METRICS_OF_AN_ALARM).map((rule, nth) => [`m${nth}`, triggered(rule)]);
      const sum = new MathExpression({
        expression: 'SUM(METRICS())',
        usingMetrics: Object.fromEntries(metrics),
        period: Duration.minutes(5),
      });
      const symptom = 'did not rotate a secret, says Secrets Manager: the event in the dead letters names it';
      this.ops.alarm(`NotRotated-${from / METRICS_OF_AN_ALARM}`, sum, symptom);
    }
  }

  #failureRule(id: string, secrets: readonly SecretReference[]): CfnRule {
    const stack = Stack.of(this);
    const rule = new CfnRule(this, `NotRotated-${id}`, {
      description: 'Secrets Manager gave up a rotation, or the test of one',
      ...(this.#isMany && { name: this.#ruleName(id) }),
      eventPattern: {
        source: ['aws.secretsmanager'],
        'detail-type': ['AWS Service Event via CloudTrail'],
        detail: {
          eventName: ['RotationFailed', 'RotationAbandoned', 'TestRotationFailed'],
          additionalEventData: { SecretId: secrets.map((secret) => ({ prefix: arnPrefixOf(stack, secret) })) },
        },
      },
      targets: [{ id: 'DeadLetters', arn: this.ops.deadLetters.queueArn }],
    });
    this.#failures.set(id, rule);
    return rule;
  }

  /** A name of its own, so that one permission fits the rules of this stack and no others. */
  #ruleName(id: string): string {
    const { stackName } = Stack.of(this);
    return `${stackName.length > MOST_NAME ? stackName.slice(0, MOST_NAME) : stackName}-not-rotated-${id}`;
  }
}

/** How often a rule was set off. */
const triggered = (rule: CfnRule): Metric =>
  new Metric({
    namespace: 'AWS/Events',
    metricName: 'TriggeredRules',
    dimensionsMap: { RuleName: rule.ref },
    statistic: Stats.SUM,
    period: Duration.minutes(5),
  });
