import { subjectOf } from './engine.ts';
import type { ClusterFacts } from './facts.ts';
import type { Policy } from './policy/resolve.ts';
import type { ClusterSummary, Finding, Severity } from './report.ts';
import { historyOf } from './rules/history.ts';
import { ageOf, instantOf, newest } from './rules/snapshots.ts';
import { DAY_MS, HOUR_MS, iso, retentionDays, shortestInterval } from './rules/time.ts';

const SHOWN_DAYS = 14;
const MOST_SHOWN = 100;

const weight: Readonly<Record<Severity, number>> = { critical: 8, high: 4, medium: 2, low: 1, info: 0 };

/** What charts and tables need of a cluster. */
export function summaryOf(
  cluster: ClusterFacts,
  findings: readonly Finding[],
  policy: Policy,
  now: number,
): ClusterSummary {
  const { project, schedule } = cluster;
  const snapshots = cluster.snapshots.known ? cluster.snapshots.value : [];
  const at = newest(cluster, snapshots, now).sure?.createdAt ?? null;
  const items = schedule.known ? (schedule.value?.items ?? []) : [];
  const interval =
    schedule.known && schedule.value ? shortestInterval(schedule.value) : cluster.kind === 'flex' ? 24 : null;
  const regions = (cluster.zones ?? []).flatMap((zone) => zone.regions);
  const distinct = (names: readonly (string | null)[]): string[] => [...new Set(names.filter((name) => name !== null))];
  return {
    organizationId: project.organizationId,
    projectId: project.id,
    projectName: project.name,
    clusterId: cluster.id,
    clusterName: cluster.name,
    kind: cluster.kind,
    tier: policy.tierOf(subjectOf(cluster)),
    instanceSize: cluster.instanceSize,
    providers: distinct(regions.map(({ provider }) => provider)),
    regions: distinct(regions.map(({ region }) => region)),
    shards: cluster.shards,
    paused: cluster.paused === true,
    backupEnabled: cluster.backupEnabled,
    pitEnabled: cluster.pitEnabled,
    migrationId: cluster.migration?.id ?? null,
    newestSnapshotAt: at === null ? null : iso(at),
    newestSnapshotAgeSeconds: at === null ? null : Math.round(ageOf(at, now) / 1000),
    intervalHours: interval,
    schedule: items.map((item) => ({
      frequencyType: item.type ?? 'unknown',
      frequencyInterval: item.interval,
      retentionUnit: item.unit,
      retentionValue: item.value,
      retentionDays: retentionDays(item),
    })),
    gaps: (historyOf(cluster, SHOWN_DAYS, 2, now)?.gaps ?? []).map(({ from, to }) => ({
      from: Math.round(from / 1000),
      to: Math.round(to / 1000),
    })),
    snapshots: timeline(cluster, now),
    statuses: Object.fromEntries(findings.map(({ rule, status }) => [rule, status])),
    score: scoreOf(findings),
  };
}

function timeline({ snapshots }: ClusterFacts, now: number): ClusterSummary['snapshots'] {
  if (!snapshots.known) return [];
  return snapshots.value
    .flatMap((each): ClusterSummary['snapshots'] => {
      const at = instantOf(each);
      if (at === null || at < now - SHOWN_DAYS * DAY_MS || at > now + HOUR_MS) return [];
      if (each.status === 'failed') return [{ at: Math.round(at / 1000), kind: 'failed' }];
      if (each.status !== 'completed') return [];
      const kind = each.type === 'fallback' ? 'fallback' : each.type === 'onDemand' ? 'onDemand' : 'completed';
      return [{ at: Math.round(at / 1000), kind }];
    })
    .toSorted((a, b) => a.at - b.at)
    .slice(-MOST_SHOWN);
}

/** The share of what is asked for that is there, by severity. */
export function scoreOf(findings: readonly Pick<Finding, 'status' | 'severity'>[]): number {
  const counted = findings.filter(({ status }) => status !== 'NOT_APPLICABLE' && status !== 'EXEMPT');
  const sum = (each: readonly Pick<Finding, 'severity'>[]): number =>
    each.reduce((total, { severity }) => total + weight[severity], 0);
  const asked = sum(counted);
  const half = sum(counted.filter(({ status }) => status === 'WARN')) / 2;
  return asked === 0
    ? 100
    : Math.round(((sum(counted.filter(({ status }) => status === 'PASS')) + half) / asked) * 100);
}
