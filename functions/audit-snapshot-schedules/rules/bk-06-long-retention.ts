import { described, keptFor } from './retention.ts';
import { clusterRule, fail, pass, unknown, unread } from './rule.ts';

const WEEK_HOURS = 7 * 24;
const MONTH_HOURS = 31 * 24;
const YEAR_HOURS = 366 * 24;

export const longRetention = clusterRule({
  id: 'BK-06',
  title: 'Weekly, monthly and yearly snapshots are kept long enough',
  severity: 'medium',
  motive: 'The tiers of the Atlas Architecture Center ask for weeks and months; what is regulated may ask for years.',
  evidence: 'retention of the items that run at least weekly, monthly and yearly',
  remedy: 'Add the weekly, monthly or yearly policy item that is missing, or raise its retention.',
  kinds: ['dedicated'],
  about: 'backup',
  judge({ schedule }, { options: { minWeeklyDays, minMonthlyDays, minYearlyDays } }) {
    if (!schedule.known) return unread(schedule);
    const { value } = schedule;
    if (!value?.items) return unknown('the schedule does not say what its items are');
    const asked = [
      { every: 'week', hours: WEEK_HOURS, min: minWeeklyDays },
      { every: 'month', hours: MONTH_HOURS, min: minMonthlyDays },
      { every: 'year', hours: YEAR_HOURS, min: minYearlyDays },
    ].map((each) => ({ ...each, kept: keptFor(value, each.hours) }));
    const short = asked.filter(({ kept, min }) => (kept?.days ?? 0) < min);
    const evidence = {
      keptDays: Object.fromEntries(asked.map(({ every, kept }) => [every, kept?.days ?? null])),
      minDays: { week: minWeeklyDays, month: minMonthlyDays, year: minYearlyDays },
      items: value.items.map(described),
    };
    if (short.length === 0) return pass('kept long enough', evidence);
    if (short.every(({ kept }) => kept?.open)) return unknown('an item does not say how long it is kept', evidence);
    const told = short.map(({ every, kept, min }) => `one a ${every} for ${kept?.days ?? 0} of ${min} days`);
    return fail(`kept ${told.join(', ')}`, evidence);
  },
});
