import type { Block, Line, Span, Text } from '../text.ts';
import { clean, inertPart, safeHref } from './inert.ts';
import { shortenedTo } from './shorten.ts';

/** A document as HTML of a few harmless elements. */
export const toHtml = (text: Text, limit: number): string => shortenedTo(limit, text, render);

const render = (text: Text): string => text.map(block).join('');

function block(item: Block): string {
  switch (item.kind) {
    case 'paragraph':
      return `<p>${line(item.spans)}</p>`;
    case 'list':
      return `<ul>${item.items.map((spans) => `<li>${line(spans)}</li>`).join('')}</ul>`;
    case 'facts':
      return `<table><tbody>${item.rows
        .map(({ name, value }) => `<tr><th>${line([name])}</th><td>${line(value)}</td></tr>`)
        .join('')}</tbody></table>`;
    case 'code':
      return `<pre>${inside(clean(item.text))}</pre>`;
  }
}

const line = (spans: Line): string => spans.map(span).join('');

function span(part: Span): string {
  if (typeof part === 'string') return words(part);
  if ('style' in part) {
    const element = part.style === 'strong' ? 'b' : 'code';
    return `<${element}>${words(part.text)}</${element}>`;
  }
  const href = safeHref(part.href);
  return href === undefined ? words(part.text) : `<a href="${entities(href)}">${words(part.text) || 'link'}</a>`;
}

const words = (text: string): string => inside(clean(text).replace(/\s+/g, ' '));

const inside = (text: string): string => entities(inertPart(text));

const entities = (text: string): string => text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
