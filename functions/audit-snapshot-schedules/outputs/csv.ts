import { type ClusterSummary, type Finding, type ReportSource, remediesOf } from '../report.ts';

type Cell = string | number | boolean | null | undefined;

/** How a cell begins that spreadsheets would compute, wide forms included, and white space before it counts for nothing. */
const FORMULA = /^\s*[=+\-@＝＋－＠]|^[\t\r\n]/;

/**
 * One cell. Text that a spreadsheet would take for a formula gets an apostrophe, which shows it as text.
 * Source: RFC 4180; https://owasp.org/www-community/attacks/CSV_Injection
 */
const cell = (value: Cell): string => {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'string') return String(value);
  const safe = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) || safe !== safe.trim() ? `"${safe.replaceAll('"', '""')}"` : safe;
};

async function* table<Row>(
  columns: readonly (readonly [name: string, of: (row: Row) => Cell])[],
  rows: AsyncIterable<Row>,
): AsyncGenerator<string> {
  yield `${columns.map(([name]) => name).join(',')}\r\n`;
  for await (const row of rows) yield `${columns.map(([, of]) => cell(of(row))).join(',')}\r\n`;
}

/** Every finding, one a line. */
export const findingsCsv = ({ head, findings }: ReportSource): AsyncGenerator<string> =>
  table<Finding>(
    [
      ['id', ({ id }) => id],
      ['status', ({ status }) => status],
      ['severity', ({ severity }) => severity],
      ['rule', ({ rule }) => rule],
      ['title', ({ title }) => title],
      ['projectId', ({ projectId }) => projectId],
      ['project', ({ projectName }) => projectName],
      ['clusterId', ({ clusterId }) => clusterId],
      ['cluster', ({ clusterName }) => clusterName],
      ['reason', ({ reason }) => reason],
      ['remedy', remediesOf(head)],
      ['change', ({ change }) => change],
      ['previousStatus', ({ previousStatus }) => previousStatus],
      ['firstSeen', ({ firstSeen }) => firstSeen],
      ['lastSeen', ({ lastSeen }) => lastSeen],
      ['exemptUntil', ({ exemption }) => exemption?.until],
      ['exemptOwner', ({ exemption }) => exemption?.owner],
      ['exemptReason', ({ exemption }) => exemption?.reason],
      ['evidence', ({ evidence }) => JSON.stringify(evidence)],
      ['policyDigest', ({ policyDigest }) => policyDigest],
    ],
    findings(),
  );

/** Every cluster, one a line, without its single snapshots. */
export const clustersCsv = ({ clusters }: ReportSource): AsyncGenerator<string> =>
  table<ClusterSummary>(
    [
      ['clusterId', ({ clusterId }) => clusterId],
      ['cluster', ({ clusterName }) => clusterName],
      ['projectId', ({ projectId }) => projectId],
      ['project', ({ projectName }) => projectName],
      ['kind', ({ kind }) => kind],
      ['tier', ({ tier }) => tier],
      ['instanceSize', ({ instanceSize }) => instanceSize],
      ['providers', ({ providers }) => providers.join(' ')],
      ['regions', ({ regions }) => regions.join(' ')],
      ['shards', ({ shards }) => shards],
      ['paused', ({ paused }) => paused],
      ['backupEnabled', ({ backupEnabled }) => backupEnabled],
      ['pitEnabled', ({ pitEnabled }) => pitEnabled],
      ['migrationId', ({ migrationId }) => migrationId],
      ['newestSnapshotAt', ({ newestSnapshotAt }) => newestSnapshotAt],
      ['newestSnapshotAgeSeconds', ({ newestSnapshotAgeSeconds }) => newestSnapshotAgeSeconds],
      ['intervalHours', ({ intervalHours }) => intervalHours],
      ['gaps', ({ gaps }) => gaps.length],
      ['score', ({ score }) => score],
      ['failing', ({ statuses }) => rulesWith(statuses, 'FAIL')],
      ['unknown', ({ statuses }) => rulesWith(statuses, 'UNKNOWN')],
      ['warning', ({ statuses }) => rulesWith(statuses, 'WARN')],
      ['exempt', ({ statuses }) => rulesWith(statuses, 'EXEMPT')],
    ],
    clusters(),
  );

const rulesWith = (statuses: ClusterSummary['statuses'], wanted: string): string =>
  Object.entries(statuses)
    .flatMap(([rule, status]) => (status === wanted ? [rule] : []))
    .join(' ');
