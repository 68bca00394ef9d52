import type { Block, Line, Span, Text } from '../text.ts';
import { clean, cut, inert, inertPart, oneLine, safeHref } from './inert.ts';

/** Elements of Slack's rich text. Source: https://docs.slack.dev/reference/block-kit/blocks/rich-text-block */
export type RichElement =
  | { readonly type: 'text'; readonly text: string; readonly style?: Readonly<Record<string, boolean>> }
  | { readonly type: 'link'; readonly url: string; readonly text: string };

export interface RichSection {
  readonly type: 'rich_text_section' | 'rich_text_preformatted';
  readonly elements: readonly RichElement[];
}

export interface RichList {
  readonly type: 'rich_text_list';
  readonly style: 'bullet';
  readonly elements: readonly RichSection[];
}

export interface RichBlock {
  readonly type: 'rich_text';
  readonly block_id?: string;
  readonly elements: readonly (RichSection | RichList)[];
}

/** A message holds 50 blocks; these are all in one, so that the parts of it are what is limited. */
const MOST_PARTS = 40;
const MOST_ITEMS = 60;
const LONGEST_TEXT = 2_000;

/**
 * A document as one rich text block. Its text elements are shown as they are: mentions, channels and dates would be
 * elements of their own.
 */
export const toRichText = (text: Text): RichBlock => {
  const elements = text.flatMap(part);
  const kept = elements.slice(0, MOST_PARTS);
  const section: RichSection = { type: 'rich_text_section', elements: [{ type: 'text', text: '(Shortened.)' }] };
  return {
    type: 'rich_text',
    elements: elements.length > kept.length || kept.length === 0 ? [...kept, section] : kept,
  };
};

function part(block: Block): (RichSection | RichList)[] {
  switch (block.kind) {
    case 'paragraph':
      return [section([...block.spans, '\n'])];
    case 'list':
      return bullets(block.items);
    case 'facts':
      return bullets(block.rows.map(({ name, value }) => [{ text: `${name}: `, style: 'strong' }, ...value]));
    case 'code': {
      const text = cut(clean(block.text), LONGEST_TEXT);
      return text === '' ? [] : [{ type: 'rich_text_preformatted', elements: [{ type: 'text', text }] }];
    }
  }
}

function bullets(lines: readonly Line[]): RichList[] {
  if (lines.length === 0) return [];
  const kept = lines.slice(0, MOST_ITEMS);
  const more: Line[] = lines.length > kept.length ? [[`and ${lines.length - kept.length} more`]] : [];
  return [{ type: 'rich_text_list', style: 'bullet', elements: [...kept, ...more].map(section) }];
}

/** A section may not be empty, nor a text in it. */
function section(line: Line): RichSection {
  const elements = line.flatMap((span): RichElement[] => {
    const raw = typeof span === 'string' ? span : span.text;
    const text = cut(raw === '\n' ? raw : clean(raw).replace(/\s+/g, ' '), LONGEST_TEXT);
    return text === '' ? [] : [element(span, text)];
  });
  return { type: 'rich_text_section', elements: elements.length > 0 ? elements : [{ type: 'text', text: ' ' }] };
}

function element(span: Span, text: string): RichElement {
  // Clients make addresses in plain text into links; these are broken up as everywhere.
  const words = inertPart(text);
  if (typeof span === 'string') return { type: 'text', text: words };
  if ('style' in span)
    return { type: 'text', text: words, style: span.style === 'strong' ? { bold: true } : { code: true } };
  const url = safeHref(span.href);
  return url === undefined ? { type: 'text', text: words } : { type: 'link', url, text: words };
}

/** One line of Slack's own markup, mrkdwn, with nothing alive in it: for notifications. */
export const toMrkdwn = (text: string): string =>
  inert(oneLine(text))
    .replace(/[*_~`]/g, (char) => `\u200b${char}\u200b`)
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;');
