import { html, type Markup } from './markup.ts';

/**
 * Characters that change how their neighbours are shown, or show as nothing: controls, direction overrides and
 * isolates, zero-width marks, tags, and halves of a pair. The joiners that real scripts need stay.
 * Source: https://www.unicode.org/reports/tr9/ (explicit directional formatting)
 */
const UNSEEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e0fff}]|\p{Surrogate}/gu;

/** The text with what cannot be seen spelled out, so that no name can pass for another or turn a line around. */
export const spelledOut = (text: string): string =>
  text.replaceAll(UNSEEN, (found) => `[U+${(found.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`);

/** At most `most` characters, with an ellipsis for the rest; never half of a pair. */
export const shortened = (text: string, most: number): string => {
  if (text.length <= most) return text;
  const kept = [...text.slice(0, most * 2)];
  return kept.length <= most && text.length <= most * 2 ? text : `${kept.slice(0, most - 1).join('')}…`;
};

/** What a tooltip takes: beyond it, browsers cut by themselves. */
const TOOLTIP = 1_000;
/** What one text may take in a page. */
const FULL = 20_000;

/**
 * Somebody else's words in a line of ours: escaped, in their own direction, cut to `most` characters; a pointer on it
 * shows more.
 */
export const words = (text: string, most = 72): Markup => {
  const seen = spelledOut(text);
  if (seen.trim() === '') return html`<i>(blank)</i>`;
  const short = shortened(seen, most);
  return short === seen ? html`<bdi>${seen}</bdi>` : html`<bdi title="${shortened(seen, TOOLTIP)}">${short}</bdi>`;
};

/** The same where there is room: all of it, behind an expander where it is long. */
export const allWords = (text: string, most = 400): Markup => {
  const seen = shortened(spelledOut(text), FULL);
  if (seen.trim() === '') return html`<i>(blank)</i>`;
  const short = shortened(seen, most);
  if (short === seen) return html`<bdi>${seen}</bdi>`;
  return html`<details class="long"><summary><bdi>${short}</bdi></summary><bdi>${seen}</bdi></details>`;
};
