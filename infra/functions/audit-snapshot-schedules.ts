import { Duration, Stack } from 'aws-cdk-lib';
import { ComparisonOperator, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type * as z from 'zod';
import type { Config } from '../../functions/audit-snapshot-schedules/contract.ts';
import { OpsFunction } from '../constructs/ops-function.ts';
import type { ScheduleSettings } from '../stack-settings.ts';
import { type AuditProps, environmentOf, RUNBOOK } from './audit-grants.ts';
import { AuditMap } from './audit-map.ts';
import { grantReports, grantSecretValues, grantState } from './grants.ts';

export interface AuditSnapshotSchedulesProps extends AuditProps {
  readonly schedules: ScheduleSettings;
}

/** At the same times every day, or counted from the deployment where no time is given. */
function auditTimes({ auditEveryHours, auditAt, timeZone }: ScheduleSettings) {
  if (auditAt === undefined) {
    return { expression: auditEveryHours === 1 ? 'rate(1 hour)' : `rate(${auditEveryHours} hours)` };
  }
  const [hour = 0, minute = 0] = auditAt.split(':').map(Number);
  const hours = Array.from({ length: 24 / auditEveryHours }, (_, nth) => (hour + nth * auditEveryHours) % 24);
  return { expression: `cron(${minute} ${hours.toSorted((a, b) => a - b).join(',')} * * ? *)`, timeZone };
}

/**
 * Trigger: on a schedule. May: read its own credentials, keep its place in the state, write reports, put events on the
 * bus, and import findings into Security Hub where that is asked for.
 */
export class AuditSnapshotSchedules extends Construct {
  readonly ops: OpsFunction<z.input<typeof Config>>;

  constructor(scope: Construct, id: string, props: AuditSnapshotSchedulesProps) {
    super(scope, id);
    const { foundation, audit, credentials, data, eventBus, schedules } = props;
    this.ops = new OpsFunction<z.input<typeof Config>>(this, 'Ops', {
      foundation,
      lambda: 'audit-snapshot-schedules',
      purpose: 'Holds every cluster’s backups against the policy',
      failureImpact: 'nobody knows whether the backups keep to the policy; what was found before stays as it was.',
      runbook: RUNBOOK,
      environment: environmentOf(props),
      settings: { audit },
      // Thousands of projects; a run that does not get done goes on where it stopped.
      timeout: Duration.minutes(15),
      // One audit at a time per organization is the state's own business; the memory is for ten thousand clusters.
      memorySize: 1024,
      silence: Duration.hours(Math.min(7 * 24, schedules.auditEveryHours + 3)),
    });
    const { role } = this.ops;
    grantSecretValues(role, [credentials]);
    grantState(role, data, { read: ['migration-under-way'], write: ['audit', 'freshest-snapshot'] });
    grantReports(role, data, { write: ['audits/'], read: ['audits/'], inParts: true });
    eventBus.grantPutEventsTo(role);
    if (audit.securityHub) {
      const { accountId, region } = audit.securityHub;
      role.addToPrincipalPolicy(
        new PolicyStatement({
          actions: ['securityhub:BatchImportFindings'],
          resources: [
            Stack.of(this).formatArn({
              service: 'securityhub',
              region,
              account: accountId,
              resource: 'product',
              resourceName: `${accountId}/default`,
            }),
          ],
        }),
      );
    }
    const run = {
      description: 'Audits every cluster’s backups',
      ...auditTimes(schedules),
      flexibleMinutes: schedules.flexibleMinutes,
      retries: 2,
      maxAge: Duration.hours(1),
    };
    const { distributed } = audit;
    if (distributed.enabled) new AuditMap(this, 'Map', { foundation, ops: this.ops, distributed, data, run });
    else this.ops.runBySchedule('Schedule', run);
    this.ops.alarmOn('Coverage', 'could not read everything: its report is partial', {
      id: 'Incomplete',
      statistic: Stats.MINIMUM,
      // Percent of the clusters.
      threshold: 100,
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
    });
  }
}
