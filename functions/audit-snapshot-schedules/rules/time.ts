import type { ItemFact, ScheduleFact } from '../facts.ts';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

/** Days in a unit as policies count them: a month has 30, a year 365, whatever the calendar says. */
const DAYS_IN: Readonly<Record<string, number>> = { days: 1, weeks: 7, months: 30, years: 365 };
/** The fewest and the most days the calendar gives `n` of a unit. */
const CALENDAR: Readonly<Record<string, readonly [number, number]>> = { months: [28, 31], years: [365, 366] };

/** How long an item is kept, in days; null where it is not said in words known here. */
export function retentionDays({ unit, value }: Pick<ItemFact, 'unit' | 'value'>): number | null {
  const days = DAYS_IN[unit ?? ''];
  return days === undefined || value === null ? null : days * value;
}

/** The same as a range by the calendar, for people: one month is 28 to 31 days. */
export function calendarDays({ unit, value }: Pick<ItemFact, 'unit' | 'value'>): readonly [number, number] | null {
  const days = retentionDays({ unit, value });
  if (days === null || value === null) return null;
  if (unit === 'months')
    return [addMonths(Date.UTC(2023, 1, 1), value, DAY_MS), addMonths(Date.UTC(2023, 6, 1), value, DAY_MS)];
  const range = CALENDAR[unit ?? ''];
  return range ? [range[0] * value, range[1] * value] : [days, days];
}

/** From `from` to the same day `months` later, in units of `unit` milliseconds. */
function addMonths(from: number, months: number, unit: number): number {
  const date = new Date(from);
  return (Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months, date.getUTCDate()) - from) / unit;
}

/** The least an item may keep a snapshot taken at `from`, in milliseconds: by 30-day months or by the calendar's. */
export function leastRetentionMs(item: Pick<ItemFact, 'unit' | 'value'>, from: number): number | null {
  const days = retentionDays(item);
  if (days === null) return null;
  if (item.unit !== 'months' || item.value === null) return days * DAY_MS;
  // The 31st of January plus a month is the 28th of February, not the 3rd of March.
  const start = new Date(from);
  const lastDay = new Date(Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + item.value + 1, 0)).getUTCDate();
  const until = Date.UTC(
    start.getUTCFullYear(),
    start.getUTCMonth() + item.value,
    Math.min(start.getUTCDate(), lastDay),
  );
  const byCalendar = until - Date.UTC(start.getUTCFullYear(), start.getUTCMonth(), start.getUTCDate());
  return Math.min(days * DAY_MS, byCalendar);
}

/** Hours between two snapshots of an item; of months and years the longest there are. Null where it asks for none. */
export function intervalHours({ type, interval }: ItemFact): number | null {
  switch (type) {
    case 'hourly':
      return interval;
    case 'daily':
      return 24;
    case 'weekly':
      return 7 * 24;
    case 'monthly':
      return 31 * 24;
    case 'yearly':
      return 366 * 24;
    default:
      return null;
  }
}

/** The items that make snapshots by themselves; null where the schedule does not say. */
export const scheduledItems = ({ items }: ScheduleFact): readonly ItemFact[] | null =>
  items === null ? null : items.filter(({ type }) => type !== 'ondemand');

/** The shortest interval a schedule promises, in hours; null where an item leaves it open or there is none. */
export function shortestInterval(schedule: ScheduleFact): number | null {
  const items = scheduledItems(schedule);
  if (items === null || items.length === 0) return null;
  const hours = items.map(intervalHours).filter((each) => each !== null);
  return hours.length < items.length ? null : Math.min(...hours);
}

export const iso = (ms: number): string => new Date(ms).toISOString();
export const isoOrNull = (ms: number | null | undefined): string | null =>
  ms === null || ms === undefined ? null : iso(ms);
export const hours = (ms: number): number => Math.round((ms / HOUR_MS) * 10) / 10;
