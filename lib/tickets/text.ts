/**
 * A small document that every ticket system can show. All text in it is untrusted: whoever renders it makes sure that
 * nothing in it mentions anybody, links anywhere or is taken for markup. Only `href` makes a link.
 */
export type Text = readonly Block[];

export type Block =
  | { readonly kind: 'paragraph'; readonly spans: Line }
  | { readonly kind: 'list'; readonly items: readonly Line[] }
  /** Names and values, shown as a table where there are tables. */
  | { readonly kind: 'facts'; readonly rows: readonly Fact[] }
  | { readonly kind: 'code'; readonly text: string };

export interface Fact {
  readonly name: string;
  readonly value: Line;
}

/** Text on one line: line breaks in it become spaces. */
export type Line = readonly Span[];

export type Span =
  | string
  | { readonly text: string; readonly style: 'strong' | 'code' }
  /** Shown as plain text unless `href` is an http or https address without credentials. */
  | { readonly text: string; readonly href: string };

export const paragraph = (...spans: Line): Block => ({ kind: 'paragraph', spans });
export const list = (items: readonly Line[]): Block => ({ kind: 'list', items });
export const facts = (rows: Readonly<Record<string, string | Line>>): Block => ({
  kind: 'facts',
  rows: Object.entries(rows).map(([name, value]) => ({ name, value: typeof value === 'string' ? [value] : value })),
});
export const code = (text: string): Block => ({ kind: 'code', text });
export const strong = (text: string): Span => ({ text, style: 'strong' });
export const link = (text: string, href: string): Span => ({ text, href });
