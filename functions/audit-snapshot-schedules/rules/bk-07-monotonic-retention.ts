import { described } from './retention.ts';
import { clusterRule, fail, pass, unknown, unread } from './rule.ts';
import { intervalHours, retentionDays } from './time.ts';

export const monotonicRetention = clusterRule({
  id: 'BK-07',
  title: 'Rarer snapshots are kept at least as long as more frequent ones',
  severity: 'medium',
  motive: 'Atlas demands it of new schedules; imported and old ones may break it and then cannot be changed at all.',
  evidence: 'retention of every policy item in days, a month counted as 30',
  remedy: 'Raise the retention of the rarer item to that of the more frequent one.',
  kinds: ['dedicated'],
  about: 'backup',
  judge({ schedule }) {
    if (!schedule.known) return unread(schedule);
    const items = schedule.value?.items ?? null;
    if (items === null) return unknown('the schedule does not say what its items are');
    const ordered = items
      .filter(({ type }) => type !== 'ondemand')
      .map((item) => ({ item, hours: intervalHours(item), days: retentionDays(item) }))
      .toSorted((a, b) => (a.hours ?? 0) - (b.hours ?? 0) || (a.days ?? 0) - (b.days ?? 0));
    const broken = ordered.flatMap((rarer) =>
      ordered
        .filter(
          (often) =>
            often.hours !== null &&
            rarer.hours !== null &&
            often.hours < rarer.hours &&
            often.days !== null &&
            rarer.days !== null &&
            often.days > rarer.days,
        )
        .map((often) => `${rarer.item.type} for ${rarer.days} days, ${often.item.type} for ${often.days}`),
    );
    const evidence = { items: items.map(described), broken };
    if (broken.length > 0) return fail(`kept shorter although rarer: ${broken.join('; ')}`, evidence);
    if (ordered.some(({ hours, days }) => hours === null || days === null)) {
      return unknown('an item does not say how often it runs or how long it is kept', evidence);
    }
    return pass('in order', evidence);
  },
});
