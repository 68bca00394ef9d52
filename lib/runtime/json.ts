/** Digits enough for a whole number that JavaScript's own numbers would round. */
const LARGE = /\d{16}/;

/** The reviver's third argument, which TypeScript's own declaration of JSON.parse does not know yet. */
interface Source {
  readonly source?: string;
}

/** Whole numbers beyond 2^53 stay exact, as bigint. */
const exactly = (_: string, value: unknown, ...[{ source } = {}]: Source[]): unknown =>
  typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value) && /^-?\d+$/.test(source ?? '')
    ? BigInt(source ?? 0)
    : value;

/**
 * What a JSON text holds, or undefined where it is not JSON; a whole number beyond 2^53 is a bigint. No error comes out,
 * on purpose: a syntax error quotes the text, and what is parsed here is often a secret.
 */
export function parseJson(text: string): unknown {
  try {
    // A reviver is called for every value there is: only where it may have something to do.
    return LARGE.test(text) ? JSON.parse(text, exactly) : JSON.parse(text);
  } catch {
    return undefined;
  }
}
