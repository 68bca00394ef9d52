import { Duration } from 'aws-cdk-lib';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Construct } from 'constructs';
import type * as z from 'zod';
import type { DeliverConfig } from '../../functions/bridge-alerts-to-tickets/contract.ts';
import { ALERT_QUEUE } from '../alert-queue.ts';
import { OpsFunction } from '../constructs/ops-function.ts';
import { alarmOnRefusals, type BridgeProps, environmentOf, grantBridge, HEARING, RUNBOOK } from './bridge-grants.ts';
import { grantReadAll, grantSend } from './grants.ts';

/**
 * Triggers: the queue of alerts, and the bundle's own events. May: keep incidents, read the trackers' secrets, and its
 * own credentials for Atlas.
 */
export class DeliverTickets extends Construct {
  readonly ops: OpsFunction<z.input<typeof DeliverConfig>>;

  constructor(scope: Construct, id: string, props: BridgeProps) {
    super(scope, id);
    const { foundation, tickets, data, eventBus, concurrency, ticketAfterSeconds } = props;
    this.ops = new OpsFunction<z.input<typeof DeliverConfig>>(this, 'Ops', {
      foundation,
      lambda: 'deliver-tickets',
      purpose: 'Turns alerts, and what the other functions report, into tickets',
      failureImpact: 'tickets are late; alerts wait in the queue, for two weeks at the most.',
      runbook: RUNBOOK,
      environment: { ...environmentOf(props), ALERT_QUEUE_URL: data.alerts.queueUrl },
      settings: { tickets },
      timeout: Duration.seconds(ALERT_QUEUE.functionSeconds),
    });
    grantBridge(this.ops.role, props, HEARING);
    grantReadAll(this.ops.role, data, ['alert#*']);
    alarmOnRefusals(this);
    this.ops.alarmOn('MessagesPoisoned', 'was given messages that nobody can read');
    // Reminds itself of an incident that waits for more alerts, in the order of that incident's messages.
    grantSend(this.ops.role, data);
    this.ops.fn.addEventSource(
      new SqsEventSource(data.alerts, {
        batchSize: ALERT_QUEUE.batchSize,
        reportBatchItemFailures: true,
        maxConcurrency: concurrency.delivery,
      }),
    );
    new Rule(this, 'OwnEvents', {
      eventBus,
      description: 'What the functions of this stack report',
      eventPattern: { source: ['atlas-automation'] },
      targets: [
        new LambdaFunction(this.ops.fn, {
          deadLetterQueue: this.ops.deadLetters,
          retryAttempts: 10,
          maxEventAge: Duration.hours(6),
        }),
      ],
    });
    const period = Duration.minutes(5);
    this.ops.alarm(
      'Undelivered',
      data.alertDeadLetters.metricApproximateNumberOfMessagesVisible({ period, statistic: Stats.MAXIMUM }),
      'gave up an alert: it lies in the dead letters',
    );
    this.ops.alarm(
      'Late',
      data.alerts.metricApproximateAgeOfOldestMessage({ period, statistic: Stats.MAXIMUM }),
      'has left an alert in the queue for ten minutes',
      { threshold: 600 },
    );
    this.ops.alarmOn('SecondsToTicket', 'took too long from an alert to its ticket', {
      id: 'Slow',
      period,
      threshold: ticketAfterSeconds,
    });
  }
}
