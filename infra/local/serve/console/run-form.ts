import * as z from 'zod';
import { type Content, html, type Markup } from '../../../../lib/html/markup.ts';
import { parseJson } from '../../../../lib/runtime/json.ts';
import { type Problem, problemsOf } from '../../../../lib/runtime/problems.ts';
import { type EventField, type EventKind, eventKindsOf, eventSchemaOf } from '../../../events-in.ts';
import { hidden } from './parts.ts';

/** What somebody typed into a form, by the names of its fields. */
export type Typed = Readonly<Record<string, string>>;

/** The kind of the form that takes the whole event as text. */
export const AS_JSON = 'json';

export interface RunForm {
  readonly kind: string;
  readonly typed: Typed;
  readonly problems: readonly Problem[];
}

/** An event that may be sent, or what stands against it. */
export type Asked = { readonly event: Record<string, unknown> } | { readonly problems: readonly Problem[] };

const nameOf = ({ path }: Pick<EventField, 'path'>): string => path.join('.');
const fieldName = (field: EventField): string => `f.${nameOf(field)}`;
/** The kind says it, and the buttons say it. */
const isAskedFor = (field: EventField): boolean => !['action', 'dryRun'].includes(nameOf(field));

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The event of a form that was sent, judged by the schema of the function. `mode` is one of its two buttons. */
export function eventAsked(lambda: string, kindName: string, typed: Typed, mode: 'dry' | 'run'): Asked {
  const kind = eventKindsOf(lambda)?.find(({ name }) => name === kindName);
  const isJson = kindName === AS_JSON;
  const schema = kind?.schema ?? (isJson ? eventSchemaOf(lambda) : undefined);
  if (!schema) return { problems: [{ path: 'kind', problem: 'is none this function knows' }] };
  if (mode === 'dry' && kind && !kind.hasDryRun)
    return { problems: [{ path: kind.name, problem: 'knows no dry run' }] };
  const made = kind ? eventOf(kind, typed) : eventFromText(typed['event'] ?? '');
  if ('problems' in made) return made;
  // Nothing but its own button makes it real.
  const event = mode === 'dry' ? { ...made.event, dryRun: true } : made.event;
  const { error } = schema.safeParse(event);
  return error ? { problems: problemsOf(error) } : { event };
}

function eventFromText(text: string): Asked {
  const value = text.trim() === '' ? {} : parseJson(text);
  return isObject(value) ? { event: value } : { problems: [{ path: 'event', problem: 'is no JSON object' }] };
}

function eventOf({ fields }: EventKind, typed: Typed): Asked {
  const problems: Problem[] = [];
  const event: Record<string, unknown> = {};
  for (const field of fields) {
    const { path, property } = field;
    const [head = '', below] = path;
    if (path.length === 1 && head === 'dryRun') continue;
    const value =
      path.length === 1 && head === 'action' ? property.const : givenBy(field, typed[fieldName(field)], problems);
    if (below !== undefined) {
      // There even where all in it is missing, so that each missing one is told by its own name.
      const inner = event[head];
      event[head] = { ...(isObject(inner) ? inner : {}), ...(value !== undefined && { [below]: value }) };
    } else if (value !== undefined) event[head] = value;
  }
  return problems.length > 0 ? { problems } : { event };
}

/** What is left empty is left out, so that the function's own default holds. */
function givenBy(field: EventField, typed: string | undefined, problems: Problem[]): unknown {
  const { property } = field;
  if (property.type === 'boolean') return typed === undefined ? (property.default === true ? false : undefined) : true;
  const text = typed?.trim() ?? '';
  if (text === '') return undefined;
  if (property.enum) return property.enum.find((choice) => String(choice) === text) ?? text;
  if (property.type === 'number' || property.type === 'integer') {
    const number = Number(text);
    if (!Number.isFinite(number)) problems.push({ path: nameOf(field), problem: 'must be a number' });
    return number;
  }
  if (property.type === 'string') return text;
  const value = parseJson(text);
  if (value === undefined) problems.push({ path: nameOf(field), problem: 'is no JSON' });
  return value;
}

interface Shown {
  readonly lambda: string;
  readonly formToken: string;
  /** Everything is a dry run here. */
  readonly onlyDry: boolean;
  /** The kind that was chosen. */
  readonly kind: string | undefined;
  /** What was typed before, and what was wrong with it. */
  readonly form: RunForm | undefined;
  /** The event the form of the whole event begins with. */
  readonly example: object;
}

/** The form a function is run by: one for each kind of event it takes, and one that takes the event as it is. */
export function runForm({ lambda, formToken, onlyDry, kind: chosen, form, example }: Shown): Markup {
  const kinds = eventKindsOf(lambda) ?? [];
  const names = [...kinds.map(({ name }) => name), AS_JSON];
  const name = names.find((each) => each === (form?.kind ?? chosen)) ?? names[0] ?? AS_JSON;
  const kind = kinds.find((each) => each.name === name);
  const typed = form?.typed ?? {};
  const problems = form?.problems ?? [];
  const hasDry = kind === undefined || kind.hasDryRun;
  const known = new Set(kind?.fields.map(nameOf) ?? ['event']);
  const rest = problems.filter(({ path }) => !fieldOfProblem(path, known));
  return html`<nav class="kinds" aria-label="Kinds of events"><ul>${names.map(
    (each) =>
      html`<li><a href="/functions/${lambda}?kind=${each}#run" ${each === name && html`aria-current="true"`}>${each === AS_JSON ? 'as JSON' : each}</a></li>`,
  )}</ul></nav>
${
  problems.length > 0 &&
  html`<div class="problem" role="alert"><p>Nothing was run.</p>${rest.length > 0 && html`<ul>${rest.map(({ path, problem }) => html`<li><code>${path}</code> ${problem}</li>`)}</ul>`}</div>`
}
<form method="post" action="/functions/${lambda}/run" id="run" novalidate>
${hidden('form', formToken)}${hidden('kind', name)}
${kind ? kind.fields.filter(isAskedFor).map((field) => control(field, typed, form !== undefined, problems)) : jsonArea('event', 'Event, as JSON', typed['event'] ?? JSON.stringify(example, null, 2), problemsAt(problems, 'event'))}
${kind?.fields.every((field) => !isAskedFor(field)) && html`<p class="quiet">It takes nothing more.</p>`}
<p>${hasDry && html`<button name="mode" value="dry">Dry run</button>`}${!onlyDry && !kind?.isDryRun && html`<button name="mode" value="run" class="strong">Run now</button>`}${!hasDry && onlyDry && html`<span class="quiet">It knows no dry run, and nothing else is done here.</span>`}</p>
</form>`;
}

const fieldOfProblem = (path: string, known: ReadonlySet<string>): boolean =>
  [...known].some((name) => path === name || path.startsWith(`${name}.`));

const problemsAt = (problems: readonly Problem[], name: string): readonly Problem[] =>
  problems.filter(({ path }) => path === name || path.startsWith(`${name}.`));

function control(field: EventField, typed: Typed, wasSent: boolean, problems: readonly Problem[]): Markup {
  const name = nameOf(field);
  const id = fieldName(field);
  const { property, isRequired } = field;
  const before = typed[id];
  const wrong = problemsAt(problems, name);
  const says = html`${label(id, name, isRequired)}`;
  if (property.type === 'boolean') {
    const isOn = wasSent ? before !== undefined : property.default === true;
    return html`<p class="check"><input type="checkbox" id="${id}" name="${id}" value="on" ${isOn && html`checked`} ${described(id, wrong)}> ${says}</p>${told(id, wrong)}`;
  }
  if (property.enum) {
    const chosen = before ?? textOf(property.default);
    return html`${says}<select id="${id}" name="${id}" ${described(id, wrong)}>${!isRequired && property.default === undefined && html`<option value="">–</option>`}${property.enum.map(
      (choice) => html`<option ${String(choice) === chosen && html`selected`}>${String(choice)}</option>`,
    )}</select>${told(id, wrong)}`;
  }
  const value = before ?? textOf(property.default);
  if (property.type === 'number' || property.type === 'integer')
    return html`${says}<input type="number" id="${id}" name="${id}" value="${value}" ${isSafe(property.minimum) && html`min="${property.minimum}"`} ${isSafe(property.maximum) && html`max="${property.maximum}"`} ${described(id, wrong)}>${told(id, wrong)}`;
  if (property.type === 'string')
    return html`${says}<input type="text" id="${id}" name="${id}" value="${value}" autocomplete="off" spellcheck="false" ${described(id, wrong)}>${told(id, wrong)}`;
  return jsonArea(id, `${name}${isRequired ? '' : ' (optional)'}, as JSON`, value, wrong);
}

const isSafe = (value: number | undefined): value is number => value !== undefined && Math.abs(value) < 2 ** 31;
const textOf = (value: unknown): string =>
  value === undefined || value === null ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value);

const label = (id: string, name: string, isRequired: boolean): Markup =>
  html`<label for="${id}">${name}${!isRequired && html` <span class="quiet">(optional)</span>`}</label>`;

const jsonArea = (id: string, says: string, value: string, wrong: readonly Problem[]): Markup =>
  html`<label for="${id}">${says}</label><textarea id="${id}" name="${id}" spellcheck="false" ${described(id, wrong)}>${value}</textarea>${told(id, wrong)}`;

const described = (id: string, wrong: readonly Problem[]): Content =>
  wrong.length > 0 && html`aria-invalid="true" aria-describedby="${id}-wrong"`;

const told = (id: string, wrong: readonly Problem[]): Content =>
  wrong.length > 0 &&
  html`<p class="wrong" id="${id}-wrong">${wrong.map(({ path, problem }) => `${path}: ${problem}`).join('; ')}</p>`;

const Text = z.string();
/** The fields of a form that was sent; files are none. */
export const typedIn = (body: Readonly<Record<string, unknown>>): Typed =>
  Object.fromEntries(
    Object.entries(body).flatMap(([name, value]) => {
      const text = Text.safeParse(value);
      return text.success ? [[name, text.data] as const] : [];
    }),
  );
