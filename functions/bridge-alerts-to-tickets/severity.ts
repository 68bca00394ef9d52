import type { Severity } from '../../lib/tickets/tickets.ts';
import { fits } from './cover.ts';
import type { Subject } from './observation.ts';

/**
 * How bad an alert is where neither its configuration nor the settings say so: Atlas does not tell a webhook. First the
 * metric, then the event type; what nobody knows is a warning, never nothing.
 */
const METRICS: readonly (readonly [string, Severity])[] = [
  ['DISK_PARTITION_SPACE_USED*', 'error'],
  ['DISK_PARTITION_SPACE_FREE*', 'error'],
  ['CONNECTIONS*', 'error'],
  ['OPLOG_*', 'error'],
  ['*_PERCENT', 'warning'],
];

const TYPES: readonly (readonly [string, Severity])[] = [
  ['NO_PRIMARY', 'critical'],
  ['CLUSTER_HAS_NO_PRIMARY', 'critical'],
  ['CLUSTER_MONGOS_IS_MISSING', 'critical'],
  ['MONGOTUNE_*', 'warning'],
  ['HOST_DOWN', 'critical'],
  ['HOST_HAS_INDEX_SUGGESTIONS', 'info'],
  ['HOST_*', 'error'],
  ['TOO_FEW_HEALTHY_MEMBERS', 'critical'],
  ['TOO_MANY_UNHEALTHY_MEMBERS', 'critical'],
  ['TOO_MANY_ELECTIONS', 'error'],
  ['REPLICATION_OPLOG_WINDOW_RUNNING_OUT', 'error'],
  ['CPS_SNAPSHOT_FAILED', 'error'],
  ['CPS_*_FAILED', 'error'],
  ['CPS_*_BEHIND', 'error'],
  ['CPS_*SUCCESSFUL', 'info'],
  ['CPS_*', 'warning'],
  ['*SERVICE_ACCOUNT_SECRETS_EXPIRED', 'critical'],
  ['*SERVICE_ACCOUNT_SECRETS_EXPIRING', 'error'],
  ['CREDIT_CARD_*', 'error'],
  ['*BILL*', 'warning'],
  ['AWS_ENCRYPTION_KEY_*', 'error'],
  ['*ENCRYPTION_KEY*', 'error'],
  ['*_ADDED', 'info'],
  ['*_REMOVED', 'info'],
];

const OVERRIDES: Readonly<Record<string, Severity>> = {
  CRITICAL: 'critical',
  ERROR: 'error',
  WARNING: 'warning',
  INFO: 'info',
};

export interface Graded {
  readonly severity: Severity;
  /** Where it is from, for the audit trail. */
  readonly from: 'sender' | 'alert configuration' | 'settings' | 'table' | 'default';
}

/** The severity of an alert, and who says so: the sender, its configuration in Atlas, the settings, the table. */
export function gradeOf(
  subject: Subject,
  said: { readonly sender?: Severity | undefined; readonly override?: string | null | undefined },
  settings: Readonly<Record<string, Severity>>,
): Graded {
  if (said.sender) return { severity: said.sender, from: 'sender' };
  const override = OVERRIDES[said.override?.toUpperCase() ?? ''];
  if (override) return { severity: override, from: 'alert configuration' };
  const own = settings[subject.metric ?? ''] ?? settings[subject.type];
  if (own) return { severity: own, from: 'settings' };
  const pick = (table: readonly (readonly [string, Severity])[], name: string | undefined): Severity | undefined =>
    name === undefined ? undefined : table.find(([glob]) => fits([glob], name))?.[1];
  const tabled = pick(METRICS, subject.metric) ?? pick(TYPES, subject.type);
  return tabled ? { severity: tabled, from: 'table' } : { severity: 'warning', from: 'default' };
}
