import { clusterRule, fail, pass, unknown, unread } from './rule.ts';
import { intervalHours, scheduledItems } from './time.ts';

export const interval = clusterRule({
  id: 'BK-04',
  title: 'Snapshots are scheduled often enough',
  severity: 'high',
  motive: 'The interval is what is lost at most where there is no point-in-time recovery. AWS asks for a backup a day.',
  evidence: 'frequencyType and frequencyInterval of every policy item',
  remedy: 'Add a policy item with a shorter interval, or shorten the one there is.',
  kinds: ['dedicated'],
  about: 'backup',
  judge({ schedule }, { options: { maxIntervalHours } }) {
    if (!schedule.known) return unread(schedule);
    const items = schedule.value && scheduledItems(schedule.value);
    if (!items) return unknown('the schedule does not say what its items are', { maxIntervalHours });
    const each = items.map(intervalHours);
    const known = each.filter((hours) => hours !== null);
    const shortest = known.length === 0 ? null : Math.min(...known);
    const evidence = { intervalHours: shortest, maxIntervalHours, items: items.length };
    if (shortest !== null && shortest <= maxIntervalHours) return pass(`every ${shortest} hours`, evidence);
    if (known.length < each.length) return unknown('an item does not say how often it runs', evidence);
    return shortest === null
      ? fail('the schedule takes no snapshots', evidence)
      : fail(`every ${shortest} hours, and ${maxIntervalHours} are asked for`, evidence);
  },
});
