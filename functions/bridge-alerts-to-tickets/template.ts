/** What a title may name. */
export const PLACEHOLDERS = [
  'severity',
  'type',
  'cluster',
  'project',
  'host',
  'metric',
  'value',
  'count',
  'scope',
] as const;
export type Placeholder = (typeof PLACEHOLDERS)[number];

const PATTERN = /\{(\w+)\}/g;

/** Every name in braces. */
export const placeholdersIn = (template: string): string[] =>
  [...template.matchAll(PATTERN)].map(([, name]) => name ?? '');

/** Those nobody fills. */
export const unknownPlaceholders = (template: string): string[] =>
  placeholdersIn(template).filter((name) => !PLACEHOLDERS.some((known) => known === name));

/**
 * The template with its names replaced. What is filled in is never read as a template again, and where a value is
 * missing the space it leaves is closed.
 */
export const fill = (template: string, values: Readonly<Partial<Record<Placeholder, string>>>): string =>
  template
    .replace(PATTERN, (_, name: string) => {
      const known = PLACEHOLDERS.find((placeholder) => placeholder === name);
      return (known && values[known]) ?? '';
    })
    .replace(/\s+/g, ' ')
    .trim();
