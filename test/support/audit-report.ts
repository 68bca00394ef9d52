import {
  type ClusterSummary,
  type Finding,
  NOBODY,
  type Report,
  type ReportHead,
  type Status,
  severities,
} from '../../functions/audit-snapshot-schedules/report.ts';

const HOUR = 3_600;
const DAY = 24 * HOUR;
export const FINISHED_AT = '2026-03-14T06:12:40.000Z';
const finishedAt = Date.parse(FINISHED_AT) / 1000;

/** Rules as an audit has them, without what their checks do. */
export const rules: ReportHead['rules'] = (
  [
    ['BK-01', 'Cloud Backup is on', 'critical'],
    ['BK-02', 'Continuous backup with a window that reaches far enough', 'high'],
    ['BK-03', 'The continuous window is covered by hourly snapshots', 'high'],
    ['BK-04', 'Snapshots are scheduled often enough', 'high'],
    ['BK-05', 'Daily snapshots are kept long enough', 'high'],
    ['BK-06', 'Weekly, monthly and yearly snapshots are kept', 'medium'],
    ['BK-07', 'Rarer snapshots are kept longer', 'medium'],
    ['BK-08', 'The newest usable snapshot is fresh', 'critical'],
    ['BK-09', 'No hole in the history', 'high'],
    ['BK-10', 'No failed or stuck snapshots', 'high'],
    ['BK-11', 'No reliance on fallback snapshots', 'high'],
    ['BK-12', 'Snapshots are kept as long as promised', 'high'],
    ['BK-13', 'Copies to another region are configured', 'high'],
    ['BK-14', 'Copies have arrived in the other region', 'high'],
    ['BK-15', 'Snapshots are encrypted with the customer’s key', 'high'],
    ['BK-16', 'The Backup Compliance Policy is active', 'high'],
    ['BK-17', 'Backups survive the deletion of the cluster', 'medium'],
    ['BK-18', 'A restore was tested', 'high'],
    ['BK-19', 'A restore is fast enough', 'medium'],
    ['BK-20', 'Backup alerts are enabled', 'medium'],
    ['BK-21', 'Flex backups are fresh', 'medium'],
    ['BK-22', 'No free cluster in production', 'high'],
    ['BK-23', 'Snapshots are exported', 'low'],
    ['BK-24', 'Retained backups of deleted clusters are owned', 'info'],
    ['BK-25', 'The audit saw everything', 'critical'],
  ] as const
).map(([id, title, severity]) => ({
  id,
  title,
  severity,
  motive: `What ${title.toLowerCase()} protects from, in a sentence or two, with the source of the threshold.`,
  evidence: 'What was read, and which value decided.',
  remedy: `Change the schedule so that this holds: ${title.toLowerCase()}.`,
}));

const reasons: Readonly<Record<Status, string>> = {
  FAIL: 'The newest usable snapshot is 51 h old, and the policy allows 13 h.',
  UNKNOWN: 'The schedule could not be read: Atlas answered 403.',
  WARN: 'One snapshot failed within the last 24 h.',
  EXEMPT: 'Held by an exception.',
  NOT_APPLICABLE: 'The cluster is paused, so no new snapshots are made.',
  PASS: 'As the policy asks.',
};

/** Numbers from a seed, the same on every machine. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export interface Realistic {
  readonly clusters: number;
  readonly seed?: number;
  readonly clustersAProject?: number;
  /** Share of clusters with something wrong, 0 to 1. */
  readonly troubled?: number;
  readonly unreadableProjects?: number;
  readonly clusterName?: (at: number) => string;
  readonly projectName?: (at: number) => string;
  readonly reason?: (status: Status) => string;
}

/** A report as an audit of an ordinary organization has it. Same options, same report. */
export function realisticReport(options: Realistic): Report {
  const { clusters: count, seed = 1, clustersAProject = 12, troubled = 0.18, unreadableProjects = 0 } = options;
  const random = seeded(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  const hex = (n: number): string => n.toString(16).padStart(24, '0');
  const organizationId = hex(0x5f00);
  const projectNameOf =
    options.projectName ??
    ((at) =>
      `${pick(['payments', 'orders', 'search', 'identity', 'ledger'])}-${pick(['prod', 'staging', 'eu'])}-${at}`);
  const clusterNameOf =
    options.clusterName ?? ((at) => `${pick(['core', 'events', 'catalog', 'sessions', 'archive'])}-${at}`);
  const reasonOf = options.reason ?? ((status) => reasons[status]);
  const clusters: ClusterSummary[] = [];
  const findings: Finding[] = [];
  const digest = 'c1f0a4b7e2d35896'.repeat(4);

  const add = (
    place: Pick<Finding, 'projectId' | 'projectName' | 'clusterId' | 'clusterName'>,
    at: number,
    status: Status,
  ): void => {
    const rule = rules[at]!;
    const open = status === 'FAIL' || status === 'WARN' || status === 'UNKNOWN';
    const change = open
      ? pick(['new', 'unchanged', 'unchanged', 'changed'] as const)
      : random() < 0.01 && status === 'PASS'
        ? 'resolved'
        : 'unchanged';
    const until = new Date((finishedAt + 9 * DAY) * 1000).toISOString();
    findings.push({
      id: `${organizationId}/${place.projectId ?? NOBODY}/${place.clusterId ?? NOBODY}/${rule.id}`,
      rule: rule.id,
      title: rule.title,
      status,
      reason: reasonOf(status),
      severity: rule.severity,
      organizationId,
      ...place,
      evidence:
        status === 'PASS'
          ? {}
          : { newestSnapshot: '2026-03-12T03:10:00Z', allowedHours: 13, items: ['hourly 6 h', 'daily 1 d'] },
      policyDigest: digest,
      firstSeen: open ? '2026-03-11T04:00:00.000Z' : '2026-01-02T04:00:00.000Z',
      lastSeen: FINISHED_AT,
      change,
      previousStatus:
        change === 'new' ? null : change === 'unchanged' ? status : change === 'resolved' ? 'FAIL' : 'PASS',
      exemption:
        status === 'EXEMPT'
          ? {
              name: 'ledger-move',
              owner: 'dba@example.org',
              reason: 'Moves to a new project in April',
              until,
              expired: false,
            }
          : null,
    });
  };

  let projectId = '';
  let projectName = '';
  for (let at = 0; at < count; at++) {
    if (at % clustersAProject === 0) {
      const project = at / clustersAProject;
      [projectId, projectName] = [hex(0x6000_0000 + project), projectNameOf(project)];
      for (const rule of [15, 19])
        add({ projectId, projectName, clusterId: null, clusterName: null }, rule, random() < 0.15 ? 'FAIL' : 'PASS');
    }
    const bad = random() < troubled;
    const tier = pick(['1', '2', '2', '3', '3', 'dev']);
    const kind = random() < 0.06 ? 'flex' : 'dedicated';
    const paused = !bad && random() < 0.03;
    const intervalHours = kind === 'flex' ? 24 : pick([6, 6, 8, 12, 24]);
    const outageFrom = finishedAt - (bad ? random() * 6 * DAY : 0);
    const snapshots: ClusterSummary['snapshots'] = [];
    for (let t = finishedAt - 14 * DAY + random() * intervalHours * HOUR; t < finishedAt; t += intervalHours * HOUR) {
      if (bad && t > outageFrom && random() < 0.9) continue;
      snapshots.push({
        at: Math.round(t),
        kind: random() < 0.01 ? 'failed' : random() < 0.02 ? 'onDemand' : 'completed',
      });
    }
    const usable = snapshots.filter((s) => s.kind !== 'failed').map((s) => s.at);
    const gaps = [...usable, finishedAt].flatMap((to, n, all) =>
      n > 0 && to - all[n - 1]! > 2 * intervalHours * HOUR ? [{ from: all[n - 1]!, to }] : [],
    );
    const newest = usable.at(-1);
    const wrong = new Map<number, Status>();
    if (bad) {
      wrong.set(7, 'FAIL');
      for (const rule of [1, 3, 4, 5, 8, 12, 16, 17]) if (random() < 0.3) wrong.set(rule, 'FAIL');
      if (random() < 0.2) wrong.set(13, 'UNKNOWN');
    } else if (random() < 0.15) wrong.set(pick([9, 5, 18]), pick(['WARN', 'EXEMPT', 'FAIL'] as const));
    const clusterId = hex(0x7000_0000 + at);
    const clusterName = clusterNameOf(at);
    const own: Record<string, Status> = {};
    let [weight, passed] = [0, 0];
    for (const [n, rule] of rules.entries()) {
      if (n === 15 || n === 19 || n === 24) continue;
      const status =
        wrong.get(n) ??
        (n === 20
          ? kind === 'flex'
            ? 'PASS'
            : 'NOT_APPLICABLE'
          : n === 21 || n === 23 || (paused && n === 7)
            ? 'NOT_APPLICABLE'
            : 'PASS');
      own[rule.id] = status;
      add({ projectId, projectName, clusterId, clusterName }, n, status);
      if (status === 'NOT_APPLICABLE' || status === 'EXEMPT') continue;
      weight += 5 - severities.indexOf(rule.severity);
      if (status === 'PASS' || status === 'WARN') passed += 5 - severities.indexOf(rule.severity);
    }
    clusters.push({
      organizationId,
      projectId,
      projectName,
      clusterId,
      clusterName,
      kind,
      tier,
      instanceSize: kind === 'flex' ? null : pick(['M10', 'M30', 'M40', 'M50', 'M80']),
      providers: [pick(['AWS', 'AWS', 'GCP', 'AZURE'])],
      regions: pick([['EU_CENTRAL_1'], ['US_EAST_1', 'US_WEST_2'], ['EU_WEST_1', 'EU_CENTRAL_1', 'EU_NORTH_1']]),
      shards: random() < 0.1 ? 3 : 1,
      paused,
      backupEnabled: true,
      pitEnabled: random() < 0.6,
      migrationId: random() < 0.005 ? hex(0x9000) : null,
      newestSnapshotAt: newest === undefined ? null : new Date(newest * 1000).toISOString(),
      newestSnapshotAgeSeconds: newest === undefined ? null : finishedAt - newest,
      intervalHours,
      schedule: [
        {
          frequencyType: 'hourly',
          frequencyInterval: intervalHours,
          retentionUnit: 'days',
          retentionValue: 7,
          retentionDays: 7,
        },
        { frequencyType: 'daily', frequencyInterval: 1, retentionUnit: 'days', retentionValue: 7, retentionDays: 7 },
        { frequencyType: 'weekly', frequencyInterval: 6, retentionUnit: 'weeks', retentionValue: 4, retentionDays: 28 },
        {
          frequencyType: 'monthly',
          frequencyInterval: 40,
          retentionUnit: 'months',
          retentionValue: 12,
          retentionDays: 360,
        },
      ],
      gaps,
      snapshots: snapshots.slice(-100),
      statuses: own,
      score: weight === 0 ? 100 : Math.round((passed / weight) * 1000) / 10,
    });
  }
  const unreadable = Array.from({ length: unreadableProjects }, (_, at) => ({
    projectId: hex(0x6fff_0000 + at),
    projectName: options.projectName?.(at) ?? `sealed-${at}`,
    clusterId: null,
    clusterName: null,
    operation: 'listGroupClusters',
    cause: at % 3 === 2 ? 'throttled' : 'forbidden',
    reason: 'Atlas answered 403: the key has no role in this project.',
  }));
  for (const { projectId: id, projectName: name } of unreadable)
    add({ projectId: id, projectName: name, clusterId: null, clusterName: null }, 24, 'UNKNOWN');
  return assemble(clusters, findings, unreadable, { id: organizationId, name: 'Example Organization' }, digest);
}

/** The head that belongs to these lists. */
export function assemble(
  clusters: ClusterSummary[],
  findings: Finding[],
  unreadable: ReportHead['coverage']['unreadable'] = [],
  organization: ReportHead['organization'] = { id: '5f00', name: null },
  digest = 'a'.repeat(64),
): Report {
  const counted = findings.filter(({ change }) => change !== 'gone');
  const count = <T>(items: readonly T[], key: (item: T) => string): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const item of items) counts[key(item)] = (counts[key(item)] ?? 0) + 1;
    return counts;
  };
  const groups = Map.groupBy(clusters, ({ tier }) => tier);
  const mean = (of: readonly ClusterSummary[]): number =>
    of.length === 0 ? 100 : Math.round((of.reduce((sum, { score }) => sum + score, 0) / of.length) * 10) / 10;
  const known = clusters.length + unreadable.filter(({ clusterId }) => clusterId !== null).length;
  const projects = new Set(clusters.map(({ projectId }) => projectId)).size;
  return {
    schemaVersion: 2,
    runId: '2026-03-14T06-10-02Z-7f3a',
    mode: 'full',
    organization,
    startedAt: '2026-03-14T06:10:02.000Z',
    finishedAt: FINISHED_AT,
    previousRunId: '2026-03-13T06-10-01Z-11c9',
    policy: { name: 'company baseline', profile: 'atlas-recommended', digest },
    rules,
    coverage: {
      projectListComplete: true,
      projects: projects + unreadable.length,
      projectsRead: projects,
      clusters: known,
      clustersRead: clusters.length,
      excludedInternal: 0,
      percent: known === 0 ? 100 : Math.floor((clusters.length / known) * 10_000) / 100,
      unreadable,
    },
    exitState: unreadable.length > 0 ? 'partial' : 'complete',
    totals: {
      findings: counted.length,
      byStatus: count(counted, ({ status }) => status),
      bySeverity: count(
        counted.filter(({ status }) => status === 'FAIL'),
        ({ severity }) => severity,
      ),
      byRule: Object.fromEntries(
        [...Map.groupBy(counted, ({ rule }) => rule)].map(([rule, of]) => [rule, count(of, ({ status }) => status)]),
      ),
      byTier: Object.fromEntries([...groups].map(([tier, of]) => [tier, { clusters: of.length, score: mean(of) }])),
      byChange: count(findings, ({ change }) => change),
      score: mean(clusters),
    },
    cost: { calls: clusters.length * 2 + projects * 3 + 2, retries: 1, throttled: 0, waitedMs: 0, tookMs: 158_000 },
    clusters,
    findings,
  };
}
