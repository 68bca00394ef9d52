/** A piece of HTML in which everything that came from outside is escaped already. Only this file makes one. */
class Markup {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

export type { Markup };

/** What may stand in a template: text is escaped, markup is taken as it is, nothing shows for undefined and false. */
export type Content = string | number | Markup | undefined | false | readonly Content[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text that means itself between tags and between quotes. */
export const escapeHtml = (text: string): string => text.replaceAll(/[&<>"']/g, (found) => ENTITIES[found] ?? '');

const written = (content: Content): string => {
  if (content === undefined || content === false) return '';
  if (typeof content === 'string') return escapeHtml(content);
  if (content instanceof Markup) return content.toString();
  return typeof content === 'number' ? String(content) : content.map(written).join('');
};

/**
 * HTML from a template: html`<td>${name}</td>`. Every value is escaped for text and for quoted attributes, so attributes
 * are always quoted; no value belongs into a tag's name, a script, a style or an address.
 */
export const html = (template: TemplateStringsArray, ...values: Content[]): Markup =>
  new Markup(template.reduce((text, part, at) => text + written(values[at - 1]) + part));

/** Text that the project wrote itself as HTML. Never for anything from outside. */
export const trusted = (text: string): Markup => new Markup(text);
