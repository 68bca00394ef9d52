import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type * as z from 'zod';
import type { Config } from '../../functions/audit-snapshot-schedules/contract.ts';
import { OpsFunction } from '../constructs/ops-function.ts';
import { type AuditProps, environmentOf, RUNBOOK } from './audit-grants.ts';
import { grantReports, grantSecretValues, grantState } from './grants.ts';

/**
 * Trigger: people, by `lambda:InvokeFunction`; who may invoke it may approve what it plans.
 * May: read its own credentials, keep its plans, and write them and what came of them beside the audit's reports.
 */
export class RemediateSnapshotSchedules extends Construct {
  readonly ops: OpsFunction<z.input<typeof Config>>;

  constructor(scope: Construct, id: string, props: AuditProps) {
    super(scope, id);
    const { foundation, audit, credentials, data } = props;
    this.ops = new OpsFunction<z.input<typeof Config>>(this, 'Ops', {
      foundation,
      lambda: 'remediate-snapshot-schedules',
      purpose: 'Raises snapshot schedules to the policy, after a plan and an approval',
      failureImpact: 'schedules stay as they are; nothing is left half changed.',
      runbook: RUNBOOK,
      environment: environmentOf(props),
      settings: { audit },
      timeout: Duration.minutes(15),
    });
    const { role } = this.ops;
    grantSecretValues(role, [credentials]);
    grantState(role, data, { read: ['migration-under-way'], write: ['remediation-plan'] });
    grantReports(role, data, { write: ['audits/*/plans/', 'audits/*/remediations/'] });
  }
}
