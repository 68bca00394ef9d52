/** The audit in pieces as it is deployed: what the machine does, what it may do, and when. */
import { Validations } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { beforeAll, describe, expect, it } from 'vitest';
import { AuditEvent, Settings as AuditFunctionSettings } from '../../functions/audit-snapshot-schedules/contract.ts';
import { DataStack } from '../../infra/data-stack.ts';
import { Settings } from '../../infra/settings.ts';
import { AutomationStack } from '../../infra/stack.ts';
import { newApp, tinyBundles } from './synth.ts';

interface State {
  readonly Type: string;
  readonly Next?: string;
  readonly End?: boolean;
  readonly Default?: string;
  readonly Choices?: readonly { readonly Next: string }[];
  readonly Catch?: readonly { readonly ErrorEquals: string[]; readonly Next: string }[];
  readonly Retry?: readonly { readonly ErrorEquals: string[]; readonly MaxAttempts: number }[];
  readonly Parameters?: Record<string, unknown>;
  readonly ItemReader?: { readonly Resource: string; readonly Parameters: Record<string, unknown> };
  readonly ItemProcessor?: Machine & { readonly ProcessorConfig: { readonly Mode: string } };
  readonly MaxConcurrency?: number;
  readonly ToleratedFailurePercentage?: number;
  readonly [more: string]: unknown;
}
interface Machine {
  readonly StartAt: string;
  readonly States: Record<string, State>;
}
interface Statement {
  readonly Action: string | string[];
  readonly Resource: unknown;
}

const build = (distributed: object) => {
  const settings = Settings.parse({
    atlas: { credentials: { audit: { secret: 'atlas-automation/audit' } } },
    audit: { sockets: 50, distributed },
  });
  const app = newApp();
  const data = new DataStack(app, 'Data', settings);
  const stack = new AutomationStack(app, 'Test', { settings, bundles: tinyBundles(), data });
  return { app, stack };
};

let template: Template;
let machine: Machine;
beforeAll(() => {
  template = Template.fromStack(build({ enabled: true, maxConcurrency: 6, toleratedFailurePercent: 40 }).stack);
  [machine] = of('AWS::StepFunctions::StateMachine').map(({ Definition }) => Definition as Machine) as [Machine];
}, 60_000);

const of = (type: string, from = template): Record<string, unknown>[] =>
  Object.values(from.findResources(type)).map(({ Properties }) => Properties as Record<string, unknown>);

/** Every state of a machine, those within its maps too. */
const statesOf = ({ States }: Machine): [string, State][] =>
  Object.entries(States).flatMap(([name, state]) => [
    [name, state] as [string, State],
    ...(state.ItemProcessor ? statesOf(state.ItemProcessor) : []),
  ]);

/** The states one leads to, whatever happens. */
const nextOf = ({ Next, Default, Choices = [], Catch = [] }: State): string[] =>
  [Next, Default, ...Choices.map((each) => each.Next), ...Catch.map((each) => each.Next)].filter(
    (each) => each !== undefined,
  );

describe('the state machine', () => {
  it('leads from every state to one that is there, and to each of them', () => {
    const walk = ({ StartAt, States }: Machine): void => {
      const seen = new Set<string>();
      const open = [StartAt];
      for (let name = open.pop(); name !== undefined; name = open.pop()) {
        if (seen.has(name)) continue;
        seen.add(name);
        const state = States[name];
        expect(state, name).toBeDefined();
        if (!state) continue;
        const isEnd = state.End === true || state.Type === 'Succeed' || state.Type === 'Fail';
        expect(nextOf(state).length > 0 || isEnd, name).toBe(true);
        open.push(...nextOf(state));
        if (state.ItemProcessor) walk(state.ItemProcessor);
      }
      expect([...seen].toSorted()).toEqual(Object.keys(States).toSorted());
    };
    walk(machine);
    expect(machine.StartAt).toBe('Plan');
  });

  it('maps over the items of the plan, no more at a time than the settings say, and bears as many failures', () => {
    const chunks = machine.States['Chunks'];
    expect(chunks).toMatchObject({
      Type: 'Map',
      MaxConcurrency: 6,
      ToleratedFailurePercentage: 40,
      ItemReader: {
        Resource: 'arn:aws:states:::s3:getObject',
        ReaderConfig: { InputType: 'JSON' },
        Parameters: { 'Key.$': '$.items' },
      },
      ItemProcessor: { ProcessorConfig: { Mode: 'DISTRIBUTED' } },
      ResultPath: null,
    });
    // Whatever becomes of the pieces, there is a report.
    expect(chunks && nextOf(chunks)).toEqual(['Merge', 'Merge']);
    expect(chunks?.Catch?.[0]?.ErrorEquals).toEqual(['States.ALL']);
  });

  it('lets no organization end what another one is merged by, and fails where one is not whole', () => {
    const one = machine.States['Merge']?.ItemProcessor?.States['Merge one'];
    expect(one?.Catch).toEqual([{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'Not whole' }]);
    expect(machine.States['Is it whole?']?.Choices?.[0]?.Next).toBe('Partial');
    expect(machine.States['Partial']).toMatchObject({ Type: 'Fail', Error: 'AuditIncomplete' });
  });

  it('calls the one function, goes on where time ran out, and says nothing the function does not take', () => {
    const tasks = statesOf(machine).filter(([, { Type }]) => Type === 'Task');
    expect(tasks.map(([name]) => name)).toEqual(['Plan', 'Chunk', 'Merge one']);
    const [lambda] = Object.keys(template.findResources('AWS::Lambda::Function'));
    for (const [name, { Parameters, Retry = [] }] of tasks) {
      expect(Parameters?.['FunctionName']).toEqual({ 'Fn::GetAtt': [lambda, 'Arn'] });
      expect(
        Retry.flatMap(({ ErrorEquals }) => ErrorEquals),
        name,
      ).toContain('AuditUnfinished');
      expect(Math.max(...Retry.map(({ MaxAttempts }) => MaxAttempts)), name).toBeLessThan(10);
    }
    const ids = { organizationId: 'a'.repeat(24), runId: '20260101T000000Z-0a1b2c3d' };
    expect(AuditEvent.safeParse({ action: 'plan' }).success).toBe(true);
    expect(AuditEvent.safeParse({ mode: 'full', action: 'plan' }).success).toBe(true);
    expect(AuditEvent.safeParse({ action: 'chunk', ...ids, chunk: 1 }).success).toBe(true);
    expect(AuditEvent.safeParse({ action: 'merge', ...ids }).success).toBe(true);
    expect(AuditEvent.safeParse({ action: 'chunk', ...ids }).success).toBe(false);
    expect(AuditEvent.safeParse({ action: 'merge', ...ids, chunk: 1 }).success).toBe(false);
  });
});

describe('its role', () => {
  it('may do what it does, and nothing else', () => {
    const policy = of('AWS::IAM::Policy').find(({ PolicyName }) => PolicyName === 'audit-in-pieces');
    const { Statement: statements } = policy!['PolicyDocument'] as { Statement: Statement[] };
    const allowed = statements.map(({ Action, Resource }) => [[Action].flat(), JSON.stringify(Resource)] as const);
    expect(allowed.slice(0, 4).map(([actions]) => actions)).toEqual([
      ['lambda:InvokeFunction'],
      ['s3:GetObject'],
      ['states:StartExecution'],
      ['states:DescribeExecution', 'states:StopExecution'],
    ]);
    expect(allowed[1]?.[1]).toContain('/audits/*/items.json');
    expect(allowed[2]?.[1]).toContain(':stateMachine:atlas-automation-audit');
    expect(allowed[3]?.[1]).toContain(':execution:atlas-automation-audit');
    expect(of('AWS::StepFunctions::StateMachine')[0]?.['StateMachineName']).toBe('atlas-automation-audit');
    // What knows no resources: the delivery of logs and X-Ray.
    const everywhere = allowed.filter(([, resource]) => resource === '"*"').flatMap(([actions]) => actions);
    expect(everywhere.filter((action) => !/^(logs|xray):/.test(action))).toEqual([]);
    expect(allowed.flatMap(([actions]) => actions).filter((action) => action.includes('*'))).toEqual([]);
  });

  it('is started by the schedule, which no longer invokes the function', () => {
    const targets = of('AWS::Scheduler::Schedule').map(({ Target }) => JSON.stringify(Target));
    expect(targets).toHaveLength(1);
    const [id] = Object.keys(template.findResources('AWS::StepFunctions::StateMachine'));
    expect(targets[0]).toContain(`"Arn":{"Ref":"${id}"}`);
    const alarms = of('AWS::CloudWatch::Alarm').flatMap(({ Namespace, MetricName }) =>
      Namespace === 'AWS/States' ? [MetricName] : [],
    );
    expect(alarms.toSorted()).toEqual(['ExecutionsAborted', 'ExecutionsFailed', 'ExecutionsTimedOut']);
  });
});

describe('the settings', () => {
  it('have no pieces unless asked for', () => {
    const usual = Template.fromStack(build({}).stack);
    expect(of('AWS::StepFunctions::StateMachine', usual)).toEqual([]);
    expect(of('AWS::Scheduler::Schedule', usual)).toHaveLength(1);
  }, 60_000);

  it('refuse more calls at a time than the limits of Atlas have room for', () => {
    const parsed = AuditFunctionSettings.safeParse({
      audit: { sockets: 100, distributed: { enabled: true, maxConcurrency: 9 } },
    });
    expect(parsed.error?.issues.map(({ path, message }) => [path.join('.'), message])).toEqual([
      ['audit.distributed.maxConcurrency', 'times sockets must be at most 800'],
    ]);
    expect(
      AuditFunctionSettings.safeParse({ audit: { sockets: 100, distributed: { maxConcurrency: 9 } } }).success,
    ).toBe(true);
  });
});

it('has nothing cdk-nag finds', () => {
  const { app } = build({ enabled: true });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  expect(() => app.synth()).not.toThrow();
}, 60_000);
