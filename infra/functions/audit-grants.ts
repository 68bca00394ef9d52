import type { IEventBus } from 'aws-cdk-lib/aws-events';
import type { AuditSettings } from '../../functions/audit-snapshot-schedules/contract.ts';
import type { OpsFoundation } from '../constructs/ops-function.ts';
import type { DataStack } from '../data-stack.ts';
import type { ReadSecret } from './grants.ts';

/** What the audit and the remediation stand on; each has an account, and so a secret, of its own. */
export interface AuditProps {
  readonly foundation: OpsFoundation;
  readonly atlasBaseUrl: string;
  readonly eventBus: IEventBus;
  readonly audit: AuditSettings;
  readonly credentials: ReadSecret;
  readonly data: DataStack;
}

export const RUNBOOK = 'functions/audit-snapshot-schedules/README.md';

/** The environment of both functions. */
export const environmentOf = ({ atlasBaseUrl, eventBus, credentials, data }: AuditProps) => ({
  MONGODB_ATLAS_BASE_URL: atlasBaseUrl,
  EVENT_BUS: eventBus.eventBusName,
  STATE_TABLE: data.table.tableName,
  REPORT_BUCKET: data.reports.bucketName,
  ATLAS_CREDENTIALS_SECRET: credentials.secret,
});
