import Table from 'cli-table3';

export type Format = 'table' | 'json' | 'ndjson';

/** Columns of a table: more do not fit a screen, and `--output json` has them all. */
const MOST_COLUMNS = 6;
const WIDEST = 40;

/** What comes from Atlas may hold anything, and a terminal obeys control characters. */
const printable = (text: string): string => text.replaceAll(/\p{Cc}/gu, ' ');

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function cell(value: unknown): string {
  const text = typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value ?? '');
  const clean = printable(text);
  return clean.length > WIDEST ? `${clean.slice(0, WIDEST - 1)}…` : clean;
}

/** One answer, or one page of a list, in the format asked for. Ends with a newline where it holds anything. */
export function render(answer: unknown, format: Format): string {
  const items = isRecord(answer) && Array.isArray(answer['results']) ? answer['results'] : answer;
  if (answer === undefined || answer === null) return '';
  if (format === 'json') return `${JSON.stringify(answer, null, 2)}\n`;
  if (format === 'ndjson') {
    return (Array.isArray(items) ? items : [items]).map((item) => `${JSON.stringify(item)}\n`).join('');
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

function fields(answer: unknown): string {
  if (!isRecord(answer)) return `${printable(String(answer))}\n`;
  const table = new Table({ style: { head: [], border: [], compact: true } });
  for (const [key, value] of Object.entries(answer)) if (key !== 'links') table.push([printable(key), cell(value)]);
  return `${table.toString()}\n`;
}
