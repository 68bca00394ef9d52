import type { AwsSecurityFinding } from '@aws-sdk/client-securityhub';
import { batchesOf } from '../../../lib/aws/security-hub-batches.ts';
import { shortened, spelledOut } from '../../../lib/html/untrusted.ts';
import { type Finding, isOpen, type ReportHead, type ReportSource, remediesOf, type Severity } from '../report.ts';
import { mapped, utc } from './streamed.ts';

/** The account and Region whose Security Hub takes the findings: a finding is imported with its own account. */
export interface SecurityHubTarget {
  readonly accountId: string;
  readonly region: string;
  readonly partition?: string;
}

const labels = { critical: 'CRITICAL', high: 'HIGH', medium: 'MEDIUM', low: 'LOW', info: 'INFORMATIONAL' } as const;
const compliance = {
  PASS: 'PASSED',
  FAIL: 'FAILED',
  WARN: 'WARNING',
  UNKNOWN: 'NOT_AVAILABLE',
  EXEMPT: 'NOT_AVAILABLE',
  NOT_APPLICABLE: 'NOT_AVAILABLE',
} as const;
const types = ['Software and Configuration Checks/AWS Security Best Practices/Backup'];

/**
 * What Security Hub is told: every FAIL, so that it never goes stale there, what became a warning or unknown, and, to be
 * archived, what was open before and is not any more. 250,000 passes would be 2,500 calls that say nothing.
 */
export const isTold = ({ status, change, previousStatus }: Finding): boolean => {
  if (change === 'gone') return previousStatus === null ? isOpen(status) : isOpen(status) || isOpen(previousStatus);
  if (status === 'FAIL' || change === 'resolved') return true;
  return change !== 'unchanged' && (isOpen(status) || (previousStatus !== null && isOpen(previousStatus)));
};

/** The findings Security Hub is told of, in its format. Source: Security Hub user guide, ASFF required and optional fields */
export const asffFindings = (
  { head, findings }: ReportSource,
  target: SecurityHubTarget,
): AsyncGenerator<AwsSecurityFinding> => {
  const remedyOf = remediesOf(head);
  return mapped(findings(), (finding) =>
    isTold(finding) ? asffOf(finding, remedyOf(finding), head, target) : undefined,
  );
};

/** The same as import requests, one a line: what `aws securityhub batch-import-findings --cli-input-json` takes. */
export async function* asffBatches(source: ReportSource, target: SecurityHubTarget): AsyncGenerator<string> {
  for await (const { findings } of batchesOf(asffFindings(source, target)))
    yield `${JSON.stringify({ Findings: findings })}\n`;
}

/** At most `most` characters that show, and never nothing. */
const text = (value: string, most: number): string => shortened(spelledOut(value).trim(), most) || '-';

function severityOf({ status, severity }: Finding): Severity {
  if (status === 'FAIL') return severity;
  if (status === 'UNKNOWN') return severity === 'critical' || severity === 'high' ? 'medium' : severity;
  return status === 'WARN' && severity !== 'info' ? 'low' : 'info';
}

function asffOf(
  finding: Finding,
  remedy: string,
  { finishedAt, policy: { name: policy } }: ReportHead,
  target: SecurityHubTarget,
): AwsSecurityFinding {
  const { accountId, region, partition = 'aws' } = target;
  const severity = { Label: labels[severityOf(finding)], Original: `${finding.status} ${finding.severity}` };
  const { exemption, reason, organizationId, projectId, clusterId } = finding;
  const place = [organizationId, projectId, clusterId].filter((id) => id !== null).join('/');
  return {
    SchemaVersion: '2018-10-08',
    Id: `atlas-automation/${finding.id}`,
    ProductArn: `arn:${partition}:securityhub:${region}:${accountId}:product/${accountId}/default`,
    GeneratorId: `atlas-automation/${finding.rule}`,
    AwsAccountId: accountId,
    ProductName: 'Atlas Automation',
    CompanyName: 'Atlas Automation',
    Types: types,
    // Ours, not the hub's: an import that was missed once must not make an old finding young.
    FirstObservedAt: utc(finding.firstSeen),
    LastObservedAt: utc(finding.lastSeen),
    CreatedAt: utc(finding.firstSeen),
    UpdatedAt: utc(finishedAt),
    Severity: severity,
    // Later imports change severity and types here and nowhere else.
    FindingProviderFields: { Severity: severity, Types: types },
    Title: text(`${finding.rule} ${finding.title}`, 256),
    Description: text(reason, 1024),
    Remediation: { Recommendation: { Text: text(remedy, 512) } },
    ProductFields: {
      'atlas-automation/Change': finding.change,
      'atlas-automation/Policy': text(policy, 256),
      'atlas-automation/PolicyDigest': finding.policyDigest,
      ...(exemption && {
        'atlas-automation/ExemptUntil': exemption.until,
        'atlas-automation/ExemptOwner': text(exemption.owner, 256),
      }),
    },
    Resources: [
      {
        Type: 'Other',
        Id: `mongodb-atlas/${place}`,
        Partition: partitionOf(partition),
        Region: region,
        Details: {
          Other: {
            ...(finding.clusterName !== null && { Cluster: text(finding.clusterName, 256) }),
            ...(finding.projectName !== null && { Project: text(finding.projectName, 256) }),
            Evidence: text(JSON.stringify(finding.evidence), 1024),
          },
        },
      },
    ],
    Compliance: {
      Status: compliance[finding.status],
      StatusReasons: [{ ReasonCode: finding.status, Description: text(reason, 1024) }],
    },
    RecordState: isOpen(finding.status) && finding.change !== 'gone' ? 'ACTIVE' : 'ARCHIVED',
  };
}

const partitionOf = (partition: string): 'aws' | 'aws-cn' | 'aws-us-gov' =>
  partition === 'aws-cn' || partition === 'aws-us-gov' ? partition : 'aws';
