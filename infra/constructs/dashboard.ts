import { Duration } from 'aws-cdk-lib';
import {
  type Alarm,
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  Metric,
  Stats,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import type { DataStack } from '../data-stack.ts';
import { OpsFunction } from './ops-function.ts';

const NAMESPACE = 'AtlasAutomation';
/** Of the bundle's own figures, those that say how the work goes: the function, the metric, and what it means. */
const FIGURES = [
  ['sweep-service-account-secrets', 'HoursToSecretEnd', Stats.MINIMUM, 'hours until the first managed secret ends'],
  ['audit-snapshot-schedules', 'Coverage', Stats.MINIMUM, 'percent of the clusters that could be read'],
  ['deliver-tickets', 'SecondsToTicket', 'p95', 'seconds from an alert to its ticket, p95'],
  ['watch-live-migrations', 'MigrationsActive', Stats.MAXIMUM, 'migrations under way'],
] as const;

/** One page with all alarms, how often each function ran and failed, how long it took, and the figures of the work. */
export class OperationsDashboard extends Construct {
  constructor(scope: Construct, id: string, data: DataStack | undefined) {
    super(scope, id);
    const functions = scope.node
      .findAll()
      .filter((construct) => construct instanceof OpsFunction)
      .toSorted((a, b) => (a.lambda < b.lambda ? -1 : 1));
    // In an order that the settings' order has no part in.
    const alarms: Alarm[] = functions
      .flatMap((ops) => ops.alarms)
      .toSorted((a, b) => (a.node.path < b.node.path ? -1 : 1));
    const period = Duration.minutes(5);
    const deployed = new Set(functions.map(({ lambda }) => lambda));
    const of = (title: string, metric: (ops: (typeof functions)[number]) => Metric): GraphWidget =>
      new GraphWidget({ title, width: 12, left: functions.map(metric) });
    const figures = FIGURES.filter(([lambda]) => deployed.has(lambda)).map(
      ([service, metricName, statistic, label]) =>
        new GraphWidget({
          title: label,
          width: 6,
          left: [
            new Metric({
              namespace: NAMESPACE,
              metricName,
              dimensionsMap: { service },
              statistic,
              period,
              label: service,
            }),
          ],
        }),
    );
    new Dashboard(this, 'Page', {
      defaultInterval: Duration.days(1),
      widgets: [
        [
          new TextWidget({
            markdown: '# Atlas Automation\nEach alarm says what breaks, and where to read on.',
            width: 24,
            height: 2,
          }),
        ],
        ...(alarms.length > 0 ? [[new AlarmStatusWidget({ title: 'Alarms', width: 24, height: 6, alarms })]] : []),
        figures,
        [
          of('Runs', ({ fn, lambda }) => fn.metricInvocations({ period, label: lambda })),
          of('Failures', ({ fn, lambda }) => fn.metricErrors({ period, label: lambda })),
        ],
        [
          of('Milliseconds, p95', ({ fn, lambda }) => fn.metricDuration({ period, statistic: 'p95', label: lambda })),
          of('Runs at once', ({ fn, lambda }) =>
            fn.metric('ConcurrentExecutions', { period, statistic: Stats.MAXIMUM, label: lambda }),
          ),
        ],
        [
          of('Events left behind', ({ deadLetters, lambda }) =>
            deadLetters.metricApproximateNumberOfMessagesVisible({ period, statistic: Stats.MAXIMUM, label: lambda }),
          ),
          new GraphWidget({
            title: 'The queue of alerts',
            width: 12,
            left: data ? [data.alerts.metricApproximateNumberOfMessagesVisible({ period, label: 'waiting' })] : [],
            right: data
              ? [data.alerts.metricApproximateAgeOfOldestMessage({ period, label: 'seconds, the oldest' })]
              : [],
          }),
        ],
      ],
    });
  }
}
