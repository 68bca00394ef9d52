import type { Finding, ReportSource, Severity } from '../report.ts';
import { jsonArray, mapped, utc } from './streamed.ts';

const levels: Readonly<Record<Severity, 'error' | 'warning' | 'note'>> = {
  critical: 'error',
  high: 'error',
  medium: 'warning',
  low: 'note',
  info: 'note',
};

/** As GitHub code scanning reads it: over 9 is critical, 7 high, 4 medium. */
const scores: Readonly<Record<Severity, string>> = {
  critical: '9.5',
  high: '8.0',
  medium: '5.5',
  low: '2.0',
  info: '0.0',
};

const baselines: Readonly<Record<Finding['change'], string>> = {
  new: 'new',
  changed: 'updated',
  unchanged: 'unchanged',
  resolved: 'absent',
  gone: 'absent',
};

/**
 * The findings that somebody should know of, and those that went since the last run, as one SARIF run. What passes or
 * does not apply is left out: viewers show every result as something to look at.
 * Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
 */
export async function* sarif({ head, findings }: ReportSource): AsyncGenerator<string> {
  const ruleIndex = new Map(head.rules.map(({ id }, at) => [id, at]));
  const run = {
    tool: {
      driver: {
        name: 'Atlas Automation snapshot-schedule audit',
        semanticVersion: `${head.schemaVersion}.0.0`,
        rules: head.rules.map(({ id, title, severity, motive, evidence, remedy }) => ({
          id,
          name: id,
          shortDescription: { text: title },
          fullDescription: { text: motive },
          help: { text: `${remedy}\n\nEvidence: ${evidence}` },
          defaultConfiguration: { level: levels[severity] },
          properties: { 'security-severity': scores[severity], severity, tags: ['backup', 'mongodb-atlas'] },
        })),
      },
    },
    automationDetails: { id: `audit-snapshot-schedules/${head.organization.id}/${head.runId}` },
    ...(head.previousRunId !== null && { properties: { comparedWith: head.previousRunId } }),
    invocations: [
      {
        executionSuccessful: head.exitState === 'complete',
        startTimeUtc: utc(head.startedAt),
        endTimeUtc: utc(head.finishedAt),
        toolExecutionNotifications: head.coverage.unreadable.map((unreadable) => ({
          level: 'error',
          descriptor: { id: `unreadable/${unreadable.cause}` },
          message: { text: `${unreadable.operation}: ${unreadable.reason}` },
          locations: [{ logicalLocations: [locationOf({ ...unreadable, organizationId: head.organization.id })] }],
        })),
        properties: { policy: head.policy, coverage: { ...head.coverage, unreadable: undefined } },
      },
    ],
    columnKind: 'utf16CodeUnits',
  };
  yield `{"$schema":"https://json.schemastore.org/sarif-2.1.0.json","version":"2.1.0","runs":[${JSON.stringify(run).slice(0, -1)},"results":`;
  yield* jsonArray(mapped(findings(), (finding) => resultOf(finding, ruleIndex.get(finding.rule))));
  yield '}]}\n';
}

function resultOf(finding: Finding, ruleIndex: number | undefined): object | undefined {
  const { status, change, exemption, reason, severity } = finding;
  const went = change === 'gone' || change === 'resolved';
  if (!went && (status === 'PASS' || status === 'NOT_APPLICABLE')) return undefined;
  return {
    ruleId: finding.rule,
    ...(ruleIndex !== undefined && { ruleIndex }),
    ...kindOf(status, severity),
    // An exception closes a finding for us; the result it suppresses is still there.
    baselineState: change === 'resolved' && status === 'EXEMPT' ? 'updated' : baselines[change],
    message: { text: reason },
    locations: [{ logicalLocations: [locationOf(finding)] }],
    // Identity goes by ids, never by names, so that two clusters of one name stay two.
    partialFingerprints: { 'findingId/v1': finding.id },
    ...(status === 'EXEMPT' && {
      suppressions: [
        {
          kind: 'external',
          status: 'accepted',
          justification: exemption ? `${exemption.owner}, until ${exemption.until}: ${exemption.reason}` : reason,
        },
      ],
    }),
    properties: {
      status,
      severity,
      previousStatus: finding.previousStatus,
      firstSeen: finding.firstSeen,
      lastSeen: finding.lastSeen,
      policyDigest: finding.policyDigest,
      evidence: finding.evidence,
    },
  };
}

/** A level other than none belongs to `fail` alone, by the standard. */
function kindOf(status: Finding['status'], severity: Severity): { kind: string; level: string } {
  switch (status) {
    case 'FAIL':
    case 'EXEMPT':
      return { kind: 'fail', level: levels[severity] };
    case 'WARN':
      return { kind: 'fail', level: 'note' };
    case 'UNKNOWN':
      return { kind: 'open', level: 'none' };
    case 'NOT_APPLICABLE':
      return { kind: 'notApplicable', level: 'none' };
    case 'PASS':
      return { kind: 'pass', level: 'none' };
  }
}

type Place = Pick<Finding, 'organizationId' | 'projectId' | 'projectName' | 'clusterId' | 'clusterName'>;

const locationOf = ({ organizationId, projectId, projectName, clusterId, clusterName }: Place): object => ({
  name: clusterName ?? clusterId ?? projectName ?? projectId ?? organizationId,
  fullyQualifiedName: [organizationId, projectId, clusterId].filter((id) => id !== null).join('/'),
  kind: 'resource',
});
