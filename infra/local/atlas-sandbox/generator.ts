import { createHash } from 'node:crypto';

/** Ids and secrets that are the same in every run with the same seed. */
export interface Generator {
  /** `length` lowercase hexadecimal digits. */
  hex(length: number): string;
  /** `length` characters of `A-Z a-z 0-9 _ -`. */
  token(length: number): string;
  /** One that draws independently: what is drawn from it changes nothing that is drawn from this one. */
  fork(name: string): Generator;
}

export function createGenerator(seed: string): Generator {
  let drawn = 0;
  const draw = (length: number, encoding: 'hex' | 'base64url'): string => {
    let text = '';
    while (text.length < length) text += createHash('sha256').update(`${seed}:${drawn++}`).digest(encoding);
    return text.slice(0, length);
  };
  return {
    hex: (length) => draw(length, 'hex'),
    token: (length) => draw(length, 'base64url'),
    fork: (name) => createGenerator(`${seed}/${name}`),
  };
}
