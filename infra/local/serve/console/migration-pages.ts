import { curve } from '../../../../lib/html/charts.ts';
import { html, type Markup } from '../../../../lib/html/markup.ts';
import { duration } from '../../../../lib/html/time.ts';
import { type Check, type Migration, type MigrationView, waitsForApproval } from './migrations.ts';
import { brief, empty, hidden, longer, table, tag, when, whenFrom } from './parts.ts';
import type { State } from './state.ts';

/** The lag a cutover is asked for with unless the settings say otherwise, in seconds. */
const GATE_SECONDS = 30;

const ENDED = new Set(['COMPLETE', 'FAILED', 'EXPIRED', 'CANCELLED_OUTSIDE', 'ABANDONED']);
const BAD = new Set([
  'FAILED',
  'EXPIRED',
  'CANCELLED_OUTSIDE',
  'START_UNKNOWN',
  'CUTOVER_UNKNOWN',
  'STARTED_UNIDENTIFIED',
]);
const toneOf = (migration: Migration) =>
  migration.state === 'COMPLETE'
    ? 'pass'
    : BAD.has(migration.state)
      ? 'fail'
      : waitsForApproval(migration)
        ? 'warn'
        : 'exempt';

const lagOf = (seconds: number | null | undefined): string =>
  seconds == null ? '–' : seconds < 60 ? `${Math.round(seconds)} s` : duration(seconds);

export function migrationsPage({ migrations: reader, now }: State, migrations: readonly Migration[]): Markup {
  if (!reader.isDeployed) return empty('The settings deploy no live migrations.');
  const unread =
    reader.unread &&
    html`<p class="problem">Where the migrations stand could not be read: see <a href="/functions/command-live-migration">command-live-migration</a>.</p>`;
  const plan = html`<p><a href="/functions/command-live-migration?kind=plan#run">Plan one</a></p>`;
  if (migrations.length === 0)
    return html`${unread || empty(reader.isRead ? 'There is no migration.' : 'The migrations are being read: look again in a moment.')}${plan}`;
  const order = (migration: Migration): number =>
    waitsForApproval(migration) ? 0 : ENDED.has(migration.state) ? 2 : 1;
  const sorted = migrations.toSorted((a, b) => order(a) - order(b));
  return html`${unread}${table(
    'Migrations',
    ['Destination', 'State', 'Lag', 'To be cut over before', 'Why'],
    sorted
      .slice(0, 100)
      .map((migration) => [
        html`<a href="/migrations/${migration.runId}">${brief(migration.destination?.clusterName ?? migration.runId, 60)}</a>`,
        html`${tag(toneOf(migration), migration.state)}${waitsForApproval(migration) && html` ${tag('warn', 'decide')}`}`,
        lagOf(migration.lagSeconds),
        migration.deadline && !ENDED.has(migration.state) ? whenFrom(new Date(migration.deadline.earliest), now) : '–',
        longer(migration.reason, 160),
      ]),
  )}${plan}`;
}

export interface Refused {
  readonly problem: string;
  readonly by: string;
}

export function migrationPage(state: State, view: MigrationView, refused?: Refused): Markup {
  const { migration, polls, checks, record, plannedBy } = view;
  const { now } = state;
  const isOver = ENDED.has(migration.state);
  return html`<p>${tag(toneOf(migration), migration.state)} ${brief(migration.reason, 300)}</p>
${refused && html`<p class="problem" role="alert">Not taken: ${brief(refused.problem, 600)}</p>`}
${decision(state, view, refused?.by ?? '')}
<dl class="facts">
<dt>From</dt><dd>${brief(migration.source?.clusterName ?? '–', 80)}</dd>
<dt>To</dt><dd>${brief(migration.destination?.clusterName ?? '–', 80)}</dd>
<dt>Planned, started by</dt><dd>${brief(plannedBy ?? '–', 60)}, ${brief(migration.requestedBy || '–', 60)}</dd>
<dt>Approved by</dt><dd>${migration.approvedBy ? brief(migration.approvedBy, 60) : '–'}</dd>
<dt>Lag</dt><dd>${lagOf(migration.lagSeconds)}${migration.secondsToCatchUp != null && ` (caught up in about ${lagOf(migration.secondsToCatchUp)})`}</dd>
<dt>Last look</dt><dd>${migration.polledAt ? when(new Date(migration.polledAt)) : '–'}</dd>
<dt>Ends by itself</dt><dd>${migration.deadline && !isOver ? html`${whenFrom(new Date(migration.deadline.earliest), now)} at the earliest` : '–'}</dd>
<dt>Id</dt><dd><code>${migration.runId}</code></dd>
</dl>
<h2>Lag</h2>
${lagChart(polls)}
${migration.nextSteps.length > 0 && html`<h2>Next</h2><ul class="plain">${migration.nextSteps.map((step) => html`<li>${brief(step, 300)}</li>`)}</ul>`}
${migration.notMigrated.length > 0 && html`<h2>Not brought along</h2><ul class="plain">${migration.notMigrated.slice(0, 100).map((each) => html`<li>${brief(each, 200)}</li>`)}</ul>`}
<h2>Checks of the plan</h2>
${checks.length === 0 ? empty('The plan is not kept any more.') : checksTable(checks)}
<h2>Record</h2>
${
  record.length === 0
    ? empty('Nothing is recorded yet.')
    : table(
        'Record',
        ['When', 'By', 'What'],
        record.slice(0, 100).map(({ at, by, what }) => [when(new Date(at)), brief(by, 60), brief(what, 200)]),
      )
}`;
}

function decision(state: State, { migration }: MigrationView, by: string): Markup | undefined {
  const { approval } = migration;
  if (!waitsForApproval(migration) || !approval) return undefined;
  const { now, formToken, host } = state;
  const to = `/migrations/${migration.runId}`;
  const bound = html`${hidden('form', formToken)}${hidden('approvalId', approval.approvalId)}${hidden('planDigest', migration.planDigest)}`;
  return html`<section class="decide" aria-labelledby="decide">
<h2 id="decide">The cutover waits for your word</h2>
<p>${approval.until !== undefined && html`Asked until ${whenFrom(new Date(approval.until), now)}. `}Whoever planned or started it may not approve it.</p>
<form method="post" action="${to}/approve">${bound}
<label for="by">Your name</label><input type="text" id="by" name="by" required maxlength="200" autocomplete="name" value="${by}">
<p class="check"><input type="checkbox" id="stopped" name="writesStopped" value="on" required> <label for="stopped">Applications no longer write to the source</label></p>
<p class="check"><input type="checkbox" id="inventory" name="inventoryAccepted" value="on" required> <label for="inventory">What is not brought along is dealt with</label></p>
<p><button name="mode" value="dry" formnovalidate>Dry run</button>${!host.dryRun && html`<button name="mode" value="run" class="strong">Approve the cutover</button>`}</p>
</form>
<details><summary>Not now</summary>
<form method="post" action="${to}/reject">${bound}
<label for="rejecter">Your name</label><input type="text" id="rejecter" name="by" required maxlength="200" autocomplete="name" value="${by}">
<label for="reason">Why</label><input type="text" id="reason" name="reason" required maxlength="1000">
<p><button name="mode" value="${host.dryRun ? 'dry' : 'run'}">Say no</button></p>
</form></details>
</section>`;
}

function lagChart(polls: MigrationView['polls']): Markup {
  const points = polls.flatMap(({ at, lagSeconds }) =>
    lagSeconds === null ? [] : [{ at: Date.parse(at) / 1_000, value: lagSeconds }],
  );
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last || points.length < 2) return empty('It was looked at too seldom for a chart so far.');
  const label = `Lag over ${duration(last.at - first.at)}: from ${lagOf(first.value)} to ${lagOf(last.value)}; the line across is ${GATE_SECONDS} s`;
  return html`<figure>${curve({ points, limit: GATE_SECONDS, label })}<figcaption class="quiet small">${when(new Date(first.at * 1_000))} to ${when(new Date(last.at * 1_000))}: from ${lagOf(first.value)} to ${lagOf(last.value)}. The dashed line is ${GATE_SECONDS} s; the scale is logarithmic.</figcaption></figure>`;
}

const OUTCOMES = {
  FAIL: 'fail',
  PENDING: 'warn',
  UNKNOWN: 'unknown',
  PASS: 'pass',
  OK: 'pass',
  WAIVED: 'exempt',
} as const;
const outcomeTone = (outcome: string) => Object.entries(OUTCOMES).find(([name]) => name === outcome)?.[1] ?? 'none';
const ORDER = ['FAIL', 'UNKNOWN', 'PENDING', 'WAIVED'];
const rank = ({ outcome }: Check): number => (ORDER.indexOf(outcome) + ORDER.length + 1) % (ORDER.length + 1);

const checksTable = (checks: readonly Check[]): Markup =>
  table(
    'Checks',
    ['Outcome', 'Check', 'What was seen'],
    checks
      .toSorted((a, b) => rank(a) - rank(b))
      .map(({ outcome, severity, title, evidence, waiver }) => [
        html`${tag(outcomeTone(outcome), outcome)} <span class="quiet small">${severity}</span>`,
        brief(title, 120),
        html`${brief(evidence, 200)}${waiver && html` <span class="quiet">waived by ${brief(waiver.owner, 60)}: ${brief(waiver.reason, 120)}</span>`}`,
      ]),
  );
