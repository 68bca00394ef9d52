import { expect, test } from 'vitest';
import { checkRules, nextRotation } from '../../../../infra/local/aws/secrets-manager/schedule.ts';

// A Wednesday.
const from = new Date('2026-01-14T09:30:00Z');

test.each([
  [{ AutomaticallyAfterDays: 1 }, '2026-01-15T23:59:59.000Z'],
  [{ AutomaticallyAfterDays: 30, Duration: '3h' }, '2026-02-13T03:00:00.000Z'],
  [{ ScheduleExpression: 'rate(4 hours)' }, '2026-01-14T14:00:00.000Z'],
  [{ ScheduleExpression: 'rate(10 days)' }, '2026-01-24T23:59:59.000Z'],
  [{ ScheduleExpression: 'cron(0 8 1 * ? *)', Duration: '2h' }, '2026-02-01T10:00:00.000Z'],
  [{ ScheduleExpression: 'cron(0 8 L * ? *)', Duration: '1h' }, '2026-01-31T09:00:00.000Z'],
  [{ ScheduleExpression: 'cron(0 0/8 * * ? *)' }, '2026-01-14T17:00:00.000Z'],
  [{ ScheduleExpression: 'cron(0 16 ? * SAT#2 *)', Duration: '1h' }, '2026-02-14T17:00:00.000Z'],
  [{ ScheduleExpression: 'cron(0 16 ? * 6L *)', Duration: '1h' }, '2026-01-30T17:00:00.000Z'],
  [{ ScheduleExpression: 'cron(0 2 ? JUN-AUG MON,TUE 2027)', Duration: '1h' }, '2027-06-01T03:00:00.000Z'],
])('%o is next due at %s', (rules, due) => {
  expect(nextRotation(rules, from)?.toISOString()).toBe(due);
});

test.each([
  { AutomaticallyAfterDays: 0 },
  { AutomaticallyAfterDays: 1001 },
  { AutomaticallyAfterDays: 5, ScheduleExpression: 'rate(5 days)' },
  { ScheduleExpression: 'rate(3 hours)' },
  { ScheduleExpression: 'rate(5 minutes)' },
  { ScheduleExpression: 'cron(15 8 * * ? *)' },
  { ScheduleExpression: 'cron(0 8 * * ?)' },
  { ScheduleExpression: 'cron(0 x * * ? *)' },
  { ScheduleExpression: 'cron(0 8 31 2 ? *)' },
  { ScheduleExpression: 'every day' },
  { AutomaticallyAfterDays: 5, Duration: '25h' },
])('%o is refused', (rules) => {
  expect(() => checkRules(rules)).toThrow(expect.objectContaining({ type: 'InvalidParameterException' }));
});
