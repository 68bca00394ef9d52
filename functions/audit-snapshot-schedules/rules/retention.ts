import type { ItemFact, ScheduleFact } from '../facts.ts';
import { calendarDays, intervalHours, retentionDays, scheduledItems } from './time.ts';

interface Kept {
  /** The longest any of them is kept, in days. */
  readonly days: number;
  /** Whether an item leaves open what it is or how long it is kept. */
  readonly open: boolean;
}

/** How long snapshots are kept that come at least every `maxHours`. */
export function keptFor(schedule: ScheduleFact, maxHours: number): Kept | undefined {
  const items = scheduledItems(schedule);
  if (items === null) return undefined;
  const often = items.filter((item) => (intervalHours(item) ?? Number.POSITIVE_INFINITY) <= maxHours);
  const known = often.map(retentionDays).filter((days) => days !== null);
  return {
    days: Math.max(0, ...known),
    open: known.length < often.length || items.some((item) => intervalHours(item) === null),
  };
}

/** An item in words for people: both ways to count a month are said. */
export const described = (item: ItemFact) => ({
  frequencyType: item.type,
  frequencyInterval: item.interval,
  retentionUnit: item.unit,
  retentionValue: item.value,
  retentionDays: retentionDays(item),
  calendarDays: calendarDays(item)?.join('-') ?? null,
});

/** Extra retention is shown and never counted: Atlas does not protect it, and snapshots in it can be deleted. */
export const extraOf = ({ extraRetention }: ScheduleFact) =>
  extraRetention?.map(({ type, days }) => ({ frequencyType: type, retentionDays: days })) ?? null;
