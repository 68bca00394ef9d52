import type { RuleId } from '../policy/options.ts';
import type { Finding, ReportHead } from '../report.ts';
import { backupEnabled } from './bk-01-backup-enabled.ts';
import { pointInTime } from './bk-02-point-in-time.ts';
import { hourlyForPointInTime } from './bk-03-hourly-for-point-in-time.ts';
import { interval } from './bk-04-interval.ts';
import { dailyRetention } from './bk-05-daily-retention.ts';
import { longRetention } from './bk-06-long-retention.ts';
import { monotonicRetention } from './bk-07-monotonic-retention.ts';
import { freshness } from './bk-08-freshness.ts';
import { noHoles } from './bk-09-no-holes.ts';
import { snapshotsSucceed } from './bk-10-snapshots-succeed.ts';
import { fallback } from './bk-11-fallback.ts';
import { realRetention } from './bk-12-real-retention.ts';
import { copyConfigured } from './bk-13-copy-configured.ts';
import { copyObserved } from './bk-14-copy-observed.ts';
import { customerKey } from './bk-15-customer-key.ts';
import { compliancePolicy } from './bk-16-compliance-policy.ts';
import { survivesDeletion } from './bk-17-survives-deletion.ts';
import { restoreTest } from './bk-18-restore-test.ts';
import { restoreTime } from './bk-19-restore-time.ts';
import { alerts } from './bk-20-alerts.ts';
import { flex } from './bk-21-flex.ts';
import { freeCluster } from './bk-22-free-cluster.ts';
import { exported } from './bk-23-export.ts';
import { retainedBackups } from './bk-24-retained-backups.ts';
import { coverage } from './bk-25-coverage.ts';

/** Rules about clusters, in the order of their ids. */
export const clusterRules = [
  backupEnabled,
  pointInTime,
  hourlyForPointInTime,
  interval,
  dailyRetention,
  longRetention,
  monotonicRetention,
  freshness,
  noHoles,
  snapshotsSucceed,
  fallback,
  realRetention,
  copyConfigured,
  copyObserved,
  customerKey,
  survivesDeletion,
  restoreTest,
  restoreTime,
  flex,
  freeCluster,
  exported,
  retainedBackups,
] as const;

/** Rules about projects. */
export const projectRules = [compliancePolicy, alerts] as const;

const byId = [...clusterRules, ...projectRules, coverage].toSorted((a, b) => (a.id < b.id ? -1 : 1));

/** Every rule there is, as reports tell of it. */
export const catalogue: ReportHead['rules'] = byId.map(({ id, title, severity, motive, evidence, remedy }) => ({
  id,
  title,
  severity,
  motive,
  evidence,
  remedy,
}));

const described = new Map<string, ReportHead['rules'][number]>(catalogue.map((rule) => [rule.id, rule]));

/** What to do about a finding; nothing where its rule is no more. */
export const remedyOf = ({ rule }: Pick<Finding, 'rule'>): string => described.get(rule)?.remedy ?? '';

/** How a rule is told of. */
export function describedRule(id: RuleId): ReportHead['rules'][number] {
  const rule = described.get(id);
  if (!rule) throw new Error(`there is no rule ${id}`);
  return rule;
}
