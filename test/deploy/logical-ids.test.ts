/**
 * Under another logical id, CloudFormation makes a new one of a thing and lets go of the old: of what is kept here, people
 * would lose sight of it, or get a second one. These ids never change.
 */
import { beforeAll, expect, it } from 'vitest';
import { Settings, type StagedSettings } from '../../infra/settings.ts';
import { deployed, example } from '../infra/synth.ts';

const STATEFUL = [
  'AWS::DynamoDB::Table',
  'AWS::S3::Bucket',
  'AWS::SQS::Queue',
  'AWS::KMS::Key',
  'AWS::EC2::EIP',
  'AWS::Events::EventBus',
  'AWS::Events::Archive',
  'AWS::Logs::LogGroup',
  'AWS::SNS::Topic',
  'AWS::Lambda::Url',
  'AWS::SecretsManager::RotationSchedule',
];

type Resources = Readonly<Record<string, { readonly Type: string; readonly DeletionPolicy?: string }>>;

/** The resources of all stacks. */
const resourcesOf = (settings: StagedSettings): Resources => {
  const { app } = deployed(settings);
  return Object.assign({}, ...app.synth().stacks.map(({ template }) => template.Resources));
};
const statefulOf = (resources: Resources) =>
  Object.entries(resources)
    .filter(([, { Type }]) => STATEFUL.includes(Type))
    .map(([id, { Type, DeletionPolicy = 'Delete' }]) => `${Type.replace('AWS::', '')} ${id} ${DeletionPolicy}`)
    .toSorted();

let whole: Resources;
beforeAll(() => {
  const { settings } = example('settings.example.json');
  const given = JSON.parse(JSON.stringify(settings));
  whole = resourcesOf({
    settings: Settings.parse({ ...given, data: { ...given.data, ownKey: true }, egress: { natGateways: 2 } }),
  });
}, 90_000);

it('keeps the id of everything that holds something, or that people have the address of', () => {
  expect(statefulOf(whole)).toMatchInlineSnapshot(`
    [
      "DynamoDB::Table State1C20CC9A Retain",
      "EC2::EIP Address0 Retain",
      "EC2::EIP Address1 Retain",
      "Events::Archive Archive RetainExceptOnCreate",
      "Events::EventBus OwnBus Delete",
      "KMS::Key OwnKeyFF146825 Retain",
      "Lambda::Url ReceiveAtlasAlertOpsFunctionFunctionUrlCCBB098D Delete",
      "Lambda::Url ReceiveTicketUpdateOpsFunctionFunctionUrl67BE8B0D Delete",
      "Logs::LogGroup AuditSnapshotSchedulesOpsLogs625B1786 RetainExceptOnCreate",
      "Logs::LogGroup CommandLiveMigrationOpsLogs8EDFB183 RetainExceptOnCreate",
      "Logs::LogGroup DeliverTicketsOpsLogs314B63EF RetainExceptOnCreate",
      "Logs::LogGroup ReceiveAtlasAlertOpsLogsD6F2558F RetainExceptOnCreate",
      "Logs::LogGroup ReceiveTicketUpdateOpsLogs7627D1D5 RetainExceptOnCreate",
      "Logs::LogGroup ReconcileAlertsOpsLogsAD7FB6F1 RetainExceptOnCreate",
      "Logs::LogGroup RemediateSnapshotSchedulesOpsLogs116E9B70 RetainExceptOnCreate",
      "Logs::LogGroup RotateServiceAccountSecretOpsLogs445682A8 RetainExceptOnCreate",
      "Logs::LogGroup SweepServiceAccountSecretsOpsLogs21E8B12C RetainExceptOnCreate",
      "Logs::LogGroup VpcRejectedLogGroup0FFB81F6 Retain",
      "Logs::LogGroup WatchLiveMigrationsOpsLogsA471930A RetainExceptOnCreate",
      "S3::Bucket Reports65402A0A Retain",
      "SNS::Topic Alarms04B5A0BF Delete",
      "SQS::Queue AlertDeadLettersF434D1E0 Delete",
      "SQS::Queue Alerts91F83244 Delete",
      "SQS::Queue AuditSnapshotSchedulesOpsDeadLettersC35BB08C Delete",
      "SQS::Queue CommandLiveMigrationOpsDeadLetters04F6B590 Delete",
      "SQS::Queue DeliverTicketsOpsDeadLetters159EDDE8 Delete",
      "SQS::Queue ReceiveAtlasAlertOpsDeadLettersFAF1F99B Delete",
      "SQS::Queue ReceiveTicketUpdateOpsDeadLetters0A31F7A7 Delete",
      "SQS::Queue ReconcileAlertsOpsDeadLetters34A02F39 Delete",
      "SQS::Queue RemediateSnapshotSchedulesOpsDeadLetters3911A430 Delete",
      "SQS::Queue RotateServiceAccountSecretOpsDeadLetters496CBDB5 Delete",
      "SQS::Queue SweepServiceAccountSecretsOpsDeadLetters09BE543A Delete",
      "SQS::Queue WatchLiveMigrationsOpsDeadLetters1ACE9BC2 Delete",
      "SecretsManager::RotationSchedule RotateServiceAccountSecretScheduleatlasbillingserviceaccount867C51A6 Delete",
      "SecretsManager::RotationSchedule RotateServiceAccountSecretScheduleatlasordersserviceaccount86A3261D Delete",
    ]
  `);
});

it('changes little where the settings change little', { timeout: 90_000 }, () => {
  const { settings } = example('settings.example.json');
  const changed = (change: (given: ReturnType<typeof JSON.parse>) => void): string[] => {
    const given = JSON.parse(JSON.stringify(settings));
    const before = resourcesOf({ settings: Settings.parse(given) });
    change(given);
    const after = resourcesOf({ settings: Settings.parse(given) });
    return [...new Set([...Object.keys(before), ...Object.keys(after)])]
      .filter((id) => JSON.stringify(before[id]) !== JSON.stringify(after[id]))
      .map((id) => (after[id] ?? before[id])?.Type.replace('AWS::', '') ?? '')
      .toSorted();
  };
  expect(changed((given) => (given.rotation.secrets[0].everyDays = 14))).toEqual([
    'Lambda::Function',
    'Lambda::Function',
    'SecretsManager::RotationSchedule',
  ]);
  expect(changed((given) => (given.schedules.auditEveryHours = 12))).toEqual([
    'CloudWatch::Alarm',
    'Scheduler::Schedule',
  ]);
  expect(changed((given) => (given.audit.sockets = 50))).toEqual(['Lambda::Function', 'Lambda::Function']);
  expect(changed((given) => given.rotation.secrets.reverse())).toEqual(['Lambda::Function', 'Lambda::Function']);
});
