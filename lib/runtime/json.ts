/**
 * What a JSON text holds, or undefined where it is not JSON. No error comes out, on purpose: a syntax error quotes the
 * text, and what is parsed here is often a secret.
 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
