import * as z from 'zod';
import { html, type Markup } from '../../../../lib/html/markup.ts';
import { counted } from '../../../../lib/html/time.ts';
import { shortened, spelledOut } from '../../../../lib/html/untrusted.ts';
import { parseJson } from '../../../../lib/runtime/json.ts';
import type { Run } from '../ledger.ts';
import { brief, empty, longer, pageOf, table, tag, took, when } from './parts.ts';
import { type RunForm, runForm } from './run-form.ts';
import type { State } from './state.ts';

/** Events to begin with, for functions that nothing can be done with without one. */
const EXAMPLES: Readonly<Record<string, object>> = {
  'command-live-migration': { action: 'status' },
  'audit-snapshot-schedules': {},
  'reconcile-alerts': { task: 'reconcile' },
};

/** How many lines of what it printed a page shows. */
const LINES = 60;
/** What one of them may take. */
const LINE = 600;

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

export interface FunctionView {
  readonly lambda: string;
  /** The kind of event the form is for. */
  readonly kind: string | undefined;
  readonly form?: RunForm;
  readonly page: number;
}

export function functionPage({ host, formToken }: State, { lambda, kind, form, page }: FunctionView): Markup {
  const runs = host.ledger.runs(lambda);
  const lines = host.ledger.lines(lambda).flatMap(lineForPeople).slice(-LINES);
  const schedules = host.wiring.schedules.filter((each) => each.lambda === lambda);
  return html`<dl class="facts">
${schedules.map(({ name, expression }) => html`<dt><code>${expression}</code></dt><dd>${name}</dd>`)}
${host.wiring.urls.has(lambda) && html`<dt>Webhook</dt><dd><code>POST /hooks/${lambda}/</code></dd>`}
${host.wiring.queues.has(lambda) && html`<dt>Queue</dt><dd>takes alerts from the <a href="/queue">queue</a></dd>`}
<dt>Next run</dt><dd>${when(host.nextRunOf(lambda))}</dd>
<dt>Lately</dt><dd>${lately(runs)}</dd>
</dl>
<h2>Run it</h2>
${runForm({ lambda, formToken, onlyDry: host.dryRun, kind, form, example: EXAMPLES[lambda] ?? {} })}
<h2>Last runs</h2>
${runs.length === 0 ? empty('It has not run since this local host was started.') : runsTable(runs, page, lambda)}
<h2>Last lines</h2>
${lines.length === 0 ? empty('It has printed nothing yet.') : html`<pre tabindex="0" aria-label="Last lines">${lines.map((line) => shortened(spelledOut(line), LINE)).join('\n')}</pre>`}`;
}

const Logged = z.looseObject({
  timestamp: z.string(),
  level: z.string(),
  message: z.string(),
  facts: z.unknown().optional(),
  error: z.unknown().optional(),
});

/** A line of the log without what every line says; metrics are left out. */
function lineForPeople(line: string): string[] {
  if (line.startsWith('{"_aws"')) return [];
  const logged = Logged.safeParse(parseJson(line)).data;
  if (!logged) return [line.slice(0, LINE * 2)];
  const { timestamp, level, message, facts, error } = logged;
  const more = [facts, error].flatMap((each) => (each === undefined ? [] : [JSON.stringify(each)]));
  return [[timestamp.slice(0, 19).replace('T', ' '), level, message, ...more].join('  ').slice(0, LINE * 2)];
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

function lately(runs: readonly Run[]): Markup {
  const ended = runs.flatMap(({ durationMs }) => (durationMs === undefined ? [] : [durationMs]));
  const failed = runs.filter(({ error }) => error !== undefined).length;
  if (ended.length === 0) return html`<span class="quiet">–</span>`;
  return html`${counted(ended.length, 'run')}, usually ${took(median(ended))}, ${took(Math.max(...ended))} at the most; ${failed === 0 ? 'none failed' : tag('fail', `${failed} failed`)}`;
}

function runsTable(all: readonly Run[], page: number, lambda: string): Markup {
  const { items, links } = pageOf(all, page, `/functions/${lambda}`, 'run');
  return html`${table(
    'Last runs',
    ['Began', 'By', 'Outcome', 'Took', 'What it said'],
    items.map((run) => [
      when(run.startedAt),
      run.trigger,
      outcome(run),
      took(run.durationMs),
      run.durationMs === undefined ? '' : longer(run.error ?? run.result ?? '', 160),
    ]),
  )}${links}`;
}

/** Where something went wrong in the machinery itself, and not in a function. */
export const hostLines = ({ host }: State): Markup | undefined => {
  const lines = host.ledger.lines('host').slice(-5);
  return lines.length === 0
    ? undefined
    : html`<h2>The local host itself</h2>${lines.map((line) => html`<p class="problem">${brief(line, 400)}</p>`)}`;
};
