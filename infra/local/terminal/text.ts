import { stripVTControlCharacters } from 'node:util';
import { shortened, spelledOut } from '../../../lib/html/untrusted.ts';

/** Somebody else's words on one line of a terminal: nothing in them moves the cursor, colours, or ends the line. */
export const safe = (text: string, most = 400): string =>
  shortened(
    spelledOut(text.slice(0, most * 4))
      .replaceAll(/\s+/g, ' ')
      .trim(),
    most,
  );

/** The same of several lines, which stay lines. */
export const safeLines = (text: string): string =>
  text
    .split('\n')
    .map((line) => spelledOut(line).replaceAll('\t', ' '))
    .join('\n');

/** How many columns it takes, escape sequences left out. */
export const widthOf = (text: string): number => [...stripVTControlCharacters(text)].length;

export const padded = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - widthOf(text)));

/** Lines of at most `width` columns, broken between words, and within a word that is longer. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const joined = line === '' ? word : `${line} ${word}`;
    if (widthOf(joined) <= width) {
      line = joined;
      continue;
    }
    if (line !== '') lines.push(line);
    let rest = [...word];
    // Only a word without colours is cut: an escape sequence must stay whole.
    while (rest.length > width && widthOf(word) === [...word].length) {
      lines.push(rest.slice(0, width).join(''));
      rest = rest.slice(width);
    }
    line = rest.join('');
  }
  return [...lines, line];
}
