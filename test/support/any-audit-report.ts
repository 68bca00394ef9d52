import fc from 'fast-check';
import {
  type ClusterSummary,
  changes,
  type Finding,
  NOBODY,
  type Report,
  type Status,
  statuses,
} from '../../functions/audit-snapshot-schedules/report.ts';
import { assemble, FINISHED_AT, rules } from './audit-report.ts';

/** Names that somebody chose to do harm, to confuse, or without thinking of us. */
export const hostileNames = [
  '<script>window.hacked = 1</script>',
  '"><img src=x onerror="window.hacked = 2">',
  "' onmouseover='window.hacked = 3",
  '</script><script>window.hacked = 4</script>',
  '--><svg onload=window.hacked=5>',
  '{{constructor.constructor("window.hacked = 6")()}}',
  'javascript:window.hacked=7',
  'prod\u202Egpj.exe',
  '\u2067קלאסטר\u2069 ייצור',
  'قاعدة البيانات',
  '=HYPERLINK("http://example.org","open")',
  "@SUM(1+1)*cmd|' /C calc'!A0",
  '+1+2',
  '-2+3',
  'tab\there',
  'line\nbreak\r\nwith "quotes", commas',
  '\u0000\u0007\u001b[31mred',
  'lone \uD800 half',
  ']]>&lt;amp&amp;',
  '&#x3C;b&#x3E;',
  '<!--/-->',
  ' ',
  '__proto__',
  'x'.repeat(10_000),
  'e\u0301\u0302\u0303'.repeat(200),
  '💾'.repeat(300),
];

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(...hostileNames),
  fc.string({ maxLength: 20 }),
);
const filled = text.filter((value) => value !== '');
const instant = fc
  .date({ min: new Date('2020-01-01'), max: new Date('2030-01-01'), noInvalidDate: true })
  .map((date) => date.toISOString());
const id = fc.stringMatching(/^[0-9a-f]{24}$/);

/** Any report there could be: odd names, any mix of statuses, findings of clusters, of projects and of the organization. */
export const anyReport: fc.Arbitrary<Report> = fc
  .record({
    organization: fc.record({ id, name: fc.option(filled) }),
    projects: fc.uniqueArray(
      fc.record({
        projectId: id,
        projectName: filled,
        clusters: fc.uniqueArray(fc.record({ clusterId: id, clusterName: filled }), {
          maxLength: 4,
          selector: (c) => c.clusterId,
        }),
      }),
      { maxLength: 4, selector: (p) => p.projectId },
    ),
    verdicts: fc.array(
      fc.record({
        status: fc.constantFrom(...statuses),
        change: fc.constantFrom(...changes),
        previousStatus: fc.option(fc.constantFrom(...statuses)),
        reason: filled,
        key: fc.string({ maxLength: 6 }),
        value: text,
        firstSeen: instant,
        exempt: fc.boolean(),
        score: fc.integer({ min: 0, max: 100 }),
        rule: fc.nat(rules.length - 1),
      }),
      { minLength: 1, maxLength: 12 },
    ),
  })
  .map(({ organization, projects, verdicts }) => {
    let turn = 0;
    const findings: Finding[] = [];
    const place = (
      projectId: string | null,
      projectName: string | null,
      clusterId: string | null,
      clusterName: string | null,
    ): Record<string, Status> => {
      const own: Record<string, Status> = {};
      const first = verdicts[turn % verdicts.length]!.rule;
      for (let n = 0; n < 3; n++) {
        const verdict = verdicts[turn++ % verdicts.length]!;
        const rule = rules[(first + n) % rules.length]!;
        own[rule.id] = verdict.status;
        findings.push({
          id: `${organization.id}/${projectId ?? NOBODY}/${clusterId ?? NOBODY}/${rule.id}`,
          rule: rule.id,
          title: rule.title,
          status: verdict.status,
          reason: verdict.reason,
          severity: rule.severity,
          organizationId: organization.id,
          projectId,
          projectName,
          clusterId,
          clusterName,
          evidence: { [verdict.key]: verdict.value },
          policyDigest: 'b'.repeat(64),
          firstSeen: verdict.firstSeen,
          lastSeen: FINISHED_AT,
          change: verdict.change,
          previousStatus: verdict.previousStatus,
          exemption: verdict.exempt
            ? { name: 'e', owner: verdict.value, reason: verdict.reason, until: verdict.firstSeen, expired: false }
            : null,
        });
      }
      return own;
    };
    place(null, null, null, null);
    const clusters = projects.flatMap(({ projectId, projectName, clusters: of }) => {
      place(projectId, projectName, null, null);
      return of.map(
        ({ clusterId, clusterName }): ClusterSummary => ({
          ...bareCluster,
          projectId,
          projectName,
          clusterId,
          clusterName,
          statuses: place(projectId, projectName, clusterId, clusterName),
          score: verdicts[turn % verdicts.length]!.score,
        }),
      );
    });
    return assemble(clusters, findings, [], organization);
  });

const bareCluster: ClusterSummary = {
  organizationId: '5f00',
  projectId: '',
  projectName: '',
  clusterId: '',
  clusterName: '',
  kind: 'dedicated',
  tier: '2',
  instanceSize: null,
  providers: [],
  regions: [],
  shards: 1,
  paused: false,
  backupEnabled: null,
  pitEnabled: null,
  migrationId: null,
  newestSnapshotAt: null,
  newestSnapshotAgeSeconds: null,
  intervalHours: null,
  schedule: [],
  gaps: [],
  snapshots: [],
  statuses: {},
  score: 0,
};
