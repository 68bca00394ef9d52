/** Why a text is not taken as JSON. */
export type Unsafe = 'not json' | 'too deep' | 'key twice' | 'forbidden key';

/** Names that reach an object's own machinery where somebody copies keys without looking. */
const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype']);

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const COLON = 0x3a;

/**
 * Parses JSON from outside. Depth is measured before anything is parsed, so that no nesting reaches the parser's stack;
 * an object with the same key twice means different things to different readers and is refused, and so are keys that
 * could change what objects are.
 */
export function parseUntrusted(text: string, maxDepth: number): { value: unknown } | { unsafe: Unsafe } {
  const unsafe = scan(text, maxDepth);
  if (unsafe) return { unsafe };
  try {
    return { value: JSON.parse(text) };
  } catch {
    return { unsafe: 'not json' };
  }
}

/** One pass over the text: containers and keys. What is no JSON at all is left for the parser to find. */
function scan(text: string, maxDepth: number): Unsafe | undefined {
  // The keys of every open object, from the outside in; undefined for an array.
  const open: (Set<string> | undefined)[] = [];
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case OPEN_OBJECT:
      case OPEN_ARRAY:
        open.push(text.charCodeAt(at) === OPEN_OBJECT ? new Set() : undefined);
        if (open.length > maxDepth) return 'too deep';
        break;
      case CLOSE_OBJECT:
      case CLOSE_ARRAY:
        open.pop();
        break;
      case QUOTE: {
        const end = endOfString(text, at);
        if (end === undefined) return 'not json';
        const keys = open.at(-1);
        if (keys && isKey(text, end)) {
          const key = unescaped(text.slice(at, end));
          if (key === undefined) return 'not json';
          if (FORBIDDEN.has(key)) return 'forbidden key';
          if (keys.has(key)) return 'key twice';
          keys.add(key);
        }
        at = end - 1;
        break;
      }
    }
  }
  return undefined;
}

/** Where the string that begins at `start` is over, behind its closing quote. */
function endOfString(text: string, start: number): number | undefined {
  for (let at = start + 1; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === BACKSLASH) at++;
    else if (unit === QUOTE) return at + 1;
  }
  return undefined;
}

function isKey(text: string, end: number): boolean {
  let at = end;
  while (at < text.length && text.charCodeAt(at) <= 0x20) at++;
  return text.charCodeAt(at) === COLON;
}

function unescaped(quoted: string): string | undefined {
  if (!quoted.includes('\\')) return quoted.slice(1, -1);
  try {
    return String(JSON.parse(quoted));
  } catch {
    return undefined;
  }
}
