import type { Block, Text } from '../text.ts';
import { clean, cut } from './inert.ts';

const SHORTENED: Block = { kind: 'paragraph', spans: ['(Shortened to what fits here.)'] };

/**
 * The longest beginning of a document whose rendering is within `limit` UTF-16 units. Blocks are dropped from the end,
 * and the last one that stays is shortened by its rows; a mark says that something is missing.
 */
export function shortenedTo<Rendered>(limit: number, text: Text, render: (text: Text) => Rendered): Rendered {
  const lengthOf = (rendered: Rendered): number =>
    typeof rendered === 'string' ? rendered.length : JSON.stringify(rendered).length;
  const whole = render(text);
  if (lengthOf(whole) <= limit) return whole;
  const fits = (kept: Text): boolean => lengthOf(render([...kept, SHORTENED])) <= limit;
  const blocks = most(text.length, (count) => fits(text.slice(0, count)));
  const kept = text.slice(0, blocks);
  const next = text[blocks];
  if (next) {
    const size = sizeOf(next);
    const parts = most(size - 1, (count) => fits([...kept, shorten(next, count)]));
    if (parts > 0) return render([...kept, shorten(next, parts), SHORTENED]);
  }
  return render([...kept, SHORTENED]);
}

/** The greatest number up to `end` that passes, where every smaller one passes too; zero always does. */
function most(end: number, passes: (count: number) => boolean): number {
  let low = 0;
  let high = Math.max(0, end);
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (passes(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}

function sizeOf(block: Block): number {
  switch (block.kind) {
    case 'paragraph':
      return plainLength(block);
    case 'list':
      return block.items.length;
    case 'facts':
      return block.rows.length;
    case 'code':
      return block.text.length;
  }
}

const plainLength = (block: Extract<Block, { kind: 'paragraph' }>): number =>
  block.spans.reduce((sum, span) => sum + (typeof span === 'string' ? span : span.text).length, 0);

/** A block with less in it: a paragraph loses its styles with its end. */
function shorten(block: Block, count: number): Block {
  switch (block.kind) {
    case 'paragraph': {
      const text = block.spans.map((span) => (typeof span === 'string' ? span : span.text)).join('');
      return { kind: 'paragraph', spans: [cut(clean(text), count)] };
    }
    case 'list':
      return { kind: 'list', items: block.items.slice(0, count) };
    case 'facts':
      return { kind: 'facts', rows: block.rows.slice(0, count) };
    case 'code':
      return { kind: 'code', text: cut(block.text, count) };
  }
}
