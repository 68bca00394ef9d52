import { html, type Markup } from '../../../lib/html/markup.ts';
import { page } from '../../../lib/html/page.ts';
import { theme } from '../../../lib/html/theme.ts';
import { counted, moment } from '../../../lib/html/time.ts';
import { allWords, words } from '../../../lib/html/untrusted.ts';
import type { MigrationSettings } from '../contract.ts';
import { bothTimes } from '../course.ts';
import { type Checked, type Plan, standsAgainst } from '../plan.ts';
import { style } from './style.ts';

const TONES: Readonly<Record<Checked['outcome'], string>> = {
  PASS: 'pass',
  FAIL: 'fail',
  WAIVED: 'exempt',
  PENDING: 'unknown',
  UNKNOWN: 'unknown',
  NOT_APPLICABLE: 'none',
};
const WEIGHT: Readonly<Record<Checked['severity'], number>> = { BLOCKER: 0, WARNING: 1, ATTEST: 2, INFO: 3 };

/** What stands against a start first, blockers before warnings; then what does not, in the order of the numbers. */
export const inOrder = (checks: readonly Checked[]): Checked[] => {
  const against = new Set(standsAgainst({ checks: [...checks] }));
  return checks.toSorted(
    (a, b) =>
      Number(against.has(b)) - Number(against.has(a)) ||
      (against.has(a) ? WEIGHT[a.severity] - WEIGHT[b.severity] : 0) ||
      a.number - b.number,
  );
};

const checkRow = ({ number, title, severity, outcome, evidence, remedy, waiver }: Checked): Markup => {
  const tone = TONES[outcome];
  const isOpen = outcome === 'FAIL' || outcome === 'UNKNOWN' || outcome === 'PENDING';
  return html`<li class="${tone}">
<div class="head"><h3>${number}. ${title}</h3> <span class="tag">${severity}</span> <span class="tag ${tone}">${outcome.replace('_', ' ')}</span></div>
<p class="evidence">${allWords(evidence)}</p>
${isOpen && html`<p class="remedy"><b>To do:</b> ${remedy}</p>`}
${waiver && html`<p class="waiver">Waived by ${words(waiver.owner)} until ${moment(waiver.expires)}: ${allWords(waiver.reason)}</p>`}
</li>`;
};

/** A plan as one page: what stands against it first. Text from clusters and people is shown, never run. */
export function planPage(
  plan: Plan,
  notTaken: readonly string[],
  { timeZone }: Pick<MigrationSettings, 'timeZone'>,
): string {
  const { request, checks, digest, madeAt, requestedBy, notMigrated } = plan;
  const against = standsAgainst(plan);
  const blockers = against.filter(({ severity }) => severity === 'BLOCKER').length;
  const title = `Plan: migrate ${request.source.clusterName} to ${request.destination.clusterName}`;
  return page({
    title,
    styles: [theme, style],
    body: html`<header class="masthead"><div class="frame">
<p class="kicker">Live migration, plan</p>
<h1>${words(request.source.clusterName)} to ${words(request.destination.clusterName)}</h1>
<dl class="stamp">
<div><dt>Made</dt><dd>${moment(madeAt)}${timeZone !== 'UTC' && html` <span class="quiet">${bothTimes(new Date(madeAt), { timeZone })}</span>`}</dd></div>
<div><dt>By</dt><dd>${words(requestedBy)}</dd></div>
<div><dt>Destination</dt><dd>project ${request.destination.groupId}, ${request.destination.hostnameSchemaType}</dd></div>
<div><dt>Source</dt><dd>Cloud Manager project ${request.source.groupId}</dd></div>
<div><dt>Migration host</dt><dd>${words(request.migrationHost)}</dd></div>
<div><dt>Digest</dt><dd class="mono">${digest}</dd></div>
</dl>
</div></header>
<main class="frame">
<section class="banner ${against.length === 0 ? 'pass' : 'fail'}" aria-label="Verdict">
<p class="title">${against.length === 0 ? 'It can be started.' : `It cannot be started: ${counted(blockers, 'blocker')}, ${counted(against.length - blockers, 'open question')}.`}</p>
${request.dropDestinationData && html`<p>Everything in the destination is dropped first. That takes its name typed again, somebody else who agrees, and a fresh snapshot.</p>`}
</section>
${notTaken.length > 0 && html`<section><h2>What was given and changes nothing</h2><ul>${notTaken.map((each) => html`<li>${allWords(each)}</li>`)}</ul></section>`}
<section><h2>${counted(checks.length, 'check')}</h2><ol class="checks">${inOrder(checks).map(checkRow)}</ol></section>
<section><h2>What is not migrated</h2><ul>${notMigrated.map((each) => html`<li>${allWords(each)}</li>`)}</ul></section>
</main>`,
  });
}
