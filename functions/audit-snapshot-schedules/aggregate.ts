/** Sums over all records of a run, one record at a time. */
import type { ClusterRecord, ProjectRecord } from './records.ts';
import { type Coverage, type ExitState, type Finding, severities, statuses, type Totals } from './report.ts';

const MOST_TOLD = 1_000;

export interface Aggregate {
  add(record: ProjectRecord | ClusterRecord): void;
  /** Findings that belong to no project. */
  addFindings(findings: readonly Finding[]): void;
  coverage(projectListComplete: boolean): Coverage;
  totals(): Totals;
  /** The oldest newest-snapshot of any cluster that should have one, in seconds. */
  readonly oldestSnapshotSeconds: number | undefined;
}

export function createAggregate(): Aggregate {
  const byStatus = zeroes(statuses);
  const bySeverity = zeroes(severities);
  const byChange: Record<string, number> = { new: 0, changed: 0, unchanged: 0, resolved: 0, gone: 0 };
  const byRule: Record<string, Record<string, number>> = {};
  const tiers: Record<string, { clusters: number; sum: number }> = {};
  const unreadable: Coverage['unreadable'] = [];
  let [findings, projects, projectsRead, clusters, clustersRead, excludedInternal, score] = [0, 0, 0, 0, 0, 0, 0];
  let oldest: number | undefined;

  const count = (each: Finding): void => {
    findings++;
    increment(byStatus, each.status);
    increment(byChange, each.change);
    if (each.status === 'FAIL') increment(bySeverity, each.severity);
    byRule[each.rule] ??= {};
    increment(byRule[each.rule] ?? {}, each.status);
  };

  return {
    add(record) {
      record.findings.forEach(count);
      if (record.kind === 'project') {
        projects++;
        if (record.read) projectsRead++;
        excludedInternal += record.excludedInternal;
        unreadable.push(...record.unreadable.slice(0, Math.max(0, MOST_TOLD - unreadable.length)));
        for (const { change } of record.gone) increment(byChange, change);
        return;
      }
      clusters++;
      if (record.complete) clustersRead++;
      const { tier, score: own, newestSnapshotAgeSeconds: age, paused, migrationId } = record.summary;
      const held = tiers[tier] ?? { clusters: 0, sum: 0 };
      tiers[tier] = { clusters: held.clusters + 1, sum: held.sum + own };
      score += own;
      if (age !== null && !paused && migrationId === null) oldest = Math.max(oldest ?? 0, age);
    },
    addFindings: (own) => own.forEach(count),
    get oldestSnapshotSeconds() {
      return oldest;
    },
    coverage: (projectListComplete) => ({
      projectListComplete,
      projects,
      projectsRead,
      clusters,
      clustersRead,
      excludedInternal,
      // Rounded down: 100 is everything.
      percent: clusters === 0 ? 100 : Math.floor((clustersRead / clusters) * 10_000) / 100,
      // In one order, whichever project was read first.
      unreadable: unreadable.toSorted((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1)),
    }),
    totals: () => ({
      findings,
      byStatus,
      bySeverity,
      byRule,
      byTier: Object.fromEntries(
        Object.entries(tiers).map(([tier, { clusters: own, sum }]) => [
          tier,
          { clusters: own, score: Math.round(sum / own) },
        ]),
      ),
      byChange,
      score: clusters === 0 ? 100 : Math.round(score / clusters),
    }),
  };
}

const placeOf = ({ projectId, clusterId, operation }: Coverage['unreadable'][number]): string =>
  `${projectId}/${clusterId ?? ''}/${operation}`;

/** What a run of this coverage may call itself. */
export function exitStateOf({
  projectListComplete,
  projects,
  projectsRead,
  clusters,
  clustersRead,
  unreadable,
}: Coverage): ExitState {
  if (projectsRead === 0 && (projects > 0 || !projectListComplete)) return 'failed';
  const isWhole =
    projectListComplete && projectsRead === projects && clustersRead === clusters && unreadable.length === 0;
  return isWhole ? 'complete' : 'partial';
}

const zeroes = (names: readonly string[]): Record<string, number> => Object.fromEntries(names.map((name) => [name, 0]));
const increment = (counts: Record<string, number>, name: string): void => {
  counts[name] = (counts[name] ?? 0) + 1;
};
