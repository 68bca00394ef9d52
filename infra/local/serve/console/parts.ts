import type { Tone } from '../../../../lib/html/charts.ts';
import { type Content, html, type Markup } from '../../../../lib/html/markup.ts';
import { counted, duration, moment } from '../../../../lib/html/time.ts';
import { shortened, spelledOut } from '../../../../lib/html/untrusted.ts';

export const tag = (tone: Tone, text: string): Markup => html`<span class="tag ${tone}">${text}</span>`;

export const when = (at: Date | undefined): Markup =>
  at && !Number.isNaN(at.getTime()) ? moment(at.toISOString()) : html`<span class="quiet">–</span>`;

/** An instant, and how far it is from `now`, in words. */
export const whenFrom = (at: Date, now: Date): Markup => {
  const seconds = (at.getTime() - now.getTime()) / 1_000;
  return html`${when(at)} <span class="quiet" data-passes>${seconds >= 0 ? `in ${duration(seconds)}` : `${duration(-seconds)} ago`}</span>`;
};

export const took = (ms: number | undefined): string => {
  if (ms === undefined) return 'running';
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
};

export const empty = (text: string): Markup => html`<p class="empty">${text}</p>`;

/** What the text behind an expander may take: a page has many, and stays under 200 kB. */
const BEHIND = 800;

/** Somebody else's words, escaped, in their own direction, cut to `most` characters. */
export const brief = (text: string, most = 72): Markup => {
  const seen = shortened(spelledOut(text.slice(0, most * 4)), most);
  return seen.trim() === '' ? html`<i>(blank)</i>` : html`<bdi>${seen}</bdi>`;
};

/** The same, with more of it behind an expander where it is long. */
export const longer = (text: string, most = 160): Markup => {
  const seen = shortened(spelledOut(text.slice(0, BEHIND * 2)), BEHIND);
  return seen.length <= most
    ? brief(seen, most)
    : html`<details class="long"><summary>${brief(seen, most)}</summary><bdi>${seen}</bdi></details>`;
};

/**
 * A table that scrolls by itself where it is too wide, and can be reached by keyboard to do so. On a phone each row is a
 * card, and each value has its column's name beside it.
 */
export const table = (label: string, head: readonly string[], rows: readonly (readonly Content[])[]): Markup =>
  html`<div class="scroll" tabindex="0" role="region" aria-label="${label}"><table>
<thead><tr>${head.map((name) => (name === '' ? html`<td></td>` : html`<th scope="col">${name}</th>`))}</tr></thead>
<tbody>${rows.map((cells) => html`<tr>${cells.map((cell, at) => html`<td data-label="${head[at] ?? ''}"><div>${cell}</div></td>`)}</tr>`)}</tbody>
</table></div>`;

export const hidden = (name: string, value: string | number): Markup =>
  html`<input type="hidden" name="${name}" value="${value}">`;

/** One button that changes something. */
export const action = (
  formToken: string,
  to: string,
  text: string,
  values: Readonly<Record<string, string | number>> = {},
): Markup =>
  html`<form method="post" action="${to}">${hidden('form', formToken)}${Object.entries(values).map(([name, value]) =>
    hidden(name, value),
  )}<button>${text}</button></form>`;

/** How many rows one page of a list has: what others wrote may be long, and a page stays under 200 kB. */
const ROWS = 25;

export interface PageOf<Item> {
  readonly items: readonly Item[];
  /** The links to the other pages; undefined where there is one page alone. */
  readonly links: Markup | undefined;
}

/** Page `asked` (from 1) of a list. `path` leads to the list, without its page. */
export function pageOf<Item>(all: readonly Item[], asked: number, path: string, what: string): PageOf<Item> {
  const pages = Math.max(1, Math.ceil(all.length / ROWS));
  const page = Math.min(pages, Math.max(1, Math.trunc(asked) || 1));
  const items = all.slice((page - 1) * ROWS, page * ROWS);
  if (pages === 1) return { items, links: undefined };
  const link = (to: number, text: string): Content =>
    to >= 1 && to <= pages
      ? html`<a href="${path}${path.includes('?') ? '&' : '?'}page=${to}">${text}</a>`
      : html`<span class="quiet">${text}</span>`;
  const links = html`<nav class="pager" aria-label="Pages of this list">${link(page - 1, 'Before')} <span>${page} of ${pages}, ${counted(all.length, what)}</span> ${link(page + 1, 'Next')}</nav>`;
  return { items, links };
}
