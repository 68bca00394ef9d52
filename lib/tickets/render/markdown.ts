import type { Block, Line, Span, Text } from '../text.ts';
import { clean, inertPart, oneLine, safeHref } from './inert.ts';
import { shortenedTo } from './shorten.ts';

/**
 * A document as GitHub-flavoured Markdown that any CommonMark reader reads the same way. Everything Markdown or HTML
 * could take for markup is escaped; what a reader looks for in finished text (mentions, references, addresses) is broken
 * up. Source: https://github.github.com/gfm/
 */
export const toMarkdown = (text: Text, limit: number): string => shortenedTo(limit, text, render);

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
      return item.items.map((spans) => `- ${line(spans) || '–'}`).join('\n');
    case 'facts': {
      if (item.rows.length === 0) return '';
      const rows = item.rows.map(({ name, value }) => `| ${line([name])} | ${line(value)} |`);
      return ['| | |', '| --- | --- |', ...rows].join('\n');
    }
    case 'code': {
      const text = clean(item.text);
      const fence = '`'.repeat(Math.max(3, longestRun(text) + 1));
      return `${fence}text\n${text}\n${fence}`;
    }
  }
}

/** What begins a list, a heading or an underline means nothing of that kind here. */
const line = (spans: Line): string =>
  spans
    .map(span)
    .join('')
    .trim()
    .replace(/^([#+=-])/, '\\$1')
    .replace(/^(\d+)([.)])/, '$1\\$2');

function span(part: Span): string {
  if (typeof part === 'string') return escaped(part);
  if ('style' in part) {
    const text = oneLine(part.text);
    if (text === '') return '';
    return part.style === 'strong' ? strong(text) : inlineCode(text);
  }
  const href = safeHref(part.href);
  if (href === undefined) return escaped(part.text);
  // In angle brackets an address ends at the next `>` and nowhere else; the bar would end a table's cell.
  const target = href.replace(/[<>\\`|\s]/g, encodeURIComponent);
  return `[${escaped(oneLine(part.text)) || 'link'}](<${target}>)`;
}

const escaped = (text: string): string =>
  inertPart(clean(text).replace(/\s+/g, ' ')).replace(/[\\`*_[\]<>~&$|!]/g, '\\$&');

/** Emphasis wants no space or punctuation at its edges to be recognised: an invisible joiner stands there. */
const strong = (text: string): string => `**\u2060${escaped(text)}\u2060**`;

/**
 * Inside code nothing is read but the end of it, and the column bar of a table around it. Fences that touch would be one
 * longer fence: an invisible joiner keeps them apart.
 */
function inlineCode(text: string): string {
  const inside = text.replace(/\|/g, '\u2223');
  const fence = '`'.repeat(longestRun(inside) + 1);
  return `\u2060${fence} ${inside} ${fence}\u2060`;
}

const longestRun = (text: string): number => Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));

/** What people would read of a Markdown text, roughly: letters and digits, whatever the markup. */
export const wordsOfMarkdown = (markdown: string): string => markdown.replace(/<!--[\s\S]*?-->/g, '');
