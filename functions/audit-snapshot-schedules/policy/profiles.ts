import type { RuleId, Tier } from './options.ts';

type ByTier<Value> = Value | Readonly<Partial<Record<Tier, Value>>>;
type Profile = Readonly<
  Record<RuleId, Readonly<Record<string, ByTier<number | boolean | string | readonly string[]>>>>
>;

const production = { '1': true, '2': true, '3': true, dev: false } as const;
const never = false;

/**
 * MongoDB's own recommendations: the tier table of the Atlas Architecture Center and the limits Atlas enforces.
 * Source: https://www.mongodb.com/docs/atlas/architecture/current/backups/
 */
const atlasRecommended: Profile = {
  'BK-01': { enabled: production, severity: 'critical' },
  'BK-02': {
    enabled: production,
    severity: 'high',
    minWindowDays: { '1': 7, '2': 7, '3': 2, dev: 0 },
    effectiveWindow: true,
  },
  'BK-03': { enabled: production, severity: 'high' },
  'BK-04': { enabled: production, severity: 'high', maxIntervalHours: { '1': 12, '2': 24, '3': 24, dev: 24 } },
  'BK-05': { enabled: production, severity: 'high', minDays: 7 },
  'BK-06': { enabled: production, severity: 'medium', minWeeklyDays: 28, minMonthlyDays: 90, minYearlyDays: 0 },
  'BK-07': { enabled: production, severity: 'medium' },
  'BK-08': {
    enabled: production,
    severity: 'critical',
    warnIntervals: 1.5,
    failIntervals: 2,
    graceHours: 1,
    capHours: 25,
  },
  'BK-09': { enabled: production, severity: 'high', failIntervals: 2, windowDays: 14 },
  'BK-10': { enabled: production, severity: 'high', stuckHours: 6, lateMinutes: 30, silentIntervals: 2 },
  'BK-11': { enabled: production, severity: 'high', windowHours: 48 },
  'BK-12': { enabled: production, severity: 'high', toleranceHours: 1 },
  'BK-13': {
    enabled: { '1': true, '2': true, '3': false, dev: false },
    severity: 'high',
    outsideElectableRegions: true,
    maxIntervalHours: 24,
  },
  'BK-14': { enabled: production, severity: 'high', withinHours: 24 },
  'BK-15': { enabled: never, severity: 'high', customerKey: true },
  'BK-16': { enabled: production, severity: 'high', copyProtection: true, contactDomains: ['*'], changingHours: 24 },
  'BK-17': { enabled: production, severity: 'medium', keptAfterDeletion: true },
  'BK-18': {
    enabled: production,
    severity: 'high',
    maxAgeDays: { '1': 90, '2': 180, '3': 365, dev: 365 },
    targets: [],
  },
  'BK-19': { enabled: production, severity: 'medium', maxMinutes: { '1': 30, '2': 720, '3': 4320, dev: 4320 } },
  'BK-20': {
    enabled: production,
    severity: 'medium',
    types: [
      'CPS_SNAPSHOT_BEHIND',
      'CPS_SNAPSHOT_FAILED',
      'CPS_COPY_SNAPSHOT_FAILED',
      'CPS_OPLOG_BEHIND',
      'CPS_PREV_SNAPSHOT_OLD',
    ],
  },
  'BK-21': {
    enabled: production,
    severity: 'medium',
    forbidden: { '1': true, '2': false, '3': false, dev: false },
    maxAgeHours: 26,
  },
  'BK-22': { enabled: production, severity: 'high' },
  'BK-23': { enabled: never, severity: 'low', maxAgeDays: 35 },
  'BK-24': { enabled: true, severity: 'info', ownerTag: 'owner' },
  'BK-25': { enabled: true, severity: 'critical', minPercent: 99 },
};

/**
 * The thresholds AWS Backup Audit Manager's controls begin with: a recovery point a day, kept 35 days, and a copy in
 * another region, whatever the tier. Atlas's own default schedule does not meet them.
 * Source: https://docs.aws.amazon.com/aws-backup/latest/devguide/controls-and-remediation.html
 */
const awsBackupAudit: Profile = {
  ...atlasRecommended,
  'BK-05': { ...atlasRecommended['BK-05'], minDays: 35 },
  'BK-06': { ...atlasRecommended['BK-06'], minWeeklyDays: 35 },
  'BK-13': { ...atlasRecommended['BK-13'], enabled: production },
};

export const profiles = { 'atlas-recommended': atlasRecommended, 'aws-backup-audit': awsBackupAudit } as const;

/** The tier of whatever says nothing of itself, and of what its tags say. Keys and values are compared in lower case. */
export const defaultTier: Tier = '3';
export const tiersByTag: readonly {
  readonly keys: readonly string[];
  readonly values: readonly string[];
  readonly tier: Tier;
}[] = [
  { keys: ['tier', 'recovery-tier', 'backup-tier'], values: ['1', 'tier1', 'tier-1'], tier: '1' },
  { keys: ['tier', 'recovery-tier', 'backup-tier'], values: ['2', 'tier2', 'tier-2'], tier: '2' },
  { keys: ['tier', 'recovery-tier', 'backup-tier'], values: ['3', 'tier3', 'tier-3'], tier: '3' },
  { keys: ['env', 'environment', 'stage'], values: ['dev', 'development', 'test', 'testing'], tier: 'dev' },
];
