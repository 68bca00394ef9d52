import type { Block, Line, Span, Text } from '../text.ts';
import { clean, oneLine, safeHref } from './inert.ts';
import { shortenedTo } from './shorten.ts';

/** Atlassian Document Format. Source: https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/ */
export interface AdfNode {
  readonly type: string;
  readonly text?: string;
  readonly attrs?: Readonly<Record<string, string | number>>;
  readonly marks?: readonly { readonly type: string; readonly attrs?: Readonly<Record<string, string>> }[];
  readonly content?: readonly AdfNode[];
}

export interface AdfDocument {
  readonly type: 'doc';
  readonly version: 1;
  readonly content: readonly AdfNode[];
}

/**
 * A document as ADF. Text nodes are never parsed, so that nothing in them comes alive: mentions, links and macros are
 * nodes and marks of their own, and the only ones here are the links of the document.
 */
export const toAdf = (text: Text, limit: number): AdfDocument => shortenedTo(limit, text, render);

const render = (text: Text): AdfDocument => ({ type: 'doc', version: 1, content: text.flatMap(block) });

const paragraph = (line: Line): AdfNode => ({ type: 'paragraph', content: inline(line) });

function block(item: Block): AdfNode[] {
  switch (item.kind) {
    case 'paragraph':
      return [paragraph(item.spans)];
    case 'list':
      if (item.items.length === 0) return [];
      return [
        {
          type: 'bulletList',
          content: item.items.map((line) => ({ type: 'listItem', content: [paragraph(line)] })),
        },
      ];
    case 'facts':
      if (item.rows.length === 0) return [];
      return [
        {
          type: 'table',
          content: item.rows.map(({ name, value }) => ({
            type: 'tableRow',
            content: [
              { type: 'tableHeader', attrs: {}, content: [paragraph([name])] },
              { type: 'tableCell', attrs: {}, content: [paragraph(value)] },
            ],
          })),
        },
      ];
    case 'code': {
      const text = clean(item.text);
      return [{ type: 'codeBlock', content: text === '' ? [] : [{ type: 'text', text }] }];
    }
  }
}

/** An empty text node is not allowed: what is empty is left out. */
const inline = (line: Line): AdfNode[] =>
  line.flatMap((span): AdfNode[] => {
    const text = spaced(typeof span === 'string' ? span : span.text);
    return text === '' ? [] : [{ type: 'text', text, ...marks(span) }];
  });

/** On one line, with the spaces at its ends kept: spans stand next to each other. */
const spaced = (text: string): string => clean(text).replace(/\s+/g, ' ');

function marks(span: Span): Pick<AdfNode, 'marks'> {
  if (typeof span === 'string') return {};
  if ('style' in span) return { marks: [{ type: span.style }] };
  const href = safeHref(span.href);
  return href === undefined ? {} : { marks: [{ type: 'link', attrs: { href } }] };
}

/** The words of an ADF document as it came from somewhere; the empty string where there is none. */
export function wordsOfAdf(node: unknown): string {
  if (typeof node !== 'object' || node === null) return '';
  const own = 'text' in node && typeof node.text === 'string' ? oneLine(node.text) : '';
  const children = 'content' in node && Array.isArray(node.content) ? node.content.map(wordsOfAdf) : [];
  return [own, ...children].filter((words) => words !== '').join(' ');
}
