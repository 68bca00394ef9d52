import { type Content, html, type Markup, trusted } from '../../../../lib/html/markup.ts';
import { dataBlock, page } from '../../../../lib/html/page.ts';
import { theme } from '../../../../lib/html/theme.ts';
import { counted, grouped } from '../../../../lib/html/time.ts';
import { spelledOut } from '../../../../lib/html/untrusted.ts';
import { type ReportHead, type ReportSource, severities } from '../../report.ts';
import { type Gathered, gather, SHOWN } from './gather.ts';
import { closedSection, exceptionsSection, outsideSection } from './others.ts';
import {
  agesSection,
  catalogue,
  coverageSection,
  figures,
  masthead,
  rulesSection,
  tierSection,
  verdictBanner,
} from './overview.ts';
import { script } from './script.ts';
import { inOrder, states, tierName } from './states.ts';
import { style } from './style.ts';

/**
 * The report as one page for people: no request to anywhere, readable without a script, every name inert. The worst
 * 500 clusters stand in it as they are; all of them are packed in a block that its script unpacks for filter and search.
 */
export async function* reportPage(source: ReportSource): AsyncGenerator<string> {
  const { head } = source;
  const gathered = await gather(source);
  const name = head.organization.name === null ? head.organization.id : spelledOut(head.organization.name);
  yield page({
    title: `Backup audit of ${name}, ${head.finishedAt.slice(0, 10)}`,
    styles: [theme, style],
    script,
    body: body(head, gathered),
  });
}

function body(head: ReportHead, gathered: Gathered): Markup {
  const { sums, outside, closed, held } = gathered;
  return html`<a class="skip" href="#clusters">Skip to the clusters</a>
${masthead(head)}
<main class="frame">
${verdictBanner(head, sums)}
${figures(head, sums)}
<div class="pair">${coverageSection(head)}${tierSection(head)}</div>
${agesSection(sums)}
${clustersSection(gathered, head)}
${outsideSection(outside.findings, outside.all)}
${exceptionsSection(held)}
${rulesSection(head)}
${closedSection(closed.findings, closed.all)}
${catalogue(head)}
</main>
<footer class="frame quiet small"><p>Made by Atlas Automation. This file asks no other for anything; report.json, findings.csv and clusters.csv beside it hold the same, complete. Policy digest <code>${head.policy.digest}</code>.</p></footer>`;
}

function clustersSection({ order, shown, packed, sums }: Gathered, head: ReportHead): Markup {
  if (order.length === 0)
    return html`<section aria-labelledby="clusters"><h2 id="clusters" tabindex="-1">Clusters</h2><p class="empty quiet">There are no clusters to show.</p></section>`;
  return html`<section aria-labelledby="clusters" class="clusters">
<h2 id="clusters" tabindex="-1">Clusters, worst first</h2>
${toolbar(sums.clusters, head)}
${packed && html`<noscript><p class="aside">The worst ${grouped(SHOWN)} of ${counted(order.length, 'cluster')}. The others are shown with JavaScript, and are in clusters.csv.</p></noscript>`}
<div class="legend small quiet" aria-hidden="true"><span class="key completed">snapshot</span><span class="key onDemand">on demand</span><span class="key fallback">fallback</span><span class="key failed">failed</span><span class="key gap">gap</span><span class="key usual">usual interval</span></div>
<div class="columns-head" aria-hidden="true"><span>Cluster</span><span></span><span>Newest snapshot</span><span>Last 14 days</span><span>Rules</span><span>Score</span></div>
<ol class="list" id="list">${shown}</ol>
<p class="empty quiet" id="empty" hidden>No cluster fits these filters. <button type="button" id="clear">Clear the filters</button></p>
${pager}
${dataBlock('index', indexOf(order))}
${packed && html`<script type="text/plain" id="rows">${packed.map((piece) => trusted(piece))}</script>`}
</section>`;
}

const pager = html`<nav class="pager no-print" id="pager" aria-label="Pages of clusters" hidden><button type="button" id="previous">Previous</button><span id="where"></span><button type="button" id="next">Next</button></nav>`;

function toolbar(clusters: number, { rules, totals }: ReportHead): Markup {
  const select = (id: string, label: string, options: Content): Markup =>
    html`<div class="field"><label for="${id}">${label}</label><select id="${id}">${options}</select></div>`;
  const option = (value: string, text: string): Markup => html`<option value="${value}">${text}</option>`;
  const failing = rules.filter(({ id }) => (totals.byRule[id]?.['FAIL'] ?? 0) > 0);
  return html`<form class="toolbar no-print" id="toolbar" role="search" aria-label="Clusters" hidden>
<div class="field wide"><label for="search">Search</label><input id="search" type="search" autocomplete="off" spellcheck="false" placeholder="Cluster, project or id"></div>
${select('status', 'Status', [option('', 'Any'), inOrder.map((status, at) => status !== 'NOT_APPLICABLE' && option(String(at), status === 'PASS' ? 'All pass' : states[status].name))])}
${select('severity', 'Fails at', [option('', 'Any severity'), severities.map((severity, at) => option(String(at), severity))])}
${select('rule', 'Fails rule', [option('', 'Any'), failing.map(({ id }) => option(id, id))])}
${select('tier', 'Tier', [
  option('', 'Any'),
  Object.keys(totals.byTier)
    .toSorted()
    .map((tier) => option(tier, tierName(tier))),
])}
${select('sort', 'Order', [option('worst', 'Worst first'), option('age', 'Oldest snapshot first'), option('score', 'Lowest score first'), option('project', 'By project')])}
<p class="count" id="count" role="status">${counted(clusters, 'cluster')}</p></form>`;
}

/** What the script filters and orders by; one array a field, worst cluster first, so that 10,000 stay small. */
const indexOf = (order: Gathered['order']): object => ({
  row: order.map(({ row }) => row),
  search: order.map(({ search }) => search),
  project: order.map(({ project }) => project),
  tier: order.map(({ tier }) => tier),
  score: order.map(({ score }) => score),
  age: order.map(({ age }) => age),
  statuses: order.map(({ statuses }) => statuses.map((status) => inOrder.indexOf(status))),
  failing: order.map(({ failing }) => failing),
  // Which severities fail, as bits.
  severity: order.map(({ weight }) =>
    severities.reduce((bits, _, at) => bits | ((weight[at] ?? 0) > 0 ? 1 << at : 0), 0),
  ),
});
