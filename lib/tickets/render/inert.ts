/** Where a renderer can't escape, it breaks up what would come alive: an invisible character, of no width. */
const BREAK = '\u200b';

// Controls but tab and line feed, what turns the direction of text around, and what has no place in text at all.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about
const UNWANTED = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]/g;

/** Well-formed text without control characters or tricks of direction; line ends are line feeds. */
export const clean = (text: string): string =>
  text
    .toWellFormed()
    .replace(/\r\n?|[\u2028\u2029\u0085]/g, '\n')
    .replace(UNWANTED, '');

/** The same on one line. */
export const oneLine = (text: string): string => clean(text).replace(/\s+/g, ' ').trim();

/**
 * Text that stays text for whoever reads it afterwards: no mention, no cross-reference, no address made into a link, no
 * tag, no placeholder. What people see is unchanged.
 */
export const inert = (text: string): string =>
  text
    .replace(/@/g, `${BREAK}@${BREAK}`)
    .replace(/#(?=\d)/g, `#${BREAK}`)
    .replace(/(GH-)(?=\d)/gi, `$1${BREAK}`)
    .replace(/:(?=\/)/g, `:${BREAK}`)
    .replace(/\/(?=\/)/g, `/${BREAK}`)
    .replace(/(www)(?=\.)/gi, `$1${BREAK}`)
    .replace(/<(?=[A-Za-z/!?])/g, `<${BREAK}`)
    .replace(/\[(?=\/?code\])/gi, `[${BREAK}`)
    .replace(/\{(?=[{%])/g, `{${BREAK}`);

/** The same where another text may follow: what could begin something at the end of this one begins nothing. */
export const inertPart = (text: string): string => inert(text).replace(/([#:/<[{]|www|GH-)$/i, `$1${BREAK}`);

const characters = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** How far a character as people see it may reach: flags, families and accents are several code points. */
const LONGEST_CHARACTER = 64;

/** Cut to `limit` UTF-16 units, never inside a character; what was cut shows as an ellipsis. */
export function cut(text: string, limit: number): string {
  if (text.length <= limit) return text;
  if (limit < 1) return '';
  const most = limit - 1;
  // Only the surroundings of the place matter.
  const from = Math.max(0, most - LONGEST_CHARACTER);
  const ends = [...characters.segment(text.slice(from, most + LONGEST_CHARACTER))].map(({ index }) => from + index);
  const end = ends.findLast((at) => at <= most && at > from) ?? most;
  return `${text.slice(0, end)}…`.toWellFormed();
}

/** A title: one line, inert, within the limit, and never empty. */
export const titleOf = (text: string, limit: number): string => cut(inert(oneLine(text)), limit) || '(no title)';

/** An address a link may lead to: http or https without credentials, as a URL writes it; undefined for anything else. */
export function safeHref(href: string): string | undefined {
  const url = URL.parse(href);
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') return undefined;
  return url.href;
}
