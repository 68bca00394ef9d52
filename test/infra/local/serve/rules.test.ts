import { describe, expect, it } from 'vitest';
import { triggerOf } from '../../../../infra/local/serve/ledger.ts';
import { matcherOf } from '../../../../infra/local/serve/pattern.ts';
import { scheduleOf } from '../../../../infra/local/serve/schedule.ts';

describe('an event pattern', () => {
  const event = { source: 'a', detail: { name: 'abc', nested: { list: ['x', 'y'], none: null }, count: 3 } };

  it.each([
    [{ source: ['a', 'b'] }, true],
    [{ source: ['b'] }, false],
    [{ source: ['a'], detail: { name: [{ prefix: 'ab' }] } }, true],
    [{ detail: { name: [{ prefix: 'b' }] } }, false],
    [{ detail: { name: [{ suffix: 'bc' }] } }, true],
    [{ detail: { nested: { list: ['y'] } } }, true],
    [{ detail: { nested: { none: [null] } } }, true],
    [{ detail: { count: [3] } }, true],
    [{ detail: { count: ['3'] } }, false],
    [{ detail: { missing: [{ exists: false }] } }, true],
    [{ detail: { name: [{ 'anything-but': ['abc'] }] } }, false],
    [{ detail: { missing: { deeper: ['x'] } } }, false],
  ])('%j matches: %s', (pattern, expected) => {
    expect(matcherOf(pattern)(event)).toBe(expected);
  });

  it('with a filter nobody understands here fails at once', () => {
    expect(() => matcherOf({ detail: { count: [{ numeric: ['>', 1] }] } })).toThrow();
  });
});

describe('a schedule', () => {
  const start = new Date('2026-03-02T10:00:00Z');
  const next = (expression: string, after: string): string | undefined =>
    scheduleOf(expression, start)(new Date(after))?.toISOString();

  it.each([
    ['rate(5 minutes)', '2026-03-02T10:00:00Z', '2026-03-02T10:05:00.000Z'],
    ['rate(5 minutes)', '2026-03-02T10:07:00Z', '2026-03-02T10:10:00.000Z'],
    ['rate(1 day)', '2026-03-05T10:00:00Z', '2026-03-06T10:00:00.000Z'],
    ['cron(30 9 * * ? *)', '2026-03-02T10:00:00Z', '2026-03-03T09:30:00.000Z'],
    ['cron(0 9 ? * MON-FRI *)', '2026-03-06T10:00:00Z', '2026-03-09T09:00:00.000Z'],
    ['cron(0 9 ? * 2 *)', '2026-03-03T10:00:00Z', '2026-03-09T09:00:00.000Z'],
    ['cron(0 0 1 1 ? 2027)', '2026-03-03T10:00:00Z', '2027-01-01T00:00:00.000Z'],
  ])('%s after %s is due at %s', (expression, after, due) => {
    expect(next(expression, after)).toBe(due);
  });

  it('of a time zone keeps to its clock, winter and summer', () => {
    const due = (after: string) =>
      scheduleOf('cron(30 3 * * ? *)', start, 'Europe/Berlin')(new Date(after))?.toISOString();
    expect(due('2026-03-28T12:00:00Z')).toBe('2026-03-29T01:30:00.000Z');
    expect(due('2026-01-28T12:00:00Z')).toBe('2026-01-29T02:30:00.000Z');
  });

  it('that is over is never due again, and one of another kind is refused', () => {
    expect(next('cron(0 0 1 1 ? 2020)', '2026-03-03T10:00:00Z')).toBeUndefined();
    expect(() => scheduleOf('at(2026-03-03T10:00:00)', start)).toThrow('no schedule');
  });
});

it.each([
  [{ Records: [] }, 'queue'],
  [{ Step: 'createSecret' }, 'rotation'],
  [{ rawPath: '/' }, 'webhook'],
  [{ source: 'aws.scheduler', 'detail-type': 'Scheduled Event' }, 'schedule'],
  [{ source: 'atlas-automation' }, 'event'],
  [{}, 'by hand'],
])('%j comes by way of: %s', (event, trigger) => {
  expect(triggerOf(event)).toBe(trigger);
});
