import { type Column, columns, shares } from '../../../../lib/html/charts.ts';
import { type Content, html, type Markup } from '../../../../lib/html/markup.ts';
import { counted, duration, grouped, moment } from '../../../../lib/html/time.ts';
import { allWords, words } from '../../../../lib/html/untrusted.ts';
import { type ReportHead, type Status, severities } from '../../report.ts';
import { anchorOf, inOrder, states, tag, tierName } from './states.ts';

/** What the clusters add up to, beyond what the head of a report says. */
export interface Sums {
  readonly clusters: number;
  /** Clusters with at least one FAIL, and with at least one critical one. */
  readonly failing: number;
  readonly critical: number;
  /** Findings that are open now and were not before. */
  readonly opened: number;
  /** Clusters this run knows nothing of, that failed when they were last seen. */
  readonly keptFailing: number;
  /** Of all newest snapshots the oldest; undefined where there is none. */
  readonly oldestSeconds: number | undefined;
  /** Clusters by the age of their newest snapshot and by what that means. */
  readonly ages: readonly { readonly name: string; readonly byStatus: ReadonlyMap<Status, number> }[];
}

const UNREADABLE_SHOWN = 200;

export function masthead(head: ReportHead): Markup {
  const { organization, policy, finishedAt, mode, runId } = head;
  return html`<header class="masthead"><div class="frame">
<p class="kicker">MongoDB Atlas snapshot schedules</p>
<h1>Backup audit${organization.name !== null && html` of ${words(organization.name, 60)}`}</h1>
<dl class="stamp">
<div><dt>Finished</dt><dd>${moment(finishedAt)}</dd></div>
<div><dt>Policy</dt><dd>${words(policy.name, 40)} <span class="quiet">(${words(policy.profile, 40)})</span></dd></div>
<div><dt>Policy digest</dt><dd><code title="${policy.digest}">${policy.digest.slice(0, 12)}</code></dd></div>
<div><dt>Organization</dt><dd><code>${organization.id}</code></dd></div>
<div><dt>Run</dt><dd><code>${words(runId, 48)}</code>${mode === 'evidence' && ' (evidence mode)'}</dd></div>
</dl></div></header>`;
}

/** The one sentence somebody reads who reads one: never greener than what was read. */
export function verdictBanner(
  { coverage, exitState, totals }: ReportHead,
  { clusters, failing, keptFailing }: Sums,
): Markup {
  const partial = exitState !== 'complete';
  const gap = partial ? gapText(coverage) : '';
  const show = (tone: string, title: string, text: string): Markup =>
    html`<section class="banner ${tone}" aria-label="${title}"><p class="title">${title}</p><p>${text}</p></section>`;
  const fails = totals.byStatus['FAIL'] ?? 0;
  if (exitState === 'failed') return show('fail', 'Nothing could be judged', gap);
  if (fails > 0) {
    const title =
      failing > 0
        ? `${grouped(failing)} of ${counted(clusters, 'cluster')} ${failing === 1 ? 'fails' : 'fail'}`
        : `${counted(fails, 'finding')} outside of clusters`;
    const text = `${counted(fails, 'finding')}, ${grouped(totals.bySeverity['critical'] ?? 0)} of them critical.${keptFailing > 0 ? ` ${counted(keptFailing, 'more cluster')} failed when last seen, and could not be read.` : ''}`;
    return partial
      ? [show('fail', title, text), show('unknown', 'This report is partial', gap)].reduce((a, b) => html`${a}${b}`)
      : show('fail', title, text);
  }
  if (partial) return show('unknown', 'Nothing fails in what could be read', `This report is partial: ${gap}`);
  if (clusters === 0)
    return show(
      'none',
      'No clusters in scope',
      'The organization was read to its end, and there is nothing in it that this audit judges.',
    );
  const warnings = totals.byStatus['WARN'] ?? 0;
  return show(
    'pass',
    'Nothing is failing',
    `Everything in scope was read: ${counted(clusters, 'cluster')}. ${warnings > 0 ? `${counted(warnings, 'warning')} to look at.` : ''}`,
  );
}

function gapText({
  projectListComplete,
  projects,
  projectsRead,
  clusters,
  clustersRead,
}: ReportHead['coverage']): string {
  const missing = [
    ...(projectListComplete ? [] : ['the list of projects could not be read to its end']),
    ...(projectsRead < projects
      ? [`${grouped(projects - projectsRead)} of ${counted(projects, 'project')} could not be read`]
      : []),
    ...(clustersRead < clusters
      ? [`${grouped(clusters - clustersRead)} of ${counted(clusters, 'cluster')} could not be read completely`]
      : []),
  ];
  const text = missing.length > 0 ? missing.join(', and ') : 'something could not be read';
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}. What was not read is unknown, and counts as passed nowhere.`;
}

export function figures({ totals, coverage, exitState, previousRunId }: ReportHead, sums: Sums): Markup {
  const judged = sums.clusters > 0;
  return html`<dl class="figures">${[
    figure('Score', judged ? Math.floor(totals.score) : '–', judged ? 'of 100, by severity' : 'nothing to score'),
    figure('Failing clusters', grouped(sums.failing), `of ${grouped(sums.clusters)}`, sums.failing > 0 ? 'fail' : ''),
    figure('Critical', grouped(sums.critical), 'clusters with a critical failure', sums.critical > 0 ? 'fail' : ''),
    figure(
      'Oldest newest snapshot',
      sums.oldestSeconds === undefined ? '–' : duration(sums.oldestSeconds),
      'of all clusters',
    ),
    previousRunId === null
      ? figure('Since the last run', '–', 'this is the first')
      : figure(
          'Since the last run',
          `+${grouped(sums.opened)}`,
          `opened, ${grouped(totals.byChange['resolved'] ?? 0)} resolved, ${grouped(totals.byChange['gone'] ?? 0)} gone`,
        ),
    coverageFigure(coverage, exitState),
  ]}</dl>`;
}

const figure = (name: string, value: Content, note: Content = '', tone = ''): Markup =>
  html`<div class="figure"><dt>${name}</dt><dd><span class="value ${tone}">${value}</span><span class="note">${note}</span></dd></div>`;

/** A share of the clusters only where all of them are known: what unread projects hold is in no number. */
function coverageFigure(coverage: ReportHead['coverage'], exitState: ReportHead['exitState']): Markup {
  const { projectListComplete, projects, projectsRead, clusters, clustersRead, percent } = coverage;
  const tone = exitState === 'complete' ? '' : 'unknown';
  return projectListComplete && projectsRead === projects
    ? figure('Coverage', `${percent} %`, `${grouped(clustersRead)} of ${counted(clusters, 'cluster')}`, tone)
    : figure(
        'Coverage',
        'partial',
        `${grouped(projectsRead)} of ${counted(projects, 'known project')} read`,
        'unknown',
      );
}

export function coverageSection({ coverage, exitState, cost }: ReportHead): Markup {
  const { projectListComplete, unreadable, projects, projectsRead, clusters, clustersRead, excludedInternal } =
    coverage;
  const row = (name: string, read: number, all: number, known: boolean): Markup =>
    html`<tr><th scope="row">${name}</th><td>${grouped(read)} of ${grouped(all)}${!known && ' known'}</td><td class="bar">${shares(
      [
        { tone: 'pass', value: read, name: 'read' },
        { tone: 'unknown', value: Math.max(0, all - read), name: 'not read' },
      ],
    )}</td></tr>`;
  return html`<section aria-labelledby="coverage"${exitState !== 'complete' && html` class="loud"`}>
<h2 id="coverage">Coverage ${exitState === 'complete' ? tag('PASS', 'complete') : tag('UNKNOWN', 'partial')}</h2>
<table class="coverage"><caption class="unseen">What was read of what there is</caption><tbody>${row('Projects', projectsRead, projects, projectListComplete)}${row('Clusters', clustersRead, clusters, projectListComplete && projectsRead === projects)}</tbody></table>
<p class="quiet small">${excludedInternal > 0 && `${counted(excludedInternal, 'cluster')} of Atlas’s own left out. `}${counted(cost.calls, 'call')} in ${duration(cost.tookMs / 1000)}, ${counted(cost.retries, 'retry', 'retries')}, ${grouped(cost.throttled)} throttled.</p>
${unreadable.length > 0 && unreadableTable(unreadable)}</section>`;
}

const unreadableTable = (unreadable: ReportHead['coverage']['unreadable']): Markup =>
  html`<h3>Not read</h3><div class="scroll" role="region" aria-label="Table of what was not read" tabindex="0"><table><thead><tr><th scope="col">Project</th><th scope="col">Cluster</th><th scope="col">Cause</th><th scope="col">Reason</th><th scope="col">Operation</th></tr></thead><tbody>${unreadable
    .slice(0, UNREADABLE_SHOWN)
    .map(
      (one) =>
        html`<tr><td>${words(one.projectName ?? one.projectId)}</td><td>${one.clusterName !== null ? words(one.clusterName) : one.clusterId !== null ? words(one.clusterId) : html`<span class="quiet">all</span>`}</td><td>${tag('UNKNOWN', one.cause)}</td><td>${allWords(one.reason, 200)}</td><td><code>${words(one.operation)}</code></td></tr>`,
    )}</tbody></table></div>${unreadable.length > UNREADABLE_SHOWN && html`<p class="quiet small">And ${grouped(unreadable.length - UNREADABLE_SHOWN)} more: see the JSON report.</p>`}`;

export function tierSection({ totals }: ReportHead): Markup {
  const tiers = Object.entries(totals.byTier).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return html`<section aria-labelledby="tiers"><h2 id="tiers">Score by tier</h2>${
    tiers.length === 0
      ? html`<p class="quiet">No clusters.</p>`
      : html`<table class="tiers"><caption class="unseen">Mean score of the clusters of each tier</caption><thead><tr><th scope="col">Tier</th><th scope="col" class="number">Clusters</th><th scope="col"><span class="unseen">Bar of the score</span></th><th scope="col" class="number">Score</th></tr></thead><tbody>${tiers.map(
          ([tier, { clusters, score }]) =>
            html`<tr><th scope="row">${words(tierName(tier), 40)}</th><td class="number">${grouped(clusters)}</td><td class="bar">${shares(
              [
                { tone: 'pass', value: score, name: 'passed' },
                { tone: 'fail', value: 100 - score, name: 'failed' },
              ],
            )}</td><td class="number strong">${Math.floor(score)}</td></tr>`,
        )}</tbody></table>`
  }</section>`;
}

export function agesSection({ ages, clusters }: Sums): Markup {
  const of: readonly Column[] = ages.map(({ name, byStatus }) => ({
    name,
    parts: inOrder
      .map((status) => ({ tone: states[status].tone, name: states[status].name, value: byStatus.get(status) ?? 0 }))
      .toReversed(),
  }));
  const present = inOrder.filter((status) => ages.some(({ byStatus }) => byStatus.has(status)));
  const label = `Clusters by the age of their newest snapshot: ${of.map(({ name, parts }) => `${name} ${parts.reduce((sum, { value }) => sum + value, 0)}`).join(', ')}`;
  return html`<section aria-labelledby="ages"><h2 id="ages">Age of the newest snapshot</h2>
<p class="quiet small">Clusters by how long ago their newest completed, non-fallback snapshot was made. The colour says what the policy makes of it.</p>
${clusters === 0 ? html`<p class="quiet">No clusters.</p>` : html`<figure>${columns(of, label)}<figcaption class="legend small quiet">${present.map((status) => html`<span class="swatch ${states[status].tone}">${states[status].name.toLowerCase()}</span>`)}</figcaption></figure>`}</section>`;
}

export function rulesSection({ totals, rules }: ReportHead): Markup {
  const count = (rule: string, status: Status): number => totals.byRule[rule]?.[status] ?? 0;
  const trouble = (rule: string): number => inOrder.findIndex((status) => count(rule, status) > 0 || status === 'PASS');
  const ordered = rules.toSorted(
    (a, b) =>
      trouble(a.id) - trouble(b.id) ||
      severities.indexOf(a.severity) - severities.indexOf(b.severity) ||
      count(b.id, 'FAIL') - count(a.id, 'FAIL') ||
      (a.id < b.id ? -1 : 1),
  );
  return html`<section aria-labelledby="rules"><h2 id="rules">Findings by rule</h2>
<div class="scroll" role="region" aria-label="Table of rules" tabindex="0"><table class="rules"><caption class="unseen">Number of findings of each rule by status</caption><thead><tr><th scope="col">Rule</th><th scope="col">Severity</th><th scope="col"><span class="unseen">Shares</span></th>${inOrder.map((status) => html`<th scope="col" class="number">${states[status].name === 'Not applicable' ? 'N/A' : states[status].name}</th>`)}</tr></thead><tbody>${ordered.map(
    ({ id, title, severity }) =>
      html`<tr><th scope="row"><a href="#${anchorOf(id)}">${id}</a> ${title}</th><td>${severity}</td><td class="bar">${shares(
        inOrder
          .slice(0, 5)
          .map((status) => ({ tone: states[status].tone, name: states[status].name, value: count(id, status) })),
      )}</td>${inOrder.map((status) => html`<td class="number${count(id, status) > 0 && status !== 'PASS' && status !== 'NOT_APPLICABLE' ? ` told ${states[status].tone}` : ' quiet'}">${grouped(count(id, status))}</td>`)}</tr>`,
  )}</tbody></table></div></section>`;
}

export const catalogue = ({ rules }: ReportHead): Markup =>
  html`<section aria-labelledby="catalogue"><h2 id="catalogue">What the rules ask, and why</h2><dl class="catalogue">${rules.map(
    ({ id, title, severity, motive, remedy }) =>
      html`<div id="${anchorOf(id)}"><dt>${id} ${title} <span class="quiet small">${severity}</span></dt><dd><p>${motive}</p><p><b>Remedy.</b> ${remedy}</p></dd></div>`,
  )}</dl></section>`;
