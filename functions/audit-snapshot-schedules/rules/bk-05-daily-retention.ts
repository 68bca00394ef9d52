import { described, extraOf, keptFor } from './retention.ts';
import { clusterRule, fail, pass, unknown, unread } from './rule.ts';

const DAILY_HOURS = 24;

export const dailyRetention = clusterRule({
  id: 'BK-05',
  title: 'Daily snapshots are kept long enough',
  severity: 'high',
  motive: 'Damage is often found days later. Atlas keeps a week by default; AWS Backup Audit Manager asks for 35 days.',
  evidence:
    'retention of the items that run daily or more often, a month counted as 30 days; extra retention not counted',
  remedy: 'Raise the retention of the daily policy item, or add one.',
  kinds: ['dedicated'],
  about: 'backup',
  judge({ schedule }, { options: { minDays } }) {
    if (!schedule.known) return unread(schedule);
    const kept = schedule.value && keptFor(schedule.value, DAILY_HOURS);
    if (!schedule.value || !kept) return unknown('the schedule does not say what its items are', { minDays });
    const evidence = {
      retentionDays: kept.days,
      minDays,
      items: (schedule.value.items ?? []).map(described),
      extraRetention: extraOf(schedule.value),
    };
    if (kept.days >= minDays) return pass(`kept for ${kept.days} days`, evidence);
    if (kept.open) return unknown('an item does not say how long it is kept', evidence);
    return fail(`kept for ${kept.days} days, and ${minDays} are asked for`, evidence);
  },
});
