import { judgeCluster, judgeProject } from '../../../functions/audit-snapshot-schedules/engine.ts';
import {
  type ClusterFacts,
  type ComplianceFact,
  type CopyFact,
  type ItemFact,
  noMemory,
  type ProjectFacts,
  type Read,
  type RestoreFact,
  read,
  type ScheduleFact,
  type SnapshotFact,
} from '../../../functions/audit-snapshot-schedules/facts.ts';
import { loadPolicy } from '../../../functions/audit-snapshot-schedules/policy/load.ts';

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
/** A Sunday. */
export const NOW = Date.parse('2026-03-01T12:00:00Z');
export const ago = (ms: number): number => NOW - ms;

let ids = 0;
export const newId = (): string => (ids++).toString(16).padStart(24, '0');

export const item = (type: string, interval: number, value: number, unit = 'days', id = `item-${type}`): ItemFact => ({
  id,
  type,
  interval,
  unit,
  value,
});

/** What Atlas gives a new cluster. */
export const defaultItems = [
  item('hourly', 6, 7),
  item('daily', 1, 7),
  item('weekly', 6, 4, 'weeks'),
  item('monthly', 40, 12, 'months'),
  item('yearly', 12, 1, 'years'),
];

export const schedule = (change: Partial<ScheduleFact> = {}): ScheduleFact => ({
  legacy: false,
  policyId: 'policy',
  items: defaultItems,
  nextSnapshot: NOW + 3 * HOUR,
  referenceHour: 12,
  referenceMinute: 0,
  restoreWindowDays: 7,
  autoExport: false,
  exportBucketId: null,
  exportFrequency: null,
  autoCopy: false,
  copyItemsEnabled: false,
  copies: [],
  extraRetention: [],
  ...change,
});

export const snapshot = (at: number, change: Partial<SnapshotFact> = {}): SnapshotFact => ({
  id: newId(),
  status: 'completed',
  type: 'scheduled',
  frequency: 'hourly',
  createdAt: at,
  begunAt: at,
  expiresAt: at + 7 * DAY,
  items: ['item-hourly'],
  copyRegions: [],
  members: null,
  configServer: null,
  customerKey: null,
  ...change,
});

/** One every so often, from an hour ago on. */
export const every = (ms: number, count: number, change: Partial<SnapshotFact> = {}): SnapshotFact[] =>
  Array.from({ length: count }, (_, nth) => snapshot(ago(HOUR + nth * ms), change));

export const copy = (change: Partial<CopyFact> = {}): CopyFact => ({
  provider: 'AWS',
  region: 'EU_WEST_1',
  zoneId: 'zone-1',
  oplogs: true,
  frequencies: ['hourly', 'daily'],
  items: null,
  last: null,
  ...change,
});

export const restore = (change: Partial<RestoreFact> = {}): RestoreFact => ({
  id: newId(),
  delivery: 'automated',
  targetProjectId: 'lab',
  targetCluster: 'restored',
  finishedAt: ago(10 * DAY),
  failed: false,
  cancelled: false,
  expired: false,
  ...change,
});

export const compliance = (change: Partial<ComplianceFact> = {}): ComplianceFact => ({
  state: 'ACTIVE',
  email: 'security@example.com',
  copyProtection: true,
  encryption: false,
  pit: true,
  restoreWindowDays: 7,
  items: [item('hourly', 6, 7), item('daily', 1, 7)],
  deletable: false,
  updatedAt: ago(30 * DAY),
  ...change,
});

export const ALERTS = [
  'CPS_SNAPSHOT_BEHIND',
  'CPS_SNAPSHOT_FAILED',
  'CPS_COPY_SNAPSHOT_FAILED',
  'CPS_OPLOG_BEHIND',
  'CPS_PREV_SNAPSHOT_OLD',
];

export const known = <Value>(value: Value): Read<Value> => read(value, NOW);
export const unreadable = <Value>(operation = 'listGroupClusterBackupSnapshots'): Read<Value> => ({
  known: false,
  operation,
  cause: 'forbidden',
  reason: 'Atlas refused it with 403',
});

export const project = (change: Partial<ProjectFacts> = {}): ProjectFacts => ({
  organizationId: 'org',
  id: 'project',
  name: 'Project',
  tags: [],
  compliance: known(compliance()),
  alerts: known(ALERTS.map((type) => ({ type, enabled: true, notifications: 1 }))),
  events: known([]),
  eventsSince: ago(35 * DAY),
  hasDedicated: true,
  ...change,
});

/** A cluster with which nothing is wrong in tier 1, unless it is said. */
export const cluster = (change: Partial<ClusterFacts> = {}): ClusterFacts => ({
  project: project(),
  id: 'cluster',
  name: 'prod',
  kind: 'dedicated',
  instanceSize: 'M30',
  createdAt: ago(400 * DAY),
  paused: false,
  backupEnabled: true,
  pitEnabled: true,
  retainBackups: true,
  terminationProtection: true,
  encryptionProvider: 'NONE',
  sharded: false,
  shards: 1,
  configServer: null,
  zones: [{ id: 'zone-1', name: 'Zone 1', regions: [{ provider: 'AWS', region: 'US_EAST_1', electable: true }] }],
  tags: [{ key: 'tier', value: '1' }],
  schedule: known(schedule({ copies: [copy()] })),
  snapshots: known(every(6 * HOUR, 28, { copyRegions: ['EU_WEST_1'] })),
  restores: known([restore()]),
  exports: known([]),
  migration: null,
  memory: noMemory,
  ...change,
});

const LAB = { organization: { rules: { 'BK-18': { targets: ['lab'] } } } };

/** The verdict of one rule; by the default profile with a project to restore into, unless said otherwise. */
export function verdict(rule: string, facts: ClusterFacts, policy: object = LAB, now = NOW) {
  const loaded = loadPolicy(policy, now);
  const found = [...judgeCluster(facts, loaded, now), ...judgeProject(facts.project, loaded, now)].find(
    (each) => each.rule === rule,
  );
  if (!found) throw new Error(`there is no verdict of ${rule}`);
  return found;
}
