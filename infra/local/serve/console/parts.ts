import type { Tone } from '../../../../lib/html/charts.ts';
import { type Content, html, type Markup } from '../../../../lib/html/markup.ts';
import { moment } from '../../../../lib/html/time.ts';

export const tag = (tone: Tone, text: string): Markup => html`<span class="tag ${tone}">${text}</span>`;

export const when = (at: Date | undefined): Markup =>
  at ? moment(at.toISOString()) : html`<span class="quiet">–</span>`;

export const took = (ms: number | undefined): string => {
  if (ms === undefined) return 'running';
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
};

export const empty = (text: string): Markup => html`<p class="empty">${text}</p>`;

/** A table that scrolls by itself where it is too wide, and can be reached by keyboard to do so. */
export const table = (label: string, head: readonly string[], rows: readonly (readonly Content[])[]): Markup =>
  html`<div class="scroll" tabindex="0" role="region" aria-label="${label}"><table>
<thead><tr>${head.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${rows.map((cells) => html`<tr>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody>
</table></div>`;

/** One button that changes something. */
export const action = (to: string, text: string, values: Readonly<Record<string, string | number>> = {}): Markup =>
  html`<form method="post" action="${to}">${Object.entries(values).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  )}<button>${text}</button></form>`;
