import { describe, expect, it } from 'vitest';
import { parseJson } from '../../../lib/runtime/json.ts';

describe('JSON from outside', () => {
  it('keeps whole numbers beyond 2^53 exact, wherever they stand', () => {
    expect(parseJson('{"a":[9007199254740993,-9223372036854775808],"b":9007199254740991}')).toEqual({
      a: [9007199254740993n, -9223372036854775808n],
      b: 9007199254740991,
    });
  });

  it('leaves other numbers, and digits in text, as they are', () => {
    expect(parseJson('{"a":1.5,"b":1e300,"c":"9007199254740993"}')).toEqual({
      a: 1.5,
      b: 1e300,
      c: '9007199254740993',
    });
  });

  it.each(['', '{', 'mdb_sa_sk_hush', '<html>', undefined])('is undefined where it is none: %s', (text) => {
    expect(parseJson(text ?? '')).toBeUndefined();
  });
});
