import { type Part, shares } from '../../../../lib/html/charts.ts';
import { html, type Markup } from '../../../../lib/html/markup.ts';
import { counted } from '../../../../lib/html/time.ts';
import type { Audit, Changed } from './audits.ts';
import { brief, empty, pageOf, table, tag, when } from './parts.ts';

const TONES: Readonly<Record<string, Part['tone']>> = {
  FAIL: 'fail',
  UNKNOWN: 'unknown',
  WARN: 'warn',
  EXEMPT: 'exempt',
  PASS: 'pass',
};
const toneOf = (status: string): Part['tone'] => TONES[status] ?? 'none';

const isBad = (status: string | null): boolean => status === 'FAIL' || status === 'UNKNOWN' || status === 'WARN';
/** What became worse first. */
const rank = ({ status, change }: Changed): number =>
  change === 'gone' ? 3 : isBad(status) ? (status === 'FAIL' ? 0 : 1) : 2;

export function backupsPage(audits: readonly Audit[], isRead: boolean, page: number): Markup {
  if (!isRead) return empty('The reports are being read: look again in a moment.');
  if (audits.length === 0)
    return html`${empty('No audit has ended here yet.')}<p><a href="/functions/audit-snapshot-schedules">Run one</a></p>`;
  return html`${audits.map((audit) => auditSection(audit, page))}`;
}

function auditSection(audit: Audit, page: number): Markup {
  const parts = Object.entries(audit.totals.byStatus).map(([name, value]) => ({ name, value, tone: toneOf(name) }));
  const counts = parts.filter(({ value, name }) => value > 0 && name !== 'NOT_APPLICABLE');
  const report = `/backups/report?organization=${encodeURIComponent(audit.organization.id)}`;
  return html`<section>
<h2>${brief(audit.organization.name ?? audit.organization.id, 80)}</h2>
<p>${tag(audit.exitState === 'complete' ? 'pass' : 'unknown', audit.exitState)} ${when(new Date(audit.finishedAt))}: ${counted(audit.coverage.clusters, 'cluster')} in ${counted(audit.coverage.projects, 'project')}, ${audit.coverage.percent} % read; score ${Math.round(audit.totals.score)} of 100, by the profile ${brief(audit.policy.profile, 60)}.</p>
${shares(counts)}
<p class="legend">${counts.map(({ name, value, tone }) => html`<span>${tag(tone, name)} ${value}</span> `)}</p>
<h3>Since the run before</h3>
${drift(audit, page)}
${
  audit.page !== undefined &&
  html`<h3>The report</h3><p><a href="${report}">Open it on a page of its own</a></p>
<iframe src="${report}" title="The report of the last audit" sandbox="allow-scripts" loading="lazy"></iframe>`
}</section>`;
}

function drift({ previousRunId, changed, totals: { byChange } }: Audit, page: number): Markup {
  if (previousRunId === null) return empty('This was the first run: there is nothing to compare it with.');
  const count = (name: string): number => byChange[name] ?? 0;
  const moved = ['new', 'changed', 'resolved', 'gone'].filter((name) => count(name) > 0);
  if (moved.length === 0) return empty('Nothing is other than it was.');
  // A new cluster brings a verdict by every rule: what is fine or not asked of it is no news.
  const told = changed.filter(({ status, previousStatus }) => previousStatus !== null || isBad(status));
  const { items, links } = pageOf(
    told.toSorted((a, b) => rank(a) - rank(b)),
    page,
    '/backups',
    'finding',
  );
  return html`<p>${moved.map((name) => `${count(name)} ${name}`).join(', ')}.${told.length < changed.length && html` <span class="quiet">New ones that need nothing are not listed.</span>`}</p>
${
  told.length > 0 &&
  table(
    'What changed',
    ['Was', 'Is', 'Cluster', 'Rule', 'Why'],
    items.map(({ change, status, previousStatus, projectName, clusterName, rule, title, reason }) => [
      previousStatus === null ? tag('none', 'not there') : tag(toneOf(previousStatus), previousStatus),
      change === 'gone' ? tag('none', 'gone') : tag(toneOf(status), status),
      brief([projectName, clusterName].filter((name) => name !== null).join(' / ') || '–', 80),
      html`<code>${rule}</code> ${brief(title, 80)}`,
      brief(reason, 200),
    ]),
  )
}${links}`;
}
