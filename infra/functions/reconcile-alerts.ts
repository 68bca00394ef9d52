import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type * as z from 'zod';
import type { Config } from '../../functions/bridge-alerts-to-tickets/contract.ts';
import { OpsFunction } from '../constructs/ops-function.ts';
import { alarmOnRefusals, type BridgeProps, environmentOf, grantBridge, HEARING, RUNBOOK } from './bridge-grants.ts';

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
    grantBridge(this.ops.role, props, [...HEARING, 'alert-look']);
    alarmOnRefusals(this);
    // One that fails is made up for by the next.
    const once = { retries: 0, maxAge: Duration.minutes(1) };
    this.ops.runBySchedule('EveryFiveMinutes', {
      description: 'Looks at Atlas for alerts nobody told of',
      expression: 'rate(5 minutes)',
      ...once,
    });
    this.ops.runBySchedule('EveryMinute', {
      description: 'Brings tickets on that are due',
      expression: 'rate(1 minute)',
      input: { task: 'due' },
      ...once,
    });
  }
}
