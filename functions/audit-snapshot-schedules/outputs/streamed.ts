/** What is handed on at a time: large enough that few steps carry many lines, small beside the memory of a function. */
const CHUNK = 64 * 1024;

/** The same text in fewer and larger pieces. */
export async function* chunked(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  let chunk = '';
  for await (const piece of pieces) {
    chunk += piece;
    if (chunk.length < CHUNK) continue;
    yield chunk;
    chunk = '';
  }
  if (chunk !== '') yield chunk;
}

/** The text of a JSON array, whose values are never held together. */
export const jsonArray = (values: AsyncIterable<unknown>): AsyncGenerator<string> =>
  jsonArrayOf(mapped(values, (value) => JSON.stringify(value)));

/** The same of values that are JSON already, one or several with commas between them; empty text is none. */
export async function* jsonArrayOf(texts: AsyncIterable<string>): AsyncGenerator<string> {
  let before = '[\n';
  for await (const text of texts) {
    if (text === '') continue;
    yield before + text;
    before = ',\n';
  }
  yield before === '[\n' ? '[]' : '\n]';
}

/** One JSON value a line. */
export async function* jsonLines(values: AsyncIterable<unknown>): AsyncGenerator<string> {
  for await (const value of values) yield `${JSON.stringify(value)}\n`;
}

/** What `change` makes of each value; undefined leaves it out. */
export async function* mapped<From, To>(
  values: AsyncIterable<From>,
  change: (value: From) => To | undefined,
): AsyncGenerator<To> {
  for await (const value of values) {
    const to = change(value);
    if (to !== undefined) yield to;
  }
}

/** The instant in the one form every reader takes: UTC, milliseconds, Z. */
export const utc = (instant: string): string => new Date(instant).toISOString();
