import type { Block, Line, Text } from '../text.ts';
import { clean, inertPart, safeHref } from './inert.ts';
import { shortenedTo } from './shorten.ts';

/** A document as plain text. Inert even where a reader takes plain text for HTML or a template. */
export const toPlain = (text: Text, limit: number): string => shortenedTo(limit, text, render);

const render = (text: Text): string =>
  text
    .map(block)
    .filter((part) => part !== '')
    .join('\n\n');

function block(item: Block): string {
  switch (item.kind) {
    case 'paragraph':
      return line(item.spans);
    case 'list':
      return item.items.map((spans) => `- ${line(spans)}`).join('\n');
    case 'facts':
      return item.rows.map(({ name, value }) => `${line([name])}: ${line(value)}`).join('\n');
    case 'code':
      return inertPart(clean(item.text))
        .split('\n')
        .map((row) => `    ${row}`)
        .join('\n');
  }
}

const line = (spans: Line): string =>
  spans
    .map((span) => {
      if (typeof span === 'string') return words(span);
      const href = 'href' in span ? safeHref(span.href) : undefined;
      const text = words(span.text);
      return href === undefined ? text : text.trim() === '' ? href : `${text} (${href})`;
    })
    .join('')
    .trim();

const words = (text: string): string => inertPart(clean(text).replace(/\s+/g, ' '));
