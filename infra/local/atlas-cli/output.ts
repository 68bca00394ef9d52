import Table from 'cli-table3';

export type Format = 'table' | 'json' | 'ndjson';

/** Columns of a table: more do not fit a screen, and `--output json` has them all. */
const MOST_COLUMNS = 6;
const WIDEST = 40;

/**
 * Text from outside as one line that a terminal only shows: control characters move its cursor, and format characters
 * turn the reading order around.
 */
export const printable = (text: string): string => text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, ' ');

declare global {
  interface JSON {
    /** Node's own; not yet in TypeScript's declarations. */
    rawJSON(text: string): object;
  }
}

/** JSON that means the same and moves no terminal: what JSON.stringify leaves raw is escaped. */
export function jsonText(value: unknown, indent?: number, replacer?: (key: string, value: unknown) => unknown): string {
  const escaped = (text: string): string =>
    Array.from({ length: text.length }, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join('');
  // A whole number beyond 2^53 is a bigint here, and goes out digit by digit as it came.
  const exact = (key: string, held: unknown): unknown => {
    const shown = replacer ? replacer(key, held) : held;
    return typeof shown === 'bigint' ? JSON.rawJSON(String(shown)) : shown;
  };
  return JSON.stringify(value, exact, indent).replaceAll(/[\u007f-\u009f\p{Cf}\u2028\u2029]/gu, escaped);
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const inOneLine = (value: unknown): string =>
  printable(typeof value === 'object' && value !== null ? jsonText(value) : String(value ?? ''));

function cell(value: unknown): string {
  const characters = [...inOneLine(value)];
  return characters.length > WIDEST ? `${characters.slice(0, WIDEST - 1).join('')}…` : characters.join('');
}

/** One answer, or one page of a list, in the format asked for. Ends with a newline where it holds anything. */
export function render(answer: unknown, format: Format): string {
  const items = isRecord(answer) && Array.isArray(answer['results']) ? answer['results'] : answer;
  if (answer === undefined || answer === null) return '';
  if (format === 'json') return `${jsonText(answer, 2)}\n`;
  if (format === 'ndjson') {
    return (Array.isArray(items) ? items : [items]).map((item) => `${jsonText(item)}\n`).join('');
  }
  return Array.isArray(items) ? rows(items) : fields(items);
}

function rows(items: readonly unknown[]): string {
  if (items.length === 0) return 'none\n';
  const records = items.map((item) => (isRecord(item) ? item : { value: item }));
  const keys = [...new Set(records.flatMap((record) => Object.keys(record)))].filter((key) => key !== 'links');
  // What names a thing first; then what fits a cell; what is nested last.
  const rank = (key: string): number =>
    ['id', '_id', 'name', 'clientId'].includes(key)
      ? 0
      : records.some((record) => typeof record[key] === 'object')
        ? 2
        : 1;
  const shown = keys.toSorted((a, b) => rank(a) - rank(b)).slice(0, MOST_COLUMNS);
  const table = new Table({ head: shown.map(printable), style: { head: [], border: [], compact: true } });
  for (const record of records) table.push(shown.map((key) => cell(record[key])));
  return `${table.toString()}\n`;
}

/** One thing, a line per field and nothing cut: a secret may be in it that is shown only this once. */
function fields(answer: unknown): string {
  if (!isRecord(answer)) return `${inOneLine(answer)}\n`;
  return Object.entries(answer)
    .filter(([key]) => key !== 'links')
    .map(([key, value]) => `${printable(key)}: ${inOneLine(value)}\n`)
    .join('');
}
