import { type Finding, isOpen, type ReportHead, type ReportSource, type Severity } from '../report.ts';
import { jsonLines, mapped, utc } from './streamed.ts';

/** The version of the schema these events are written for. */
export const OCSF_VERSION = '1.6.0';
const CLASS = 2003;

const severityOf: Readonly<Record<Severity, readonly [id: number, name: string]>> = {
  info: [1, 'Informational'],
  low: [2, 'Low'],
  medium: [3, 'Medium'],
  high: [4, 'High'],
  critical: [5, 'Critical'],
};

/** What the finding says of compliance. UNKNOWN is the schema's own Unknown, never Pass. */
const complianceOf: Readonly<Record<Finding['status'], readonly [id: number, name: string]>> = {
  PASS: [1, 'Pass'],
  WARN: [2, 'Warning'],
  FAIL: [3, 'Fail'],
  UNKNOWN: [0, 'Unknown'],
  EXEMPT: [99, 'Exempt'],
  NOT_APPLICABLE: [99, 'Not applicable'],
};

/**
 * Findings as OCSF compliance findings, one event a line: all there is when it is new, and from then on what is open,
 * exempt or has changed. Passes that went on passing are no events, and would be nine lines of ten.
 * Source: https://schema.ocsf.io/1.6.0/classes/compliance_finding?profiles=cloud
 */
export const ocsf = ({ head, findings }: ReportSource): AsyncGenerator<string> => {
  const rules = new Map(head.rules.map((rule) => [rule.id, rule]));
  return jsonLines(
    mapped(findings(), (finding) => (isEvent(finding) ? eventOf(finding, head, rules.get(finding.rule)) : undefined)),
  );
};

const isEvent = ({ status, change }: Finding): boolean =>
  change !== 'unchanged' || isOpen(status) || status === 'EXEMPT';

function eventOf(finding: Finding, head: ReportHead, rule: ReportHead['rules'][number] | undefined): object {
  const { change, status, exemption } = finding;
  const [severityId, severity] = severityOf[finding.severity];
  const [complianceId, compliance] = complianceOf[status];
  const [activityId, activity] = activityOf(finding);
  const [statusId, lifecycle] = lifecycleOf(finding);
  return {
    activity_id: activityId,
    activity_name: activity,
    category_uid: 2,
    category_name: 'Findings',
    class_uid: CLASS,
    class_name: 'Compliance Finding',
    type_uid: CLASS * 100 + activityId,
    type_name: `Compliance Finding: ${activity}`,
    severity_id: severityId,
    severity,
    status_id: statusId,
    status: lifecycle,
    time: Date.parse(head.finishedAt),
    message: finding.reason,
    metadata: {
      version: OCSF_VERSION,
      profiles: ['cloud'],
      product: {
        name: 'Atlas Automation',
        vendor_name: 'Atlas Automation',
        feature: { name: 'audit-snapshot-schedules' },
      },
      correlation_uid: head.runId,
      logged_time: Date.parse(head.finishedAt),
      tenant_uid: finding.organizationId,
    },
    cloud: {
      provider: 'MongoDB Atlas',
      org: { uid: finding.organizationId, ...(head.organization.name !== null && { name: head.organization.name }) },
      ...(finding.projectId !== null && { project_uid: finding.projectId }),
    },
    finding_info: {
      uid: finding.id,
      title: finding.title,
      desc: rule?.motive ?? finding.title,
      types: ['Backup schedule'],
      first_seen_time: Date.parse(finding.firstSeen),
      last_seen_time: Date.parse(finding.lastSeen),
      modified_time: Date.parse(head.finishedAt),
    },
    compliance: {
      control: finding.rule,
      standards: [head.policy.name],
      status_id: complianceId,
      status: compliance,
      status_code: status,
      status_details: [
        finding.reason,
        ...(exemption
          ? [`exception ${exemption.name} of ${exemption.owner} until ${exemption.until}: ${exemption.reason}`]
          : []),
      ],
    },
    ...(rule && { remediation: { desc: rule.remedy } }),
    resources: [resourceOf(finding)],
    unmapped: {
      change,
      previous_status: finding.previousStatus,
      policy_digest: finding.policyDigest,
      first_seen: utc(finding.firstSeen),
    },
  };
}

function resourceOf({ clusterId, clusterName, projectId, projectName, organizationId, evidence }: Finding): object {
  const [type, uid, name] =
    clusterId !== null
      ? ['Cluster', clusterId, clusterName]
      : projectId !== null
        ? ['Project', projectId, projectName]
        : ['Organization', organizationId, null];
  return {
    type,
    uid,
    ...(name !== null && { name }),
    ...(clusterId !== null && projectName !== null && { namespace: projectName }),
    data: evidence,
  };
}

const activityOf = ({ change, status }: Finding): readonly [number, string] => {
  if (change === 'new') return [1, 'Create'];
  const closed = change === 'gone' || (change === 'resolved' && status !== 'EXEMPT');
  return closed ? [3, 'Close'] : [2, 'Update'];
};

/** Where the finding is in its life, which compliance says nothing about. */
const lifecycleOf = ({ change, status }: Finding): readonly [number, string] => {
  if (change === 'gone') return [5, 'Archived'];
  switch (status) {
    case 'FAIL':
    case 'WARN':
    case 'UNKNOWN':
      return change === 'new' || change === 'changed' ? [1, 'New'] : [2, 'In Progress'];
    case 'EXEMPT':
      return [3, 'Suppressed'];
    case 'PASS':
    case 'NOT_APPLICABLE':
      return [4, 'Resolved'];
  }
};
