/** Everything the example's settings deploy: each function with what it may, when it runs, and what it alarms of. */
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Template } from 'aws-cdk-lib/assertions';
import { beforeAll, describe, expect, it } from 'vitest';
import { AuditEvent } from '../../functions/audit-snapshot-schedules/contract.ts';
import { ReconcileEvent } from '../../functions/bridge-alerts-to-tickets/contract.ts';
import { SweepEvent } from '../../functions/rotate-service-account-secret/contract.ts';
import { WatchEvent } from '../../functions/start-live-migration/contract.ts';
import { LAMBDAS } from '../../infra/build.ts';
import { DataStack } from '../../infra/data-stack.ts';
import { loadSettings } from '../../infra/settings.ts';
import { AutomationStack } from '../../infra/stack.ts';
import { newApp, text, tinyBundles } from './synth.ts';

const ROOT = path.join(import.meta.dirname, '../..');

interface Statement {
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Condition?: Record<string, Record<string, unknown>>;
}
interface Resource {
  // biome-ignore lint/suspicious/noExplicitAny: the shape is what the tests are about
  readonly Properties: any;
}

let template: Template;
beforeAll(() => {
  const settings = loadSettings(path.join(import.meta.dirname, '../../infra/settings.example.json'));
  const app = newApp();
  const data = new DataStack(app, 'Data', settings);
  template = Template.fromStack(new AutomationStack(app, 'Test', { settings, bundles: tinyBundles(), data }));
}, 60_000);

const resources = (type: string): [string, Resource][] =>
  Object.entries(template.findResources(type) as Record<string, Resource>);
const listOf = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value]);
const textOf = (value: unknown): string => {
  const node = value as Record<string, unknown>;
  if (typeof value === 'object' && value !== null && 'Fn::ImportValue' in node)
    return `<${String(node['Fn::ImportValue'])}>`;
  if (typeof value === 'object' && value !== null && 'Fn::Join' in node) {
    const [separator, parts] = node['Fn::Join'] as [string, unknown[]];
    return parts.map(textOf).join(separator);
  }
  return text(value);
};

/** Every function by its bundle's name, with its logical id and its role's statements. */
const functions = (): Map<string, { id: string; statements: Statement[] }> => {
  const policies = resources('AWS::IAM::Policy');
  return new Map(
    resources('AWS::Lambda::Function').map(([id, { Properties }]) => {
      const role: string = Properties.Role['Fn::GetAtt'][0];
      const statements = policies
        .filter(([, policy]) => policy.Properties.Roles.some((each: { Ref: string }) => each.Ref === role))
        .flatMap(([, policy]) => policy.Properties.PolicyDocument.Statement as Statement[]);
      const purpose = resources('AWS::IAM::Role').find(([roleId]) => roleId === role)?.[1].Properties
        .Description as string;
      return [/^Runs (\S+)/.exec(purpose)?.[1] ?? id, { id, statements }] as const;
    }),
  );
};
const actionsOf = (lambda: string): string[] =>
  [
    ...new Set(
      functions()
        .get(lambda)
        ?.statements.flatMap(({ Action }) => Action),
    ),
  ].toSorted();
const partitionsOf = (lambda: string): string[] =>
  (functions().get(lambda)?.statements ?? [])
    .filter(({ Action }) => listOf(Action).includes('dynamodb:PutItem'))
    .flatMap(({ Condition }) => Condition?.['ForAllValues:StringLike']?.['dynamodb:LeadingKeys'] as string[]);

it('deploys every function there is', () => {
  expect([...functions().keys()].toSorted()).toEqual(Object.values(LAMBDAS).toSorted());
});

describe('every role', () => {
  it('belongs to one function, or to the schedules of one', () => {
    const roles = resources('AWS::IAM::Role').map(
      ([, { Properties }]) => Properties.AssumeRolePolicyDocument.Statement[0],
    );
    const of = (service: string) => roles.filter(({ Principal }) => Principal.Service === service);
    expect(of('lambda.amazonaws.com')).toHaveLength(functions().size);
    const timed = new Set(
      resources('AWS::Scheduler::Schedule').map(([, { Properties }]) => text(Properties.Target.Arn)),
    );
    expect(of('scheduler.amazonaws.com')).toHaveLength(timed.size);
    expect(roles).toHaveLength(functions().size + timed.size);
  });

  it('of a schedule can be taken by this stack’s schedules alone, and may invoke one function', () => {
    const group = resources('AWS::Scheduler::ScheduleGroup').map(([id]) => `<${id}.Arn>`);
    for (const [id, { Properties }] of resources('AWS::Scheduler::Schedule')) {
      const { Arn, RoleArn, DeadLetterConfig } = Properties.Target;
      const role: string = RoleArn['Fn::GetAtt'][0];
      const trust = resources('AWS::IAM::Role').find(([each]) => each === role)?.[1].Properties
        .AssumeRolePolicyDocument;
      const statement = trust.Statement[0];
      expect([id, text(statement.Condition.StringEquals['aws:SourceArn'])]).toEqual([id, ...group]);
      expect([id, text(statement.Condition.StringEquals['aws:SourceAccount'])]).toEqual([id, '<AWS::AccountId>']);
      const statements = resources('AWS::IAM::Policy')
        .filter(([, policy]) => policy.Properties.Roles.some((each: { Ref: string }) => each.Ref === role))
        .flatMap(([, policy]) => policy.Properties.PolicyDocument.Statement as Statement[]);
      expect(statements.map(({ Action, Resource }) => [Action, text(Resource)])).toEqual([
        ['lambda:InvokeFunction', text(Arn)],
        ['sqs:SendMessage', text(DeadLetterConfig.Arn)],
      ]);
    }
  });

  it('has no resource * but for X-Ray, and no action *', () => {
    for (const { statements } of functions().values())
      for (const { Action, Resource } of statements) {
        expect(listOf(Action).filter((action) => action.includes('*'))).toEqual([]);
        if (listOf(Resource).includes('*'))
          expect(listOf(Action).toSorted()).toEqual(['xray:PutTelemetryRecords', 'xray:PutTraceSegments']);
      }
  });

  it('reaches the state only under its own partitions', () => {
    const writers = [...functions().keys()].map((lambda) => [lambda, partitionsOf(lambda)] as const);
    for (const { statements } of functions().values())
      for (const { Action, Condition } of statements)
        if (listOf(Action).some((action) => action.startsWith('dynamodb:')))
          expect(Condition?.['ForAllValues:StringLike']?.['dynamodb:LeadingKeys']).toBeTruthy();
    const bridge = ['deliver-tickets', 'reconcile-alerts', 'receive-ticket-update'];
    const migration = ['command-live-migration', 'watch-live-migrations'];
    for (const [one, own] of writers)
      for (const [other, theirs] of writers) {
        const isShared =
          one === other || [bridge, migration].some((group) => group.includes(one) && group.includes(other));
        if (!isShared) expect([one, other, own.filter((each) => theirs.includes(each))]).toEqual([one, other, []]);
      }
  });

  it('reads only the secrets it needs', () => {
    const secretsOf = (lambda: string): string[] =>
      (functions().get(lambda)?.statements ?? [])
        .filter(({ Action }) => listOf(Action).includes('secretsmanager:GetSecretValue'))
        .flatMap(({ Resource }) => listOf(Resource).map(textOf))
        .map((arn) => /secret:(.*)-\?{6}$/.exec(arn)?.[1] ?? arn)
        .toSorted();
    expect(secretsOf('audit-snapshot-schedules')).toEqual(['atlas-automation/audit']);
    expect(secretsOf('remediate-snapshot-schedules')).toEqual(['atlas-automation/remediation']);
    expect(secretsOf('receive-atlas-alert')).toEqual(['atlas-automation/webhook']);
    expect(secretsOf('command-live-migration')).toEqual(['atlas-automation/migration', 'migration/orders']);
    expect(secretsOf('deliver-tickets')).toEqual([
      'atlas-automation/github-token',
      'atlas-automation/github-webhook',
      'atlas-automation/tickets',
    ]);
  });

  it('of the function strangers reach may send to one queue and read one secret, and nothing else', () => {
    expect(actionsOf('receive-atlas-alert')).toEqual([
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      'secretsmanager:GetSecretValue',
      'sqs:SendMessage',
      'xray:PutTelemetryRecords',
      'xray:PutTraceSegments',
    ]);
  });
});

/** Everything a capability's own sources say, with the library that keeps state for rotation alone. */
const sourcesOf = (capability: string): string =>
  [`functions/${capability}/**/*.ts`, ...(capability.startsWith('rotate') ? ['lib/fan-out/*.ts'] : [])]
    .flatMap((pattern) => globSync(pattern, { cwd: ROOT }))
    .map((file) => readFileSync(path.join(ROOT, file), 'utf8'))
    .join('\n');
const capabilityOf = (lambda: string): string =>
  Object.entries(LAMBDAS)
    .find(([, name]) => name === lambda)?.[0]
    .split('/')[0] ?? '';

describe('what the stack says of a function', () => {
  it('names only metrics that the function puts out', () => {
    const alarmed = resources('AWS::CloudWatch::Alarm').flatMap(([, { Properties }]) =>
      Properties.Namespace === 'AtlasAutomation'
        ? [[Properties.Dimensions[0].Value as string, Properties.MetricName as string] as const]
        : [],
    );
    expect(alarmed.length).toBeGreaterThan(8);
    for (const [lambda, metric] of alarmed)
      expect([lambda, metric, sourcesOf(capabilityOf(lambda)).includes(`'${metric}'`)]).toEqual([lambda, metric, true]);
  });

  it('lets some function of each capability write every partition its sources name', () => {
    for (const capability of new Set(Object.keys(LAMBDAS).map((file) => file.split('/')[0] ?? ''))) {
      const granted = Object.values(LAMBDAS)
        .filter((lambda) => capabilityOf(lambda) === capability)
        .flatMap(partitionsOf)
        .map((pattern) => new RegExp(`^${pattern.replaceAll('*', '.*')}$`));
      const named = [...sourcesOf(capability).matchAll(/\bpk: ['`]([^'`]+)['`]/g)].map(([, pk = '']) => pk);
      for (const pk of named) {
        const example = pk.replaceAll(/\$\{[^}]*\}?/g, 'x');
        expect([capability, pk, granted.some((pattern) => pattern.test(example))]).toEqual([capability, pk, true]);
      }
    }
  });

  it('lets the remediation write where it keeps its plans, and nowhere else in the reports', () => {
    const written = (functions().get('remediate-snapshot-schedules')?.statements ?? [])
      .filter(({ Action }) => listOf(Action).includes('s3:PutObject'))
      .flatMap(({ Resource }) => listOf(Resource).map(textOf));
    expect(written.map((arn) => arn.replace(/^[^/]*\//, '')).toSorted()).toEqual([
      'audits/*/plans/*',
      'audits/*/remediations/*',
    ]);
    expect(sourcesOf('audit-snapshot-schedules')).toMatch(/keys\.folder\([^)]*\)\}\/(plans|remediations)\//);
  });
});

describe('every function', () => {
  it('alarms when it fails, is throttled, or leaves an event behind, and says where to read on', () => {
    const alarms = resources('AWS::CloudWatch::Alarm').map(([, { Properties }]) => String(Properties.AlarmDescription));
    for (const lambda of functions().keys()) {
      const own = alarms.filter((description) => description.startsWith(`${lambda} `));
      expect([lambda, own.length >= 3]).toEqual([lambda, true]);
      for (const description of own) {
        expect(description).toContain('Impact: ');
        expect(description).toMatch(/Runbook: functions\/[\w-]+\/README\.md$/);
      }
    }
  });

  it('that runs by the clock does so by a schedule of its own, which is put off only where nobody waits', () => {
    const schedules = resources('AWS::Scheduler::Schedule').map(
      ([, { Properties }]) => `${Properties.ScheduleExpression} ${Properties.FlexibleTimeWindow.Mode}`,
    );
    expect(schedules.toSorted()).toEqual([
      'rate(1 hour) FLEXIBLE',
      'rate(1 minute) OFF',
      'rate(1 minute) OFF',
      'rate(24 hours) FLEXIBLE',
      'rate(5 minutes) OFF',
    ]);
  });

  it('is told by its schedule what its contract takes for a run by the clock', () => {
    const contracts = { audit: AuditEvent, sweep: SweepEvent, reconcile: ReconcileEvent, watch: WatchEvent };
    for (const [, { Properties }] of resources('AWS::Scheduler::Schedule')) {
      const input = Properties.Target.Input.replace('<aws.scheduler.scheduled-time>', '2026-03-02T10:00:00Z');
      const id: string = Properties.Target.Arn['Fn::GetAtt'][0];
      const lambda = [...functions()].find(([, each]) => each.id === id)?.[0] ?? '';
      const contract = Object.entries(contracts).find(([name]) => lambda.startsWith(name))?.[1];
      expect(contract?.safeParse(JSON.parse(input))).toMatchObject({ success: true, data: { dryRun: false } });
    }
  });

  it('with a schedule of less than an hour has no window, and every schedule a queue for what got lost', () => {
    for (const [id, { Properties }] of resources('AWS::Scheduler::Schedule')) {
      expect([id, Properties.Target.DeadLetterConfig.Arn['Fn::GetAtt']?.[1]]).toEqual([id, 'Arn']);
      expect(Properties.Target.RetryPolicy.MaximumEventAgeInSeconds).toBeGreaterThanOrEqual(60);
    }
  });
});

it('has a bus of its own, whose events are kept, and puts nothing on another one', () => {
  const [[bus] = ['']] = resources('AWS::Events::EventBus');
  expect(
    resources('AWS::Events::Archive').map(([, { Properties }]) => [
      text(Properties.SourceArn),
      Properties.RetentionDays,
    ]),
  ).toEqual([[`<${bus}.Arn>`, 90]]);
  for (const [lambda, { statements }] of functions())
    for (const { Action, Resource } of statements)
      if (listOf(Action).includes('events:PutEvents'))
        expect([lambda, textOf(Resource)]).toEqual([lambda, expect.stringMatching(`event-bus/<${bus}>$`)]);
  const own = resources('AWS::Events::Rule').filter(([, { Properties }]) =>
    Properties.EventPattern.source.includes('atlas-automation'),
  );
  expect(own.map(([, { Properties }]) => text(Properties.EventBusName))).toEqual(own.map(() => `<${bus}>`));
});

it('shows all alarms, and the figures of each function, on one page', () => {
  const [[, page] = ['', { Properties: {} }]] = resources('AWS::CloudWatch::Dashboard');
  const body = JSON.stringify(page.Properties.DashboardBody);
  for (const [id] of resources('AWS::CloudWatch::Alarm')) expect([id, body.includes(id)]).toEqual([id, true]);
  for (const [lambda, { id }] of functions()) expect([lambda, body.includes(id)]).toEqual([lambda, true]);
  for (const metric of ['HoursToSecretEnd', 'Coverage', 'SecondsToTicket']) expect(body).toContain(metric);
});

it('alarms of the end of a secret, of a partial audit, of a late ticket, and of an old message', () => {
  const alarms = resources('AWS::CloudWatch::Alarm').map(([, { Properties }]) => [
    Properties.MetricName,
    Properties.Threshold,
    Properties.ComparisonOperator,
  ]);
  const below = 'LessThanThreshold';
  const from = 'GreaterThanOrEqualToThreshold';
  expect(alarms).toEqual(
    expect.arrayContaining([
      ['HoursToSecretEnd', 48, below],
      ['Coverage', 100, below],
      ['SecondsToTicket', 300, from],
      ['ApproximateAgeOfOldestMessage', 600, from],
    ]),
  );
});

it('delivers the queue of alerts with partial batches, and the bundle’s own events', () => {
  const [[, mapping] = ['', { Properties: {} }]] = resources('AWS::Lambda::EventSourceMapping');
  expect(mapping.Properties).toMatchObject({
    BatchSize: 10,
    ScalingConfig: { MaximumConcurrency: 50 },
    FunctionResponseTypes: ['ReportBatchItemFailures'],
  });
  const patterns = resources('AWS::Events::Rule').map(([, { Properties }]) => Properties.EventPattern?.source);
  expect(patterns).toContainEqual(['atlas-automation']);
});

it('lets services invoke functions for this account alone, and anybody by a function URL alone', () => {
  for (const [id, { Properties }] of resources('AWS::Lambda::Permission')) {
    const { Principal, Action, SourceArn, SourceAccount, FunctionUrlAuthType, InvokedViaFunctionUrl } = Properties;
    if (Principal === '*')
      expect([id, Action, FunctionUrlAuthType ?? InvokedViaFunctionUrl]).toEqual(
        Action === 'lambda:InvokeFunctionUrl' ? [id, Action, 'NONE'] : [id, 'lambda:InvokeFunction', true],
      );
    else {
      // An ARN of this stack, or one with the account in it.
      const isOurs = SourceAccount !== undefined || /^<[^>]+>$|:<AWS::AccountId>:/.test(text(SourceArn));
      expect([id, Principal, isOurs]).toEqual([id, Principal, true]);
    }
  }
});

it('lets other services into queues and topics for this account alone, and roles be taken likewise', () => {
  const policies = [...resources('AWS::SQS::QueuePolicy'), ...resources('AWS::SNS::TopicPolicy')].flatMap(
    ([id, { Properties }]) =>
      (Properties.PolicyDocument.Statement as (Statement & { Effect: string })[]).map((each) => [id, each] as const),
  );
  for (const [id, { Effect, Condition }] of policies)
    if (Effect === 'Allow')
      expect([id, JSON.stringify(Condition)]).toEqual([id, expect.stringMatching(/aws:Source(Arn|Account)/)]);
});

it('opens two functions to the outside, each of which checks signatures itself', () => {
  const urls = resources('AWS::Lambda::Url');
  expect(urls.map(([, { Properties }]) => Properties.AuthType)).toEqual(['NONE', 'NONE']);
  const open = urls.map(([, { Properties }]) => Properties.TargetFunctionArn['Fn::GetAtt'][0]);
  const named = [...functions()].filter(([, { id }]) => open.includes(id)).map(([lambda]) => lambda);
  expect(named.toSorted()).toEqual(['receive-atlas-alert', 'receive-ticket-update']);
});
