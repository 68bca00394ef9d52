import { AwsError } from '../json-protocol.ts';
import type { RotationRules } from './secret.ts';

const hour = 3_600_000;
const day = 24 * hour;
const months = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const weekdays = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

const invalid = (what: string): AwsError => new AwsError('InvalidParameterException', what);

/** Refuses rules the service refuses: both kinds of schedule, rates under four hours, windows over a day. */
export function checkRules({
  AutomaticallyAfterDays: days,
  ScheduleExpression: expression,
  Duration,
}: RotationRules): void {
  if (days !== undefined && expression !== undefined) {
    throw invalid('You can specify AutomaticallyAfterDays or ScheduleExpression, but not both.');
  }
  if (days !== undefined && (days < 1 || days > 1000)) throw invalid('AutomaticallyAfterDays must be within 1-1000.');
  if (Duration !== undefined && !/^([1-9]|1\d|2[0-4])h$/.test(Duration)) throw invalid('Duration is not valid.');
  if (expression !== undefined) nextOpening(expression, 0);
}

/** When the next rotation is due at the latest: the end of the first window that opens after `from`. */
export function nextRotation(rules: RotationRules, from: Date): Date | undefined {
  const { AutomaticallyAfterDays: days, ScheduleExpression: expression, Duration } = rules;
  const schedule = expression ?? (days === undefined ? undefined : `rate(${days} days)`);
  if (schedule === undefined) return undefined;
  const { opens, hourly } = nextOpening(schedule, from.getTime());
  if (Duration !== undefined) return new Date(opens + Number.parseInt(Duration, 10) * hour);
  return new Date(hourly ? opens + hour : Math.floor(opens / day) * day + day - 1000);
}

function nextOpening(expression: string, from: number): { opens: number; hourly: boolean } {
  const rate = /^rate\((\d{1,3}) (hours?|days?)\)$/.exec(expression);
  if (rate) {
    const hourly = rate[2]?.startsWith('hour') ?? false;
    const count = Number(rate[1]);
    if (count < (hourly ? 4 : 1)) throw invalid('The rotation schedule is not valid: more often than every 4 hours.');
    const unit = hourly ? hour : day;
    return { opens: Math.floor(from / unit) * unit + count * unit, hourly };
  }
  const fields = /^cron\((.+)\)$/.exec(expression)?.[1]?.split(' ') ?? [];
  const [minutes, hours, dayOfMonth, month, weekday, year] = fields;
  if (fields.length !== 6 || minutes !== '0' || !hours || !dayOfMonth || !month || !weekday || !year) {
    throw invalid(`The rotation schedule ${expression} is not valid.`);
  }
  const ends = from + 5 * 366 * day;
  for (let opens = Math.floor(from / hour) * hour + hour; opens < ends; opens += hour) {
    const at = new Date(opens);
    const matches =
      inField(year, at.getUTCFullYear()) &&
      inField(month, at.getUTCMonth() + 1, months, 1) &&
      onDayOfMonth(dayOfMonth, at) &&
      onWeekday(weekday, at) &&
      inField(hours, at.getUTCHours());
    if (matches) return { opens, hourly: /[/,*-]/.test(hours) };
  }
  throw invalid(`The rotation schedule ${expression} never comes true.`);
}

function onDayOfMonth(field: string, at: Date): boolean {
  const last = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 0)).getUTCDate();
  return field === 'L' ? at.getUTCDate() === last : inField(field, at.getUTCDate());
}

/** `6L` is the month's last Friday, `2#1` its first Monday; days count from Sunday = 1. */
function onWeekday(field: string, at: Date): boolean {
  const special = /^(\w+?)(?:L|#([1-5]))$/.exec(field);
  if (!special) return inField(field, at.getUTCDay() + 1, weekdays, 1);
  if (!inField(special[1] ?? '', at.getUTCDay() + 1, weekdays, 1)) return false;
  if (special[2]) return Math.ceil(at.getUTCDate() / 7) === Number(special[2]);
  return new Date(at.getTime() + 7 * day).getUTCMonth() !== at.getUTCMonth();
}

function inField(field: string, value: number, names: readonly string[] = [], first = 0): boolean {
  if (field === '*' || field === '?') return true;
  const number = (text: string | undefined): number => {
    const name = names.indexOf(text ?? '');
    const parsed = name >= 0 ? name + first : Number(text || Number.NaN);
    if (!Number.isInteger(parsed)) throw invalid(`The rotation schedule is not valid at ${field}.`);
    return parsed;
  };
  return field.split(',').some((part) => {
    const [range = '', step] = part.split('/');
    const [low, high] = range === '*' ? [String(first), undefined] : range.split('-');
    const from = number(low);
    const to = high !== undefined ? number(high) : step !== undefined ? Number.POSITIVE_INFINITY : from;
    return value >= from && value <= to && (value - from) % (step === undefined ? 1 : number(step)) === 0;
  });
}
