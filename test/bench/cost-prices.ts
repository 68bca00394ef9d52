/**
 * List prices of us-east-1 in US dollars, without free tiers and discounts, as AWS's pages had them in January 2026. Look
 * again before you rely on them: https://aws.amazon.com/pricing/.
 */
export const PRICES = {
  /** https://aws.amazon.com/lambda/pricing/ (Arm, first tier): a GB-second, and a million requests. */
  lambdaGbSecond: 0.0000133334,
  lambdaMillion: 0.2,
  /** https://aws.amazon.com/secrets-manager/pricing/: a secret a month, and ten thousand calls. */
  secretMonth: 0.4,
  secretTenThousand: 0.05,
  /** https://aws.amazon.com/dynamodb/pricing/on-demand/: a million units. A consistent read of 4 kB, a write of 1 kB. */
  dynamoReadMillion: 0.125,
  dynamoWriteMillion: 0.625,
  /** https://aws.amazon.com/sqs/pricing/: a million requests of a FIFO queue, and of another. */
  fifoMillion: 0.5,
  queueMillion: 0.4,
  /** https://aws.amazon.com/s3/pricing/: a thousand writes and lists, a thousand reads, a GB-month. */
  s3WriteThousand: 0.005,
  s3ReadThousand: 0.0004,
  s3GbMonth: 0.023,
  /** https://aws.amazon.com/eventbridge/pricing/: a million events put on a bus; Scheduler, a million invocations. */
  eventMillion: 1,
  schedulerMillion: 1,
  /** https://aws.amazon.com/cloudwatch/pricing/: an alarm, a metric of one's own, a dashboard a month; a GB of logs. */
  alarmMonth: 0.1,
  metricMonth: 0.3,
  dashboardMonth: 3,
  logGb: 0.5,
  /** https://aws.amazon.com/xray/pricing/: a million traces recorded. */
  tracesMillion: 5,
  /** https://aws.amazon.com/vpc/pricing/: a NAT gateway and its public IPv4 address an hour, and a GB through it. */
  natHour: 0.045,
  addressHour: 0.005,
  natGb: 0.045,
} as const;
