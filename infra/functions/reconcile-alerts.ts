import { Duration } from 'aws-cdk-lib';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import type * as z from 'zod';
import type { Config } from '../../functions/bridge-alerts-to-tickets/contract.ts';
import { OpsFunction } from '../constructs/ops-function.ts';
import { alarmOnRefusals, type BridgeProps, environmentOf, grantBridge, RUNBOOK } from './bridge-grants.ts';

/**
 * Triggers: every five minutes to look at Atlas, every minute for what has fallen due. May: what the delivery of tickets
 * may.
 */
export class ReconcileAlerts extends Construct {
  readonly ops: OpsFunction<z.input<typeof Config>>;

  constructor(scope: Construct, id: string, props: BridgeProps) {
    super(scope, id);
    const { foundation, tickets } = props;
    this.ops = new OpsFunction<z.input<typeof Config>>(this, 'Ops', {
      foundation,
      lambda: 'reconcile-alerts',
      purpose: 'Finds alerts nobody told of, and brings tickets on that are due',
      failureImpact:
        'alerts whose webhook got lost are not found, and tickets that wait for something stay as they are.',
      runbook: RUNBOOK,
      environment: environmentOf(props),
      settings: { tickets },
      timeout: Duration.minutes(4),
      silence: Duration.hours(1),
    });
    grantBridge(this.ops.role, props);
    alarmOnRefusals(this);
    const every = (id: string, minutes: number, description: string, input?: object) =>
      new Rule(this, id, {
        description,
        schedule: Schedule.rate(Duration.minutes(minutes)),
        targets: [
          new LambdaFunction(this.ops.fn, {
            ...(input && { event: RuleTargetInput.fromObject(input) }),
            // One that fails is made up for by the next.
            retryAttempts: 0,
            maxEventAge: Duration.minutes(minutes),
          }),
        ],
      });
    every('EveryFiveMinutes', 5, 'Looks at Atlas for alerts nobody told of');
    every('EveryMinute', 1, 'Brings tickets on that are due', { task: 'due' });
  }
}
