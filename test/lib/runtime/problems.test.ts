import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { problemsOf, sentenceOf } from '../../../lib/runtime/problems.ts';

const said = (schema: z.ZodType, value: unknown, ...within: string[]): string =>
  sentenceOf(problemsOf(schema.safeParse(value).error, within));

describe('problems', () => {
  it('are none where there is no error', () => {
    expect(problemsOf(undefined)).toEqual([]);
  });

  it('are all there, unknown keys by name, and hold no value', () => {
    const schema = z.strictObject({ name: z.string('must be text'), list: z.array(z.int('must be whole')) });
    expect(said(schema, { name: 7, list: [1, 'hush'], hush: 1 })).toBe(
      'name must be text; list.1 must be whole; hush is not known',
    );
  });

  it('lie within what they are said to', () => {
    const schema = z.strictObject({ a: z.string('must be text') }, 'must be an object');
    expect(said(schema, {}, 'body')).toBe('body.a must be text');
    expect(said(schema, 7, 'body')).toBe('body must be an object');
    expect(said(schema, 7)).toBe('(the whole) must be an object');
    expect(said(z.record(z.enum(['a']), z.string()), { b: 'x' }, 'body')).toMatch(/^body\.\w+ /);
  });
});

describe('problems of a choice', () => {
  const instant = z.union([z.date(), z.iso.datetime('must be an instant')], 'must be an instant');
  const choice = z.union(
    [
      z.strictObject({ until: instant, comment: z.string().max(3, 'must be short').optional() }),
      z.strictObject({ never: z.literal(true, 'must be true') }),
    ],
    'must have either until or never',
  );

  it.each([
    ['of the field that is wrong', { until: 'tomorrow' }, 'body.until must be an instant'],
    [
      'of every such field',
      { until: 'tomorrow', comment: 'long' },
      'body.until must be an instant; body.comment must be short',
    ],
    ['of the alternative with the fewest', { never: false }, 'body.never must be true'],
    ['of none of them, where none is closest', {}, 'body must have either until or never'],
    [
      'of none of them, where both are meant',
      { until: new Date(), never: true },
      'body must have either until or never',
    ],
    ['of none of them, where it is no such thing', 'tomorrow', 'body must have either until or never'],
  ])('are those %s', (_, value, expected) => {
    expect(said(choice, value, 'body')).toBe(expected);
  });

  it('are those of the deepest, where alternatives have as many', () => {
    const schema = z.union([
      z.object({ a: z.object({ b: z.string('must be text') }) }),
      z.object({ c: z.string('must be there') }),
    ]);
    expect(said(schema, { a: { b: 1 } })).toBe('a.b must be text');
  });

  it('are those all alternatives share', () => {
    const id = z.string('must be text');
    expect(said(z.union([z.object({ id, a: z.int().optional() }), z.object({ id })]), {})).toBe('id must be text');
  });

  it('name what it is chosen by', () => {
    const schema = z.discriminatedUnion('type', [
      z.object({ type: z.literal('a') }),
      z.object({ type: z.literal('b') }),
    ]);
    expect(said(schema, { type: 'hush' }, 'body')).toMatch(/^body\.type (?!.*hush)/);
  });
});
