import { html, type Markup } from '../../../../lib/html/markup.ts';
import { allWords, spelledOut, words } from '../../../../lib/html/untrusted.ts';
import type { Run } from '../ledger.ts';
import { empty, table, tag, took, when } from './parts.ts';
import type { State } from './state.ts';

/** Events to begin with, for functions that nothing can be done with without one. */
const EXAMPLES: Readonly<Record<string, object>> = {
  'command-live-migration': { action: 'status' },
  'audit-snapshot-schedules': {},
  'reconcile-alerts': { task: 'reconcile' },
};

/** How many lines of what it printed a page shows. */
const LINES = 60;

const outcome = (run: Run | undefined): Markup => {
  if (!run) return tag('none', 'not yet');
  if (run.durationMs === undefined) return tag('exempt', 'running');
  return run.error === undefined ? tag('pass', 'well') : tag('fail', 'failed');
};

export function functionsPage({ host }: State): Markup {
  const rows = [...host.wiring.functions.keys()].toSorted().map((lambda) => {
    const runs = host.ledger.runs(lambda);
    const failed = runs.filter(({ error }) => error !== undefined).length;
    const [last] = runs;
    return [
      html`<a href="/functions/${lambda}">${lambda}</a>`,
      outcome(last),
      when(last?.startedAt),
      last ? took(last.durationMs) : '–',
      failed === 0 ? '–' : `${failed} of ${runs.length}`,
      when(host.nextRunOf(lambda)),
    ];
  });
  if (rows.length === 0) return empty('The settings deploy no function.');
  return table('Functions', ['Function', 'Last run', 'Began', 'Took', 'Failed lately', 'Next run'], rows);
}

export interface RunForm {
  readonly event: string;
  readonly problem: string;
}

export function functionPage({ host }: State, lambda: string, form?: RunForm): Markup {
  const runs = host.ledger.runs(lambda);
  const lines = host.ledger.lines(lambda).slice(-LINES);
  const schedules = host.wiring.schedules.filter((each) => each.lambda === lambda);
  const event = form?.event ?? JSON.stringify(EXAMPLES[lambda] ?? {}, null, 2);
  return html`<dl class="facts">
${schedules.map(({ name, expression }) => html`<dt><code>${expression}</code></dt><dd>${name}</dd>`)}
${host.wiring.urls.has(lambda) && html`<dt>Webhook</dt><dd><code>POST /hooks/${lambda}/</code></dd>`}
${host.wiring.queues.has(lambda) && html`<dt>Queue</dt><dd>takes alerts from the <a href="/queue">queue</a></dd>`}
<dt>Next run</dt><dd>${when(host.nextRunOf(lambda))}</dd>
</dl>
<h2>Run it</h2>
${form && html`<p class="problem" role="alert">${form.problem}</p>`}
<form method="post" action="/functions/${lambda}/run">
<label for="event">Event, as JSON</label>
<textarea id="event" name="event" spellcheck="false">${event}</textarea>
<button name="mode" value="dry">Dry run</button>${!host.dryRun && html`<button name="mode" value="run">Run now</button>`}
</form>
<h2>Last runs</h2>
${runs.length === 0 ? empty('It has not run since this local host was started.') : runsTable(runs)}
<h2>Last lines</h2>
${lines.length === 0 ? empty('It has printed nothing yet.') : html`<pre tabindex="0" aria-label="Last lines">${spelledOut(lines.join('\n')).replaceAll('[U+000A]', '\n')}</pre>`}`;
}

const runsTable = (runs: readonly Run[]): Markup =>
  table(
    'Last runs',
    ['Began', 'By', 'Outcome', 'Took', 'What it said'],
    runs
      .slice(0, 20)
      .map((run) => [
        when(run.startedAt),
        run.trigger,
        outcome(run),
        took(run.durationMs),
        run.durationMs === undefined ? '' : allWords(run.error ?? run.result ?? '', 160),
      ]),
  );

/** Where something went wrong in the machinery itself, and not in a function. */
export const hostLines = ({ host }: State): Markup | undefined => {
  const lines = host.ledger.lines('host').slice(-5);
  return lines.length === 0
    ? undefined
    : html`<h2>The local host itself</h2>${lines.map((line) => html`<p class="problem">${words(line, 400)}</p>`)}`;
};
