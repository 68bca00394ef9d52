import { escapeHtml } from '../../../lib/html/markup.ts';
import { spelledOut } from '../../../lib/html/untrusted.ts';
import type { Finding, ReportSource } from '../report.ts';

interface Counts {
  tests: number;
  failures: number;
  errors: number;
  skipped: number;
}

/** Safe in an attribute: XML has no way to write most control characters, so they are spelled out. */
const attribute = (text: string): string =>
  escapeHtml(spelledOut(text).replaceAll(/[\uFFFE\uFFFF]/g, '\uFFFD')).replaceAll(
    /[\t\n\r]/g,
    (found) => `&#${found.charCodeAt(0)};`,
  );

/** What a test runner would have said: UNKNOWN is an error, not a failure; a WARN passes and speaks. */
const outcomes: Readonly<
  Record<Finding['status'], { count?: 'failures' | 'errors' | 'skipped'; say: (f: Finding) => string }>
> = {
  FAIL: { count: 'failures', say: (f) => `<failure type="${f.severity}" message="${attribute(f.reason)}"/>` },
  UNKNOWN: { count: 'errors', say: (f) => `<error type="UNKNOWN" message="${attribute(f.reason)}"/>` },
  EXEMPT: {
    count: 'skipped',
    say: ({ exemption, reason }) =>
      `<skipped message="${attribute(exemption ? `exempt until ${exemption.until}, ${exemption.owner}: ${exemption.reason}` : reason)}"/>`,
  },
  NOT_APPLICABLE: { count: 'skipped', say: (f) => `<skipped message="${attribute(f.reason)}"/>` },
  WARN: { say: (f) => `<system-out>${attribute(`warning: ${f.reason}`)}</system-out>` },
  PASS: { say: () => '' },
};

/** A test suite each project (and one for the organization), a test case each finding. What is gone has no case. */
export async function* junit(source: ReportSource): AsyncGenerator<string> {
  const suites: Counts[] = [];
  let project: string | null | undefined;
  for await (const finding of judged(source)) {
    if (finding.projectId !== project) suites.push({ tests: 0, failures: 0, errors: 0, skipped: 0 });
    project = finding.projectId;
    const [suite, { count }] = [suites.at(-1), outcomes[finding.status]];
    if (!suite) continue;
    suite.tests += 1;
    if (count) suite[count] += 1;
  }
  const all = suites.reduce(
    (sum, { tests, failures, errors, skipped }) => ({
      tests: sum.tests + tests,
      failures: sum.failures + failures,
      errors: sum.errors + errors,
      skipped: sum.skipped + skipped,
    }),
    { tests: 0, failures: 0, errors: 0, skipped: 0 },
  );
  const { policy, finishedAt } = source.head;
  yield `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="${attribute(`snapshot schedules, policy ${policy.name}`)}"${attributesOf(all)}>\n`;
  let at = -1;
  project = undefined;
  for await (const finding of judged(source)) {
    if (finding.projectId !== project) {
      at += 1;
      const counts = suites[at];
      if (counts) yield `${at > 0 ? '</testsuite>\n' : ''}${opening(finding, counts, finishedAt)}`;
    }
    project = finding.projectId;
    yield caseOf(finding);
  }
  yield at >= 0 ? '</testsuite>\n</testsuites>\n' : '</testsuites>\n';
}

async function* judged({ findings }: ReportSource): AsyncGenerator<Finding> {
  for await (const finding of findings()) if (finding.change !== 'gone') yield finding;
}

const attributesOf = ({ tests, failures, errors, skipped }: Counts): string =>
  ` tests="${tests}" failures="${failures}" errors="${errors}" skipped="${skipped}"`;

const nameOf = ({ projectName, projectId, organizationId }: Finding): string =>
  projectName ?? projectId ?? `organization ${organizationId}`;

const opening = (finding: Finding, counts: Counts, finishedAt: string): string =>
  `<testsuite name="${attribute(nameOf(finding))}"${attributesOf(counts)} timestamp="${new Date(finishedAt).toISOString().slice(0, 19)}">\n`;

const caseOf = (finding: Finding): string => {
  const { rule, title, clusterName, clusterId, status } = finding;
  const said = outcomes[status].say(finding);
  const start = `<testcase classname="${attribute(`${nameOf(finding)}.${clusterName ?? clusterId ?? '(project)'}`)}" name="${attribute(`${rule} ${title}`)}"`;
  return said === '' ? `${start}/>\n` : `${start}>${said}</testcase>\n`;
};
