import { CfnOutput, Duration } from 'aws-cdk-lib';
import { FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type * as z from 'zod';
import type { Config } from '../../functions/bridge-alerts-to-tickets/contract.ts';
import { OpsFunction } from '../constructs/ops-function.ts';
import { type BridgeProps, environmentOf, grantBridge, RUNBOOK } from './bridge-grants.ts';

/**
 * Trigger: the trackers' webhooks, by the function's own URL and the id of the destination; each is checked by the
 * signature its tracker has. May: what the delivery of tickets may.
 */
export class ReceiveTicketUpdate extends Construct {
  readonly ops: OpsFunction<z.input<typeof Config>>;

  constructor(scope: Construct, id: string, props: BridgeProps) {
    super(scope, id);
    const { foundation, tickets, allowFrom, concurrency } = props;
    this.ops = new OpsFunction<z.input<typeof Config>>(this, 'Ops', {
      foundation,
      lambda: 'receive-ticket-update',
      purpose: 'Takes what people do in the trackers back to Atlas',
      failureImpact: 'taking a ticket does not acknowledge its alert; tickets themselves go on.',
      runbook: RUNBOOK,
      environment: environmentOf(props),
      settings: { tickets, webhooks: { allowFrom } },
      timeout: Duration.seconds(30),
      reservedConcurrency: concurrency.ticketUpdates,
    });
    grantBridge(this.ops.role, props);
    const { url } = this.ops.fn.addFunctionUrl({ authType: FunctionUrlAuthType.NONE });
    new CfnOutput(this, 'Url', {
      value: url,
      description: 'Followed by a destination’s id: the webhook of its tracker',
    });
  }
}
