import { curve } from '../../../lib/html/charts.ts';
import { html, type Markup } from '../../../lib/html/markup.ts';
import { page } from '../../../lib/html/page.ts';
import { theme } from '../../../lib/html/theme.ts';
import { duration, moment } from '../../../lib/html/time.ts';
import { allWords, words } from '../../../lib/html/untrusted.ts';
import type { MigrationSettings } from '../contract.ts';
import { bothTimes, deadlineOf } from '../course.ts';
import { guidanceOf, nextSteps } from '../guidance.ts';
import type { RecordEntry, Run } from '../run.ts';
import { secondsToCatchUp } from '../summary.ts';
import { style } from './style.ts';

const TONES: Readonly<Record<string, string>> = {
  COMPLETE: 'pass',
  CUT_OVER: 'pass',
  FAILED: 'fail',
  EXPIRED: 'fail',
  CANCELLED_OUTSIDE: 'fail',
  START_UNKNOWN: 'warn',
  STARTED_UNIDENTIFIED: 'warn',
  CUTOVER_UNKNOWN: 'warn',
  READY: 'warn',
};

const lagChart = (run: Run, { lagGateSeconds }: MigrationSettings): Markup => {
  const points = run.polls.flatMap(({ at, lagSeconds }) =>
    lagSeconds === null ? [] : [{ at: Date.parse(at) / 1000, value: lagSeconds }],
  );
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last || first === last) return html`<p class="quiet">Not enough looks yet.</p>`;
  const most = Math.max(...points.map(({ value }) => value));
  const label = `Seconds behind the source: ${most} at the most, ${last.value} at the last look; a cutover is asked for at ${lagGateSeconds} or less.`;
  return html`<figure>${curve({ points, limit: lagGateSeconds, label })}<figcaption class="small quiet">${label} From ${moment(run.polls[0]?.at ?? run.createdAt)} to ${moment(run.polls.at(-1)?.at ?? run.createdAt)}.</figcaption></figure>`;
};

const deadlineSection = (run: Run, policy: MigrationSettings): Markup | false => {
  const seenAt = new Date(run.polledAt ?? run.createdAt);
  const end = deadlineOf(run, seenAt, policy);
  if (!end || run.endedAt !== undefined || run.cutOverAt !== undefined) return false;
  return html`<section><h2>Deadline</h2>
<p>Atlas gives the migration up between ${bothTimes(end.earliest, policy)} and ${bothTimes(end.latest, policy)}: in ${duration((end.earliest.getTime() - seenAt.getTime()) / 1000)} at the earliest, as of the last look.</p>
${run.extension && html`<p>An extension until ${moment(run.extension.until)} was recorded by ${words(run.extension.recordedBy)}: ${allWords(run.extension.note)}</p>`}
</section>`;
};

const entryRow = ({ seq, at, by, what, facts, hash }: RecordEntry): Markup => {
  const { state, reason, ...others } = facts;
  const rest = Object.entries(others).map(
    ([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return html`<tr><td class="number">${seq}</td><td>${moment(at)}</td><td>${words(by)}</td><td>${words(what, 120)}${rest.length > 0 && html`<br><span class="small quiet">${allWords(rest.join('; '), 200)}</span>`}</td><td>${words(String(state ?? ''))}</td><td class="mono">${hash.slice(0, 12)}</td></tr>`;
};

/** The course of a migration as one page. Text from clusters and people is shown, never run. */
export function timelinePage(run: Run, record: readonly RecordEntry[], policy: MigrationSettings): string {
  const { request, state, reason } = run;
  const guidance = guidanceOf(run);
  const steps = nextSteps(run);
  const catchUp = secondsToCatchUp(run);
  const tone = TONES[state] ?? 'none';
  return page({
    title: `Migration of ${request.source.clusterName} to ${request.destination.clusterName}`,
    styles: [theme, style],
    body: html`<header class="masthead"><div class="frame">
<p class="kicker">Live migration, ${run.runId}</p>
<h1>${words(request.source.clusterName)} to ${words(request.destination.clusterName)} <span class="tag ${tone}">${state.replaceAll('_', ' ')}</span></h1>
<dl class="stamp">
<div><dt>Started</dt><dd>${moment(run.startedAt ?? run.createdAt)}</dd></div>
<div><dt>Planned and started by</dt><dd>${words(run.plannedBy)}, ${words(run.requestedBy)}</dd></div>
<div><dt>Approved by</dt><dd>${run.approval ? words(run.approval.by) : 'nobody yet'}</dd></div>
<div><dt>Atlas’s id</dt><dd class="mono">${run.liveMigrationId ?? 'not known'}</dd></div>
<div><dt>Migration host</dt><dd>${words(request.migrationHost)}</dd></div>
<div><dt>Plan</dt><dd class="mono">${run.planDigest.slice(0, 16)}</dd></div>
</dl>
</div></header>
<main class="frame">
<section class="banner ${tone}" aria-label="State"><p class="title">${allWords(reason)}</p>${steps.length > 0 && html`<ol>${steps.map((step) => html`<li>${step}</li>`)}</ol>`}</section>
<section><h2>Lag</h2>${lagChart(run, policy)}
${catchUp !== null && html`<p class="quiet">At this pace it catches up in ${duration(catchUp)}.</p>`}
${run.oplogWindowSeconds !== undefined && html`<p class="quiet">The source’s oplog holds ${duration(run.oplogWindowSeconds)}: a lag past that ends the migration.</p>`}
</section>
${deadlineSection(run, policy)}
<section class="banner ${guidance.pastReturn ? 'warn' : 'none'}" aria-label="The way back"><h2>The way back</h2><p>${guidance.title}</p><ul>${guidance.options.map((option) => html`<li>${option}</li>`)}</ul></section>
${run.notMigrated.length > 0 && html`<section><h2>What is not migrated</h2><ul>${run.notMigrated.map((each) => html`<li>${allWords(each)}</li>`)}</ul></section>`}
<section><h2>Record</h2><p class="quiet small">Each line holds the hash of the one before it; the action verify-record recomputes them. The last hash is <span class="mono">${run.record.hash}</span>.</p>
<div class="scroll"><table class="record"><thead><tr><th scope="col">#</th><th scope="col">At</th><th scope="col">By</th><th scope="col">What</th><th scope="col">State</th><th scope="col">Hash</th></tr></thead>
<tbody>${record.map(entryRow)}</tbody></table></div></section>
</main>`,
  });
}
