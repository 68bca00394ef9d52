import { CfnOutput, Duration } from 'aws-cdk-lib';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type * as z from 'zod';
import type { ReceiveConfig } from '../../functions/bridge-alerts-to-tickets/webhook/contract.ts';
import { OpsFunction } from '../constructs/ops-function.ts';
import { type BridgeProps, RUNBOOK } from './bridge-grants.ts';
import { grantSecretValues, grantSend, type ReadSecret } from './grants.ts';

export interface ReceiveAtlasAlertProps extends BridgeProps {
  /** Holds `{"current": …, "previous": …}`: what Atlas signs with. */
  readonly webhookSecret: ReadSecret;
}

/**
 * Trigger: Atlas, by the function's own URL: every request is checked by its signature, since Atlas can send nothing
 * AWS would check. May: read the webhook's secret, send to the queue of alerts.
 */
export class ReceiveAtlasAlert extends Construct {
  readonly ops: OpsFunction<z.input<typeof ReceiveConfig>>;

  constructor(scope: Construct, id: string, props: ReceiveAtlasAlertProps) {
    super(scope, id);
    const { foundation, tickets, data, webhookSecret, allowFrom, concurrency } = props;
    this.ops = new OpsFunction<z.input<typeof ReceiveConfig>>(this, 'Ops', {
      foundation,
      lambda: 'receive-atlas-alert',
      purpose: 'Takes alerts from Atlas and puts them into the queue',
      failureImpact: 'alerts of Atlas do not come in; the reconciliation finds them up to five minutes later.',
      runbook: RUNBOOK,
      environment: { ALERT_QUEUE_URL: data.alerts.queueUrl, WEBHOOK_SECRET: webhookSecret.secret },
      settings: { tickets, webhooks: { allowFrom } },
      timeout: Duration.seconds(10),
      reservedConcurrency: concurrency.alerts,
    });
    grantSend(this.ops.role, data);
    grantSecretValues(this.ops.role, [webhookSecret]);
    const { url } = this.ops.fn.addFunctionUrl({ authType: FunctionUrlAuthType.NONE });
    new CfnOutput(this, 'Url', { value: url, description: 'Enter this, and the secret, as a webhook in Atlas' });
    const soon = { period: Duration.minutes(5), statistic: Stats.SUM };
    this.ops.alarmOn('AlertsNotTaken', 'could not take an alert', { id: 'NotTaken', ...soon });
    const strangers = 'refused many requests: strangers, or the secret is wrong';
    this.ops.alarmOn('AlertsRefused', strangers, { id: 'Refused', threshold: 20, ...soon });
  }
}
