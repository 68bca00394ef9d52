import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { CfnArchive, CfnEventBus, EventBus, type IEventBus } from 'aws-cdk-lib/aws-events';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import { OperationsDashboard } from './constructs/dashboard.ts';
import type { OpsFoundation } from './constructs/ops-function.ts';
import type { DataStack } from './data-stack.ts';
import { AuditSnapshotSchedules } from './functions/audit-snapshot-schedules.ts';
import { CommandLiveMigration } from './functions/command-live-migration.ts';
import { DeliverTickets } from './functions/deliver-tickets.ts';
import { hasTargets } from './functions/fan-out-grants.ts';
import { ReceiveAtlasAlert } from './functions/receive-atlas-alert.ts';
import { ReceiveTicketUpdate } from './functions/receive-ticket-update.ts';
import { ReconcileAlerts } from './functions/reconcile-alerts.ts';
import { RemediateSnapshotSchedules } from './functions/remediate-snapshot-schedules.ts';
import { RotateServiceAccountSecret } from './functions/rotate-service-account-secret.ts';
import { SweepServiceAccountSecrets } from './functions/sweep-service-account-secrets.ts';
import { WatchLiveMigrations } from './functions/watch-live-migrations.ts';
import type { NetworkStack } from './network-stack.ts';
import type { Settings } from './settings.ts';

export interface AutomationStackProps {
  readonly settings: Settings;
  /** Folder with one built bundle per Lambda: what `npm run build` wrote. */
  readonly bundles: string;
  /** What the functions remember and report; needed as soon as `needsData` says so. */
  readonly data?: DataStack;
  /** What the functions reach the internet through; AWS's own network without one. */
  readonly network?: NetworkStack;
}

/** Whether the settings deploy a function that remembers something. */
export const needsData = ({ atlas: { credentials }, rotation, tickets }: Settings): boolean =>
  [credentials.audit, credentials.remediation, credentials.migration, credentials.fleet].some(
    (each) => each !== undefined,
  ) ||
  hasTargets(rotation) ||
  tickets.destinations.length > 0;

/**
 * Everything that runs in an AWS account. A capability the settings give nothing to do is not deployed. Without an
 * account and a region in the settings, the template fits any.
 */
export class AutomationStack extends Stack {
  constructor(scope: Construct, id: string, { settings, bundles, data, network }: AutomationStackProps) {
    const { name, account, region, tags, logRetentionDays, codeSigning } = settings.stack;
    super(scope, id, {
      stackName: name,
      description: 'Atlas Automation: Lambda functions that look after MongoDB Atlas',
      tags,
      ...(account !== undefined && region !== undefined && { env: { account, region } }),
    });

    const logRetention: RetentionDays = logRetentionDays;
    const foundation: OpsFoundation = {
      bundles,
      alarmTopic: this.#alarmTopic(settings),
      logRetention,
      scheduleGroup: new CfnScheduleGroup(this, 'Schedules', {}),
      network,
      codeSigning,
    };
    const eventBus = this.#eventBus(settings);

    const { rotation, schedules, concurrency, alarms } = settings;
    if (rotation.secrets.length > 0) {
      const capability = { foundation, schedules, atlasBaseUrl: settings.atlas.baseUrl, eventBus, rotation };
      const rotate = new RotateServiceAccountSecret(this, 'RotateServiceAccountSecret', {
        ...capability,
        reservedConcurrency: concurrency.rotation,
      });
      const sweep = new SweepServiceAccountSecrets(this, 'SweepServiceAccountSecrets', {
        ...capability,
        rotate: rotate.ops.fn,
        secretEndsWithinHours: alarms.secretEndsWithinHours,
        data,
        credentials: settings.atlas.credentials.fleet,
      });
      rotate.tellOfFailures(sweep.ops.fn);
    }
    if (data) this.#addRemembering(settings, { foundation, eventBus, data });
    if (alarms.dashboard && (data || rotation.secrets.length > 0)) new OperationsDashboard(this, 'Dashboard', data);
  }

  /** The functions that remember something. */
  #addRemembering(
    settings: Settings,
    given: { readonly foundation: OpsFoundation; readonly eventBus: IEventBus; readonly data: DataStack },
  ): void {
    const { audit, tickets, webhooks, schedules, concurrency, alarms } = settings;
    const { credentials } = settings.atlas;
    const common = { ...given, atlasBaseUrl: settings.atlas.baseUrl };
    if (credentials.audit) {
      const own = { ...common, audit, credentials: credentials.audit, schedules };
      new AuditSnapshotSchedules(this, 'AuditSnapshotSchedules', own);
    }
    if (credentials.remediation)
      new RemediateSnapshotSchedules(this, 'RemediateSnapshotSchedules', {
        ...common,
        audit,
        credentials: credentials.remediation,
      });
    if (credentials.migration) {
      const { sourceSecrets, ...migration } = settings.migration;
      const own = { ...common, migration, sourceSecrets, credentials: credentials.migration };
      new CommandLiveMigration(this, 'CommandLiveMigration', own);
      new WatchLiveMigrations(this, 'WatchLiveMigrations', own);
    }
    if (tickets.destinations.length > 0) {
      const bridge = {
        ...common,
        tickets,
        credentials: credentials.tickets,
        concurrency,
        ticketAfterSeconds: alarms.ticketAfterSeconds,
        allowFrom: webhooks.allowFrom,
      };
      if (webhooks.atlas)
        new ReceiveAtlasAlert(this, 'ReceiveAtlasAlert', { ...bridge, webhookSecret: webhooks.atlas });
      new DeliverTickets(this, 'DeliverTickets', bridge);
      new ReconcileAlerts(this, 'ReconcileAlerts', bridge);
      new ReceiveTicketUpdate(this, 'ReceiveTicketUpdate', bridge);
    }
  }

  /** The bundle's own: what it tells stays apart from other stages', and is kept to be played again. */
  #eventBus({ data }: Settings): IEventBus {
    const { ref, attrArn } = new CfnEventBus(this, 'OwnBus', {
      name: this.stackName,
      description: 'What Atlas Automation tells',
    });
    const archive = new CfnArchive(this, 'Archive', {
      sourceArn: attrArn,
      description: 'What Atlas Automation told',
      eventPattern: { source: ['atlas-automation'] },
      retentionDays: data.keepEventsDays,
    });
    archive.applyRemovalPolicy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE);
    return EventBus.fromEventBusName(this, 'Bus', ref);
  }

  #alarmTopic({ alarms: { topicArn, email } }: Settings): ITopic {
    if (topicArn !== undefined) return Topic.fromTopicArn(this, 'Alarms', topicArn);
    // No key of its own: what is published here are the sentences in this stack, and CloudWatch cannot publish to a
    // topic under AWS's default key.
    const topic = new Topic(this, 'Alarms', { displayName: 'Atlas Automation alarms', enforceSSL: true });
    // A topic with any policy loses the default one, which let the account's own alarms publish.
    topic.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: {
          StringEquals: { 'aws:SourceAccount': this.account },
          ArnLike: { 'aws:SourceArn': this.formatArn({ service: 'cloudwatch', resource: 'alarm:*' }) },
        },
      }),
    );
    if (email !== undefined) topic.addSubscription(new EmailSubscription(email));
    return topic;
  }
}
