/** What watches over the watcher of live migrations, and what both functions may do to the sources' secrets. */
import path from 'node:path';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { beforeAll, expect, it } from 'vitest';
import { DataStack } from '../../infra/data-stack.ts';
import { loadSettings } from '../../infra/settings.ts';
import { AutomationStack } from '../../infra/stack.ts';
import { newApp, tinyBundles } from './synth.ts';

let template: Template;
beforeAll(() => {
  const settings = loadSettings(path.join(import.meta.dirname, '../../infra/settings.example.json'));
  const app = newApp();
  const data = new DataStack(app, 'Data', settings);
  template = Template.fromStack(new AutomationStack(app, 'Test', { settings, bundles: tinyBundles(), data }));
}, 60_000);

it('M31 alarms outside of the migrated project when nothing has looked for 15 minutes', () => {
  template.hasResourceProperties('AWS::CloudWatch::Alarm', {
    AlarmDescription: Match.stringLikeRegexp('^watch-live-migrations did not run for 15 minutes'),
    MetricName: 'Invocations',
    Period: 900,
    Threshold: 1,
    ComparisonOperator: 'LessThanThreshold',
    // No data is no look, too.
    TreatMissingData: 'breaching',
    AlarmActions: Match.anyValue(),
  });
  template.hasResourceProperties('AWS::CloudWatch::Alarm', {
    AlarmDescription: Match.stringLikeRegexp('^watch-live-migrations failed'),
    MetricName: 'Errors',
  });
  template.hasResourceProperties('AWS::Scheduler::Schedule', {
    Description: 'Looks after every live migration that is due',
    ScheduleExpression: 'rate(1 minute)',
    State: 'ENABLED',
    FlexibleTimeWindow: { Mode: 'OFF' },
  });
});

it('M17 lets both functions set and take off one tag of the sources’ secrets, and no other', () => {
  const policies = Object.values(template.findResources('AWS::IAM::Policy')) as {
    Properties: { PolicyDocument: { Statement: { Action: string | string[]; Condition?: unknown }[] } };
  }[];
  const tagging = policies
    .flatMap(({ Properties }) => Properties.PolicyDocument.Statement)
    .filter(({ Action }) => [Action].flat().includes('secretsmanager:UntagResource'));
  expect(tagging).toHaveLength(2);
  for (const { Condition } of tagging)
    expect(Condition).toEqual({ 'ForAllValues:StringEquals': { 'aws:TagKeys': ['atlas-automation:in-use-by'] } });
});
