/**
 * What a month costs in AWS: recorded measurements of this machine, times how often things run, times list prices. The
 * page infra/docs/cost.md holds what this prints; a test keeps the two the same.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CfnAlarm, CfnDashboard } from 'aws-cdk-lib/aws-cloudwatch';
import { addDeployment } from '../../infra/deployment.ts';
import { loadSettings } from '../../infra/settings.ts';
import { newApp, tinyBundles } from '../infra/synth.ts';
import { type Measured, type Measurements, measure, SIZES } from './cost-measure.ts';
import { PRICES } from './cost-prices.ts';

const RECORD = path.join(import.meta.dirname, 'cost-measured.json');
const HOURS = 730;
const DAYS = HOURS / 24;

/** What is assumed, because no machine can measure it: said on the page. */
export const ASSUMED = {
  /** Milliseconds until Atlas, and AWS, have answered. */
  atlasMs: 200,
  awsMs: 10,
  /** Calls to Atlas an audit has under way at a time, on the average. */
  auditAtOnce: 10,
  alertsPerProjectAndDay: 1,
  projectsPerManagedSecret: 5,
  memoryGb: 0.5,
  auditMemoryGb: 1,
  /** Of an audit's report, with all its formats, for each project. */
  reportKbPerProject: 30,
  reportsKeptDays: 400,
} as const;

interface Month {
  /** How often in a month. */
  readonly times: number;
  readonly invocations: number;
  readonly run: Measured;
  readonly memoryGb: number;
  readonly atOnce?: number;
}

const isAws = (operation: string): boolean => /^[A-Z]/.test(operation);
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const callsOf = ({ calls }: Measured, of: (operation: string) => boolean): number =>
  sum(Object.entries(calls).map(([operation, count]) => (of(operation) ? count : 0)));

/** Seconds one run takes in AWS. */
const secondsOf = ({ run, atOnce = 1 }: Month): number =>
  (run.ms +
    (callsOf(run, (each) => !isAws(each)) * ASSUMED.atlasMs) / atOnce +
    (callsOf(run, isAws) * ASSUMED.awsMs) / atOnce) /
  1_000;

/** A run whose calls of one name are made once for each of so many things. */
const grown = (run: Measured, operation: string, times: number): Measured => ({
  ...run,
  calls: { ...run.calls, [operation]: (run.calls[operation] ?? 0) * times },
});

/** As measured, or, of more projects than were, what a hundred take, as many times. */
function auditOf(projects: number, audits: Measurements['audits']): Measured {
  const measured = audits[projects] ?? audits[100];
  if (!measured) throw new Error('no audit was measured: npm run bench -- cost-measure');
  const times = audits[projects] ? 1 : projects / 100;
  const calls = Object.fromEntries(Object.entries(measured.calls).map(([name, count]) => [name, count * times]));
  return { ...measured, calls, ms: measured.ms * times, logBytes: measured.logBytes * times };
}

function monthOf(projects: number, { runs, audits }: Measurements): Month[] {
  const run = (name: string): Measured => {
    const found = runs[name];
    if (!found) throw new Error(`${name} was not measured: npm run bench -- cost-measure`);
    return found;
  };
  const secrets = projects / ASSUMED.projectsPerManagedSecret;
  const webhooks = projects * ASSUMED.alertsPerProjectAndDay * 2 * DAYS;
  const small = { memoryGb: ASSUMED.memoryGb };
  const one = (name: string, times: number) => ({ times, invocations: times, run: run(name), ...small });
  return [
    { ...one('rotate-service-account-secret', secrets), invocations: secrets * 4 },
    { ...one('sweep-service-account-secrets', HOURS * secrets), invocations: HOURS },
    one('receive-atlas-alert', webhooks),
    one('deliver-tickets', webhooks),
    {
      ...one('reconcile-alerts', HOURS * 12),
      run: grown(run('reconcile-alerts'), 'listGroupAlerts', projects),
      atOnce: projects > 10 ? 4 : 1,
    },
    one('reconcile-alerts due', HOURS * 60),
    one('watch-live-migrations', HOURS * 60),
    {
      times: DAYS,
      invocations: DAYS,
      run: auditOf(projects, audits),
      memoryGb: ASSUMED.auditMemoryGb,
      atOnce: ASSUMED.auditAtOnce,
    },
  ];
}

/** Dollars a month by what they are paid for. */
export function costOf(projects: number, measured: Measurements): Readonly<Record<string, number>> {
  const month = monthOf(projects, measured);
  const called = (...names: string[]): number =>
    sum(month.map(({ times, run }) => times * callsOf(run, (each) => names.includes(each))));
  const ofSecrets = (operation: string): boolean => /Secret|VersionStage/.test(operation) && isAws(operation);
  const invocations = sum(month.map((each) => each.invocations));
  const { alarms, dashboards } = deployed();
  const secrets = projects / ASSUMED.projectsPerManagedSecret;
  const reportsGb = (projects * ASSUMED.reportKbPerProject * ASSUMED.reportsKeptDays) / 1e6;
  const webhooks = projects * ASSUMED.alertsPerProjectAndDay * 2 * DAYS;
  // Lambda asks an empty queue five times in parallel, each for up to 20 seconds.
  const polls = (5 * HOURS * 3_600) / 20;
  return {
    'Lambda: time': sum(month.map((each) => each.times * secondsOf(each) * each.memoryGb)) * PRICES.lambdaGbSecond,
    'Lambda: requests': (invocations / 1e6) * PRICES.lambdaMillion,
    'Secrets Manager: calls':
      (sum(month.map(({ times, run }) => times * callsOf(run, ofSecrets))) / 1e4) * PRICES.secretTenThousand,
    'Secrets Manager: the example’s eleven other secrets': 11 * PRICES.secretMonth,
    'Secrets Manager: managed secrets, which you have anyway': secrets * PRICES.secretMonth,
    DynamoDB:
      (called('GetItem', 'Query') / 1e6) * PRICES.dynamoReadMillion +
      ((called('PutItem') * 2) / 1e6) * PRICES.dynamoWriteMillion,
    SQS: ((polls + webhooks * 3) / 1e6) * PRICES.fifoMillion,
    'S3: reports':
      ((called('PutObject') + called('ListObjectsV2')) / 1e3) * PRICES.s3WriteThousand +
      (called('GetObject') / 1e3) * PRICES.s3ReadThousand +
      reportsGb * PRICES.s3GbMonth,
    'EventBridge: events and schedules':
      (called('PutEvents') / 1e6) * PRICES.eventMillion + ((HOURS * 133) / 1e6) * PRICES.schedulerMillion,
    'CloudWatch: alarms': alarms * PRICES.alarmMonth,
    'CloudWatch: metrics': measured.metrics.length * PRICES.metricMonth,
    'CloudWatch: dashboard': dashboards * PRICES.dashboardMonth,
    'CloudWatch: logs': (sum(month.map(({ times, run }) => times * run.logBytes)) / 1e9) * PRICES.logGb,
    'X-Ray': (invocations / 1e6) * PRICES.tracesMillion,
  };
}

/** Counted in the example's template. */
function deployed(): { alarms: number; dashboards: number } {
  const settings = loadSettings(path.resolve('infra/settings.example.json'));
  const { functions } = addDeployment(newApp(), { settings }, tinyBundles());
  const all = functions.node.findAll();
  return {
    alarms: all.filter((node) => node instanceof CfnAlarm).length,
    dashboards: all.filter((node) => node instanceof CfnDashboard).length,
  };
}

const dollars = (amount: number): string => (amount < 0.005 ? '< 0.01' : amount.toFixed(2));

/** The tables of the page, as Markdown. */
export function pageOf(measured: Measurements): string {
  const costs = SIZES.map((size) => costOf(size, measured));
  const items = Object.keys(costs[0] ?? {});
  const rows = items.map((item) => `| ${item} | ${costs.map((cost) => dollars(cost[item] ?? 0)).join(' | ')} |`);
  const totals = costs.map((cost) => `**${dollars(sum(Object.values(cost)))}**`);
  const runs = [
    ...Object.entries(measured.runs),
    ...Object.entries(measured.audits).map(([size, run]): [string, Measured] => [
      `audit-snapshot-schedules, ${size} projects`,
      run,
    ]),
  ].map(
    ([name, run]) =>
      `| ${name} | ${run.ms} | ${run.memoryMb} | ${callsOf(run, (each) => !isAws(each))} | ${callsOf(run, isAws)} | ${run.logBytes} |`,
  );
  const nat = HOURS * (PRICES.natHour + PRICES.addressHour);
  return [
    `| US dollars a month | ${SIZES.map((size) => `${size} projects`).join(' | ')} |`,
    '|---|--:|--:|--:|',
    ...rows,
    `| **all** | ${totals.join(' | ')} |`,
    '',
    `Fixed addresses (\`egress\`), where asked for: ${dollars(nat)} for each NAT gateway with its address, and ${PRICES.natGb} for each GB through it.`,
    '',
    `Measured on ${measured.date} with ${measured.node} by \`${measured.command}\`:`,
    '',
    '| one run | ms here | MB | calls to Atlas | calls to AWS | bytes logged |',
    '|---|--:|--:|--:|--:|--:|',
    ...runs,
    '',
  ].join('\n');
}

export const recorded = (): Measurements => JSON.parse(readFileSync(RECORD, 'utf8'));

export const benchCost = async (): Promise<string> => pageOf(recorded());

export async function benchCostMeasure(): Promise<string> {
  const measured = await measure();
  writeFileSync(RECORD, `${JSON.stringify(measured, undefined, 2)}\n`);
  return pageOf(measured);
}
